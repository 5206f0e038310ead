"""What is said of rollouts: the headline, the split of the budget, overfitting, and the limits of all of it."""

from __future__ import annotations

import math
import re

from rlscale.answers.answer import Sentence
from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, number, probability, quantity, reward, span
from rlscale.answers.rollouts.view import RolloutsView
from rlscale.answers.views import listed
from rlscale.decisions.rollouts import Allocation, ClassRollouts, PromptAllocation, TriedN
from rlscale.inference import Interval

__all__ = [
    "basis",
    "best_at_k",
    "by_class",
    "ends",
    "headline",
    "lead",
    "limits",
    "plain",
    "prompts",
    "reuse",
    "sentence",
    "split",
    "training",
    "unused",
]

#: What the two laws are, under every answer from runs.
_LAW = (
    "n* is the smallest number of rollouts per prompt whose reward comes within .002 of the range of the best: "
    "ln n* = l0 + (l1 - l0) / (1 + exp(-s (ln C - c))), a rise that ends at exp(l1). It is fitted between the numbers "
    "tried; intervals are 80 %."
)
#: How the note begins that says that compute is not in the unit of the logs.
_CONVERTED = "compute and budget are in"
#: What the problems of a batch are, by where they are from.
_PROBLEMS = {"option": "as given", "runs": "those of the runs", "limit": "those that the largest batch holds"}
#: What places of the published range are called.
_PUBLISHED = {
    "safe": "within the range without a significant loss",
    "not measured": "between what was measured as safe and as a mild loss: not measured",
    "mild loss": "where a mild loss was measured",
    "overfit": "where overfitting was measured",
}


def headline(view: RolloutsView) -> str:
    """Return the answer in a sentence; first, what it lacks."""
    return f"{lacking(view.left_out, view.runs)}{_answered(view)}"


def _answered(view: RolloutsView) -> str:
    classes = view.answer.classes
    if not classes:
        return _counted(view)
    if len(classes) == 1:
        return _best(view, classes[0])
    parts = [f"{_name(entry)} {_brief(view, entry)}" for entry in classes]
    if all(entry.n_star is None for entry in classes):
        return f"Best of the numbers of rollouts tried: {listed(parts, len(parts))}.".replace(" of those tried", "")
    budget = view.answer.budget
    at = "where their runs end" if budget is None else f"at {quantity(budget, view.answer.unit)} a run"
    return f"Best rollouts per prompt {at}: {listed(parts, len(parts))}."


def _name(entry: ClassRollouts) -> str:
    return entry.name or "without a class"


def _brief(view: RolloutsView, entry: ClassRollouts) -> str:
    if entry.n_star is None:
        ahead = _ahead(entry)
        if ahead is None:
            return "not known"
        at = quantity(entry.compared_at, view.answer.unit)
        return f"{ahead.n:,} of those tried at {at} ({probability(ahead.p_best)} sure)"
    beyond = "" if entry.n_star.where == "supported" else ", beyond what was evaluated"
    return f"about {_count(entry.n_star.n)} ({ends(entry.n_star.n)}{beyond})"


def _best(view: RolloutsView, entry: ClassRollouts) -> str:
    """Return what is best in one class, as a sentence."""
    unit, why = view.answer.unit, plain(entry.reasons.get("n_star", ""))
    if entry.n_star is not None:
        at = f"At {quantity(entry.n_star.compute, unit)} a run"
        about = f"about {_count(entry.n_star.n)} rollouts per prompt are best (80 %: {ends(entry.n_star.n)})"
        if entry.n_star.where == "supported" or entry.supported is None:
            return f"{at}, {about}."
        return f"{at}, which is beyond the {quantity(entry.supported[1])} evaluated, {about}: by the law alone."
    ahead = _ahead(entry)
    if ahead is not None:
        return (
            f"At {quantity(entry.compared_at, unit)}, {ahead.n} rollouts per prompt have the highest reward with "
            f"probability {probability(ahead.p_best)}; {why}."
        )
    return f"The best number of rollouts per prompt is not known: {why}."


def _ahead(entry: ClassRollouts) -> TriedN | None:
    """Return what is probably best of the numbers tried; None where nothing tells."""
    gained = [tried for tried in entry.tried if tried.verdict.ranks]
    return max(gained, key=lambda tried: tried.p_best or 0.0) if gained and entry.supported is not None else None


