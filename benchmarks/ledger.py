"""The ledger and the watch loop: points a second, a history, from a new evaluation to a decision, a callback.

Appends are compared with bare ``sqlite3`` writing the same rows with the same settings of the file; a decision with the
same look made from the logs alone. PostgreSQL is measured where Debian's package is installed, the callback where
``make test-real`` has made its environment. Files lie below a temporary folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.common import Report, main
from rlscale import __version__
from rlscale.curves import Run, Truth, simulate
from rlscale.decisions.gate import gate
from rlscale.inference import FitOptions
from rlscale.ledger import FitRow, Heading, Ledger, digest, points_of
from rlscale.live import Watch, WatchSettings
from rlscale.sources import ReadOptions
from rlscale.sources.follow import Follower

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / ".venv-real" / "bin" / "python"
BUDGET = 16_000.0


def measure(quick: bool = False) -> Report:
    """Measure it."""
    report = Report("ledger", "How fast the ledger takes and gives, and the watch loop decides")
    size = 10 if quick else 1
    with tempfile.TemporaryDirectory() as folder:
        _appends(report, Path(folder), 20_000 // size)
        _history(report, Path(folder), 1000 // size, 1000 // size)
        _decisions(report, Path(folder), 100 // size, 60 // size)
        _callback(report, Path(folder), quick)
    return report


def _appends(report: Report, folder: Path, count: int) -> None:
    table = report.table("Points a second", ("appended", "points", "seconds", "points/s"))
    compute, value = np.arange(count, dtype=float), np.random.default_rng(0).random(count)

    def timed(what: str, work: Callable[[], int]) -> float:
        start = time.perf_counter()
        done = work()
        seconds = time.perf_counter() - start
        table.add(what, f"{done:,}", f"{seconds:.2f}", f"{done / seconds:,.0f}")
        return done / seconds

    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE points (run, metric, compute REAL, value REAL, PRIMARY KEY (run, metric, compute))")

    def barely() -> int:
        for k in range(count // 10):
            bare.execute("INSERT INTO points VALUES (1, 'reward', ?, ?)", (compute[k], value[k]))
        return count // 10

    timed("bare sqlite3, one a transaction", barely)
    bare.close()
    for where, kind in _databases(folder):
        with Ledger(where, create=True) as ledger:
            rows = [ledger.book.enlist(Heading(name=f"r{k}", recipe="r")) for k in range(10)]

            def ones(ledger: Ledger = ledger, rows: list = rows) -> int:
                for k in range(count // 10):
                    ledger.book.append({rows[0].id: {"reward": points_of(compute[k : k + 1], value[k : k + 1])}})
                return count // 10

            def hundreds(ledger: Ledger = ledger, rows: list = rows) -> int:
                for k in range(0, count, 100):
                    part = slice(k, k + 100)
                    ledger.book.append({rows[1].id: {"reward": points_of(compute[part], value[part])}})
                return count

            timed(f"{kind}, one a transaction", ones)
            rate = timed(f"{kind}, 100 a transaction", hundreds)
            timed(f"{kind}, 8 writers, 100 a transaction", lambda where=where: _writers(where, count))
        if kind == "SQLite":
            report.check("points appended a second, SQLite", f"{rate:,.0f}", ">= 5,000", rate >= 5000)


def _writers(where: str, count: int) -> int:
    """Append in eight threads with a connection each."""

    def write(number: int) -> None:
        with Ledger(where) as ledger:
            row = ledger.book.enlist(Heading(name=f"w{number}", recipe="w"))
            for k in range(0, count // 8, 100):
                ledger.book.append({row.id: {"reward": points_of(np.arange(k, k + 100.0), np.full(100, 0.5))}})

    threads = [threading.Thread(target=write, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 8 * len(range(0, count // 8, 100)) * 100


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield str(folder / "appends.db"), "SQLite"
    with _postgres(folder) as where:
        if where is not None:
            yield where, "PostgreSQL"


@contextmanager
def _postgres(folder: Path) -> Iterator[str | None]:
    from tests.postgres import Server, binaries

    if binaries() is None:
        yield None
        return
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    server = Server(folder / "postgres")
    try:
        yield server.database()
    finally:
        server.stop("immediate")


def _history(report: Report, folder: Path, runs: int, points: int) -> None:
    """Time reading all of a large ledger, and ``ledger history`` as a command: fits of a watcher and of ``add``."""
    where = str(folder / "history.db")
    rng = np.random.default_rng(1)
    document = {"kind": "growth"}
    with Ledger(where, create=True) as ledger:
        hashed = digest(document)
        rows = [ledger.book.enlist(Heading(name=f"r{k}", recipe=f"recipe{k // 4}")) for k in range(runs)]
        for row in rows:
            ledger.book.append({row.id: {"reward": points_of(np.arange(float(points)), rng.random(points))}})
            # the first recipe was watched: a fit an evaluation, with its place; the others were added: 24 fits each
            watched = row.recipe == "recipe0"
            fits = [
                FitRow(run_id=row.id, seq=k + 1, settings=hashed, version=__version__, at=float(k), compute=float(k),
                       verdict="bending", A=(0.5, 0.6, 0.7), place=1 + k % runs if watched else None,
                       contenders=runs if watched else None)
                for k in (range(points) if watched else np.linspace(4, points - 1, 24).astype(int).tolist())
            ]  # fmt: skip
            ledger.fits.add(fits, document)
        start = time.perf_counter()
        held = ledger.book.points(ledger.book.runs())
        whole = time.perf_counter() - start
    what = f"{runs:,} runs x {points:,} points"
    table = report.table(f"A ledger of {what}", ("asked", "seconds"))
    table.add("all curves as arrays", f"{whole:.2f}")
    longest = whole
    for recipe in (["recipe0"], ["recipe7"], []):
        name = " ".join(["rlscale ledger history", *recipe])
        start = time.perf_counter()
        asked = [sys.executable, "-m", "rlscale", "ledger", "history", *recipe, "--ledger", where, "--json"]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=_environment())
        seconds = time.perf_counter() - start
        table.add(f"{name} (the whole command)", f"{seconds:.2f}")
        longest = max(longest, seconds)
    assert len(held) == runs
    report.check(f"history of {what}, the slowest of these", f"{longest:.2f} s", "<= 2 s", longest <= 2.0)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}


def _curves(count: int) -> list[Run]:
    rng = np.random.default_rng(9)
    compute = np.linspace(0.0, BUDGET, 161)
    found = []
    for k in range(count):
        truth = Truth(R0=0.2, A=float(rng.uniform(0.45, 0.7)), B=1.6, C_mid=float(rng.uniform(1500, 9000)), sigma=0.01,
                      rho=0.5)  # fmt: skip
        found.append(Run(name=f"r{k}", recipe=f"r{k}", curve=simulate(truth, compute, rng=rng)))
    return found


def _decisions(report: Report, folder: Path, count: int, looks: int) -> None:
    runs = _curves(count)
    table = report.table(
        f"From a new evaluation to a decision in the ledger, {count} live runs of 100 evaluations and more",
        ("how", "median ms", "95 % ms", "worst ms"),
    )

    def add(how: str, seconds: list[float]) -> float:
        ms = 1e3 * np.percentile(seconds, [50, 95, 100])
        table.add(how, *(f"{one:.0f}" for one in ms))
        return float(ms[1])

    with Ledger(str(folder / "watch.db"), create=True) as ledger:
        rows = [ledger.book.enlist(Heading(name=run.name, recipe=run.recipe)) for run in runs]
        watch = Watch(ledger, WatchSettings(budget=BUDGET), acting=True)

        def give(k: int, since: int, until: int) -> None:
            curve, part = runs[k].curve, slice(since, until)
            ledger.book.append({rows[k].id: {"reward": points_of(curve.compute[part], curve.reward[part])}})

        for k in range(count):
            give(k, 0, 80)
        for at in range(80, 101):  # as a watcher that has been there for a while
            for k in range(count):
                give(k, at, at + 1)
            watch.step()
        seconds = []
        for k in range(looks):
            give(k % count, 101 + k // count, 102 + k // count)
            start = time.perf_counter()
            scene = watch.step()
            seconds.append(time.perf_counter() - start)
            assert scene.troubles == {}
        worst = add("a point in the ledger", seconds)
        decisions = len(ledger.rulings.decisions())
        watch.close()
    followed = _followed(folder, runs, looks // 2 or 1)
    add("a line in one of the jsonl logs followed", followed)
    start = time.perf_counter()
    now = [Run(name=run.name, recipe=run.recipe, curve=run.curve.until(10_000.0)) for run in runs]
    gate(now, BUDGET, options=FitOptions(model_error=0.0))
    table.add("compare: rlscale gate, from the logs alone", f"{1e3 * (time.perf_counter() - start):.0f}", "", "")
    report.check(
        f"a new point to its decision written, {count} live runs, 95 %", f"{worst:.0f} ms", "<= 100 ms", worst <= 100.0
    )
    report.check("decisions kept meanwhile", str(decisions), "", None)


def _followed(folder: Path, runs: list[Run], looks: int) -> list[float]:
    """Time from a line appended to one log among all to the decision written."""
    logs = folder / "logs"

    def line(run: Run, k: int) -> str:
        return json.dumps({"step": run.curve.compute[k], "test/env/all/reward/total": run.curve.reward[k]}) + "\n"

    for run in runs:
        (logs / run.name).mkdir(parents=True)
        text = "".join(line(run, k) for k in range(100))
        (logs / run.name / "metrics.jsonl").write_text(text)
    with Ledger(str(folder / "follow.db"), create=True) as ledger:
        follower = Follower([logs], ReadOptions(unit="steps"))
        watch = Watch(ledger, WatchSettings(budget=BUDGET), source=follower, acting=True)
        watch.step()
        watch.step()
        seconds = []
        for k in range(looks):
            run = runs[k % len(runs)]
            with (logs / run.name / "metrics.jsonl").open("a") as to:
                to.write(line(run, 100 + k // len(runs)))
            start = time.perf_counter()
            scene = watch.step()
            seconds.append(time.perf_counter() - start)
            assert scene.points == 1, scene.troubles
        watch.close()
        follower.close()
    return seconds


def _callback(report: Report, folder: Path, quick: bool) -> None:
    """Time the callback in a real TRL run, in the environment that has TRL."""
    if not REAL.exists():
        report.check("TRL callback, each evaluation", "not measured: make test-real makes its environment", "", None)
        return
    script = ROOT / "benchmarks" / "callback_cost.py"
    asked = [str(REAL), str(script), str(folder / "callback.db"), "8" if quick else "40"]
    done = subprocess.run(asked, capture_output=True, text=True, env=_environment(), check=False, cwd=folder)
    if done.returncode:
        report.check("TRL callback, each evaluation", f"failed: {done.stderr.strip().splitlines()[-1]}", "", False)
        return
    ms = 1e3 * np.percentile(json.loads(done.stdout.splitlines()[-1]), [50, 95, 100])
    report.check(
        "TRL callback, each evaluation of a real run, median (95 %, worst)",
        f"{ms[0]:.1f} ms ({ms[1]:.1f}, {ms[2]:.1f})", "<= 5 ms", bool(ms[0] <= 5.0),
    )  # fmt: skip


if __name__ == "__main__":
    main(measure)
