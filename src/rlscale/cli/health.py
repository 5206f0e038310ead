"""The command that judges runs: health."""

from __future__ import annotations

from typing import Any

import click

from rlscale.cli.base import output, settings
from rlscale.errors import InputError
from rlscale.options import OUTPUT, PATHS, READING, RUNS, example, priced_options, with_options

__all__ = ["health"]


@click.command(epilog=example("rlscale health runs/ --explain base/seed0 --report health.html"))
@with_options(PATHS)
@click.option("--explain", metavar="RUN", help="Line the series of this run up under its curve, with all alarms.")
@with_options(RUNS, READING, OUTPUT)
def health(paths: tuple[str, ...], explain: str | None, **given: Any) -> None:
    """Judge the series beside each curve: truncation, entropy, KL, mismatch, dead groups, NaN, hacking, and more.

    PATH is a log or a folder of logs. Every alarm says since when, what it was compared with, and how often it fires on
    healthy runs. What a log does not hold is not measurable, never healthy.
    """
    from rlscale.answers.health import health_answer, health_view
    from rlscale.health import check_health
    from rlscale.sources import collect

    to = output(given)
    reading = collect(paths, priced_options(given))
    if not reading.runs:
        raise InputError("nothing to judge: no run could be read")
    judged = check_health(reading, until=given["until"])
    view = health_view(judged, reading, settings({**given, "explain": explain}), explain=explain)
    to.put(lambda charts: health_answer(view, charts=charts))
