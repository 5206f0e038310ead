"""Commands about logs: show, sources, simulate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlscale.options import OUTPUT, PATHS, RUNS, example, read_options, with_options
from rlscale.typed import Amount, Count

if TYPE_CHECKING:
    from rlscale.curves import Run, Truth

__all__ = ["show", "simulate", "sources"]

#: Runs whose truth ``simulate`` prints.
_SHOWN = 40


@click.command(epilog=example("rlscale show runs/base/trainer_state.json"))
@with_options(PATHS)
@click.option("--gpus", type=Amount(), metavar="N", help="GPUs a run used, where the log does not say.")
@click.option("--recipe", metavar="REGEX", help="Recipe of a run: group 1 of this pattern on its name.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="Runs, by name, that are left out; repeat.")
@click.option("--by", metavar="COLUMN", help="The column of a table that means the recipe.")
@click.option("--wide", is_flag=True, help="Each column of a table, beside its compute, is a run.")
@click.option("--compute", metavar="KEY", help="The column or key that holds the compute.")
@click.option("--strict", is_flag=True, help="Stop at the first file that cannot be read.")
@with_options(RUNS, OUTPUT[:1])
def show(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show what a log holds: metrics, units, compute, configuration, repairs. Nothing is chosen or fitted.

    PATH is a log, a folder of logs, or a tracker's address.
    """
    from rlscale.cli.base import for_bug_report
    from rlscale.render.console import console
    from rlscale.render.json import dumps
    from rlscale.render.logs import print_survey, survey_document
    from rlscale.sources import survey
    from rlscale.sources.printable import clean

    found = survey(paths, read_options(given))
    if as_json:
        click.echo(dumps(survey_document(found)))
    else:
        print_survey(found, console())
    for error in found.errors:
        click.echo(f"left out {clean(error.on_command_line)}", err=True)
    for_bug_report(*found.errors)


@click.command(epilog=example("rlscale sources --metrics --trainer verl"))
@click.option("--metrics", is_flag=True, help="The canonical metric table: which trainer logs what under which key.")
@click.option("--trainer", metavar="NAME", help="The keys of one trainer.")
@with_options(OUTPUT[:1])
def sources(metrics: bool, trainer: str | None, as_json: bool) -> None:
    """List what can be read, from where, and with which extra."""
    from rlscale.render.console import console
    from rlscale.render.json import dumps
    from rlscale.render.logs import metrics_document, print_metrics, print_sources, sources_document

    keys = metrics or trainer is not None
    if as_json:
        click.echo(dumps(metrics_document(trainer) if keys else sources_document()))
    elif keys:
        print_metrics(trainer, console())
    else:
        print_sources(console())


@click.command(epilog=example("rlscale simulate --recipes 4 --out runs.csv --truth truth.json"))
@click.option("--out", type=click.Path(path_type=Path), metavar="F.csv", help="Write the table here, not to stdout.")
@click.option("--truth", type=click.Path(path_type=Path), metavar="F.json", help="Write the truth here, not to stderr.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random numbers.")
@click.option(
    "--recipes", type=Count(), default=3, show_default=True, help="Recipes; the first is an early-leader trap."
)
@click.option("--seeds", type=Count(), default=2, show_default=True, help="Runs of each recipe.")
@click.option("--points", type=Count(), default=40, show_default=True, help="Evaluations of a run after the one at 0.")
@click.option("--sigma", type=float, default=0.012, show_default=True, help="Sd of the evaluation noise.")
@click.option("--rho", type=float, default=0.3, show_default=True, help="Its correlation between neighbours.")
@click.option("--unit", default="steps", show_default=True, metavar="U", help="Unit of compute.")
@click.option("--json", "as_json", is_flag=True, help="Print truth and curves as JSON on stdout.")
def simulate(out: Path | None, truth: Path | None, as_json: bool, **given: Any) -> None:
    """Curves with known truth, for trials and checks: a long table as CSV."""
    from rlscale.curves import simulated_runs
    from rlscale.render.json import dumps
    from rlscale.render.output import write_file
    from rlscale.render.simulated import simulated_document, table_csv, truth_document

    pairs: list[tuple[Run, Truth]] = simulated_runs(
        given["recipes"], given["seeds"], given["points"], given["seed"],
        sigma=given["sigma"], rho=given["rho"], unit=given["unit"],
    )  # fmt: skip
    table = table_csv([run for run, _ in pairs])
    if out is not None:
        write_file(out, table)
    if as_json:
        click.echo(dumps(simulated_document(pairs)))
    elif out is None:
        click.echo(table, nl=False)
    if truth is not None:
        write_file(truth, dumps(truth_document(pairs)) + "\n")
    elif not as_json:
        click.echo("\n".join(_truth_lines(pairs)), err=True)


def _truth_lines(pairs: Sequence[tuple[Run, Truth]]) -> list[str]:
    lines = [
        f"truth {run.name}: R0 {t.R0:.3f}, A {t.A:.3f}, B {t.B:.2f}, C_mid {t.C_mid:.4g} {run.curve.unit}"
        for run, t in pairs[:_SHOWN]
    ]
    more = len(pairs) - _SHOWN
    return [*lines, f"… and {more:,} more runs (--truth F.json writes all)"] if more > 0 else lines
