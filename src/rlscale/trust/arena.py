"""The arena of a replay: which finished runs meet, up to where, and what was forecast of each from every look.

The horizon is the smallest last compute of the runs kept; runs with fewer than 12 evaluations are left out. A run's
truth is the mean of its last ``max(3, floor(n / 10))`` evaluations up to the horizon, unless it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Run
from rlscale.curves.value import Value
from rlscale.decisions.gate.contenders import comparable
from rlscale.decisions.gate.history import History, as_recipe, histories
from rlscale.decisions.gate.policy import frame_unit
from rlscale.decisions.runs import check_seed_sd
from rlscale.decisions.team import Watch
from rlscale.errors import InputError
from rlscale.inference.fit import FitOptions
from rlscale.inference.posterior import MIN_POINTS
from rlscale.trust.backtest import MIN_RUN, TAIL
from rlscale.trust.outcome import Skipped

__all__ = ["LOOKS", "Arena", "Setting", "arena"]

#: Looks up to the horizon, where there are as many evaluations.
LOOKS = 24


@dataclass(frozen=True, kw_only=True)
class Setting(Value):
    """How tournaments are held.

    Parameters
    ----------
    size : int
        Contenders of one tournament; all of them where there are fewer.
    tournaments : int
        At most: every combination where there are fewer.
    stagger : float
        Share of the horizon by which each contender starts after the one before it.
    prices : mapping of str to float, optional
        Cost of a run's compute against that of the others, by name; 1 where it is not named.
    recipes : bool
        Contenders are recipes, all their runs together, and not runs.
    seed_sd : float
        Run-to-run sd as a share of the range, for recipes.
    resume_cost, checkpoint_cost : float, optional
        Of one restart and of one pause, as shares of a run's horizon; those of the policy where not given.

    Raises
    ------
    InputError
        Fewer than 2 contenders, no tournament, a negative stagger or price.
    """

    size: int = 8
    tournaments: int = 200
    stagger: float = 0.0
    prices: Mapping[str, float] | None = None
    recipes: bool = False
    seed_sd: float = 0.0
    resume_cost: float | None = None
    checkpoint_cost: float | None = None

    def __post_init__(self) -> None:
        if self.size < 2:
            raise InputError(f"--runs-per-tournament {self.size} leaves nothing to compare; give 2 or more")
        if self.tournaments < 1:
            raise InputError(f"--tournaments {self.tournaments} is none; give 1 or more")
        if not 0.0 <= self.stagger <= 10.0:
            raise InputError(f"--stagger {self.stagger:g} is not a share of the horizon; give 0 to 10")
        for name, cost in (("--resume-cost", self.resume_cost), ("--checkpoint-cost", self.checkpoint_cost)):
            if cost is not None and not 0.0 <= cost <= 1.0:
                raise InputError(f"{name} {cost:g} is not a share of a run's horizon; give 0 to 1")
        check_seed_sd(self.seed_sd)
        for name, price in (self.prices or {}).items():
            if not 0.0 < price < np.inf:
                raise InputError(f"the compute of {name} costs {price:g}; a cost is above 0")


@dataclass(frozen=True, eq=False)
class Arena(Value):
    """Contenders that were forecast at every look, ready for any policy.

    Parameters
    ----------
    contenders : tuple of History
    truths : tuple of float
        Shares of the frame.
    horizon : float
        In ``unit``.
    unit, metric : str
    range : float
        Of the metric, in reward.
    size : float
        Of the frame that rewards are shares of, in reward: the range, where the bounds are stated.
    skipped : tuple of Skipped
    seeds : tuple of tuple of History
        The runs of each contender, the one with which a recipe starts first.
    """

    contenders: tuple[History, ...]
    truths: tuple[float, ...]
    horizon: float
    unit: str
    metric: str
    range: float
    size: float
    skipped: tuple[Skipped, ...]
    seeds: tuple[tuple[History, ...], ...]

    @property
    def unit_of_frame(self) -> float:
        """The range as a share of the frame."""
        return self.range / self.size


def arena(
    runs: Sequence[Run],
    *,
    setting: Setting | None = None,
    options: FitOptions | None = None,
    truths: Sequence[float] | None = None,
    watch: Watch | None = None,
) -> Arena:
    """Choose the runs, the horizon and the looks, and forecast every run from every look.

    Parameters
    ----------
    runs : sequence of Run
    setting : Setting, optional
    options : FitOptions, optional
    truths : sequence of float, optional
        True reward of each run at the horizon, where it is known; in reward.
    watch : callable, optional

    Raises
    ------
    InputError
        As for :func:`replay`.
    """
    setting = setting or Setting()
    comparable(runs, "replay")
    kept, skipped = _long_enough(runs)
    chosen = [runs[k] for k in kept]
    horizon = min(run.curve.compute_last for run in chosen)
    fewest = min(run.curve.until(horizon).n_trained for run in chosen)
    count = max(2, min(LOOKS, fewest))
    edges = (horizon * np.arange(1, count + 1) / count).tolist()
    told = histories(chosen, [edges] * len(chosen), horizon, horizon, options, watch)
    true = [
        _truth(run, horizon) if truths is None else _share(run, truths[k]) for run, k in zip(chosen, kept, strict=True)
    ]
    first = chosen[0].curve
    groups: dict[str, list[int]] = {}
    for k, run in enumerate(chosen):
        groups.setdefault(run.recipe if setting.recipes else run.name, []).append(k)
    if len(groups) < 2:
        raise InputError("the runs are all of one recipe; a replay of recipes compares at least 2")
    seeds = tuple(tuple(told[k] for k in group) for group in groups.values())
    contenders = tuple(
        as_recipe(name, own, setting.seed_sd * frame_unit(first)) if setting.recipes else own[0]
        for name, own in zip(groups, seeds, strict=True)
    )
    size = first.frame[1] - first.frame[0]
    ends = tuple(float(np.mean([true[k] for k in group])) for group in groups.values())
    return Arena(contenders, ends, horizon, first.unit, first.metric, first.range, size, skipped, seeds)


def _long_enough(runs: Sequence[Run]) -> tuple[list[int], tuple[Skipped, ...]]:
    """Return the places of the runs that can meet, and why the others cannot."""
    left = [k for k, run in enumerate(runs) if run.curve.n_points >= MIN_RUN]
    why = {
        k: f"{run.curve.n_points} evaluations; a replay needs {MIN_RUN}" for k, run in enumerate(runs) if k not in left
    }
    horizon = min((runs[k].curve.compute_last for k in left), default=0.0)
    for k in left:
        compute = runs[k].curve.compute
        seen = int(np.count_nonzero((compute > 0.0) & (compute <= horizon)))
        if seen < MIN_POINTS:
            why[k] = f"{seen} evaluations after the start up to the horizon, {horizon:g}; a forecast needs {MIN_POINTS}"
    kept = [k for k in left if k not in why]
    if len(kept) < 2:
        raise InputError(
            f"{len(kept)} of {len(runs)} runs have {MIN_RUN} evaluations or more, {MIN_POINTS} of them up to the "
            "horizon; a replay compares at least 2"
        )
    return kept, tuple(Skipped(runs[k].name, None, why[k]) for k in sorted(why))


def _truth(run: Run, horizon: float) -> float:
    curve = run.curve.until(horizon)
    return _share(run, float(curve.reward[-max(TAIL, curve.n_points // 10) :].mean()))


def _share(run: Run, reward: float) -> float:
    low, high = run.curve.frame
    return (reward - low) / (high - low)
