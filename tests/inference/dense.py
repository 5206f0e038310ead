"""Brute force of the posterior with a learned model error, by textbook formulas; no code shared with the engine."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from .oracle import _t_density

LEVELS = np.array([0.1, 0.5, 0.9])


class Dense:
    """The textbook posterior of one curve by summation: (m, ln B, noise) on a regular grid, the rest by the t.

    The covariance of the evaluations is written out, with a Brownian motion that runs straight between twelve knots;
    given the shape and the noise, ``(R0, A)`` is a t cut off at the bounds, and given them the reward ahead is one.
    """

    def __init__(self, curve, families, priors, targets, steps=None):
        """``targets`` in last computes; ``steps`` evaluations ahead, else the noise-free reward."""
        self.targets, self.steps = np.array(targets), steps
        self.y, self.n, self.families, self.priors = curve.reward, curve.n_points, families, priors
        self.scale = priors.sigma_scale**2
        share = curve.compute / curve.compute[-1]
        self.x = np.log(np.maximum(share, 1e-300))
        self.early = np.where(share > 0.0, 1.0 + np.clip(-self.x - np.log(8.0), 0.0, np.log(8.0)), 1.0)
        u = np.log(1.0 + 8.0 * share)
        few = np.count_nonzero(u) <= 12
        ends = np.concatenate([[0.0], u[u > 0.0] if few else u[-1] * np.arange(1, 13) / 12])
        line = np.stack([np.interp(u, ends, each) for each in np.eye(ends.size)], axis=1)
        self.brownian = line @ np.minimum.outer(ends, ends) @ line.T
        self.ahead = np.log(1.0 + 8.0 * np.minimum(self.targets, 4.0)) - np.log(9.0)
        later = np.diff(self.y[self.n // 2 :])
        jitter = np.sqrt(0.5 * np.mean(later**2))
        rise = np.mean(self.y[-max(3, self.n // 5) :]) - np.mean(self.y[: max(1, self.n // 10)])
        sd = (0.005 + 0.02 * min(max(rise, 0.0), 1.0) + 0.6 * jitter) / max(jitter, 0.004)
        grid = [
            (rho, multiple * sd, p)
            for rho in priors.walk.correlations
            for multiple, p in zip(priors.walk.amplitudes, priors.walk.weights, strict=True)
        ]
        self.noises = [self._noise(*each) for each in grid]

    def _noise(self, rho, amplitude, probability):
        """Of the marginal variance: what the formulas below need of the covariance, ``y`` and the walk at the end."""
        lags = np.abs(np.subtract.outer(np.arange(self.n), np.arange(self.n)))
        correlated = np.where(lags == 0, 1.0, rho**lags) * np.outer(self.early, self.early)
        covariance = correlated + amplitude**2 * self.brownian
        inverse = np.linalg.inv(covariance)
        cross, total = amplitude**2 * self.brownian[-1], amplitude**2 * self.brownian[-1, -1]
        if self.steps is not None:
            cross, total = cross + rho ** (self.steps + np.arange(self.n)[::-1]) * self.early, total + 1.0
        pull = cross @ inverse
        spare = total - pull @ cross
        log_mass = np.log(probability) - 0.5 * np.linalg.slogdet(covariance)[1]
        return inverse, log_mass, pull, spare + amplitude**2 * self.ahead

    def _part(self, rises, at, noise, gains=25, baselines=15, rest=31):
        """Log evidence of a shape under a noise, and what gives rewards at the targets, (t, d), with weights (d,)."""
        inverse, log_mass, pull, spare = noise
        design = np.ones((self.n, 1)) if rises is None else np.column_stack([np.ones(self.n), rises])
        columns = design.shape[1]
        normal = design.T @ inverse @ design
        if np.linalg.cond(normal) > 1e12:
            return None
        best = np.linalg.solve(normal, design.T @ inverse @ self.y)
        left = self.y - design @ best
        a, b = 1.0 + 0.5 * (self.n - columns), self.scale + 0.5 * left @ inverse @ left
        log_mass = log_mass - a * np.log(b) - 0.5 * np.linalg.slogdet(normal)[1] + special.gammaln(a)
        log_mass += 0.5 * columns * np.log(2.0 * np.pi)
        spread = np.linalg.inv(normal) * b / a
        if rises is None:
            gain, density = np.zeros(1), np.ones(1)
            mean, scale, freedom = best[:1], np.sqrt(spread[:1, 0]), 2.0 * a
        else:
            sd = np.sqrt(spread[1, 1])
            low, high = max(-1.0, best[1] - 8.0 * sd), min(1.0, best[1] + 8.0 * sd)
            if low >= high:
                return None
            edges = np.linspace(low, high, gains + 1)
            gain = 0.5 * (edges[1:] + edges[:-1])
            density = _t_density((gain - best[1]) / sd, 2.0 * a) / sd * (high - low) / gains
            density *= np.where(gain < 0.0, self.priors.falling_weight, 1.0) / (0.5 + 0.5 * self.priors.falling_weight)
            mean = best[0] + spread[0, 1] / spread[1, 1] * (gain - best[1])
            square = ((gain - best[1]) / sd) ** 2
            scale = np.sqrt(b / normal[0, 0] * (1.0 + square / (2.0 * a)) / (a + 0.5))
            freedom = 2.0 * a + 1.0
        ends = (np.array([np.maximum(0.0, -gain), np.minimum(1.0, 1.0 - gain)]) - mean) / scale
        below, upto = special.stdtr(freedom, ends)
        weight = density * (upto - below)
        if not weight.sum() > 0.0:
            return None

        def points():
            near = weight > weight.max() * 1e-5
            kept = weight[near] / weight[near].sum()
            level = below[near] + (np.arange(baselines) + 0.5)[:, None] / baselines * (upto - below)[near]
            start = mean[near] + scale[near] * special.stdtrit(freedom, np.clip(level, 1e-15, 1.0 - 1e-15))
            start, rise = start.ravel(), np.tile(gain[near], baselines)
            apart = self.y - (start[:, None] + (0.0 if rises is None else rise[:, None] * rises))
            b_given = self.scale + 0.5 * np.einsum("dn,dn->d", apart @ inverse, apart)
            a_given = 1.0 + 0.5 * self.n
            z = special.stdtrit(2.0 * a_given, (np.arange(rest) + 0.5) / rest)
            law = start + (np.zeros(self.targets.size) if rises is None else at)[:, None] * rise
            value = (law + apart @ pull)[:, :, None] + np.sqrt(b_given / a_given * spare[:, None])[:, :, None] * z
            return value.reshape(self.targets.size, -1), np.repeat(np.tile(kept / baselines, baselines) / rest, rest)

        return log_mass + np.log(weight.sum()), points

    def _parts(self, family, box, shapes):
        """Log mass and points of every shape of a family under every noise."""
        if not family.rises:
            each = [self._part(None, None, noise) for noise in self.noises]
            return [(np.log(family.prior) + log_mass, points) for log_mass, points in each]
        (m_axis, m_step), (b_axis, b_step) = (_middles(*each, n) for each, n in zip(box, shapes, strict=True))
        mean, sd = family.log_b_mean, family.log_b_sd
        prior_b = stats.truncnorm(*(np.log(family.b_limits) - mean) / sd, mean, sd)
        ahead, parts = np.log(np.minimum(self.targets, 1e30)), []
        for m in m_axis:
            for log_b in b_axis:
                prior = np.log(family.prior * m_step * b_step) + stats.norm.logpdf(m, 0.0, 1.5) + prior_b.logpdf(log_b)
                rises, at = (family.rise(x - m, np.full(x.size, np.exp(log_b))) for x in (self.x, ahead))
                each = [self._part(rises, at, noise) for noise in self.noises]
                parts += [(prior + part[0], part[1]) for part in each if part is not None]
        return parts

    def answers(self, boxes, shapes):
        """Return the quantiles of the reward at the targets, shape (3, t), and the weight of each family.

        ``boxes`` are the edges of ``m`` and of ``ln B`` that hold the posterior of each family that rises, ``shapes``
        the cells on each axis.
        """
        families = enumerate(zip(self.families, [*boxes, None], strict=True))
        parts = [(k, *part) for k, (family, box) in families for part in self._parts(family, box, shapes)]
        peak = max(log_mass for _, log_mass, _ in parts)
        edges = np.linspace(-0.5, 1.5, 20_001)
        mass, totals = np.zeros((self.targets.size, edges.size - 1)), np.zeros(len(self.families))
        for k, log_mass, points in parts:
            own = np.exp(log_mass - peak)
            totals[k] += own
            if own > np.exp(-9.0):
                values, share = points()
                for t, value in enumerate(values):
                    mass[t] += np.histogram(value, edges.size - 1, (edges[0], edges[-1]), weights=own * share)[0]
        cumulative = np.cumsum(mass, axis=1) / mass.sum(axis=1, keepdims=True)
        quantiles = np.stack([np.interp(LEVELS, each, edges[1:]) for each in cumulative], axis=1)
        return np.clip(quantiles, 0.0, 1.0), totals / totals.sum()


def _middles(low, high, count):
    step = (high - low) / count
    return low + (np.arange(count) + 0.5) * step, step
