"""Which form to believe: the power law, sigmoids of each run, and the S-shaped joint form, on what they did not see.

A power law has no ceiling, ``L -> 0``; the other two have one. Each form forecasts the mean of the last evaluations of
runs: of the largest size, unseen or from the first part of its runs, and of every run from its first half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.decisions.sizes.answer import FORM_WORDS, Belief, FormName, FormScore, HeldOut
from rlscale.decisions.sizes.grouping import SizedRuns, last_level
from rlscale.decisions.sizes.predictions import FIRST_PART, posterior_of
from rlscale.decisions.sizes.written import written
from rlscale.inference.crps import crps
from rlscale.inference.fit import FitOptions, fits
from rlscale.inference.noise import mean_variance
from rlscale.inference.predictive import mean_of_evaluations
from rlscale.inference.size_law import SizePosterior, SShaped, new_size, s_shaped

__all__ = ["RunScores", "believed", "compared"]

Floats = NDArray[np.float64]

#: Forms are told apart where the mean difference of their scores is this many standard errors.
APART = 1.64


@dataclass(frozen=True)
class RunScores:
    """Scores of a form on the runs of one held-out part; tuples of one value a run."""

    form: FormName
    held_out: HeldOut
    crps: tuple[float, ...]
    error: tuple[float, ...]
    note: str = ""

    @property
    def summary(self) -> FormScore:
        """Means over the runs."""
        known = bool(self.crps)
        return FormScore(
            form=self.form, held_out=self.held_out, crps=float(np.mean(self.crps)) if known else None,
            mean_abs_error=float(np.mean(self.error)) if known else None, runs=len(self.crps), note=self.note,
        )  # fmt: skip


def compared(sized: SizedRuns, options: FitOptions) -> tuple[RunScores, ...]:
    """Score the forms on what they were not shown.

    Parameters
    ----------
    sized : SizedRuns
    options : FitOptions
        Of the sigmoids.
    """
    largest = sized.model_params[-1]
    scores: list[RunScores] = []
    if len(sized.model_params) >= 3:
        scores += _unseen(sized, largest)
        begun = sized.cut(FIRST_PART, largest)
        if largest in begun.model_params:
            ends = {run.name: run for run in sized.runs}
            scores += _scored(begun, begun.of(largest), ends, HeldOut.LARGEST_SIZE_REFITTED, options)
    half = sized.cut(0.5)
    if len(half.model_params) >= 2:
        ends = {run.name: run for run in sized.runs}
        scores += _scored(half, range(len(half.runs)), ends, HeldOut.LAST_HALF, options)
    return tuple(scores)


def _unseen(sized: SizedRuns, largest: float) -> list[RunScores]:
    """Score on the largest size of which nothing was shown."""
    others = sized.without(largest)
    power, shaped = posterior_of(others), s_shaped(others.traces, others.members, others.model_params)
    new = new_size(power, largest)
    k, level = power.new_run(new.k, new.level)
    tails = [last_level(sized.runs[place].curve) for place in sized.of(largest)]
    forms: dict[FormName, Callable[[Floats], Floats]] = {
        FormName.POWER: lambda at: _noisy_power(power, k, level, at),
        FormName.S_SHAPED: lambda at: _noisy_shaped(shaped, shaped.new_share(largest, np.log(at)), sized.r_max),
    }
    known = [
        _score(form, HeldOut.LARGEST_SIZE, [(_even(draw(at)), truth) for truth, at in tails])
        for form, draw in forms.items()
    ]
    why = f"a sigmoid is of one run: it says nothing of {written(largest)} before it has run"
    return [*known, RunScores(FormName.SIGMOID, HeldOut.LARGEST_SIZE, (), (), why)]


def _scored(
    shown: SizedRuns, places: Sequence[int], ends: dict[str, Run], held_out: HeldOut, options: FitOptions
) -> list[RunScores]:
    """Score on the ends of runs whose beginnings were shown; only runs that every form forecasts count."""
    power, shaped = posterior_of(shown), s_shaped(shown.traces, shown.members, shown.model_params)
    targets = [last_level(ends[shown.runs[place].name].curve) for place in places]
    own = fits(
        [shown.runs[place] for place in places], own_targets=[(float(at[-1]),) for _, at in targets], options=options
    )
    scores: dict[FormName, list[tuple[tuple[Floats, Floats], float]]] = {form: [] for form in FormName}
    for place, (truth, at), fitted in zip(places, targets, own, strict=True):
        if fitted.posterior is None:
            continue
        size = next(k for k, members in enumerate(shown.members) if place in members)
        k, level = power.run_lines([place])
        scores[FormName.POWER].append((_even(_noisy_power(power, k, level, at)), truth))
        share = shaped.share(size, np.log(at))
        scores[FormName.S_SHAPED].append((_even(_noisy_shaped(shaped, share, shown.r_max)), truth))
        scores[FormName.SIGMOID].append(((mean_of_evaluations(fitted.posterior, at), fitted.posterior.weight), truth))
    return [_score(form, held_out, each) for form, each in scores.items()]


def _even(values: Floats) -> tuple[Floats, Floats]:
    return values, np.full(values.size, 1.0 / values.size)


def _noisy_power(posterior: SizePosterior, k: Floats, level: Floats, at: Floats) -> Floats:
    """Return draws of the mean of evaluations of one run, its line given, noise included."""
    return np.asarray(posterior.reward(k, level, at).mean(axis=1) + posterior.r_max * posterior.mean_noise(at.size))


def _noisy_shaped(shaped: SShaped, share: Floats, r_max: float) -> Floats:
    """Return draws of the mean of evaluations of one run from those of ``L``, shape (d, c), noise included."""
    sd = np.sqrt(shaped.run_sd**2 + shaped.sigma**2 * mean_variance(np.array(shaped.rho), share.shape[1]))
    return np.asarray(r_max * (1.0 - share.mean(axis=1) - sd * shaped.run_normal))


def _score(form: FormName, held_out: HeldOut, each: Sequence[tuple[tuple[Floats, Floats], float]]) -> RunScores:
    scores = [crps(values, weight, truth) for (values, weight), truth in each]
    errors = [abs(_median(values, weight) - truth) for (values, weight), truth in each]
    return RunScores(form, held_out, tuple(scores), tuple(errors), "" if each else "no run could be scored")


def _median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weight[order]), 0.5)])


def believed(scores: Sequence[RunScores]) -> Belief | None:
    """Say which form to believe where: the one that did best, or the power law where it is not clearly beaten."""
    if not scores:
        return None
    seen = {form: _together(scores, form, (HeldOut.LAST_HALF, HeldOut.LARGEST_SIZE_REFITTED)) for form in FormName}
    unseen = {form: _together(scores, form, (HeldOut.LARGEST_SIZE,)) for form in FormName}
    form, why = _chosen(seen, "the ends of runs from their beginnings")
    other, also = _chosen(unseen, "the largest size unseen")
    ceiling = "" if form is FormName.POWER else " A power law has no ceiling: do not carry it far beyond the data."
    return Belief(form=form, unseen=other, why=f"{why} {also}{ceiling}")


def _together(scores: Sequence[RunScores], form: FormName, parts: Sequence[HeldOut]) -> Floats:
    return np.array([value for each in scores if each.form is form and each.held_out in parts for value in each.crps])


def _chosen(scores: dict[FormName, Floats], what: str) -> tuple[FormName, str]:
    """Return the best form on the same runs, and a sentence."""
    known = {form: values for form, values in scores.items() if values.size}
    power = known.get(FormName.POWER)
    if power is None:
        return FormName.POWER, f"Nothing was held out to compare on {what}."
    best = min(known, key=lambda form: float(known[form].mean()))
    shown = ", ".join(
        f"{FORM_WORDS[form].removeprefix('the ')} {float(values.mean()):.4f}" for form, values in known.items()
    )
    if best is FormName.POWER:
        return best, f"On {what} the power law did best (CRPS: {shown})."
    apart = power - known[best]
    if apart.size > 1 and apart.mean() > APART * apart.std(ddof=1) / np.sqrt(apart.size):
        return best, f"On {what} {FORM_WORDS[best]} did best (CRPS: {shown})."
    return (
        FormName.POWER,
        f"On {what} the forms cannot be told apart (CRPS: {shown}); the power law has the fewest parts.",
    )
