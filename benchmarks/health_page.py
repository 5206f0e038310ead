"""Writes the monitors of ``docs/health.md`` from the monitors themselves: ``python -m benchmarks.health_page``."""

from __future__ import annotations

from pathlib import Path

from rlscale.health import MONITORS, SEVERITIES, Monitor
from rlscale.health.measured import FALSE_ALARMS

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "health.md"
_BEGIN, _END = "<!-- monitors -->\n", "<!-- end of monitors -->\n"


def page(text: str) -> str:
    """Return the page with its part on monitors made anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{''.join(map(_monitor, MONITORS))}\n{_END}{after}"


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
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
