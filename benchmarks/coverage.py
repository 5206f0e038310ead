"""Coverage of 80 % intervals on curves that the prior did not make.

Truths off the prior (``designs.off_prior``), an evaluation at 0 and ``n`` equally spaced ones after it, fitted with the
sigmoid alone, no model error; the interval is of the noise-free reward at ``8 C_last``. Target (issue 2, design §9): 70
to 98 % in every cell with ``n`` of 40 and 100, 65 to 99 % with 12; 400 curves a cell, so a standard error of 2 %.

Below it the default on the same truths: the average of the families with its learned model error, three correlations
together, a quarter of the curves; no target.
"""

from __future__ import annotations

import itertools

import numpy as np

from benchmarks.common import Report, covers, main, noisy, share
from benchmarks.designs import CORRELATIONS, COUNTS, RATIOS, evenly, off_prior
from rlscale.inference import FitOptions, posterior
from rlscale.inference.families import SIGMOID

ALLOWED = {12: (0.65, 0.99), 40: (0.70, 0.98), 100: (0.70, 0.98)}
AHEAD = 8.0
PINNED, DEFAULT = FitOptions(families=(SIGMOID,), model_error=0.0), FitOptions()


def cell(ratio: float, rho: float, count: int, curves: int, options: FitOptions) -> tuple[list[bool], list[float]]:
    """Return whether each curve's 80 % interval of ``R(8 C_last)`` holds the truth, and its width in reward."""
    rng = np.random.default_rng([17, RATIOS.index(ratio), CORRELATIONS.index(rho), count])
    compute = evenly(ratio, count)
    hits, widths = [], []
    for _ in range(curves):
        truth = off_prior(rng, rho)
        curve = noisy(truth, compute, rng)
        found = posterior(curve, families=options.families, model_error=options.model_error)
        values = found.reward([AHEAD * compute[-1]], model_error=True)[:, 0]
        hits.append(covers(found, values, float(truth.reward(AHEAD * compute[-1]))))
        widths.append(float(np.diff(found.quantiles(values, (0.1, 0.9)))[0]))
    return hits, widths


def default(report: Report, curves: int) -> None:
    """Show the coverage of the default."""
    table = report.table("80 % coverage of R(8 C_last) by default [median width]", ["n", *map(str, RATIOS)])
    every = []
    for count in COUNTS:
        cells = []
        for ratio in RATIOS:
            found = [cell(ratio, rho, count, curves, DEFAULT) for rho in CORRELATIONS]
            hits, widths = [h for one, _ in found for h in one], [w for _, one in found for w in one]
            every.append(share(hits)[0])
            cells.append(f"{100 * every[-1]:.1f} [{np.median(widths):.3f}]")
        table.add(f"n {count}", *cells)
    text = f"{100 * min(every):.1f} to {100 * max(every):.1f} %, mean {100 * np.mean(every):.1f} %"
    report.check("coverage by default, 18 cells", text, "", None)


def measure(quick: bool = False) -> Report:
    """Measure every cell of the table."""
    report = Report("coverage", "Do 80 % intervals hold the truth on curves that the prior did not make?")
    table = report.table(
        "80 % coverage of R(8 C_last) by C_last/C_mid, sigmoid, in percent [median width]",
        ["n, rho", *map(str, RATIOS)],
    )
    curves = 16 if quick else 400
    for count in COUNTS:
        low, high = ALLOWED[count]
        measured = {}
        for rho in CORRELATIONS:
            found = {ratio: cell(ratio, rho, count, curves, PINNED) for ratio in RATIOS}
            measured.update({(rho, ratio): share(hits)[0] for ratio, (hits, _) in found.items()})
            cells = [f"{100 * share(hits)[0]:.1f} [{np.median(widths):.3f}]" for hits, widths in found.values()]
            table.add(f"n {count}, rho {rho:g}", *cells)
        worst = min(measured, key=lambda key: min(measured[key] - low, high - measured[key]))
        outside = sum(not low <= p <= high for p in measured.values())
        report.check(
            f"coverage of all {len(list(itertools.product(CORRELATIONS, RATIOS)))} cells, n {count}",
            f"{100 * min(measured.values()):.1f} to {100 * max(measured.values()):.1f} %, {outside} cells outside, "
            f"worst at rho {worst[0]:g}, C_last/C_mid {worst[1]:g}",
            f"{100 * low:.0f} to {100 * high:.0f} %",
            outside == 0,
        )
    default(report, curves // 4)
    return report


if __name__ == "__main__":
    main(measure)
