"""Tells a tracker what the ledger holds, in a thread of its own: a tracker that is down or slow stops nobody.

The ledger is the queue: each pass of the watcher wakes the thread, which reads what the tracker has not been told yet,
writes it, and notes up to where. What could not be written waits there, however long, through restarts too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from rlscale.errors import RlscaleError, hidden
from rlscale.integrations.publish.contract import FAILURES, Account, Tracker
from rlscale.integrations.publish.rows import rows_of
from rlscale.integrations.publish.steps import Steps
from rlscale.ledger import Cursor, Ledger, RunRow, digest
from rlscale.live import Scene, WatchSettings

__all__ = ["PATIENCE", "Publisher"]

#: Seconds after which a tracker that failed is tried again, and after which one that does not answer is told of.
RETRY, SILENCE = 30.0, 60.0
#: Seconds that the end of a watcher waits for its trackers; less than its lease lasts, which is not renewed then.
PATIENCE = 20.0
#: Where so many runs cannot be written the tracker is taken for down until it is tried again.
_DOWN = 3
#: Characters told of a failure.
_SAID = 300
#: Roles of a watcher that leads: whoever stands by or only looks tells nobody.
_LEADS = ("acting", "dry-run")


class Publisher:
    """Tells one tracker of the looks that a watcher keeps.

    Parameters
    ----------
    tracker : Tracker
    ledger : str
        Address; the thread has a connection of its own.
    settings : WatchSettings
        Those of the watcher: fits and decisions made with others are not told.
    acting : bool
        Whether its decisions are carried out.
    clock : callable
        Returns seconds that only go forward.
    """

    def __init__(
        self, tracker: Tracker, ledger: str, settings: WatchSettings, *, acting: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._tracker, self._acting, self._clock = tracker, acting, clock
        self._ledger = Ledger(ledger)
        self._failures: tuple[type[Exception], ...] = (*tracker.failures, *FAILURES, SQLAlchemyError, RlscaleError)
        self._settings, self._key = settings.hash, digest(tracker.key)
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"publish {tracker.target}", daemon=True)
        self._failure, self._retry = "", 0.0
        self._since: float | None = None  # when what the tracker does now began
        self._finished = False
        self._sight: object = None
        self.written = 0  # rows, for whoever counts them

    def take(self, scene: Scene) -> None:
        """See that a look was made, which is all that this does: it never waits."""
        if scene.role not in _LEADS or scene.sight is None:
            return
        if self._thread.ident is None:
            self._thread.start()
        if scene.sight is not self._sight or (self._failure and self._clock() >= self._retry):
            self._sight = scene.sight
            self._woken.set()

    def troubles(self) -> dict[str, str]:
        """Return what is wrong with the tracker now; nothing where all is well."""
        subject = f"publish {self._tracker.target}"
        if self._thread.ident is not None and not self._thread.is_alive() and not self._finished:
            return {subject: "ended by a defect of rlscale, please report it; start the watcher again to go on"}
        if self._failure:
            return {subject: f"{self._failure}; what is new waits in the ledger and is written later"}
        since = self._since
        if since is not None and self._clock() - since > SILENCE:
            return {subject: f"no answer for {SILENCE:g} s; what is new waits in the ledger and is written later"}
        return {}

    def end(self) -> None:
        """Let the tracker be told what is new, and end then."""
        self._ended.set()
        self._woken.set()

    def close(self, patience: float = PATIENCE) -> str:
        """End, wait so many seconds at most, and return what could not be done; nothing where all is told."""
        self.end()
        if self._thread.ident is None:
            self._ledger.close()
            return ""
        self._thread.join(patience)
        if self._finished and not self._failure:
            return ""
        why = self._failure or f"it did not answer within {patience:.0f} s"
        return f"{self._tracker.target} was not told everything ({why}); the next watcher of the ledger goes on there"

    def _work(self) -> None:
        steps = Steps(self._ledger)
        while not self._finished:
            self._woken.wait()
            self._woken.clear()
            ended = self._ended.is_set()
            failure = self._tell(steps)
            if ended:
                failure = self._tried(self._tracker.close) or failure
                self._ledger.close()
            self._failure, self._retry = failure, self._clock() + RETRY
            self._finished = ended

    def _tried(self, work: Callable[[], None]) -> str:
        """Do what a tracker may fail at, and return why it did; nothing where it did not."""
        self._since = self._clock()
        try:
            work()
        except self._failures as error:
            said = error.on_command_line if isinstance(error, RlscaleError) else str(error)
            return hidden(" ".join(said.split())[:_SAID]) or type(error).__name__
        finally:
            self._since = None
        return ""

    def _tell(self, steps: Steps) -> str:
        """Write all that is new, and return why some of it could not be written.

        A run that a tracker refuses does not keep the others from it; after a few it is taken for down.
        """
        failed: dict[int, str] = {}

        def look() -> None:
            found = self._ledger.published.waiting(self._key, self._settings, acting=self._acting)
            waiting.update({number: cursor for number, cursor in found.items() if number not in failed})
            rows.update({row.id: row for row in self._ledger.book.runs()} if waiting else {})

        while True:
            waiting: dict[int, Cursor] = {}
            rows: dict[int, RunRow] = {}
            failure = self._tried(look)
            if failure or not waiting:
                return failure or next(reversed(failed.values()), "")
            for number, cursor in waiting.items():
                failure = self._tried(partial(self._tell_of, steps, rows[number], cursor))
                failed |= {number: failure} if failure else {}
                if len(failed) >= _DOWN:
                    return failure

    def _tell_of(self, steps: Steps, run: RunRow, cursor: Cursor) -> None:
        published = self._ledger.published
        backlog = published.backlog(run, cursor, self._settings, acting=self._acting)
        rows = rows_of(backlog, partial(steps.at, run))
        mark = digest(["rlscale", run.name, run.created])[:32]
        self._tracker.write(Account(run.name, run.recipe, mark, str(self._ledger.where), run.unit), rows)
        published.told(self._key, self._settings, run.id, backlog.cursor)
        self.written += len(rows)
