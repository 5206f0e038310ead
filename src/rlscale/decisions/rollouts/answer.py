"""The answer on rollouts: plain values, complete enough for text, JSON and charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.decisions.rollouts.best_at_k import BestAtK
from rlscale.decisions.rollouts.budget import Allocation
from rlscale.decisions.rollouts.envelope import Piece
from rlscale.decisions.rollouts.prompts import PromptAllocation
from rlscale.decisions.rollouts.reuse import DataReuse
from rlscale.decisions.rollouts.training import TrainingContrast
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.inference.pool import SeedSpread
from rlscale.inference.verdict import Verdict
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["ClassRollouts", "LawConstants", "Optimum", "Record", "Rollouts", "TriedN"]


@dataclass(frozen=True)
class TriedN:
    """One number of rollouts per prompt that was tried.

    Parameters
    ----------
    n : int
    runs, recipes : tuple of str
    verdict : Verdict
        Of its (lower) middle run.
    first, last : float
        First compute above 0 and last compute evaluated.
    reward : Interval, optional
        At ``ClassRollouts.compared_at``, run-to-run spread included; None where nothing was fitted.
    p_best : float, optional
        Probability of the highest reward there, among what was tried; 0 where all its runs have broken off before.
    broke_at : float, optional
        Compute up to which it counts, where all its runs broke off (collapsed or changed regime).
    """

    n: int
    runs: tuple[str, ...]
    recipes: tuple[str, ...]
    verdict: Verdict
    first: float
    last: float
    reward: Interval | None
    p_best: float | None
    broke_at: float | None = None


@dataclass(frozen=True)
class Record:
    """An evaluation that broke the record of all runs of its class; ``compute`` in the answer's unit."""

    compute: float
    reward: float
    n: int
    run: str


@dataclass(frozen=True)
class Optimum:
    """The best number of rollouts per prompt at a compute.

    Parameters
    ----------
    compute : float
    n : Interval
        80 %.
    where : str
        ``supported``, or ``extrapolated``: beyond what was evaluated, by the law alone.
    """

    compute: float
    n: Interval
    where: Literal["supported", "extrapolated"]


@dataclass(frozen=True)
class LawConstants:
    """80 % intervals of the constants of ``ln n* = l0 + (l1 - l0) / (1 + exp(-s (ln C - c)))``.

    Parameters
    ----------
    n_low, n_high : Interval
        ``exp(l0)`` and ``exp(l1)``.
    slope : Interval
        ``s``, for each e-fold of compute.
    compute_mid : Interval
        ``exp(c)``, in the answer's unit.
    """

    n_low: Interval
    n_high: Interval
    slope: Interval
    compute_mid: Interval


@dataclass(frozen=True, eq=False)
class ClassRollouts(Value):
    """What the runs of one class of difficulty say.

    Parameters
    ----------
    name : str, optional
        None where no class is stated.
    tried : tuple of TriedN
        In increasing order of ``n``.
    envelope : tuple of Piece
        Which ``n`` tried has the best mean reward so far, by compute.
    records : tuple of Record
        The evaluations that break the record.
    supported : (float, float), optional
        Computes between which at least two numbers of rollouts were evaluated and had not broken off; None where none
        are.
    compared_at : float, optional
        Compute of ``TriedN.reward``: the budget within the support, else its end.
    path : tuple of Optimum
        ``n*(C)`` along the support, for charts.
    n_star : Optimum, optional
        At the budget, or at the end of the support where there is none.
    saturation : Interval, optional
        ``n*`` at unlimited compute, where the rise is over within the support.
    p_saturated : float, optional
        Probability of that.
    law : LawConstants, optional
    reasons : mapping of str
        Why ``n_star``, ``saturation`` or ``allocation`` is None, by its name.
    training : TrainingContrast, optional
        Whether training reward and validation disagree about ``n``; None where none is logged.
    allocation : Allocation, optional
    notes : tuple of str
    """

    name: str | None
    tried: tuple[TriedN, ...]
    envelope: tuple[Piece, ...]
    records: tuple[Record, ...]
    supported: tuple[float, float] | None
    compared_at: float | None
    path: tuple[Optimum, ...]
    n_star: Optimum | None
    saturation: Interval | None
    p_saturated: float | None
    law: LawConstants | None
    reasons: dict[str, str]
    training: TrainingContrast | None
    allocation: Allocation | None
    notes: tuple[str, ...]

    @property
    def n(self) -> tuple[int, ...]:
        """The numbers of rollouts per prompt that were tried."""
        return tuple(entry.n for entry in self.tried)


@dataclass(frozen=True, eq=False, repr=False)
class Rollouts(Result, Value):
    """The answer.

    Parameters
    ----------
    unit : str
        Of all computes.
    budget : float, optional
        As given.
    classes : tuple of ClassRollouts
    data_reuse : DataReuse, optional
        None where neither passes over the data nor the number of prompts are known.
    prompts : PromptAllocation, optional
        Where pass counts and a budget for them were given.
    best_at_k : BestAtK, optional
        Where pass counts were given.
    seed_sd : SeedSpread, optional
        The run-to-run sd in use; None without runs.
    left_out : tuple of LeftOut
        What reading left out, runs that do not state their rollouts, and, not counted, runs that could not be fitted.
    notes : tuple of str
    fits : tuple of Fit
        What was compared, for charts.
    """

    unit: str
    budget: float | None
    classes: tuple[ClassRollouts, ...]
    data_reuse: DataReuse | None
    prompts: PromptAllocation | None
    best_at_k: BestAtK | None
    seed_sd: SeedSpread | None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    fits: tuple[Fit, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        parts = [
            f"{entry.name or 'all'}: n* "
            + (
                "not known"
                if entry.n_star is None
                else f"{entry.n_star.n.q50:.0f} at {entry.n_star.compute:g} {self.unit}"
            )
            for entry in self.classes
        ]
        return f"Rollouts({'; '.join(parts) or 'pass counts only'})"

    @property
    def allocation(self) -> Allocation | None:
        """The split of the budget, where there is one class; each class has its own else."""
        return self.classes[0].allocation if len(self.classes) == 1 else None


def interval_of(values: NDArray[np.float64]) -> Interval:
    """Return the 80 % interval of equally likely draws, shape (d,)."""
    return Interval(*(float(value) for value in np.quantile(values, (0.1, 0.5, 0.9))))
