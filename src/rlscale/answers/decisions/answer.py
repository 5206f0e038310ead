"""Decisions: those in force with their chart, what was decided when and why, what people said, one made again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from rlscale.answers.answer import Answer, Block, Document, Section, Sentence
from rlscale.answers.decisions.view import Again, DecisionsView
from rlscale.answers.documents import SCHEMA
from rlscale.answers.gate import gate_answer
from rlscale.answers.gate.document import gate_document
from rlscale.answers.hints import BECAUSE, FORECAST, P_BETTER, REWARD_NOW
from rlscale.answers.needed import needed_answer
from rlscale.answers.numbers import count
from rlscale.answers.table import Table
from rlscale.answers.when import moment
from rlscale.ledger import DecisionRow

__all__ = ["decisions_answer", "undecided_answer"]

#: Reasons in a word of the gate, in plain words.
_BECAUSE = {
    "minimum": "too young to judge", "unfitted": "too few evaluations", "sick": "a monitor says stop",
    "probe": "judged on little so far", "keep top": "among the best now", "waiting": "waits for the next look",
    "leader": "highest forecast", "late start": "may start late", "still held": "stays paused",
    "cannot separate": "cannot be told apart yet", "unlikely best": "unlikely to be best",
    "one recipe": "no other recipe", "nothing to compare": "no other run", "cannot win": "cannot win any more",
}  # fmt: skip
_NO_BUDGET = "Nothing is decided here: no budget was given."


def decisions_answer(view: DecisionsView) -> Answer:
    """Return the answer."""
    plain = gate_answer(view.gate, charts=True)
    made = [] if view.again is None else [_again(view.again)]
    blocks: list[Block] = [*made, *(_headed(block) if block is plain.table else block for block in plain.blocks)]
    blocks.append(_history(view))
    blocks.append(Section("What people said", tuple(Sentence(each.text, each.run) for each in view.words)))
    commands = tuple(Sentence(each.text, f"#{each.decision}") for each in view.commands)
    blocks.append(Section("Commands", commands))
    return Answer(
        headline=plain.headline,
        table=plain.table,
        document=Document(partial(_document, view=view), view.gate),
        lead=(*plain.lead, *_watched(view)),
        grouping=plain.grouping,
        blocks=tuple(blocks),
        chart=plain.chart,
        kicker=plain.kicker,
        errors=plain.errors,
        settings=plain.settings,
    )


def undecided_answer(note: str = "", needed: tuple[str, ...] = ()) -> Answer:
    """Return the answer where nothing is decided: with its note, and what is needed."""
    note = note or _NO_BUDGET
    steps = needed or (
        "rlscale serve PATH --budget C: the gate then says of every run whether it goes on, given the compute C that "
        "one run may get. It only says so; nothing is stopped.",
        "rlscale watch PATH --ledger runs.db --budget C keeps decisions as runs grow; rlscale serve ledger:runs.db "
        "shows them here, with when and why.",
    )
    document = {"schema": SCHEMA, "decisions": [], "note": note}
    return needed_answer(note, steps, title="How to get decisions", kicker="decisions", document=document)


def _headed(table: Table) -> Table:
    """Return the table of decisions with headings that say what each number is, for who points at them."""
    hints = {"reward": REWARD_NOW, "forecast": FORECAST, "h": P_BETTER, "because": BECAUSE}
    headings = {"reward": "reward now,\nmean of last 3", "spent": "spent,\nthis run"}
    columns = tuple(
        replace(each, heading=headings.get(each.key, each.heading), hint=hints.get(each.key, ""))
        for each in table.columns
    )
    note = (
        f"{table.note}; reward now, forecast and probability are of the recipe where it has several runs, all together"
    )
    place = table.place("because")
    rows = tuple((*row[:place], _BECAUSE.get(str(row[place]), row[place]), *row[place + 1 :]) for row in table.rows)
    return replace(table, columns=columns, rows=rows, note=note)


def _watched(view: DecisionsView) -> tuple[str, ...]:
    if not view.from_ledger:
        return ()
    who = f"Watched by {view.watcher}." if view.watcher else "Nobody watches this ledger now."
    looked = who if view.looked_at is None else f"{who} Latest look: {moment(view.looked_at)}."
    return looked, "The numbers beside a decision are those of the moment it was made."


def _history(view: DecisionsView) -> Section:
    how: tuple[str, ...] = ()
    if view.history:
        more = f" {count(view.more, 'earlier decision')} not shown." if view.more else ""
        how = (
            f"Each can be made again from the points, states and settings of its moment: its number leads there.{more}",
        )
    return Section("What was decided, when and why", (*how, *map(_told, view.history)), most=12)


def _told(each: DecisionRow) -> Sentence:
    before = f" ({each.before} before)" if each.before else ""
    dry = "" if each.acting else "dry run; "
    return Sentence(f"{moment(each.at)}: {dry}{each.run}{before}: {each.reason}", f"#{each.id}", each.action)


def _again(again: Again) -> Section:
    found = again.explanation
    kept = found.kept
    sentences = (
        Sentence(f"{moment(kept.at)}: {kept.reason}", kept.run, kept.action),
        found.says(),
        f"It was look {found.look.id} at {count(len(found.sight.field), 'run')}, with rlscale {found.look.version}; "
        f"hash of what went in {found.look.inputs[:16]}, now {found.sight.inputs[:16]}; of the decision "
        f"{kept.hash[:16]}.",
    )
    return Section(f"Decision {again.number}, made again", sentences)


def _document(gate: Any, view: DecisionsView) -> dict[str, Any]:
    """Return the document of ``gate``, and beside its keys what a ledger holds."""
    again = view.again
    return {
        **gate_document(gate),
        "history": [_row(each) for each in view.history],
        "words": [{"run": each.run, "says": each.text} for each in view.words],
        "commands": [{"decision": each.decision, "says": each.text} for each in view.commands],
        "watcher": view.watcher,
        "looked_at": None if view.looked_at is None else moment(view.looked_at),
        "again": None if again is None else {
            "id": again.number, "same": again.explanation.same, "same_inputs": again.explanation.same_inputs,
            "says": again.explanation.says(), "decision": again.explanation.again.document(),
        },
    }  # fmt: skip


def _row(each: DecisionRow) -> dict[str, Any]:
    return {
        "id": each.id, "at": moment(each.at), "run": each.run, "recipe": each.recipe, "decision": each.action,
        "before": each.before, "reason_code": each.code, "reason": each.reason, "acting": each.acting,
        "hash": each.hash,
    }  # fmt: skip
