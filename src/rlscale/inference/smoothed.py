"""Smoothed values: a running mean logged in place of the evaluations, or a mean of all of them from the start.

A running mean over ``W`` evaluations moves by ``(x_t - x_{t-W}) / W``: what comes in now goes out ``W`` evaluations
later, so its differences are anticorrelated at lag ``W`` (-1/2), and hardly at lag 1. Evaluations with their own noise
are the other way round: -1/2 at lag 1 for independent noise, ``-(1 - rho) / 2`` for AR(1). A mean from the start moves
by ``(x_t - y_{t-1}) / t``: its jitter dies as ``1 / t``, and it lags behind what is averaged to the end. What is found
and what is flagged by mistake are measured by ``benchmarks/smoothing.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rlscale.curves import Curve

__all__ = ["WINDOWS_NEEDED", "Smoothing", "smoothing"]

Floats = NDArray[np.float64]

#: An answer may be ``resolved`` from so many windows on.
WINDOWS_NEEDED = 3
#: The shortest window looked for, also as a share of the evaluations, and the fewest pairs of differences that a window
#: is judged by.
SHORTEST, SHORTEST_SHARE, PAIRS = 5, 0.01, 20
#: Probability that a clean curve shows any window, whatever the number of windows tried.
ALARM = 0.005
#: A correlation at some lag beyond so many times that alarm is of something that repeats: a running mean scatters the
#: others by sqrt(1.5) at most.
REPEATS = 1.25
#: Trend and local size of the differences are their means over so many; they are clipped at so many times that size.
NEIGHBOURS, CLIP = 31, 3.0
#: What taking out that trend leaves of the correlation of independent differences at lags 0 to 30.
DETRENDED = (np.arange(NEIGHBOURS, 0, -1) / NEIGHBOURS - 2.0 * (np.arange(NEIGHBOURS) <= NEIGHBOURS // 2)) / (
    NEIGHBOURS - 1.0
)
#: Lag-1 correlation of the differences: noise correlation .5 is -.25; above the other it is a trend, not jitter.
LEAST, MOST = -0.25, 0.8
#: The same without taking the trend out, which only raises it: most curves end there.
SCREEN = -0.3
#: A stretch that moves by less than this share of the liveliest is flat.
FLAT = 0.01
#: At least this share of the values differ from the one before: those of a curve that sits at a bound tell nothing.
MOVING = 0.15
#: Longer curves are looked at in every second, third, ... value.
LOOKED = 2048
#: A mean from the start: fewest evaluations; jitter at the end over that of the start at most; the same times the
#: number of evaluations within these; log likelihood above that of jitter that stays, or dies as 1 / sqrt(t), by this.
FIRST, DYING, STEADY, AHEAD = 50, 0.25, (0.5, 2.0), 3.0
#: ... and what is averaged lies above its mean by this share of the range of the values, at the end of the run.
LAG = 0.15


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """How the values of a curve look smoothed.

    Parameters
    ----------
    window : int
        Evaluations averaged; all of them for a mean from the start.
    from_start : bool
        Whether it is a mean of all evaluations so far, not a running one.
    correlation : float
        Estimated correlation of the noise of neighbouring values, ``1 + 2 r_1`` with ``r_1`` the lag-1 correlation of
        the differences, at most 1.
    z : float, optional
        Of the correlation at the window's lag, in standard errors; None for a mean from the start.
    """

    window: int
    from_start: bool
    correlation: float
    z: float | None = None

    @property
    def needed(self) -> int | None:
        """Evaluations from which on an answer may be ``resolved``; None where never."""
        return None if self.from_start else WINDOWS_NEEDED * self.window

    def hides(self, evaluations: int) -> bool:
        """Whether so many evaluations are too few to be sure of an answer: under three windows."""
        return self.needed is None or evaluations < self.needed

    @property
    def name(self) -> str:
        """What it looks like, in words."""
        if self.from_start:
            return "a mean of all evaluations from the start"
        return f"a running mean over about {self.window} evaluations"

    @property
    def warning(self) -> str:
        """The same with the evidence and what to do, in a sentence."""
        seen = "the jitter dies away as 1/n" if self.z is None else f"z {self.z:.1f}"
        return (
            f"the values look smoothed: {self.name} ({seen}, noise correlation {self.correlation:.1f}); "
            "log the raw values"
        )


def smoothing(curve: Curve) -> Smoothing | None:
    """Tell whether the values of a curve look smoothed; the evaluations are taken as equally spaced.

    Differences less their mean over 31 neighbours, divided by the mean of their absolute value over 31 and clipped at
    3, are whitened by their lag-1 correlation. With ``c_W`` their covariance at lag ``W``, from 5 (n / 100 if that is
    more) to n - 21, ``z_W = -c_W / sd(c_W)``, also of two neighbouring lags together, for a window that is no whole
    number of evaluations. The largest ``z`` at a false alarm of .5 % over all windows together with a noise correlation
    of at least .5 is a running mean. For a mean from the start see the constants of this module.

    Parameters
    ----------
    curve : Curve
        Its rewards only: scale, offset and bounds do not matter.

    Returns
    -------
    Smoothing or None
        None where the values look like evaluations, or there are too few to tell (under 26).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=199)
    >>> curve = Curve(compute=np.arange(180.0), reward=np.convolve(noise, np.full(20, 0.02), mode="valid") + 0.5)
    >>> smoothing(curve).name
    'a running mean over about 20 evaluations'
    """
    stride = -(-curve.n_points // LOOKED)
    values = curve.reward[::stride]
    if values.size <= SHORTEST + PAIRS:
        return None
    steps = values[1:] - values[:-1]
    if np.count_nonzero(steps) <= MOVING * steps.size:
        return None
    return _from_start(values, steps, curve.n_points) or _running(steps, stride)


def _running(steps: Floats, stride: int) -> Smoothing | None:
    """Find a running mean by the differences of its values, shape (m,)."""
    if steps[1:] @ steps[:-1] < SCREEN * (steps @ steps):
        return None
    steps = steps - _means(steps)
    sizes = _means(np.abs(steps))
    largest = float(sizes.max())
    if float(sizes.min()) <= FLAT * largest:
        return None
    steps = np.clip(steps / sizes, -CLIP, CLIP)
    first = float(steps[1:] @ steps[:-1] / (steps @ steps))
    if not LEAST <= first <= MOST:
        return None
    steps[1:] -= first * steps[:-1]  # the right side is computed before it is stored
    count = steps.size
    spectrum = np.fft.rfft(steps, 1 << (2 * count - 1).bit_length())
    shortest = max(SHORTEST, round(SHORTEST_SHARE * count))
    lags = np.arange(shortest, count + 1 - PAIRS)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[shortest : count + 1 - PAIRS]
    powers = np.cumsum(steps * steps)
    early, late = powers[count - 1 - lags], powers[-1] - powers[lags - 1]
    roots = np.sqrt(count - lags)
    scores = -products * roots / np.sqrt(early * late)
    near = roots[: max(NEIGHBOURS - shortest, 0)]
    scores[: near.size] += near * DETRENDED[shortest : shortest + near.size]
    both = (scores[1:] + scores[:-1]) / np.sqrt(2.0)
    at, between = int(scores.argmax()), int(both.argmax()) if both.size else 0
    whole = not both.size or scores[at] >= both[between]
    z = float(scores[at] if whole else both[between])
    limit = -ndtri(ALARM / (scores.size + both.size))
    against = -min(float(scores.min()), float(both.min(initial=np.inf)))
    if z < limit or against >= min(z, max(REPEATS * limit, 0.5 * z)):
        return None  # what repeats is anticorrelated at some lags, and correlated at others
    window = stride * (shortest + (at if whole else between + 0.5))
    return Smoothing(window=round(window), from_start=False, correlation=_correlation(first), z=z)


def _from_start(values: Floats, steps: Floats, evaluations: int) -> Smoothing | None:
    """Find a mean from the start by values of shape (n,) and their differences."""
    if values.size < FIRST:
        return None
    number = np.arange(2.0, values.size + 1.0)
    above = number * steps  # what is averaged, less its mean so far
    if above[1:] @ above[:-1] < SCREEN * (above @ above):
        return None
    bends = np.abs(steps[1:-1] - 0.5 * (steps[:-2] + steps[2:]))  # jitter that no smooth trend leaves
    grown, quarter = bends * number[1:-1], bends.size // 4
    start, end = float(grown[:quarter].sum()), float(grown[-quarter:].sum())
    if not STEADY[0] * start < end < STEADY[1] * start:
        return None  # nearly every curve: its jitter does not die
    if np.square(bends[-quarter:]).sum() >= DYING**2 * np.square(bends[:quarter]).sum():
        return None
    jitter = above - _means(above)
    first = float(jitter[1:] @ jitter[:-1] / (jitter @ jitter))
    if not LEAST <= first <= MOST:
        return None
    level = _means(values, 11)
    if above[-quarter:].mean() < LAG * (level.max() - level.min()):
        return None
    logs = np.log(number[1:-1])
    dying, root, constant, faster = (
        power * logs.sum() - bends.size * np.log(np.mean(bends * np.exp(power * logs)))
        for power in (1.0, 0.5, 0.0, 1.5)
    )
    if dying < max(root + AHEAD, constant + AHEAD, faster):
        return None
    return Smoothing(window=evaluations, from_start=True, correlation=_correlation(first))


def _means(values: Floats, count: int = NEIGHBOURS) -> Floats:
    """Means of the ``count`` neighbours of each value, an odd number, mirrored at the ends; shape (n,) to (n,)."""
    half = count // 2
    sums = np.concatenate([[0.0], values[half:0:-1], values, values[-2 : -half - 2 : -1]]).cumsum()
    return np.asarray((sums[count:] - sums[:-count]) / count)


def _correlation(first: float) -> float:
    return min(1.0, 1.0 + 2.0 * first)
