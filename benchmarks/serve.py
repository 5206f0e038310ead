"""How fast the page is, and what many or hostile clients cost: ``python -m benchmarks.serve``.

Everything is asked over loopback of ``rlscale serve`` in a process of its own, pages by Debian's Chromium through
Playwright, timed by the browser itself (``serve_browser``). TensorBoard is shown the same runs where
``RLSCALE_TENSORBOARD`` names the Python of an environment that has it.
"""

from __future__ import annotations

import csv
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import serve_browser
from benchmarks.common import Report, main
from rlscale import __version__
from rlscale.curves import Truth, simulate
from rlscale.inference import FitOptions
from rlscale.ledger import FitRow, Heading, Ledger, digest, points_of

RUNS, POINTS = 200, 500
#: Nonsense: as a scanner asks.
NONSENSE = (
    "/wp-login.php",
    "/.env",
    "/api/../../etc/passwd",
    "/?view=%00",
    "/api/run?name=%F0%9F%92%A9",
    "/static/%2e%2e",
)


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory(self) -> float:
        """Its resident memory, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return float(status.split("VmRSS:")[1].split()[0]) / 1024.0

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(*words: str) -> Iterator[Server]:
    """Yield a server of these paths, and end it."""
    command = [sys.executable, "-m", "rlscale", "serve", *words, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "http://127.0.0.1:" in line:
                break
        else:
            raise RuntimeError("the server did not start")
        yield Server(process, int(line.split("127.0.0.1:")[1].split("/")[0]))
    finally:
        process.terminate()
        process.wait(60)


def project(folder: Path, runs: int, points: int) -> list[Path]:
    """Write runs of recipes with 5 seeds each, a table a run."""
    rng = np.random.default_rng(20)
    compute = np.linspace(0.0, 10_000.0, points)
    files = []
    for k in range(runs):
        if k % 5 == 0:
            ceiling, midpoint = (float(rng.uniform(*ends)) for ends in ((0.4, 0.8), (800, 5000)))
            truth = Truth(R0=0.1, A=ceiling, B=1.5, C_mid=midpoint, sigma=0.015, rho=0.4)
        curve = simulate(truth, compute, rng=rng)
        files.append(folder / f"recipe{k // 5}-seed{k % 5}.csv")
        with files[-1].open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("step", "accuracy"))
            table.writerows(
                (int(c), f"{min(max(r, 0.0), 1.0):.5f}") for c, r in zip(curve.compute, curve.reward, strict=True)
            )
    return files


def measure(quick: bool = False) -> Report:
    """Measure it."""
    report = Report("serve", "How fast is the page, and what do many or hostile clients cost?")
    few = 10 if quick else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = folder / "runs"
        runs.mkdir()
        files = project(runs, RUNS // few, POINTS)
        serve_browser.pages(report, lambda: serving(str(runs)), f"{RUNS // few} runs x {POINTS} points")
        serve_browser.tensorboard(report, runs)
        _streams(report, files[0], runs, 50)
        _requests(report, 3.0 / few)
        _nonsense(report, 100_000 // few)
        _ledger(report, folder, 10 // few or 1)
        _large_ledger(report, folder, 10_000 // few)
    return report


def _streams(report: Report, log: Path, runs: Path, clients: int) -> None:
    """Count what clients of the event stream miss while a log grows, and what they cost."""
    with serving(str(runs)) as server:
        server.get("/")
        before = server.memory
        seen: list[list[int]] = [[] for _ in range(clients)]
        ready = threading.Barrier(clients + 1)

        def listen(own: list[int]) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            connection.request("GET", "/events")
            answer = connection.getresponse()
            own.append(int(_line(answer, b"id: ")))
            ready.wait()
            while own[-1] < 11:
                own.append(int(_line(answer, b"id: ")))
            connection.close()

        threads = [threading.Thread(target=listen, args=(own,)) for own in seen]
        for thread in threads:
            thread.start()
        ready.wait()
        for k in range(10):
            with log.open("a") as file:
                file.write(f"{10_000 + 20 * (k + 1)},0.5\n")
            while json.loads(server.get("/healthz")[1])["version"] < k + 2:
                time.sleep(0.01)
        for thread in threads:
            thread.join()
        cost = server.memory
        whole = sum(own == list(range(1, 12)) for own in seen)
        report.check(
            f"{clients} streams: clients that got each of 10 new versions", f"{whole}", f"{clients}", whole == clients
        )
        report.check(
            f"{clients} streams: memory of the server", f"{cost:.0f} MB ({before:.0f} before)", "< 250 MB", cost < 250
        )


def _line(answer: http.client.HTTPResponse, start: bytes) -> bytes:
    while line := answer.readline():
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise RuntimeError("the stream ended")


def _requests(report: Report, seconds: float) -> None:
    """Count requests a second of 8 clients that keep their connections."""
    table = report.table("Requests a second, 8 clients, bundled runs", ("of", "requests/s", "bytes each"))
    with serving("bundled") as server:
        first = http.client.HTTPConnection("127.0.0.1", server.port)
        first.request("GET", "/api/overview")
        answer = first.getresponse()
        answer.read()
        tag = answer.headers["ETag"]
        rates = {}
        for what, headers in (("/api/overview, known (304)", {"If-None-Match": tag}), ("/api/overview, whole", {})):
            counts, sizes = [0] * 8, [0] * 8
            end = time.perf_counter() + seconds

            def ask(
                k: int, headers: dict[str, str] = headers, end: float = end, counts: list = counts, sizes: list = sizes
            ) -> None:
                client = http.client.HTTPConnection("127.0.0.1", server.port)
                while time.perf_counter() < end:
                    client.request("GET", "/api/overview", headers=headers)
                    sizes[k] = len(client.getresponse().read())
                    counts[k] += 1

            threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rates[what] = sum(counts) / seconds
            table.add(what, f"{rates[what]:,.0f}", sizes[0])
        slow = min(rates.values())
        report.check("requests/s of /api/overview, the slower kind", f"{slow:,.0f}", ">= 200", slow >= 200)


def _nonsense(report: Report, count: int) -> None:
    """Ask for what is not there, over and over."""
    with serving("bundled") as server:
        server.get("/")
        before, bad = server.memory, [0] * 8

        def ask(k: int) -> None:
            client = http.client.HTTPConnection("127.0.0.1", server.port)
            for i in range(count // 8):
                client.request("GET", f"{NONSENSE[i % len(NONSENSE)]}{k}{i}")
                answer = client.getresponse()
                answer.read()
                bad[k] += answer.status not in (400, 404)

        threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, after = time.perf_counter() - start, server.memory
        passed = sum(bad) == 0 and after - before < 50
        report.check(
            f"{count:,} requests of nonsense: other answers than 400 and 404; growth of memory",
            f"{sum(bad)}; {after - before:.0f} MB ({seconds:.0f} s)", "0; bounded (< 50 MB)", passed,
        )  # fmt: skip


def _ledger(report: Report, folder: Path, times: int) -> None:
    """Time from a point in the ledger until the page has it."""
    address = f"sqlite:///{folder / 'live.db'}"
    rng = np.random.default_rng(3)
    compute = np.linspace(0.0, 10_000.0, 101)
    with Ledger(address, create=True) as ledger:
        row = None
        for k in range(20):
            row = ledger.book.enlist(Heading(name=f"r{k}", recipe=f"r{k}", metric="reward", unit="steps"))
            reward = simulate(Truth(R0=0.1, A=0.6, B=1.5, C_mid=3000.0, sigma=0.01, rho=0.3), compute, rng=rng).reward
            ledger.book.append({row.id: {"reward": points_of(compute, np.clip(reward, 0.0, 1.0))}})
        assert row is not None
        with serving(f"ledger:{address}") as server:
            server.get("/")
            waits = []
            for k in range(times):
                ledger.book.append({row.id: {"reward": points_of(np.array([10_100.0 + 100 * k]), np.array([0.55]))}})
                start = time.perf_counter()
                while json.loads(server.get(f"/api/run?name={row.name}")[1])["runs"][0]["n_points"] < 102 + k:
                    time.sleep(0.02)
                server.get("/?part=main")
                waits.append(time.perf_counter() - start)
    report.check(
        f"a new point in a ledger of 20 runs until the overview has it, {times} times, the slowest",
        f"{max(waits):.2f} s (median {np.median(waits):.2f})", "< 2 s", max(waits) < 2.0,
    )  # fmt: skip


def _large_ledger(report: Report, folder: Path, count: int) -> None:
    """Time the first page of a ledger of many runs whose fits it holds."""
    address = f"sqlite:///{folder / 'large.db'}"
    rng = np.random.default_rng(4)
    compute = np.linspace(100.0, 10_000.0, 40)
    settings = FitOptions()
    with Ledger(address, create=True) as ledger:
        rows = [
            ledger.book.enlist(
                Heading(name=f"r{k // 2}-seed{k % 2}", recipe=f"r{k // 2}", metric="reward", unit="steps")
            )
            for k in range(count)
        ]
        fits = []
        for k in range(0, count, 500):
            part = rows[k : k + 500]
            tops = rng.uniform(0.3, 0.9, len(part))
            values = [top * compute / (compute + 2000.0) + rng.normal(0.0, 0.01, compute.size) for top in tops]
            ledger.book.append(
                {
                    row.id: {"reward": points_of(compute, np.clip(own, 0.0, 1.0))}
                    for row, own in zip(part, values, strict=True)
                }
            )
            fits += [
                FitRow(
                    run_id=row.id, seq=compute.size, settings=digest(_document(settings)), version=__version__,
                    at=time.time(), compute=float(compute[-1]), verdict="bending", A=(top - 0.05, top, top + 0.05),
                    target=40_000.0, forecast=(top - 0.06, top - 0.02, top + 0.02), mean=top - 0.02,
                )
                for row, top in zip(part, tops.tolist(), strict=True)
            ]  # fmt: skip
        ledger.fits.add(fits, _document(settings))
    start = time.perf_counter()
    with serving(f"ledger:{address}") as server:
        started = time.perf_counter() - start
        status, body = server.get("/")
        seconds = time.perf_counter() - start - started
        report.check(
            f"first page of a ledger of {count:,} runs, its fits stored (and from the start of the command)",
            f"{seconds:.2f} s, status {status}, {len(body) / 1024:.0f} KB ({started + seconds:.2f} s, "
            f"{server.memory:.0f} MB)",
            "< 3 s", status == 200 and seconds < 3.0,
        )  # fmt: skip


def _document(settings: FitOptions) -> dict[str, object]:
    return {"options": repr(settings)}


if __name__ == "__main__":
    main(measure)
