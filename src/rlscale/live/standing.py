"""What the runs of a ledger do now, by what was decided and what people said."""

from __future__ import annotations

from rlscale.ledger import Ledger
from rlscale.live.sight import run_of, seen

__all__ = ["standing"]


def standing(ledger: Ledger) -> dict[str, str]:
    """Return ``running``, ``held``, ``finished`` or ``stopped`` of each run that has evaluations, by its name.

    Raises
    ------
    CurveError
        The points of a run are no curve.
    """
    rows = ledger.book.runs()
    points = ledger.book.points(rows)
    latest = ledger.rulings.latest(acting=True)
    words = {word.run_id: word for word in ledger.overrides.all()}
    found = {}
    for row in rows:
        if row.id in points:
            last = latest.get(row.id)
            action = None if last is None else last.action
            found[row.name] = seen(row, run_of(row, points[row.id]), action, words.get(row.id)).state
    return found
