"""What finished runs were believed to reach as they grew, and how recipes ranked on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlscale.curves.prefix import first
from rlscale.inference import FitOptions, fits
from rlscale.inference.families import name_of
from rlscale.inference.over_time import LOOKS, look_counts
from rlscale.ledger import FitRow, Ledger, RunRow, digest
from rlscale.live.engine import engine
from rlscale.live.sight import run_of

__all__ = ["Growth", "grown"]

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Growth:
    """How runs are fitted as they grew.

    Parameters
    ----------
    looks : int
        Fits along each run, the last of all its evaluations.
    options : FitOptions
    target : float, optional
        Compute of a forecast by which recipes rank, in the runs' unit; else they rank by A.
    """

    looks: int = LOOKS
    options: FitOptions = field(default_factory=FitOptions)
    target: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        fitted = self.options
        return {
            "kind": "growth", "family": name_of(fitted.families), "model_error": fitted.model_error,
            "tolerance": fitted.tolerance, "onset": fitted.onset, "target": self.target,
        }  # fmt: skip


def grown(ledger: Ledger, rows: Sequence[RunRow], how: Growth, watch: Watch | None = None) -> int:
    """Fit runs of a ledger as they grew, keep the fits that are not there yet, and return how many they are.

    Parameters
    ----------
    ledger : Ledger
    rows : sequence of RunRow
    how : Growth
    watch : callable, optional
        Called with the fits made and their number.
    """
    document = how.document()
    hashed = digest(document)
    there = ledger.fits.known([row.id for row in rows], hashed, engine())
    points = ledger.book.points(rows)
    asked = [
        (row, run, count, int(points[row.id].number[:count].max()))
        for row, run in ((row, run_of(row, points[row.id])) for row in rows if row.id in points)
        for count in look_counts(run.curve, how.looks)
    ]
    asked = [one for one in asked if (one[0].id, one[3]) not in there]
    targets = () if how.target is None else (how.target,)
    made = fits((first(run, count) for _, run, count, _ in asked), targets, how.options)
    new: list[FitRow] = []
    for done, ((row, _, _, seq), found) in enumerate(zip(asked, made, strict=True), start=1):
        ahead = found.forecasts[0] if how.target is not None and found.forecasts else None
        new.append(
            FitRow(
                run_id=row.id, seq=seq, settings=hashed, version=engine(), at=time.time(),
                compute=found.run.curve.compute_last, verdict=found.verdict.name.value,
                A=_three(found.asymptote), target=how.target, forecast=_three(ahead),
                mean=None if ahead is None else ahead.mean,
            )
        )  # fmt: skip
        if watch is not None:
            watch(done, len(asked))
    return ledger.fits.add(new, document)


def _three(found: Any) -> tuple[float, float, float] | None:
    if found is None:
        return None
    held = found.interval
    return held.q10, held.q50, held.q90