def _counted(view: RolloutsView) -> str:
    """Return what pass counts alone say."""
    prompts, best = view.answer.prompts, view.answer.best_at_k
    if prompts is not None:
        groups = sum(share.rollouts > 0 for share in prompts.prompts)
        return (
            f"{prompts.used:,} rollouts over {groups:,} of {count(len(prompts.prompts), 'prompt')} should give "
            f"{count(round(prompts.mixed.q50), 'group')} with right and wrong answers (80 %: {ends(prompts.mixed)}); "
            f"spread evenly over all they would give {prompts.even:,.0f}."
        )
    if best is None:
        return "The pass counts answer nothing yet: give --budget, the rollouts to spread over the prompts."
    return (
        f"Of {best.k} samples at least one is right for {_percent(best.best)} of prompts, and all are for "
        f"{_percent(best.worst)}."
    )


def lead(view: RolloutsView) -> tuple[str, ...]:
    """Return what stands under the headline: where the rise ends, the split, what to beware of."""
    classes, sentences = view.answer.classes, []
    if len(classes) == 1:
        sentences += [
            _nearest(view, classes[0]),
            _largest(classes[0]),
            _ends(view, classes[0]),
            _split(view, classes[0].allocation),
        ]
    sentences += [sentence(text) for text in view.answer.notes if text.startswith(_CONVERTED)]
    opposed = [entry for entry in classes if entry.training is not None and entry.training.opposed]
    sentences += [_opposed(view, entry) for entry in opposed]
    reuse_ = view.answer.data_reuse
    if reuse_ is not None and reuse_.widening:
        sentences.append(
            f"Training less validation reward widens in {listed(reuse_.widening)}: a sign of overfitting, see below."
        )
    return tuple(text for text in sentences if text)


def _ends(view: RolloutsView, entry: ClassRollouts) -> str:
    """Say where the rise of the best number ends."""
    if entry.saturation is not None and entry.supported is not None:
        return (
            f"Its rise ends at about {_count(entry.saturation)} (80 %: {ends(entry.saturation)}); that it is over by "
            f"{quantity(entry.supported[1], view.answer.unit)} has probability {probability(entry.p_saturated)}."
        )
    why = plain(entry.reasons.get("saturation", ""))
    return (
        "" if not why or why == plain(entry.reasons.get("n_star", "")) else f"Where its rise ends is not known: {why}."
    )


def _nearest(view: RolloutsView, entry: ClassRollouts) -> str:
    """Say where the number tried that is nearest to the best one broke off."""
    if entry.n_star is None:
        return ""
    best = entry.n_star.n.q50
    nearest = min(entry.tried, key=lambda tried: abs(math.log(tried.n / best)))
    until = quantity(nearest.broke_at, view.answer.unit)
    said = f"Beware: {nearest.n:,}, the nearest number tried, broke off after {until} and counts up to there."
    return "" if nearest.broke_at is None else said


def _largest(entry: ClassRollouts) -> str:
    """Say where the best number may lie beyond all that was tried."""
    largest = entry.n[-1]
    if entry.n_star is None or entry.n_star.n.q90 <= largest:
        return ""
    return f"Its interval reaches beyond {largest:,}, the largest number tried: try more to be sure."


def _split(view: RolloutsView, allocation: Allocation | None) -> str:
    if allocation is None:
        return ""
    low, high = allocation.updates_range
    return (
        f"The budget is then {count(allocation.updates, 'update')} ({low:,}–{high:,} for the ends of the interval) of "
        f"{count(allocation.problems_per_batch, 'problem')} with {allocation.rollouts:,} rollouts each."
    )


def _opposed(view: RolloutsView, entry: ClassRollouts) -> str:
    contrast = entry.training
    assert contrast is not None
    where = "" if entry.name is None else f" ({entry.name})"
    return (
        f"Beware{where}: training reward and validation rank the rollouts oppositely at "
        f"{quantity(contrast.compute, view.answer.unit)} with probability {probability(contrast.p_opposed)}. Best by "
        f"training are {contrast.best_by_training}, by validation {contrast.best_by_validation}; choose by validation."
    )


