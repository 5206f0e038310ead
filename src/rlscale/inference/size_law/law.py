"""The law across model sizes: formulas, the two ways to letter it, and identities that hold between its constants.

Tan et al., "Scaling Behaviors of LLM RL Post-Training" (arXiv 2509.25300), eq. 1 and 2::

    log L(N, X) = -k(N) log X + E(N),    k(N) = K_max / (1 + N0/N),    L = 1 - R / R_max

``L`` is the share of the reward not reached, ``N`` the parameters of the model and ``X`` what was spent: compute or
samples, in any one unit. ``k`` is the exponent, which saturates with size; ``E``, here in natural logarithms, is free
for each size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LETTERINGS", "Lettering", "exponent", "midpoint_slope", "shifted_intercept", "unreached"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lettering:
    """How a text letters the law.

    Parameters
    ----------
    formula : str
    exponent : str
        What it calls the exponent, ``k(N)`` here.
    intercept : str
        What it calls the other term, in terms of ``E(N)`` here.
    where : str
        Which texts do so.
    """

    formula: str
    exponent: str
    intercept: str
    where: str


#: The lettering used here, and the one with the letters swapped. ``K(N) X^(-E(N))`` is the same law.
LETTERINGS = (
    Lettering("log L = -k(N) log X + E(N)", "k(N)", "E(N)", "here, and in Tan et al., eq. 1"),
    Lettering("L = K(N) X^(-E(N))", "E(N) there = k(N) here", "K(N) there = exp(E(N)) here", "texts that swap them"),
)


def exponent(model_params: ArrayLike, K_max: ArrayLike, N0: ArrayLike) -> Floats:
    """Return the exponent ``k(N) = K_max / (1 + N0/N)``, no unit.

    Parameters
    ----------
    model_params : array
        ``N``, in the unit of ``N0``; any shape that broadcasts.
    K_max : array
        The exponent of a very large model.
    N0 : array
        The size with half of it.

    Examples
    --------
    >>> exponent([0.5e9, 72e9], 0.1518, 17.37e9).round(4).tolist()  # Tan et al., table 6, base models, compute
    [0.0042, 0.1223]
    """
    size = np.asarray(model_params, dtype=np.float64)
    return np.asarray(np.asarray(K_max) / (1.0 + np.asarray(N0) / size))


def unreached(compute: ArrayLike, k: ArrayLike, E: ArrayLike) -> Floats:
    """Return ``L = exp(E - k log X)``, the share of ``R_max`` not reached.

    Parameters
    ----------
    compute : array
        ``X > 0``, in the unit that ``E`` is of; any shape that broadcasts.
    k, E : array
        Exponent and intercept, the latter in natural logarithms.

    Examples
    --------
    >>> unreached(1e20, 0.1, 4.0).round(3).tolist()
    0.546
    """
    return np.asarray(np.exp(np.asarray(E) - np.asarray(k) * np.log(np.asarray(compute, dtype=np.float64))))


def shifted_intercept(E: ArrayLike, k: ArrayLike, factor: ArrayLike) -> Floats:
    """Return the intercept after a change of unit, ``E' = E + k ln(factor)`` where ``X' = factor X``.

    With compute ``C = N D phi`` of ``D`` samples: ``E_C = E_D + k ln(N phi)``, and ``k`` is the same (Tan et al., C.2).

    Parameters
    ----------
    E, k : array
        In the old unit; any shape that broadcasts.
    factor : array
        The new unit's number for one old unit, above 0.

    Examples
    --------
    >>> shifted_intercept(0.4, 0.1, 1e10).round(4).tolist()
    2.7026
    """
    return np.asarray(np.asarray(E) + np.asarray(k) * np.log(np.asarray(factor, dtype=np.float64)))


def midpoint_slope(beta: ArrayLike, gain: ArrayLike, floor: ArrayLike) -> Floats:
    """Return the local exponent ``-d log L / d log X`` of the S-shaped law at ``X = D0``: ``(beta/2) / (1 + S)``.

    With ``L = floor + gain / (1 + (X/D0)^beta)`` and ``S = 2 floor / gain``, so the law with an exponent is a local
    slope of a sigmoid (Tan et al., appendix D). The largest slope lies slightly beyond ``D0``.

    Parameters
    ----------
    beta, gain, floor : array
        Any shape that broadcasts; ``gain`` and ``floor`` as shares of ``R_max``.

    Examples
    --------
    >>> midpoint_slope(1.0, 0.3, 0.5).round(4).tolist()
    0.1154
    """
    beta, gain, floor = (np.asarray(value, dtype=np.float64) for value in (beta, gain, floor))
    return np.asarray(0.5 * beta / (1.0 + 2.0 * floor / gain))
