"""Lowest and highest value of the columns of a table, over all its runs: what tells a percent from a fraction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.identity import Coded
from rlscale.sources.tables.roles import Roles

__all__ = ["by_code", "extents"]

Floats = NDArray[np.float64]


def extents(
    columns: Columns, roles: Roles, plain: Sequence[str], split: Coded | None
) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest finite value of each metric, all rows of the table; none where it has none.

    Parameters
    ----------
    columns, roles
        The table.
    plain : sequence of str
        The numeric columns that are metrics, where no column names them.
    split : (array, list of str), optional
        The dataset of each row. A column is in one scale, so ``accuracy@math`` has the extent of ``accuracy``.
    """
    if roles.metric is not None and roles.value is not None:
        codes, texts = columns.labels[roles.metric]
        lows, highs = by_code(columns.numbers[roles.value], codes, len(texts))
        found = {text or "reward": (float(lows[code]), float(highs[code])) for code, text in enumerate(texts)}
    else:
        found = {name: _extent(columns.numbers[name]) for name in plain}
    finite = {key: extent for key, extent in found.items() if extent[0] <= extent[1]}
    datasets = [text for text in split[1] if text] if split is not None else []
    return finite | {f"{key}@{text}": extent for key, extent in finite.items() for text in datasets}


def by_code(values: Floats, codes: NDArray[np.intp], count: int) -> tuple[Floats, Floats]:
    """Return the lowest and the highest finite value of each code; inf and -inf where it has none."""
    finite = np.isfinite(values)
    lows, highs = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lows, codes[finite], values[finite])
    np.maximum.at(highs, codes[finite], values[finite])
    return lows, highs


def _extent(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.inf, -np.inf)
