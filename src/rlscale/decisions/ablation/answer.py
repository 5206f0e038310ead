"""What an ablation says, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rlscale.curves.value import Value
from rlscale.decisions.ablation.design import DesignKind
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["Ablation", "Effect", "Interaction", "KnobEffect", "Needs", "Recipe", "Says", "Speed", "Spread", "Trend"]


class Says(StrEnum):
    """What is claimed of a knob; the ceiling outranks speed."""

    RAISES_CEILING = "raises_ceiling"
    LOWERS_CEILING = "lowers_ceiling"
    FASTER = "faster"
    SLOWER = "slower"
    UNRESOLVED = "unresolved"
    CONFOUNDED = "confounded"


@dataclass(frozen=True)
class Effect:
    """A difference of rewards, the knob's value less the baseline's.

    Parameters
    ----------
    effect : Interval
        In reward, for itself.
    p_positive : float
        Probability that it is above 0, for itself.
    p_adjusted : float, optional
        Two-sided p-value with all comparisons of its kind; None where it is no claim.
    """

    effect: Interval
    p_positive: float
    p_adjusted: float | None = None


@dataclass(frozen=True)
class Speed:
    """How much less compute does the same, at a shared ceiling.

    Parameters
    ----------
    factor : Interval
        ``C_mid`` of the baseline over that of the knob: 2 gets there with half of the compute.
    p_faster : float
        Probability that it is above 1.
    p_adjusted : float
        Two-sided p-value with all comparisons of speed.
    exponent : Interval
        ``B`` of the knob over that of the baseline.
    shared : bool
        Whether one ceiling was shared: not where two were told apart; then each keeps its own.
    past_midpoint : float
        The least probability, over the recipes compared, that ``C_mid < C_last``.
    """

    factor: Interval
    p_faster: float
    p_adjusted: float
    exponent: Interval
    shared: bool
    past_midpoint: float


@dataclass(frozen=True)
class Needs:
    """What would show an effect of the size asked for with 80 % power.

    Parameters
    ----------
    seeds : int, optional
        Runs of each recipe; None where neither 1,000 of them nor 32 times the compute of today does.
    compute : float, optional
        Last compute that they would need, in the runs' unit; None where that of today does.
    """

    seeds: int | None
    compute: float | None


@dataclass(frozen=True)
class KnobEffect:
    """One value of a knob against the baseline's.

    Parameters
    ----------
    knob : str
        Several that always change together are joined by ``+``.
    knobs : tuple of str
    start, end : str
        The baseline's value and the other.
    runs : (int, int)
        Runs used at either.
    ceiling, at : Effect, optional
        On the ceiling, and on the reward at ``Ablation.at``; None where it cannot be told apart or nothing was fitted.
    speed : Speed, optional
    says : Says
    together : Says
        What is claimed of the knobs of a confounded group as one; else the same as ``says``.
    reason : str
        A sentence.
    needs : Needs, optional
        Of what is unresolved.
    """

    knob: str
    knobs: tuple[str, ...]
    start: str
    end: str
    runs: tuple[int, int]
    ceiling: Effect | None
    at: Effect | None
    speed: Speed | None
    says: Says
    together: Says
    reason: str
    needs: Needs | None = None


@dataclass(frozen=True)
class Trend:
    """A numeric knob as a straight line through its levels.

    Parameters
    ----------
    knob : str
    low, high : float
        Its lowest and highest value.
    scale : str
        ``log`` or ``linear``: along what the line is straight.
    effect : Effect
        Ceiling at the highest value less that at the lowest, by the line; not adjusted.
    monotone : bool
        Whether the ceilings of its levels are in order.
    """

    knob: str
    low: float
    high: float
    scale: str
    effect: Effect
    monotone: bool


@dataclass(frozen=True)
class Interaction:
    """How much more two changes do to the ceiling together than one after the other.

    Parameters
    ----------
    knobs : (str, str)
    values : (str, str)
    effect : Effect
        Ceiling of both, less those of each, plus the baseline's.
    resolved : bool
    """

    knobs: tuple[str, str]
    values: tuple[str, str]
    effect: Effect
    resolved: bool


@dataclass(frozen=True)
class Recipe:
    """Runs with equal settings.

    Parameters
    ----------
    label : str
    settings : tuple of (str, str)
    runs, used : tuple of str
        All of them, and those that count.
    ceiling : Interval, optional
        Of the recipe, run-to-run spread included; None where nothing was fitted.
    p_past_midpoint : float
    """

    label: str
    settings: tuple[tuple[str, str], ...]
    runs: tuple[str, ...]
    used: tuple[str, ...]
    ceiling: Interval | None
    p_past_midpoint: float


@dataclass(frozen=True)
class Spread:
    """The run-to-run sd in use.

    Parameters
    ----------
    value : float
        Of ceilings, as a share of the range.
    source : str
        ``given``, ``default`` or ``replicates``.
    freedom : float
        Degrees of freedom behind it, those of the prior included; ``inf`` where given.
    replicates : int
        Runs less recipes, over recipes with several.
    speed : float
        Of ``ln C_mid``.
    """

    value: float
    source: str
    freedom: float
    replicates: int
    speed: float


@dataclass(frozen=True, repr=False)
class Ablation(Result, Value):
    """The answer.

    Parameters
    ----------
    baseline : str
    design : DesignKind
    tau : Spread
    knobs : tuple of KnobEffect
        The surest first.
    confounded : tuple of tuple of str
        Knobs that cannot be told apart.
    trends : tuple of Trend
    interactions : tuple of Interaction
    recipes : tuple of Recipe
        The baseline first.
    at : float
        The common compute of ``KnobEffect.at``.
    unit, metric : str
    bounds : (float, float)
    effect : float
        The size that ``needs`` is of, in reward.
    shapes : tuple of (str, float)
        Families of curves and their joint probability, of the runs together.
    method : str
        How several comparisons are controlled.
    notes : tuple of str
    unstated : tuple of str
        Settings that none of the runs compared states and others do: nothing is claimed where there are any.
    fits : tuple of Fit
    left_out : tuple of LeftOut
    """

    baseline: str
    design: DesignKind
    tau: Spread
    knobs: tuple[KnobEffect, ...]
    confounded: tuple[tuple[str, ...], ...]
    trends: tuple[Trend, ...]
    interactions: tuple[Interaction, ...]
    recipes: tuple[Recipe, ...]
    at: float
    unit: str
    metric: str
    bounds: tuple[float, float]
    effect: float
    shapes: tuple[tuple[str, float], ...]
    method: str
    notes: tuple[str, ...]
    unstated: tuple[str, ...] = ()
    fits: tuple[Fit, ...] = field(default=(), compare=False)
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        claims = ", ".join(f"{each.knob} {each.says.value}" for each in self.knobs[:4])
        return f"Ablation({self.design.value}, {len(self.recipes)} recipes: {claims})"
