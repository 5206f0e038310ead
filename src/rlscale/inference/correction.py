"""A correction of forecasts by finished runs like the one forecast: how much wider or narrower, and which way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import InputError
from rlscale.inference.quantiles import weighted_quantiles

__all__ = ["NEAREST", "Correction", "half_width"]

Floats = NDArray[np.float64]

#: Log compute ahead from which a correction acts in full: that of the latest cut it is measured at, 3/4 of a run.
NEAREST = float(np.log(4.0 / 3.0))


@dataclass(frozen=True, kw_only=True)
class Correction:
    """How forecasts of runs like these have to be moved to be right: ``median + shift h + scale (value - median)``.

    ``h`` is half the width of the 80 % interval. At the last compute nothing is corrected; the correction grows
    linearly in log compute up to :data:`NEAREST` ahead and stays from there on.

    Parameters
    ----------
    scale : float
        Of the distance of every draw from the median; above 1 it widens.
    shift : float
        Of all draws, in half-widths of the 80 % interval.

    Raises
    ------
    InputError
        A scale that is not above 0, or a number that is not finite.
    """

    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < np.inf:
            raise InputError(f"a correction's scale {self.scale:g} is not above 0")
        if not np.isfinite(self.shift):
            raise InputError(f"a correction's shift {self.shift:g} is not finite")

    def applied(
        self, values: Floats, weight: Floats, ahead: Floats, bounds: tuple[float, float], half: float | None = None
    ) -> Floats:
        """Correct draws of the reward.

        Parameters
        ----------
        values : array, shape (k, d)
            In reward.
        weight : array, shape (d,)
            Of the draws, summing to 1.
        ahead : array, shape (k,)
            Log compute from the last one seen.
        bounds : (float, float)
            What the draws are kept inside.
        half : float, optional
            ``h``, in reward; by default that of the draws.

        Returns
        -------
        array, shape (k, d)
        """
        share = np.clip(ahead / NEAREST, 0.0, 1.0)
        moved = values.copy()
        for k in np.flatnonzero(share > 0.0).tolist():
            low, middle, high = weighted_quantiles(values[k], weight, (0.1, 0.5, 0.9)).tolist()
            shift = self.shift * (0.5 * (high - low) if half is None else half)
            scale = 1.0 + share[k] * (self.scale - 1.0)
            moved[k] = np.clip(middle + share[k] * shift + scale * (values[k] - middle), *bounds)
        return moved


def half_width(values: Floats, weight: Floats) -> float:
    """Half the width of the 80 % interval of weighted draws, arrays of shape (d,)."""
    low, high = weighted_quantiles(values, weight, (0.1, 0.9)).tolist()
    return 0.5 * float(high - low)
