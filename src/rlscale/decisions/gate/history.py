"""A contender as it stood at several looks: what it had spent and scored, and what was forecast from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.curves.prefix import first
from rlscale.decisions.gate.known import Known, Made, made_of
from rlscale.decisions.gate.outlook import GATE_FIT, Outlook, in_frame
from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.prospect import Prospect, prospect
from rlscale.decisions.gate.seeds import pooled
from rlscale.decisions.gate.standing import Standing, State
from rlscale.decisions.team import Watch
from rlscale.health import Alarm
from rlscale.inference.fit import FitOptions, fits
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = ["History", "Look", "as_recipe", "histories"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Look:
    """A contender at one look.

    Parameters
    ----------
    spent : float
        Compute, as a share of the horizon.
    ahead : float
        Compute, as a share of the budget.
    seen : int
        Evaluations by then.
    outlook : Outlook, optional
        Of the reward at the budget; None where nothing could be fitted.
    fallen : float, optional
        Mean of the last 3 evaluations, as a share of the range, where the run has collapsed or a monitor says ``stop``.
    verdict : Verdict, optional
        None where no evaluation was seen.
    alarm : Alarm, optional
        The first at ``stop`` that lasts: of several runs of a recipe where most are judged by where they fell to.
    """

    spent: float
    ahead: float
    seen: int
    outlook: Outlook | None
    fallen: float | None
    verdict: Verdict | None
    alarm: Alarm | None = None

    @property
    def expected(self) -> float | None:
        """Reward at the budget that is expected: where it fell to, else the mean outlook; None where unknown."""
        if self.fallen is not None:
            return self.fallen
        return None if self.outlook is None else self.outlook.mean

    @property
    def collapsed(self) -> bool:
        """Whether the verdict is ``collapsed``."""
        return self.verdict is not None and self.verdict.name is VerdictName.COLLAPSED

    @property
    def learning(self) -> bool:
        """False where the verdict is ``no_learning``."""
        return self.verdict is None or self.verdict.name is not VerdictName.NO_LEARNING


@dataclass(frozen=True, eq=False)
class History:
    """A contender over its looks, oldest first.

    Parameters
    ----------
    name : str
    runs : tuple of Run
        One, or the seeds of a recipe.
    compute : array, shape (m,)
        Of its evaluations, as shares of the horizon.
    reward : array, shape (m,)
        In shares of the metric's range.
    looks : tuple of Look
    """

    name: str
    runs: tuple[Run, ...]
    compute: Floats
    reward: Floats
    looks: tuple[Look, ...]

    def prospects(self, policy: Policy, latest: int | None = None) -> tuple[Prospect | None, ...]:
        """Return what a policy believes at each look; None, too, before the ``latest`` ones where so many are given."""
        found: list[Prospect | None] = []
        known: list[Outlook] = []
        first = 0 if latest is None else len(self.looks) - latest
        for k, look in enumerate(self.looks):
            if look.outlook is not None:
                known.append(look.outlook)
            nothing = k < first or (look.fallen is None and look.outlook is None)
            found.append(None if nothing else _believed(tuple(known[-1 - policy.drift_looks :]), look, policy))
        return tuple(found)

    def standing(self, at: int, state: State, before: int | None, belief: Prospect | None) -> Standing:
        """Return how it stands at look ``at``, having been at look ``before``, with what the policy believes."""
        look = self.looks[at]
        return Standing(
            name=self.name,
            state=state,
            compute=self.compute[: look.seen],
            reward=self.reward[: look.seen],
            spent=look.spent,
            before=0.0 if before is None else self.looks[before].spent,
            prospect=belief,
            learning=look.learning,
            alarm=None if look.collapsed else look.alarm,
        )


@lru_cache(maxsize=4096)
def _believed(known: tuple[Outlook, ...], look: Look, policy: Policy) -> Prospect:
    """Return what a policy believes at a look: once for all looks of a live gate at which a run stands still."""
    return prospect(known, look.ahead, policy, look.fallen)


def histories(
    runs: Sequence[Run],
    edges: Sequence[Sequence[float]],
    budget: float,
    horizon: float,
    options: FitOptions | None = None,
    watch: Watch | None = None,
    known: Known | None = None,
) -> list[History]:
    """Forecast the reward at ``budget`` of each run from every one of its looks.

    Parameters
    ----------
    runs : sequence of Run
    edges : sequence of sequences of float
        Compute of each look of each run, increasing, in the runs' unit; a look at 0 or below has seen nothing.
    budget, horizon : float
        In the runs' unit.
    options : FitOptions, optional
        Without model error by default: the discrepancy of the gate takes its place.
    watch : callable, optional
        Called with the forecasts made and their number.
    known : Known, optional
        Fits made before, at this budget and with these options; without it all are made, together.
    """
    options = options or GATE_FIT
    if known is not None:
        return _from_known(runs, edges, horizon, known, watch)
    curves = [_until(run, own) for run, own in zip(runs, edges, strict=True)]
    # look by look, counted from the latest: curves of one schedule one after the other are fastest
    tasks = sorted((len(own) - k, place, k) for place, own in enumerate(edges) for k in range(len(own)))
    counts = [_seen(curves[place], edges[place][k]) for _, place, k in tasks]
    cut = (first(runs[place], count) for (_, place, _), count in zip(tasks, counts, strict=True) if count)
    found = fits(cut, [budget], options)
    looks: dict[tuple[int, int], Look] = {}
    for done, ((_, place, k), count) in enumerate(zip(tasks, counts, strict=True)):
        made = made_of(next(found), budget) if count else None
        looks[place, k] = _look(edges[place][k], budget, horizon, made)
        if watch is not None:
            watch(done + 1, len(tasks))
    return [
        _history(run, curve, tuple(looks[place, k] for k in range(len(edges[place]))), horizon)
        for place, (run, curve) in enumerate(zip(runs, curves, strict=True))
    ]


def _from_known(
    runs: Sequence[Run], edges: Sequence[Sequence[float]], horizon: float, known: Known, watch: Watch | None
) -> list[History]:
    """Return the histories of runs whose earlier fits, and of runs that stand still whose histories, are known."""
    found = []
    for done, (run, own) in enumerate(zip(runs, edges, strict=True)):

        def made(run: Run = run, own: Sequence[float] = own) -> History:
            curve = _until(run, own)
            counts = [_seen(curve, edge) for edge in own]
            says = [known.made(run, count) if count else None for count in counts]
            looks = [_look(edge, known.budget, horizon, each) for edge, each in zip(own, says, strict=True)]
            return _history(run, curve, tuple(looks), horizon)

        found.append(known.unless_changed(run, (*own, horizon), made))
        if watch is not None:
            watch(done + 1, len(runs))
    return found


def _history(run: Run, curve: Curve, looks: tuple[Look, ...], horizon: float) -> History:
    compute, reward = curve.compute / horizon, in_frame(curve.reward, curve)
    return History(name=run.name, runs=(run,), compute=compute, reward=reward, looks=looks)


def _until(run: Run, edges: Sequence[float]) -> Curve:
    """Return the part of a run that its latest look has seen."""
    return run.curve.until(float(edges[-1]) * (1 + 1e-9))


def _seen(curve: Curve, edge: float) -> int:
    """Return how many evaluations a look had."""
    return int(np.count_nonzero(curve.compute <= edge * (1 + 1e-9))) if edge >= 0.0 else 0


def _look(edge: float, budget: float, horizon: float, made: Made | None) -> Look:
    if made is None:
        return Look(max(edge, 0.0) / horizon, max(edge, 0.0) / budget, 0, None, None, None)
    return Look(edge / horizon, edge / budget, made.seen, made.outlook, made.fallen, made.verdict, made.alarm)


def as_recipe(name: str, seeds: Sequence[History], tau: float) -> History:
    """Return the seeds of a recipe as one contender: its rewards are their mean, its outlook is pooled.

    Parameters
    ----------
    name : str
    seeds : sequence of History
        With equally many looks.
    tau : float
        Run-to-run sd, as a share of the frame.
    """
    if len(seeds) == 1 and tau == 0.0:
        return replace(seeds[0], name=name)
    lead = max(seeds, key=lambda one: one.looks[-1].spent)
    others = [np.interp(lead.compute, one.compute, one.reward, right=np.nan) for one in seeds]
    reward = np.nanmean(np.stack(others), axis=0)
    looks = []
    for k, own in enumerate(lead.looks):
        here = [one.looks[k] for one in seeds]
        outlooks = [look.outlook for look in here if look.outlook is not None]
        fallen = [look.fallen for look in here if look.fallen is not None]
        alarms = (look.alarm for look in here if look.alarm is not None)
        learning = [look for look in here if look.verdict is not None and look.learning]
        looks.append(
            replace(
                own,
                outlook=pooled(outlooks, tau) if outlooks else None,
                fallen=float(np.mean(fallen)) if 2 * len(fallen) > len(here) else None,
                alarm=next(alarms, None) if 2 * len(fallen) > len(here) else None,
                verdict=learning[0].verdict if learning else own.verdict,
            )
        )
    return History(name, tuple(run for one in seeds for run in one.runs), lead.compute, reward, tuple(looks))
