"""What is wrong while runs are watched, and what of it the ledger has been told: every message once."""

from __future__ import annotations

from rlscale.errors import RlscaleError
from rlscale.ledger import WELL, Ledger

__all__ = ["Troubles", "open_troubles"]


def open_troubles(ledger: Ledger) -> dict[str, str]:
    """Return what the ledger holds to be wrong still, by what it concerns.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    """
    return {f"{one.kind} {one.subject}".strip(): one.message for one in ledger.events.open()}


class Troubles:
    """What is wrong now, kept as events of a ledger.

    What another watcher has told the ledger, earlier or at the same time, is not told again; what an earlier one left
    open is ended when it is found right.

    Parameters
    ----------
    ledger : Ledger

    Attributes
    ----------
    now : dict of str to str
        Messages by what they concern: ``source PATH``, ``command NUMBER``, ``gate``, ...
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.now: dict[str, str] = {}
        self._left = set(self._open())  # by an earlier watcher

    def ill(self, subject: str, message: str) -> None:
        """Note what is wrong; the ledger is told where it does not know it."""
        if self.now.get(subject) == message:
            return
        self.now[subject] = message
        if self._open().get(subject) != message:
            self._tell(subject, message)

    def well(self, subject: str) -> None:
        """Note that something is right, or right again."""
        before = self.now.pop(subject, None)
        if before is None and subject not in self._left:
            return
        self._left.discard(subject)
        if subject in self._open():
            self._tell(subject, WELL)

    def event(self, kind: str, subject: str, message: str) -> None:
        """Keep an event of the ledger; that it cannot be kept is wrong, too."""
        try:
            self._ledger.events.add(kind, subject, message)
        except RlscaleError as error:
            self.now["ledger"] = error.on_command_line
        else:
            self.now.pop("ledger", None)

    def _tell(self, subject: str, message: str) -> None:
        kind, _, what = subject.partition(" ")
        self.event(kind, what, message)

    def _open(self) -> dict[str, str]:
        try:
            found = open_troubles(self._ledger)
        except RlscaleError as error:
            self.now["ledger"] = error.on_command_line
            return {}
        self.now.pop("ledger", None)
        return found
