"""The settings of the estimator that ``out_of_source`` chooses among: every one that was compared stands here.

*former* is the estimator before the model error was learned: saturating families and a flat one, a model error of .01
of the range for each e-fold of compute ahead, no persistence, and after a break the forecast of what came before it.
*shipped* is the default of the package; all others are one change away from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.shapes import SLOW_TAIL, TWO_PHASES
from rlscale.inference import FitOptions
from rlscale.inference.families import AVERAGED, FAMILIES, FLAT, GATED, POWER, SATURATING, SIGMOID, Family
from rlscale.inference.priors import LEARNED

__all__ = ["CANDIDATES", "FORMER", "SHIPPED"]


def changed(
    families: tuple[Family, ...] = AVERAGED,
    walk: dict[str, Any] | None = None,
    ahead: dict[str, Any] | None = None,
    **priors: Any,
) -> FitOptions:
    """Return the default with other families, or other fields of ``WalkPrior``, ``AheadPrior`` or ``Priors``."""
    changes = {
        "walk": replace(LEARNED.walk, **(walk or {})),
        "ahead": replace(LEARNED.ahead, **(ahead or {})),
        **priors,
    }
    return FitOptions(families=families, priors=replace(LEARNED, **changes))


def without(*names: str) -> tuple[Family, ...]:
    """Return the default families but some."""
    return tuple(family for family in AVERAGED if family.name not in names)


def weighted(name: str, prior: float) -> tuple[Family, ...]:
    """Return the default families with another prior probability of one, up to a common factor."""
    return tuple(replace(family, prior=prior) if family.name == name else family for family in AVERAGED)


_SHALLOW = tuple(replace(f, log_b_mean=f.log_b_mean - 0.47) if f.name == POWER.name else f for f in AVERAGED)
_TAIL = (*without(POWER.name, FLAT.name), replace(SLOW_TAIL, prior=0.14), AVERAGED[-1])
_OWN = tuple(FAMILIES[f.name].within(f.prior) if f.rises else f for f in AVERAGED)
#: By name. Other processes take them from here by name, since the functions of a family cannot be sent.
CANDIDATES: dict[str, FitOptions] = {
    "shipped": changed(),
    "former": FitOptions(families=GATED, model_error=0.01),
    "sigmoid alone": FitOptions(families=(SIGMOID,)),
    "pure average": FitOptions(families=SATURATING, model_error=0.0),
    "no walk": changed(walk={"amplitudes": (0.0,), "weights": (1.0,)}),
    "walk twice as likely": changed(walk={"weights": (0.15, 0.35, 0.3, 0.2)}),
    "walk half as likely": changed(walk={"weights": (0.6, 0.2, 0.13, 0.07)}),
    "walk regardless of jitter": changed(walk={"by_jitter": 0.0}),
    "walk by jitter / 2": changed(walk={"by_jitter": 0.3}),
    "walk by jitter x 2": changed(walk={"by_jitter": 1.2}),
    "walk by gain x 2": changed(walk={"by_gain": 0.04}),
    "six correlations": changed(walk={"correlations": (0.0, 0.2, 0.4, 0.6, 0.75, 0.87)}),
    "independent noise": changed(walk={"correlations": (0.0, 0.0)}),
    "no persistence": changed(ahead={"stay": 0.0}),
    "persistence .25": changed(ahead={"stay": 0.25}),
    "persistence whatever the climb": changed(ahead={"climbing": 1e9}),
    "persistence, climb 1.5": changed(ahead={"climbing": 1.5}),
    "after a break as before it": changed(ahead={"back": (1e3, 1e-3), "back_from_floor": (1e3, 1e-3)}),
    "after a break, Beta(.5, .5)": changed(ahead={"back": (0.5, 0.5), "back_from_floor": (0.5, 5.0)}),
    "no power law": changed(without(POWER.name)),
    "power law half as likely": changed(weighted(POWER.name, 0.07)),
    "power law twice as likely": changed(weighted(POWER.name, 0.28)),
    "shallower power law": changed(_SHALLOW),
    "flat half as likely": changed(weighted(FLAT.name, 0.1)),
    "no two-slope": changed(without("two-slope")),
    "two phases for two-slope": changed((*without("two-slope", FLAT.name), *TWO_PHASES, AVERAGED[-1])),
    "slow tail for power law": changed((*without(POWER.name, FLAT.name), replace(SLOW_TAIL, prior=0.14), AVERAGED[-1])),
    "slow tail beside": changed((*without(FLAT.name), SLOW_TAIL, AVERAGED[-1])),
    "own priors of ln B": changed(_OWN),
    "noise scale .008": changed(sigma_scale=0.008),
    "noise scale .015": changed(sigma_scale=0.015),
    "falls as likely as alone": changed(falling_weight=0.05),
}
#: What the scores of all are compared with, and what the package does by default.
FORMER, SHIPPED = "former", "shipped"
