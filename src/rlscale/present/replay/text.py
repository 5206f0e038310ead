"""Text of a replay for terminals: a row a policy, and what it says in words."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlscale.present.replay import words
from rlscale.present.replay.view import ReplayView
from rlscale.present.text import plain_table, print_headline, print_list
from rlscale.trust.replay import NEAR

__all__ = ["print_replay"]


def print_replay(view: ReplayView, console: Console) -> None:
    """Print the headline, the policies, what the numbers mean, and what was skipped."""
    print_headline(console, words.headline(view), view.grouping, words.rivals(view))
    console.print(_table(view))
    console.print()
    print_list(console, "Notes", words.notes(view))
    print_list(console, "Skipped", [f"{one.run}: {one.reason}" for one in view.result.arena.skipped])
    print_list(console, "About the input", [f"{item.subject()}: {item.text}" for item in view.input])


def _table(view: ReplayView) -> Table:
    table = plain_table()
    table.add_column("policy", no_wrap=True)
    table.add_column("compute\nused %", justify="right", no_wrap=True)
    for near in NEAR:
        table.add_column(f"kept %\n±{words.kept(view, near)}", justify="right", no_wrap=True)
    table.add_column("mean\nregret", justify="right", no_wrap=True)
    table.add_column("wrong %\n95 %", justify="right", no_wrap=True)
    for heading in ("\nresumes", "\nrounds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in view.result.policies:
        table.add_row(
            Text(one.policy, style="bold" if one is view.main else ""),
            f"{100 * one.cost:.1f}",
            *(f"{100 * value:.1f}" for value in one.kept),
            view.regret(one.regret),
            words.wrong(one),
            f"{one.resumes:.1f}",
            f"{one.rounds:.1f}",
        )
    return table
