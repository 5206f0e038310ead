"""What the runs of a ledger do now, by what was decided and what people said."""

from __future__ import annotations

from rlscale.ledger import Ledger
from rlscale.live.sight import run_of, stand

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
    held = [(row, run_of(row, points[row.id])) for row in rows if row.id in points]
    field = stand(held, ledger.rulings.latest(acting=True), ledger.overrides.latest())
    return {one.row.name: one.state for one in field}
