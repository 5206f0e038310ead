"""Simulated ablations whose truth is known, and the tests they are compared with.

Curves like ScaleRL's (arXiv 2510.13786, Table 1): ``R0 = .2``, ``A = .61``, ``B = 1.92``, ``C_mid = 2542`` GPU-hours,
an evaluation every 150 of 16,000. Of each run ``A ~ N(A, tau^2)`` and ``ln C_mid`` scatters by .05; noise of an
evaluation .006, its correlation .3. Four knobs are left out one at a time: five recipes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import nct, norm

from benchmarks.common import noisy
from rlscale.curves import Run, Truth
from rlscale.decisions.ablation import Ablation, Says, ablate
from rlscale.decisions.ablation.multiplicity import holm
from rlscale.inference.families import Family

__all__ = ["BASE", "FULL", "KNOBS", "SLOW", "Arm", "Other", "bound", "by_eye", "designed", "found_by", "welch"]

Floats = NDArray[np.float64]

BASE = Truth(R0=0.2, A=0.61, B=1.92, C_mid=2542.0, sigma=0.006, rho=0.3)
FULL, EVERY = 16_000.0, 150.0
#: Curves that bend slowly under noise that lasts: their ends say little of ``B``, and so of the ceiling.
SLOW = Truth(R0=0.1, A=0.45, B=1.4, C_mid=900.0, sigma=0.012, rho=0.5)
KNOBS = ("batch", "loss", "precision", "length")
#: Scatter of ``ln C_mid`` of the runs of one recipe.
SPEED_SD = 0.05


@dataclass(frozen=True)
class Arm:
    """One recipe: its truth, its settings, its last compute and how often it is evaluated."""

    name: str
    truth: Truth
    settings: Mapping[str, float]
    last: float = FULL
    every: float = EVERY


@dataclass(frozen=True)
class Other(Truth):
    """A truth of another shape than the sigmoid."""

    family: Family | None = None

    def reward(self, compute: object) -> Floats:
        """Noise-free reward at ``compute``, shape (n,)."""
        assert self.family is not None
        with np.errstate(divide="ignore"):
            x = np.maximum(np.log(np.asarray(compute, dtype=np.float64) / self.C_mid), -1e3)
        return np.asarray(self.R0 + (self.A - self.R0) * self.family.rise(x, np.full(1, self.B)))


def one_at_a_time(base: Truth, changed: Mapping[str, Truth], last: float = FULL) -> list[Arm]:
    """Return a baseline and four recipes that differ from it in one knob, those in ``changed`` with another truth."""
    arms = [Arm("base", base, dict.fromkeys(KNOBS, 0.0), last)]
    arms += [
        Arm(f"no-{knob}", changed.get(knob, base), {**dict.fromkeys(KNOBS, 0.0), knob: 1.0}, last) for knob in KNOBS
    ]
    return arms


def designed(arms: Sequence[Arm], seeds: int, tau: float, rng: np.random.Generator) -> list[Run]:
    """Return the runs of recipes."""
    runs = []
    for arm in arms:
        for seed in range(seeds):
            own = replace(
                arm.truth,
                A=float(np.clip(arm.truth.A + tau * rng.standard_normal(), 0.0, 1.0)),
                C_mid=float(arm.truth.C_mid * np.exp(SPEED_SD * rng.standard_normal())),
            )
            compute = np.arange(0.0, arm.last + 0.5 * arm.every, arm.every)
            curve = noisy(own, compute, rng, "gpu-hours")
            runs.append(Run(name=f"{arm.name}#{seed}", recipe=arm.name, curve=curve, settings=arm.settings))
    return runs


def found_by(runs: Sequence[Run], effect: float = 0.03) -> Ablation:
    """Return the ablation."""
    return ablate(runs, baseline=runs[0].recipe, effect=effect)


def _finals(runs: Sequence[Run]) -> dict[str, Floats]:
    """Return the mean of the last five evaluations of each run, by recipe."""
    finals: dict[str, list[float]] = {}
    for run in runs:
        finals.setdefault(run.recipe, []).append(float(run.curve.reward[-5:].mean()))
    return {name: np.array(values) for name, values in finals.items()}


def welch(runs: Sequence[Run], *, corrected: bool) -> dict[str, Says]:
    """Return what Welch tests of each recipe against the first say of final values, at 5 %, by recipe."""
    finals = _finals(runs)
    (_, base), *others = finals.items()
    if base.size < 2:
        return {name: Says.UNRESOLVED for name, _ in others}
    p, sign = [], []
    for _, own in others:
        parts = np.array([base.var(ddof=1) / base.size, own.var(ddof=1) / own.size])
        t = (own.mean() - base.mean()) / np.sqrt(parts.sum())
        freedom = parts.sum() ** 2 / (parts[0] ** 2 / (base.size - 1) + parts[1] ** 2 / (own.size - 1))
        p.append(2.0 * stdtr(freedom, -abs(t)))
        sign.append(t > 0)
    level = holm(np.array(p)) if corrected else np.array(p)
    return {name: _word(q <= 0.05, up) for (name, _), q, up in zip(others, level, sign, strict=True)}


def by_eye(runs: Sequence[Run], margin: float = 0.02) -> dict[str, Says]:
    """Return what the published margin says: mean final values more than .02 apart differ."""
    finals = {name: float(values.mean()) for name, values in _finals(runs).items()}
    (_, base), *others = finals.items()
    return {name: _word(abs(own - base) > margin, own > base) for name, own in others}


def bound(effect: float, tau: float, seeds: int, others: int, rate: float, *, known: bool) -> float:
    """Return the power of Dunnett's test of ``others`` recipes against one, were every ceiling known without error.

    ``tau`` is ``known``, or learned from the replicates of all recipes. The step down aside, no test at this familywise
    rate that treats the recipes alike finds more.
    """
    rng = np.random.default_rng([2027, 18])
    freedom = (others + 1) * (seeds - 1)
    normal = rng.standard_normal((others + 1, 400_000))
    null = np.abs(normal[1:] - normal[0]).max(axis=0) / np.sqrt(2.0)
    place = effect / tau / np.sqrt(2.0 / seeds)
    if known:
        critical = float(np.quantile(null, 1.0 - rate))
        return float(norm.sf(critical - place))
    critical = float(np.quantile(null / np.sqrt(rng.chisquare(freedom, null.size) / freedom), 1.0 - rate))
    return float(nct.sf(critical, freedom, place))


def _word(differs: bool, up: bool) -> Says:
    if not differs:
        return Says.UNRESOLVED
    return Says.RAISES_CEILING if up else Says.LOWERS_CEILING
