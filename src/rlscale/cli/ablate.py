"""The command for ablations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rlscale.cli.base import answered, output, settings
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

__all__ = ["ablate"]


@click.command(epilog=example("rlscale ablate runs/ --settings knobs.csv --plot ablation.png"))
@with_options(PATHS)
@click.option("--knob", multiple=True, metavar="NAME", help="Report this setting only; repeat. Others still count.")
@click.option("--baseline", metavar="RUN|RECIPE", help="What the others are compared with.")
@click.option(
    "--settings", "settings_path", type=click.Path(path_type=Path), metavar="F.csv",
    help="A column run or recipe and a column a knob; settings.csv in the folder by default.",
)  # fmt: skip
@click.option("--effect", type=Amount(), default=0.03, show_default=True, metavar="E", help="Of what seeds are told.")
@click.option("--target", type=Compute(endless=False), metavar="C", help="Common compute; the smallest last one.")
@with_options(RUNS, READING, PARTIAL, FITTING, OUTPUT)
def ablate(
    paths: tuple[str, ...],
    knob: tuple[str, ...],
    baseline: str | None,
    settings_path: Path | None,
    effect: float,
    target: float | None,
    **given: Any,
) -> None:
    """Which knob moved the ceiling, and which only the speed.

    PATH is a log or a folder of logs whose settings are known: logged, as columns of a table that are the same in all
    rows of a run, or from --settings. Claims are controlled over all comparisons; what is not resolved is told with the
    seeds or the compute that would resolve an effect of --effect.
    """
    from rlscale.answers.ablate import ablate_answer, ablate_view
    from rlscale.decisions.ablation import ablate as compare
    from rlscale.sources import collect, settings_file

    to = output(given)
    stated = None if settings_path is None else settings_file(settings_path)
    options = fit_options(None, given)
    reading = collect(paths, read_options(given))
    ablation = compare(
        reading, knob=knob, baseline=baseline, settings=stated, effect=effect, target=target,
        seed_sd=given["seed_sd"], options=options,
    )  # fmt: skip
    own = {"knob": [*knob], "baseline": baseline, "effect": effect, "target": target,
           "settings": None if settings_path is None else str(settings_path)}  # fmt: skip
    view = ablate_view(ablation, reading, settings(given, **own))
    to.put(lambda charts: ablate_answer(view, charts=charts))
    answered(ablation.left_out, given)
