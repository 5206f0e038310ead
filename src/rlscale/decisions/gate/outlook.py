"""What a run's curve says, at one look, of its reward at the budget: a distribution on a grid of rewards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.families import GATED
from rlscale.inference.fit import Fit, FitOptions

__all__ = ["CENTRES", "EDGES", "GATE_FIT", "STEP", "Outlook", "in_frame", "on_grid", "outlook", "outlook_of"]

Floats = NDArray[np.float64]

#: Width of a cell, as a share of the metric's range; and how far the grid goes beyond the bounds: forecasts widened by
#: what they may be wrong by reach there.
STEP, BEYOND = 0.002, 0.3
EDGES = np.linspace(-BEYOND, 1.0 + BEYOND, round((1.0 + 2.0 * BEYOND) / STEP) + 1)
CENTRES = 0.5 * (EDGES[1:] + EDGES[:-1])
for _array in (EDGES, CENTRES):
    _array.flags.writeable = False
#: How the gate fits: without model error, since its discrepancy takes the place.
GATE_FIT = FitOptions(families=GATED, model_error=0.0)
#: Equally likely draws kept of an outlook, for pooling it with those of other seeds.
DRAWS = 256


@dataclass(frozen=True, eq=False)
class Outlook:
    """Distribution of a run's noise-free reward at the budget, in shares of the frame (the bounds where stated).

    Parameters
    ----------
    mass : array, shape (g,)
        Probability of each cell of the grid, summing to 1.
    mean, sd : float
    draws : array, shape (d,)
        Equally likely draws, in increasing order.
    """

    mass: Floats
    mean: float
    sd: float
    draws: Floats


def outlook(fit: Fit, budget: float) -> Outlook | None:
    """Return what a fit says of the reward at compute ``budget``; None where nothing was fitted."""
    found = fit.posterior
    if found is None:
        return None
    return outlook_of(in_frame(found.reward([budget], model_error=True)[:, 0], found.curve), found.weight)


def in_frame(reward: Floats, curve: Curve) -> Floats:
    """Return rewards, any shape, as shares of what the runs that are compared have in common: see ``Curve.frame``."""
    low, high = curve.frame
    return (reward - low) / (high - low)


def outlook_of(values: Floats, weight: Floats) -> Outlook:
    """Return the outlook of weighted draws, shape (d,), in shares of the range."""
    mean = float(weight @ values)
    order = np.argsort(values)
    ordered, cumulative = values.take(order), np.cumsum(weight.take(order))
    levels = (np.arange(DRAWS) + 0.5) / DRAWS * cumulative[-1]
    draws = ordered.take(np.minimum(np.searchsorted(cumulative, levels), ordered.size - 1))
    sd = float(np.sqrt(np.maximum(weight @ (values - mean) ** 2, 0.0)))
    return Outlook(on_grid(values, weight), mean, sd, draws)


def on_grid(values: Floats, weight: Floats) -> Floats:
    """Return the probability of each cell, shape (g,); what lies beyond the grid is put into its last cells."""
    cell = np.clip(((values - EDGES[0]) / STEP).astype(np.intp), 0, CENTRES.size - 1)
    mass = np.bincount(cell, weights=weight, minlength=CENTRES.size)
    return np.asarray(mass / mass.sum())
