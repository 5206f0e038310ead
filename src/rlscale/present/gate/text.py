"""Text of a gate's decisions for terminals: a row a run, then why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlscale.decisions.gate import Action, Decision
from rlscale.present.gate.reasons import reasons
from rlscale.present.gate.view import CLAIM, GateView, headline
from rlscale.present.numbers import UNKNOWN, probability, quantity, reward, span
from rlscale.present.savings import savings_words
from rlscale.present.text import folded, plain_table, print_headline, print_list, print_wrapped

__all__ = ["badge", "print_gate"]

#: Mark and colour of each decision; the word stands beside them.
_BADGES = {
    Action.COMMIT: ("✔", "bold green"),
    Action.CONTINUE: ("▶", "bold blue"),
    Action.HOLD: ("‖", "bold yellow"),
    Action.STOP: ("■", "bold red"),
}
#: A console narrower than this does without the columns that say least.
_ROOMY = 92
#: Room that a name is given at least, and all other columns take.
_LEAST, _OTHERS, _OTHERS_ROOMY = 12, 43, 69


def badge(action: str) -> Text:
    """Return a decision with its mark, in its colour."""
    mark, style = _BADGES[Action(action)]
    return Text(f"{mark} {action}", style=style)


def print_gate(view: GateView, console: Console) -> None:
    """Print the headline, a row for each run, why, what is to be known, and what the risk is not."""
    print_headline(console, headline(view), view.grouping, savings_words(view.savings))
    if not view.shown:
        return
    console.print(_table(view, console.width))
    console.print()
    console.print(Text("Why", style="bold"))
    for reason in reasons(view.ordered, view.answer):
        mark, style = _BADGES[reason.action]
        lead = f"{mark} {reason.action.value}"
        said = f"{lead}  {_names(reason.runs)}: {reason.text}"
        print_wrapped(console, said, rest="    ", lead=Text(lead, style=style))
    console.print()
    print_list(console, "Notes", [*view.answer.notes, _judged(view), view.calibration, CLAIM])
    print_list(console, "About the input", [f"{item.subject()}: {item.text}" for item in view.input])


def _names(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def _judged(view: GateView) -> str:
    answer = view.answer
    if answer.claim == "runs":
        return "Judged are these runs, not new runs of their recipes: run-to-run sd 0 (--seed-sd)."
    return f"Judged are recipes, their runs together; run-to-run sd τ = {answer.seed_sd:.3f} of the range."


def _table(view: GateView, width: int) -> Table:
    roomy = width >= _ROOMY
    answer = view.answer
    table = plain_table()
    longest = max(cell_len(one.run) for one in view.shown)
    room = max(width - (_OTHERS_ROOMY if roomy else _OTHERS), _LEAST)
    table.add_column("decision", no_wrap=True)
    table.add_column("run", width=max(min(longest, room), len("run")), overflow="fold")
    table.add_column("spent", justify="right", no_wrap=True)
    if roomy:
        table.add_column("reward\nnow", justify="right", no_wrap=True)
    table.add_column(f"at {quantity(answer.budget)}\n80 %", justify="right", no_wrap=True)
    table.add_column("P(best\nby ε)", justify="right", no_wrap=True)
    if roomy:
        table.add_column("because", no_wrap=True)
    for one in view.ordered:
        table.add_row(*_cells(one, view, roomy, min(longest, room)))
    low, high = answer.bounds
    axis = f"{answer.unit} ({answer.clock})" if answer.clock else answer.unit
    epsilon = reward(answer.policy.epsilon * (high - low), answer.bounds)
    table.caption, table.caption_justify = f"compute in {axis}; ε = {epsilon}", "left"
    return table


def _cells(one: Decision, view: GateView, roomy: bool, room: int) -> list[Text | str]:
    told, bounds = one.evidence, view.answer.bounds
    forecast: Text | str = Text(UNKNOWN, style="dim")
    around = told.interval
    if around is not None:
        forecast = Text.assemble(reward(around.q50, bounds), "\n", (span(around, bounds), "dim"))
    return [
        badge(one.action.value),
        folded(one.run, room),
        quantity(told.spent),
        *([reward(told.reward, bounds)] if roomy else []),
        forecast,
        probability(told.h),
        *([one.code.replace("_", " ")] if roomy else []),
    ]
