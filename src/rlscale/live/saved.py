"""What the decisions that a ledger holds have saved, from the runs and the latest look as they stand."""

from __future__ import annotations

from rlscale.decisions.gate import Action, comeback
from rlscale.decisions.savings import Outlay, Savings, savings
from rlscale.ledger import Ledger
from rlscale.live.standing import standing

__all__ = ["saved"]

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
    points, decided = ledger.book.points(rows), ledger.rulings.latest(acting is not None)
    words, states = ledger.overrides.latest(), standing(ledger)
    outlays = []
    for row in rows:
        if row.id not in points:
            continue
        decision, word = decided.get(row.id), words.get(row.id)
        state = states[row.name]
        if decision is None or (state == "running" and acting is not None):  # a person may have let it go on
            back = None
        else:
            back = comeback(Action(decision.action), decision.evidence.get("h"))
        outlays.append(
            Outlay(
                float(points[row.id].compute[-1]),
                paused=state in _PAUSED,
                comeback=back,
                over=state == "finished" or (word is not None and word.kind == "lost"),
            )
        )
    return savings(outlays, float(look.settings["budget"]), look.unit)
