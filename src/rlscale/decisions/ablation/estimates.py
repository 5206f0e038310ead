"""What each run says of its ceiling under one shape of curve that all runs share, and how far runs scatter.

The families of curves disagree about a ceiling by more than seeds do, but runs of one ablation share task, metric and
most of the recipe: which family is right is a question to all of them together. So effects are taken within a family,
where its bias is the same on both sides and leaves the difference, and the families are weighted by their evidence in
all runs, ``w_f ~ prior_f prod_i (evidence_if)^(n^-1/2)``: what the shape of one run says, that of the next repeats in
part. The same holds of how fast a curve bends: within a family ``ln B_i ~ N(b, s^2)``, ``b`` and ``s`` learned from all
runs. Where runs do not say ``B`` themselves that is most of what a fit leaves open of ``A``, and it moves the ceilings
of all runs alike: what is uncertain of ``b`` is an error that they share. Conditioning is that of normal variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.grounds import p_past_midpoint
from rlscale.inference.posterior import Posterior

__all__ = ["CEILING", "LEVEL", "Estimates", "Scattered", "estimates_of", "scattered"]

Floats = NDArray[np.float64]

#: Families less likely than this, by all runs together, are left out.
_UNLIKELY = 1e-3
#: The least sd of ``ln B`` over the runs of an ablation; over published recipes (ScaleRL, Table 1) it is .13.
BEND_SD = 0.15
#: Columns of the estimates: the ceiling, and the reward at the common compute.
CEILING, LEVEL = 0, 1


@dataclass(frozen=True, eq=False)
class Estimates:
    """What the runs say, shape by shape; ``r`` runs, ``f`` families.

    Parameters
    ----------
    families : tuple of str
    weight : array, shape (f,)
        Joint probability of each family.
    mean, variance : array, shape (f, r, 2)
        Of the noise-free reward without end and at the common compute, if nothing unforeseen happens.
    bend : array, shape (f, r, 2)
        What one sd of the shared ``b`` adds to either; an error with a sign, that all runs have in common.
    misfit : array, shape (f, r)
        Sd of what may still happen to the ceiling; shared by runs of one task.
    parts : tuple of tuple of Posterior
        The posterior of each run, by family.
    past_midpoint : array, shape (r,)
        Probability that ``C_mid < C_last``.
    """

    families: tuple[str, ...]
    weight: Floats
    mean: Floats
    variance: Floats
    bend: Floats
    misfit: Floats
    parts: tuple[tuple[Posterior, ...], ...]
    past_midpoint: Floats

    def averaged(self, column: int) -> tuple[Floats, Floats]:
        """Return mean and variance of each run, shape (r,) each, averaged over the families."""
        return self.weight @ self.mean[:, :, column], self.weight @ self.variance[:, :, column]


@dataclass(frozen=True)
class Scattered:
    """A run-to-run sd, the degrees of freedom behind it, and those of them that are replicates."""

    sd: float
    freedom: float
    replicates: int


def estimates_of(posteriors: Sequence[Posterior], at: float, groups: Sequence[Sequence[int]]) -> Estimates:
    """Return what runs say of their ceilings and of their rewards at a compute.

    Parameters
    ----------
    posteriors : sequence of Posterior
        Of one axis and metric, at least one.
    at : float
        In their unit.
    groups : sequence of sequences of int
        Places of runs with equal settings.
    """
    families = [family for family in posteriors[0].families if family.rises]
    logs = np.array([_evidence(run, [family.name for family in families]) for run in posteriors])
    prior = np.log([family.prior for family in families])
    joint = prior + logs.sum(axis=0) / np.sqrt(len(posteriors))
    weight = np.exp(joint - joint.max())
    weight /= weight.sum()
    kept = np.flatnonzero(weight > _UNLIKELY)
    parts = tuple(tuple(_part(run, families[f].name) for run in posteriors) for f in kept)
    mean, variance, bend = (np.array(each) for each in zip(*(_bent(own, at, groups) for own in parts), strict=True))
    return Estimates(
        families=tuple(families[f].name for f in kept),
        weight=weight[kept] / weight[kept].sum(),
        mean=mean,
        variance=variance,
        bend=bend,
        misfit=np.array([[float(part.model_sd(np.array([np.inf]))[0]) for part in own] for own in parts]),
        parts=parts,
        past_midpoint=np.array([p_past_midpoint(run) for run in posteriors]),
    )


def _evidence(run: Posterior, names: Sequence[str]) -> Floats:
    """Return the log evidence of each rising family, up to a constant."""
    prior = {family.name: family.prior for family in run.families}
    likely = np.array([run.weights.get(name, 1.0) / prior[name] for name in names])
    likely = np.maximum(likely, 1e-12)
    return np.asarray(np.log(likely / likely.sum()))


def _part(run: Posterior, name: str) -> Posterior:
    """Return a run's posterior under a family; under all where that has no draw of its own."""
    if len(run.families) == 1 or run.weights.get(name, 0.0) < 1e-9:
        return run
    return run.component(name)


