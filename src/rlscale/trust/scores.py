"""Scores of forecasts against what came true: errors, ranks, probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

from rlscale.inference.crps import crps

__all__ = [
    "Difference",
    "binomial_interval",
    "crps",
    "kendall_tau",
    "mean_difference",
    "pairwise_accuracy",
    "top1_regret",
]

Floats = NDArray[np.float64]

#: Fewer runs than this cannot tell two methods apart: no sign test of them reaches 95 %.
FEW = 6


def kendall_tau(forecast: Floats, truth: Floats) -> float | None:
    """Rank correlation of forecasts and truths, arrays of shape (n,): Kendall's tau-b; None where either is constant.

    ``tau_b = (P - Q) / sqrt((P + Q + T_f) (P + Q + T_t))`` with ``P`` pairs in the same order, ``Q`` in the opposite
    one, ``T_f`` tied only in the forecast and ``T_t`` only in the truth. Kendall, "The treatment of ties in ranking
    problems", 1945.
    """
    same, opposite, tied_forecast, tied_truth = _pairs(forecast, truth)
    ordered = same + opposite
    scale = float(ordered + tied_forecast) * float(ordered + tied_truth)
    return (same - opposite) / scale**0.5 if scale else None


def pairwise_accuracy(forecast: Floats, truth: Floats) -> float | None:
    """Share of the pairs with different truths, arrays of shape (n,), that the forecasts order rightly.

    A tie in the forecast counts half. None where no two truths differ.
    """
    same, opposite, tied_forecast, _ = _pairs(forecast, truth)
    told = same + opposite + tied_forecast
    return (same + 0.5 * tied_forecast) / told if told else None


def top1_regret(forecast: Floats, truth: Floats) -> float | None:
    """Return the best truth less the truth of the run with the highest forecast, the mean of several; None for one run.

    Arrays of shape (n,), in reward.
    """
    if truth.size < 2:
        return None
    return float(truth.max() - truth[forecast == forecast.max()].mean())


def _pairs(forecast: Floats, truth: Floats) -> tuple[int, int, int, int]:
    """Count pairs in the same and in the opposite order, tied only in the forecast, tied only in the truth."""
    same = opposite = tied_forecast = tied_truth = 0
    for k in range(truth.size - 1):  # a row at a time: all pairs at once would fill the memory
        f, t = np.sign(forecast[k + 1 :] - forecast[k]), np.sign(truth[k + 1 :] - truth[k])
        product = f * t
        same += int(np.count_nonzero(product > 0))
        opposite += int(np.count_nonzero(product < 0))
        tied_forecast += int(np.count_nonzero((f == 0) & (t != 0)))
        tied_truth += int(np.count_nonzero((t == 0) & (f != 0)))
    return same, opposite, tied_forecast, tied_truth


@dataclass(frozen=True)
class Difference:
    """A mean over runs with its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_difference(theirs: Floats, ours: Floats) -> Difference | None:
    """Return the mean of ``theirs - ours`` over the same runs, arrays of shape (n,); None for fewer than :data:`FEW`.

    The interval is Student's: ``mean ± t_(.975, n - 1) s / sqrt(n)``. It takes the runs as independent.
    """
    if ours.size < FEW:
        return None
    apart = theirs - ours
    half = float(stdtrit(apart.size - 1, 0.975) * apart.std(ddof=1) / np.sqrt(apart.size))
    middle = float(apart.mean())
    return Difference(middle, middle - half, middle + half)


def binomial_interval(hits: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a probability of which ``hits`` of ``count`` trials came true (Clopper and Pearson, 1934: exact).

    (0, 1) without a trial.
    """
    tail = 0.5 * (1.0 - level)
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1.0 - tail)) if hits < count else 1.0
    return low, high
