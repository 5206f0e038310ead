"""Coverage of the ceiling on logs that start late, without an evaluation at 0.

First compute at .02, .1, .3 and .6 of ``C_mid``, ``R0`` of 0 and .2, 40 equally spaced evaluations up to 1, 2 or 4
``C_mid`` (a third of the curves each), noise correlation 0 or .5 (half each), other truths as ``designs.off_prior``,
fitted with the sigmoid alone, no model error. Target (issue 2): the 80 % interval of ``A`` holds it on at least 72 % of
the curves in each of 8 cells. The last column is the default, the average of the families with its model error, on a
quarter of the curves; no target.

Below it, the rows of ScaleRL Table 1 from 1,500 GPU-hours on, every 150 to 8,000: taking the first point for ``R0``
covered under 15 % there (method.md); no target, the bias and the coverage are shown.
"""

from __future__ import annotations

import numpy as np

from benchmarks.common import Report, covers, main, noisy, percent, share
from benchmarks.designs import C_MID, SCALERL, off_prior, scalerl
from rlscale.inference import FitOptions, posterior
from rlscale.inference.families import SIGMOID

STARTS = (0.02, 0.1, 0.3, 0.6)
BASELINES = (0.0, 0.2)
LASTS = (1.0, 2.0, 4.0)
COUNT = 40
TARGET = 0.72
PINNED = FitOptions(families=(SIGMOID,), model_error=0.0)


def cell(start: float, baseline: float, curves: int, options: FitOptions = PINNED) -> tuple[np.ndarray, np.ndarray]:
    """Return hits and errors of the median of the ceiling, in reward, both of shape (curves,).

    Curve ``i`` ends at ``LASTS[i % 3]``.
    """
    rng = np.random.default_rng([23, STARTS.index(start), BASELINES.index(baseline)])
    hits, errors = [], []
    for index in range(curves):
        truth = off_prior(rng, (0.0, 0.5)[(index // 3) % 2], baseline=baseline)
        last = LASTS[index % 3]
        curve = noisy(truth, np.linspace(start * C_MID, last * C_MID, COUNT), rng)
        found = posterior(curve, families=options.families, model_error=options.model_error)
        ceiling = found.reward([np.inf], model_error=True)[:, 0]
        hits.append(covers(found, ceiling, truth.A))
        errors.append(float(found.quantiles(ceiling, 0.5)) - truth.A)
    return np.array(hits), np.array(errors)


def published(report: Report, seeds: int) -> None:
    """Show bias and coverage of ``A`` on the rows of Table 1 from 1,500 GPU-hours on."""
    table = report.table(
        "ScaleRL Table 1 from 1,500 to 8,000 GPU-h, no evaluation at 0",
        ["row", "A", "bias of A", "median |err|", "80 % width", "covered", "8k/C_mid"],
    )
    for index, name in enumerate(SCALERL):
        truth = scalerl(name)
        rng = np.random.default_rng([29, index])
        hits, errors, widths = [], [], []
        for _ in range(seeds):
            curve = noisy(truth, np.arange(1500.0, 8001.0, 150.0), rng, "gpu-hours")
            found = posterior(curve, families=PINNED.families, model_error=0.0)
            low, middle, high = found.quantiles(found.asymptote, (0.1, 0.5, 0.9))
            hits.append(bool(low <= truth.A <= high))
            errors.append(float(middle - truth.A))
            widths.append(float(high - low))
        table.add(
            name,
            truth.A,
            f"{np.mean(errors):+.3f}",
            f"{np.median(np.abs(errors)):.3f}",
            f"{np.median(widths):.3f}",
            f"{sum(hits)}/{seeds}",
            f"{8000.0 / truth.C_mid:.2f}",
        )


def measure(quick: bool = False) -> Report:
    """Measure the 8 cells and the published rows."""
    report = Report("late_start", "Do intervals of the ceiling hold on logs that start late?")
    lasts = [f"to {last:g} C_mid" for last in LASTS]
    columns = ["first compute / C_mid, R0", "covered %", "median error", *lasts, "average"]
    table = report.table("80 % coverage of A in percent, and by last compute", columns)
    measured = []
    for baseline in BASELINES:
        for start in STARTS:
            curves = 60 if quick else 600
            hits, errors = cell(start, baseline, curves)
            average, _ = cell(start, baseline, curves // 4, FitOptions())
            measured.append(share(hits)[0])
            by_last = [f"{100 * share(hits[index :: len(LASTS)])[0]:.1f}" for index in range(len(LASTS))]
            middle = f"{np.median(errors):+.3f}"
            table.add(f"{start:g}, {baseline:g}", percent(hits), middle, *by_last, percent(average))
    low = min(measured)
    report.check("lowest coverage of A over 8 cells", f"{100 * low:.1f} %", f">= {100 * TARGET:.0f} %", low >= TARGET)
    published(report, 5 if quick else 20)
    return report


if __name__ == "__main__":
    main(measure)
