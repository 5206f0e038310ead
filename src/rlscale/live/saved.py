"""What the decisions that a ledger holds have saved, from the runs and the latest look as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rlscale.decisions.gate import Action, comeback
from rlscale.decisions.savings import Outlay, Savings, savings
from rlscale.ledger import DecisionRow, Ledger, LookRow, Override, RunRow
from rlscale.live.standing import standing

__all__ = ["saved", "saved_by"]

_PAUSED = ("held", "stopped")


def saved(ledger: Ledger) -> Savings | None:
    """Return what decisions on the runs of the latest look save; None where no watcher has looked yet.

    Decisions that are carried out count, those of a dry run where there are no others.

    Raises
    ------
    CurveError
        The points of a run are no curve.
    """
    acting = ledger.rulings.last_look(acting=True)
    look = acting or ledger.rulings.last_look(acting=False)
    if look is None:
        return None
    watched = {read.run_id for read in ledger.rulings.look(look.id)[1]}
    rows = [row for row in ledger.book.runs() if row.id in watched]
    points = ledger.book.points(rows)
    spent = {number: float(own.compute[-1]) for number, own in points.items()}
    decided = ledger.rulings.latest(look.acting)
    return saved_by(look, rows, spent, standing(ledger), decided, ledger.overrides.latest())


def saved_by(
    look: LookRow,
    rows: Iterable[RunRow],
    spent: Mapping[int, float],
    states: Mapping[str, str],
    decided: Mapping[int, DecisionRow],
    words: Mapping[int, Override],
) -> Savings:
    """Return what decisions on runs save.

    Parameters
    ----------
    look : LookRow
        The latest.
    rows : iterable of RunRow
        The runs that it saw.
    spent : mapping of int to float
        Compute of each, by its id; one without evaluations is left out.
    states : mapping of str to str
        As :func:`standing` says, by name.
    decided : mapping of int to DecisionRow
        The latest decision on each.
    words : mapping of int to Override
        The latest word of a person on each.
    """
    outlays = []
    for row in rows:
        if row.id not in spent:
            continue
        decision, word = decided.get(row.id), words.get(row.id)
        state = states[row.name]
        if decision is None or (state == "running" and look.acting):  # a person may have let it go on
            back = None
        else:
            back = comeback(Action(decision.action), decision.evidence.get("h"))
        outlays.append(
            Outlay(
                spent[row.id],
                paused=state in _PAUSED,
                comeback=back,
                over=state == "finished" or (word is not None and word.kind == "lost"),
            )
        )
    return savings(outlays, float(look.settings["budget"]), look.unit)
