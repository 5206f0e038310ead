"""Cells of a table that are not finite: which of them a trainer logged so, and which are merely empty."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.text import plural

__all__ = ["WRITTEN_NAN", "filled", "lost_cells", "lost_of"]

Floats = NDArray[np.float64]

#: A NaN that stands in a cell as such; an empty cell is a NaN too, and the sign bit tells them apart.
WRITTEN_NAN = float(np.copysign(np.nan, -1.0))


def lost_of(
    metrics: Mapping[str, tuple[str, NDArray[np.intp]]], place: Floats, numbers: Mapping[str, Floats], *, stated: bool
) -> dict[str, Series]:
    """Return :func:`lost_cells` of each metric, (column, rows) by its name; those without any are left out."""
    cells = {}
    for metric, (column, rows) in metrics.items():
        lost = lost_cells(place[rows], numbers[column][rows], stated=stated)
        if lost is not None:
            cells[metric] = lost
    return cells


def lost_cells(place: Floats, value: Floats, *, stated: bool) -> Series | None:
    """Return the rows whose value was logged and is not finite, as 1 at their place; None where there are none.

    An empty cell means that nothing was logged: where columns stand side by side infinity counts, and a NaN that is
    written out (:data:`WRITTEN_NAN`).

    Parameters
    ----------
    place, value : array, shape (n,)
        Compute and value of each row.
    stated : bool
        Whether each row is of this quantity alone, as in a long table: then an empty value was logged so.

    Examples
    --------
    >>> import numpy as np
    >>> loss = np.array([0.3, 0.2, np.inf, 0.1, np.nan, np.nan])
    >>> [lost_cells(np.arange(6.0), loss, stated=stated).step.tolist() for stated in (True, False)]
    [[2.0, 4.0, 5.0], [2.0]]
    """
    placed = np.isfinite(place)
    finite = np.isfinite(value)
    if bool(finite.all()):
        return None
    lost = ~finite if stated else np.isinf(value) | (np.isnan(value) & np.signbit(value))
    at = np.unique(place[lost & placed])
    return Series(at, np.ones(at.size)) if at.size else None


def filled(
    column: str, numbers: Floats, rows: NDArray[np.intp], *, stated: bool
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Return the rows on which a column holds something, and what is said of the others: nothing was evaluated there.

    All rows where none does, and where each row is of this quantity alone (``stated``).
    """
    value = numbers[rows]
    blank = np.isnan(value) & ~np.signbit(value)
    if stated or not blank.any() or blank.all():
        return rows, ()
    return rows[~blank], (f"{plural(int(blank.sum()), 'row')} without {column!r}: no evaluation there",)
