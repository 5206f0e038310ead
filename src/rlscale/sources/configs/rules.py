"""Rules on several keys of a configuration, as data: when they hold, and what is to be said then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rlscale.curves import KeyRemark
from rlscale.sources.configs.written import shown

__all__ = ["Above", "Absent", "Different", "Equal", "Flat", "Not", "Rule", "Stated", "Undivided", "number"]

Flat = Mapping[str, Any]


def number(flat: Flat, key: str, default: float | None = None) -> float | None:
    """Return the number of a key, the default where it is not written; None where it is no number."""
    value = flat.get(key, default)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Equal:
    """A key has one of some values; ``default`` is what counts where it is not stated."""

    key: str
    values: tuple[Any, ...] = (True,)
    default: Any = None

    def holds(self, flat: Flat) -> bool:
        """Whether it is so."""
        value = flat.get(self.key, self.default)
        return any(value is each if isinstance(each, bool) else value == each for each in self.values)


@dataclass(frozen=True)
class Not:
    """Another condition does not hold."""

    condition: Equal

    def holds(self, flat: Flat) -> bool:
        """Whether it is so."""
        return not self.condition.holds(flat)


@dataclass(frozen=True)
class Stated:
    """A key has a value."""

    key: str

    def holds(self, flat: Flat) -> bool:
        """Whether it is so."""
        return flat.get(self.key) is not None


@dataclass(frozen=True)
class Absent:
    """A key has no value; with ``null``, only where that is written."""

    key: str
    null: bool = False

    def holds(self, flat: Flat) -> bool:
        """Whether it is so."""
        return flat.get(self.key) is None and (self.key in flat or not self.null)


@dataclass(frozen=True)
class Above:
    """A number is above another one, or above a limit; with ``equal``, also where they are equal."""

    key: str
    other: str | float
    equal: bool = False
    default: float | None = None
    other_default: float | None = None

    def holds(self, flat: Flat) -> bool:
        """Whether it is so; not where a number is missing."""
        left = number(flat, self.key, self.default)
        right = number(flat, self.other, self.other_default) if isinstance(self.other, str) else self.other
        return left is not None and right is not None and (left > right or (self.equal and left == right))


@dataclass(frozen=True)
class Different:
    """Two keys are written, with different values."""

    key: str
    other: str

    def holds(self, flat: Flat) -> bool:
        """Whether it is so."""
        left, right = flat.get(self.key), flat.get(self.other)
        return left is not None and right is not None and left != right


@dataclass(frozen=True)
class Undivided:
    """A number is no multiple of another one."""

    whole: str
    part: str
    default: float | None = None

    def holds(self, flat: Flat) -> bool:
        """Whether it is so; not where a number is missing."""
        whole, part = number(flat, self.whole), number(flat, self.part, self.default)
        return whole is not None and bool(part) and whole % (part or 1.0) != 0


@dataclass(frozen=True)
class Rule:
    """What is to be said of a key where all conditions hold.

    Parameters
    ----------
    key : str
    when : tuple of conditions
    says : str
        ``{other.key}`` stands for what is written there.
    kind : str
        ``contradiction``, or ``unused``: it has no effect.
    refused : bool
        Whether the trainer stops.
    default : Any
        What is shown where the key is not stated.
    """

    key: str
    when: tuple[Equal | Not | Stated | Absent | Above | Different | Undivided, ...]
    says: str
    kind: Literal["contradiction", "unused"] = "contradiction"
    refused: bool = False
    default: Any = None

    def remark(self, flat: Flat) -> KeyRemark | None:
        """Return the remark; None where a condition does not hold."""
        if not all(condition.holds(flat) for condition in self.when):
            return None
        says = self.says
        for each in self.when:
            condition = each.condition if isinstance(each, Not) else each
            for name in ("key", "other", "whole", "part"):
                key = getattr(condition, name, None)
                if isinstance(key, str):
                    says = says.replace(f"{{{key}}}", shown(flat.get(key, _default(condition, name))))
        return KeyRemark(self.key, shown(flat.get(self.key, self.default)), self.kind, says, self.refused)


def _default(condition: object, name: str) -> Any:
    return getattr(condition, "other_default" if name == "other" else "default", None)
