"""What would the bundled runs' own first halves have forecast? ``python -m benchmarks.bundled``.

Each run is cut at half of its tokens and fitted with default options; the forecast of the mean of its last five
evaluations (``Posterior.mean_reward``) is set beside that mean. Six runs are an example, not a measurement: they are
here because the README speaks of them, misses included.
"""

from __future__ import annotations

import numpy as np

from benchmarks.common import Report, covers, main
from rlscale import Curve, fit, read
from rlscale.sources import bundled

LAST = 5


def measure(quick: bool = False) -> Report:
    """Forecast the end of each bundled run from its first half."""
    report = Report("bundled", "What would the bundled runs' own first halves have forecast?")
    table = report.table(
        "mean of the last 5 evaluations, forecast from half of the tokens",
        ["run", "10 %", "median", "90 %", "came true", "inside", "verdict at the end"],
    )
    hits, late_misses = [], 0
    for run in read(str(bundled())):
        curve: Curve = run.curve
        found = fit(curve.until(0.5 * curve.compute_last), curve.compute_last)
        assert found.posterior is not None  # 25 evaluations are enough
        values = found.posterior.mean_reward(curve.compute[-LAST:])
        truth = float(np.mean(curve.reward[-LAST:]))
        low, middle, high = found.posterior.quantiles(values, (0.1, 0.5, 0.9))
        hits.append(covers(found.posterior, values, truth))
        late_misses += int(truth > high)
        table.add(
            run.name, f"{low:.3f}", f"{middle:.3f}", f"{high:.3f}", f"{truth:.3f}", "yes" if hits[-1] else "no",
            found.verdict.name.value,
        )  # fmt: skip
    report.check("inside the 80 % interval", f"{sum(hits)} of {len(hits)}, {late_misses} above it", "", None)
    return report


if __name__ == "__main__":
    main(measure)
