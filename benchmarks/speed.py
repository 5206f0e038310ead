"""Time and memory of a fit, of one more evaluation, of the import and of the demo.

Posterior and forecasts at 2 and 4 times the last compute and of the asymptote, for curves of 100 points off the prior,
one thread, after a warm-up: each curve alone, batches of 1,000 on one schedule, and one more evaluation of 50 to 200
points; by the sigmoid and by the average of the families. ``fit`` adds the search for falls and jumps and the verdict.
The same batches by numpy alone, without the compiled kernel, and how far the two are apart. Beside them the published
grid method and MINOS on the same curves; NUTS is timed by ``benchmarks.nuts``. Then ``import rlscale`` (best and median
of 5 fresh interpreters) and ``rlscale demo``.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rlscale
from benchmarks import baselines
from benchmarks.common import Report, Table, main, noisy
from benchmarks.designs import CORRELATIONS, RATIOS, evenly, off_prior
from rlscale.curves import Curve
from rlscale.inference import Posterior, fit, posterior, posteriors
from rlscale.inference.backend import Jobs, backend, backend_named
from rlscale.inference.backend.compiled import load
from rlscale.inference.evidence import evidence
from rlscale.inference.families import AVERAGED, SIGMOID, Family
from rlscale.inference.forecast import forecasts
from rlscale.inference.priors import LEARNED, PRIORS
from rlscale.inference.products import Curves
from rlscale.trust.baselines import linearised_sigmoid, published_sigmoid

COUNT = 99  # and the evaluation at 0
GRID_CURVES = 5
#: Points of the curves to which one more evaluation comes, and of one far beyond, where time may grow with it.
LIVE, LONG = (50, 100, 200), 1000
#: ms a curve in a batch; alone or with one more evaluation after :data:`USUAL` points; with one more after any of LIVE.
TARGETS = {"sigmoid": (1.0, 3.0, 3.0), "average": (3.0, 5.0, 8.0)}
USUAL = 100
#: ms of a NUTS fit of the sigmoid, as the target has it; ``benchmarks.nuts`` measures it.
NUTS = 1900.0
#: GiB for the posteriors of 10,000 curves held at once.
ROOM, MANY = 1.0, 10_000
FAMILIES: dict[str, tuple[Family, ...]] = {"sigmoid": (SIGMOID,), "average": AVERAGED}
_IMPORT = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def curves(count: int, points: int = COUNT) -> list[Curve]:
    """Return curves of 100 points, every ``C_last/C_mid`` and correlation in turn."""
    rng = np.random.default_rng(59)
    out: list[Curve] = []
    for index in range(count):
        truth = off_prior(rng, CORRELATIONS[index % len(CORRELATIONS)])
        out.append(noisy(truth, evenly(RATIOS[index % len(RATIOS)], points), rng))
    return out


def on_one_schedule(count: int) -> list[Curve]:
    """Return the same curves with their compute counted in shares of the last."""
    return [type(curve)(compute=evenly(1.0, COUNT), reward=curve.reward, unit=curve.unit) for curve in curves(count)]


def seconds(work: Callable[[Curve], object], on: Sequence[Curve]) -> list[float]:
    """Wall time of ``work`` on each curve, after one warm-up."""
    work(on[0])
    taken = []
    for curve in on:
        start = time.perf_counter()
        work(curve)
        taken.append(time.perf_counter() - start)
    return taken


def forecast(found: Posterior) -> None:
    """Forecast what every command shows."""
    forecasts(found, (2.0 * found.curve.compute_last, 4.0 * found.curve.compute_last, np.inf))


def added(table: Table, name: str, taken: Sequence[float]) -> float:
    """Add a row of times, given in seconds, and return the median in ms."""
    low, middle, high = np.quantile(1e3 * np.array(taken), (0.1, 0.5, 0.9))
    table.add(name, f"{low:.2f}", f"{middle:.2f}", f"{high:.2f}", len(taken))
    return float(middle)


def own(report: Report, table: Table, name: str, made: Sequence[Curve], batch: int) -> float:
    """Time our own fits by one choice of families; return ms a curve in a batch."""
    families = FAMILIES[name]
    alone = added(table, f"{name}: alone", seconds(lambda c: forecast(posterior(c, families=families)), made))
    together = on_one_schedule(batch)
    found = posteriors(together, families=families)
    forecast(next(found))
    start = time.perf_counter()
    for each in found:
        forecast(each)
    taken = (time.perf_counter() - start) / (batch - 1)
    batched = added(table, f"{name}: batch of {batch}, mean", [taken])
    live = {count: updated(table, name, count) for count in (*LIVE, LONG)}
    in_batch, by_itself, longer = TARGETS[name]
    report.check(f"{name}: batch", f"{batched:.2f} ms", f"<= {in_batch:g} ms", batched <= in_batch)
    report.check(f"{name}: alone", f"{alone:.2f} ms", f"<= {by_itself:g} ms", alone <= by_itself)
    usual, slowest = live[USUAL], max(live[count] for count in LIVE)
    report.check(f"{name}: one more after {USUAL}", f"{usual:.2f} ms", f"<= {by_itself:g} ms", usual <= by_itself)
    report.check(f"{name}: one more, up to {LIVE[-1]}", f"{slowest:.2f} ms", f"<= {longer:g} ms", slowest <= longer)
    growth = live[LONG] / live[LIVE[-1]]
    steps = LONG / LIVE[-1]
    report.check(f"{name}: its time at {LONG} points", f"{growth:.1f} x", f"<= {steps:g} x", growth <= steps)
    return batched


def updated(table: Table, name: str, points: int) -> float:
    """Time one more evaluation of curves of ``points``; return the median in ms."""
    taken = []
    for curve in curves(20, points):
        before = posterior(curve.select(np.arange(points + 1) < points), families=FAMILIES[name])
        start = time.perf_counter()
        forecast(before.update(curve.compute_last, curve.reward_last))
        taken.append(time.perf_counter() - start)
    return added(table, f"{name}: one more after {points}", taken[1:])


def backends(report: Report, table: Table, batch: int) -> None:
    """Time the same batches by both backends, turn by turn, and compare what they say."""
    if load() is None:
        report.check("compiled kernel", "not built here", "built", False)
        return
    for name, families in FAMILIES.items():
        made = on_one_schedule(batch)
        unlike = [  # no two schedules alike
            type(curve)(compute=curve.compute ** (1.0 + 0.001 * k), reward=curve.reward, unit=curve.unit)
            for k, curve in enumerate(made)
        ]
        for what, on in (("one schedule", made), ("unlike schedules", unlike)):
            taken: dict[str, list[float]] = {"numpy": [], "compiled": []}
            for _ in range(3):
                for which, times in taken.items():
                    with backend_in_use(which):
                        start = time.perf_counter()
                        for each in posteriors(on, families=families):
                            forecast(each)
                        times.append((time.perf_counter() - start) / batch)
            plain, compiled = (added(table, f"{name}: {what}, {which}", times) for which, times in taken.items())
            report.check(f"{name}: {what}, numpy / compiled", f"{plain / compiled:.1f} x", "", None)
        apart = 0.0
        for curve in curves(20 if batch < 1000 else 100):
            answers = []
            for which in taken:
                with backend_in_use(which):
                    answers.append(shown(posterior(curve, families=families)))
            apart = max(apart, float(np.abs(answers[0] - answers[1]).max()))
        report.check(f"{name}: numpy and compiled, largest difference", f"{apart:.1e}", "<= 1e-10", apart <= 1e-10)
    for name, ratio in kernel_ratios(batch).items():
        report.check(f"{name}: sums over nodes alone, numpy / compiled", f"{ratio:.1f} x", ">= 3 x", ratio >= 3.0)


def kernel_ratios(batch: int) -> dict[str, float]:
    """How many times faster the compiled kernel weighs the nodes of a last grid than numpy does."""
    ratios = {}
    for name, families in FAMILIES.items():
        learned, shapes = len(families) > 1, tuple(family for family in families if family.rises)
        priors = LEARNED if learned else PRIORS
        chunk = [evidence(curve, early=learned, walk=learned, priors=priors) for curve in curves(min(batch, 20))]
        rng = np.random.default_rng(3)
        times: dict[str, float] = {}
        for which in ("numpy", "compiled"):
            taken = []
            for data in chunk:
                jobs = Jobs(Curves((data,), priors), shapes)
                m = np.sort(rng.uniform(-2.0, 2.0, (len(shapes), 240)), axis=1)
                log_b = np.stack([rng.uniform(*np.log(family.b_limits), 240) for family in shapes])
                densities = backend_named(which).over(jobs)
                start = time.perf_counter()
                _, best = densities.search(np.arange(len(shapes)), m, log_b, first=False)
                densities.weigh(m, log_b, best)
                taken.append(time.perf_counter() - start)
            times[which] = float(np.median(taken))
        ratios[name] = times["numpy"] / times["compiled"]
    return ratios


@contextmanager
def backend_in_use(name: str) -> Iterator[None]:
    """Let ``RLSCALE_BACKEND`` name a backend for a while."""
    before = os.environ.get("RLSCALE_BACKEND")
    os.environ["RLSCALE_BACKEND"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["RLSCALE_BACKEND"]
        else:
            os.environ["RLSCALE_BACKEND"] = before


def memory(report: Report, on: Sequence[Curve]) -> None:
    """Measure what the posteriors of many curves take, and how closely those fitted together and alone agree."""
    kept = list(posteriors(on))  # fills what is shared
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = list(posteriors(on))
    each = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    whole = each * MANY / 2**30
    report.check(
        f"{MANY:,} posteriors", f"{each / 1024:.0f} KiB each, {whole:.2f} GiB", f"<= {ROOM:g} GiB", whole <= ROOM
    )
    apart = max(float(np.abs(shown(one) - shown(posterior(curve))).max()) for one, curve in zip(kept, on, strict=True))
    report.check("together and alone, largest difference", f"{apart:.1e}", "<= 1e-9", apart <= 1e-9)


def shown(found: Posterior) -> NDArray[np.float64]:
    """Return quantiles of R0, A, R(2x) and R(8x)."""
    ahead = found.reward(np.array([2.0, 8.0, np.inf]) * found.curve.compute_last)
    return found.quantiles(np.column_stack([found.baseline, ahead]), (0.1, 0.5, 0.9))


def measure(quick: bool = False) -> Report:
    """Time everything."""
    report = Report("speed", "How long do a fit, the import and the demo take, and how much memory?")
    made = curves(20 if quick else 200)
    table = report.table("time a curve, one core, warm", ["what", "p10 ms", "median ms", "p90 ms", "curves"])
    report.check("backend", backend().name, "compiled", backend().name == "compiled")
    batched = {name: own(report, table, name, made, 100 if quick else 1000) for name in FAMILIES}
    backends(report, table, 50 if quick else 300)
    works: tuple[tuple[str, Callable[[Curve], object], int], ...] = (
        ("fit: regimes, posterior, verdict", fit, len(made)),
        ("least squares", lambda c: baselines.least_squares(c.compute, c.reward), 20),
        ("iminuit MINOS", lambda c: baselines.minos(c.compute, c.reward, 8.0 * c.compute_last), 20),
        ("linearised grid", lambda c: linearised_sigmoid(c.compute, c.reward, c.reward[0]), 20),
        (
            "published grid",
            lambda c: baselines.published_grid(c.compute, c.reward, c.reward[0]),
            1 if quick else GRID_CURVES,
        ),
    )
    medians = {name: added(table, name, seconds(work, made[:count])) for name, work, count in works}
    ours = batched["sigmoid"]
    for name, other in (("published grid", medians["published grid"]), ("NUTS at 1.9 s", NUTS)):
        report.check(f"{name} / sigmoid in a batch", f"{other / ours:.0f} x", ">= 1000 x", other / ours >= 1000.0)
    memory(report, made[:20])
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
