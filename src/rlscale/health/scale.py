"""Whether a share is logged as a fraction or in per cent: decided from all values of all runs of one column or key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run

__all__ = ["SHARES", "Scale", "of_run", "scale_of", "scales_of"]

Floats = NDArray[np.float64]

#: Canonical quantities that are shares.
SHARES = ("truncation", "zero_variance", "clip_fraction")
#: Keys that say so.
_NAMED = ("percent", "pct", "%")
#: A share with noise of rounding, and what no share comes near.
_SHARE, _PERCENT = 1.0 + 1e-6, 1.5
#: Glitches: so small a share of the values, and fewer rows than this in a row.
_GLITCHES, _TOGETHER = 0.05, 3


@dataclass(frozen=True)
class Scale:
    """How a share is written.

    Parameters
    ----------
    kind : str
        ``fraction``, ``percent``, or ``unclear``.
    why : str
        Where it is unclear: what speaks against both.
    """

    kind: Literal["fraction", "percent", "unclear"]
    why: str = ""

    @property
    def top(self) -> float:
        """What a share of all is written as."""
        return 100.0 if self.kind == "percent" else 1.0


def scale_of(key: str, columns: Sequence[Floats]) -> Scale:
    """Return the scale of a share.

    In per cent where values are consistently over 1.5 (more than one in twenty, or three rows in a row); a fraction
    where no more than glitches are over 1.

    Parameters
    ----------
    key : str
        The log's own; ``1 - x`` is a fraction whatever ``x`` is called.
    columns : sequence of array, shape (n,)
        The finite values of each run that logs it in one place.

    Examples
    --------
    >>> import numpy as np
    >>> clean, glitch = np.full(40, 0.12), np.array([1.3])
    >>> scale_of("truncation", [np.r_[clean, glitch]]).kind, scale_of("truncation", [100 * clean]).kind
    ('fraction', 'percent')
    """
    values = np.concatenate([*columns, np.empty(0)])
    few = max(1, int(_GLITCHES * values.size))
    over = {level: int((values > level).sum()) for level in (_SHARE, _PERCENT)}
    rows = {level: max((_in_a_row(each > level) for each in columns), default=0) for level in over}
    if over[_PERCENT] > few or rows[_PERCENT] >= _TOGETHER:
        return Scale("percent")
    named = not key.startswith("1 - ") and any(word in key.lower() for word in _NAMED)
    if named and over[_SHARE]:
        return Scale("percent")
    if named and values.size and values.max() > 0:
        return Scale("unclear", f"{key} is named per cent, and its values are at most {values.max():g}")
    if over[_SHARE] <= few and rows[_SHARE] < _TOGETHER:
        return Scale("fraction")
    why = f"{over[_SHARE]} of {values.size} values of {key} are over 1, and not consistently over {_PERCENT:g}"
    return Scale("unclear", why)


def scales_of(runs: Iterable[Run]) -> Mapping[tuple[str, str], Scale]:
    """Return the scale of every share, by the path that it was read from and its key.

    A run within [0, 1] beside others, read from elsewhere, that log the same key in per cent is unclear.
    """
    columns: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    for run in runs:
        path = "" if run.source is None else run.source.path
        for name in SHARES:
            metric = run.metrics.get(name)
            if metric is not None:
                value = metric.series.value
                columns[path, metric.key].append(value[np.isfinite(value)])
    scales = {where: scale_of(where[1], values) for where, values in columns.items()}
    percent = {key: path for (path, key), scale in scales.items() if scale.kind == "percent"}
    for (path, key), scale in scales.items():
        positive = any(bool((value > 0).any()) for value in columns[path, key])
        if scale.kind == "fraction" and key in percent and positive:
            why = f"{key} is at most 1 here and in per cent in {percent[key]}"
            scales[path, key] = Scale("unclear", why)
    return scales


def of_run(run: Run, scales: Mapping[tuple[str, str], Scale]) -> dict[tuple[str, str], Scale]:
    """Return those of the scales of many runs (:func:`scales_of`) that are of the shares of one."""
    path = "" if run.source is None else run.source.path
    keys = [(path, run.metrics[name].key) for name in SHARES if name in run.metrics]
    return {key: scales[key] for key in keys if key in scales}


def _in_a_row(flags: NDArray[np.bool_]) -> int:
    """Return the longest stretch of true rows."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
