"""Runs that collapse to their lower bound: how many of them stay there, and how far the others come back.

``python -m benchmarks.falls``. Over the public archives (``archives.SOURCES``): a run *fell* to its lower bound where,
at some evaluation with at least 3 more to come, its verdict would have been ``collapsed`` with the last two within .02
of the bound. It *stayed* where the mean of its last ``max(3, n / 10)`` evaluations is below .05 of the range.
The verdict quotes both numbers (``rlscale.inference.ahead.FLOORED``).
"""

from __future__ import annotations

import numpy as np

from benchmarks.archives import SOURCES, curves_folder
from benchmarks.common import Report, main
from rlscale.curves import Curve
from rlscale.inference.ahead import FLOORED
from rlscale.inference.examine import FLOOR_SHARE, examine
from rlscale.inference.regimes import Break

#: Share of the range that a run ends below which stayed; evaluations still to come after the look.
ENDED, LATER = 0.05, 3
#: Evaluations before the first look.
FIRST = 8


def fell(curve: Curve) -> Break | None:
    """Return the first collapse of a run to its lower bound, as it was seen then."""
    low = curve.reward < curve.bounds[0] + FLOOR_SHARE * curve.range
    for count in range(FIRST, curve.n_points - LATER + 1):
        if low[count - 1] and low[count - 2]:
            seen = examine(curve.until(float(curve.compute[count - 1])))
            if seen.aftermath is not None and seen.aftermath.on_floor:
                return seen.found
    return None


def measure(quick: bool = False) -> Report:
    """Count them."""
    report = Report("falls", "Do runs come back from their lower bound?")
    if not curves_folder().is_dir():
        report.skipped = "the public archives are not here; set RLSCALE_CURVES to their folder"
        return report
    table = report.table("runs that collapsed to their lower bound", ["set, run", "before", "end", "came back"])
    ends = []
    for archive in SOURCES[: 1 if quick else None]:
        for run in archive.runs():
            found = fell(run.curve)
            if found is None:
                continue
            low, span = run.curve.bounds[0], run.curve.span
            tail = max(3, run.curve.n_points // 10)
            ends.append(float(run.curve.reward[-tail:].mean() - low) / span)
            before = (found.before - low) / span
            table.add(f"{archive.name}, {run.name}", f"{before:.2f}", f"{ends[-1]:.2f}", f"{ends[-1] / before:.0%}")
    stayed = int(np.count_nonzero(np.array(ends) < ENDED))
    text, quoted = f"{stayed} of {len(ends)}", f"{FLOORED[1]} of {FLOORED[0]}"
    report.check(
        "stayed at the lower bound", text, f"{quoted}, as the verdict quotes", None if quick else text == quoted
    )
    return report


if __name__ == "__main__":
    main(measure)
