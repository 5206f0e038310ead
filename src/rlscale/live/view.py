"""What the watcher of a ledger sees and decides, read from the ledger alone: it needs no lease and acts on nothing."""

from __future__ import annotations

from rlscale.errors import RlscaleError
from rlscale.ledger import ALARM, DRY_ALARM, WELL, Ledger, LookRow
from rlscale.live.again import Again
from rlscale.live.alarms import AlarmEvent, Signal, alarm_events
from rlscale.live.scene import Scene
from rlscale.live.sight import Sight
from rlscale.live.troubles import open_troubles

__all__ = ["View"]


class View:
    """Follows the looks that a watcher keeps in a ledger.

    Parameters
    ----------
    ledger : Ledger
    acting : bool, optional
        Those of the watcher that acts, or those of a dry run; by default whichever looked last.
    """

    def __init__(self, ledger: Ledger, acting: bool | None = None) -> None:
        self._ledger, self._acting = ledger, acting
        self._again = Again(ledger)
        self._look: LookRow | None = None
        self._sight: Sight | None = None
        self._seen = 0  # number of the latest decision shown
        self._alarm: dict[str, int] = {}  # and of the latest alarm, by its kind

    def step(self, role: str = "view") -> Scene:
        """Return what the latest look saw, the decisions made since the last step, and what is wrong."""
        troubles: dict[str, str] = {}
        try:
            return self._scene(role, troubles)
        except (RlscaleError, KeyError) as error:
            troubles["ledger"] = error.on_command_line if isinstance(error, RlscaleError) else str(error)
            return Scene(role=role, sight=self._sight, look=self._look, troubles=troubles)

    def _scene(self, role: str, troubles: dict[str, str]) -> Scene:
        look = self._latest()
        if look is not None and (self._look is None or look.id != self._look.id):
            self._sight = self._again.sight(look, self._ledger.rulings.look(look.id)[1])
        self._look = look
        kept = [] if look is None else self._ledger.rulings.latest(look.acting).values()
        new = sorted((one for one in kept if one.id > self._seen), key=lambda one: one.id)
        self._seen = max((one.id for one in kept), default=0)
        alarms, opened = self._alarms(look)
        return Scene(
            role=role, sight=self._sight, decisions=tuple(new), last=max(kept, key=lambda one: one.id, default=None),
            alarms=alarms, open_alarms=opened, troubles=open_troubles(self._ledger), watcher=self._watcher(look),
            look=look, done=self._sight is not None and self._sight.at_rest,
        )  # fmt: skip

    def _alarms(self, look: LookRow | None) -> tuple[tuple[AlarmEvent, ...], tuple[Signal, ...]]:
        """Return the alarms that the leader has sent since the last step, at first those that are open; and these."""
        acting = self._acting if self._acting is not None else look is None or look.acting
        kind = ALARM if acting else DRY_ALARM
        latest = self._ledger.events.alarms(kind)
        opened = [event for event in latest if event.message != WELL]
        known = self._alarm.get(kind)
        new = opened if known is None else self._ledger.events.alarms_after(known, kind)
        self._alarm[kind] = max((event.id for event in latest), default=0)
        return tuple(alarm_events(new)), tuple(each.signal for each in alarm_events(opened))

    def _latest(self) -> LookRow | None:
        asked = (True, False) if self._acting is None else (self._acting,)
        looks = [self._ledger.rulings.last_look(acting) for acting in asked]
        return max((look for look in looks if look is not None), key=lambda look: look.id, default=None)

    def _watcher(self, look: LookRow | None) -> str | None:
        acting = self._acting if self._acting is not None else look is None or look.acting
        return self._ledger.watcher(acting=acting)
