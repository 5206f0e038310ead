"""The contract of a curve family: how the share of the gain rises with compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.curves.value import Value

__all__ = ["CompiledRise", "Family", "Floats", "Rise", "Slopes", "of_z"]

Floats = NDArray[np.float64]
Rise = Callable[[Floats, Floats], Floats]
Slopes = Callable[[Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, kw_only=True)
class CompiledRise:
    """Which of the compiled kernel's forms a rise is.

    Parameters
    ----------
    form : str
        Its name there (``backend/compiled.py``).
    constants : tuple of float
        What the form takes beside ``x`` and ``B``.
    """

    form: str
    constants: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Family(Value):
    """A shape ``s(x, B)`` with ``x = ln(C / C_mid)``, so that ``R(C) = R0 + (A - R0) s``.

    ``families.conformance.faults`` tests one against this contract.

    Parameters
    ----------
    name : str
        The word used on the command line and in JSON.
    formula : str
        ``R(C)`` written out.
    source : str
        Where the law is published.
    rise : callable
        ``s(x, B)``; two arrays that broadcast, to the same: in ``[0, 1]``, not falling in ``x``, 0
        at ``-inf``, 1 at ``inf``, ``s(0, B) = 1/2``.
    slopes : callable
        ``(ds/dx, ds/d ln B)`` of the same arguments, finite wherever ``x`` is.
    log_b_mean, log_b_sd : float
        Prior ``ln B ~ N(mean, sd)``, cut to ``b_limits``.
    b_limits : (float, float)
        Smallest and largest ``B`` considered.
    prior : float
        Probability of the family before the data, where several are averaged.
    rises : bool
        Whether it has a gain at all.
    compiled : CompiledRise, optional
        The same rise in the compiled kernel; without one the kernel is given what ``rise`` returns.
    """

    name: str
    formula: str
    source: str
    rise: Rise
    slopes: Slopes
    log_b_mean: float
    log_b_sd: float
    b_limits: tuple[float, float]
    prior: float = 1.0
    rises: bool = True
    compiled: CompiledRise | None = None

    def log_prior_b(self, log_b: Floats) -> Floats:
        """Log prior density of ``ln B`` inside the limits, any shape; it integrates to ``prior``."""
        found = np.asarray(log_b - self.log_b_mean)
        found *= found
        found *= -0.5 / self.log_b_sd**2
        found += np.log(self.prior) - _log_norm(self.log_b_mean, self.log_b_sd, self.b_limits)
        return found

    def within(self, prior: float, *, shift: float = 0.0, narrower: float = 1.0) -> Family:
        """Return the family as part of an average: its probability, its prior of ``ln B`` moved and narrowed."""
        return replace(self, prior=prior, log_b_mean=self.log_b_mean + shift, log_b_sd=self.log_b_sd * narrower)


@lru_cache(maxsize=64)
def _log_norm(mean: float, sd: float, limits: tuple[float, float]) -> float:
    """Log of the integral of ``exp(-((ln B - mean) / sd)^2 / 2)`` over ``ln B`` within the limits."""
    low, high = (np.log(limits) - mean) / sd
    return float(np.log(sd * np.sqrt(2.0 * np.pi) * (ndtr(high) - ndtr(low))))


@dataclass(frozen=True)
class _RiseOfZ:
    """``s(B x)``; a value and no closure, so that families can be sent to other processes."""

    rise: Callable[[Floats], Floats]

    def __call__(self, x: Floats, b: Floats) -> Floats:
        return self.rise(np.asarray(b * x))


@dataclass(frozen=True)
class _SlopesOfZ:
    """Slopes of ``s(B x)``."""

    slope: Callable[[Floats], Floats]

    def __call__(self, x: Floats, b: Floats) -> tuple[Floats, Floats]:
        z = np.asarray(b * x)
        by_z = self.slope(z)
        return b * by_z, z * by_z


def of_z(rise: Callable[[Floats], Floats], slope: Callable[[Floats], Floats]) -> tuple[Rise, Slopes]:
    """Return ``rise`` and ``slopes`` of a family whose shape depends on ``z = B x`` alone.

    Parameters
    ----------
    rise, slope : callable
        ``s(z)`` and ``ds/dz``; ``rise`` may overwrite its argument. Functions of a module, else the family cannot be
        pickled.
    """
    return _RiseOfZ(rise), _SlopesOfZ(slope)
