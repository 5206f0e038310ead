"""Commands on runs that are under way: watch, and what people say of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from rlscale.cli.alarms import alarm_sinks, stopped_by, to_end
from rlscale.cli.gates import gate_numbers
from rlscale.cli.publish import told_to, trackers_of
from rlscale.errors import InputError
from rlscale.options import (
    ALARMS,
    CALIBRATION,
    FITTING,
    LEDGER,
    OUTPUT,
    READING,
    example,
    gate_fit_options,
    priced_options,
    with_options,
)
from rlscale.typed import Compute

if TYPE_CHECKING:
    from rlscale.ledger import Ledger
    from rlscale.live import Ended, Scene, Watch, WatchSettings

__all__ = ["OVERRIDES", "watch"]


@click.command(epilog=example("rlscale watch runs/ --ledger runs.db --budget 2e6 --on-decision ./stop.sh --act"))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@with_options(LEDGER)
@click.option(
    "--budget", type=Compute(endless=False), metavar="C", help="Compute that one run may get; or what its trainer said."
)
@click.option(
    "--horizon", type=Compute(endless=False), metavar="C", help="Where the comparison ends; the budget by default."
)
@click.option(
    "--policy", "named", metavar="P", default="hold", show_default=True, help="hold, kill, or a file of numbers."
)
@with_options(CALIBRATION)
@click.option("--on-decision", "command", metavar="CMD", help="Program that carries a decision out: JSON on stdin.")
@click.option("--act", is_flag=True, help="Decisions count; without it nothing is carried out (dry run).")
@click.option("--timeout", type=click.FloatRange(1.0), default=60.0, show_default=True, help="Seconds for CMD.")
@click.option(
    "--publish",
    "targets",
    multiple=True,
    metavar="TRACKER",
    help="Write forecasts and decisions to tensorboard:DIR, trackio:PROJECT, wandb:PROJECT or mlflow:URI; repeat.",
)
@click.option("--interval", type=click.FloatRange(0.05), default=5.0, show_default=True, help="Seconds between looks.")
@click.option("--lease", type=click.FloatRange(1.0), default=30.0, show_default=True, help="Seconds of silence after "
              "which another watcher takes over.")  # fmt: skip
@click.option("--once", is_flag=True, help="One pass, then end; exit code 2 if a command failed.")
@click.option("--run", "shown", multiple=True, metavar="GLOB", help="Show only these runs; all are compared; repeat.")
@click.option("--until-done", is_flag=True, help="End when nothing runs any more.")
@click.option("--view", is_flag=True, help="Only show what the watcher of the ledger sees; no PATH, no lease.")
@with_options(ALARMS, READING, FITTING, OUTPUT[:1])
def watch(paths: tuple[str, ...], where: str, **given: Any) -> None:
    """Follow runs into a ledger, decide at every new evaluation, and carry decisions out.

    PATH is a log or a folder of logs that trainers write; without one, runs that trainers put into the ledger
    themselves. Without --act it is a dry run. Two watchers on one ledger: one leads, the other stands by and tells what
    the leader sees. --view only tells. Alarms (a sick run, a collapse, a decision, ...) are told here, kept in the
    ledger, and sent once when they begin and once when they are over.
    """
    from rlscale.ledger import Ledger
    from rlscale.live import Courier, Following, Watch, check_program, command_of
    from rlscale.live.alarms import LedgerAlarms

    if given["view"]:
        _view(paths, where, given)
        return
    trackers = trackers_of(given["targets"])
    command = None if given["command"] is None else command_of(given["command"])
    if command is not None:
        check_program(command)
    elif given["act"]:
        click.echo("acting without --on-decision: trainers and schedulers that ask the ledger will obey", err=True)
    courier = None if command is None else Courier(command, given["timeout"])
    sinks = alarm_sinks(given)
    source = Following(paths, priced_options(given)) if paths else None
    with Ledger(where, create=True) as held:
        first = source.poll() if source is not None else None  # what is wrong with the options is said at once
        run = None if first is None or not first.runs else first.runs[0].curve
        settings = _settings(given, held, run)
        if source is None:
            _check_price(held, given["price"])
        alarms = LedgerAlarms(
            held, acting=given["act"], sinks=sinks, level=given["alarm_level"], pause=given["interval"]
        )
        watcher = Watch(
            held, settings, source=source, acting=given["act"], courier=courier, alarms=alarms,
            metric=given["metric"], unit=given["unit"], lasts=given["lease"], exclude=given["exclude"],
        )  # fmt: skip
        try:
            step = _seen_by(watcher, held, given["act"])
            with told_to(trackers, where, settings, given["act"], step) as step:
                _loop(step, lambda: watcher.busy, given)
        finally:
            watcher.close()
    if given["once"] and watcher.failed:
        raise InputError(_failure(watcher.failed))


def _view(paths: tuple[str, ...], where: str, given: dict[str, Any]) -> None:
    """Show what the watcher of a ledger sees."""
    from rlscale.ledger import Ledger
    from rlscale.live import View

    options = {"--act": "act", "--on-decision": "command", "--on-alarm": "on_alarm", "--publish": "targets"}
    named = {paths[0] if paths else "": bool(paths), **{name: given[key] for name, key in options.items()}}
    for what, there in named.items():
        if there:
            raise InputError(f"--view reads the ledger alone and acts on nothing; leave {what} out")
    with Ledger(where) as held:
        _check_price(held, given["price"])
        _loop(View(held).step, lambda: False, given)


def _check_price(held: Ledger, price: float | None) -> None:
    from rlscale.decisions.savings import check_price

    for unit in {row.unit for row in held.book.runs()}:
        check_price(price, unit)


def _seen_by(watcher: Watch, held: Ledger, acting: bool) -> Callable[[], Scene]:
    """Return what does a pass: its scene is that of the leader where the watcher stands by."""
    from rlscale.live import View

    view = View(held, acting)

    def step() -> Scene:
        own = watcher.step()
        if own.role != "standby":
            return own
        seen = view.step("standby")
        return replace(seen, points=own.points, troubles={**seen.troubles, **own.troubles}, done=False)

    return step


def _failure(failed: Sequence[Ended]) -> str:
    """Say which commands failed, and what comes next."""
    from rlscale.answers.numbers import count

    last = failed[-1]
    how = "took too long" if last.outcome == "timeout" else "failed"
    code = "" if last.exit_code is None else f" (exit code {last.exit_code})"
    more = f"; {count(len(failed) - 1, 'other')} failed, too" if len(failed) > 1 else ""
    return (
        f"the command of decision {last.decision} {how}{code}: {last.said[-300:] or 'it said nothing'}{more}; a later "
        "pass starts it again, three times in all"
    )


def _settings(given: dict[str, Any], held: Ledger, curve: Any) -> WatchSettings:
    from rlscale.live import WatchSettings

    budget = given["budget"]
    rows = held.book.runs()
    if budget is None:
        told = {row.budget for row in rows if row.budget is not None}
        if len(told) != 1:
            raise InputError(
                f"--budget is needed: the ledger's runs state {'none' if not told else 'several'}; give the compute "
                "that one run may get"
            )
        budget = told.pop()
    if curve is None and rows:
        curve = rows[0]
    options = gate_fit_options(given)
    numbers, said = gate_numbers(given, curve, options.family)
    return WatchSettings(
        budget=budget, horizon=given["horizon"], policy=numbers, options=options, seed_sd=given["seed_sd"],
        calibration=said,
    )  # fmt: skip


def _loop(step: Callable[[], Scene], busy: Callable[[], bool], given: dict[str, Any]) -> None:
    ended = threading.Event()
    with stopped_by(ended), _shown(given) as show:
        while True:
            began = time.monotonic()
            scene = step()
            show(scene)
            if given["once"] or (given["until_done"] and scene.done):
                break
            if to_end(ended, max(given["interval"] - (time.monotonic() - began), 0.0)):
                break
        deadline = time.monotonic() + given["timeout"]
        while busy() and time.monotonic() < deadline:  # see how commands end that were started
            time.sleep(0.05)
            show(step())


@contextmanager
def _shown(given: dict[str, Any]) -> Iterator[Any]:
    """Yield what shows a scene: a live view on a terminal, else lines of text or JSON."""
    from rlscale.render.console import console
    from rlscale.render.json import dumps
    from rlscale.render.watch import News, limited, scene_document, screen

    price = given["price"]
    if given["as_json"]:
        before: list[Any] = []

        def lines(scene: Scene) -> None:
            document = scene_document(limited(scene, given["shown"]), price)
            now = [document[name] for name in ("runs", "troubles", "role", "watcher")]
            if now != before or scene.decisions or scene.commands or scene.alarms:
                before[:] = now
                click.echo(dumps(document).replace("\n", ""))

        yield lines
        return
    to = console()
    if not sys.stdout.isatty():
        news = News(to, price)
        yield lambda scene: news.tell(limited(scene, given["shown"]))
        return
    from rich.live import Live

    with Live(console=to, auto_refresh=False, screen=not given["once"]) as live:

        def draw(scene: Scene) -> None:
            seen = screen(limited(scene, given["shown"]), to.width, to.height, time.time(), price)
            live.update(seen, refresh=True)

        yield draw


def _override(kind: str, what: str) -> click.Command:
    @click.command(kind, help=what, epilog=example(f'rlscale gate {kind} long10/seed0 --ledger runs.db --note "why"'))
    @click.argument("run", metavar="RUN")
    @with_options(LEDGER)
    @click.option("--note", default="", metavar="TEXT", help="Why; kept with it.")
    @click.option("--by", metavar="NAME", help="Who says so; your user name by default.")
    @with_options(OUTPUT[:1])
    def command(run: str, where: str, note: str, by: str | None, as_json: bool) -> None:
        from dataclasses import asdict

        from rlscale.answers.documents import SCHEMA
        from rlscale.answers.when import moment
        from rlscale.ledger import Ledger
        from rlscale.ledger.overrides import next_look
        from rlscale.render.json import dumps

        with Ledger(where) as held:
            row = held.book.run(run)
            word = held.overrides.add(row, kind, note, by)
            watcher = held.watcher()
        if as_json:
            click.echo(dumps({"schema": SCHEMA, **asdict(word), "at": moment(word.at), "watcher": watcher}))
            return
        click.echo(f"{word.who} said {kind} {run}: kept as number {word.id}; {next_look(watcher)}")

    return command


#: What people can say of a run, as ``rlscale gate WORD RUN``.
OVERRIDES = (
    _override("hold", "Hold a run until you say resume or pin, whatever the gate says; kept in the ledger."),
    _override("resume", "Let a run go on; the gate leaves it alone for 2 evaluations, then decides again."),
    _override("pin", "Let a run go on whatever the gate says, until you say hold or resume."),
    _override("end", "Say that a run is over: nothing more will come of it, and what it reached counts."),
    _override("lost", "Say that a run failed for good: it is no rival any more, whatever it was forecast to reach."),
)
