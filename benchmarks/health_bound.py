"""How early can data reuse be seen in the validation at all? ``python -m benchmarks.health_bound``.

The simulated failures of ``health_simulated``, without noise: by the fifth evaluation after the onset, how often does
the validation lie so far below its best; and how often would the best test there is (Neyman and Pearson), which knows
onset, shape and level, have found it by then, at 1.5 % of false alarms in 20 looks.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from benchmarks.common import Report, main, percent
from benchmarks.health_simulated import ITEMS, by_heart, healthy_series

SEED = 63
#: Evaluations after the onset, the share of healthy runs with a false alarm, looks at one.
WITHIN, FALSE, LOOKS = 5, 0.015, 20


def measure(quick: bool) -> Report:
    """Measure it."""
    report = Report("health_bound", "How early can data reuse be seen in the validation at all?")
    rng = np.random.default_rng(SEED)
    sags, power = [], []
    for _ in range(400 if quick else 4000):
        n, every = int(rng.integers(120, 300)), int(rng.integers(5, 11))
        mean = healthy_series(rng, n)["_mean"]
        onset = int(rng.uniform(0.3, 0.6) * n)
        lost = by_heart(rng, np.clip(np.arange(n) - onset, 0, None))
        rows = np.arange(0, n + 1, every)
        rows = rows[(rows > onset) & (rows <= onset + 1 + WITHIN * every)] - 1
        truth = mean - lost
        sags.append(float(np.max(truth[: rows[-1] + 1]) - truth[rows[-1]]))
        sd = np.sqrt(np.clip(truth[rows] * (1 - truth[rows]), 0.01, None) / ITEMS)
        power.append(float(norm.cdf(np.sqrt(np.sum((lost[rows] / sd) ** 2)) - norm.isf(FALSE / LOOKS))))
    table = report.table("by the fifth evaluation after the onset", ["", "share of failures"])
    for least in (0.01, 0.03, 0.06):
        table.add(f"validation, without noise, {least:g} below its best", percent([sag >= least for sag in sags]))
    table.add("found by the best test of the validation alone", f"{100 * float(np.mean(power)):.1f}")
    return report


if __name__ == "__main__":
    main(measure)
