"""``watch`` on a terminal, line by line where there is none, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from rlscale.answers.documents import SCHEMA
from rlscale.answers.numbers import UNKNOWN, count, probability, quantity, reward, span
from rlscale.answers.savings import savings_words
from rlscale.answers.when import ago, moment
from rlscale.decisions.gate import Action, Decision
from rlscale.health import SEVERITIES
from rlscale.ledger import WELL
from rlscale.live import Scene
from rlscale.render.alarms import alarm_line, open_alarm_line
from rlscale.render.layout import badge, folded, plain_table
from rlscale.sources.grouping import Grouping, stored_grouping
from rlscale.sources.patterns import matches

__all__ = ["News", "limited", "scene_document", "screen"]

_ORDER = (Action.COMMIT, Action.CONTINUE, Action.HOLD, Action.STOP)
#: Roles in which another watcher leads, if any does.
_ELSEWHERE = ("standby", "view")
#: A terminal narrower than this does without the columns that say least; room that the columns beside the name take.
_ROOMY, _OTHERS_ROOMY, _OTHERS = 110, 92, 62
#: A terminal lower than this does without the line that says how runs are pooled.
_TALL = 24
#: Lines around the rows of the table, with a last decision of three.
_AROUND = 9
#: Open alarms that are shown.
_ALARMS = 5


def limited(scene: Scene, patterns: Sequence[str]) -> Scene:
    """Return what a pass found of the runs that the patterns name; all of it where there are none."""
    if not patterns:
        return scene
    sight, last = scene.sight, scene.last
    if sight is not None:
        told = tuple(one for one in sight.answer.decisions if matches(one.run, patterns))
        sight = replace(sight, answer=replace(sight.answer, decisions=told))
    return replace(
        scene,
        sight=sight,
        decisions=tuple(one for one in scene.decisions if matches(one.run, patterns)),
        last=last if last is not None and matches(last.run, patterns) else None,
        alarms=tuple(one for one in scene.alarms if matches(one.signal.run, patterns)),
        open_alarms=tuple(one for one in scene.open_alarms if matches(one.run, patterns)),
    )


def scene_document(scene: Scene, price: float | None = None) -> dict[str, Any]:
    """Return what a pass found as JSON values: the decisions it made, and what is wrong.

    Parameters
    ----------
    scene : Scene
    price : float, optional
        Dollars for a GPU-hour.
    """
    answer = None if scene.sight is None else scene.sight.answer
    return {
        "schema": SCHEMA,
        "at": moment(time.time()),
        "role": scene.role,
        "watcher": scene.watcher,
        "points": scene.points,
        "budget": None if answer is None else answer.budget,
        "unit": None if answer is None else answer.unit,
        "spent": None if answer is None else answer.spent,
        "planned": None if scene.sight is None else scene.sight.planned,
        "savings": None if answer is None else answer.savings.at(price).document(),
        "model_based_risk": None if answer is None else answer.risk,
        "leader": None if answer is None else answer.leader,
        "runs": [] if answer is None else [one.document() for one in answer.decisions],
        "decisions": [
            {"id": one.id, "run": one.run, "decision": one.action, "before": one.before, "reason_code": one.code,
             "reason": one.reason}
            for one in scene.decisions
        ],
        "commands": [
            {"decision_id": one.decision, "attempt": one.attempt, "outcome": one.outcome, "exit_code": one.exit_code,
             "said": one.said}
            for one in scene.commands
        ],
        "alarms": [one.document() for one in scene.alarms],
        "open_alarms": [{"kind": one.kind, "run": one.run, "severity": one.severity} for one in scene.open_alarms],
        "grouping": None if scene.sight is None else asdict(_grouping(scene)),
        "troubles": dict(scene.troubles),
        "done": scene.done,
    }  # fmt: skip


def _grouping(scene: Scene) -> Grouping:
    assert scene.sight is not None
    return stored_grouping([one.row.recipe for one in scene.sight.field])


def screen(scene: Scene, width: int, height: int, now: float, price: float | None = None) -> RenderableType:
    """Return what is shown on a terminal of so many columns and lines; ``price`` is that of a GPU-hour, in dollars."""
    parts: list[RenderableType] = [_headline(scene)]
    below: list[RenderableType] = []
    if scene.last is not None:
        last = scene.last
        below += [
            Text(),
            Text.assemble(("Last decision ", "bold"), f"#{last.id}, {ago(last.at, now)}: ", badge(last.action),
                          f" {last.run}. {last.reason}"),
        ]  # fmt: skip
    alarms = [one for one in scene.open_alarms if one.kind != "decision"]  # those stand in the table
    if alarms:
        shown = sorted(alarms, key=lambda one: -SEVERITIES.index(one.severity))
        more = len(shown) - _ALARMS
        below += [Text(), Text(f"Alarms{f' ({more} more)' if more > 0 else ''}", style="bold")]
        below += [Text.assemble("  ", open_alarm_line(one)) for one in shown[:_ALARMS]]
    if scene.troubles:
        below += [Text(), Text("What is wrong", style="bold")]
        below += [Text(f"  {subject}: {message}", style="yellow") for subject, message in scene.troubles.items()]
    if scene.sight is not None:
        if height >= _TALL:
            below.insert(0, Text(_grouping(scene).note, style="dim"))
            below.insert(1, Text(savings_words(scene.sight.answer.savings.at(price)), style="dim"))
        parts += [Text(), *_table(scene, width, max(height - _AROUND - len(below), 3))]
    return Group(*parts, *below)


def _headline(scene: Scene) -> Text:
    role = {"acting": ("acting", "bold green"), "dry-run": ("dry run: nothing is carried out", "bold blue"),
            "standby": (f"standing by: {scene.watcher or 'another watcher'} watches", "bold yellow"),
            "view": (f"a view: {scene.watcher or 'nobody'} watches", "bold yellow")}[scene.role]  # fmt: skip
    if scene.sight is None:
        return Text.assemble(role, "  no run has an evaluation yet")
    answer = scene.sight.answer
    risk = "" if answer.risk is None else f"  ·  model-based risk {probability(answer.risk)}"
    leader = f"  ·  {answer.leader} leads" if answer.leader else ""
    spent = f"spent {quantity(answer.spent)} of {quantity(scene.sight.planned)} {answer.unit} planned"
    return Text.assemble(role, f"  ·  {count(len(scene.sight.field), 'run')}  ·  {spent}{risk}{leader}")


def _table(scene: Scene, width: int, most: int) -> list[RenderableType]:
    assert scene.sight is not None
    answer = scene.sight.answer
    states = {one.row.name: one.state for one in scene.sight.field}
    roomy = width >= _ROOMY
    table = plain_table()
    room = max(width - (_OTHERS_ROOMY if roomy else _OTHERS), 10)
    columns = [("decision", "left"), ("run", "left"), ("spent", "right"), (f"at {quantity(answer.budget)}", "right"),
               ("P(best)", "right"), ("verdict", "left")]  # fmt: skip
    if roomy:
        columns += [("now", "right"), ("is", "left"), ("because", "left")]
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=name != "run")  # type: ignore[arg-type]
    ordered = sorted(answer.decisions, key=lambda one: (_ORDER.index(one.action), -(one.evidence.mean or -1e300)))
    shown = ordered if len(ordered) <= most else ordered[: most - 1]
    for one in shown:
        table.add_row(*_cells(one, states[one.run], answer.bounds, room)[: len(columns)])
    left = len(ordered) - len(shown)
    more = f"and {count(left, 'more run')}: rlscale ledger list shows all"
    return [table, Text(more, style="dim")] if left else [table]


def _cells(one: Decision, state: str, bounds: tuple[float, float], room: int) -> list[Text | str]:
    told = one.evidence
    forecast: Text | str = Text(UNKNOWN, style="dim")
    around = told.interval
    if around is not None:
        forecast = Text.assemble(reward(around.q50, bounds), " ", (span(around, bounds), "dim"))
    verdict = UNKNOWN if told.verdict is None else told.verdict.value.replace("_", " ")
    return [
        badge(one.action.value), folded(one.run, room), quantity(told.spent), forecast, probability(told.h), verdict,
        reward(told.reward, bounds), state, one.code.replace("_", " "),
    ]  # fmt: skip


class News:
    """Prints what passes of a watcher bring, a line each, and nothing twice.

    Parameters
    ----------
    console : Console
    price : float, optional
        Dollars for a GPU-hour.
    """

    def __init__(self, console: Console, price: float | None = None) -> None:
        self._console, self._price = console, price
        self._look: int | None = None
        self._leader: str | None = ""
        self._known: dict[str, str] = {}
        self._begun = False

    def tell(self, scene: Scene) -> None:
        """Print what is new in a scene: who leads and what was seen elsewhere, decisions, commands, what is wrong."""
        if scene.role in _ELSEWHERE:
            self._tell_look(scene)
        for one in scene.decisions:
            said = Text.assemble(f"{moment(one.at)} #{one.id} ", badge(one.action), f" {one.run}: {one.reason}")
            self._console.print(said, soft_wrap=True)
        if scene.decisions and scene.sight is not None:
            self._print(f"  {savings_words(scene.sight.answer.savings.at(self._price))}")
        if not self._begun:  # what an earlier watcher sent, and is not over
            sent = {one.signal.key for one in scene.alarms}
            for signal in scene.open_alarms:
                if signal.key not in sent and signal.kind != "decision":
                    self._console.print(Text.assemble("still there: ", open_alarm_line(signal)), soft_wrap=True)
            self._begun = scene.sight is not None
        for event in scene.alarms:
            if event.signal.kind == "decision":  # said above
                continue
            self._console.print(alarm_line(event), soft_wrap=True)
        for done in scene.commands:
            if done.outcome == "done":  # else it is wrong, and said below
                self._print(f"  command for #{done.decision}, attempt {done.attempt}: done")
        for subject, message in scene.troubles.items():
            if self._known.get(subject) != message:
                self._print(f"{subject}: {message}", "yellow")
        for subject in self._known.keys() - scene.troubles.keys():
            if not subject.startswith("command "):  # that it was carried out is said above
                self._print(f"{subject}: {WELL}")
        self._known = dict(scene.troubles)

    def _tell_look(self, scene: Scene) -> None:
        """Print a line a look that another watcher made, and where another leads."""
        number = None if scene.look is None else scene.look.id
        if (number, scene.watcher) != (self._look, self._leader):
            self._print(_elsewhere(scene))
        self._look, self._leader = number, scene.watcher

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, soft_wrap=True)


def _elsewhere(scene: Scene) -> str:
    """Say who leads, and what the latest look decided."""
    who = f"{scene.watcher} leads" if scene.watcher else "nobody watches now"
    role = "standing by: " if scene.role == "standby" else ""
    if scene.look is None:
        return f"{role}{who}; it has not looked yet" if scene.watcher else f"{role}{who}, and nobody has looked yet"
    dry = "" if scene.look.acting else " (dry run)"
    look = f"{moment(scene.look.at)} look {scene.look.id}{dry}"
    if scene.sight is None:
        return f"{role}{who}; {look}"
    decisions = scene.sight.answer.decisions
    counts = [(action.value, sum(one.action is action for one in decisions)) for action in _ORDER]
    decided = ", ".join(f"{verb} {number:,}" for verb, number in counts if number)
    best = scene.sight.answer.leader
    return f"{role}{who}; {look}: {decided}{f'; {best} is forecast best' if best else ''}"
