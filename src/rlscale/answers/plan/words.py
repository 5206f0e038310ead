"""A plan in sentences."""

from __future__ import annotations

from rlscale.answers.answer import Sentence
from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import probability, quantity, reward
from rlscale.answers.plan.view import PlanView
from rlscale.answers.views import listed
from rlscale.decisions.plan import Crossing, RecipePlan, SplitPoint
from rlscale.decisions.plan.doubling import HORIZON
from rlscale.decisions.plan.plan import BROKEN, FAR_BUDGET, FEW
from rlscale.inference import Interval

__all__ = [
    "crossing_words",
    "far_lead",
    "few_lead",
    "headline",
    "recipe_words",
    "share_words",
    "split_lead",
    "split_words",
    "unordered",
]

#: A crossing is told from this probability on.
LIKELY = 0.5
#: Names told in one sentence.
_MOST = 12
#: Recipes of a split that are told by their names alone.
_NAMED = 3


def headline(view: PlanView) -> str:
    """Return the answer in a sentence: the compute to the reward, or what the next doubling gains."""
    if view.rows:
        said = _doubling_headline(view) if view.plan.reward is None else _reach_headline(view)
    else:
        said = "None of the runs to show is in the plan."
    return f"{lacking(view.left_out, len(view.runs))}{said}"


def _reach_headline(view: PlanView) -> str:
    rows = [row for row in view.fitted if row.reach is not None]
    wanted = view.reward(view.plan.reward)
    if not rows:
        return "No recipe could be fitted yet: nothing is known of the compute that it takes."
    there = sorted((row for row in rows if row.reach and row.reach.compute), key=_whole_first)
    if not there:
        best = max(rows, key=lambda row: row.reach.p if row.reach else 0.0)
        assert best.reach is not None
        chance, far = probability(best.reach.p), view.compute(best.reach.horizon)
        whose = "it has a chance of" if len(rows) == 1 else f"the best chance is that of {best.recipe},"
        who = f"{best.recipe} is not" if len(rows) == 1 else "No recipe is"
        return f"{_broken(best)}{who} likely to reach {wanted}: {whose} {chance} within {far}."
    begun = [row for row in there if _begins_there(row) and row.verdict.name not in BROKEN]
    if begun:
        names, whose = listed([row.recipe for row in begun]), "its" if len(begun) == 1 else "their"
        stand = "stands" if len(begun) == 1 else "stand"
        said = f"{names} probably {stand} at {wanted} or above from {whose} first evaluation on."
        rest = [row for row in there if row not in begun]
    else:
        said, rest = f"{_broken(there[0])}{_reaches(view, there[0], wanted)}", there[1:]
    later = [f"{row.recipe} at {_at(view, row)}" for row in rest if row.verdict.name not in BROKEN]
    fallen = [row.recipe for row in rest if row.verdict.name in BROKEN]
    others = [row.recipe for row in rows if row not in there]
    if later:
        said += f" Later: {listed(later)}."
    if fallen:
        said += f" {listed(fallen)} got there, and left {'its' if len(fallen) == 1 else 'their'} curve since."
    if others:
        said += f" {listed(others)} probably {'does' if len(others) == 1 else 'do'} not."
    return said


def _whole_first(row: RecipePlan) -> tuple[bool, float]:
    """Return the order of a headline: runs that are still on their curve first, then by compute."""
    return row.verdict.name in BROKEN, _middle(row)


def _broken(row: RecipePlan) -> str:
    """Return that a recipe has left its curve, before anything else of it is said; empty where it has not."""
    if row.verdict.name not in BROKEN:
        return ""
    what = BROKEN[row.verdict.name].removeprefix("it ")
    return f"{row.recipe} {what}. {row.verdict.why} "


def _begins_there(row: RecipePlan) -> bool:
    """Return whether a recipe probably stands at the reward from its first evaluation on."""
    return row.reach is not None and row.reach.compute is not None and _middle(row) <= row.reach.chances[0][0]


def _middle(row: RecipePlan) -> float:
    return float("inf") if row.reach is None or row.reach.compute is None else row.reach.compute.q50


def _at(view: PlanView, row: RecipePlan) -> str:
    return view.compute(_middle(row))


