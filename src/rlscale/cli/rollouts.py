"""The command on rollouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rlscale.cli.base import answered, output, settings
from rlscale.errors import InputError
from rlscale.options import (
    FITTING,
    OUTPUT,
    PARTIAL,
    PATHS,
    READING,
    RUNS,
    example,
    fit_options,
    read_options,
    with_options,
)
from rlscale.typed import Compute, Count

if TYPE_CHECKING:
    from rlscale.decisions.rollouts import PassCounts
    from rlscale.sources import PromptTable

__all__ = ["rollouts"]

#: Options of the question itself.
_ASKED = ("budget", "spend", "most", "k", "problems", "batch_max", "unique")


@click.command(epilog=example("rlscale rollouts runs/ --budget 2e6\n  rlscale rollouts pass_counts.csv --budget 4096"))
@with_options(PATHS)
@click.option("--budget", type=Compute(endless=False), metavar="C",
              help="Compute of one run; with pass counts alone, rollouts to spread over the prompts.")  # fmt: skip
@click.option(
    "--problems",
    type=Count(1),
    metavar="B",
    help="Problems in a batch; as in the runs by default, and of runs in steps that state none.",
)
@click.option("--batch-max", type=Count(1), metavar="N", help="Largest batch, in rollouts.")
@click.option("--unique", type=Count(1), metavar="P", help="Prompts to train on: how often each would be used.")
@click.option("--spend", type=Count(2), metavar="N", help="Beside runs: rollouts to spread over the prompts.")
@click.option("--most", type=Count(2), default=64, show_default=True, metavar="N", help="Largest group of a prompt.")
@click.option("--best-at", "k", type=Count(1), default=4, show_default=True, metavar="K", help="Of best@k and worst@k.")
@with_options(RUNS, READING, PARTIAL, FITTING, OUTPUT)
def rollouts(paths: tuple[str, ...], **given: Any) -> None:
    """Rollouts per prompt, problems per batch and updates for a budget; rollouts over prompts.

    PATH is a log or a folder of logs of runs at several rollouts per prompt, as their trainer's configuration or a
    column rollouts says; with a column difficulty each class is answered apart. A file whose columns are prompt,
    correct and graded is a table of pass counts: its prompts share the rollouts of --budget, or of --spend where there
    are runs too.
    """
    from rlscale.answers.remarks import Remark
    from rlscale.answers.rollouts import rollouts_answer, rollouts_view
    from rlscale.decisions.rollouts import rollouts as decide
    from rlscale.sources import collect, without_prompt_tables

    to = output(given)
    options = fit_options(None, given)
    logs, tables = without_prompt_tables(paths)
    reading = collect(logs, read_options(given)) if logs else None
    answer = decide(
        () if reading is None else reading, counts=_counts(tables), seed_sd=given["seed_sd"], options=options,
        **{name: given[name] for name in _ASKED},
    )  # fmt: skip
    repaired = [Remark(text, (table.path,)) for table in tables for text in table.repairs]
    view = rollouts_view(answer, reading, settings(given), repaired)
    to.put(lambda charts: rollouts_answer(view, charts=charts))
    answered(answer.left_out, given)


def _counts(tables: list[PromptTable]) -> PassCounts | None:
    """Return the pass counts of all tables together; None where there are none."""
    if not tables:
        return None
    import numpy as np

    from rlscale.decisions.rollouts import PassCounts

    prompts = tuple(prompt for table in tables for prompt in table.prompt)
    correct, graded = (np.concatenate([getattr(table, name) for table in tables]) for name in ("correct", "graded"))
    try:
        return PassCounts(prompts, correct, graded)
    except InputError as error:
        raise InputError(f"{', '.join(table.path for table in tables)}: {error.on_command_line}") from error
