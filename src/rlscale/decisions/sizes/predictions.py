"""What the law predicts: sizes without data, sizes from their first part, and runs from theirs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.sizes.answer import PredictionKind, SizePrediction, Widening
from rlscale.decisions.sizes.grouping import SizedRuns, last_level
from rlscale.decisions.sizes.verdicts import on_prediction
from rlscale.inference import Interval
from rlscale.inference.size_law import SizePosterior, new_size, size_posterior, summary

__all__ = ["FIRST_PART", "posterior_of", "predictions", "steps_away", "widening"]

Floats = NDArray[np.float64]

#: The first part of a run, as a share of its compute: the paper used 25 of 105 evaluations.
FIRST_PART = 0.25


def posterior_of(sized: SizedRuns) -> SizePosterior:
    """Return the posterior of the law for grouped runs."""
    return size_posterior(sized.traces, sized.members, sized.model_params, sized.r_max)


def predictions(
    sized: SizedRuns, posterior: SizePosterior, predict: Sequence[float], computes: Sequence[float], tolerance: float
) -> tuple[SizePrediction, ...]:
    """Predict sizes that were asked for, and the end of every run from its first part.

    Parameters
    ----------
    sized : SizedRuns
    posterior : SizePosterior
        Of all of them.
    predict : sequence of float
        Sizes. One with data is predicted as if it had none, and from the first part of its runs.
    computes : sequence of float
        Where sizes without data are predicted; those with data, where their runs end too.
    tolerance : float
        Half-width of an acceptable answer, as a share of the range.
    """
    predicted: list[SizePrediction] = []
    for size in predict:
        if size not in sized.model_params:
            predicted += [_unseen(sized, posterior, size, compute, None, tolerance) for compute in computes]
            continue
        predicted += _held_out(sized, size, computes, tolerance)
    return (*predicted, *_within(sized, tolerance))


def _unseen(
    sized: SizedRuns, posterior: SizePosterior, size: float, compute: float, observed: float | None, tolerance: float
) -> SizePrediction:
    new = new_size(posterior, size)
    reward = summary(posterior.reward(new.k, new.level, compute)[:, 0])
    away = steps_away(posterior.model_params, size)
    verdict = on_prediction(reward, sized, posterior, tolerance, away, PredictionKind.UNSEEN)
    return SizePrediction(
        model_params=size, compute=compute, reward=reward, kind=PredictionKind.UNSEEN, verdict=verdict,
        observed=observed, sizes_away=away,
    )  # fmt: skip


def _held_out(sized: SizedRuns, size: float, computes: Sequence[float], tolerance: float) -> list[SizePrediction]:
    """Predict a size that has runs without them, and with the first part of them."""
    predicted: list[SizePrediction] = []
    observed, end = _observed(sized, size)
    wanted = list(dict.fromkeys((end, *computes)))
    others = sized.without(size)
    if len(others.model_params) >= 2:
        posterior = posterior_of(others)
        predicted += [
            _unseen(others, posterior, size, compute, observed if compute == end else None, tolerance)
            for compute in wanted
        ]
    begun = sized.cut(FIRST_PART, size)
    if size in begun.model_params and len(begun.model_params) >= 2:
        posterior = posterior_of(begun)
        for compute in wanted:
            reward = _of_runs(posterior, size, compute)
            verdict = on_prediction(reward, begun, posterior, tolerance, 0.0, PredictionKind.REFITTED)
            predicted.append(
                SizePrediction(
                    model_params=size,
                    compute=compute,
                    reward=reward,
                    kind=PredictionKind.REFITTED,
                    verdict=verdict,
                    observed=observed if compute == end else None,
                )
            )
    return predicted


def _within(sized: SizedRuns, tolerance: float) -> list[SizePrediction]:
    """Predict where the runs of each size end from the first part of all."""
    begun = sized.cut(FIRST_PART)
    if len(begun.model_params) < 2:
        return []
    posterior, predicted = posterior_of(begun), []
    for size in begun.model_params:
        observed, end = _observed(sized, size)
        reward = _of_runs(posterior, size, end)
        verdict = on_prediction(reward, begun, posterior, tolerance, 0.0, PredictionKind.WITHIN_RUN)
        predicted.append(
            SizePrediction(
                model_params=size,
                compute=end,
                reward=reward,
                kind=PredictionKind.WITHIN_RUN,
                verdict=verdict,
                observed=observed,
            )
        )
    return predicted


def _of_runs(posterior: SizePosterior, size: float, compute: float) -> Interval:
    k, level = posterior.run_lines(posterior.members[posterior.place(size)])
    return summary(posterior.reward(k, level, compute)[:, 0])


def _observed(sized: SizedRuns, size: float) -> tuple[float, float]:
    """Return the mean last level of the runs of a size, and the mean compute of the evaluations it is of."""
    levels = [last_level(sized.runs[place].curve) for place in sized.of(size)]
    return float(np.mean([level for level, _ in levels])), float(np.mean([at.mean() for _, at in levels]))


def steps_away(model_params: Sequence[float], size: float) -> float:
    """Return how far a size lies from the nearest with data, in mean steps between neighbouring sizes."""
    at = np.log(np.array(model_params))
    step = (at[-1] - at[0]) / (at.size - 1)
    return float(np.min(np.abs(at - np.log(size))) / step)


def widening(posterior: SizePosterior) -> tuple[Widening, ...]:
    """Return how the error of the level grows one, two and three steps beyond the largest size."""
    sizes = posterior.model_params
    step = (sizes[-1] / sizes[0]) ** (1.0 / (len(sizes) - 1))
    steps = []
    for away in (1, 2, 3):
        new = new_size(posterior, sizes[-1] * step**away)
        around = summary(new.level - new.k * (posterior.reference - posterior.lines.centre))
        steps.append(Widening(away, new.model_params, around.width / 2.5631))
    return tuple(steps)
