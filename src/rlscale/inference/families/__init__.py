"""Curve families, one file each; a new one is its file and a line here."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.errors import InputError
from rlscale.inference.families.base import Family
from rlscale.inference.families.flat import FLAT
from rlscale.inference.families.gompertz import GOMPERTZ
from rlscale.inference.families.power import POWER
from rlscale.inference.families.sigmoid import SIGMOID
from rlscale.inference.families.two_slope import TWO_SLOPE
from rlscale.inference.families.weibull import WEIBULL

__all__ = [
    "AVERAGE",
    "AVERAGED",
    "FAMILIES",
    "FLAT",
    "GATED",
    "GOMPERTZ",
    "POWER",
    "SATURATING",
    "SIGMOID",
    "TWO_SLOPE",
    "WEIBULL",
    "Family",
    "families_for",
    "families_named",
    "name_of",
]

FAMILIES = {family.name: family for family in (SIGMOID, WEIBULL, GOMPERTZ, TWO_SLOPE, POWER)}
#: The word for all of :data:`AVERAGED` together, each weighted by its evidence: the default.
AVERAGE = "average"
#: How much steeper rises are expected in the average than by a family alone. Published exponents are fits of whole
#: curves; from the first part of a run the flatter ones among them lead to ceilings that are not reached. On public
#: runs this is the largest gain early on, and simulated curves lose little (docs, How far to trust it).
_STEEPER = {"shift": 0.55, "narrower": 0.8}
_STEEP = {"shift": 0.8, "narrower": 0.6}
#: What is averaged where the model error is given. The sigmoid comes first: ``A``, ``B`` and ``C_mid`` are reported for
#: it. The two-slope rise is as likely as is compatible with ever calling a ceiling resolved: before it shows, its
#: second part cannot be told from nothing.
SATURATING = (
    SIGMOID.within(0.4, **_STEEPER),
    WEIBULL.within(0.175, **_STEEPER),
    GOMPERTZ.within(0.175, **_STEEPER),
    TWO_SLOPE.within(0.1, **_STEEP),
)
#: What is averaged where the model error is learned, the default. The power law stands for runs that creep on to the
#: end (a sharp early rise, then a slow one near linear in log compute), which no other family follows; without a model
#: error in the likelihood it takes all curves for such, so it is no part of the others. Twice as likely it forecasts
#: creeping runs a little better, and takes ceilings that are reached for ones that are not.
AVERAGED = (
    SIGMOID.within(0.31, **_STEEPER),
    WEIBULL.within(0.135, **_STEEPER),
    GOMPERTZ.within(0.135, **_STEEPER),
    TWO_SLOPE.within(0.08, **_STEEP),
    POWER.within(0.14, narrower=0.8),
    FLAT.within(0.2),
)
#: What the gate averages: its discrepancy takes the place of the model error.
GATED = (*SATURATING, FLAT)


def families_named(name: str, average: tuple[Family, ...] = AVERAGED) -> tuple[Family, ...]:
    """Return the families that ``name`` stands for: one, or those of the ``average``.

    Raises
    ------
    InputError
        There is none of that name.
    """
    if name == AVERAGE:
        return average
    if name not in FAMILIES:
        raise InputError(f"unknown family {name!r}; give --family with one of {', '.join((AVERAGE, *FAMILIES))}")
    return (FAMILIES[name],)


def families_for(families: tuple[Family, ...], model_error: float | None) -> tuple[Family, ...]:
    """Return the families that go with a model error: the default average with a given one is the saturating one."""
    return SATURATING if model_error is not None and families == AVERAGED else families


def name_of(families: Sequence[Family]) -> str:
    """Return the word for ``families``: the inverse of :func:`families_named`."""
    return families[0].name if len(families) == 1 else AVERAGE
