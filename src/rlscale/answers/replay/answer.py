"""The answer of ``replay``: a row a policy."""

from __future__ import annotations

from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.numbers import count
from rlscale.answers.remarks import input_section
from rlscale.answers.replay import words
from rlscale.answers.replay.chart import replay_chart
from rlscale.answers.replay.document import replay_document
from rlscale.answers.replay.view import ReplayView
from rlscale.answers.table import Cell, Column, Table
from rlscale.inference import Interval
from rlscale.trust.replay import NEAR

__all__ = ["replay_answer"]


def replay_answer(view: ReplayView, *, charts: bool = False) -> Answer:
    """Return the answer; with ``charts`` what a page and ``--plot`` draw."""
    result = view.result
    chart = replay_chart(view) if charts else None
    rivals = words.rivals(view)
    table = _table(view)
    blocks: tuple[Block, ...] = (
        table,
        *(() if chart is None else (Figures("", chart.panels, size="half"),)),
        Section("Notes", tuple(words.notes(view))),
        Section("Skipped", tuple(f"{each.run}: {each.reason}" for each in result.arena.skipped)),
        input_section(view.input),
    )
    return Answer(
        headline=words.headline(view),
        table=table,
        document=Document(replay_document, view),
        lead=(rivals,) if rivals else (),
        grouping=view.grouping,
        blocks=blocks,
        chart=chart,
        kicker=f"{result.arena.metric} · {count(result.tournaments, 'tournament')}",
        errors=view.errors,
        settings=view.settings,
    )


def _table(view: ReplayView) -> Table:
    result = view.result
    near = [words.kept(view, distance) for distance in NEAR]
    kept = tuple(Column(f"kept_{k:g}", f"kept\n±{words_}", "share") for k, words_ in zip(NEAR, near, strict=True))
    columns = (
        Column("policy", "policy"),
        Column("cost", "compute\nused", "share"),
        *kept,
        Column("regret", "mean\nregret", "error"),
        Column("wrong", kind="share", audience="programs"),
        Column("wrong_low", kind="share", audience="programs"),
        Column("wrong_high", kind="share", audience="programs"),
        Column("wrong_interval", "wrong\n95 %", "share", audience="people"),
        Column("resumes", "resumes", "decimal", spare=True),
        Column("rounds", "rounds", "decimal", spare=True),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.policy, each.cost, *each.kept, each.regret, each.wrong, each.wrong_low, each.wrong_high,
         Interval(each.wrong_low, each.wrong, each.wrong_high), each.resumes, each.rounds)
        for each in result.policies
    )  # fmt: skip
    main = result.policies.index(view.main)
    bounds = (0.0, result.arena.range)
    return Table(name="policies", columns=columns, rows=rows, bounds=bounds, bold=(main,))
