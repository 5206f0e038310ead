"""Brute force: the posterior on a dense regular grid by textbook formulas, sharing no code with the engine."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

RHO = (0.0, 0.2, 0.4, 0.6, 0.75, 0.87)
LEVELS = (0.1, 0.5, 0.9)


def brute_force(curve, box, targets, size=(33, 33), gains=61, baselines=7):
    """Quantiles at LEVELS of A, R0, ln(C_mid/C_last), ln B and R(target * C_last), on the unit reward range.

    ``box`` = (m_low, m_high, log_b_low, log_b_high) must hold the posterior.
    """
    with np.errstate(divide="ignore"):
        x = np.log(curve.compute / curve.compute_last)
    m_axis = _middles(box[0], box[1], size[0])
    b_axis = _middles(box[2], box[3], size[1])
    edges = np.linspace(-0.02, 1.02, 8001)
    noises = {rho: _noise(curve.n_points, rho) for rho in RHO}
    names = ["A", "R0", *targets]
    parts = []
    for i, m in enumerate(m_axis):
        for j, log_b in enumerate(b_axis):
            rise = 1.0 / (1.0 + np.exp(np.minimum(-np.exp(log_b) * (x - m), 700.0)))
            shape_prior = -0.5 * (m / 1.5) ** 2 - 0.5 * ((log_b - np.log(1.7)) / 0.6) ** 2
            for rho in RHO:
                part = _linear_part(curve.reward, rise, *noises[rho], gains, baselines)
                if part is not None:
                    parts.append((shape_prior + part[0], i, j, m, log_b, part[1]))
    peak = max(part[0] for part in parts)
    found = {name: np.zeros(edges.size - 1) for name in names}
    m_mass, b_mass = np.zeros(size[0]), np.zeros(size[1])
    for log_weight, i, j, m, log_b, points in parts:
        if log_weight < peak - 16:
            continue
        weight, gain, baseline = points()
        share = np.exp(log_weight - peak) * weight
        m_mass[i] += share.sum()
        b_mass[j] += share.sum()
        values = {"A": baseline + gain, "R0": baseline}
        for target in targets:
            values[target] = baseline + gain / (1.0 + np.exp(-np.exp(log_b) * (np.log(target) - m)))
        for name in names:
            found[name] += np.histogram(values[name], edges.size - 1, (edges[0], edges[-1]), weights=share)[0]
    quantiles = {name: _quantiles(mass, edges) for name, mass in found.items()}
    quantiles["m"] = _quantiles(m_mass, np.linspace(box[0], box[1], size[0] + 1))
    quantiles["log_b"] = _quantiles(b_mass, np.linspace(box[2], box[3], size[1] + 1))
    return quantiles


def _noise(n, rho):
    """Precision of the noise at sigma = 1, and minus the logarithm of its determinant."""
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    precision = np.linalg.inv(rho**lags) if rho else np.eye(n)
    return precision, -np.linalg.slogdet(precision)[1]


def _linear_part(y, rise, precision, log_det, gains, baselines):
    """Integrate sigma, G and R0 for one shape and one correlation; log mass, and what gives weights and points."""
    n = y.size
    design = np.column_stack([np.ones(n), rise])
    normal = design.T @ precision @ design
    if np.linalg.cond(normal) > 1e12:
        return None
    best = np.linalg.solve(normal, design.T @ precision @ y)
    residual = y - design @ best
    a, b = 1.0 + 0.5 * (n - 2), 0.015**2 + 0.5 * residual @ precision @ residual
    covariance = np.linalg.inv(normal) * b / a
    spread = np.sqrt(covariance[1, 1])
    low, high = max(-1.0, best[1] - 9 * spread), min(1.0, best[1] + 9 * spread)
    if low >= high:
        return None
    gain = _middles(low, high, gains)
    density = _t_density((gain - best[1]) / spread, 2 * a) / spread * (high - low) / gains
    density *= np.where(gain < 0, 0.05, 1.0)
    mean = best[0] + covariance[0, 1] / covariance[1, 1] * (gain - best[1])
    scale = np.sqrt((b + 0.5 * (gain - best[1]) ** 2 * b / a / covariance[1, 1]) / (a + 0.5) / normal[0, 0])
    at_low = special.stdtr(2 * a + 1, (np.maximum(0, -gain) - mean) / scale)
    at_high = special.stdtr(2 * a + 1, (np.minimum(1, 1 - gain) - mean) / scale)
    weight = density * (at_high - at_low)
    if not weight.sum() > 0:
        return None
    keep = weight > weight.max() * 1e-7
    log_mass = -a * np.log(b) - 0.5 * np.linalg.slogdet(normal)[1] - 0.5 * log_det

    def points():
        u = (np.arange(baselines) + 0.5) / baselines
        level = at_low[keep, None] + u * (at_high - at_low)[keep, None]
        t = special.stdtrit(2 * a + 1, np.clip(level, 1e-15, 1 - 1e-15))
        total = np.repeat(weight[keep, None] / baselines, baselines, axis=1)
        gains = np.broadcast_to(gain[keep, None], total.shape)
        return (total / total.sum()).ravel(), gains.ravel(), (mean[keep, None] + scale[keep, None] * t).ravel()

    return log_mass + np.log(weight[keep].sum()), points


def _t_density(z, freedom):
    scale = np.exp(special.gammaln(0.5 * (freedom + 1)) - special.gammaln(0.5 * freedom)) / np.sqrt(freedom * np.pi)
    return scale * (1 + z**2 / freedom) ** (-0.5 * (freedom + 1))


def _middles(low, high, count):
    return low + (np.arange(count) + 0.5) / count * (high - low)


def _quantiles(mass, edges):
    cumulative = np.concatenate([[0.0], np.cumsum(mass)])
    return np.interp(LEVELS, cumulative / cumulative[-1], edges)


def evidence_ratio(curve, family, other):
    """Evidence of ``family`` over that of ``other``, by summation over a regular grid in every parameter."""
    return _evidence(curve, family) / _evidence(curve, other)


def _evidence(curve, family, shapes=(36, 25), levels=60):
    """Evidence up to a constant of the data: the mean likelihood over the prior, sigma^2 integrated in closed form."""
    with np.errstate(divide="ignore"):
        x = np.log(curve.compute / curve.compute_last)
    axis = _middles(0.0, 1.0, levels)
    if family.name == "flat":
        return np.mean([_likelihood(curve.reward, np.ones((1, x.size)), axis[:, None], rho).mean() for rho in RHO])
    baseline, ceiling = (each.ravel() for each in np.meshgrid(axis, axis, indexing="ij"))
    prior = np.where(ceiling < baseline, 0.05, 1.0)
    prior /= prior.sum()
    m_axis, b_axis = _middles(-5.0, 4.0, shapes[0]), _middles(*np.log(family.b_limits), shapes[1])
    m_prior = stats.norm.pdf(m_axis, 0.0, 1.5) * (m_axis[1] - m_axis[0])
    b_prior = stats.norm.pdf(b_axis, family.log_b_mean, family.log_b_sd)
    b_prior /= b_prior.sum()
    total = 0.0
    for m, of_m in zip(m_axis, m_prior, strict=True):
        for log_b, of_b in zip(b_axis, b_prior, strict=True):
            rise = family.rise(x - m, np.full(x.size, np.exp(log_b)))
            design, points = np.stack([1.0 - rise, rise]), np.column_stack([baseline, ceiling])
            total += of_m * of_b * np.mean([prior @ _likelihood(curve.reward, design, points, rho) for rho in RHO])
    return total


def _likelihood(y, design, points, rho):
    """Likelihood of the curves ``points @ design``, shape (k, n), up to a constant; sigma^2 ~ InvGamma(1, .015^2)."""
    n = y.size
    covariance = rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))) if rho else np.eye(n)
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    # in units of whitened columns: |u - p V|^2 from the sums alone
    u, v = y @ root, design @ root
    square = u @ u - 2.0 * points @ (v @ u) + np.einsum("ki,ij,kj->k", points, v @ v.T, points)
    return np.linalg.det(covariance) ** -0.5 * (0.015**2 + 0.5 * square) ** (-1.0 - 0.5 * n)
