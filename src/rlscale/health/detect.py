"""Robust detection along a series: trailing medians, Theil-Sen trends, change points, spans of a condition.

All of it looks back only: what stands at row ``i`` is known once row ``i`` is logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Span",
    "change_points",
    "expanding_jitter",
    "half_level",
    "jitter",
    "long_run_sd",
    "spans",
    "start_level",
    "theil_sen",
    "trailing_median",
    "trailing_trend",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Turns a median absolute deviation of normal noise into its standard deviation.
_MAD = 1.4826


@dataclass(frozen=True)
class Span:
    """Rows of a fault: its first row, the row at which it was sure, and the first of the recovery (None: it lasts)."""

    start: int
    raised: int
    end: int | None


def spans(condition: Flags, *, persist: int, clear: int | None = None, calm: Flags | None = None) -> tuple[Span, ...]:
    """Return the stretches of a condition.

    Parameters
    ----------
    condition : array of bool, shape (n,)
    persist : int
        Rows in a row that must satisfy it before it counts.
    clear : int, optional
        Rows in a row that must not, before it is over; twice ``persist`` by default.
    calm : array of bool, shape (n,), optional
        Rows that count for the recovery, where that is more than not to satisfy the condition.

    Examples
    --------
    >>> import numpy as np
    >>> spans(np.array([0, 1, 1, 1, 0, 0, 0, 0], dtype=bool), persist=2)
    (Span(start=1, raised=2, end=4),)
    """
    clear = 2 * persist if clear is None else clear
    stretches: list[Span] = []
    start = raised = None
    ill = rest = 0
    quiet = ~condition if calm is None else calm & ~condition
    for place, (true, over) in enumerate(zip(condition.tolist(), quiet.tolist(), strict=True)):
        ill, rest = ill + 1 if true else 0, rest + 1 if over else 0
        if raised is None and ill >= persist:
            start, raised = place - ill + 1, place
        elif raised is not None and start is not None and rest >= clear:
            stretches.append(Span(start, raised, place - rest + 1))
            start = raised = None
    if start is not None and raised is not None:
        stretches.append(Span(start, raised, None))
    return tuple(stretches)


def trailing_median(value: Floats, width: int) -> Floats:
    """Return the median of the last ``width`` values at each row, shape (n,); of fewer at the beginning.

    Examples
    --------
    >>> import numpy as np
    >>> trailing_median(np.array([1.0, 9.0, 2.0, 3.0]), 3).tolist()
    [1.0, 5.0, 2.0, 3.0]
    """
    if width <= 1 or value.size == 0:
        return value.astype(np.float64)
    few = value[: width - 1]
    if np.isnan(few).any():
        head = np.array([np.median(few[: k + 1]) for k in range(few.size)])
    else:  # a numpy call for a handful of values takes longer than the work
        known = few.tolist()
        head = np.array([median(known[: k + 1]) for k in range(few.size)])
    if value.size < width:
        return head
    windows = np.lib.stride_tricks.sliding_window_view(value, width)
    if width % 2 == 0 or np.isnan(value).any():
        return np.concatenate([head, np.median(windows, axis=1)])
    middle = width // 2  # the same numbers in a third of the time
    return np.concatenate([head, np.partition(windows, middle, axis=1)[:, middle]])


def half_level(value: Floats, width: int = 5) -> Floats:
    """Return the median of the rows around half of those so far, at each row, shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> half_level(np.arange(12.0)).tolist()[-1]
    5.0
    """
    rows = np.arange(value.size)
    return trailing_median(value, width)[np.minimum(rows // 2 + width // 2, rows)]


def start_level(value: Floats, rows: int = 5) -> float:
    """Return the median of the first rows: what a run is compared with."""
    return float(np.median(value[:rows]))


def theil_sen(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Return the median slope between pairs of points and its 90 % interval (Sen 1968).

    Parameters
    ----------
    x, y : array, shape (n,)
        At least two rows, ``x`` increasing.

    Returns
    -------
    slope, low, high : float
        In units of ``y`` per unit of ``x``; 29 % of the rows may be arbitrary before the slope is.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(20.0)
    >>> y = 2 * x
    >>> y[3] = 1e9
    >>> theil_sen(x, y)[0]
    2.0
    """
    i, j = np.triu_indices(x.size, k=1)
    slopes = np.sort((y[j] - y[i]) / (x[j] - x[i]))
    n = x.size
    half = 1.645 * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = int(np.clip(np.floor((slopes.size - half) / 2), 0, slopes.size - 1))
    high = int(np.clip(np.ceil((slopes.size + half) / 2), 0, slopes.size - 1))
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def trailing_trend(x: Floats, y: Floats, width: int) -> tuple[Floats, Floats, Floats]:
    """Return :func:`theil_sen` of the last ``width`` rows at each row, shape (n,) each.

    NaN before there are so many.
    """
    slope, low, high = (np.full(y.size, np.nan) for _ in range(3))
    if y.size < width or width < 3:
        return slope, low, high
    i, j = np.triu_indices(width, k=1)
    xs = np.lib.stride_tricks.sliding_window_view(x, width)
    ys = np.lib.stride_tricks.sliding_window_view(y, width)
    slopes = np.sort((ys[:, j] - ys[:, i]) / (xs[:, j] - xs[:, i]), axis=1)
    half = 1.645 * np.sqrt(width * (width - 1) * (2 * width + 5) / 18)
    count = i.size
    first = int(np.clip(np.floor((count - half) / 2), 0, count - 1))
    last = int(np.clip(np.ceil((count + half) / 2), 0, count - 1))
    slope[width - 1 :] = np.median(slopes, axis=1)
    low[width - 1 :] = slopes[:, first]
    high[width - 1 :] = slopes[:, last]
    return slope, low, high


