"""The shapes among the draws of a posterior: thousands of draws lie in a few hundred cells of the grid, and share them.

A rise is the costly part of a reward, so that of each shape is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.backend import backend
from rlscale.inference.draws import Draws
from rlscale.inference.families import Family

__all__ = ["Shapes", "shapes_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shapes:
    """The distinct shapes of draws, in their order.

    Parameters
    ----------
    m, b : array, shape (s,)
        ``ln(C_mid / C_last)`` and ``B``.
    place : integer array, shape (d,)
        The shape of each draw.
    ends : tuple of int
        Where the shapes of each family end.
    """

    m: Floats
    b: Floats
    place: NDArray[np.intp]
    ends: tuple[int, ...]

    def rises(self, families: Sequence[Family], ahead: Floats) -> Floats:
        """Share of the gain at log computes ``ahead`` of the last, shape (k,), none infinite: (k, s)."""
        return backend().shares(families, self.ends, ahead, self.m, self.b)


def shapes_of(draws: Draws) -> Shapes:
    """Return the shapes of draws: neighbours in one cell share theirs."""
    first = np.ones(draws.column.size, dtype=bool)
    first[1:] = (draws.column[1:] != draws.column[:-1]) | (draws.row[1:] != draws.row[:-1])
    counted = np.cumsum(first)
    ends = tuple(int(counted[end - 1]) if end else 0 for end in draws.ends)
    middle, _, low, height = draws.columns.take(draws.column[first], axis=1)
    return Shapes(middle, np.exp(low + height * (draws.row[first] + 0.5)), counted - 1, ends)
