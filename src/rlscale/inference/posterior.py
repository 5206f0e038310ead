"""The posterior of one curve: what the data say about every curve that could have made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from rlscale.curves import Curve
from rlscale.errors import CurveError, InputError
from rlscale.inference.ahead import Aftermath, persistence, returned, stayed
from rlscale.inference.correction import Correction
from rlscale.inference.draws import COUNT, Draws, draw
from rlscale.inference.evidence import Evidence, evidence, thinned
from rlscale.inference.families import AVERAGED, Family, name_of
from rlscale.inference.flat import flat_cells
from rlscale.inference.noise import mean_variance
from rlscale.inference.priors import PRIORS, Priors, priors_for
from rlscale.inference.walk import log_time, passed, ramps
from rlscale.inference.zoom import AVERAGED_FINE, FINE, Job, together, zoomed

__all__ = [
    "MIN_POINTS",
    "MODEL_ERROR",
    "MODEL_ERROR_REACH",
    "Posterior",
    "default_model_error",
    "posterior",
    "posteriors",
    "require_points",
    "weighted_quantiles",
]

Floats = NDArray[np.float64]

#: Fewer distinct computes above 0 than this are not fitted.
MIN_POINTS = 4
#: The default model error of one family alone, and the log-compute ahead at which it stops growing (it was measured up
#: to 4 x ahead).
MODEL_ERROR = 0.02
MODEL_ERROR_REACH = float(np.log(4.0))
#: Jobs (a curve and a family) worked on at once: enough to spread the cost of calling numpy, few enough for the cache.
JOBS = 32
#: Residuals that the noise of the whole run is worth against its recent ones.
NOISE_WEIGHT = 3.0
#: The name of persistence among the families.
PERSISTENCE = "persistence"
#: Sd of the level after a break, as a share of the range.
AFTER_SD = 0.02


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws of ``R(C) = R0 + (A - R0) s(C)``, its noise and its model error, for one curve.

    Parameters
    ----------
    families : tuple of Family
        The shapes ``s`` averaged over; one where there is no averaging.
    curve : Curve
        The points fitted.
    draws : Draws
        The draws, on the engine's scale; the properties below give them in the curve's own units.
    model_error : float, optional
        ``kappa``: forecasts carry a sd of ``kappa * min(ln(C / C_last), ln 4) * error_range``, none up to ``C_last``.
        None where it is learned from the curve: the random walk of ``walk`` and the mixtures of ``ahead``.
    block : int
        Evaluations averaged into each point fitted: 1 but for very long curves.
    priors, count
        As given to :func:`posterior`.
    aftermath : Aftermath, optional
        Where the run stands after a break that ``curve`` ends before.
    persistence : float
        Probability that the reward stays where it is; 0 but for a learned model error.
    correction : Correction, optional
        Of the forecasts, measured on finished runs like this one.
    """

    families: tuple[Family, ...]
    curve: Curve
    draws: Draws
    model_error: float | None
    block: int = 1
    priors: Priors = PRIORS
    count: int = COUNT
    aftermath: Aftermath | None = None
    persistence: float = 0.0
    correction: Correction | None = None

    @property
    def family(self) -> str:
        """Name of the family, or of the average of several."""
        return name_of(self.families)

    @property
    def leading(self) -> str:
        """Name of the family whose ``A``, ``B`` and ``C_mid`` are reported: the sigmoid of the average."""
        return self.families[0].name

    @property
    def weights(self) -> dict[str, float]:
        """Probability of each family by name, from its ``prior`` and its evidence, and of persistence."""
        share = 1.0 - self.persistence
        found = {
            family.name: share * float(self.weight[self.draws.family(k)].sum())
            for k, family in enumerate(self.families)
        }
        return {**found, PERSISTENCE: self.persistence} if self.persistence else found

    def component(self, name: str) -> Posterior:
        """Return the posterior given that the family called ``name`` is the true one, and that the run goes on so."""
        for k, family in enumerate(self.families):
            if family.name == name:
                alone = self.draws.of_family(k)
                return replace(self, families=(family,), draws=alone, aftermath=None, persistence=0.0)
        raise InputError(f"no family {name!r} in this fit; it has {', '.join(each.name for each in self.families)}")

    def thinned(self, count: int) -> Posterior:
        """Return about ``count`` equally weighted draws of this posterior, for quick looks."""
        return replace(self, draws=self.draws.thinned(count))

    def lean(self) -> Posterior:
        """Return this posterior without its noise (``sigma``, ``rho``): all that rewards need, in less memory."""
        return replace(self, draws=self.draws.lean())

    def update(self, compute: float, reward: float, **measured: float) -> Posterior:
        """Return the posterior once one more evaluation is in: the same as that of the longer curve fitted afresh.

        Parameters
        ----------
        compute, reward : float
            In the curve's units; beyond the last compute.
        **measured : float
            ``n_eval`` or ``sd`` of the evaluation, where known.

        Raises
        ------
        CurveError
            A point that the curve cannot take, or a curve so long that it was averaged: fit the whole of it again.
        """
        if self.block > 1:
            raise CurveError("the evaluations were averaged in blocks for the fit; fit the longer curve instead")
        return self.refitted(self.curve.appended(compute, reward, **measured))

    def refitted(self, curve: Curve, *, count: int | None = None) -> Posterior:
        """Return the posterior of another curve, all else as here but for the number of draws where it is given."""
        found = posterior(
            curve,
            families=self.families,
            model_error=self.model_error,
            priors=self.priors,
            count=count or self.count,
        )
        return found.after(self.aftermath).corrected(self.correction)

    def corrected(self, correction: Correction | None) -> Posterior:
        """Return this posterior with its forecasts corrected so, or not at all."""
        return self if correction == self.correction else replace(self, correction=correction)

    def after(self, aftermath: Aftermath | None) -> Posterior:
        """Return this posterior of a run that has broken off ``curve``; a given model error leaves it as it is."""
        return self if aftermath is None or self.model_error is not None else replace(self, aftermath=aftermath)

    @property
    def weight(self) -> Floats:
        """Weights, shape (d,), summing to 1."""
        return self.draws.weight

    @property
    def baseline(self) -> Floats:
        """``R0``, shape (d,), in reward."""
        return self.curve.bounds[0] + self.curve.span * self.draws.baseline

    @property
    def asymptote(self) -> Floats:
        """``A`` without model error, shape (d,), in reward."""
        return self.curve.bounds[0] + self.curve.span * (self.draws.baseline + self.draws.gain)

    @property
    def exponent(self) -> Floats:
        """``B``, shape (d,)."""
        return self.draws.b_within

    @property
    def midpoint(self) -> Floats:
        """``C_mid``, shape (d,), in the curve's unit."""
        return self.curve.compute_last * np.exp(self.draws.m_within)

    @property
    def sigma(self) -> Floats:
        """Marginal sd of the evaluation noise, shape (d,), in reward."""
        return self.curve.span * self.draws.sigma

    def reward(self, compute: ArrayLike, *, model_error: bool = False, single: bool = False) -> Floats:
        """Noise-free reward at ``compute``.

        Parameters
        ----------
        compute : array, shape (k,)
            In the curve's unit; ``inf`` is the asymptote, 0 the baseline.
        model_error : bool
            Add the model error, kept within the bounds: the same draw of a given one at every compute; of a learned one
            the walk so far and to come, persistence, and what may follow a break. Beyond the last compute the
            correction, where there is one. Else the law alone.
        single : bool
            Take the rises in single precision: an error of 1e-7 of the range, in a third of the time.

        Returns
        -------
        array, shape (d, k)
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        if not model_error:
            return self._law(compute, single).T
        if self.model_error is not None:
            value = self._law(compute, single)
            value += self.draws.model * self.model_sd(compute)[:, None]
            return self._moved(self._inside(value), compute).T
        value = self._expected(compute, single)
        value += self.draws.model * self._walk_ahead(compute)
        self._inside(value)
        ahead = compute > self.curve.compute_last
        if ahead.any():
            value[ahead] = self._mixed(value[ahead])
        return self._moved(value, compute).T

    def _moved(self, value: Floats, compute: Floats, bounds: tuple[float, float] | None = None) -> Floats:
        """Correct rewards, shape (k, d), at ``compute``, shape (k,)."""
        if self.correction is None:
            return value
        return self.correction.applied(value, self.weight, self._ahead(compute), bounds or self.curve.bounds)

    def expected(self, compute: ArrayLike, *, single: bool = False) -> Floats:
        """Noise-free reward at ``compute``, shape (k,), if nothing unforeseen happened from now on: shape (d, k).

        The law and, of a learned model error, the walk so far, kept within the bounds, and what follows a break.
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        if self.model_error is not None:
            return self._law(compute, single).T
        value = self._inside(self._expected(compute, single))
        ahead = compute > self.curve.compute_last
        if self.aftermath is not None and ahead.any():
            value[ahead] = self._broken(value[ahead])
        return value.T

    def _law(self, compute: Floats, single: bool) -> Floats:
        """Reward by the law alone, shape (k, d)."""
        value = self._rises(self._ahead(compute), np.float32 if single else np.float64)
        value *= self.curve.span * self.draws.gain
        value += self.baseline
        return value

    def _expected(self, compute: Floats, single: bool) -> Floats:
        """Reward by the law and the walk so far, shape (k, d)."""
        value = self._law(compute, single)
        past = compute < self.curve.compute_last
        value[~past] += self.curve.span * self.draws.drift
        if past.any() and self.draws.noises.amplitude.any():
            value[past] += self.curve.span * self._walked(compute[past])
        return value

    def _walked(self, compute: Floats) -> Floats:
        """Return the walk expected before the last evaluation, given all of them and where it ends: shape (k, d)."""
        data = evidence(self.curve, early=True, walk=True, priors=self.priors)
        terms = data.walk
        assert terms is not None
        walk, draws = terms.walk, self.draws
        weight = 1.0 if data.schedule.weight is None else data.schedule.weight
        law = (self._law(self.curve.compute, False) - self.curve.bounds[0]) / self.curve.span
        residual = data.columns[0] - weight * law.T  # (d, n)
        ramp = walk.turn @ ramps(walk.knots, log_time(self._ahead(compute)))  # (c, r, k)
        place, amplitude = np.divmod(draws.noise_cell, draws.noises.amplitude.size)
        path = np.zeros((compute.size, draws.m.size))
        for c in np.unique(place).tolist():
            own = place == c
            factor = terms.factor[c, amplitude[own]]  # (d', r)
            step = factor * (residual[own] @ walk.columns[c].T)
            last = factor * walk.last[c]
            variance = last @ walk.last[c]
            slope = np.divide(
                draws.drift[own] - step @ walk.last[c], variance, out=np.zeros(variance.size), where=variance > 0.0
            )
            path[:, own] = ((step + last * slope[:, None]) @ ramp[c]).T
        return path

    def _walk_ahead(self, compute: Floats) -> Floats:
        """Sd of the walk to come at ``compute``, shape (k,), of each draw, in reward: shape (k, d)."""
        return np.asarray(np.sqrt(passed(self._ahead(compute)))[:, None] * (self.curve.span * self.draws.walk_sd))

    def _mixed(self, value: Floats) -> Floats:
        """Let rewards ahead, shape (k, d), stay where they are, or come back from a break, as likely as that is."""
        if self.persistence:
            stays = self.draws.stay < self.persistence
            value = np.where(stays, stayed(self.curve, self.priors.ahead, self.draws.noise), value)
        return value if self.aftermath is None else self._broken(value)

    def stayed(self) -> Floats:
        """Draws of the reward if it stays where the last evaluation left it, or the break, shape (d,)."""
        value = stayed(self.curve, self.priors.ahead, self.draws.noise)
        return value if self.aftermath is None else self._broken(value[None])[0]

    def _broken(self, value: Floats) -> Floats:
        assert self.aftermath is not None
        value = returned(value, self.aftermath, self.priors.ahead, self.draws.back)
        value += AFTER_SD * self.curve.error_range * self.draws.noise
        return self._inside(value)

    def _inside(self, value: Floats) -> Floats:
        """Keep rewards within the bounds, in place."""
        low, high = self.curve.bounds
        return np.minimum(np.maximum(value, low, out=value), high, out=value)

    def _rises(self, ahead: Floats, kind: type[np.floating[Any]] = np.float64) -> Floats:
        """Share ``s`` of the gain at log-computes ``ahead`` of the last, shape (k,): (k, d), in long rows."""
        m, b = self.draws.m, self.draws.b
        share = np.ones((ahead.size, m.size))
        near = ahead < np.inf  # all of the gain at infinity; what does not rise has none
        if not near.all():
            if near.any():
                share[near] = self._rises(ahead[near], kind)
            return share
        for k, family in enumerate(self.families):
            own = self.draws.family(k)
            share[:, own] = family.rise((ahead[:, None] - m[own]).astype(kind, copy=False), b[None, own].astype(kind))
        return share

    def model_sd(self, compute: Floats) -> Floats:
        """Sd of the model error that is still to come at ``compute``, any shape, in reward."""
        ahead = self._ahead(compute)
        if self.model_error is None:
            typical = self.curve.span * np.sqrt(self.mean(self.draws.walk_sd**2))
            return np.asarray(typical * np.sqrt(passed(ahead)))
        return np.asarray(self.model_error * self.curve.error_range * np.clip(ahead, 0.0, MODEL_ERROR_REACH))

    def _ahead(self, compute: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(compute) - np.log(self.curve.compute_last))

    def mean_reward(self, compute: ArrayLike) -> Floats:
        """Predictive of the mean of the evaluations still to come at ``compute``, shape (k,): shape (d,).

        Noise-free mean, model error at the last of them, and the noise of a mean of ``k`` successive evaluations given
        the deviation ``e`` of the last one seen: with ``w`` the mean of ``rho^j`` over the ``j`` evaluations that each
        lies ahead, its mean is ``w e`` and its variance ``sigma^2 (v - w^2)``, ``v`` that of ``noise.mean_variance``;
        under a given model error times :meth:`recent_noise`. Evaluations stay within the metric's bounds, or as far
        outside as some were. Where the reward stays, or has broken off, nothing of ``e`` is left.
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        seen = self.curve
        steps = np.maximum((compute - seen.compute_last) / np.median(np.diff(seen.compute)[-5:]), 0.0)
        linked = np.mean(self.draws.rho[:, None] ** steps, axis=1)
        deviation = seen.reward[-1] - self.reward([seen.compute_last])[:, 0]
        value = self.reward(compute).mean(axis=1)
        low, high = min(seen.bounds[0], seen.reward.min()), max(seen.bounds[1], seen.reward.max())
        variance = mean_variance(self.draws.rho, compute.size)
        if self.model_error is not None:
            variance = np.maximum(variance - linked**2, 0.0) * self.recent_noise()
            noise = linked * deviation + self.draws.noise * self.sigma * np.sqrt(variance)
            value = value + self.draws.model * self.model_sd(compute[-1:]) + noise
            return np.asarray(self._moved(np.clip(value, low, high)[None], compute[-1:], (low, high))[0])
        drift = seen.span * self.draws.drift
        value = value + drift + self.draws.model * self._walk_ahead(compute[-1:])[0]
        if self.aftermath is not None:
            linked = np.zeros(linked.size)
        elif self.persistence:
            linked = np.where(self.draws.stay < self.persistence, 0.0, linked)
        value = self._mixed(self._inside(value)[None])[0]
        # ``noise`` is the coordinate of what else may happen; the place within a cell is of no use here
        normal = ndtri(self.draws.up)
        variance = np.maximum(variance - linked**2, 0.0)
        value = value + linked * (deviation - drift) + normal * self.sigma * np.sqrt(variance)
        return np.asarray(self._moved(np.clip(value, low, high)[None], compute[-1:], (low, high))[0])

    def recent_noise(self) -> float:
        """Return the noise variance of recent evaluations over that of all, shrunk to 1.

        The first part of a run scatters more: the law is least exact where the reward moves fast. The later half of the
        residuals stands against ``sigma^2``, the latter worth :data:`NOISE_WEIGHT` of them; kept within a factor of 4.
        """
        few = self.thinned(257)
        residual = self.curve.reward - few.reward(self.curve.compute).mean(axis=0)
        recent = residual[-max(4, -(-residual.size // 2)) :]
        expected = float(self.mean(self.sigma**2))
        ratio = (NOISE_WEIGHT + float(recent @ recent) / expected) / (NOISE_WEIGHT + recent.size)
        return float(np.clip(ratio, 0.25, 4.0))

    def quantiles(self, values: Floats, levels: ArrayLike) -> Floats:
        """Posterior quantiles of ``values``, shape (d,) or (d, k): shape (levels,) or (levels, k)."""
        return weighted_quantiles(values, self.weight, levels)

    def probability(self, event: NDArray[np.bool_]) -> float:
        """Posterior probability of ``event``, shape (d,)."""
        return min(float(self.weight @ event), 1.0)

    def mean(self, values: Floats) -> Floats:
        """Posterior mean of ``values``, shape (d,) or (d, k)."""
        return np.asarray(self.weight @ values)


def posterior(
    curve: Curve,
    *,
    families: Sequence[Family] = AVERAGED,
    model_error: float | None = None,
    priors: Priors | None = None,
    count: int = COUNT,
) -> Posterior:
    """Fit one curve: the posterior of its parameters by deterministic quadrature.

    Parameters
    ----------
    curve : Curve
        At least :data:`MIN_POINTS` evaluations at compute above 0.
    families : sequence of Family
        The shapes of the rise, each weighted by its ``prior`` and its evidence.
    model_error : float, optional
        ``kappa`` of :class:`Posterior`; by default :func:`default_model_error`: learned for several families.
    priors : Priors, optional
        See ``priors``; by default those that go with the model error.
    count : int
        Draws, a power of two.

    Raises
    ------
    CurveError
        Too few points.
    """
    return next(posteriors((curve,), families=families, model_error=model_error, priors=priors, count=count))


def posteriors(
    curves: Iterable[Curve],
    *,
    families: Sequence[Family] = AVERAGED,
    model_error: float | None = None,
    priors: Priors | None = None,
    count: int = COUNT,
) -> Iterator[Posterior]:
    """Fit many curves, a few at a time: faster for each than :func:`posterior`, with the same results.

    Parameters
    ----------
    curves : iterable of Curve
        Read a few ahead of what is returned. Curves of one schedule one after the other are fastest.
    families, model_error, priors, count
        As for :func:`posterior`.

    Yields
    ------
    Posterior
        Of each curve, in order.

    Raises
    ------
    CurveError
        Too few points.
    """
    kappa = default_model_error(families) if model_error is None else model_error
    walk = kappa is None
    priors = priors or priors_for(kappa)
    size = max(1, JOBS // len(families))
    rest = iter(curves)
    while chunk := list(islice(rest, size)):
        for curve in chunk:
            require_points(curve)
        made = [thinned(curve) for curve in chunk]
        data = [evidence(curve, early=len(families) > 1, walk=walk, priors=priors) for curve, _ in made]
        for (curve, block), draws in zip(made, _drawn(data, families, priors, count), strict=True):
            stay = persistence(curve, priors.ahead) if walk else 0.0
            yield Posterior(tuple(families), curve, draws, kappa, block, priors, count, persistence=stay)


def _drawn(data: Sequence[Evidence], families: Sequence[Family], priors: Priors, count: int) -> Iterator[Draws]:
    """Return the draws of each curve."""
    shapes = [family for family in families if family.rises]
    still = [family for family in families if not family.rises]
    fine = FINE if len(shapes) == 1 else AVERAGED_FINE
    parts = []
    if shapes:
        parts.append(zoomed([Job(each, family) for each in data for family in shapes], priors, fine=fine))
    parts += [flat_cells(data, family, priors) for family in still]
    cells = parts[0] if len(parts) == 1 else together(*parts)
    for k, each in enumerate(data):
        job = iter(range(k * len(shapes), (k + 1) * len(shapes)))
        yield draw(
            cells,
            [next(job) if family.rises else len(shapes) * len(data) + k for family in families],
            each.noises,
            priors,
            ceiling=each.ceiling,
            count=count,
        )


def default_model_error(families: Sequence[Family]) -> float | None:
    """Return the default ``kappa``: :data:`MODEL_ERROR` for one family; None for several, it is learned then."""
    return MODEL_ERROR if len(families) == 1 else None


def require_points(curve: Curve) -> None:
    """Raise :class:`CurveError` where ``curve`` has fewer than :data:`MIN_POINTS` evaluations above compute 0."""
    if curve.n_trained < MIN_POINTS:
        raise CurveError(f"{curve.n_trained} evaluations at compute above 0; a fit needs at least {MIN_POINTS}")


def weighted_quantiles(values: Floats, weight: Floats, levels: ArrayLike) -> Floats:
    """Quantiles of weighted draws: the inverse of the CDF that is linear between the draws' mid-weights.

    Parameters
    ----------
    values : array, shape (d,) or (d, k)
    weight : array, shape (d,)
        Non-negative, summing to 1.
    levels : array, shape (q,)
        In [0, 1].

    Returns
    -------
    array, shape (q,) or (q, k)
    """
    levels = np.asarray(levels, dtype=np.float64)
    if values.ndim == 2:
        return np.stack([weighted_quantiles(column, weight, levels) for column in values.T], axis=-1)
    order = np.argsort(values)
    ordered = weight.take(order)
    return np.asarray(np.interp(levels, np.cumsum(ordered) - 0.5 * ordered, values.take(order)))
