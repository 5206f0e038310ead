"""What an ablation says, in sentences."""

from __future__ import annotations

from rlscale.answers import numbers
from rlscale.answers.ablate.view import AblateView
from rlscale.answers.answer import Sentence
from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, number, probability, quantity
from rlscale.answers.views import listed
from rlscale.decisions.ablation import Ablation, DesignKind, Effect, Interaction, KnobEffect, Says, Trend
from rlscale.inference import Interval

__all__ = ["SAYS", "basis", "confounded", "headline", "interactions", "lead", "reasons", "trends"]

#: Each claim as it stands in a table.
SAYS = {
    Says.RAISES_CEILING: "raises ceiling",
    Says.LOWERS_CEILING: "lowers ceiling",
    Says.FASTER: "faster",
    Says.SLOWER: "slower",
    Says.UNRESOLVED: "not resolved",
    Says.CONFOUNDED: "confounded",
}
_VERBS = {
    Says.RAISES_CEILING: "raises the ceiling",
    Says.LOWERS_CEILING: "lowers the ceiling",
    Says.FASTER: "is faster at a ceiling that cannot be told apart",
    Says.SLOWER: "is slower at a ceiling that cannot be told apart",
}
_DESIGNS = {
    DesignKind.LEAVE_ONE_OUT: "One knob was changed at a time",
    DesignKind.SWEEP: "One knob was swept",
    DesignKind.FACTORIAL: "All combinations of the knobs were tried",
    DesignKind.UNBALANCED: "Knobs were changed together, in part",
}


def _span(interval: Interval, bounds: tuple[float, float]) -> str:
    return f"{numbers.effect(interval.q10, bounds)} to {numbers.effect(interval.q90, bounds)}"


def _amount(effect: Effect, bounds: tuple[float, float]) -> str:
    return f"{numbers.effect(effect.effect.q50, bounds)} (80 %: {_span(effect.effect, bounds)})"


def change(each: KnobEffect) -> str:
    """Return a knob with its two values: ``length 8 -> 10``."""
    return f"{each.knob} {each.start} → {each.end}"


def headline(view: AblateView) -> str:
    """Return the answer in a sentence; first, what it lacks."""
    ablation = view.result
    kept = sum(len(recipe.runs) for recipe in ablation.recipes)
    return f"{lacking(view.left_out, kept)}{_answer(ablation)}"


def _answer(ablation: Ablation) -> str:
    if ablation.unstated:
        names, runs = listed(list(ablation.unstated), 3), sum(len(recipe.runs) for recipe in ablation.recipes)
        return (
            f"The {count(runs, 'run')} compared do not state {names}, as others do, and may differ in it: no effect is "
            "claimed. State it for all, in the table or with --settings F.csv."
        )
    parts = []
    for says, verb in _VERBS.items():
        own = [each for each in ablation.knobs if each.says is says]
        if own:
            parts.append(f"{listed([_with_amount(each, ablation) for each in own], 3)} {_plural(verb, len(own))}")
    unclaimed = [each for each in ablation.knobs if each.says is Says.UNRESOLVED]
    unresolved = list(dict.fromkeys(each.knob for each in unclaimed if each.ceiling is not None))
    alone = [change(each) for each in unclaimed if each.ceiling is None]
    confused = [name for each in ablation.knobs if each.says is Says.CONFOUNDED for name in each.knobs]
    rest = []
    if unresolved:
        rest.append(f"of {listed(unresolved, 4)} no effect is resolved")
    if alone:
        rest.append(f"{listed(alone, 3)} cannot be compared: no run of one side counts")
    if confused:
        rest.append(f"{listed(list(dict.fromkeys(confused)), 4)} cannot be told apart")
    text = "; ".join([*parts, *rest])
    return f"{text.replace('of ', 'Of ', 1) if text.startswith('of ') else text}."


