"""The best size for a budget: who is ahead there, where the larger overtakes the smaller, what cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.sizes.answer import FORM_WORDS, BestSize, Crossing, FormName, SizeChance
from rlscale.decisions.sizes.grouping import SizedRuns
from rlscale.decisions.sizes.trusted import Trusted
from rlscale.decisions.sizes.verdicts import compute_means
from rlscale.decisions.sizes.written import written
from rlscale.inference.size_law import SizePosterior, new_size, summary

__all__ = ["SEPARATED", "best_size"]

Floats = NDArray[np.float64]

#: One size is ahead of another where it is with this probability.
SEPARATED = 0.95
#: Crossings are looked for from the first compute over this to the last times it.
FAR = 16.0
#: Computes at which pairs are compared.
GRID = 121


def best_size(
    sized: SizedRuns, posterior: SizePosterior, predict: Sequence[float], budget: float, trust: Trusted
) -> BestSize:
    """Return the best size at a compute, by the form that is believed; none where no form is.

    Parameters
    ----------
    sized : SizedRuns
    posterior : SizePosterior
    predict : sequence of float
        Sizes without data that take part.
    budget : float
        Compute of one run, in the unit of the runs.
    trust : Trusted
        The form that answers.
    """
    sizes = sorted({*sized.model_params, *predict})
    rewards = np.stack([trust.rewards(size, budget)[:, 0] for size in sizes], axis=1)
    doubt, refusal = trust.doubt, trust.refusal
    runs = np.array([size in sized.model_params or not doubt for size in sizes])  # who takes part
    first = np.argmax(np.where(runs, rewards, -np.inf), axis=1)
    p = [float(np.mean(first == place)) for place in range(len(sizes))]
    best = int(np.argmax(p))
    beaten = [float(np.mean(rewards[:, best] > rewards[:, place])) for place in range(len(sizes))]
    close = tuple(
        size
        for place, size in enumerate(sizes)
        if refusal or place == best or beaten[place] < SEPARATED or not runs[place]
    )
    last = {size: max(sized.runs[place].curve.compute_last for place in sized.of(size)) for size in sized.model_params}
    chances = tuple(
        SizeChance(
            model_params=size, p=None if refusal or not runs[place] else p[place],
            reward=summary(np.maximum(rewards[:, place], sized.floor)),
            in_sample=size in last, beyond=budget / last[size] if size in last else None,
        )
        for place, size in enumerate(sizes)
    )  # fmt: skip
    unit = sized.runs[0].curve.unit
    notes = _notes(chances, budget, unit, sizes[best] if not refusal else None, trust)
    if refusal:
        return BestSize(
            compute=budget, best=None, p_best=chances, cannot_separate=close, crossings=(), notes=notes,
            why=f"No best size is named at {budget:.4g} {unit}: {refusal}.", refusal=refusal,
        )  # fmt: skip
    power = not doubt
    return BestSize(
        compute=budget, best=sizes[best], p_best=chances, cannot_separate=close,
        crossings=_crossings(sized, posterior, sizes) if power else (),  # where lines cross is of the power law
        why=_why(sizes[best], p[best], close, budget, unit), notes=notes,
    )  # fmt: skip


def _lines(posterior: SizePosterior, sizes: Sequence[float]) -> tuple[Floats, Floats]:
    """Return exponents and levels of sizes, with data or without, each shape (d, sizes)."""
    each = []
    for size in sizes:
        if size in posterior.model_params:
            place = posterior.place(size)
            each.append((posterior.k[:, place], posterior.level[:, place]))
        else:
            new = new_size(posterior, size)
            each.append((new.k, new.level))
    return np.stack([k for k, _ in each], axis=1), np.stack([level for _, level in each], axis=1)


def _crossings(sized: SizedRuns, posterior: SizePosterior, sizes: Sequence[float]) -> tuple[Crossing, ...]:
    k, level = _lines(posterior, sizes)
    starts = [float(run.curve.compute[run.curve.compute > 0.0][0]) for run in sized.runs]
    window = (min(starts) / FAR, FAR * max(run.curve.compute_last for run in sized.runs))
    at = np.linspace(np.log(window[0]), np.log(window[1]), GRID) - posterior.lines.centre
    crossings = []
    for a, b in combinations(range(len(sizes)), 2):
        steeper = k[:, b] - k[:, a]
        above = level[:, b] - level[:, a]  # how much more the larger one lacks
        ahead = np.mean(above[:, None] - steeper[:, None] * at < 0.0, axis=0)
        where = np.divide(above, steeper, out=np.full_like(above, np.inf), where=steeper > 0.0)
        inside = (steeper > 0.0) & (where >= at[0]) & (where <= at[-1])
        p = float(np.mean(inside))
        compute = np.exp(where[inside] + posterior.lines.centre) if p >= 0.5 else None
        unsure = at[(ahead > 1.0 - SEPARATED) & (ahead < SEPARATED)] + posterior.lines.centre
        crossings.append(
            Crossing(
                small=sizes[a],
                large=sizes[b],
                compute=None if compute is None else summary(compute),
                p=p,
                unsure=(float(np.exp(unsure[0])), float(np.exp(unsure[-1]))) if unsure.size else None,
                window=window,
                why="" if compute is not None else _no_crossing(sizes[a], sizes[b], ahead),
            )
        )
    return tuple(crossings)


def _no_crossing(small: float, large: float, ahead: Floats) -> str:
    """Say what stands in place of a crossing, by the probability that the larger is ahead along the window."""
    small_size, large_size = written(small), written(large)
    if ahead.min() >= SEPARATED:
        return f"{large_size} is ahead of {small_size} throughout"
    if ahead.max() <= 1.0 - SEPARATED:
        return f"{small_size} is ahead of {large_size} throughout"
    if min(ahead[0], ahead[-1]) > 0.5:
        return f"{large_size} is probably ahead of {small_size} throughout"
    if max(ahead[0], ahead[-1]) < 0.5:
        return f"{small_size} is probably ahead of {large_size} throughout"
    return f"whether {large_size} overtakes {small_size} within the computes looked at is not known"


def _why(best: float, p: float, close: Sequence[float], budget: float, unit: str) -> str:
    ahead = f"At {budget:.4g} {unit} {written(best)} has the highest reward with probability {p:.2f}"
    others = [written(size) for size in close if size != best]
    if not others:
        return f"{ahead}, ahead of every other size."
    return f"{ahead}; it cannot be separated from {', '.join(others)}: choose among these by what they cost to serve."


def _notes(
    chances: Sequence[SizeChance], budget: float, unit: str, best: float | None, trust: Trusted
) -> tuple[str, ...]:
    notes = [f"compute is {compute_means(unit)}"]
    beyond = [size for size in chances if size.beyond is not None and size.beyond > 1.0]
    if beyond:
        most = max(beyond, key=lambda size: size.beyond or 0.0)
        notes.append(
            f"the budget, {budget:.4g} {unit}, is beyond the data of {len(beyond)} sizes (up to {most.beyond:.3g} "
            f"times the last compute of {written(most.model_params)}){_beyond(most.model_params, trust)}"
        )
    if best is not None and not next(each.in_sample for each in chances if each.model_params == best):
        notes.append(
            f"{written(best)} has no runs: its place rests on the trend of the other sizes; train it a little before "
            "choosing it"
        )
    apart = [written(each.model_params) for each in chances if each.p is None]
    if best is not None and apart:
        notes.append(
            f"{', '.join(apart)} without runs takes no part: no form that is believed was measured on such sizes"
        )
    forms = {trust.form(each.model_params) for each in chances if each.in_sample}
    if best is not None and FormName.S_SHAPED in forms:
        notes.append(
            f"the order rests on {FORM_WORDS[FormName.S_SHAPED]}: {trust.doubt}. Where sizes overtake one "
            "another is not said, nor are these forecasts ever resolved: do not decide on them far beyond the data"
        )
    if best is None:
        notes.append(
            "rewards at the budget are not to be acted on; rlscale rank --target C compares the sizes that have runs "
            "by curves of their own"
        )
    return tuple(notes)


def _beyond(model_params: float, trust: Trusted) -> str:
    power = trust.form(model_params) is not FormName.S_SHAPED
    return ": a power law has no ceiling, so longer runs look better than they may be" if power else ""
