"""What is said of a law across model sizes."""

from __future__ import annotations

from collections.abc import Collection

from rlscale.answers.answer import Sentence
from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, number, probability, quantities, quantity, reward, span
from rlscale.answers.palette import verdict_words
from rlscale.answers.sizes.view import SizesView
from rlscale.answers.views import listed
from rlscale.decisions.sizes import Crossing, FormName, HeldOut, PredictionKind, SizePrediction
from rlscale.decisions.sizes.answer import FORM_WORDS
from rlscale.decisions.sizes.idle import NO_GAIN
from rlscale.decisions.sizes.written import written
from rlscale.inference import Interval, VerdictName

__all__ = [
    "FORMS",
    "basis",
    "believed",
    "best",
    "crossings",
    "headline",
    "held_out",
    "kinds",
    "lead",
    "letterings",
    "limits",
    "reasons",
    "sizes",
    "unused",
]

FORMS = {FormName.POWER: "power law", FormName.SIGMOID: "sigmoids", FormName.S_SHAPED: "S-shaped"}
#: What a prediction saw.
_KINDS = {
    PredictionKind.UNSEEN: "nothing of this size",
    PredictionKind.REFITTED: "its first quarter",
    PredictionKind.WITHIN_RUN: "first quarter of all",
}
#: Predictions told in the headline.
_TOLD = 2
#: A constant whose interval spans more than this factor is known to its order of magnitude only.
_VAGUE = 30.0


def kinds(each: SizePrediction) -> str:
    """Return what a prediction saw."""
    return _KINDS[each.kind]


def held_out(name: HeldOut, largest: float) -> str:
    """Return what a form was not shown."""
    size = written(largest)
    return {
        HeldOut.LARGEST_SIZE: f"{size}, unseen",
        HeldOut.LARGEST_SIZE_REFITTED: f"{size} after its first quarter",
        HeldOut.LAST_HALF: "last half of every run",
    }[name]


def sizes(interval: Interval) -> str:
    """Return a size with its 80 % interval."""
    return f"{written(interval.q50)} (80 %: {written(interval.q10)}–{written(interval.q90)})"


def headline(view: SizesView) -> str:
    """Return the answer in a sentence: the best size, else what is predicted, else the law; first, what it lacks."""
    return f"{lacking(view.left_out, len(view.law.runs))}{_idle(view)}{_answered(view)}"


def _idle(view: SizesView) -> str:
    """Return the sentence on runs that learn nothing, with a space; empty where none is left out for it."""
    idle = [each.run for each in view.left_out if each.run and each.why == NO_GAIN]
    return f"Not part of the law: {listed(idle, _TOLD)} ({NO_GAIN}). " if idle else ""


def _answered(view: SizesView) -> str:
    if view.law.verdict.name is VerdictName.NO_LEARNING:
        return _law(view)
    if view.law.budget is not None:
        return _best(view)
    if any(_distinct(view)):
        return _predicted(view)
    return _law(view)


def lead(view: SizesView) -> tuple[str, ...]:
    """Return the sentences under the headline: what was asked besides, the law, and its verdict."""
    law = view.law
    told = {
        "best": _best(view) if law.budget is not None else "",
        "predicted": _predicted(view) if _distinct(view) else "",
        "law": _law(view),
    }
    first = _answered(view)
    more = [text for name, text in told.items() if text and text != first and not (law.doubt and name == "law")]
    return *more, f"The law: {verdict_words(law.verdict.name)}. {law.verdict.reason}"


def _distinct(view: SizesView) -> list[SizePrediction]:
    """Return a prediction of each size that was asked for: the one that saw nothing of it."""
    return [each for each in view.asked if each.kind is PredictionKind.UNSEEN and each.compute == _asked_at(view, each)]


def _asked_at(view: SizesView, each: SizePrediction) -> float:
    """Return the compute of the first prediction of a size: where its runs end, where it has some."""
    return next(other.compute for other in view.asked if other.model_params == each.model_params)


