"""What the law predicts: sizes without data, sizes from their first part, and runs from theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.sizes.answer import FormName, PredictionKind, SizePrediction, Widening
from rlscale.decisions.sizes.grouping import SizedRuns, last_level
from rlscale.decisions.sizes.trusted import missed
from rlscale.decisions.sizes.verdicts import Basis, Limits, on_prediction
from rlscale.inference.size_law import SizePosterior, new_size, reward_draws, s_shaped, size_posterior, summary

__all__ = ["FIRST_PART", "posterior_of", "predictions", "steps_away", "widening"]

Floats = NDArray[np.float64]

#: The first part of a run, as a share of its compute: the paper used 25 of 105 evaluations.
FIRST_PART = 0.25


def posterior_of(sized: SizedRuns) -> SizePosterior:
    """Return the posterior of the law for grouped runs."""
    return size_posterior(sized.traces, sized.members, sized.model_params, sized.r_max)


def predictions(
    sized: SizedRuns, posterior: SizePosterior, predict: Sequence[float], computes: Sequence[float], limits: Limits
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
    limits : Limits
        What a prediction may be acted on by.
    """
    predicted: list[SizePrediction] = []
    for size in predict:
        if size in sized.model_params:
            predicted += _held_out(sized, size, computes, limits)
        else:
            basis = _basis(PredictionKind.UNSEEN, sized, posterior, limits)
            predicted += [_prediction(basis, size, compute, None) for compute in computes]
    return (*predicted, *_within(sized, limits))


def _held_out(sized: SizedRuns, size: float, computes: Sequence[float], limits: Limits) -> list[SizePrediction]:
    """Predict a size that has runs without them, and with the first part of them."""
    observed, end = _observed(sized, size)
    at = {compute: observed if compute == end else None for compute in (end, *computes)}
    predicted: list[SizePrediction] = []
    for kind, shown in (
        (PredictionKind.UNSEEN, sized.without(size)),
        (PredictionKind.REFITTED, sized.cut(FIRST_PART, size)),
    ):
        begun = kind is PredictionKind.UNSEEN or size in shown.model_params
        if begun and len(shown.model_params) >= 2:
            basis = _basis(kind, shown, posterior_of(shown), limits)
            predicted += [_prediction(basis, size, compute, level) for compute, level in at.items()]
    return predicted


def _within(sized: SizedRuns, limits: Limits) -> list[SizePrediction]:
    """Predict where the runs of each size end from the first part of all."""
    begun = sized.cut(FIRST_PART)
    if len(begun.model_params) < 2:
        return []
    basis = _basis(PredictionKind.WITHIN_RUN, begun, posterior_of(begun), limits)
    ends = {size: _observed(sized, size) for size in begun.model_params}
    return [_prediction(basis, size, end, observed) for size, (observed, end) in ends.items()]


def _basis(kind: PredictionKind, shown: SizedRuns, posterior: SizePosterior, limits: Limits) -> Basis:
    """Return what predictions from these runs rest on."""
    basis = Basis(kind, shown, posterior, limits, misses=bool(missed(shown, posterior)))
    if basis.form is not FormName.S_SHAPED:
        return basis
    return replace(basis, shaped=s_shaped(shown.traces, shown.members, shown.model_params))


def _prediction(basis: Basis, size: float, compute: float, observed: float | None) -> SizePrediction:
    """Predict the mean reward of a size at a compute: of its own runs, or of one without."""
    posterior, away = basis.posterior, 0.0
    if basis.kind is PredictionKind.UNSEEN:
        away = steps_away(posterior.model_params, size)
    if basis.kind is PredictionKind.UNSEEN or basis.shaped is not None:
        draws = reward_draws(posterior, size, compute, basis.shaped)
    else:
        draws = posterior.reward(*posterior.run_lines(posterior.members[posterior.place(size)]), compute)
    reward = summary(np.maximum(draws[:, 0], basis.sized.floor))
    return SizePrediction(
        model_params=size, compute=compute, reward=reward, kind=basis.kind,
        verdict=on_prediction(basis, reward, compute, away), observed=observed, sizes_away=away,
        form=FormName.POWER if basis.shaped is None else FormName.S_SHAPED,
    )  # fmt: skip


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