def jitter(value: Floats) -> float:
    """Return the standard deviation of the noise around a level that may drift: from first differences, robustly."""
    if value.size < 3:
        return 0.0
    steps = np.diff(value)
    return float(_MAD * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def expanding_jitter(value: Floats) -> Floats:
    """Return the noise known at each row, from the first differences up to it; renewed every eighth row."""
    turns = np.abs(np.diff(value))
    noise = np.zeros(value.size)
    for place in range(0, value.size, 8):
        known = turns[: max(place, min(4, turns.size))]
        noise[place : place + 8] = _MAD * np.median(known) / np.sqrt(2) if known.size else 0.0
    return noise


def long_run_sd(value: Floats) -> float:
    """Return the standard deviation that sums of correlated noise have, per row: from differences, robustly.

    With ``v_k`` the variance of differences ``k`` rows apart, AR(1) noise has ``v_2 / v_1 = 1 + rho`` and a long-run
    variance of ``v_1 (1 + rho) / (2 (1 - rho)^2)``; a shift of the level moves few differences.

    Examples
    --------
    >>> import numpy as np
    >>> white = np.random.default_rng(0).normal(size=2000)
    >>> 0.9 < long_run_sd(white) < 1.2
    True
    """
    if value.size < 6:
        return jitter(value)
    near, far = (float(np.median(np.abs(value[k:] - value[:-k]))) for k in (1, 2))
    rho = float(np.clip((far / near) ** 2 - 1.0, 0.0, 0.9)) if near > 0 else 0.0
    return float(_MAD * near / np.sqrt(2) * np.sqrt(1.0 + rho) / (1.0 - rho))


def change_points(value: Floats, *, penalty: float = 3.0, shortest: int = 4) -> tuple[int, ...]:
    """Return the rows at which the level changes, by penalised likelihood (optimal partitioning, Jackson 2005).

    Minimises ``sum (x - mean of its segment)^2 / sd^2 + penalty log n`` a change, with ``sd`` from
    :func:`long_run_sd`, so that correlated noise is no change.

    Parameters
    ----------
    value : array, shape (n,)
        Of more than 400 values every k-th is looked at.
    penalty : float
        3 is that of Yao (1988) with some margin.
    shortest : int
        Fewest rows of a segment.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.r_[np.zeros(20), np.ones(20)] + 0.1 * np.sin(7.0 * np.arange(40))
    >>> change_points(x)
    (20,)
    """
    every = -(-value.size // 400)
    x = value[::every]
    n = x.size
    sd = max(long_run_sd(x), 1e-9 * max(float(np.ptp(x)) if n else 0.0, 1e-12))
    if n < 2 * shortest:
        return ()
    z = (x - np.median(x)) / sd
    total, squares = np.r_[0.0, np.cumsum(z)], np.r_[0.0, np.cumsum(z * z)]
    cost, last = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    cost[0] = 0.0
    price = penalty * np.log(n)
    for end in range(shortest, n + 1):
        begin = np.r_[0, np.arange(shortest, end - shortest + 1)]
        length = end - begin
        fit = squares[end] - squares[begin] - (total[end] - total[begin]) ** 2 / length
        whole = cost[begin] + fit + np.where(begin > 0, price, 0.0)
        best = int(np.argmin(whole))
        cost[end], last[end] = whole[best], begin[best]
    points: list[int] = []
    end = n
    while last[end] > 0:
        end = int(last[end])
        points.append(end * every)
    return tuple(reversed(points))
