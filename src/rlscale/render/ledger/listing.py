"""``ledger list``: the runs of a ledger, what was decided on them, what people said, what went wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from rlscale.answers.documents import SCHEMA
from rlscale.answers.numbers import UNKNOWN, count, quantity, reward
from rlscale.answers.savings import savings_words
from rlscale.answers.when import ago, moment
from rlscale.decisions.savings import Savings
from rlscale.ledger import ALARM, ALARMS, CHANGE, WELL, DecisionRow, Delivery, Event, Ledger, Override, Points, RunRow
from rlscale.live import saved
from rlscale.live.alarms import alarm_events
from rlscale.render.layout import badge, plain_table, print_list, print_wrapped
from rlscale.sources.patterns import check_patterns, matches

__all__ = ["Listing", "listing", "listing_document", "print_listing"]

#: Decisions and events shown as text.
_SHOWN = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Listing:
    """What a ledger holds.

    Parameters
    ----------
    where : str
        Its address, without a password.
    watcher : str, optional
        Who watches it now.
    runs : tuple of RunRow
    points : mapping of int to Points
        The evaluations of each run.
    decisions : tuple of DecisionRow
    deliveries : tuple of Delivery
    overrides : tuple of Override
    events : tuple of Event
        The latest, oldest first.
    wrong : tuple of Event
        What is wrong now.
    alarms : tuple of Event
        The latest of each alarm, of those that are over too.
    savings : Savings, optional
        Of all runs of the latest look; None where there was none, or one run is listed.
    """

    where: str
    watcher: str | None
    runs: tuple[RunRow, ...]
    points: Mapping[int, Points]
    decisions: tuple[DecisionRow, ...]
    deliveries: tuple[Delivery, ...]
    overrides: tuple[Override, ...]
    events: tuple[Event, ...]
    wrong: tuple[Event, ...] = ()
    alarms: tuple[Event, ...] = ()
    savings: Savings | None = None


def listing(ledger: Ledger, patterns: Sequence[str] = (), price: float | None = None) -> Listing:
    """Return what a ledger holds; ``price`` is that of a GPU-hour, in dollars.

    Of the runs that the patterns (``*``, ``?``) name; of all where there are none.

    Raises
    ------
    InputError
        A pattern matches no run, or compute is not in what has a price.
    """
    told = None if patterns else saved(ledger)
    runs = ledger.book.runs()
    check_patterns([row.name for row in runs], {"--run": patterns})
    runs = tuple(row for row in runs if not patterns or matches(row.name, patterns))
    names = {row.name for row in runs}
    decisions = tuple(one for one in ledger.rulings.decisions() if one.run in names)
    return Listing(
        where=str(ledger.where),
        watcher=ledger.watcher(),
        runs=runs,
        points=ledger.book.points(runs),
        decisions=decisions,
        deliveries=ledger.deliveries.of([one.id for one in decisions]),
        overrides=tuple(one for one in ledger.overrides.all() if one.run in names),
        events=ledger.events.last(50),
        wrong=ledger.events.open(),
        alarms=tuple(
            one
            for kind in ALARMS
            for one in ledger.events.alarms(kind)
            if one.document is not None and (not patterns or names & {one.document["run"], one.document["recipe"]})
        ),
        savings=None if told is None else told.at(price),
    )


def listing_document(view: Listing) -> dict[str, Any]:
    """Return the document of ``ledger list --json``."""
    last = {one.run: one for one in view.decisions if one.acting}
    return {
        "schema": SCHEMA,
        "ledger": view.where,
        "watcher": view.watcher,
        "savings": None if view.savings is None else view.savings.document(),
        "runs": [_run(row, view, last.get(row.name)) for row in view.runs],
        "decisions": [_decision(one, view) for one in view.decisions],
        "overrides": [{**asdict(one), "at": moment(one.at)} for one in view.overrides],
        "events": [{**asdict(one), "at": moment(one.at)} for one in view.events],
        "alarms": [{**(one.document or {}), "dry_run": one.kind != ALARM} for one in view.alarms],
        "wrong_now": [{**asdict(one), "at": moment(one.at)} for one in view.wrong],
    }


def _run(row: RunRow, view: Listing, last: DecisionRow | None) -> dict[str, Any]:
    points = view.points.get(row.id)
    return {
        "run": row.name, "recipe": row.recipe, "seed": row.seed, "unit": row.unit, "clock": row.clock or None,
        "metric": row.metric, "bounds": list(row.bounds), "model_params": row.model_params, "budget": row.budget,
        "n_points": 0 if points is None else len(points),
        "compute_last": None if points is None else float(points.compute[-1]),
        "reward_last": None if points is None else float(points.value[-1]),
        "decision": None if last is None else last.action,
        "ended": None if row.ended is None else moment(row.ended),
        "created": moment(row.created), "source": row.source,
    }  # fmt: skip


def _decision(one: DecisionRow, view: Listing) -> dict[str, Any]:
    return {
        "id": one.id, "look": one.look_id, "at": moment(one.at), "run": one.run, "recipe": one.recipe,
        "decision": one.action, "before": one.before, "reason_code": one.code, "reason": one.reason,
        "evidence": dict(one.evidence), "hash": one.hash, "acting": one.acting,
        "commands": [
            {"attempt": each.attempt, "at": moment(each.at), "outcome": each.outcome, "exit_code": each.exit_code,
             "said": each.said}
            for each in view.deliveries
            if each.decision_id == one.id
        ],
    }  # fmt: skip


def print_listing(view: Listing, console: Console) -> None:
    """Print the runs, the latest decisions, what people said and what went wrong."""
    now = time.time()
    points = sum(len(one) for one in view.points.values())
    head = f"{view.where}: {count(len(view.runs), 'run')}, {count(points, 'evaluation')}, "
    watched = f"watched by {view.watcher}" if view.watcher else "nobody watches it"
    print_wrapped(console, f"{head}{count(len(view.decisions), 'decision')}; {watched}.", style="bold")
    if view.savings is not None:
        print_wrapped(console, savings_words(view.savings))
    console.print()
    if view.runs:
        console.print(_table(view))
    shown = view.decisions[-_SHOWN:]
    if shown:
        console.print()
        more = len(view.decisions) - len(shown)
        console.print(Text(f"Decisions{f' (the last {len(shown)} of {len(view.decisions):,})' if more else ''}",
                           style="bold"))  # fmt: skip
    for one in shown:
        dry = "" if one.acting else " (dry run)"
        commands = [f"; command {each.outcome}" for each in view.deliveries if each.decision_id == one.id]
        print_wrapped(
            console, f"#{one.id} {one.action} {one.run}{dry}, {ago(one.at, now)}: {one.reason}{''.join(commands)}",
            rest="    ",
        )  # fmt: skip
    said = [f"{word.who} said {word.kind} {word.run}, {ago(word.at, now)}{f': {word.note}' if word.note else ''}"
            for word in view.overrides[-_SHOWN:]]  # fmt: skip
    lists = {
        "What people said": said,
        "Alarms now": [_told(one, now) for one in view.alarms if one.message != WELL],
        "Alarms that are over": [_ended(one, now) for one in view.alarms if one.message == WELL][-_SHOWN:],
        "What is wrong now": [_told(one, now) for one in view.wrong],
        "What went wrong, and right again": _healed(view.events, now)[-_SHOWN:],
        "What is assumed since": [_told(one, now) for one in view.events if one.kind == CHANGE][-_SHOWN:],
    }
    if any(lists.values()):
        console.print()
    for title, lines in lists.items():
        print_list(console, title, lines)


def _told(one: Event, now: float) -> str:
    return f"{ago(one.at, now)}: {_subject(one)}: {one.message}"


def _ended(one: Event, now: float) -> str:
    (event,) = alarm_events([one])
    return f"{ago(one.at, now)}: {event.text}"


def _subject(one: Event) -> str:
    return f"{one.kind} {one.subject}".strip()


def _healed(events: Sequence[Event], now: float) -> list[str]:
    """Return what went wrong and is right again, each message once, with when it went and when it came right."""
    wrong: dict[str, list[Event]] = {}
    found = []
    for one in events:
        if one.kind in (CHANGE, *ALARMS):
            continue
        subject = _subject(one)
        if one.message != WELL:
            wrong.setdefault(subject, []).append(one)
            continue
        messages = {each.message: each for each in reversed(wrong.pop(subject, []))}
        found += [f"{_told(each, now)}; right again {ago(one.at, now)}" for each in reversed(messages.values())]
    return found


def _table(view: Listing) -> Any:
    table = plain_table()
    table.add_column("run", overflow="fold")
    table.add_column("recipe", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("compute", justify="right", no_wrap=True)
    table.add_column("reward\nnow", justify="right", no_wrap=True)
    table.add_column("decision", no_wrap=True)
    last = {one.run: one for one in view.decisions}
    for row in view.runs:
        points = view.points.get(row.id)
        decided = last.get(row.name)
        table.add_row(
            row.name,
            row.recipe,
            "0" if points is None else f"{len(points):,}",
            UNKNOWN if points is None else quantity(float(points.compute[-1]), row.unit),
            UNKNOWN if points is None else reward(float(points.value[-1]), row.bounds),
            badge(decided.action) if decided else Text("ended" if row.ended else UNKNOWN, style="dim"),
        )
    return table