def _law(view: SizesView) -> str:
    law = view.law
    if law.verdict.name is VerdictName.NO_LEARNING:
        return "No size shows a gain: there is no exponent to speak of."
    if law.doubt:
        return f"No exponent to act on: {law.doubt}."
    seen = [row for row in law.sizes if row.in_sample]
    low, high = seen[0], seen[-1]
    K = law.K_max
    return (
        f"The exponent k(N) is {number(low.k.q50, 4)} at {written(low.model_params)} and {number(high.k.q50, 4)} at "
        f"{written(high.model_params)}: K_max = {number(K.q50, 3)} (80 %: {number(K.q10, 3)}–{number(K.q90, 3)}), "
        f"N0 = {sizes(law.N0)}{', known to its order of magnitude only' if law.N0.q90 > _VAGUE * law.N0.q10 else ''}."
    )


def _predicted(view: SizesView) -> str:
    asked = _distinct(view)
    if view.law.doubt:
        which = listed([written(each.model_params) for each in asked], _TOLD)
        return f"{which} without its runs: no reward is predicted to act on, since {view.law.doubt}."
    told = [
        f"{written(each.model_params)} {'should reach' if each.observed is None else 'was to reach'} "
        f"{reward(each.reward.q50, view.shown_in)} (80 %: {span(each.reward, view.shown_in)}) at "
        f"{quantity(each.compute, view.law.unit)}"
        f"{', by S-shaped curves' if each.form is FormName.S_SHAPED else ''}"
        f"{'' if each.observed is None else f' and reached {reward(each.observed, view.shown_in)}'}: "
        f"{verdict_words(each.verdict.name)}"
        for each in asked[:_TOLD]
    ]
    more = f"; {count(len(asked) - _TOLD, 'more size')} below" if len(asked) > _TOLD else ""
    return f"{'; '.join(told)}{more}."


def _best(view: SizesView) -> str:
    budget = view.law.budget
    assert budget is not None
    if budget.best is None:
        return f"No best size is named at {quantity(budget.compute, view.law.unit)} a run: {budget.refusal}."
    unknown = [each.model_params for each in budget.p_best if each.p is None]
    others = [written(size) for size in budget.cannot_separate if size != budget.best and size not in unknown]
    chance = next(each for each in budget.p_best if each.model_params == budget.best)
    beyond = (
        f"ahead of every other size{' with runs' if unknown else ''}"
        if not others
        else f"not separated from {listed(others, 4)}"
    )
    return (
        f"At {quantity(budget.compute, view.law.unit)} a run, {written(budget.best)}"
        f"{'' if chance.in_sample else ', of which there are no runs,'} reaches most, "
        f"{reward(chance.reward.q50, view.shown_in)} (80 %: {span(chance.reward, view.shown_in)}), with probability "
        f"{probability(chance.p)}{_by(view)}: {beyond}."
    )


def _by(view: SizesView) -> str:
    """Say by which form, where it is not the law."""
    believe = view.law.believe
    return ", by S-shaped curves" if believe is not None and believe.form is FormName.S_SHAPED else ""


def best(view: SizesView) -> tuple[str, ...]:
    """Return what else is said of the best size."""
    budget = view.law.budget
    if budget is None:
        return ()
    known = [each.model_params for each in budget.p_best if each.p is not None]
    close = [written(size) for size in budget.cannot_separate if size in known]
    choice = (
        f"Cannot separate {listed(close, 9)} with probability .95: choose among these by what they cost to serve.",
    )
    return *(choice if len(close) > 1 else ()), *(_sentence(note) for note in budget.notes)


def crossings(view: SizesView) -> tuple[str, ...]:
    """Return where larger sizes overtake smaller ones: neighbours first, the largest first of all."""
    law, budget = view.law, view.law.budget
    if budget is None:
        return ()
    order = [each.model_params for each in budget.p_best]
    begun = min(row.first for row in law.sizes if row.first is not None)

    def key(each: Crossing) -> tuple[int, float]:
        return order.index(each.large) - order.index(each.small), -each.large

    ahead: list[str] = []
    overtaking: dict[str, list[str]] = {}
    throughout: dict[str, list[str]] = {}
    for each in sorted(budget.crossings, key=key):
        if each.compute is None:
            who, _, whom = each.why.partition(" ahead of ")
            throughout.setdefault(who, []).append(whom.removesuffix(" throughout"))
        elif each.compute.q90 < begun:
            overtaking.setdefault(written(each.large), []).append(written(each.small))
        else:
            ahead.append(_crossing(each, law.unit))
    early = "; ".join(f"{who} of {listed(whom, len(whom))}" for who, whom in overtaking.items())
    return (
        *ahead,
        *(f"{who} ahead of {listed(whom, len(whom))} at all these computes." if all(whom) else _sentence(who)
          for who, whom in throughout.items()),
        *((f"Ahead from the first evaluations on: {early}.",) if early else ()),
    )  # fmt: skip


