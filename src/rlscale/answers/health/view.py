"""The view of the health of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, quantity
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.answers.views import listed
from rlscale.errors import InputError
from rlscale.health import MONITORS, SEVERITIES, Alarm, Health, RunHealth
from rlscale.sources import Reading

__all__ = ["TITLES", "HealthView", "first_alarms", "headline", "health_view", "place"]

#: Headings of the monitors, by name.
TITLES = {each.name: each.title for each in MONITORS}


@dataclass(frozen=True, kw_only=True)
class HealthView(View):
    """The answer of ``health``.

    Parameters
    ----------
    health : Health
    explained : RunHealth, optional
        The run whose series are drawn; None where no run has any.
    named : bool
        Whether it was named.
    errors, settings, grouping, left_out
        As in every view.
    """

    health: Health
    explained: RunHealth | None
    named: bool = False

    @property
    def runs(self) -> tuple[RunHealth, ...]:
        """The runs, in the order they were read."""
        return self.health.runs


def health_view(
    health: Health, reading: Reading | None = None, settings: Settings | None = None, *, explain: str | None = None
) -> HealthView:
    """Return the view of what :func:`rlscale.check_health` found.

    Raises
    ------
    InputError
        ``explain`` names no run, or several.
    """
    return HealthView(
        health=health,
        explained=_explained(health.runs, explain),
        named=explain is not None,
        **read_with(reading, settings),
        left_out=health.left_out,
    )


def _explained(runs: Sequence[RunHealth], name: str | None) -> RunHealth | None:
    """Return the run that is named, else the one with the gravest alarms, the first of equals."""
    if name is not None:
        exact = [run for run in runs if run.run == name] or [run for run in runs if run.run.endswith(f"/{name}")]
        if len(exact) != 1:
            names = ", ".join(run.run for run in (exact or runs)[:8])
            what = "is no run that was read" if not exact else f"is the end of {len(exact)} names"
            raise InputError(f"--explain {name!r} {what}; give one of {names}", parameter="explain")
        return exact[0]
    if not runs:
        return None
    return max(runs, key=lambda run: [sum(a.severity == s for a in run.alarms) for s in reversed(SEVERITIES)])


def first_alarms(run: RunHealth) -> tuple[Alarm, ...]:
    """Return of each monitor its gravest alarm, the first of those, in order of onset."""
    chosen: dict[str, Alarm] = {}
    for alarm in run.alarms:
        known = chosen.get(alarm.monitor)
        if known is None or SEVERITIES.index(alarm.severity) > SEVERITIES.index(known.severity):
            chosen[alarm.monitor] = alarm
    return tuple(sorted(chosen.values(), key=lambda alarm: alarm.step))


def place(alarm: Alarm) -> str:
    """Return where an alarm begins, and where it is over: ``since 12.3k tokens, over at 15k``."""
    begun = f"since step {quantity(alarm.step)}"
    if alarm.since is not None and alarm.compute_unit != "steps":
        begun = f"since {quantity(alarm.since, alarm.compute_unit)} (step {quantity(alarm.step)})"
    if alarm.until_step is None:
        return begun
    over = quantity(alarm.until) if alarm.until is not None else f"step {quantity(alarm.until_step)}"
    return f"{begun}, over at {over}"


def headline(view: HealthView) -> str:
    """Return the answer in a sentence: who must be looked at, and first what is left out."""
    runs = view.runs
    lead = lacking(view.left_out, len(runs))
    for severity, verb, alone in (("stop", "sick now", "sick"), ("warn", "to be looked at", "to be looked at")):
        ill = [run for run in runs if run.now == severity]
        if ill:
            first = next(alarm for alarm in ill[0].alarms if alarm.severity == severity and alarm.lasts)
            why = f"{TITLES[first.monitor]} {place(first)}"
            if len(runs) == 1:
                return f"{lead}{ill[0].run} is {alone}: {why}."
            whom = f"{listed([run.run for run in ill])}; first {ill[0].run}" if len(ill) > 1 else ill[0].run
            some = f"{len(ill):,} of {count(len(runs), 'run')} {_are(ill)} {verb}"
            return f"{lead}{some}: {whom}, {why}."
    past = [run for run in runs if run.worst in ("warn", "stop")]
    if past:
        return f"{lead}No alarm is on now; {listed([run.run for run in past])} had some and recovered."
    blind = [run for run in runs if len(run.not_measurable) > len(MONITORS) / 2]
    seen = f"; {_blind(len(blind), len(runs))} too little to judge by most monitors" if blind else ""
    noted = [run for run in runs if run.worst == "note"]
    notes = f", notes on {len(noted):,}" if noted else ""
    return f"{lead}No warning in {count(len(runs), 'run')}{notes}{seen}: what is not measured is not thereby healthy."


def _blind(some: int, total: int) -> str:
    if total == 1:
        return "its log holds"
    return "their logs hold" if some == total else f"the logs of {some:,} hold"


def _are(runs: Sequence[RunHealth]) -> str:
    return "is" if len(runs) == 1 else "are"
