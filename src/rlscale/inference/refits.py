"""Fits that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from rlscale.curves import Run
from rlscale.inference.fit import Fit, FitOptions, fit

__all__ = ["Refits"]


class Refits(Sequence[Fit]):
    """The fits of many runs, each made when it is asked for, and kept: for who shows a few of them.

    Parameters
    ----------
    runs : sequence of Run
    targets, options
        As for :func:`fit`.
    """

    def __init__(
        self, runs: Sequence[Run], targets: Sequence[float] | float = (), options: FitOptions | None = None
    ) -> None:
        self._runs, self._targets, self._options = runs, targets, options
        self._made: dict[int, Fit] = {}

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Fit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fit]: ...
    def __getitem__(self, index: int | slice) -> Fit | Sequence[Fit]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place not in self._made:
            self._made[place] = fit(self._runs[place], self._targets, self._options)
        return self._made[place]
