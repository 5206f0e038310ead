"""What runs of several model sizes support, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from rlscale.curves import Run
from rlscale.curves.value import Value
from rlscale.inference import Interval, Verdict
from rlscale.inference.size_law import Lettering, SizePosterior, SShaped, exponent, reward_draws, summary
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = [
    "FORM_WORDS",
    "Band",
    "Belief",
    "BestSize",
    "Crossing",
    "FormName",
    "FormScore",
    "HeldOut",
    "Missed",
    "PredictionKind",
    "SizeChance",
    "SizeLaw",
    "SizePrediction",
    "SizeRow",
    "Widening",
]


class PredictionKind(StrEnum):
    """What a prediction saw of the size that it is of."""

    UNSEEN = "unseen"
    REFITTED = "refitted"
    WITHIN_RUN = "within_run"


class FormName(StrEnum):
    """The forms that are compared."""

    POWER = "power"
    SIGMOID = "sigmoid"
    S_SHAPED = "s_shaped"


#: The forms in a sentence.
FORM_WORDS = {FormName.POWER: "the power law", FormName.SIGMOID: "sigmoids", FormName.S_SHAPED: "S-shaped curves"}


class HeldOut(StrEnum):
    """What the forms were not shown: the largest size, all of it or but its first quarter, or each run's last half."""

    LARGEST_SIZE = "largest_size"
    LARGEST_SIZE_REFITTED = "largest_size_refitted"
    LAST_HALF = "last_half"


@dataclass(frozen=True, kw_only=True)
class SizeRow:
    """One size with data, or one that was asked for.

    Parameters
    ----------
    model_params : float
        In the unit of the runs.
    k : Interval
        Exponent: of a size with data its own, else the law's with what a size may lie off it.
    E : Interval
        Intercept, natural logarithm: ``log L`` at one unit of compute.
    in_sample : bool
        Whether it has runs.
    runs : tuple of str
        Their names.
    first, last : float, optional
        Smallest compute above 0 and largest of its runs, in their unit; None without runs.
    observed : float, optional
        Mean of the last evaluations of its runs.
    verdicts : tuple of str
        What stands against a run, a sentence each.
    """

    model_params: float
    k: Interval
    E: Interval
    in_sample: bool
    runs: tuple[str, ...] = ()
    first: float | None = None
    last: float | None = None
    observed: float | None = None
    verdicts: tuple[str, ...] = ()

    @property
    def prefactor(self) -> Interval:
        """``exp(E)``, what texts that swap the letters call ``K(N)``."""
        return Interval(float(np.exp(self.E.q10)), float(np.exp(self.E.q50)), float(np.exp(self.E.q90)))


@dataclass(frozen=True, kw_only=True)
class SizePrediction:
    """The noise-free reward of a size at a compute.

    Parameters
    ----------
    model_params, compute : float
    reward : Interval
    kind : PredictionKind
        ``unseen``: nothing of that size was used; ``refitted``: the exponent from the law, the intercept from the first
        part of that size's runs; ``within_run``: the first part of every run was used.
    verdict : Verdict
    observed : float, optional
        Mean of the last evaluations of that size's runs, where they end at this compute.
    sizes_away : float, optional
        Distance from the nearest size used, in steps between neighbouring sizes; 0 where the size itself was used.
    form : FormName, optional
        The form that it is by.
    """

    model_params: float
    compute: float
    reward: Interval
    kind: PredictionKind
    verdict: Verdict
    observed: float | None = None
    sizes_away: float = 0.0
    form: FormName = FormName.POWER


@dataclass(frozen=True, kw_only=True)
class FormScore:
    """How a form did on what it was not shown.

    Parameters
    ----------
    form : FormName
    held_out : HeldOut
    crps, mean_abs_error : float, optional
        Means over runs, in reward; the target is the mean of a run's last evaluations. None where the form says
        nothing of it.
    runs : int
        Runs scored.
    note : str
        Why there is no number.
    """

    form: FormName
    held_out: HeldOut
    crps: float | None
    mean_abs_error: float | None
    runs: int
    note: str = ""


@dataclass(frozen=True)
class Missed:
    """A size whose last evaluations, of mean ``observed``, the law excludes: where it stands at their computes."""

    model_params: float
    observed: float
    law: Interval


@dataclass(frozen=True, kw_only=True)
class Belief:
    """Which form to believe, where, and why.

    Parameters
    ----------
    form : FormName
        For sizes with runs.
    unseen : FormName
        For sizes without.
    why : str
    """

    form: FormName
    unseen: FormName
    why: str


