"""What it costs that logs stand in an object store: seconds, requests and memory, beside the same files on a disk.

The store is a server of the S3 protocol on this machine (moto), in a process of its own, which takes cores and time
from what is measured; a real one answers later and sends faster. 200 files of 500 lines are read, then followed with
nothing new and with one line more in one of them; then a printed log of about 100 MB is read.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tests.sources.stores.server import CREDENTIALS, Bucket, S3Server

from benchmarks.common import Report, Table, main
from benchmarks.console import STEPS, written
from benchmarks.speed import here

FILES, LINES, REPEATS = 200, 500, 5
#: MiB that a log may take more from a store than from a disk.
MORE_MEMORY = 96.0

_CONSOLE = "import sys; from benchmarks.console import timed; print(*timed(sys.argv[1]))"
_FOLDER = "import sys; from benchmarks.stores import timed; timed(sys.argv[1])"
_POLLS = "import sys; from benchmarks.stores import polled; polled(sys.argv[1])"


def timed(path: str) -> None:
    """Read a folder and print its seconds, and those of one core; those of the imports are not counted."""
    import time

    from rlscale.sources import read

    read("bundled")  # loads what reading needs
    if "://" in path:
        import s3fs  # noqa: F401
    start, begun = time.perf_counter(), time.process_time()
    read(path)
    print(time.perf_counter() - start, time.process_time() - begun)


def polled(path: str) -> None:
    """Follow a folder; after each line of stdin look again and print the seconds."""
    import time

    from rlscale.sources.follow import Follower

    follower = Follower([path])
    follower.poll()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        follower.poll()
        print(time.perf_counter() - start, flush=True)


def logs(folder: Path, files: int, lines: int) -> None:
    """Write JSON lines of verl, an evaluation every fifth step."""
    rng = np.random.default_rng(5)
    for k in range(files):
        path = folder / f"recipe{k // 4}" / f"seed{k % 4}" / "metrics.jsonl"
        path.parent.mkdir(parents=True)
        with path.open("w") as file:
            for step in range(1, lines + 1):
                data = {f"actor/quantity_{j}": value for j, value in enumerate(rng.random(20).tolist())}
                data |= {"timing_s/step": 100.5, "perf/total_num_tokens": 200000}
                if step % 5 == 0:
                    data["val-core/math/acc/mean@8"] = float(rng.random() / 2)
                file.write(json.dumps({"step": step, "data": data}) + "\n")


def _run(code: str, path: str, **env: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True, env={**here(), **env}
    )
    return done.stdout.split()


class _Looks:
    """A process that follows a folder."""

    def __init__(self, path: str, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _POLLS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**here(), **env},
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def look(self) -> float:
        """Return the seconds of a look."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """End it."""
        self._process.communicate()


def _followed(
    table: Table, what: str, looks: _Looks, requests: Callable[[], list[str]], change: Callable[[], None]
) -> int:
    """Measure looks with nothing new, and with a line more in one file; return the requests of the former."""
    looks.look()
    before = len(requests())
    quiet = [looks.look() for _ in range(REPEATS)]
    quiet_requests = (len(requests()) - before) // REPEATS
    table.add(f"{what}, nothing new", f"{1e3 * float(np.median(quiet)):.0f}", quiet_requests)
    change()
    before = len(requests())
    seconds = looks.look()
    table.add(f"{what}, a line more in one", f"{1e3 * seconds:.0f}", len(requests()) - before)
    looks.end()
    return quiet_requests


def measure(quick: bool = False) -> Report:
    """Measure reading, following and memory."""
    report = Report("stores", "What does it cost that logs stand in an object store?")
    if not all(importlib.util.find_spec(name) for name in ("moto", "flask", "s3fs")):
        report.skipped = "moto[server] or s3fs is not installed"
        return report
    files, steps = (20, STEPS // 20) if quick else (FILES, STEPS)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        server = S3Server(home)
        try:
            _measure(report, server, home, files, steps)
        finally:
            server.stop()
    return report


def _measure(report: Report, server: S3Server, home: Path, files: int, steps: int) -> None:
    import s3fs

    env = {**CREDENTIALS, "AWS_ENDPOINT_URL": server.address}
    os.environ.update(env)
    store = s3fs.S3FileSystem()
    store.mkdir("logs")
    bucket = Bucket(store, "s3://logs")
    logs(home / "exp", files, LINES)
    url = bucket.put_folder(home / "exp", "exp")
    size = sum(path.stat().st_size for path in (home / "exp").rglob("*.jsonl")) / 1e6
    before = len(server.requests())
    _run(_FOLDER, url, **env)
    requests = len(server.requests()) - before
    pairs = [[list(map(float, _run(_FOLDER, at, **env))) for at in (str(home / "exp"), url)] for _ in range(REPEATS)]
    title = f"{files} files of {LINES} lines, {size:.0f} MB, median of {REPEATS}"
    table = report.table(title, ["from", "seconds", "cpu seconds", "requests"])
    for name, (seconds, cpu), count in zip(
        ("a disk", "the store"), np.median(pairs, axis=0), (0, requests), strict=True
    ):
        table.add(name, f"{seconds:.2f}", f"{cpu:.2f}", count)

    looks = report.table(f"following {files} files", ["a look", "ms", "requests"])
    more = '{"step": 501, "data": {"timing_s/step": 100.5}}\n'
    log = home / "exp" / "recipe0" / "seed0" / "metrics.jsonl"
    text = log.read_text() + more
    _followed(looks, "a disk", _Looks(str(home / "exp"), {}), list, lambda: log.write_text(text) and None)
    quiet = _followed(
        looks, "the store", _Looks(url, env), server.requests,
        lambda: bucket.put("exp/recipe0/seed0/metrics.jsonl", text) and None,
    )  # fmt: skip
    report.check("requests of a look with nothing new", str(quiet), "1", quiet == 1)

    path = home / "run.log"
    size = written(path, steps)
    store.put(str(path), "logs/long/run.log")
    table = report.table(f"a printed log of {size:.0f} MB", ["from", "cpu seconds", "MiB"])
    memories = {}
    for name, at in (("a disk", str(path)), ("the store", "s3://logs/long/run.log")):
        seconds, memory, _ = _run(_CONSOLE, at, **env)
        memories[name] = float(memory)
        table.add(name, f"{float(seconds):.2f}", f"{float(memory):.0f}")
    more_memory = memories["the store"] - memories["a disk"]
    told = f"{more_memory:.0f} MiB more than from a disk"
    report.check("memory of a long log", told, f"<= {MORE_MEMORY:g} MiB more", more_memory <= MORE_MEMORY)


if __name__ == "__main__":
    main(measure)
