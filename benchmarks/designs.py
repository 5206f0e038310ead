"""The simulated truths of the benchmarks: off the engine's prior, and the published fits of ScaleRL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import UncheckedCurve
from rlscale.curves import Truth
from rlscale.inference.families import FAMILIES

#: ``C_last / C_mid``, noise correlation and evaluations after the one at 0 of the off-prior table.
RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
CORRELATIONS = (0.0, 0.5, 0.8)
COUNTS = (12, 40, 100)
#: Midpoint of the off-prior truths, in an arbitrary unit (the engine is scale-free).
C_MID = 1000.0

#: ScaleRL, arXiv 2510.13786, Table 1: (C_mid in GPU-hours, B, A).
SCALERL = {
    "ScaleRL": (2542.0, 1.92, 0.610),
    "32k": (11272.0, 1.89, 0.645),
    "8gen": (2542.0, 2.44, 0.585),
    "24gen": (3054.0, 2.22, 0.590),
    "32gen": (2936.0, 2.07, 0.595),
    "Scout": (4242.0, 1.65, 0.710),
    "bs512": (2818.0, 1.77, 0.605),
    "bs2048": (10909.0, 1.70, 0.645),
    "math": (2896.0, 2.05, 0.595),
    "code": (1675.0, 1.09, 0.615),
}


def off_prior(
    rng: np.random.Generator, rho: float, *, baseline: float | None = None, sigma: float | None = None
) -> Truth:
    """Draw a truth: ``A ~ U(.4, .9)``, ``B ~ LN(ln 1.5, .4)``, ``R0 ~ U(.05, .3)``, ``sigma ~ U(.008, .03)``.

    Parameters
    ----------
    rng : numpy.random.Generator
    rho : float
        Correlation of the noise.
    baseline, sigma : float, optional
        Hold ``R0`` or the noise sd at this value.
    """
    drawn = rng.uniform(0.4, 0.9), rng.lognormal(np.log(1.5), 0.4), rng.uniform(0.05, 0.3), rng.uniform(0.008, 0.03)
    asymptote, exponent, free_baseline, free_sigma = (float(value) for value in drawn)
    return Truth(
        R0=free_baseline if baseline is None else baseline,
        A=asymptote,
        B=exponent,
        C_mid=C_MID,
        sigma=free_sigma if sigma is None else sigma,
        rho=rho,
    )


def evenly(ratio: float, count: int) -> NDArray[np.float64]:
    """Return compute 0 and ``count`` more equally spaced up to ``ratio * C_MID``: shape (count + 1,)."""
    return np.linspace(0.0, ratio * C_MID, count + 1)


def scalerl(name: str) -> Truth:
    """Return a row of Table 1 with ``R0 = .2`` (no paper states it) and noise sd .004 (1,000 x 16 samples a point)."""
    midpoint, exponent, asymptote = SCALERL[name]
    return Truth(R0=0.2, A=asymptote, B=exponent, C_mid=midpoint, sigma=0.004)


#: Shapes of :func:`finished`; all but the first break the law that the sigmoid alone assumes.
SHAPES = ("sigmoid", "weibull", "gompertz", "two rises", "late take-off", "flat")
#: More shapes of :func:`finished`, which the families fit worse: real runs look so, and each misled forecasts.
FALTERING = ("creep", "decline", "collapse")
_REACH = (1.0, 8.0)
_LENGTHS = (24, 40, 100)


def finished(shape: str, rng: np.random.Generator) -> UncheckedCurve:
    """Draw a whole run of a shape, to be cut and backtested.

    ``R0``, ``A``, ``B`` and noise sd as :func:`off_prior`, correlation 0, .5 or .8, an evaluation at 0 and 24, 40 or
    100 after it. ``C_last / C_mid`` is log-uniform on 1 to 8; a Weibull or Gompertz rise is as steep at its midpoint as
    the sigmoid drawn. *two rises*: 60 to 80 % of the gain by one sigmoid, the rest by another with its midpoint 3 to 20
    times later, the run 4 to 40 times as long as the first midpoint. *late take-off*: nothing for 15 to 50 % of the
    run, then a sigmoid whose midpoint follows after 5 to 20 % of it. *flat*: ``R0`` all along. The
    :data:`FALTERING` shapes are described in :func:`_faltering`; their rewards are cut to [0, 1].
    """
    truth = off_prior(rng, float(rng.choice(CORRELATIONS)))
    count = int(rng.choice(_LENGTHS))
    x = np.arange(count + 1) / count  # compute over the last
    if shape == "two rises":
        first = float(np.exp(-rng.uniform(np.log(4.0), np.log(40.0))))
        later = float(np.exp(rng.uniform(np.log(3.0), np.log(20.0))))
        part, exponent = float(rng.uniform(0.2, 0.4)), float(rng.lognormal(np.log(2.0), 0.4))
        share = (1.0 - part) * _rise("sigmoid", x / first, truth.B) + part * _rise(
            "sigmoid", x / (first * later), exponent
        )
    elif shape == "late take-off":
        start, middle = float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.05, 0.2))
        share = _rise("sigmoid", np.maximum(x - start, 0.0) / middle, truth.B)
    elif shape == "flat":
        share = np.zeros(x.size)
    elif shape in FALTERING:
        share = _faltering(shape, x, truth.B, rng)
    else:
        share = _rise(shape, x * float(np.exp(rng.uniform(*np.log(_REACH)))), truth.B)
    reward = truth.R0 + (truth.A - truth.R0) * share + truth.noise(x.size, rng)
    if shape in FALTERING:
        reward = np.clip(reward, 0.0, 1.0)
    return UncheckedCurve(compute=x * C_MID, reward=reward)


def _faltering(shape: str, x: NDArray[np.float64], exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Share of the gain at shares ``x`` of the run's compute.

    *creep*: 50 to 80 % of the gain by a sharp sigmoid with its midpoint at 1 to 6 % of the run, the rest linear in
    ``ln(1 + C / C_mid)`` up to the end. *decline*: a sigmoid with its midpoint at 4 to 20 %; from 35 to 75 % of the run
    on 10 to 40 % of the gain is lost again, evenly up to the end. *collapse*: the same rise; at 30 to 90 % of the run
    50 to 120 % of what was gained is lost from one evaluation to the next; half of the runs come back by 30 to 80 % of
    that, at a rate of one e-fold in 3 to 15 % of the run.
    """
    if shape == "creep":
        middle, part = float(np.exp(rng.uniform(np.log(0.01), np.log(0.06)))), float(rng.uniform(0.2, 0.5))
        sharp = _rise("sigmoid", x / middle, float(rng.lognormal(np.log(2.5), 0.3)))
        return (1.0 - part) * sharp + part * np.log1p(x / middle) / np.log1p(1.0 / middle)
    share = _rise("sigmoid", x / float(np.exp(rng.uniform(np.log(0.04), np.log(0.2)))), exponent)
    if shape == "decline":
        start, lost = float(rng.uniform(0.35, 0.75)), float(rng.uniform(0.1, 0.4))
        return share * (1.0 - lost * np.maximum(x - start, 0.0) / (1.0 - start))
    start, lost = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.5, 1.2))
    back = float(rng.uniform(0.3, 0.8)) if rng.random() < 0.5 else 0.0
    since = np.maximum(x - start, 0.0) / float(rng.uniform(0.03, 0.15))
    return np.where(x > start, share * (1.0 - lost * (1.0 - back * -np.expm1(-since))), share)


def _rise(shape: str, ratio: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Share of the gain at ``ratio = C / C_mid``, the slope at 1 that of a sigmoid of this exponent."""
    family = FAMILIES[shape]
    own, sigmoid = (float(each.slopes(np.zeros(1), np.ones(1))[0][0]) for each in (family, FAMILIES["sigmoid"]))
    with np.errstate(divide="ignore"):
        x = np.log(ratio)
    return np.asarray(family.rise(x, np.full(x.shape, exponent * sigmoid / own)))
