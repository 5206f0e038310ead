"""How long a live gate takes: 100 runs of 100 evaluations, a look whenever one of them has a new one.

The gate has been there for 37 looks before, as a watcher has. Timed are a look after every run has a new evaluation, a
look after one of them has, 100 times, and a look from the logs alone, earlier looks made again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.common import Report, main
from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.decisions.gate import HOLD, Known, gate
from rlscale.inference.fit import FitOptions

COUNT, POINTS = 100, 100
BUDGET = 16_000.0
#: Seconds for a look after all have a new evaluation; ms after one has: the 95th percentile and the slowest.
ALL_NEW, LATE, SLOWEST = 1.0, 50.0, 150.0


def live_runs(count: int) -> list[Run]:
    """Return runs of :data:`POINTS` evaluations after the start."""
    rng = np.random.default_rng(9)
    compute = np.linspace(0.0, 10_000.0, POINTS + 1)
    runs = []
    for k in range(count):
        truth = Truth(R0=0.2, A=float(rng.uniform(0.45, 0.7)), B=1.6, C_mid=float(rng.uniform(1500, 9000)), sigma=0.01,
                      rho=0.5)  # fmt: skip
        runs.append(Run(name=f"r{k}", recipe=f"r{k}", curve=simulate(truth, compute, rng=rng)))
    return runs


def measure(quick: bool = False) -> Report:
    """Time the looks."""
    report = Report("live", "How long does a live gate take from a new evaluation to its decision?")
    runs = live_runs(10 if quick else COUNT)
    known = Known(BUDGET, FitOptions(model_error=0.0))

    def look(at: int) -> float:
        now = [replace(run, curve=run.curve.until(run.curve.compute[at])) for run in runs]
        start = time.perf_counter()
        gate(now, BUDGET, policy=HOLD, known=known)
        return time.perf_counter() - start

    for at in range(60, POINTS - 3):
        look(at)
    all_new = min(look(at) for at in range(POINTS - 3, POINTS))
    one_new = one_by_one(runs, [run.curve.until(run.curve.compute[POINTS - 1]) for run in runs], known)
    start = time.perf_counter()
    gate(runs, BUDGET, policy=HOLD)
    whole = time.perf_counter() - start
    what = f"refit and decide, {len(runs)} live runs of {POINTS} points, each with a new one"
    report.check(what, f"{all_new:.2f} s", f"<= {ALL_NEW:g} s", all_new <= ALL_NEW)
    late, slowest = 1e3 * float(np.quantile(one_new, 0.95)), 1e3 * max(one_new)
    report.check("a new point to its decision, 95th percentile", f"{late:.0f} ms", f"<= {LATE:g} ms", late <= LATE)
    what = f"a new point to its decision, the slowest of {len(runs)}"
    report.check(what, f"{slowest:.0f} ms", f"<= {SLOWEST:g} ms", slowest <= SLOWEST)
    report.check("the same from logs alone, earlier looks made again", f"{whole:.2f} s", "", None)
    return report


def one_by_one(runs: Sequence[Run], curves: Sequence[Curve], known: Known) -> list[float]:
    """Let the runs grow from ``curves`` to what they are one after the other, a look at each; return the seconds."""
    now = [replace(run, curve=curve) for run, curve in zip(runs, curves, strict=True)]
    taken = []
    for k, run in enumerate(runs):
        now[k] = run
        start = time.perf_counter()
        gate(now, BUDGET, policy=HOLD, known=known)
        taken.append(time.perf_counter() - start)
    return taken


if __name__ == "__main__":
    main(measure)
