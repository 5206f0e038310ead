"""Run every benchmark: ``python -m benchmarks.run_all [--quick]``.

Everything is printed as it is measured; a full run also writes ``results.json`` and ``results.md`` beside this file
after each benchmark, with machine, date and versions. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import accuracy, coverage, kanishkg, late_start, nuts, sbc, speed, verdicts
from benchmarks.common import Report, Table, timed

BENCHMARKS = (speed, verdicts, sbc, late_start, coverage, kanishkg, accuracy, nuts)
HERE = Path(__file__).resolve().parent


def machine() -> dict[str, str]:
    """Describe where and with what the numbers were measured."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for package in ("rlscale", "numpy", "scipy", "iminuit", "numpyro"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def markdown(reports: list[Report], where: dict[str, str]) -> str:
    """Return all targets in one table, then the tables behind them."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks.run_all`; each file of this folder states its protocol.",
    ]
    lines += ["", ", ".join(f"{key} {value}" for key, value in where.items()), ""]
    lines += ["| benchmark | what | measured | target | |", "|---|---|---|---|---|"]
    for report in reports:
        if report.skipped:
            lines.append(f"| {report.name} | skipped | {report.skipped} | | |")
        lines += [
            "| " + " | ".join(_cell(text) for text in (report.name, c.what, c.measured, c.target, c.word)) + " |"
            for c in report.checks
        ]
    for report in reports:
        lines += ["", f"## {report.name}: {report.question}", "", f"{report.seconds:.0f} s"]
        for table in report.tables:
            lines += ["", table.title, "", *_rows(table)]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> list[str]:
    head = "| " + " | ".join(_cell(c) for c in table.columns) + " |"
    return [head, "|" + "---|" * len(table.columns), *("| " + " | ".join(map(_cell, row)) + " |" for row in table.rows)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write(reports: list[Report]) -> None:
    """Write what is known so far."""
    where = machine()
    text = json.dumps({"schema": 1, "machine": where, "benchmarks": [asdict(report) for report in reports]}, indent=1)
    (HERE / "results.json").write_text(text + "\n")
    (HERE / "results.md").write_text(markdown(reports, where))


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(description="Run every benchmark.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the curves, nothing written: a smoke test")
    quick = parser.parse_args().quick
    reports = []
    for benchmark in BENCHMARKS:
        print(f"\n=== {benchmark.__name__.rsplit('.', 1)[-1]}", flush=True)
        reports.append(timed(benchmark.measure, quick))
        if not quick:
            write(reports)
    checks = [(report, check) for report in reports for check in report.checks]
    print("\n=== all targets")
    for report, check in checks:
        target = check.target or "none"
        print(f"{check.word or 'info':<5} {report.name:<11} {check.what}: {check.measured} (target {target})")
    sys.exit(any(check.passed is False for _, check in checks))


if __name__ == "__main__":
    main()