def by_class(view: RolloutsView) -> tuple[Sentence, ...]:
    """Return what is said of each class of difficulty, where there are several."""
    if len(view.answer.classes) < 2:
        return ()
    return tuple(Sentence(_together(view, entry), _name(entry)) for entry in view.answer.classes)


def _together(view: RolloutsView, entry: ClassRollouts) -> str:
    parts = (
        _best(view, entry),
        _nearest(view, entry),
        _largest(entry),
        _ends(view, entry),
        _split(view, entry.allocation),
    )
    return " ".join(part for part in parts if part)


def split(view: RolloutsView) -> tuple[Sentence | str, ...]:
    """Return the cost model behind the split of the budget, its notes, or why there is none."""
    sentences: list[Sentence | str] = []
    for entry in view.answer.classes:
        allocation, subject = entry.allocation, "" if len(view.answer.classes) == 1 else _name(entry)
        if allocation is not None:
            sentences.append(Sentence(_cost(allocation), subject))
            sentences += [sentence(text) for text in allocation.notes if sentence(text) not in sentences]
            continue
        why = entry.reasons.get("allocation", "")
        if view.answer.budget is not None and why and why != entry.reasons.get("n_star"):
            sentences.append(Sentence(f"There is no split: {why}.", subject))
    return tuple(sentences)


def _cost(allocation: Allocation) -> str:
    """Return the cost model of a split."""
    cost = allocation.cost_per_rollout
    problems = _PROBLEMS[allocation.problems_from]
    model = "Compute = problems per batch · rollouts · updates"
    if allocation.unit == "samples":
        return f"{model}, in samples; the problems per batch are {problems}."
    around = "" if cost.q10 == cost.q90 else f" (from {quantity(cost.q10)} to {quantity(cost.q90)} over the runs)"
    return (
        f"{model} · the cost of a rollout and the training on it, {quantity(cost.q50, allocation.unit)}{around}; the "
        f"problems per batch are {problems}."
    )


def training(view: RolloutsView) -> tuple[Sentence | str, ...]:
    """Return training reward against validation, for each number of rollouts."""
    sentences: list[Sentence | str] = []
    for entry in view.answer.classes:
        contrast = entry.training
        if contrast is None:
            continue
        verdict = "They rank the rollouts oppositely" if contrast.opposed else "They are not shown to disagree"
        subject = "" if len(view.answer.classes) == 1 else _name(entry)
        sentences.append(
            Sentence(
                f"{verdict} (probability of opposite slopes {probability(contrast.p_opposed)}). For each doubling of "
                f"the rollouts validation changes by {_change(view, contrast.slope_validation)}, training reward by "
                f"{_change(view, contrast.slope_training)}, at {quantity(contrast.compute, view.answer.unit)}.",
                subject,
            )
        )
        sentences += [
            Sentence(f"validation {_reward(view, valid)}, training {_reward(view, train)}", f"{n:,} rollouts", level=1)
            for n, valid, train in zip(contrast.n, contrast.validation, contrast.training, strict=True)
        ]
    return tuple(sentences)


def _change(view: RolloutsView, slope: Interval) -> str:
    bounds = view.shown_in
    return f"{reward(slope.q50, bounds)} ({reward(slope.q10, bounds)} to {reward(slope.q90, bounds)})"


def _reward(view: RolloutsView, value: Interval) -> str:
    return f"{reward(value.q50, view.shown_in)} ({span(value, view.shown_in)})"


def reuse(view: RolloutsView) -> tuple[str, ...]:
    """Return how often prompts are used, beside what was published and what the own logs show."""
    uses = view.answer.data_reuse
    if uses is None:
        return ()
    sentences = []
    if uses.planned is not None:
        sentences.append(f"The budget means {number(uses.planned, 1)} uses of each prompt.")
    if uses.passes is not None:
        sentences.append(f"The runs used each prompt up to {number(uses.passes, 1)} times.")
    if uses.published is not None:
        sentences.append(
            f"That is {_PUBLISHED[uses.published]} (published: no significant loss up to {uses.safe:.0f} uses, a "
            f"mild one at {uses.mild:.0f}, overfitting at {uses.overfit:.0f})."
        )
    return (*sentences, *map(sentence, uses.notes))


