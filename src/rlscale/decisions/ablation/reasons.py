"""Why a knob is said to do what it does, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlscale.decisions.ablation.answer import Effect, Needs, Says, Speed
from rlscale.decisions.ablation.design import Factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rlscale.decisions.ablation.claims import Measured

__all__ = ["confounded_reason", "reason_of", "unstated_reason"]

_VERBS = {Says.RAISES_CEILING: "raise", Says.LOWERS_CEILING: "lower"}


def confounded_reason(factor: Factor, tangled: Sequence[str], together: Says, ceiling: Effect | None) -> str:
    """Return why knobs are not told apart, and what they do together."""
    if tangled:
        others = " and ".join(tangled)
        return f"In these runs {factor.name} cannot be told apart from {others}: try them one at a time."
    what = f"{' and '.join(factor.knobs)} always change together and are not told apart"
    if ceiling is None:
        return f"{what}."
    if together in _VERBS:
        return f"{what}; together they {_VERBS[together]} the ceiling."
    if together in (Says.FASTER, Says.SLOWER):
        return f"{what}; together they are {together.value}, at a ceiling that cannot be told apart."
    return f"{what}; together nothing is resolved of them."


def unstated_reason(unstated: Sequence[str]) -> str:
    """Return why nothing is claimed of runs that do not state settings which others do."""
    what = " and ".join(unstated)
    return (
        f"The runs compared do not state {what}, and may differ in it: state it for all runs, or leave out those that "
        "do (--exclude)."
    )


def reason_of(
    says: Says,
    ceiling: Effect | None,
    speed: Speed | None,
    needs: Needs | None,
    runs: tuple[int, int],
    measured: Measured,
    row: NDArray[np.float64] | None,
) -> str:
    """Return why a knob is said to do what it does."""
    if row is None or ceiling is None or speed is None:
        return _nothing(runs)
    if says in _VERBS:
        p = ceiling.p_adjusted or 0.0
        return f"The ceilings differ, p {_p(p)} with all comparisons."
    if says in (Says.FASTER, Says.SLOWER):
        return f"The ceilings cannot be told apart; at a shared one the midpoints differ, p {_p(speed.p_adjusted)}."
    if speed.past_midpoint < 0.5:
        start = "Not past the bend: a faster run and a higher ceiling still look alike"
    elif speed.p_adjusted <= 0.005:
        start = "The curves differ, but their ceilings are not known well enough to tell speed from ceiling"
    else:
        start = "Neither ceiling nor speed can be told apart from run-to-run differences"
    return f"{start}.{_needed(needs, measured)}"


def _nothing(runs: tuple[int, int]) -> str:
    if not runs[0]:
        return "No run with the baseline's value counts: they collapsed, do not learn, or have too few evaluations."
    if not runs[1]:
        return "No run with this value counts: they collapsed, do not learn, or have too few evaluations."
    return "The runs that are left do not show it: too few settings have a run that counts."


def _needed(needs: Needs | None, measured: Measured) -> str:
    if needs is None:
        return ""
    size = f"An effect of {measured.effect:g} on the ceiling"
    if needs.seeds is None:
        return f" {size} is out of reach: neither 1,000 seeds nor 32 times the compute would show it."
    many = f"{needs.seeds} seed{'' if needs.seeds == 1 else 's'} a recipe"
    unit = measured.fits[0].run.curve.unit
    longer = "" if needs.compute is None else f", run to {needs.compute:.3g} {unit}"
    return f" {size} would take {many}{longer} (80 % power)."


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".")
