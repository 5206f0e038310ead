"""The command that judges runs: health."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from rlscale.cli.alarms import alarm_sinks, stopped_by, to_end
from rlscale.cli.base import output, settings
from rlscale.errors import InputError
from rlscale.options import ALARMS, OUTPUT, PATHS, READING, RUNS, example, priced_options, with_options

if TYPE_CHECKING:
    from rlscale.live.alarms import LogLook
    from rlscale.render.alarms import AlarmNews

__all__ = ["health"]

#: Seconds that alarms have to be sent in at the end.
_PATIENCE = 10.0
#: Options that only a watch has.
_WATCHES = ("on_alarm", "webhook", "alarm_level", "interval", "timeout")


@click.command(epilog=example("rlscale health runs/ --explain base/seed0 --report health.html"))
@with_options(PATHS)
@click.option("--explain", metavar="RUN", help="Line the series of this run up under its curve, with all alarms.")
@click.option("--watch", "follow", is_flag=True, help="Follow the logs, and tell alarms once when they begin and end.")
@click.option("--interval", type=click.FloatRange(0.05), default=5.0, show_default=True, help="Seconds between looks.")
@click.option("--timeout", type=click.FloatRange(1.0), default=60.0, show_default=True, help="Seconds for CMD.")
@with_options(ALARMS, RUNS, READING, OUTPUT)
def health(paths: tuple[str, ...], explain: str | None, **given: Any) -> None:
    """Judge the series beside each curve: truncation, entropy, KL, mismatch, dead groups, NaN, hacking, and more.

    PATH is a log or a folder of logs; each run is judged by its own reward. Every alarm says since when, what it was
    compared with, and how often it fires on healthy runs. What a log does not hold is not measurable, never healthy.
    With --watch, runs that collapse, resolve, stall or lead early and lose are alarms too (rlscale health --watch runs/
    --on-alarm ./tell.sh); rlscale watch keeps in a ledger what was sent.
    """
    from rlscale.answers.health import health_answer, health_view
    from rlscale.health import check_health
    from rlscale.sources import collect

    if given["follow"]:
        _follow(paths, explain, given)
        return
    _refuse([f"--{name.replace('_', '-')}" for name in _WATCHES if _typed(name)], "is of a watch: add --watch")
    to = output(given)
    reading = collect(paths, replace(priced_options(given), apart=True))
    if not reading.runs:
        raise InputError("nothing to judge: no run could be read")
    judged = check_health(reading, until=given["until"])
    asked = {name: value for name, value in given.items() if name not in (*_WATCHES, "follow")}
    view = health_view(judged, reading, settings({**asked, "explain": explain}), explain=explain)
    to.put(lambda charts: health_answer(view, charts=charts))


def _typed(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _refuse(options: list[str], why: str) -> None:
    if options:
        raise InputError(f"{options[0]} {why}")


def _follow(paths: tuple[str, ...], explain: str | None, given: dict[str, Any]) -> None:
    """Follow logs and send their alarms until the process is asked to end."""
    from rlscale.live import Following
    from rlscale.live.alarms import LogAlarms
    from rlscale.render.alarms import AlarmNews
    from rlscale.render.console import console

    single = {"explain": explain, **{name: given[name] for name in ("csv", "plot", "report")}}
    _refuse([f"--{name}" for name, value in single.items() if value], "is of a single look; leave it or --watch out")
    sinks = alarm_sinks(given)
    source = Following(paths, replace(priced_options(given), apart=True))
    alarms = LogAlarms(source, sinks=sinks, level=given["alarm_level"], pause=given["interval"])
    news, ended = AlarmNews(console(stderr=given["as_json"])), threading.Event()
    with stopped_by(ended), _shown(news, given) as show:
        try:
            show(alarms.look())  # what is wrong with the options is said at once
            while not to_end(ended, given["interval"]):
                show(alarms.step())
        finally:
            wrong = alarms.close(_PATIENCE)
    news.ended(wrong)


@contextmanager
def _shown(news: AlarmNews, given: dict[str, Any]) -> Iterator[Callable[[LogLook], None]]:
    """Yield what shows a look: lines, on a terminal with how things stand below; JSON, an alarm a line."""
    from rlscale.render.json import dumps

    if given["as_json"]:

        def lines(look: LogLook) -> None:
            for event in look.alarms:
                click.echo(dumps(event.document()).replace("\n", ""))
            news.follows(look)
            news.wrong(look.troubles)

        yield lines
    elif not sys.stdout.isatty():
        yield news.tell
    else:
        with news.live() as below:

            def draw(look: LogLook) -> None:
                news.tell(look)
                below(look)

            yield draw