def _reaches(view: PlanView, row: RecipePlan, wanted: str) -> str:
    assert row.reach is not None
    assert row.reach.compute is not None
    assert row.compute_last is not None
    where = f"at {_at(view, row)} (80 %: {_span(row.reach.compute)})"
    if row.reach.compute.q50 <= row.compute_last and row.verdict.name in BROKEN:
        return f"Before, it had probably reached {wanted}, {where}."
    if row.reach.compute.q50 <= row.compute_last:
        return f"{row.recipe} has probably reached {wanted} already, {where}."
    sure = f"{_chance(row.reach.p)} within {view.compute(row.reach.horizon)}"
    if row.reach.p_by_budget is not None:
        sure += f", {probability(row.reach.p_by_budget)} by the budget"
    return f"{row.recipe} reaches {wanted} {where} if at all: {sure}."


def _span(interval: Interval) -> str:
    return f"{quantity(interval.q10)}–{quantity(interval.q90)}"


def _doubling_headline(view: PlanView) -> str:
    if not view.fitted:
        return "No recipe could be fitted yet: nothing is known of what more compute brings."
    row = view.fitted[0]
    if not row.verdict.ranks:
        return "No recipe shows learning yet: what more compute brings rests on the priors."
    assert row.next_doubling is not None
    gain = row.next_doubling.gain
    around = f"{view.reward(gain.q10)} to {view.reward(gain.q90)}"
    said = f"The next doubling of {row.recipe}, to {view.compute(row.next_doubling.end)}, gains {view.reward(gain.q50)}"
    return f"{_broken(row)}{said} (80 %: {around}); {_until(view, row)}."


def _until(view: PlanView, row: RecipePlan) -> str:
    assert row.worth_until is not None
    assert row.compute_last is not None
    middle, worth = row.worth_until.q50, _worth(view)
    if middle <= row.compute_last:
        return f"that is less than the {worth} that a doubling has to gain"
    if middle >= HORIZON * row.compute_last * (1.0 - 1e-9):
        return f"doublings go on gaining {worth} beyond {view.compute(middle)}"
    return f"beyond {view.compute(middle)} a further one gains less than {worth}"


def _worth(view: PlanView) -> str:
    return reward(view.worth, view.bounds)


def _chance(p: float) -> str:
    """Return ``P = 93 %``, ``P >99 %``."""
    text = probability(p)
    return f"P {text}" if text[0] in "<>" else f"P = {text}"


def recipe_words(view: PlanView) -> tuple[Sentence | str, ...]:
    """Return what is to be known of recipes: why a number is missing, and where its limits are."""
    limits = (Sentence(text, row.recipe) for row in view.rows for text in _limits(row))
    return (*_not_reached(view), *limits)


def _not_reached(view: PlanView) -> tuple[str, ...]:
    """Return which recipes are given no compute, with their chances, and which are there already."""
    far: dict[str, list[str]] = {}
    there = []
    for row in view.fitted:
        if row.reach is None or row.compute_last is None:
            continue
        if row.reach.compute is None:
            budget = view.plan.budget is not None and row.reach.horizon <= view.plan.budget
            times = f"{row.reach.horizon / row.compute_last:.3g} times what has been run"
            where = f"the budget of {view.compute(row.reach.horizon)}" if budget else times
            far.setdefault(where, []).append(f"{row.recipe} ({_chance(row.reach.p)})")
        elif row.reach.compute.q50 <= row.compute_last:
            there.append(f"{row.recipe} (before it left its curve)" if row.verdict.name in BROKEN else row.recipe)
    wanted = view.reward(view.plan.reward)
    nowhere = [
        f"No compute is given where {wanted} is more likely missed than reached within {where}: {listed(names, _MOST)}."
        for where, names in far.items()
    ]
    return (*nowhere, *([f"{wanted} has probably been reached already: {listed(there, _MOST)}."] if there else []))


def _limits(row: RecipePlan) -> list[str]:
    if row.compute_last is None:
        return [f"Not fitted. {row.verdict.why}"]
    return [f"{note[:1].upper()}{note[1:]}." for note in row.notes]


def unordered(view: PlanView) -> str:
    """Return that no run shows learning, where several are put in an order; empty else."""
    if len(view.fitted) < 2 or any(row.verdict.ranks for row in view.plan.recipes if row.compute_last is not None):
        return ""
    return "No run shows learning yet: the order of the recipes says nothing."


