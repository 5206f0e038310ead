"""The contract of a curve family: how the share of the gain rises with compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyFloats", "Family"]

Floats = NDArray[np.float64]
#: Single or double precision: a family keeps the type it is given.
AnyFloats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A one-parameter shape ``s(z)`` with ``z = B (ln C - ln C_mid)``, so that ``R(C) = R0 + (A - R0) s``.

    Parameters
    ----------
    name : str
        The word used on the command line and in JSON.
    formula : str
        ``R(C)`` written out.
    source : str
        Where the law is published.
    rise : callable
        ``s(z)``, any shape and float type to the same: increasing from 0 at ``-inf`` to 1 at ``inf``, ``s(0) = 1/2``.
    slope : callable
        ``ds/dz``.
    log_b_mean, log_b_sd : float
        Prior ``ln B ~ N(mean, sd)``, cut to ``b_limits``.
    b_limits : (float, float)
        Smallest and largest ``B`` considered.
    """

    name: str
    formula: str
    source: str
    rise: Callable[[AnyFloats], AnyFloats]
    slope: Callable[[AnyFloats], AnyFloats]
    log_b_mean: float
    log_b_sd: float
    b_limits: tuple[float, float]

    def log_prior_b(self, log_b: Floats) -> Floats:
        """Log prior density of ``ln B`` up to a constant; any shape."""
        return -0.5 * ((log_b - self.log_b_mean) / self.log_b_sd) ** 2
