"""The page of plans: what compute buys, and what the data say of model sizes and rollouts where they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rlscale.answers import Answer, Section
from rlscale.answers.answer import Block
from rlscale.answers.plan import PlanView, plan_answer
from rlscale.answers.rollouts import rollouts_answer, rollouts_view
from rlscale.answers.sizes import sizes_answer, sizes_view
from rlscale.decisions.rollouts import rollouts
from rlscale.decisions.sizes import size_law
from rlscale.errors import InputError
from rlscale.inference import Fit
from rlscale.sources import Reading

__all__ = ["plan_page"]

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

    blocks = (*answer.blocks, *_part("Across model sizes", of_sizes), *_part("Rollouts per prompt", of_rollouts))
    return replace(answer, blocks=blocks)


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