def far_lead(view: PlanView) -> str:
    """Return that the budget lies beyond what forecasts were measured on; empty where it does not."""
    text = next((note for note in view.plan.notes if note.startswith(FAR_BUDGET)), "")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def few_lead(view: PlanView) -> str:
    """Return which recipes have too few evaluations to act on; empty where none has."""
    few = [row.recipe for row in view.fitted if any(FEW in note for note in row.notes)]
    return f"Too few evaluations to act on, its numbers are guesses: {listed(few, _MOST)}." if few else ""


def split_lead(view: PlanView) -> str:
    """Return how to split what is left of the budget, in a sentence; empty where nothing was asked."""
    split = view.plan.split
    if split is None:
        return f"The budget is not split: {view.plan.split_reason}." if view.plan.split_reason else ""
    left = f"Of the budget {view.compute(split.left)} are left"
    end = f"it is expected to end at {view.reward(split.reward)}"
    if len(split.recipes) == 1:
        return f"{left}: give all to {split.recipes[0]}, no other that learns may still be the best; {end}."
    names = listed(split.recipes)
    if len(split.recipes) > _NAMED:
        names = f"{len(split.recipes)} recipes ({names})"
    sure = f"the right one with {_chance(split.p_right)}"
    if split.explore_each <= 0.0:
        return f"{left}: choose among {names} now and give it all; it is {sure}, and {end}."
    each = f"{left}: run {names} for a further {view.compute(split.explore_each)} each"
    if split.commit <= 1e-9 * split.explore_each:
        return f"{each}, to the end of the budget, and take the best; it is {sure}, and {end}."
    return f"{each}, then give the remaining {quantity(split.commit)} to the best; it is {sure}, and {end}."


def split_words(view: PlanView) -> tuple[str, ...]:
    """Return the split beside committing at once and exploring to the end."""
    split = view.plan.split
    if split is None or len(split.points) < 2:
        return ()
    advised = SplitPoint(split.explore_each, split.commit, split.p_right, split.reward)
    points = [advised, *(point for point in (split.points[0], split.points[-1]) if point != advised)]
    said = [_point(view, point, point == advised) for point in points]
    return (
        *said,
        f"Advised is the shortest exploring within {_worth(view)} of the highest expected reward, simulated from the "
        "posteriors; what no curve here has shown is not in them.",
    )


def _point(view: PlanView, point: SplitPoint, advised: bool) -> str:
    each, rest = f"a further {view.compute(point.explore_each)} for each", view.compute(point.commit)
    what = f"{each}, then {rest} for the one chosen"
    if point.explore_each <= 0.0:
        what = f"committing at once, {rest} for the one chosen"
    elif point.commit <= 1e-9 * point.explore_each:
        what = f"exploring to the end, {each}"
    what = f"Advised: {what}" if advised else f"{what[:1].upper()}{what[1:]}"
    return f"{what}: right with {_chance(point.p_right)}, expected reward {view.reward(point.reward)}."


def crossing_words(view: PlanView) -> tuple[str, ...]:
    """Return a sentence for each crossing that is likelier than not, those still ahead first."""
    likely = [each for each in view.crossings if each.compute is not None and each.p >= LIKELY]
    last = {row.recipe: row.compute_last or 0.0 for row in view.plan.recipes}

    def past(each: Crossing) -> bool:
        assert each.compute is not None
        return each.compute.q50 <= min(last[each.a], last[each.b])

    def said(each: Crossing) -> str:
        assert each.compute is not None
        verb = "passed" if past(each) else "passes"
        where = f"{view.compute(each.compute.q50)} (80 %: {_span(each.compute)})"
        return f"{each.b} {verb} {each.a} at {where}, {_chance(each.p)}."

    if not likely and len(view.fitted) > 1:
        return (f"No recipe is likelier than not to pass another by {view.compute(view.plan.at)}.",)
    return tuple(map(said, sorted(likely, key=past)))


def share_words(view: PlanView) -> str:
    """Return RL's share of the compute of pretraining, in a sentence; empty where it was not asked for."""
    share = view.plan.pretraining
    if share is None:
        return ""
    whose = "the budget" if view.plan.budget is not None else "the longest run so far"
    return (
        f"RL at {view.compute(share.compute)}, {whose}, is {_percent(share.share)} of the compute of pretraining "
        f"({view.compute(share.pretraining)})."
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
