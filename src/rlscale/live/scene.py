"""What a pass of a watcher found, for whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlscale.ledger import DecisionRow, LookRow
from rlscale.live.alarms.signal import AlarmEvent, Signal
from rlscale.live.courier import Ended
from rlscale.live.sight import Sight

__all__ = ["Scene"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """What a pass of the loop found.

    Parameters
    ----------
    role : str
        ``acting``, ``dry-run``, ``standby`` where another watcher holds the lease, or ``view``.
    sight : Sight, optional
        The latest look; None before the first.
    decisions : tuple of DecisionRow
        Those that this pass made.
    last : DecisionRow, optional
        The latest of all.
    troubles : mapping of str to str
        What is wrong now, by what it concerns.
    points : int
        New evaluations that this pass took in from the sources.
    commands : tuple of Ended
        Commands that ended.
    watcher : str, optional
        Who leads, where this watcher does not.
    look : LookRow, optional
        The latest look, where another watcher made it.
    alarms : tuple of AlarmEvent
        Those that this pass sent, or that the leader has sent since the last pass.
    open_alarms : tuple of Signal
        What began and is not over.
    done : bool
        Whether nothing runs any more that could be decided on.
    """

    role: str
    sight: Sight | None = None
    decisions: tuple[DecisionRow, ...] = ()
    last: DecisionRow | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)
    points: int = 0
    commands: tuple[Ended, ...] = ()
    watcher: str | None = None
    look: LookRow | None = None
    alarms: tuple[AlarmEvent, ...] = ()
    open_alarms: tuple[Signal, ...] = ()
    done: bool = False
