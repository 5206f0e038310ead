"""Run every benchmark, or the ones named: ``python -m benchmarks.run_all [--quick] [NAME ...]``.

Everything is printed as it is measured; a full run also writes ``results.json`` and ``results.md`` beside this file
after each benchmark, with machine, date and versions. Naming some measures those again and keeps the rest of
``results.json``, each with its own date; so does one that is skipped here (NumPyro is missing). The page
``docs/how-far-to-trust-it.md`` is written from it by ``python -m benchmarks.trust_page``. Exit code 1 where a target is
missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rlscale
from benchmarks import (
    ablation,
    accuracy,
    archive_scale,
    bundled,
    console,
    coverage,
    falls,
    families,
    few,
    forecast,
    fuzz,
    gate,
    grouping,
    health,
    health_forecast,
    late_start,
    ledger,
    live,
    nuts,
    open_bounds,
    out_of_source,
    plan,
    quadrature,
    regimes,
    resolves,
    rollouts,
    sbc,
    scale,
    seeds,
    serve,
    siblings,
    sizes,
    smoothing,
    speed,
    stores,
    tensorboard,
    unseen,
    verdicts,
)
from benchmarks.common import Check, Report, Table, timed

BENCHMARKS = {
    module.__name__.rsplit(".", 1)[-1]: module.measure
    for module in (
        forecast,
        out_of_source,
        archive_scale,
        gate,
        live,
        speed,
        scale,
        ledger,
        serve,
        console,
        stores,
        tensorboard,
        fuzz,
        grouping,
        bundled,
        plan,
        quadrature,
        verdicts,
        regimes,
        unseen,
        falls,
        health,
        health_forecast,
        few,
        siblings,
        smoothing,
        resolves,
        rollouts,
        ablation,
        sbc,
        seeds,
        late_start,
        coverage,
        open_bounds,
        accuracy,
        families,
        sizes,
        nuts,
    )
}
HERE = Path(__file__).resolve().parent


def machine() -> dict[str, str]:
    """Describe where and with what the numbers were measured."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "rlscale": rlscale.__version__,
    }
    for package in ("numpy", "scipy", "iminuit", "numpyro"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def markdown(reports: list[Report], where: dict[str, str]) -> str:
    """Return all targets in one table, then the tables behind them."""
    lines = ["# Benchmarks", "", "Written by `python -m benchmarks.run_all`; each file here states its protocol."]
    lines += ["", ", ".join(f"{key} {value}" for key, value in where.items()), ""]
    lines += ["| benchmark | what | measured | target | |", "|---|---|---|---|---|"]
    for report in reports:
        if report.skipped:
            lines.append(f"| {report.name} | skipped | {_cell(report.skipped)} | | |")
        lines += [_row([report.name, c.what, c.measured, c.target, c.word]) for c in report.checks]
    for report in reports:
        lines += [
            "",
            f"## {report.name}",
            "",
            f"{report.question} (measured {report.date}, {report.seconds:.0f} s, {report.cpu})",
        ]
        for table in report.tables:
            lines += ["", table.title, "", _row(table.columns), "|" + "---|" * len(table.columns)]
            lines += [_row(row) for row in table.rows]
    return "\n".join(lines) + "\n"


def _row(cells: Any) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def read() -> dict[str, Report]:
    """Return the reports of the last full run, by name; none where there was none."""
    path = HERE / "results.json"
    if not path.exists():
        return {}
    found = {}
    content = json.loads(path.read_text())
    for stored in content["benchmarks"]:
        stored.setdefault("cpu", content["machine"]["cpu"])
        tables = [Table(**table) for table in stored.pop("tables")]
        checks = [Check(**check) for check in stored.pop("checks")]
        found[stored["name"]] = Report(**stored, tables=tables, checks=checks)
    return found


def write(found: dict[str, Report]) -> None:
    """Write what is known so far, in the order of :data:`BENCHMARKS`."""
    reports, where = [found[name] for name in BENCHMARKS if name in found], machine()
    content = {"schema": 1, "machine": where, "benchmarks": [asdict(report) for report in reports]}
    (HERE / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (HERE / "results.md").write_text(markdown(reports, where))


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description="Run every benchmark, or the ones named.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the curves, nothing written: a smoke test")
    options = parser.parse_args()
    names = options.names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"unknown {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    found = {} if options.quick else read()
    for name in names:
        print(f"\n=== {name}", flush=True)
        report = timed(BENCHMARKS[name], options.quick)
        if report.skipped and name in found and not options.quick:
            continue  # what was measured where it could be stays, with its own date
        found[name] = replace(report, cpu=machine()["cpu"])
        if not options.quick:
            write(found)
    print("\n=== all targets")
    missed = False
    for name in names:
        for check in found[name].checks:
            missed |= check.passed is False
            print(
                f"{check.word or 'info':<5} {name:<11} {check.what}: {check.measured} (target {check.target or 'none'})"
            )
    sys.exit(missed)


if __name__ == "__main__":
    main()
