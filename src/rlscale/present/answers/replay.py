"""The answer of ``replay``: a row a policy."""

from __future__ import annotations

from rlscale.present.answers.answer import Answer, Cell, Column, Section, Table
from rlscale.present.replay import words
from rlscale.present.replay.document import replay_document
from rlscale.present.replay.view import ReplayView
from rlscale.trust.replay import NEAR

__all__ = ["replay_answer"]


def replay_answer(view: ReplayView) -> Answer:
    """Return the answer."""
    kept = tuple(Column(f"kept_{near:g}", f"kept within {words.kept(view, near)}", "share") for near in NEAR)
    columns = (
        Column("policy", "policy"), Column("cost", "compute used", "share"), *kept,
        Column("regret", "mean regret", "reward"), Column("wrong", "wrong", "share"),
        Column("wrong_low", "", "share", shown=False), Column("wrong_high", "", "share", shown=False),
        Column("resumes", "resumes"), Column("rounds", "rounds"),
    )  # fmt: skip
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.policy, each.cost, *each.kept, each.regret, each.wrong, each.wrong_low, each.wrong_high, each.resumes,
         each.rounds)
        for each in view.result.policies
    )  # fmt: skip
    table = Table("policies", columns, rows, (0.0, 0.1 * view.result.arena.range))
    skipped = tuple(f"{each.run}: {each.reason}" for each in view.result.arena.skipped)
    said = tuple(f"{item.subject()}: {item.text}" for item in view.input)
    sections = (
        Section("", (words.rivals(view),)),
        Section("Notes", tuple(words.notes(view))),
        Section("Skipped", skipped),
        Section("About the input", said),
    )
    return Answer(words.headline(view), (table,), sections, replay_document(view))
