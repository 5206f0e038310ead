"""Time and memory of reading a long printed log.

20,000 step lines of 80 keys in verl's manner, ``np.float64`` among them, a validation every 20th, between 400,000 lines
of other output: about 100 MB, read on one core to curves. The file is made first, which is not timed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import Report, main
from benchmarks.speed import here

STEPS, KEYS, NOISE = 20_000, 80, 20
#: Seconds, and MiB of the whole process.
SECONDS, MEMORY = 5.0, 600.0

_GROUPS = ("actor", "critic", "timing_s", "timing_per_token_ms", "response_length", "rollout_corr")
_READ = "import sys; from benchmarks.console import timed; print(*timed(sys.argv[1]))"


def written(path: Path, steps: int) -> float:
    """Write a log and return its size in MB."""
    rng = np.random.default_rng(7)
    names = [f"{_GROUPS[k % len(_GROUPS)]}/quantity_{k}" for k in range(KEYS - 4)]
    noise = "\x1b[36m(WorkerDict pid=4300) INFO:2026-01-01 00:00:00:[Rank 0] line of another process {}, full\x1b[0m\n"
    with path.open("w") as file:
        for step in range(1, steps + 1):
            values = rng.random(KEYS - 4).tolist()
            fields = [
                f"{n}:{f'np.float64({v!r})' if k % 3 == 0 else repr(v)}"
                for k, (n, v) in enumerate(zip(names, values, strict=True))
            ]
            fields += ["timing_s/step:100.5", "perf/total_num_tokens:200000", f"critic/score/mean:{step / steps / 2}"]
            if step % 20 == 0:
                fields.append(f"val-core/math/acc/mean@8:np.float64({step / steps / 2})")
            file.write(f"(TaskRunner pid=4242) step:{step} - {' - '.join(fields)}\n")
            file.writelines(noise.format(k) for k in range(NOISE))
    return path.stat().st_size / 1e6


def timed(path: str) -> tuple[float, float, int]:
    """Read a log; return its seconds of one core, the highest memory of the process in MiB, and the points."""
    from rlscale.sources import read

    start = time.process_time()
    (run,) = read(path)
    taken = time.process_time() - start
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, run.curve.n_points


def measure(quick: bool = False) -> Report:
    """Time the reading in a fresh interpreter."""
    report = Report("console", "How long does a printed log of 100 MB take to read, and how much memory?")
    steps = STEPS // 20 if quick else STEPS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.log")
        size = written(path, steps)
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(path)], check=True, capture_output=True, text=True, env=here()
        )
    taken, memory, points = done.stdout.split()
    table = report.table("verl's console", ["MB", "step lines", "points", "seconds", "MiB"])
    table.add(f"{size:.0f}", steps, points, f"{float(taken):.2f}", f"{float(memory):.0f}")
    report.check("seconds", f"{float(taken):.2f} s", f"<= {SECONDS:g} s", float(taken) <= SECONDS)
    report.check("memory", f"{float(memory):.0f} MiB", f"<= {MEMORY:g} MiB", float(memory) <= MEMORY)
    return report


if __name__ == "__main__":
    main(measure)