def prompts(view: RolloutsView) -> tuple[str, ...]:
    """Return what is said of the prompts together."""
    allocation = view.answer.prompts
    if allocation is None:
        return ()
    return (*_mixed(view, allocation), *map(sentence, allocation.notes))


def _mixed(view: RolloutsView, allocation: PromptAllocation) -> tuple[str, ...]:
    share, prior = allocation.mixed_share, allocation.prior
    expected = (
        f"Of the groups that get rollouts {_percent(share)} should hold right and wrong answers and so teach "
        f"something; an even spread of {allocation.budget:,} rollouts would give {allocation.even:,.0f} such groups, "
        f"this one {allocation.mixed.q50:,.0f}."
    )
    believed = (
        f"Learned from all prompts: {prior.never:.0%} are never solved, {prior.always:.0%} always; pass rates of the "
        f"others follow Beta({prior.a:.2g}, {prior.b:.2g})."
    ).replace("%", " %")
    return (expected, believed) if view.answer.classes else (expected.partition("; ")[0] + ".", believed)


def best_at_k(view: RolloutsView) -> tuple[str, ...]:
    """Return best@k and worst@k."""
    both = view.answer.best_at_k
    if both is None:
        return ()
    fewer = "" if both.left_out == 0 else f" {count(both.left_out, 'prompt')} with fewer samples are left out."
    return (
        f"best@{both.k}, at least one of {both.k} right: {_percent(both.best)}; worst@{both.k}, all right: "
        f"{_percent(both.worst)}; means over {count(both.prompts, 'prompt')}, unbiased for each.{fewer}",
    )


def limits(view: RolloutsView) -> tuple[Sentence | str, ...]:
    """Return what the numbers do not say."""
    sentences: list[Sentence | str] = []
    several = len(view.answer.classes) > 1
    for entry in view.answer.classes:
        subject = _name(entry) if several else ""
        sentences += [
            Sentence(sentence(text), subject) for text in entry.notes if not text.startswith("training reward and")
        ]
    return (*sentences, *(sentence(text) for text in view.answer.notes if not text.startswith(_CONVERTED)))


def basis(view: RolloutsView) -> tuple[str, ...]:
    """Return what the numbers rest on."""
    spread = view.answer.seed_sd
    if spread is None:
        return ()
    where = {
        "given": "as given",
        "default": "the default: no number of rollouts has several runs of a recipe (--seed-sd sets it)",
        "replicates": f"learned from replicates ({count(spread.replicates, 'degree')} of freedom)",
    }[spread.source]
    law = (_LAW,) if any(entry.law is not None for entry in view.answer.classes) else ()
    tau = f"Run-to-run sd included: τ = {spread.value:.3f} of the range, {where}."
    return (*law, tau, "P(best) and the rewards are of the numbers tried, at the compute that heads their column.")


def unused(view: RolloutsView) -> tuple[str, ...]:
    """Return the runs that count nowhere and that the headline does not name."""
    return tuple(f"{lost.run or lost.path}: {sentence(lost.why)}" for lost in view.left_out if not lost.counted)


def sentence(text: str) -> str:
    """Return a note as a sentence.

    Examples
    --------
    >>> sentence("no budget was given")
    'No budget was given.'
    """
    text = plain(text)
    first = text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text
    return first if first.endswith((".", "!", "?")) else f"{first}."


def plain(text: str) -> str:
    """Return a text with its powers of ten as people read them.

    Examples
    --------
    >>> plain("by 1e+06, not by 2.5e+07")
    'by 1M, not by 25M'
    """
    return re.sub(r"\d(?:\.\d+)?e\+\d+", lambda number: quantity(float(number[0]), digits=4), text)


def ends(interval: Interval) -> str:
    """Return the ends of an interval of a number that is counted."""
    return f"{interval.q10:,.0f}–{interval.q90:,.0f}"


def _count(interval: Interval) -> str:
    return f"{interval.q50:,.0f}"


def _percent(share: Interval) -> str:
    return f"{100 * share.q50:.0f} % (80 %: {100 * share.q10:.0f}–{100 * share.q90:.0f} %)"
