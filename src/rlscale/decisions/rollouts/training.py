"""Training reward against validation: whether they disagree about the number of rollouts.

At equal compute a run with few rollouts sees more updates and may fit its training prompts better while it generalises
worse, or the other way round; then a choice by training reward is a choice of what overfits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.curves import Run, Series
from rlscale.decisions.rollouts.levels import Levels
from rlscale.inference.forecast import Interval

__all__ = ["OPPOSED", "TrainingContrast", "contrast", "train_series"]

Floats = NDArray[np.float64]

#: The two are called opposed from this probability on.
OPPOSED = 0.9
#: Share of a run before the compared compute whose training rewards make its level, and the fewest of them.
_WINDOW, _FEWEST = 0.2, 3
#: Half of the central 80 % of a normal, in standard deviations.
_HALF = 1.2815515655446004


@dataclass(frozen=True)
class TrainingContrast:
    """Validation and training reward by rollouts per prompt, at one compute.

    Parameters
    ----------
    compute : float
    n : tuple of int
        Those of which both are known.
    validation, training : tuple of Interval
        Rewards, 80 %.
    best_by_validation, best_by_training : int
        The ``n`` of the highest median.
    slope_validation, slope_training : Interval
        Change of the reward for each doubling of ``n``.
    p_opposed : float
        Probability that the two slopes have opposite signs.
    opposed : bool
        From a probability of ``.9`` on: do not choose ``n`` by the training reward.
    """

    compute: float
    n: tuple[int, ...]
    validation: tuple[Interval, ...]
    training: tuple[Interval, ...]
    best_by_validation: int
    best_by_training: int
    slope_validation: Interval
    slope_training: Interval
    p_opposed: float
    opposed: bool


def contrast(levels: Levels, runs: Mapping[int, Sequence[Run]], tau: float) -> TrainingContrast | None:
    """Compare both at the last compute at which all ``n`` with a training reward were evaluated.

    Parameters
    ----------
    levels : Levels
        Of the validation reward.
    runs : mapping of int to sequence of Run
        By rollouts per prompt.
    tau : float
        Run-to-run sd as a share of the range, of the training reward too.

    Returns
    -------
    TrainingContrast or None
        None where fewer than two ``n`` have a training reward beside their validation.
    """
    last = {int(n): end for n, end in zip(levels.n, levels.last, strict=True)}
    logged = [n for n in last if any(train_series(run) is not None for run in runs[n])]
    if len(logged) < 2:
        return None
    at = min(last[n] for n in logged)
    k = int(np.argmin(np.abs(np.log(levels.compute / at))))
    training = {n: level for n in logged if (level := _training_level(runs[n], at, tau * levels.width)) is not None}
    if len(training) < 2:
        return None
    places = [int(np.flatnonzero(levels.n == n)[0]) for n in training]
    draws = levels.reward[places, :, k]  # (m, d)
    doublings = np.log2(np.array(list(training), dtype=np.float64))
    weight = (doublings - doublings.mean()) / np.sum((doublings - doublings.mean()) ** 2)
    validated = weight @ draws
    means, errors = (np.array(values) for values in zip(*training.values(), strict=True))
    slope, error = float(weight @ means), float(np.sqrt(np.sum((weight * errors) ** 2)))
    p_up, q_up = float(np.mean(validated > 0.0)), float(ndtr(slope / max(error, 1e-12)))
    p_opposed = p_up * (1.0 - q_up) + (1.0 - p_up) * q_up
    validation = tuple(Interval(*(float(q) for q in np.quantile(row, (0.1, 0.5, 0.9)))) for row in draws)
    names = tuple(training)
    return TrainingContrast(
        compute=float(levels.compute[k]),
        n=names,
        validation=validation,
        training=tuple(_normal(mean, sd) for mean, sd in training.values()),
        best_by_validation=names[int(np.argmax([row.q50 for row in validation]))],
        best_by_training=names[int(np.argmax(means))],
        slope_validation=Interval(*(float(q) for q in np.quantile(validated, (0.1, 0.5, 0.9)))),
        slope_training=_normal(slope, error),
        p_opposed=p_opposed,
        opposed=p_opposed >= OPPOSED,
    )


def train_series(run: Run) -> Series | None:
    """Return the training reward of a run against compute, in the curve's unit; None where it is not logged beside.

    The trainer's steps become compute in proportion, the run's last step being its last compute.
    """
    metric = run.metrics.get("train_reward")
    series = run.series.get("train_reward") if metric is None else metric.series
    if series is None or (metric is not None and metric.key == run.curve.metric):
        return None
    known = np.isfinite(series.value)
    if not known.any():
        return None
    steps = [each.step[-1] for each in run.series.values() if each.step.size] + [series.step[-1]]
    end = float(max(steps))
    if end <= 0.0:
        return None
    return Series(series.step[known] * (run.curve.compute_last / end), series.value[known])


def _training_level(runs: Sequence[Run], at: float, tau: float) -> tuple[float, float] | None:
    """Return mean and sd of the level of runs of one ``n`` around ``at``."""
    levels, errors = [], []
    for run in runs:
        series = train_series(run)
        if series is None:
            continue
        near = series.value[(series.step <= at) & (series.step > (1.0 - _WINDOW) * at)]
        if near.size < _FEWEST:
            near = series.value[series.step <= at][-_FEWEST:]
        if near.size < _FEWEST:
            continue
        levels.append(float(near.mean()))
        errors.append(float(np.sqrt(near.var(ddof=1) / near.size + tau**2)))
    if not levels:
        return None
    return float(np.mean(levels)), float(np.sqrt(np.sum(np.square(errors)))) / len(levels)


def _normal(mean: float, sd: float) -> Interval:
    return Interval(float(mean - _HALF * sd), float(mean), float(mean + _HALF * sd))
