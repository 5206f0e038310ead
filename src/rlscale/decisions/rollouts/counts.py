"""Pass counts: how many of the graded samples of each prompt were right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.errors import InputError

__all__ = ["PassCounts"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PassCounts(Value):
    """Counts of each prompt: the table ``prompt, correct, graded``.

    Parameters
    ----------
    prompt : tuple of str
        Each once.
    correct, graded : array, shape (p,)
        Right samples and graded ones, whole numbers with ``0 <= correct <= graded``; of a prompt with none graded
        nothing is known.

    Raises
    ------
    InputError
        No prompts, unequal lengths, a prompt twice, or counts that cannot be.

    Examples
    --------
    >>> import numpy as np
    >>> float(PassCounts(("a", "b"), np.array([3, 0]), np.array([16, 16])).graded.sum())
    32.0
    """

    prompt: tuple[str, ...]
    correct: Floats
    graded: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", tuple(map(str, self.prompt)))
        for name in ("correct", "graded"):
            counts = np.array(getattr(self, name), dtype=np.float64)
            counts.flags.writeable = False
            object.__setattr__(self, name, counts)
        self._check()

    def _check(self) -> None:
        if not self.prompt:
            raise InputError("no prompts were given; give one row for each, with prompt, correct and graded")
        sizes = (len(self.prompt), self.correct.size, self.graded.size)
        if len(set(sizes)) > 1:
            raise InputError("{} prompts have {} counts of right samples and {} of graded ones".format(*sizes))
        if len(set(self.prompt)) < len(self.prompt):
            twice = next(name for place, name in enumerate(self.prompt) if name in self.prompt[:place])
            raise InputError(f"prompt {twice!r} stands in several rows; add up its counts and give one row")
        whole = np.isfinite(self.correct) & np.isfinite(self.graded)
        whole &= (self.correct == np.floor(self.correct)) & (self.graded == np.floor(self.graded))
        fine = whole & (self.correct >= 0) & (self.correct <= self.graded)
        if not fine.all():
            place = int(np.argmin(fine))
            raise InputError(
                f"prompt {self.prompt[place]!r} has {_written(self.correct[place])} right of "
                f"{_written(self.graded[place])} graded; give whole numbers with 0 <= correct <= graded"
            )


def _written(count: float) -> str:
    return "no number" if np.isnan(count) else f"{count:g}"
