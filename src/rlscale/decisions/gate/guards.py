"""The guards: each says of one contender whether it must not be paused yet, whatever its forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.prospect import left
from rlscale.decisions.gate.standing import RECENT, Standing, State

__all__ = [
    "COUNTS",
    "GUARDS",
    "Scene",
    "bound",
    "keep_top",
    "late_end",
    "late_start",
    "leader",
    "minimum",
    "probe",
    "unfitted",
]


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

    @property
    def reached(self) -> float:
        """Most compute of what runs or has finished, as a share of the horizon."""
        return max((standing.spent for standing in self.field if standing.active), default=0.0)

    def flat(self, one: Standing, policy: Policy) -> bool:
        """Whether a contender has not taken off: it gained less than ``late_gain`` of what the leader gained."""
        return self.leader is not None and one.gain < policy.late_gain * self.leader.gain

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
    if not scene.flat(one, policy) or _fell(one):
        return False
    return one.spent < late_end(one, scene, policy) - 1e-9


def late_end(one: Standing, scene: Scene, policy: Policy) -> float:
    """Compute until which a contender is believed to start late, as a share of the horizon.

    ``min(late_until, late_factor max_j c_j)`` over the rivals ``j`` that took off, at compute ``c_j`` each; just
    ``late_until`` where none did, or where ``late_factor`` is 0.
    """
    if policy.late_factor == 0.0:
        return policy.late_until
    off = [
        _took_off(other, policy.late_gain)
        for other in scene.field
        if other is not one and other.reward.size >= RECENT and not scene.flat(other, policy)
    ]
    return min(policy.late_until, policy.late_factor * max(off)) if off else policy.late_until


def _took_off(one: Standing, share: float) -> float:
    """Compute at which the mean of 3 evaluations first showed ``share`` of all the gain so far."""
    means = np.convolve(one.reward, np.full(RECENT, 1.0 / RECENT), "valid")
    above = np.flatnonzero(means >= one.reward[0] + share * one.gain)
    return float(one.compute[RECENT - 1 + above[0]]) if above.size else one.spent


def probe(one: Standing, scene: Scene, policy: Policy) -> bool:
    """Bind on what has spent under ``probe_share`` while another has come to ``probe_after``.

    It first gets its next evaluations, and is resumed for them where it was paused. Not what has collapsed, and not
    what has not taken off: that had its time by :func:`late_start`.
    """
    if one.spent >= policy.probe_share - 1e-9 or scene.reached < policy.probe_after - 1e-9:
        return False
    return not _fell(one) and not scene.flat(one, policy)


def _fell(one: Standing) -> bool:
    return one.prospect is not None and one.prospect.collapsed


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
    "probe": probe,
}


#: The guards that bar a run from being paused but let it qualify: its looks count before it is old enough.
COUNTS = ("minimum", "probe")


def bound(one: Standing, scene: Scene, policy: Policy) -> str | None:
    """Return the first guard that keeps a contender from being paused; None where none does."""
    return next((name for name, guard in GUARDS.items() if guard(one, scene, policy)), None)
