"""The joint-risk gate: pause what can hardly win, resume it when that changes, commit when one is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.gate.guards import COUNTS, Scene, bound, probe
from rlscale.decisions.gate.policy import HOLD, Policy
from rlscale.decisions.gate.risk import Risk
from rlscale.decisions.gate.standing import Action, Memory, Round, Ruling, Standing, State

__all__ = ["Gate", "as_they_are", "risk_of"]


@dataclass(frozen=True)
class Gate:
    """The gate with its numbers.

    A set ``P`` of contenders is paused while its joint risk ``R(P)`` is at most ``alpha``. At each look what is
    held and what no guard keeps is taken by increasing ``h_i``, as long as the risk allows. What qualifies so at
    ``patience`` looks in a row, or once at ``sure alpha``, is held; what is held and no longer fits, beside what
    else is held, is resumed, so that a leader that falls loses nothing but time; and so is what was held on little
    compute, for its next evaluations, before the others get their last. In ``kill`` mode nothing can be resumed, and
    risk is spent.
    """

    policy: Policy = HOLD

    @property
    def name(self) -> str:
        """How answers call it."""
        return self.policy.name

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        scene = Scene.of(field)
        if scene.leader is None:
            return Round(tuple(as_they_are(one, "no_forecast") for one in field), None, Memory(spent=memory.spent))
        rule = _kill if self.policy.mode == "kill" else _hold
        return rule(field, scene, self.policy, memory)


def risk_of(field: Sequence[Standing], policy: Policy) -> Risk:
    """Return the risks of some standings, one of them fitted.

    What could not be fitted, or was stopped for good, counts as the lowest reward: it is nothing to rely on.
    """
    known = next(one.prospect.cdf for one in field if one.prospect is not None)
    lowest = np.ones_like(known)
    lowest[0] = 0.0
    gone = [one.prospect is None or one.state is State.STOPPED for one in field]
    cdfs = [lowest if out or one.prospect is None else one.prospect.cdf for one, out in zip(field, gone, strict=True)]
    return Risk(np.stack(cdfs), policy.epsilon)


def _hold(field: tuple[Standing, ...], scene: Scene, policy: Policy, memory: Memory) -> Round:
    risk = risk_of(field, policy)
    h = risk.alone()
    guards = [bound(one, scene, policy) if one.state is State.RUNNING else None for one in field]
    due = {k for k, one in enumerate(field) if one.state is State.HELD and probe(one, scene, policy)}
    candidates = [
        k
        for k, one in enumerate(field)
        if (one.state is State.HELD and k not in due)
        or (one.state is State.RUNNING and (guards[k] is None or guards[k] in COUNTS))
    ]
    order = sorted(candidates, key=lambda k: (float(h[k]), k))
    joint = risk.growing(order) if order else np.zeros(0)
    fits, sure = _prefix(order, joint, policy.alpha), _prefix(order, joint, policy.sure * policy.alpha)
    qualified = {
        field[k].name: memory.qualified.get(field[k].name, 0) + 1 for k in fits if field[k].state is State.RUNNING
    }
    ready = {
        k
        for k in fits
        if field[k].state is State.RUNNING
        and guards[k] is None
        and (qualified[field[k].name] >= policy.patience or k in sure)
    }
    # what only waits to be paused takes no risk yet, and must not drive out what is
    paused = [k for k in order if k in ready or field[k].state is State.HELD]
    held = set(_prefix(paused, risk.growing(paused), policy.alpha)) if paused else set()
    resumed = {k for k, one in enumerate(field) if one.state is State.HELD and k not in held}
    running = {k for k, one in enumerate(field) if one.state is State.RUNNING and k not in held} | resumed
    rulings = []
    for k, one in enumerate(field):
        p = float(h[k])
        if k in held:
            rulings.append(_paused(one, not running, p))
        elif k in resumed:
            rulings.append(Ruling(name=one.name, action=Action.CONTINUE, code="probe" if k in due else "resumed", h=p))
        else:
            rulings.append(_going(one, scene, one.name in qualified, guards[k], running, p))
    return Round(tuple(rulings), risk.joint(sorted(held)), Memory(qualified, memory.spent), scene.leads)


def _prefix(order: Sequence[int], joint: NDArray[np.float64], allowed: float) -> list[int]:
    """Return the first of ``order`` that fit under ``allowed`` together."""
    over = np.flatnonzero(joint > allowed)
    return list(order[: int(over[0])] if over.size else order)


def as_they_are(one: Standing, code: str) -> Ruling:
    """Return the ruling that changes nothing, where there is nothing to decide on."""
    action = {State.STOPPED: Action.STOP, State.HELD: Action.HOLD}.get(one.state, Action.CONTINUE)
    done = {State.STOPPED: "stopped", State.FINISHED: "finished"}
    return Ruling(name=one.name, action=action, code=done.get(one.state, code))


def _paused(one: Standing, over: bool, h: float) -> Ruling:
    """Rule on what is in the paused set: released where all the others have finished."""
    if over:
        return Ruling(name=one.name, action=Action.STOP, code="cannot_win", h=h)
    fell = one.prospect is not None and one.prospect.collapsed
    lost = "collapsed" if one.alarm is None else "sick"
    code = "still_held" if one.state is State.HELD else lost if fell else "unlikely_best"
    return Ruling(name=one.name, action=Action.HOLD, code=code, h=h)


def _going(one: Standing, scene: Scene, qualified: bool, guard: str | None, running: set[int], h: float) -> Ruling:
    """Rule on what is neither paused nor resumed."""
    lone = len(scene.field) > 1 and one is scene.front
    if one.state is State.STOPPED:
        return Ruling(name=one.name, action=Action.STOP, code="stopped", h=h)
    if one.state is State.FINISHED:
        if lone and not running:
            return Ruling(name=one.name, action=Action.COMMIT, code="best_finished", h=h)
        return Ruling(name=one.name, action=Action.CONTINUE, code="finished", h=h)
    if lone and len(running) == 1:
        return Ruling(name=one.name, action=Action.COMMIT, code="only_one_left", h=h)
    code = guard if guard is not None else "waiting" if qualified else "cannot_separate"
    return Ruling(name=one.name, action=Action.CONTINUE, code=code, guard=guard, h=h)


def _kill(field: tuple[Standing, ...], scene: Scene, policy: Policy, memory: Memory) -> Round:
    """Stop for good: run ``i`` goes at ``h_i <= (alpha - spent) / (runs left - 1)``, which is then spent.

    What was stopped is no rival any more: its part of the risk is spent, and must not block later stops.
    """
    left = [one for one in field if one.state is not State.STOPPED]
    h = dict(zip([one.name for one in left], risk_of(left, policy).alone().tolist(), strict=True))
    guards = {one.name: bound(one, scene, policy) for one in left}
    spent, count = memory.spent, len(left)
    qualified: dict[str, int] = {}
    stopped: set[str] = set()
    for one in sorted(left, key=lambda one: h[one.name]):
        if one.state is not State.RUNNING or (guards[one.name] is not None and guards[one.name] not in COUNTS):
            continue
        if count < 2 or h[one.name] > (policy.alpha - spent) / (count - 1):
            break
        qualified[one.name] = memory.qualified.get(one.name, 0) + 1
        if guards[one.name] is None and qualified[one.name] >= policy.patience:
            stopped.add(one.name)
            spent, count = spent + h[one.name], count - 1
    running = {k for k, one in enumerate(field) if one.state is State.RUNNING and one.name not in stopped}
    rulings = [
        Ruling(name=one.name, action=Action.STOP, code="unlikely_best", h=h[one.name])
        if one.name in stopped
        else _going(one, scene, one.name in qualified, guards.get(one.name), running, h.get(one.name, 0.0))
        for one in field
    ]
    return Round(tuple(rulings), spent, Memory(qualified, spent), scene.leads)
