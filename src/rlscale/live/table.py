"""Runs that report to one process, and the decisions on them: what schedulers and pruners ask."""

from __future__ import annotations

import math
from dataclasses import replace

from rlscale.errors import LedgerError
from rlscale.ledger import DecisionRow, Heading, Ledger, RunRow, Stated, heading_bounds, points_of
from rlscale.live.scene import Scene
from rlscale.live.settings import WatchSettings
from rlscale.live.watch import Watch
from rlscale.sources import named_recipe

__all__ = ["Table"]


class Table:
    """Runs of one metric and one unit, in a ledger that this process watches itself.

    Where another watcher holds the ledger's lease its decisions are followed, and this process takes over when it ends.

    Parameters
    ----------
    ledger : str
        Address of the ledger; it is made where it is not there.
    settings : WatchSettings
    unit, metric : str
    bounds : (float, float) or "open", optional
        Lowest and highest reward.
    lasts : float
        Seconds without a sign of life after which another watcher takes over.
    patience : float
        Seconds that a locked or unreachable ledger is waited for.

    Raises
    ------
    LedgerError
        The ledger cannot be opened.
    """

    def __init__(
        self,
        ledger: str,
        settings: WatchSettings,
        *,
        unit: str = "steps",
        metric: str = "reward",
        bounds: Stated = None,
        lasts: float = 30.0,
        patience: float = 30.0,
    ) -> None:
        self.ledger = Ledger(ledger, create=True, patience=patience)
        self._heading = Heading(
            name="-", recipe="-", unit=unit, metric=metric, source="scheduler", **heading_bounds(bounds)
        )
        self._watch = Watch(self.ledger, settings, acting=True, metric=metric, unit=self._heading.unit, lasts=lasts)
        self._rows: dict[str, RunRow] = {}
        self._scene: Scene | None = None

    def enlist(self, name: str, recipe: str | None = None) -> RunRow:
        """Put a run on the table; once is enough. Its recipe is its name, without a seed mark, where none is given."""
        if name not in self._rows:
            own, seed = named_recipe(name)
            heading = replace(self._heading, name=name, recipe=recipe or own, seed=seed)
            self._rows[name] = self.ledger.book.enlist(heading)
        return self._rows[name]

    def report(self, name: str, compute: float, reward: float) -> bool:
        """Take in an evaluation of a run on the table; a reward that is not finite is left out. Say whether it is new.

        Parameters
        ----------
        name : str
        compute : float
            In the table's unit.
        reward : float
        """
        if not math.isfinite(reward):
            return False
        new = {self.enlist(name).id: {self._heading.metric: points_of([compute], [reward])}}
        return self.ledger.book.append(new) > 0

    def end(self, name: str) -> None:
        """Say that a run is done: nothing more will come of it."""
        self.ledger.book.end(self.enlist(name).id)

    def lose(self, name: str) -> None:
        """Say that a run failed: it ended, and counts as stopped, not as what it was forecast to reach."""
        self.end(name)
        if self._words().get(name) != "lost":
            self.ledger.overrides.add(self.enlist(name), "lost", "it failed", who="scheduler")

    def reopen(self, name: str) -> None:
        """Say that a run goes on, whatever was said before: one that failed and is tried again."""
        row = self.enlist(name)
        self.ledger.book.reopen(row.id)
        if self._words().get(name) == "lost":
            self.ledger.overrides.add(row, "resume", "it is tried again", who="scheduler")

    def held_by_hand(self) -> frozenset[str]:
        """Return the runs that a person holds."""
        return frozenset(name for name, kind in self._words().items() if kind == "hold")

    def _words(self) -> dict[str, str]:
        """Return the latest word on each run that there is one on."""
        return {one.run: one.kind for one in self.ledger.overrides.latest().values()}

    def decide(self) -> dict[str, DecisionRow]:
        """Look, and return the latest decision on each run by its name; a run without one goes on.

        Raises
        ------
        LedgerError
            The ledger cannot be read or written.
        """
        self._scene = self._watch.step()
        if "watcher" in self._scene.troubles:
            raise LedgerError(self._scene.troubles["watcher"])
        return {one.run: one for one in self.ledger.rulings.latest(acting=True).values()}

    @property
    def scene(self) -> Scene | None:
        """What the latest look found."""
        return self._scene

    def close(self) -> None:
        """Give the lease back and close the ledger."""
        self._watch.close()
        self.ledger.close()
