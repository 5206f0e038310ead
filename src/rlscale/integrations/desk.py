"""A table of runs as schedulers and pruners need it: it may be pickled, and a ledger that fails stops nobody."""

from __future__ import annotations

import logging
import math
import tempfile
import time
from pathlib import Path
from threading import RLock
from typing import Any

from rlscale.answers.savings import savings_words
from rlscale.decisions.savings import Savings
from rlscale.errors import RlscaleError
from rlscale.ledger import DecisionRow, Stated
from rlscale.live import Scene, Table, WatchSettings, saved
from rlscale.parameters import in_python

__all__ = ["Desk"]

#: Seconds that a training process waits for a locked ledger, and after which a ledger that failed is tried again.
PATIENCE, RETRY = 5.0, 30.0

_log = logging.getLogger("rlscale")


class Desk:
    """Takes evaluations, keeps what the ledger could not take yet, and knows the latest decisions.

    A copy that was pickled opens the ledger again; the watcher's lease stays with the process that has it.

    Parameters
    ----------
    settings : WatchSettings
    ledger : str, optional
        Address; by default a new SQLite file in a temporary folder.
    unit, metric : str
    bounds : (float, float) or "open", optional
        Lowest and highest reward possible; where not given [0, 1] is assumed until a value leaves it, then they are
        open. What is assumed is said through ``logging``, once.

    Attributes
    ----------
    ledger : str
        Address.
    decisions : dict of str to DecisionRow
        The latest on each run, by its name.
    risk : float, optional
        Model-based risk of what is paused, at the latest look.
    savings : Savings, optional
        Against running all runs to the budget, at the latest look.
    """

    def __init__(self, settings: WatchSettings, *, ledger: str | None, unit: str, metric: str, bounds: Stated) -> None:
        self.settings = settings
        # the address is fixed here, so that every copy means the same ledger
        self.ledger = ledger or str(Path(tempfile.mkdtemp(prefix="rlscale-")) / "ledger.db")
        self._heading: dict[str, Any] = {"unit": unit, "metric": metric, "bounds": bounds}
        self.decisions: dict[str, DecisionRow] = {}
        self.risk: float | None = None
        self.savings: Savings | None = None
        self._recipes: dict[str, str | None] = {}
        self._points: dict[str, list[tuple[float, float]]] = {}
        self._turns: dict[str, str] = {}
        self.ended: set[str] = set()
        self._by_hand: frozenset[str] = frozenset()
        self._warned: set[str] = set()
        self._troubled: set[str] = set()
        self._start()

    def _start(self) -> None:
        self._table: Table | None = None
        self._lock = RLock()
        self._looked, self._retry = -RETRY, 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process: the connection, the lock, and times of its clock."""
        mine = ("_table", "_lock", "_looked", "_retry")
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name not in mine}
        # as a ledger keeps them, so that a later release restores an experiment of this one
        return {**state, "settings": self.settings.document()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "settings": WatchSettings.of(state["settings"])})
        self._start()

    def enlist(self, name: str, recipe: str | None = None) -> None:
        """Put a run on the table; one that ended goes on."""
        with self._lock:
            self._recipes.setdefault(name, recipe)
            self._turns[name] = "reopen"
            self.ended.discard(name)

    def report(self, name: str, compute: Any, reward: Any) -> bool:
        """Take in an evaluation, to be sent with the next look; say whether it is one, of numbers."""
        try:
            point = (float(compute), float(reward))
        except (TypeError, ValueError):
            point = (math.nan, math.nan)
        if not all(map(math.isfinite, point)):
            self.warn(f"run {name}: compute {compute!r} with reward {reward!r} is no evaluation and is left out")
            return False
        with self._lock:
            self._recipes.setdefault(name, None)
            self._points.setdefault(name, []).append(point)
        return True

    def end(self, name: str, *, failed: bool = False) -> None:
        """Say that nothing more will come of a run; one that failed is no rival of the others any more."""
        with self._lock:
            self._turns[name] = "lose" if failed else "end"
            self.ended.add(name)

    def look(self, *, after: float = 0.0) -> bool:
        """Send what is new and decide; say whether the decisions are up to date.

        Parameters
        ----------
        after : float
            Do so only where the latest look is so many seconds old, or what a run does has changed since.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._retry:
                return False
            if now - self._looked < after and not self._turns:
                return True
            self._looked = now
            try:
                self._send()
            except RlscaleError as error:
                self._retry = now + RETRY
                self.warn(f"runs go on without decisions: {error}")
                return False
            return True

    def _send(self) -> None:
        if self._table is None:
            self._table = Table(self.ledger, self.settings, patience=PATIENCE, **self._heading)
        table = self._table
        for name, recipe in self._recipes.items():
            table.enlist(name, recipe)
        for name, points in list(self._points.items()):
            for compute, reward in points:
                table.report(name, compute, reward)
            del self._points[name]
        tell = {"reopen": table.reopen, "end": table.end, "lose": table.lose}
        for name, turn in list(self._turns.items()):
            tell[turn](name)
            del self._turns[name]
        self.decisions = table.decide()
        self._by_hand = table.held_by_hand()
        if table.scene is not None:
            self._tell(table.scene)
        if table.scene is not None and table.scene.role == "standby":
            self.savings = saved(table.ledger)  # another process leads, and has looked

    def _tell(self, scene: Scene) -> None:
        """Say, once for each kind, why runs are left out of decisions: a reward outside the bounds that were given."""
        if scene.sight is not None:
            self.risk = scene.sight.answer.risk
            self.savings = scene.sight.answer.savings
        for subject, message in scene.troubles.items():
            kind, _, name = subject.partition(" ")
            if kind not in self._troubled:
                self._troubled.add(kind)
                who = f"run {name} is" if kind == "curve" else "runs are"
                why = in_python(message)
                _log.warning("%s left out of decisions: %s; others like it stand in %s", who, why, self.ledger)

    def acted(self, name: str) -> dict[str, str]:
        """Log the latest decision on a run, which is carried out now, and return it with its reason."""
        found = self.decisions.get(name)
        if found is None:
            return {}
        self.warn(f"{found.action} {name} (decision {found.id}): {found.reason}")
        return {"rlscale_decision": found.action, "rlscale_reason_code": found.code, "rlscale_reason": found.reason}

    def action(self, name: str) -> str:
        """Return the latest decision on a run; it continues where there is none."""
        found = self.decisions.get(name)
        return "continue" if found is None else found.action

    def chance(self, name: str) -> float:
        """Return the probability that a run beats all others, as the latest decision on it has it; 0 where none."""
        found = self.decisions.get(name)
        return float(found.evidence.get("h") or 0.0) if found is not None else 0.0

    def held_by_hand(self, name: str) -> bool:
        """Whether a person holds a run."""
        return name in self._by_hand

    def warn(self, message: str) -> None:
        """Say something once."""
        if message not in self._warned:
            self._warned.add(message)
            _log.warning("%s", message)

    def line(self) -> str:
        """Return in one line how many runs run, are held, stopped and ended, who is committed, and the risk."""
        doing = {"run": 0, "held": 0, "stopped": 0, "ended": 0}
        words = {"hold": "held", "stop": "stopped"}
        committed = []
        for name in self._recipes:
            action = self.action(name)
            doing["ended" if name in self.ended and action != "stop" else words.get(action, "run")] += 1
            committed += [name] if action == "commit" else []
        told = ", ".join(f"{count} {word}" for word, count in doing.items())
        risk = "" if self.risk is None else f"; P(the best is paused or stopped) {self.risk:.3f}"
        saved = "" if self.savings is None else f"; {savings_words(self.savings)[:-1]}"
        return f"{told}; committed to {', '.join(committed) or 'none yet'}{risk}{saved}; ledger {self.ledger}"

    def close(self) -> None:
        """Give the lease back and close the ledger; a later look opens it again."""
        with self._lock:
            table, self._table = self._table, None
            if table is not None:
                table.close()
