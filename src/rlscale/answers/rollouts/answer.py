"""The answer of ``rollouts``: a row a number of rollouts per prompt, or a row a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.numbers import count, quantity
from rlscale.answers.remarks import input_section
from rlscale.answers.rollouts import words
from rlscale.answers.rollouts.chart import rollouts_chart
from rlscale.answers.rollouts.document import rollouts_document
from rlscale.answers.rollouts.view import RolloutsView, stops
from rlscale.answers.table import Cell, Column, Table
from rlscale.decisions.rollouts import PromptShare

__all__ = ["rollouts_answer"]

#: Prompts that a terminal shows; a page has more.
_PROMPTS = 20
#: Kinds of prompts, by their counts, that stand in for more prompts.
_KINDS = 34
_DRAWN = (
    "Points are evaluations, thin lines median curves; the thick line is the envelope, in the colour of the number of "
    "rollouts that holds it, and rings are the evaluations that broke the record. At the right are the rewards where "
    "the numbers are compared. Best number: its median and 80 % band along what was evaluated; the staircase is the "
    "number tried that leads."
)

_PROMPTED = "Prompts: a point for each count of right answers, and the rollouts that such a prompt gets."


def rollouts_answer(view: RolloutsView, *, charts: bool = False) -> Answer:
    """Return the answer; with ``charts`` what a page and ``--plot`` draw."""
    answer = view.answer
    table = _tried(view) if answer.classes else _prompts(view)
    chart = rollouts_chart(view) if charts else None
    drawn = " ".join(filter(None, (_DRAWN * bool(answer.classes), _PROMPTED * (answer.prompts is not None))))
    blocks: list[Block] = [
        *([table] if answer.classes else []),
        *([] if chart is None else [Figures("", chart.panels, drawn, size="half")]),
        *([_path(view), _envelope(view)] if answer.classes else []),
        Section("By difficulty", words.by_class(view)),
        Section("The split of the budget", words.split(view)),
        Section("Training reward and validation", words.training(view)),
        Section("Data reuse", words.reuse(view)),
        *([] if answer.prompts is None else [_few_prompts(view)]),
        Section("Prompts", words.prompts(view)),
        Section("best@k", words.best_at_k(view)),
        Section("Limits", words.limits(view)),
        Section("Not used", words.unused(view)),
        Section("What the numbers rest on", words.basis(view)),
        input_section(view.input),
    ]
    return Answer(
        headline=words.headline(view),
        table=table,
        document=Document(rollouts_document, view),
        lead=words.lead(view),
        grouping=view.grouping,
        blocks=tuple(blocks),
        chart=chart,
        kicker=_kicker(view),
        errors=view.errors,
        settings=view.settings,
    )


def _kicker(view: RolloutsView) -> str:
    if view.answer.classes:
        tried = {n for entry in view.answer.classes for n in entry.n}
        numbers = "1 number of rollouts" if len(tried) == 1 else f"{len(tried):,} numbers of rollouts"
        return f"{view.metric or 'reward'} · {numbers}, {count(view.runs, 'run')}"
    allocation = view.answer.prompts
    return "pass counts" if allocation is None else f"pass counts · {count(len(allocation.prompts), 'prompt')}"


def _by_class(view: RolloutsView) -> tuple[Column, ...]:
    """Return the column of the class; for people where there are several."""
    return (Column("class", "difficulty", audience="all" if len(view.answer.classes) > 1 else "programs"),)


def _tried(view: RolloutsView) -> Table:
    classes = view.answer.classes
    computes = {entry.compared_at for entry in classes}
    same = next(iter(computes)) if len(computes) == 1 else None
    heading = "reward\n80 %" if same is None else f"at {quantity(same)}\n80 %"
    columns = (
        *_by_class(view),
        Column("n", "rollouts", "count"),
        Column("runs", "runs", "count", spare=True),
        Column("verdict", "verdict", "verdict"),
        Column("compute_last", "evaluated\nto", "compute"),
        Column("compared_at", "compared\nat", "compute", audience="programs" if same is not None else "all"),
        Column("reward", heading, "reward", bar=True),
        Column("p_best", "P(best)", "probability", bar=True),
        Column("leads", "leads", "label", spare=True, audience="people"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            entry.name, each.n, len(each.runs), each.verdict.name.value, each.last, entry.compared_at, each.reward,
            each.p_best, _leads([(piece.start, piece.end) for piece in entry.envelope if piece.n == each.n]),
        )
        for entry in classes
        for each in entry.tried
    ]  # fmt: skip
    note = f"compute in {view.axis}; leads: where it holds the envelope"
    return Table(
        name="tried", columns=columns, rows=tuple(rows), note=note, bounds=view.shown_in, coloured=len(classes) == 1,
        group="class" if len(classes) > 1 else "",
    )  # fmt: skip


def _leads(pieces: list[tuple[float, float]]) -> str | None:
    return "; ".join(f"{quantity(start)} to {quantity(end)}" for start, end in pieces) or None


def _path(view: RolloutsView) -> Table:
    shown = [(entry.name, each) for entry in view.answer.classes for each in stops(entry)]
    beyond = any(each.where == "extrapolated" for _, each in shown)
    columns = (
        *_by_class(view),
        Column("compute", "compute", "compute"),
        Column("n", "best rollouts\n80 %", "count"),
        *((Column("where", "by"),) if beyond else ()),
    )
    where = {"supported": "the runs", "extrapolated": "the law, beyond the runs"}
    rows = tuple((name, each.compute, each.n, *((where[each.where],) if beyond else ())) for name, each in shown)
    return Table(
        name="n_star", title="Best number by compute", columns=columns, rows=rows,
        note=f"compute in {view.axis}", group="class" if len(view.answer.classes) > 1 else "",
    )  # fmt: skip


def _envelope(view: RolloutsView) -> Table:
    columns = (
        *_by_class(view),
        Column("n", "rollouts", "count"),
        Column("from", "leads from", "compute"),
        Column("to", "to", "compute"),
    )
    rows = tuple(
        (entry.name, piece.n, piece.start, piece.end) for entry in view.answer.classes for piece in entry.envelope
    )
    return Table(
        name="envelope", title="The envelope", columns=columns, rows=rows, note=f"compute in {view.axis}",
        group="class" if len(view.answer.classes) > 1 else "", on_page_only=True,
    )  # fmt: skip


def _prompts(view: RolloutsView) -> Table:
    """Return all prompts, those with most rollouts first."""
    allocation = view.answer.prompts
    shares = () if allocation is None else sorted(allocation.prompts, key=lambda share: -share.rollouts)
    columns = (
        Column("prompt", "prompt", "name"),
        Column("correct", "right", "count"),
        Column("graded", "graded", "count"),
        Column("pass_rate", "pass rate\n80 %", "percent", bar=True),
        Column("p_learnable", "P(can go\neither way)", "probability", spare=True),
        Column("rollouts", "rollouts", "count"),
        Column("p_mixed", "P(mixed)", "probability", bar=True),
    )
    rows = tuple(
        (
            share.prompt, share.correct, share.graded, share.pass_rate, share.p_learnable, share.rollouts,
            share.p_mixed if share.rollouts else None,
        )
        for share in shares
    )  # fmt: skip
    note = "mixed: the group holds right and wrong answers; most rollouts first"
    return Table(name="prompts", title="Rollouts over prompts", columns=columns, rows=rows, note=note)


def _few_prompts(view: RolloutsView) -> Table:
    """Return the prompts as people see them: many by their counts, or else every k-th."""
    whole = _prompts(view)
    total = len(whole.rows)
    if total <= _PROMPTS:
        return whole
    kinds = _kinds(view)
    if len(kinds.rows) <= _KINDS:
        return kinds
    places = sorted({round(k * (total - 1) / (_PROMPTS - 1)) for k in range(_PROMPTS)})
    many = "--csv and --json have all" if not view.answer.classes else "--json has all"
    note = f"{len(places)} of {total:,}; {many}; mixed: the group holds right and wrong answers"
    return Table(
        name=whole.name, title=whole.title, columns=whole.columns, rows=tuple(whole.rows[k] for k in places), note=note
    )


def _kinds(view: RolloutsView) -> Table:
    """Return the prompts by how many of how many samples were right."""
    allocation = view.answer.prompts
    kinds: dict[tuple[int, int], list[PromptShare]] = {}
    for share in () if allocation is None else allocation.prompts:
        kinds.setdefault((share.correct, share.graded), []).append(share)
    columns = (
        Column("correct", "right", "count"),
        Column("graded", "of", "count"),
        Column("prompts", "prompts", "count"),
        Column("pass_rate", "pass rate\n80 %", "percent", bar=True),
        Column("p_learnable", "P(can go\neither way)", "probability", spare=True),
        Column("rollouts", "rollouts\neach", "label"),
        Column("p_mixed", "P(mixed)", "probability", bar=True),
    )
    rows = tuple(
        (
            *kind, len(shares), shares[0].pass_rate, shares[0].p_learnable, _each(shares),
            float(np.mean([share.p_mixed for share in shares])) or None,
        )
        for kind, shares in sorted(kinds.items(), key=lambda item: (item[1][0].pass_rate.q50, item[0]))
    )  # fmt: skip
    note = "mixed: the group holds right and wrong answers; each prompt by its name in --json"
    return Table(name="kinds", title="Rollouts over prompts", columns=columns, rows=rows, note=note)


def _each(shares: Sequence[PromptShare]) -> str:
    least, most = min(share.rollouts for share in shares), max(share.rollouts for share in shares)
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"
