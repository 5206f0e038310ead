"""Where alarms go beside the terminal and the ledger."""

from __future__ import annotations

from typing import Protocol

from rlscale.live.alarms.signal import AlarmEvent

__all__ = ["Sink"]


class Sink(Protocol):
    """Sends alarms, and holds nobody up.

    Attributes
    ----------
    name : str
    awaited : bool
        Whether a pass that is the last one waits for it as for the commands of decisions; else it has the few seconds
        of :meth:`close`.
    """

    name: str
    awaited: bool

    def send(self, event: AlarmEvent) -> None:
        """Take an alarm; return at once."""

    def trouble(self) -> str:
        """See to what is under way; return what is wrong now, or nothing."""

    @property
    def busy(self) -> bool:
        """Whether something that was taken is not sent yet."""

    def close(self, patience: float) -> str:
        """Send what is left for so many seconds at most, and end; return what is wrong, or nothing."""
