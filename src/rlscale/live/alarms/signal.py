"""What an alarm is: something that a run shows now, and the event that it began or is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rlscale.health import FalseAlarms

__all__ = ["ONSET", "RECOVERY", "AlarmEvent", "Key", "Progress", "Signal"]

#: What an alarm is known by: the run (for a trap: its recipe, where that has several runs) and the kind.
Key = tuple[str, str]
ONSET, RECOVERY = "onset", "recovery"
SCHEMA = 1


@dataclass(frozen=True)
class Progress:
    """How far a run has come: rows of its log, and evaluations."""

    rows: int
    evaluations: int


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Something that a run shows now.

    Parameters
    ----------
    kind : str
        A monitor of :data:`rlscale.health.MONITORS` (``stalled`` among them), or ``collapse``, ``resolved``, ``trap``,
        ``decision``.
    run, recipe : str
    severity : str
        ``note``, ``warn`` or ``stop``.
    since : float, optional
        Compute at which it began, in ``unit``; None where the log holds no compute of its steps.
    value, threshold : float, optional
        What was measured, and what it was compared with.
    message : str
        What happened, and the next step.
    source : str
        Where the threshold comes from.
    unit : str
    state : str, optional
        Of a decision: ``stop``, ``hold`` or ``commit``. Another state is another onset.
    false_alarms : FalseAlarms, optional
        How often it fires on healthy runs, where that was measured.
    """

    kind: str
    run: str
    recipe: str
    severity: str
    since: float | None
    value: float | None
    threshold: float | None
    message: str
    source: str
    unit: str
    state: str | None = None
    false_alarms: FalseAlarms | None = None

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.run, self.kind


@dataclass(frozen=True, kw_only=True)
class AlarmEvent:
    """That an alarm began, became graver, or is over.

    Parameters
    ----------
    event : str
        ``onset`` or ``recovery``.
    signal : Signal
        Of a recovery: as it was last sent.
    at : float
        Unix time.
    onsets : int
        How often this alarm has begun, this time among them.
    before : str, optional
        Of an onset of what was there already: the severity, or the decision, that was sent before.
    reached : Progress, optional
        How far the run was.
    """

    event: str
    signal: Signal
    at: float
    onsets: int = 1
    before: str | None = None
    reached: Progress | None = None

    def document(self) -> dict[str, Any]:
        """Return what programs are sent, as JSON values."""
        signal = self.signal
        return {
            "schema": SCHEMA,
            "event": self.event,
            "kind": signal.kind,
            "run": signal.run,
            "recipe": signal.recipe,
            "severity": signal.severity,
            "since": signal.since,
            "unit": signal.unit,
            "value": signal.value,
            "threshold": signal.threshold,
            "message": signal.message,
            "source": signal.source,
            "false_alarms": None if signal.false_alarms is None else asdict(signal.false_alarms),
            "state": signal.state,
            "before": self.before,
            "onsets": self.onsets,
            "rows": None if self.reached is None else self.reached.rows,
            "evaluations": None if self.reached is None else self.reached.evaluations,
            "at": datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @staticmethod
    def of(document: Mapping[str, Any], at: float) -> AlarmEvent:
        """Return the event that :meth:`document` wrote, at a Unix time."""
        rates, rows = document["false_alarms"], document["rows"]
        names = (
            "kind",
            "run",
            "recipe",
            "severity",
            "since",
            "unit",
            "value",
            "threshold",
            "message",
            "source",
            "state",
        )
        signal = Signal(
            **{name: document[name] for name in names}, false_alarms=None if rates is None else FalseAlarms(**rates)
        )
        return AlarmEvent(
            event=document["event"], signal=signal, at=at, onsets=document["onsets"], before=document["before"],
            reached=None if rows is None else Progress(rows, document["evaluations"]),
        )  # fmt: skip

    @property
    def title(self) -> str:
        """Of which run, what it is, and since when: ``base/seed0: collapse since 1,200 steps``."""
        signal = self.signal
        what = signal.kind.replace("_", " ") + (f" {signal.state}" if signal.state else "")
        since = "" if signal.since is None else f"since {signal.since:,.6g} {signal.unit}"
        if self.event == RECOVERY:
            return f"{signal.run}: {what} is over{f' (it was there {since})' if since else ''}"
        return f"{signal.run}: {what}{f' {since}' if since else ''}"

    @property
    def text(self) -> str:
        """The event in a few sentences, for people."""
        if self.event == RECOVERY:
            return f"{self.title}."
        changed = self.before not in (None, self.signal.severity)
        grade = f"{self.signal.severity} (was {self.before})" if changed else self.signal.severity
        return f"{grade}: {self.title}. {self.signal.message}"
