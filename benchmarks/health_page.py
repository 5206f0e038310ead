"""Writes what was measured of health monitors into ``docs/health.md`` and into the package.

``python -m benchmarks.health_page``, after ``python -m benchmarks.run_all health``: the monitors of the page come from
the monitors themselves, its figures and the rates of false alarms from ``results.json``.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rlscale.health.measured
from rlscale.health import MONITORS, SEVERITIES, Monitor
from rlscale.health.measured import FALSE_ALARMS

__all__ = ["MEASURED", "PAGE", "figures", "measured", "page", "rates"]

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "health.md"
MEASURED = _ROOT / "src" / "rlscale" / "health" / "measured.py"
RESULTS = Path(__file__).resolve().parent / "results.json"
_BEGIN, _END = "<!-- monitors -->\n", "<!-- end of monitors -->\n"
_FIGURES, _END_FIGURES = "<!-- figures -->\n", "<!-- end of figures -->\n"
#: What stands in the titles of the tables that the page shows.
_TABLES = (
    "simulated healthy runs", "simulated runs of each sickness", "real runs by label", "proxy (g) against truth",
    "reused data",
)  # fmt: skip


def page(text: str, report: Mapping[str, Any] | None = None) -> str:
    """Return the page with its figures and its part on monitors made anew; figures stay where none were measured."""
    text = _between(text, _BEGIN, _END, "".join(map(_monitor, MONITORS)) + "\n")
    return text if report is None else _between(text, _FIGURES, _END_FIGURES, figures(report))


def measured(results: Path = RESULTS) -> dict[str, Any] | None:
    """Return the report of the last full run; None where there was none."""
    several = json.loads(results.read_text(encoding="utf-8"))["benchmarks"]
    return next((one for one in several if one["name"] == "health" and not one["skipped"]), None)


def figures(report: Mapping[str, Any]) -> str:
    """Return the measured tables and targets as Markdown."""
    lines = [f"\nMeasured {report['date']}.\n"]
    for title in _TABLES:
        table = next((one for one in report["tables"] if title in one["title"]), None)
        if table is not None:
            lines += [f"\n**{table['title'][:1].upper()}{table['title'][1:]}**\n\n", _row(table["columns"])]
            lines.append("|" + "---|" * len(table["columns"]) + "\n")
            lines += [_row(row) for row in table["rows"]]
    lines += ["\n| | measured | target | |\n|---|---|---|---|\n"]
    for check in report["checks"]:
        word = "" if check["passed"] is None else "met" if check["passed"] else "**missed**"
        lines.append(_row([check["what"], check["measured"], check["target"], word]))
    return "".join(lines) + "\n"


def rates(report: Mapping[str, Any]) -> str:
    """Return the module of the rates of false alarms."""
    head, _, _ = MEASURED.read_text(encoding="utf-8").partition("FALSE_ALARMS: Mapping")
    table = next(one for one in report["tables"] if one["columns"][:2] == ["monitor", "severity"])
    lines = ["FALSE_ALARMS: Mapping[tuple[str, str], FalseAlarms] = MappingProxyType(\n    {\n"]
    for monitor, severity, simulated, real, of in table["rows"]:
        lines.append(f'        ("{monitor}", "{severity}"): FalseAlarms({simulated}, {real}, {of}),\n')
    return head + "".join(lines) + "    }\n)\n"


def _between(text: str, begin: str, end: str, inside: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{inside}{end}{after}"


def _row(cells: list[str]) -> str:
    plain = (cell.replace("_", " ").replace(" +- ", " ± ").replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(plain)} |\n"


def _monitor(one: Monitor) -> str:
    return (
        f"\n### {one.name}\n\n"
        f"- **Needs** {'; '.join(one.needs)}.\n"
        f"- **Rule** {one.rule}.\n"
        f"- **Source** {one.source}.\n"
        f"- **False alarms** {_rates(one.name)}.\n"
        f"- **What to do** {one.advice}.\n"
    )


def _rates(name: str) -> str:
    known = [(severity, FALSE_ALARMS[name, severity]) for severity in SEVERITIES if (name, severity) in FALSE_ALARMS]
    fires = [(severity, rate) for severity, rate in known if rate.simulated or rate.real]
    if not known:
        return "none measured: it needs a run that is watched"
    said = ", ".join(f"`{s}` {100 * r.simulated:.1f} % and {r.real} of {r.of}" for s, r in fires)
    judged = known[0][1].of
    return said or f"never on the simulated healthy runs, nor on {judged} real ones that log what it needs"


if __name__ == "__main__":
    known = measured()
    if known is not None:
        MEASURED.write_text(rates(known), encoding="utf-8")
        importlib.reload(rlscale.health.measured)
        FALSE_ALARMS = rlscale.health.measured.FALSE_ALARMS
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), known), encoding="utf-8")
