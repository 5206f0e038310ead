"""The watch loop: what is new is taken in, looked at, decided, kept and carried out, whatever else goes wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from rlscale.curves import Run
from rlscale.curves.assumed import bounds_sentence
from rlscale.decisions.gate import Action
from rlscale.errors import InputError, RlscaleError
from rlscale.ledger import DecisionRow, Lease, LeaseLost, Ledger, Logged, Points, RunRow
from rlscale.live.alarms import AlarmEvent, LedgerAlarms
from rlscale.live.courier import Courier, Ended
from rlscale.live.intake import Intake
from rlscale.live.scene import Scene
from rlscale.live.settings import WatchSettings
from rlscale.live.sight import OVER, Looker, Seen, Sight, as_looked_at, run_of, stand
from rlscale.live.troubles import Troubles
from rlscale.sources import Reading
from rlscale.sources.bounds import kept_bounds
from rlscale.sources.patterns import matches

__all__ = ["Source", "Watch", "carried"]

T = TypeVar("T")
_LOG = logging.getLogger("rlscale")

#: Seconds after which a command that failed is started again, times the attempts made.
RETRY = 30.0
#: Seconds that alarms have to be sent in when the watcher ends.
PATIENCE = 10.0


class Source(Protocol):
    """What can be read again and again: :class:`rlscale.sources.follow.Follower`."""

    def poll(self) -> Reading:
        """Return the runs as they stand."""


class Watch:
    """Watches the runs of a ledger, and sources whose runs it puts there.

    Everything that it knows is in the ledger: a watcher that is killed and started again goes on where it was.

    Parameters
    ----------
    ledger : Ledger
    settings : WatchSettings
    source : Source, optional
    acting : bool
        Whether decisions are to be carried out: by the courier, by callbacks and by schedulers that ask the ledger.
    courier : Courier, optional
    alarms : LedgerAlarms, optional
        Sends alarms.
    metric, unit : str, optional
        Watch the runs of the ledger with this metric and unit; all by default. ``exclude``: patterns (``*``, ``?``)
        of names of those that are not watched, nor compared.
    lasts : float
        Seconds without a sign of life after which another watcher takes over.
    clock : callable
        Returns seconds that only go forward.

    Attributes
    ----------
    failed : list of Ended
        The commands that failed or took too long.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: WatchSettings,
        *,
        source: Source | None = None,
        acting: bool = False,
        courier: Courier | None = None,
        alarms: LedgerAlarms | None = None,
        metric: str | None = None,
        unit: str | None = None,
        exclude: Sequence[str] = (),
        lasts: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._settings = ledger, settings
        self._source, self._acting, self._courier, self._alarms = source, acting, courier, alarms
        self._metric, self._unit, self._exclude = metric, unit, tuple(exclude)
        self._intake, self._looker = Intake(ledger), Looker(settings)
        self._standby = ledger.standby(lasts, acting=acting, clock=clock)
        self._lease: Lease | None = None
        self._beaten = 0.0
        self._ends: list[Ended] = []  # commands that ended, which the ledger does not know yet
        self.failed: list[Ended] = []  # commands that did not do what they were to do
        self._lasts, self._clock = lasts, clock
        self._troubles = Troubles(ledger)
        self._said: set[str] = set()  # what is assumed, once
        self._field: list[Seen] = []
        self._read_runs: dict[str, Run] = {}  # as their logs were read
        self._forget()

    def _forget(self) -> None:
        """Start afresh from what the ledger holds."""
        self._number, self._sure = 0, False  # whether it is known what the ledger holds
        self._before: dict[int, DecisionRow] = {}
        self._spent = 0.0
        self._sight: Sight | None = None
        self._looked_at: dict[int, list[Any]] = {}  # at the latest look, kept or not
        self._stood: dict[int, list[Any]] = {}  # at the latest look that was kept
        self._runs_held: dict[int, tuple[int, Run]] = {}
        self._bad: dict[int, int] = {}
        self._last: DecisionRow | None = None
        self._made: tuple[DecisionRow, ...] = ()
        self._retry: dict[int, float] = {}
        self._settled: set[int] = set()

    @property
    def role(self) -> str:
        """What this watcher does now."""
        return "standby" if self._lease is None else "acting" if self._acting else "dry-run"

    @property
    def busy(self) -> bool:
        """Whether a command runs that was started here."""
        commands = self._courier is not None and self._courier.busy
        return commands or (self._alarms is not None and self._alarms.awaited)

    def step(self) -> Scene:
        """Do one pass. What fails is kept as an event of the ledger, once, and the next pass goes on."""
        points = self._guarded("sources", self._read) or 0
        before = self._last
        commands = self._guarded("watcher", self._decide) or []
        made = self._made if self._last is not before else ()
        sent = self._guarded("alarms", self._alarm) or ()
        opened = () if self._alarms is None else self._alarms.open
        return Scene(
            role=self.role, sight=self._sight, decisions=made, last=self._last, troubles=dict(self._troubles.now),
            points=points, commands=tuple(commands), done=self._done(), alarms=sent, open_alarms=opened,
        )  # fmt: skip

    def _guarded(self, subject: str, work: Callable[[], T]) -> T | None:
        """Do a part of a pass; a failure is kept, and is no reason to stop."""
        try:
            found = work()
        except LeaseLost as error:
            self._lease = None
            self._troubles.ill(subject, error.on_command_line)
        except RlscaleError as error:
            self._troubles.ill(subject, error.on_command_line)
        except Exception as error:  # noqa: BLE001  a defect must not leave running jobs without a watcher
            self._troubles.ill(
                subject, f"{type(error).__name__}: {error}; this is a defect of rlscale, please report it"
            )
        else:
            self._troubles.well(subject)
            return found
        return None

    def _decide(self) -> list[Ended]:
        if not self._led():
            if self._courier is not None:
                self._courier.ended()  # the new leader has noted them as interrupted; none may hang
            self._ends.clear()
            return []
        self._look()
        return self._carry()

    def _alarm(self) -> tuple[AlarmEvent, ...]:
        """Send alarms, and note what is wrong with where they go."""
        if self._alarms is None:
            return ()
        sent: tuple[AlarmEvent, ...] = ()
        if self._lease is not None:
            sent = self._alarms.look(self._lease, self._field, self._sight, self._looker, self._read_runs)
        self._note(self._alarms.troubles())
        return sent

    def _note(self, wrong: Mapping[str, str]) -> None:
        for subject, message in wrong.items():
            if message:
                self._troubles.ill(subject, message)
            else:
                self._troubles.well(subject)

    def close(self) -> None:
        """End commands that still run, and give the lease back, so that another watcher can take over at once."""
        self._ends += [] if self._courier is None else self._courier.close()
        for one in self._ends:
            self._guarded("watcher", partial(self._ended, one))
        if self._alarms is not None:
            self._note(self._alarms.close(PATIENCE))
        if self._lease is not None:
            lease, self._lease = self._lease, None
            try:
                self._standby.give_back(lease)
            except RlscaleError as error:
                self._troubles.ill("watcher", error.on_command_line)

    def _read(self) -> int:
        """Take in what the sources have."""
        if self._source is None:
            return 0
        reading = self._source.poll()
        wrong: dict[str, str] = {}
        for error in reading.errors:
            wrong[error.path] = f"{wrong[error.path]}; {error.message}" if error.path in wrong else error.message
        for subject in [key for key in self._troubles.now if key.startswith("source ") and key[7:] not in wrong]:
            self._troubles.well(subject)
        for path, message in wrong.items():
            self._troubles.ill(f"source {path}", message)
        taken = self._intake.take(reading.runs, self._settings.budget)
        self._read_runs = {run.name: run for run in reading.runs if run.name not in taken.refused}
        for run in reading.runs:
            if run.name in taken.refused:
                self._troubles.ill(f"run {run.name}", taken.refused[run.name])
            else:
                self._troubles.well(f"run {run.name}")
        for path in {run.source.path for run in reading.runs if run.source is not None} - wrong.keys():
            self._troubles.well(f"source {path}")
        return taken.points

    def _led(self) -> bool:
        """Whether this watcher leads; it says that it is there."""
        if self._lease is None:
            self._lease = self._standby.take()
            if self._lease is None:
                return False
            self._forget()
        elif self._clock() - self._beaten > 0.2 * self._lasts:
            self._standby.beat(self._lease)
        else:
            return True
        self._beaten = self._clock()
        return True

    def _resume(self) -> None:
        """Take up what an earlier watcher left, or a look of this one whose end it could not learn."""
        assert self._lease is not None
        if self._acting:
            self._ledger.deliveries.interrupt(self._lease)
        rulings = self._ledger.rulings
        self._before = rulings.latest(self._acting)
        last = rulings.last_look(self._acting)
        if last is not None and self._settings.policy.mode == "kill":
            self._spent = last.risk or last.risk_spent
        self._last = max(self._before.values(), key=lambda one: one.id, default=None)
        self._made, self._sure = (), True

    def _look(self) -> None:
        """Look where something is new, and keep what was decided."""
        assert self._lease is not None
        if not self._sure:
            self._resume()
        field = self._field = self._runs()
        stood = {one.row.id: [*one.fingerprint, one.read.override_id] for one in field}
        if stood == self._looked_at:
            return
        try:
            sight = self._looker.look(field, self._spent)
        except InputError as error:
            self._troubles.ill("gate", error.on_command_line)
            self._looked_at = stood
            return
        self._troubles.well("gate")
        saw = [one.read for one in sight.field if stood[one.row.id] != self._stood.get(one.row.id)]
        actions = {number: one.action for number, one in self._before.items()}
        row = sight.row(self._number, self._settings, self._spent, acting=self._acting)
        self._number, self._sure = self._number + 1, False
        made = self._ledger.rulings.add(self._lease, row, saw, sight.ruled(actions), sight.fits)
        self._sure = True
        self._looker.kept(sight)
        self._keep(sight, stood, made)

    def _keep(self, sight: Sight, stood: dict[int, list[Any]], made: tuple[DecisionRow, ...]) -> None:
        numbers = {one.row.name: one.row.id for one in sight.field}
        self._before |= {numbers[one.run]: one for one in made}
        self._sight, self._looked_at, self._stood = sight, stood, stood
        self._made = made
        self._last = made[-1] if made else self._last
        if self._settings.policy.mode == "kill" and sight.answer.risk is not None:
            self._spent = sight.answer.risk

    def _runs(self) -> list[Seen]:
        """Return the runs of the ledger as they stand."""
        rows = [
            row
            for row in self._ledger.book.runs()
            if self._metric in (None, row.metric) and self._unit in (None, row.unit)
            if not matches(row.name, self._exclude)
        ]
        new = [
            row for row in rows if row.last_seq not in (self._bad.get(row.id), self._runs_held.get(row.id, (None,))[0])
        ]
        points = self._ledger.book.points(new, upto={row.id: row.last_seq for row in new})
        logs = self._ledger.book.logs(new) if new and self._settings.options.health else {}
        for row in new:
            if row.id in points:
                self._bad[row.id] = row.last_seq  # until it is a curve
                self._guarded(f"curve {row.name}", partial(self._hold, row, points[row.id], logs.get(row.id)))
        # as they stood when their points last were a curve
        known = [(row, *self._runs_held[row.id]) for row in rows if row.id in self._runs_held]
        held = [(replace(row, last_seq=seq), run) for row, seq, run in known]
        return stand(self._in_bounds(held), self._before, self._ledger.overrides.latest())

    def _hold(self, row: RunRow, points: Points, log: Logged | None) -> None:
        self._runs_held[row.id] = (row.last_seq, run_of(row, points, log))
        self._bad.pop(row.id, None)

    def _in_bounds(self, held: list[tuple[RunRow, Run]]) -> list[tuple[RunRow, Run]]:
        """Return runs with what is assumed of their bounds, which is kept, and made anew only where a value leaves it.

        Decisions of all looks then rest on the same bounds; that they changed is an event.
        """
        curves = kept_bounds([row.in_bounds(run.curve) for row, run in held])
        rows = [row.within(curve) for (row, _), curve in zip(held, curves, strict=True)]
        moved = [k for k, (row, _) in enumerate(held) if row.assumed != rows[k].assumed]
        if moved:
            self._ledger.book.rebound([rows[k] for k in moved])
            names = ", ".join(rows[k].name for k in moved[:5]) + (", ..." if len(moved) > 5 else "")
            self._troubles.event("bounds", names, bounds_sentence(curves[moved[0]]))
        for sentence in dict.fromkeys(map(bounds_sentence, curves)):
            if sentence and sentence not in self._said:
                self._said.add(sentence)
                _LOG.warning("%s", sentence)
        return [(row, as_looked_at(row, run)) for row, (_, run) in zip(rows, held, strict=True)]

    def _carry(self) -> list[Ended]:
        """Carry decisions out, and see how commands ended."""
        if self._courier is None or self._lease is None:
            return []
        self._ends += self._courier.ended()
        if self._acting:
            for decision in self._before.values():
                if carried(decision) and decision.id not in self._settled:
                    self._deliver(decision)
        ended = []
        while self._ends:
            self._ended(self._ends[0])
            ended.append(self._ends.pop(0))
        return ended

    def _deliver(self, decision: DecisionRow) -> None:
        """Start the command for a decision that has not been carried out."""
        assert self._courier is not None
        assert self._lease is not None
        if self._retry.get(decision.id, 0.0) > self._clock() or not self._courier.free:
            return
        attempt = self._ledger.deliveries.claim(self._lease, decision.id)
        self._settled.add(decision.id)
        if attempt is None:
            return
        failed = self._courier.start(decision.id, attempt, self._told(decision, attempt))
        if failed is not None:
            self._ends.append(failed)

    def _told(self, decision: DecisionRow, attempt: int) -> dict[str, Any]:
        """Return what a command is told."""
        return {
            "schema": 1, "decision_id": decision.id, "attempt": attempt, "run": decision.run,
            "recipe": decision.recipe, "decision": decision.action, "before": decision.before,
            "reason_code": decision.code, "reason": decision.reason, "evidence": dict(decision.evidence),
            "budget": self._settings.budget, "at": decision.at, "ledger": str(self._ledger.where),
        }  # fmt: skip

    def _ended(self, one: Ended) -> None:
        self._ledger.deliveries.end(one.decision, one.attempt, one.outcome, one.exit_code, one.said)
        subject = f"command {one.decision}"
        if one.outcome == "done":
            self._troubles.well(subject)
            return
        self.failed.append(one)
        code = "" if one.exit_code is None else f" (exit code {one.exit_code})"
        self._troubles.ill(
            subject, f"attempt {one.attempt} {one.outcome}{code}: {one.said[-300:] or 'it said nothing'}"
        )
        self._retry[one.decision] = self._clock() + RETRY * one.attempt
        self._settled.discard(one.decision)

    def _done(self) -> bool:
        """Whether all runs have finished or are at rest, and nothing is under way."""
        waits = any(carried(one) and one.id not in self._settled for one in self._before.values())
        waits = waits and self._acting and self._courier is not None
        return self._sight is not None and not self.busy and not self._ends and not waits and self._sight.at_rest


def carried(decision: DecisionRow) -> bool:
    """Whether a decision asks for something to be done: not to go on as from the start, nor of a run that is over."""
    first = decision.before is None and decision.action == Action.CONTINUE.value
    return decision.acting and not first and decision.code not in OVER
