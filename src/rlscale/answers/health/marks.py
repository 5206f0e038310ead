"""The row of marks that pages of other answers show: which monitors fired on each run."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.answers.answer import Block
from rlscale.answers.health.answer import matrix
from rlscale.answers.table import Table
from rlscale.curves import Run
from rlscale.health import check_health

__all__ = ["health_marks"]

#: More runs than this have no marks on a page: each takes milliseconds and a line.
_MOST = 200


def health_marks(runs: Sequence[Run]) -> list[Block]:
    """Return the marks of runs, for a page; nothing where no monitor can judge any of them."""
    if len(runs) > _MOST:
        return []
    health = check_health(runs).runs
    judged = [run for run in health if run.alarms or set(run.quiet) - {"reward_scale_change", "validation_silence"}]
    if not judged:
        return []
    table = matrix(health)
    note = f"{table.note or 'no monitor fired'}; rlscale health PATH says why, and what to do"
    return [Table(name="health", columns=table.columns, rows=table.rows, title="Health", note=note, on_page_only=True)]
