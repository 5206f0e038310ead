"""How long the real command takes to rank thousands of runs, and how much memory.

Tables of 1,000, 10,000 and 100,000 runs of 100 evaluations (two seeds of each recipe, truths drawn apart from the
priors, noise of .015) are written as CSV and ranked by ``rlscale rank --json`` in a process of its own; 10,000 also as
Parquet, and as text. Counted are wall seconds from start to end, the interpreter's start included, processor seconds,
and memory: the largest resident set of each process, summed over all that the command starts. The truth is known, so
the ranking is scored too. ``RLSCALE_SCALE_MOST=10000`` stops there: 100,000 take ten times as long, and some 7 GiB.
Linux only: elsewhere no process tells its peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, Table, main
from benchmarks.speed import here
from rlscale.curves import Truth

COUNTS, QUICK = (1_000, 10_000, 100_000), (100, 400)
#: The count with targets: seconds and GiB.
MANY, SECONDS, ROOM = 10_000, 30.0, 1.0
#: Growth from one count to the next that still is linear, over that of the runs.
LINEAR = 1.15
POINTS, SEEDS, SIGMA = 100, 2, 0.015
_HEADER = "run,recipe,seed,compute,unit,reward"
_EVERY = 0.1


@dataclass(frozen=True)
class Taken:
    """A command run: wall and processor seconds, GiB at most of all its processes, and what it wrote."""

    seconds: float
    busy: float
    room: float
    out: str


def truths(count: int) -> list[Truth]:
    """Return the truth of each of ``count`` recipes."""
    rng = np.random.default_rng(0)
    return [
        Truth(
            R0=rng.uniform(0.05, 0.3),
            A=rng.uniform(0.4, 0.9),
            B=float(rng.lognormal(np.log(1.5), 0.3)),
            C_mid=rng.uniform(100.0, 900.0),
            sigma=SIGMA,
        )
        for _ in range(count)
    ]


def written(path: Path, made: list[Truth]) -> None:
    """Write :data:`SEEDS` runs of each truth as a long table, a recipe at a time."""
    compute = 10.0 * np.arange(POINTS)
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{_HEADER}\n")
        for recipe, truth in enumerate(made):
            for seed in range(SEEDS):
                reward = np.clip(truth.reward(compute) + truth.noise(POINTS, rng), 0.0, 1.0)
                start = f"r{recipe}-s{seed},r{recipe},{seed}"
                file.writelines(f"{start},{c:g},tokens,{r:.5f}\n" for c, r in zip(compute, reward, strict=True))


def as_parquet(path: Path) -> Path | None:
    """Write a CSV file again as Parquet; None without pyarrow."""
    try:
        from pyarrow import csv, parquet
    except ImportError:
        return None
    other = path.with_suffix(".parquet")
    parquet.write_table(csv.read_csv(path), other)
    return other


def ranked(path: Path, *options: str) -> Taken:
    """Rank a table by the real command and watch its processes."""
    command = [sys.executable, "-m", "rlscale", "rank", str(path), *options]
    before, start = os.times(), time.perf_counter()
    peaks: dict[int, int] = {}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, env=here())
        while process.poll() is None:
            for pid in _family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
            time.sleep(_EVERY)
        taken, after = time.perf_counter() - start, os.times()
        out.seek(0)
        text = out.read().decode()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(taken, busy, sum(peaks.values()) / 2**20, text)


def _family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    family = [pid]
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            family += [each for child in listed.read_text().split() for each in _family(int(child))]
        except OSError:  # it has just ended
            continue
    return family


def _peak(pid: int) -> int:
    """Return the largest resident set of a process so far, in KiB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def scored(report: Report, text: str, made: list[Truth]) -> None:
    """Compare a ranking with the truth at its common compute."""
    document = json.loads(text)
    true = np.array([float(truth.reward(np.array([document["at"]]))[0]) for truth in made])
    number = [int(row["recipe"].removeprefix("r")) for row in document["recipes"]]
    forecast: NDArray[np.float64] = np.array(
        [[row["forecast"][q] for q in ("q10", "q90")] for row in document["recipes"]]
    )
    inside = (forecast[:, 0] <= true[number]) & (true[number] <= forecast[:, 1])
    lost = float(true.max() - true[number[0]])
    report.check("reward lost by taking the first", f"{lost:.4f}", "", None)
    report.check("80 % intervals that hold the truth", f"{100 * inside.mean():.1f} %", "", None)


def linear(report: Report, small: Taken, large: Taken, times: float, name: str) -> None:
    """Check that time and memory grow no faster than the runs."""
    pairs = (("processor time", small.busy, large.busy), ("memory", small.room, large.room))
    for what, before, after in pairs:
        growth = after / before
        most = LINEAR * times
        report.check(f"{name}: {what}", f"{growth:.1f} x", f"<= {most:g} x", growth <= most)


def measure(quick: bool = False) -> Report:
    """Rank tables of every size."""
    report = Report("scale", "How long does the ranking of thousands of runs take, and how much memory?")
    if not Path("/proc/self/status").exists():
        report.skipped = "needs Linux: no process tells its peak memory here"
        return report
    most = int(os.environ.get("RLSCALE_SCALE_MOST", "100000"))
    counts = QUICK if quick else [count for count in COUNTS if count <= most]
    table = report.table(
        f"from disk to a ranked table, {os.cpu_count()} processors",
        ["what", "runs", "wall s", "processor s", "GiB", "ms a run"],
    )
    taken: dict[int, Taken] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            made = truths(count // SEEDS)
            path = Path(folder) / f"{count}.csv"
            written(path, made)
            taken[count] = measured(table, count, path, "CSV, --json", "--json")
            if count == (MANY if MANY in counts else counts[-1]):
                others(report, table, count, path, made, taken[count])
            path.unlink()
    for small, large in pairwise(counts):
        linear(report, taken[small], taken[large], large / small, f"{small:,} to {large:,} runs")
    return report


def measured(table: Table, count: int, path: Path, name: str, *options: str) -> Taken:
    """Rank a table and add a row."""
    taken = ranked(path, *options)
    table.add(
        name, f"{count:,}", f"{taken.seconds:.1f}", f"{taken.busy:.1f}", f"{taken.room:.2f}",
        f"{1e3 * taken.seconds / count:.2f}",
    )  # fmt: skip
    return taken


def others(report: Report, table: Table, count: int, path: Path, made: list[Truth], first: Taken) -> None:
    """Rank the same runs as text and from Parquet; check all four against the targets."""
    all_of = {"CSV, --json": first, "CSV, text": measured(table, count, path, "CSV, text")}
    parquet = as_parquet(path)
    if parquet is not None:
        all_of["Parquet, --json"] = measured(table, count, parquet, "Parquet, --json", "--json")
        all_of["Parquet, text"] = measured(table, count, parquet, "Parquet, text")
        parquet.unlink()
    target = count == MANY
    for name, taken in all_of.items():
        took = f"{taken.seconds:.1f} s, {taken.room:.2f} GiB"
        good = taken.seconds <= SECONDS and taken.room <= ROOM if target else None
        wanted = f"<= {SECONDS:g} s, <= {ROOM:g} GiB" if target else ""
        report.check(f"{count:,} runs, {name}", took, wanted, good)
    scored(report, first.out, made)


if __name__ == "__main__":
    main(measure)