def _bent(own: Sequence[Posterior], at: float, groups: Sequence[Sequence[int]]) -> tuple[Floats, Floats, Floats]:
    """Return mean and variance of the ceiling and of the reward at a compute, shape (r, 2), where runs share ``b``.

    With ``beta`` the slope of a quantity along ``ln B ~ N(m, v)`` of a run and ``w = v / (v + s^2)``, its mean moves by
    ``beta w (b - m)``, its variance by ``-beta^2 w v``, and one sd of ``b`` moves it by ``beta w sd(b)``: the third
    array. ``s`` is that of all runs, and for a recipe whose mean stands apart from ``b`` that distance: its runs say
    themselves how they bend.
    """
    moments = np.array([_moments(part, at) for part in own])  # run, (mean, variance, slope), quantity
    exponent = np.array([_exponent(part) for part in own])
    mean, variance, slope = moments[:, 0], moments[:, 1], moments[:, 2]
    m, v = exponent[:, 0], exponent[:, 1]
    between = float(np.var(m, ddof=1) - v.mean()) if len(own) > 1 else 0.0
    s2 = max(BEND_SD**2, between)
    precision = 1.0 / (v + s2)
    b = float(precision @ m / precision.sum())
    sd = float(precision.sum() ** -0.5 * len(own) ** 0.25)
    apart = np.zeros(len(own))
    for places in map(list, groups):
        apart[places] = (m[places].mean() - b) ** 2 - v[places].mean() / np.sqrt(len(places)) if places else 0.0
    share = (v / (v + np.maximum(s2, apart)))[:, None]
    moved = mean + slope * share * (b - m)[:, None]
    left = np.maximum(variance - slope**2 * share * v[:, None], 0.0)
    return moved, left, slope * share * sd


def _moments(part: Posterior, at: float) -> Floats:
    """Return mean, variance and slope along ``ln B``, shape (3, 2)."""
    values = part.expected([np.inf, at])
    mean = part.mean(values)
    bend = np.log(part.exponent)
    off = bend - part.mean(bend)
    variance = float(part.mean(off**2))
    slope = part.mean(off[:, None] * (values - mean)) / max(variance, 1e-12)
    return np.stack([mean, part.mean((values - mean) ** 2), slope])


def _exponent(part: Posterior) -> tuple[float, float]:
    """Return mean and variance of ``ln B``."""
    bend = np.log(part.exponent)
    mean = float(part.mean(bend))
    return mean, float(part.mean((bend - mean) ** 2))


def scattered(
    mean: Floats, variance: Floats, cells: Sequence[Sequence[int]], prior: tuple[float, float], given: float | None
) -> Scattered:
    """Return the run-to-run sd of a quantity, from runs with equal settings, shrunk to a prior.

    ``tau^2 = (w tau0^2 + max(0, S)) / (w + sum_c (n_c - 1))`` with ``S = sum_c [sum_i (x_i - x_c)^2 - (n_c - 1) v_c]``,
    ``v_c`` the mean posterior variance in a cell: as ``rlscale.inference.pool.seed_spread``.

    Parameters
    ----------
    mean, variance : array, shape (r,)
        Of each run.
    cells : sequence of sequences of int
        Places of runs with equal settings.
    prior : (float, float)
        ``tau0`` and ``w``, its degrees of freedom.
    given : float, optional
        The sd itself.
    """
    if given is not None:
        return Scattered(given, np.inf, 0)
    squares, replicates = 0.0, 0
    for cell in cells:
        if len(cell) < 2:
            continue
        own = mean[list(cell)]
        squares += float(np.sum((own - own.mean()) ** 2)) - (len(cell) - 1) * float(variance[list(cell)].mean())
        replicates += len(cell) - 1
    sd0, weight = prior
    learned = (weight * sd0**2 + max(squares, 0.0)) / (weight + replicates)
    return Scattered(float(np.sqrt(learned)), max(weight + replicates, 1.0), replicates)
