"""Pools of simulated runs from which tournaments are drawn, with their true reward at the horizon.

Common to all: ``R0 = .2``, noise sd .004, .008 or .015, AR(1) .5, run-to-run sd .01 of ``A`` and 10 % of ``C_mid``,
GPU-hours. *indep16* and *indep50* draw recipes that have nothing in common; in *trap16* the slower of two rises higher,
as with the larger batches of ScaleRL; *tie16* has two clusters of near-equal ceilings; *pub16* are rows of ScaleRL's
Table 1 and figures; *dirty16* has collapses (15 %), late starts (15 %) and second rises (10 %) of 20 to 40 % of the
gain, with an exponent around 2; *sharp16* is the same with second rises of 30 to 60 % and an exponent of 4, which
nothing announces; *ar8* has noise correlated by .8.

Two start elsewhere. *steep16*: three of four runs start at .4 to .6 and end at .5 to .85; the others start at .15 to
.25, pass a level of .6 to .8 between 5 and 35 % of the horizon with an exponent of 2.5 to 5, and end about .9. Half of
these first gain .03 to .15 at once (the format is learned) and stay there until they rise, twice as steeply.
*hopeless16*: half are clean, a quarter start late as in dirty16, 5 % collapse, and a fifth gain less than .03 in all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import UncheckedCurve
from benchmarks.designs import SCALERL
from rlscale.curves import Run, Truth

__all__ = ["CLEAN", "DIRTY", "POOLS", "STARTS", "Pool", "pool"]

Floats = NDArray[np.float64]
Reward = Callable[[Floats], Floats]

BASELINE = 0.2
#: ScaleRL, arXiv 2510.13786, Fig. 2 and 4a as two readers of the figures give them: (A, B); no midpoint is stated.
FIGURES = ((0.610, 1.97), (0.610, 1.77), (0.535, 1.44), (0.515, 1.85), (0.490, 1.17), (0.520, 2.15), (0.520, 2.68))


@dataclass(frozen=True)
class Pool:
    """Runs and their true rewards at the horizon, in the same order; ``kinds`` says how each was made."""

    name: str
    horizon: float
    runs: tuple[Run, ...]
    truths: tuple[float, ...]
    kinds: tuple[str, ...]


def _sigmoid(asymptote: float, exponent: float, midpoint: float, baseline: float = BASELINE) -> Reward:
    return Truth(R0=baseline, A=asymptote, B=exponent, C_mid=midpoint).reward


def _independent(rng: np.random.Generator) -> tuple[float, float, float]:
    return (
        float(rng.uniform(0.45, 0.7)),
        float(rng.lognormal(np.log(1.6), 0.35)),
        float(np.exp(rng.uniform(np.log(1500.0), np.log(12000.0)))),
    )


def _trap(rng: np.random.Generator) -> tuple[float, float, float]:
    u = float(rng.uniform())
    return 0.5 + 0.15 * u, float(rng.lognormal(np.log(1.6), 0.35)), 2000.0 * 5.5**u


def _tie(rng: np.random.Generator) -> tuple[float, float, float]:
    _, exponent, _ = _independent(rng)
    ceiling = float(rng.choice([0.55, 0.62])) + float(rng.uniform(-0.01, 0.01))
    return ceiling, exponent, float(np.exp(rng.uniform(np.log(1500.0), np.log(6000.0))))


def _published(rng: np.random.Generator) -> tuple[float, float, float]:
    place = int(rng.integers(len(SCALERL) + len(FIGURES)))
    if place < len(SCALERL):
        midpoint, exponent, ceiling = list(SCALERL.values())[place]
        return ceiling, exponent, midpoint
    ceiling, exponent = FIGURES[place - len(SCALERL)]
    return ceiling, exponent, float(np.exp(rng.uniform(np.log(2000.0), np.log(6000.0))))


def _varied(drawn: tuple[float, float, float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the parameters of one run of a recipe."""
    ceiling, exponent, midpoint = drawn
    return (
        ceiling + 0.01 * float(rng.standard_normal()),
        exponent,
        midpoint * float(np.exp(0.1 * rng.standard_normal())),
    )


def _collapse(clean: Reward, rng: np.random.Generator, horizon: float) -> Reward:
    start, kept, span = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.2, 0.7)), 0.03 * horizon
    level = float(clean(np.array(start * horizon)))

    def collapse(compute: Floats) -> Floats:
        fallen = BASELINE + kept * (level - BASELINE)
        part = np.clip((compute - start * horizon) / span, 0.0, 1.0)
        return np.asarray(np.where(part > 0, level + part * (fallen - level), clean(compute)))

    return collapse


def _late(clean: Reward, rng: np.random.Generator, horizon: float) -> Reward:
    delay = float(rng.uniform(0.1, 0.4)) * horizon
    return lambda compute: clean(np.maximum(compute - delay, 0.0))


