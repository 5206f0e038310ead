"""The guards: each says of one contender whether it must not be paused yet, whatever its forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.prospect import left
from rlscale.decisions.gate.standing import Standing, State

__all__ = ["COUNTS", "GUARDS", "Scene", "bound", "keep_top", "late_start", "leader", "minimum", "unfitted"]


@dataclass(frozen=True)
class Scene:
    """What a contender is compared with: all of them, the leader, the best that is not held, the best recent reward."""

    field: Sequence[Standing]
    leader: Standing | None
    front: Standing | None
    top: float

    @property
    def leads(self) -> str | None:
        """Name of the leader."""
        return None if self.leader is None else self.leader.name

    @classmethod
    def of(cls, field: Sequence[Standing]) -> Scene:
        """Return the scene of several standings; leader and front have the highest forecast means."""

        def best(some: Sequence[Standing]) -> Standing | None:
            return max(some, key=lambda one: one.prospect.mean if one.prospect else 0.0, default=None)

        known = [one for one in field if one.prospect is not None and one.state is not State.STOPPED]
        running = [one.recent for one in field if one.active]
        return cls(field, best(known), best([one for one in known if one.active]), max(running, default=-1.0))


Guard = Callable[[Standing, Scene, Policy], bool]


def unfitted(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on what could not be fitted: there is no forecast to decide on."""
    return one.prospect is None


def leader(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on the highest forecast of all."""
    return one is scene.leader


def minimum(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on what is too young: under ``minimum_share`` of the horizon, or ``minimum_evaluations`` evaluations."""
    return one.spent < policy.minimum_share - 1e-9 or one.evaluations < policy.minimum_evaluations


def late_start(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on what may not have taken off yet: little gain against the leader's, early on, and no collapse."""
    if one.spent >= policy.late_until - 1e-9 or scene.leader is None:
        return False
    fell = one.prospect is not None and one.prospect.collapsed
    return not fell and one.gain < policy.late_gain * scene.leader.gain


def keep_top(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on what is now as good as the best running one, up to ``keep_top`` times :func:`left`."""
    return one.recent >= scene.top - policy.keep_top * left(one.spent)


#: In the order they are asked; the first that binds is named.
GUARDS: dict[str, Guard] = {
    "unfitted": unfitted,
    "leader": leader,
    "late_start": late_start,
    "keep_top": keep_top,
    "minimum": minimum,
}


#: The guards that bar a run from being paused but let it qualify: its looks count before it is old enough.
COUNTS = ("minimum",)


def bound(one: Standing, scene: Scene, policy: Policy) -> str | None:
    """Return the first guard that keeps a contender from being paused; None where none does."""
    return next((name for name, guard in GUARDS.items() if guard(one, scene, policy)), None)
