"""The command across model sizes."""

from __future__ import annotations

from typing import Any

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
from rlscale.typed import Amount, Compute

__all__ = ["sizes"]


@click.command(epilog=example("rlscale sizes runs.csv --predict 72B --budget 1e5"))
@with_options(PATHS)
@click.option(
    "--predict", type=Amount(), multiple=True, metavar="N",
    help="A size to predict, 72B or 7.2e10; one that has runs is predicted without them; repeat.",
)  # fmt: skip
@click.option("--budget", type=Compute(endless=False), metavar="C", help="Compute of one run: the best size there.")
@click.option("--r-max", type=Amount(), metavar="R", help="Largest reward possible; by default the upper bound.")
@with_options(RUNS, READING, PARTIAL, FITTING[:4], OUTPUT)
def sizes(
    paths: tuple[str, ...], predict: tuple[float, ...], budget: float | None, r_max: float | None, **given: Any
) -> None:
    """Exponents across model sizes, sizes without runs, the best size for a budget.

    PATH is a log or a folder of logs, of two or better three sizes and more. A table says the size in a column
    model_params, as 7e9 or 7B. The law is log L = -k(N) log X + E(N) with k(N) = K_max / (1 + N0/N), L = 1 - R/R_max.
    """
    from rlscale.answers.sizes import sizes_answer, sizes_view
    from rlscale.decisions.sizes import size_law
    from rlscale.sources import collect

    to = output(given)
    options = fit_options(None, given)
    reading = collect(paths, read_options(given))
    law = size_law(reading, predict=predict, budget=budget, r_max=r_max, options=options)
    lost = next((each for each in law.left_out if each.counted), None)
    if lost is not None and given["strict"]:
        raise InputError(f"{lost.run}: {lost.why}; without --strict it is left out", parameter="model_params")
    view = sizes_view(law, reading, settings(given, predict=[*predict], budget=budget, r_max=r_max))
    to.put(lambda charts: sizes_answer(view, charts=charts))
    answered(law.left_out, given)
