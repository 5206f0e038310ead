"""Commands on a ledger: add, list, history, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from rlscale.cli.base import Commands, output, watched
from rlscale.errors import InputError
from rlscale.options import (
    FITTING,
    LEDGER,
    OUTPUT,
    PATHS,
    READING,
    RUNS,
    example,
    fit_options,
    read_options,
    with_options,
)
from rlscale.typed import Compute, Count

__all__ = ["ledger"]

_TABLES = ("points", "fits", "decisions", "overrides", "events")


@click.group(cls=Commands, epilog=example("rlscale ledger add runs/ --ledger runs.db"))
def ledger() -> None:
    """Keep runs, what was believed of them and what was decided: in an SQLite file, or in PostgreSQL for a team."""


@ledger.command(epilog=example("rlscale ledger add bundled --ledger runs.db"))
@with_options(PATHS, LEDGER)
@click.option("--target", type=Compute(), metavar="C", help="Also forecast here, and rank recipes by it; else by A.")
@click.option("--looks", type=Count(1, 1000), default=24, show_default=True, help="Fits along each run.")
@click.option("--no-fits", is_flag=True, help="Keep the points only.")
@with_options(RUNS, READING, FITTING[:4], OUTPUT[:1])
def add(paths: tuple[str, ...], where: str, **given: Any) -> None:
    """Put runs into a ledger, which is made where there is none, and fit each as it grew.

    PATH is a log or a folder of logs. What is there already is left alone, so this can be done again and again.
    """
    from rlscale.answers.coverage import coverage_document
    from rlscale.answers.documents import SCHEMA
    from rlscale.ledger import Ledger
    from rlscale.live import Intake
    from rlscale.live.growth import Growth, grown
    from rlscale.render.console import console
    from rlscale.render.json import dumps
    from rlscale.sources import collect

    to = output({**given, "plot": None, "report": None})
    how = Growth(given["looks"], fit_options(None, given), given["target"])
    reading = collect(paths, read_options(given))
    with Ledger(where, create=True) as held:
        taken = Intake(held).take(reading.runs)
        made = 0
        if not given["no_fits"]:
            with watched("fitting", len(taken.runs)) as watch:
                made = grown(held, held.book.runs([row.name for row in taken.runs]), how, watch)
        address = str(held.where)
    if to.json:
        click.echo(dumps({
            "schema": SCHEMA, "ledger": address, "runs": [row.name for row in taken.runs], "points": taken.points,
            "fits": made, "refused": [{"run": run, "message": why} for run, why in taken.refused.items()],
            "errors": [{"path": error.path, "message": error.message} for error in reading.errors],
            **coverage_document(reading.grouping, reading.left_out),
        }))  # fmt: skip
    else:
        console().print(
            f"{address}: {len(taken.runs):,} runs, {taken.points:,} new points, {made:,} new fits", soft_wrap=True
        )
    for error in reading.errors:
        console(stderr=True).print(f"left out {error.path}: {error.message}", soft_wrap=True)
    for why in taken.refused.values():
        console(stderr=True).print(f"left out {why}", soft_wrap=True)
    if taken.refused and (given["strict"] or not taken.runs):
        raise InputError(next(iter(taken.refused.values())))


@ledger.command("list", epilog=example("rlscale ledger list --ledger runs.db --run base/seed0"))
@with_options(LEDGER)
@with_options(RUNS)
@click.option("--price", type=Count(), metavar="P", help="Dollars for one GPU-hour: savings are told in money, too.")
@with_options(OUTPUT[:1])
def list_(where: str, run: tuple[str, ...], price: float | None, as_json: bool) -> None:
    """Show the runs of a ledger, what was decided on them and saved, what people said, what went wrong."""
    from rlscale.ledger import Ledger
    from rlscale.render.console import console
    from rlscale.render.json import dumps
    from rlscale.render.ledger.listing import listing, listing_document, print_listing

    with Ledger(where) as held:
        view = listing(held, run, price)
    if as_json:
        click.echo(dumps(listing_document(view)))
    else:
        print_listing(view, console())


@ledger.command(epilog=example("rlscale ledger history base --ledger runs.db --plot history.png"))
@click.argument("recipe", metavar="[RECIPE]", required=False)
@with_options(LEDGER, OUTPUT)
def history(recipe: str | None, where: str, **given: Any) -> None:
    """Show what a recipe was believed to reach as it grew: its ceiling with its interval, and its place at each refit.

    Without RECIPE, all recipes as they are believed now.
    """
    from rlscale.answers import Settings
    from rlscale.answers.history import history_answer
    from rlscale.ledger import Ledger
    from rlscale.live.past import past

    to = output(given)
    with Ledger(where) as held:
        view, address = past(held, recipe), str(held.where)
    used = Settings(command=click.get_current_context().obj)
    to.put(lambda charts: history_answer(view, address, used, charts=charts))


@ledger.command(epilog=example("rlscale ledger export --ledger runs.db --table decisions --out decisions.csv"))
@with_options(LEDGER)
@click.option("--table", type=click.Choice(_TABLES), default="points", show_default=True, help="What to write.")
@click.option("--out", type=click.Path(path_type=Path), metavar="F.csv", help="Write here, not to stdout.")
@with_options(OUTPUT[:1])
def export(where: str, table: str, out: Path | None, as_json: bool) -> None:
    """Write what a ledger holds as CSV; the points are a table that every command reads."""
    from rlscale.answers.documents import SCHEMA
    from rlscale.ledger import Ledger
    from rlscale.render.json import dumps
    from rlscale.render.ledger.export import rows_of, write_csv

    with Ledger(where) as held:
        if as_json:
            click.echo(dumps({"schema": SCHEMA, "table": table, "rows": list(rows_of(held, table))}))
        elif out is None:
            write_csv(rows_of(held, table), sys.stdout)
        else:
            try:
                with out.open("w", encoding="utf-8", newline="") as to:
                    number = write_csv(rows_of(held, table), to)
            except OSError as error:
                raise InputError(
                    f"cannot write {out}: {error.strerror}; give a file in a folder that exists"
                ) from error
            click.echo(f"wrote {out}: {number:,} rows", err=True)