def _crossing(each: Crossing, unit: str) -> str:
    assert each.compute is not None
    ends = quantities(each.compute.q10, each.compute.q90)
    text = f"{written(each.large)} overtakes {written(each.small)} at {quantity(each.compute.q50, unit)} (80 %: {ends}"
    text += ")" if each.p > 0.995 else f"; P = {probability(each.p)})"
    if each.unsure is not None:
        text += f"; cannot separate them from {quantities(*each.unsure, ' to ')}"
    return f"{text}."


def believed(view: SizesView) -> tuple[str, ...]:
    """Return which form to believe where, and why."""
    law = view.law
    if law.believe is None:
        return ("Nothing could be held out: the power law is taken as it is.",) if not law.compare else ()
    form, unseen = FORM_WORDS[law.believe.form], FORM_WORDS[law.believe.unseen]
    which = f"Believe {form}" if form == unseen else f"Believe {form} for sizes with runs, {unseen} without"
    silent = tuple(dict.fromkeys(_sentence(each.note) for each in law.compare if each.note))
    return f"{which}. {law.believe.why}", *silent


def reasons(view: SizesView) -> tuple[Sentence, ...]:
    """Return why predictions that were asked for are not resolved."""
    return tuple(
        Sentence(
            each.verdict.reason,
            f"{written(each.model_params)} at {quantity(each.compute)}, from {kinds(each)}",
            each.verdict.name.value,
        )
        for each in view.asked
        if each.verdict.name is not VerdictName.RESOLVED
    )


def limits(view: SizesView) -> tuple[str, ...]:
    """Return what limits the answer."""
    law = view.law
    against = [f"{written(row.model_params)}: {text}" for row in law.sizes for text in row.verdicts]
    names = {run.name for run in law.runs}
    return tuple(_sentence(text, names) for text in (*against, *law.notes))


def unused(view: SizesView) -> tuple[str, ...]:
    """Return the runs that the law cannot use; those that could not be read stand in the headline."""
    return tuple(_sentence(f"{each.run}: {each.why}") for each in view.left_out if each.run and not each.counted)


def basis(view: SizesView) -> tuple[str, ...]:
    """Return what the numbers rest on: compute, noise and spread, and how sizes without runs are predicted."""
    law = view.law
    steps = ", ".join(f"{each.level_sd:.2g} at {written(each.model_params)}" for each in law.widening)
    noise = (
        f"Noise of an evaluation {reward(law.sigma.q50, (0.0, 0.1 * law.r_max))} (correlation {number(law.rho.q50)}); "
        f"run-to-run sd {law.level_spread.q50:.2g} of log L and {law.slope_spread.q50:.2g} of the exponent; "
        f"sd of the exponents around the law {law.law_error.q50:.2g} (90 %: below {max(law.law_error.q90, 1e-4):.2g})."
    )
    return (
        *(() if law.budget is not None else (f"Compute is {law.compute_means}.",)),
        noise,
        f"{_sentence(law.submodel)} One, two and three steps beyond the sizes seen its sd is {steps}.",
    )


def letterings(view: SizesView) -> tuple[str, ...]:
    """Return the two ways to letter the law."""
    unit, largest = view.law.unit, view.law.r_max
    said = f"L = 1 - R/R_max with R_max = {largest:g}; X in {unit}; logarithms are natural."
    return said, *(
        f"{each.formula}: exponent {each.exponent}, intercept {each.intercept} ({each.where})."
        for each in view.law.letterings
    )


def _sentence(text: str, names: Collection[str] = ()) -> str:
    """Return a remark as a sentence; what begins with the name of a run or a size keeps its case."""
    first = text.split(" ", 1)[0]
    start = text[0].upper() if first.isalpha() and first.islower() and not _named(text, names) else text[0]
    return f"{start}{text[1:]}{'' if text.endswith('.') else '.'}"


def _named(text: str, names: Collection[str]) -> bool:
    """Whether a remark begins with the name of a run."""
    return any(text.startswith((f"{name} ", f"{name}:")) for name in names)
