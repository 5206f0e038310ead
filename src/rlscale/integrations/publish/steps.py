"""The trainer's step at a compute of a run, from what the ledger holds of its log."""

from __future__ import annotations

import numpy as np

from rlscale.curves import COMPUTE, Series
from rlscale.ledger import Ledger, RunRow

__all__ = ["Steps"]


class Steps:
    """Steps of the runs of a ledger; the log of a run is read again only where it has gone on.

    Parameters
    ----------
    ledger : Ledger
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[int, Series | None] = {}

    def at(self, run: RunRow, compute: float) -> int:
        """Return the step at a compute; the compute, rounded, where no step is known or a step is its compute."""
        if run.unit == "steps":
            return round(compute)
        series = self._series(run, compute)
        if series is None:
            return round(compute)
        return round(float(np.interp(compute, series.value, series.step)))

    def _series(self, run: RunRow, compute: float) -> Series | None:
        known = self._known.get(run.id)
        if known is None or compute > known.value[-1]:
            log = self._ledger.book.logs([run]).get(run.id)
            found = None if log is None else log.series.get(COMPUTE)
            usable = found is not None and found.value.size and bool(np.isfinite(found.value).all())
            known = self._known[run.id] = found if usable else None
        return known