def _hopeless(rng: np.random.Generator, horizon: float) -> tuple[Reward, str]:
    clean = _sigmoid(*_varied(_independent(rng), rng))
    u = float(rng.uniform())
    if u < 0.5:
        return clean, "clean"
    if u < 0.55:
        return _collapse(clean, rng, horizon), "collapse"
    if u < 0.8:
        return _late(clean, rng, horizon), "late"
    gain = max(float(rng.uniform(-0.03, 0.03)), 0.0)  # half of them nothing at all
    return lambda compute: BASELINE + gain * np.asarray(compute) / horizon, "hopeless"


def _steep(rng: np.random.Generator, horizon: float) -> tuple[Reward, str]:
    if float(rng.uniform()) < 0.75:
        baseline, ceiling = float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.5, 0.85))
        exponent = float(rng.lognormal(np.log(1.6), 0.35))
        midpoint = float(np.exp(rng.uniform(np.log(0.03), np.log(0.4)))) * horizon
        return _sigmoid(max(ceiling, baseline), exponent, midpoint, baseline), "others"
    baseline, ceiling = float(rng.uniform(0.15, 0.25)), float(rng.uniform(0.86, 0.94))
    level, at = float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.05, 0.35)) * horizon
    exponent, step = float(rng.uniform(2.5, 5.0)), max(float(rng.uniform(-0.09, 0.15)), 0.03)
    stepped = step > 0.03
    low = baseline + step if stepped else baseline
    exponent = 2.0 * exponent if stepped else exponent
    midpoint = at * ((ceiling - low) / (level - low) - 1.0) ** (1.0 / exponent)
    rise = _sigmoid(ceiling - low, exponent, midpoint, 0.0)
    if not stepped:
        return lambda compute: baseline + rise(compute), "steep"
    first = _sigmoid(low, 2.0, 0.01 * horizon, baseline)
    return lambda compute: first(compute) + rise(compute), "stepped"


def _dirty(rng: np.random.Generator, horizon: float, *, sharp: bool) -> tuple[Reward, str]:
    clean = _sigmoid(*_varied(_independent(rng), rng))
    u = float(rng.uniform())
    if u < 0.6:
        return clean, "clean"
    if u < 0.75:
        return _collapse(clean, rng, horizon), "collapse"
    if u < 0.9:
        return _late(clean, rng, horizon), "late"
    ceiling, exponent, midpoint = _varied(_independent(rng), rng)
    gain, part = ceiling - BASELINE, float(rng.uniform(*((0.3, 0.6) if sharp else (0.2, 0.4))))
    one = _sigmoid(BASELINE + (1.0 - part) * gain, exponent, min(midpoint, 0.25 * horizon))
    later = float(rng.uniform(0.4, 0.8)) * horizon
    steepness = 4.0 if sharp else float(rng.lognormal(np.log(2.0), 0.4))
    second = _sigmoid(part * gain, steepness, later, 0.0)
    return lambda compute: one(compute) + second(compute), "two-slope"


_CLEAN = {"indep16": _independent, "trap16": _trap, "tie16": _tie, "pub16": _published, "indep50": _independent,
          "ar8": _independent}  # fmt: skip
#: Sources whose runs are sigmoids, so that the posterior's law holds.
CLEAN = tuple(_CLEAN)
DIRTY = ("dirty16", "sharp16")
#: Sources whose runs do not start alike: steep risers from below, runs that never start.
STARTS = ("steep16", "hopeless16")
POOLS = (*CLEAN, *DIRTY, *STARTS)


def _drawn(name: str, rng: np.random.Generator, horizon: float) -> tuple[Reward, str]:
    """Return the reward of one run over compute, and its kind."""
    if name in DIRTY:
        return _dirty(rng, horizon, sharp=name == "sharp16")
    if name == "steep16":
        return _steep(rng, horizon)
    if name == "hopeless16":
        return _hopeless(rng, horizon)
    return _sigmoid(*_varied(_CLEAN[name](rng), rng)), "clean"


def pool(name: str, count: int = 240, seed: int = 11) -> Pool:
    """Return ``count`` runs of a source."""
    horizon, every = (50_000.0, 400.0) if name == "indep50" else (16_000.0, 150.0)
    rng = np.random.default_rng([seed, POOLS.index(name)])
    compute = np.arange(0.0, horizon + 1e-6, every)
    runs, truths, kinds = [], [], []
    for k in range(count):
        law, kind = _drawn(name, rng, horizon)
        sigma = float(rng.choice([0.004, 0.008, 0.015]))
        noise = Truth(R0=0.0, A=0.0, B=1.0, C_mid=1.0, sigma=sigma, rho=0.8 if name == "ar8" else 0.5)
        curve = UncheckedCurve(compute=compute, reward=law(compute) + noise.noise(compute.size, rng), unit="gpu-hours")
        runs.append(Run(name=f"{name}-{k:03d}", recipe=f"{name}-{k:03d}", curve=curve))
        truths.append(float(law(np.array([compute[-1]]))[0]))
        kinds.append(kind)
    return Pool(name, float(compute[-1]), tuple(runs), tuple(truths), tuple(kinds))
