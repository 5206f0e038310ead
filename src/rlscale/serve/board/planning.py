"""The page of plans: what compute buys, and what the data say of model sizes and rollouts where they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rlscale.answers import Answer, Section
from rlscale.answers.answer import Block
from rlscale.answers.numbers import quantity
from rlscale.answers.plan import PlanView, plan_answer
from rlscale.answers.rollouts import rollouts_answer, rollouts_view
from rlscale.answers.sizes import sizes_answer, sizes_view
from rlscale.decisions.rollouts import rollouts
from rlscale.decisions.sizes import size_law
from rlscale.errors import InputError
from rlscale.inference import Fit
from rlscale.sources import Reading

__all__ = ["PAGED", "plan_page"]

_LAST_CHANGE = (
    "Each is the last change of who is ahead by .01 of the range, over all draws of both curves. Overview and Compare "
    "say where the two median curves meet, which is another compute."
)
#: Tables that have a row a recipe.
PAGED = ("reach", "doubling")

#: Title of what was repaired, or is to be known, of what was read.
_INPUT = "About the input"


def plan_page(
    view: PlanView, reading: Reading, fits: Sequence[Fit], budget: float | None, seed_sd: float | None
) -> Answer:
    """Return the answer of ``plan``, followed by those on sizes and rollouts, or why there are none."""
    answer = plan_answer(view, charts=True)
    sizes = len({run.model_params for run in reading.runs if run.model_params is not None})
    counts = {run.settings["generations"] for run in reading.runs if run.settings.get("generations") is not None}

    def of_sizes() -> Answer:
        if sizes < 2:
            raise InputError(
                f"the runs state {'one size' if sizes else 'no size'} of their model; two or better three are needed "
                "(model_params in a table, or in the trainer's configuration)"
            )
        return sizes_answer(sizes_view(size_law(reading, budget=budget), reading), charts=True)

    def of_rollouts() -> Answer:
        if len(counts) < 2:
            raise InputError(
                f"the runs state {'one number' if counts else 'no number'} of rollouts per prompt; several are needed"
            )
        return rollouts_answer(rollouts_view(rollouts(fits, budget=budget, seed_sd=seed_sd), reading), charts=True)

    parts = [_crossings(block) if isinstance(block, Section) else block for block in answer.blocks]
    blocks = (*parts, *_part("Across model sizes", of_sizes), *_part("Rollouts per prompt", of_rollouts))
    lead = answer.lead if budget is None else (_pot(reading, budget), *answer.lead)
    return replace(answer, blocks=blocks, lead=lead)


def _pot(reading: Reading, budget: float) -> str:
    """Say which budget a plan means: on the other pages every run may get it."""
    longest = max(reading.runs, key=lambda run: run.curve.compute_last)
    most, unit = longest.curve.compute_last, longest.curve.unit
    if budget <= most:
        return (
            f"The budget of {quantity(budget, unit)} has been spent by {longest.name} already: nothing is left to plan."
        )
    return (
        f"On this page the budget is one pot for all: {quantity(budget - most, unit)} are left to be split among the "
        f"recipes, what {longest.name}, the longest run, would need to get from {quantity(most)} to "
        f"{quantity(budget, unit)}. On Overview and Decisions each run may get {quantity(budget, unit)}."
    )


def _crossings(section: Section) -> Section:
    """Say what the crossings of a plan are, beside those of medians on the other pages."""
    if section.title != "Crossings" or not section.sentences:
        return section
    return replace(section, note=_LAST_CHANGE)


def _part(title: str, make: Callable[[], Answer]) -> Iterator[Block]:
    """Yield another answer under a title, or why there is none."""
    try:
        answer = make()
    except InputError as error:
        message = error.on_command_line
        yield Section(title, (f"Not shown: {message}.",))
        return
    yield Section(title, (answer.headline, *answer.lead))
    yield from (block for block in answer.blocks if block.title != _INPUT)  # it stands above
