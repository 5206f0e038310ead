"""Time of a fit, of the import and of the demo.

``fit`` (posterior, verdict, forecasts at 2 and 4 times the last compute and of the asymptote) of curves of 100 points
off the prior, one thread, median over 200 curves after a warm-up. Targets (issue 2): at most 3 ms a curve; ``import
rlscale`` at most .35 s (best and median of 5 fresh interpreters); ``rlscale demo`` under 10 s. Beside it the published
grid method and MINOS on the same curves; NUTS is timed by ``benchmarks.nuts``.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import rlscale
from benchmarks import baselines
from benchmarks.common import Report, main, noisy
from benchmarks.designs import CORRELATIONS, RATIOS, evenly, off_prior
from rlscale.curves import Curve
from rlscale.inference import fit, posterior
from rlscale.trust.baselines import linearised_sigmoid, published_sigmoid

COUNT = 99  # and the evaluation at 0
GRID_CURVES = 5
_IMPORT = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def curves(count: int) -> list[Curve]:
    """Return curves of 100 points, every ``C_last/C_mid`` and correlation in turn."""
    rng = np.random.default_rng(59)
    out: list[Curve] = []
    for index in range(count):
        truth = off_prior(rng, CORRELATIONS[index % len(CORRELATIONS)])
        out.append(noisy(truth, evenly(RATIOS[index % len(RATIOS)], COUNT), rng))
    return out


def seconds(work: Callable[[Curve], object], on: Sequence[Curve]) -> list[float]:
    """Wall time of ``work`` on each curve, after one warm-up."""
    work(on[0])
    taken = []
    for curve in on:
        start = time.perf_counter()
        work(curve)
        taken.append(time.perf_counter() - start)
    return taken


def measure(quick: bool = False) -> Report:
    """Time everything."""
    report = Report("speed", "How long do a fit, the import and the demo take?")
    made = curves(20 if quick else 200)
    table = report.table(
        "time a curve of 100 points, one core, warm", ["what", "p10 ms", "median ms", "p90 ms", "curves"]
    )
    works: tuple[tuple[str, Callable[[Curve], object], int], ...] = (
        ("fit: posterior, verdict, forecasts", fit, len(made)),
        ("posterior alone", posterior, len(made)),
        ("least squares", lambda c: baselines.least_squares(c.compute, c.reward), 20),
        ("iminuit MINOS", lambda c: baselines.minos(c.compute, c.reward, 8.0 * c.compute_last), 20),
        ("linearised grid", lambda c: linearised_sigmoid(c.compute, c.reward, c.reward[0]), 20),
        (
            "published grid",
            lambda c: baselines.published_grid(c.compute, c.reward, c.reward[0]),
            1 if quick else GRID_CURVES,
        ),
    )
    medians = {}
    for name, work, count in works:
        taken = 1e3 * np.array(seconds(work, made[:count]))
        medians[name] = float(np.median(taken))
        table.add(name, *(f"{value:.2f}" for value in np.quantile(taken, (0.1, 0.5, 0.9))), count)
    ours = medians["fit: posterior, verdict, forecasts"]
    report.check("fit of 100 points", f"{ours:.2f} ms", "<= 3 ms", ours <= 3.0)
    report.check("published grid / fit", f"{medians['published grid'] / ours:.0f} x", "", None)
    same_curve(report, made[: 1 if quick else GRID_CURVES])
    import_time(report)
    demo_time(report)
    return report


def same_curve(report: Report, on: Sequence[Curve]) -> None:
    """Count the curves on which the fast form of the published grid chooses the same cell as the published one."""
    same = 0
    for curve in on:
        series = curve.compute, curve.reward, float(curve.reward[0])
        one, other = baselines.published_grid(*series), published_sigmoid(*series)
        same += (one.A, one.C_mid) == (other.A, other.C_mid)
    report.check("published grid, fast form chooses the same cell", f"{same} of {len(on)}", "all", same == len(on))


def import_time(report: Report) -> None:
    """Time ``import rlscale``, and with the engine loaded, in fresh interpreters (their own start not counted)."""
    for statement in ("import rlscale", "from rlscale import fit"):
        command = [sys.executable, "-c", _IMPORT.format(statement)]
        done = [subprocess.run(command, capture_output=True, text=True, check=True, env=here()) for _ in range(5)]
        taken = [float(one.stdout) for one in done]
        text = f"best {min(taken):.3f} s, median {np.median(taken):.3f} s"
        report.check(statement, text, "<= .35 s", float(np.median(taken)) <= 0.35)


def here() -> dict[str, str]:
    """Return the environment in which any folder's interpreter finds this copy of the package."""
    return {**os.environ, "PYTHONPATH": str(Path(rlscale.__file__).resolve().parents[1])}


def demo_time(report: Report) -> None:
    """Time ``rlscale demo`` from the shell, in an empty folder."""
    if importlib.util.find_spec("rlscale.cli") is None:
        report.check("rlscale demo", "not there yet", "< 10 s", None)
        return
    command = [sys.executable, "-m", "rlscale", "demo"]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=here())
        taken = time.perf_counter() - start
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        report.check("rlscale demo", f"failed: {last[0]}", "< 10 s", False)
        return
    report.check("rlscale demo", f"{taken:.2f} s", "< 10 s", taken < 10.0)


if __name__ == "__main__":
    main(measure)