def _plural(verb: str, many: int) -> str:
    if many == 1:
        return verb
    return verb.replace("raises", "raise").replace("lowers", "lower").replace("is ", "are ", 1)


def _with_amount(each: KnobEffect, ablation: Ablation) -> str:
    if each.says in (Says.FASTER, Says.SLOWER) and each.speed is not None:
        return f"{change(each)} ({number(each.speed.factor.q50)}× the speed)"
    if each.ceiling is None:
        return change(each)
    return f"{change(each)} ({numbers.effect(each.ceiling.effect.q50, ablation.bounds)})"


def lead(view: AblateView) -> tuple[str, ...]:
    """Return what the answer rests on, in a sentence."""
    ablation = view.result
    runs = sum(len(recipe.runs) for recipe in ablation.recipes)
    return (
        f"{_tried(ablation)}: {count(len(ablation.recipes), 'recipe')}, {count(runs, 'run')}, compared with "
        f"{ablation.baseline}. {_tau(ablation)}",
    )


def _tried(ablation: Ablation) -> str:
    together = {each.knobs for each in ablation.knobs}
    if len(together) == 1 and len(next(iter(together))) > 1:
        return "All knobs were changed at once"
    return _DESIGNS[ablation.design]


def _tau(ablation: Ablation) -> str:
    tau = ablation.tau
    known = {
        "given": "as given",
        "default": "assumed: no setting has two runs",
        "replicates": f"learned from {count(tau.replicates, 'replicate')}",
    }[tau.source]
    return f"Run-to-run sd of ceilings: {tau.value:.3f} of the range, {known}."


def reasons(view: AblateView) -> tuple[Sentence, ...]:
    """Return why each knob is said to do what it does."""
    return tuple(Sentence(each.reason, change(each)) for each in view.result.knobs)


def confounded(view: AblateView) -> tuple[str, ...]:
    """Return the knobs that cannot be told apart."""
    return tuple(
        f"{listed(list(group), 6)}: no run changes one without the other; change one at a time to tell them apart."
        for group in view.result.confounded
    )


def trends(view: AblateView) -> tuple[Sentence, ...]:
    """Return the trend of each numeric knob."""
    return tuple(Sentence(_trend(each, view.result), each.knob) for each in view.result.trends)


def _trend(each: Trend, ablation: Ablation) -> str:
    along = "log scale" if each.scale == "log" else "linear"
    order = "its levels are in order" if each.monotone else "its levels are not in order"
    return (
        f"ceiling {_amount(each.effect, ablation.bounds)} from {each.low:g} to {each.high:g} along a straight line "
        f"({along}), P(rising) {probability(each.effect.p_positive)}; {order}. For itself, not with all comparisons."
    )


def interactions(view: AblateView) -> tuple[Sentence, ...]:
    """Return what two changes do together beyond what each does."""
    return tuple(Sentence(_interaction(each, view.result), " × ".join(each.knobs)) for each in view.result.interactions)


def _interaction(each: Interaction, ablation: Ablation) -> str:
    claim = "the effect of one depends on the other" if each.resolved else "not resolved"
    return f"together {_amount(each.effect, ablation.bounds)} beyond the sum of both, on the ceiling: {claim}."


def basis(view: AblateView) -> tuple[str, ...]:
    """Return what the numbers are, and their limits."""
    ablation = view.result
    shapes = ", ".join(f"{name} {probability(p)}" for name, p in ablation.shapes)
    return (
        *ablation.notes,
        *([f"Shape of curve, shared by all runs: {shapes}."] if shapes else []),
        "Intervals are 80 %, each for itself. Claims are controlled together: " + ablation.method + ".",
        "Speed is the midpoint of the baseline over that of the knob: 2 gets as far with half of the compute. It is "
        "claimed where the ceilings cannot be told apart and their difference is known to ±.05 of the range; else "
        "each recipe keeps its own ceiling or nothing is claimed.",
        f"The common compute is {quantity(ablation.at, ablation.unit)}.",
    )
