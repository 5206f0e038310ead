"""How exactly the containers of logs hold a value: what trainers print is rounded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Precision", "is_rounded", "precision_of"]


@dataclass(frozen=True)
class Precision:
    """The most by which a value that is held differs from the one that was measured: either of the two."""

    absolute: float = 0.0
    relative: float = 1e-6  # TensorBoard keeps single precision


#: Containers that hold rounded values; four decimals, or five digits.
_ROUNDED = {
    "prime-rl-log": Precision(absolute=5.1e-5),
    "skyrl-console": Precision(absolute=5.1e-5),
    "areal-log": Precision(relative=5.1e-5),
}


def is_rounded(form: str) -> bool:
    """Whether a container holds rounded values."""
    return form in _ROUNDED


def precision_of(form: str) -> Precision:
    """Return how exactly a container holds values."""
    return _ROUNDED.get(form, Precision())