@dataclass(frozen=True, kw_only=True)
class SizeChance:
    """A size at the budget.

    Parameters
    ----------
    model_params : float
    p : float, optional
        Probability that it has the highest reward there; None where no form that is believed says so.
    reward : Interval
    in_sample : bool
    beyond : float, optional
        The budget over its last compute; None without runs.
    """

    model_params: float
    p: float | None
    reward: Interval
    in_sample: bool
    beyond: float | None


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Where a larger size overtakes a smaller one.

    Parameters
    ----------
    small, large : float
    compute : Interval, optional
        In the unit of the runs, given that they cross within ``window``; None where that has p < .5.
    p : float
        Probability that they cross there, the larger one ahead afterwards.
    unsure : (float, float), optional
        The computes of the window between which neither is ahead with probability .95: cannot separate.
    window : (float, float)
        Computes looked at.
    why : str
        What stands in place of a crossing.
    """

    small: float
    large: float
    compute: Interval | None
    p: float
    unsure: tuple[float, float] | None
    window: tuple[float, float]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class BestSize:
    """The best size for a budget.

    Parameters
    ----------
    compute : float
    best : float, optional
        The size with the highest P(best); None where that is refused.
    p_best : tuple of SizeChance
        Ascending by size.
    cannot_separate : tuple of float
        Sizes that the best one does not beat with probability .95, itself included.
    crossings : tuple of Crossing
        Of every pair.
    why : str
    notes : tuple of str
        Limits: budgets beyond the data, forms that disagree.
    refusal : str
        Why no size is named; empty where one is.
    """

    compute: float
    best: float | None
    p_best: tuple[SizeChance, ...]
    cannot_separate: tuple[float, ...]
    crossings: tuple[Crossing, ...]
    why: str
    notes: tuple[str, ...]
    refusal: str = ""


@dataclass(frozen=True)
class Widening:
    """How the error of a level grows beyond the largest size: its sd in ``log L`` so many steps of size away."""

    sizes_away: int
    model_params: float
    level_sd: float


@dataclass(frozen=True)
class Band:
    """Quantiles of a curve at places ``at``; tuples of equal length."""

    at: tuple[float, ...]
    q10: tuple[float, ...]
    q50: tuple[float, ...]
    q90: tuple[float, ...]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SizeLaw(Result, Value):
    """The law across model sizes for some runs, with what it predicts and how far it can be believed.

    Parameters
    ----------
    runs : tuple of Run
        Those used, as they were fitted.
    unit, metric : str
    r_max : float
        ``R_max`` of ``L = 1 - R/R_max``.
    K_max, N0 : Interval
    p_past_N0 : float
        Probability that the largest size lies above ``N0``, where the exponent has begun to saturate.
    sigma, rho, level_spread, slope_spread, law_error : Interval
        Noise of one evaluation in reward and its correlation; run-to-run sd of ``log L`` and of the slope; sd of a
        size's slope around the law.
    verdict : Verdict
        On the law: whether ``k(N)`` has been seen to saturate.
    sizes : tuple of SizeRow
        Ascending; those with data and those asked for.
    predictions : tuple of SizePrediction
    compare : tuple of FormScore
    believe : Belief, optional
        None where nothing was compared.
    budget : BestSize, optional
    widening : tuple of Widening
        One, two and three steps beyond the largest size.
    letterings : tuple of Lettering
    submodel, compute_means : str
        How ``E`` of a size without data is predicted; what one unit of compute is, across sizes.
    reference : float
        The compute at which the trend of levels over sizes is taken.
    posterior : SizePosterior
    notes : tuple of str
        Limits, a sentence each.
    missed : tuple of Missed
        Sizes whose last evaluations the power law excludes.
    doubt, refusal : str
        What speaks against the power law on these runs; why nothing is said of sizes at a compute. Empty for nothing.
    shaped : SShaped, optional
        The S-shaped form, where it is believed: then rewards are by it.
    left_out : tuple of LeftOut
        What was named and could not be read, and the runs that the law cannot use.
    """

    runs: tuple[Run, ...]
    unit: str
    metric: str
    r_max: float
    K_max: Interval
    N0: Interval
    p_past_N0: float
    sigma: Interval
    rho: Interval
    level_spread: Interval
    slope_spread: Interval
    law_error: Interval
    verdict: Verdict
    sizes: tuple[SizeRow, ...]
    predictions: tuple[SizePrediction, ...]
    compare: tuple[FormScore, ...]
    believe: Belief | None
    budget: BestSize | None
    widening: tuple[Widening, ...]
    letterings: tuple[Lettering, ...]
    submodel: str
    compute_means: str
    reference: float
    posterior: SizePosterior
    notes: tuple[str, ...]
    missed: tuple[Missed, ...] = ()
    doubt: str = ""
    refusal: str = ""
    shaped: SShaped | None = None
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        k, n = self.K_max, self.N0
        return f"SizeLaw({len(self.posterior.model_params)} sizes: K_max {k.q50:.3g}, N0 {n.q50:.3g}, {self.unit})"

    def exponents(self, model_params: ArrayLike) -> Band:
        """Return the band of ``k(N)`` of the law at sizes, shape (n,)."""
        at = np.atleast_1d(np.asarray(model_params, dtype=np.float64))
        draws = self.posterior
        values = exponent(at, draws.K_max[:, None], draws.N0[:, None])
        return _band(at.tolist(), values.T)

    def rewards(self, model_params: float, compute: ArrayLike) -> Band:
        """Return the band of the mean reward of a size, with data or without, at computes, shape (c,).

        By the power law, or the S-shaped form where that is believed for it.
        """
        at = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        seen, believe = model_params in self.posterior.model_params, self.believe
        form = None if believe is None else believe.form if seen else believe.unseen
        shaped = self.shaped if form is FormName.S_SHAPED else None
        values = reward_draws(self.posterior, model_params, at, shaped)
        lowest = min(run.curve.bounds[0] if run.curve.open is None else -np.inf for run in self.runs)
        return _band(at.tolist(), np.maximum(values, lowest).T)


def _band(at: list[float], values: np.ndarray) -> Band:
    each = [summary(row) for row in values]
    return Band(
        tuple(at), tuple(row.q10 for row in each), tuple(row.q50 for row in each), tuple(row.q90 for row in each)
    )
