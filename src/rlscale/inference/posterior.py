"""The posterior of one curve: what the data say about every curve that could have made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves import Curve
from rlscale.curves.value import Value
from rlscale.errors import CurveError, InputError
from rlscale.inference.ahead import PERSISTENCE, Aftermath, Ahead
from rlscale.inference.correction import Correction
from rlscale.inference.draws import COUNT, Draws, drawn
from rlscale.inference.evidence import evidence, thinned
from rlscale.inference.families import AVERAGED, Family, families_for, name_of
from rlscale.inference.priors import PRIORS, Priors, priors_for
from rlscale.inference.quantiles import weighted_quantiles
from rlscale.inference.shapes import shapes_of
from rlscale.inference.walk import passed
from rlscale.inference.walk_before import walk_before

__all__ = [
    "MIN_POINTS",
    "MODEL_ERROR",
    "MODEL_ERROR_REACH",
    "Posterior",
    "default_model_error",
    "posterior",
    "posteriors",
    "require_points",
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


@dataclass(frozen=True, eq=False, repr=False)
class Posterior(Value):
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
    ahead : Ahead, optional
        What else may happen, where the model error is learned.
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
    ahead: Ahead | None = None
    correction: Correction | None = None

    def __repr__(self) -> str:
        return f"Posterior({self.family}, {self.draws.weight.size} draws, of {self.curve!r})"

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
        stay = 0.0 if self.ahead is None else self.ahead.persistence
        families = {
            family.name: (1.0 - stay) * float(self.weight[self.draws.family(k)].sum())
            for k, family in enumerate(self.families)
        }
        return {**families, PERSISTENCE: stay} if stay else families

    def component(self, name: str) -> Posterior:
        """Return the posterior given that the family called ``name`` is the true one, and that the run goes on so."""
        for k, family in enumerate(self.families):
            if family.name == name:
                ahead = None if self.ahead is None else self.ahead.nothing()
                return replace(self, families=(family,), draws=self.draws.of_family(k), ahead=ahead)
        raise InputError(f"no family {name!r} in this fit; it has {', '.join(each.name for each in self.families)}")

    def thinned(self, count: int) -> Posterior:
        """Return about ``count`` equally weighted draws of this posterior, for quick looks."""
        return replace(self, draws=self.draws.thinned(count))

    def unpacked(self) -> Posterior:
        """Return a posterior whose draws were packed in double precision again."""
        return replace(self, draws=self.draws.unpacked())

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
            A point that the curve cannot take, a run that has broken off what was fitted, or a curve so long that it
            was averaged: fit the whole of it again.
        """
        if self.ahead is not None and self.ahead.aftermath is not None:
            raise CurveError("the run has left the curve that was fitted; fit the longer run instead")
        if self.block > 1:
            raise CurveError("the evaluations were averaged in blocks for the fit; fit the longer curve instead")
        return self.refitted(self.curve.appended(compute, reward, **measured))

    def refitted(self, curve: Curve, *, count: int | None = None) -> Posterior:
        """Return the posterior of another curve, all else as here but for the number of draws where it is given.

        Raises
        ------
        InputError
            This is a :meth:`component`: what its model error is, the families tell together.
        """
        if self.ahead is not None and len(self.families) == 1:
            raise InputError(f"{self.family!r} is one family of an average; fit the longer curve by all of them")
        fitted = posterior(
            curve,
            families=self.families,
            model_error=self.model_error,
            priors=self.priors,
            count=count or self.count,
        )
        aftermath = None if self.ahead is None else self.ahead.aftermath
        return fitted.after(aftermath).corrected(self.correction)

    def corrected(self, correction: Correction | None) -> Posterior:
        """Return this posterior with its forecasts corrected so, or not at all."""
        return self if correction == self.correction else replace(self, correction=correction)

    def after(self, aftermath: Aftermath | None) -> Posterior:
        """Return this posterior of a run that has broken off ``curve``; a given model error leaves it as it is."""
        if aftermath is None or self.ahead is None:
            return self
        return replace(self, ahead=replace(self.ahead, aftermath=aftermath))

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

    def reward(self, compute: ArrayLike, *, model_error: bool = False) -> Floats:
        """Noise-free reward at ``compute``.

        Parameters
        ----------
        compute : array, shape (k,)
            In the curve's unit; ``inf`` is the asymptote, 0 the baseline.
        model_error : bool
            Add the model error, kept within the bounds: the same draw of a given one at every compute; of a learned one
            the walk so far and to come, persistence, and what may follow a break. Beyond the last compute the
            correction, where there is one. Else the law alone.

        Returns
        -------
        array, shape (d, k)
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        value = self._law(compute)
        ahead = self.ahead
        if model_error and ahead is None:
            value += self.draws.model * self.model_sd(compute)[:, None]
            value = np.clip(value, *self.curve.bounds)
        elif model_error and ahead is not None:
            value = np.clip(value + self._walk(compute), *self.curve.bounds)
            later = compute > self.curve.compute_last
            value[later] = ahead.mixed(value[later], self.draws)
        return self.moved(value, compute).T if model_error else value.T

    def moved(self, value: Floats, compute: Floats, bounds: tuple[float, float] | None = None) -> Floats:
        """Correct rewards, shape (k, d), at ``compute``, shape (k,), inside the bounds of the metric or those given."""
        if self.correction is None:
            return value
        return self.correction.applied(value, self.weight, self._log_ahead(compute), bounds or self.curve.bounds)

    def expected(self, compute: ArrayLike) -> Floats:
        """Noise-free reward at ``compute``, shape (k,), if nothing unforeseen happens from now on: shape (d, k).

        The law and, of a learned model error, the walk so far, kept within the bounds, and what follows a break.
        """
        compute = np.atleast_1d(np.asarray(compute, dtype=np.float64))
        value = self._law(compute)
        if self.ahead is not None:
            value = np.clip(value + self._walk(compute, so_far=True), *self.curve.bounds)
            later = compute > self.curve.compute_last
            value[later] = self.ahead.broken(value[later], self.draws)
        return value.T

    def walk(self, compute: ArrayLike) -> Floats:
        """Learned model error at ``compute``, shape (k,), in reward: shape (d, k); see ``walk``."""
        return self._walk(np.atleast_1d(np.asarray(compute, dtype=np.float64))).T

    def _law(self, compute: Floats) -> Floats:
        """Reward by the law alone, shape (k, d)."""
        value = self._rises(self._log_ahead(compute))
        value *= self.curve.span * self.draws.gain
        value += self.baseline
        return value

    def _walk(self, compute: Floats, so_far: bool = False) -> Floats:
        """Walk at computes, shape (k, d); with ``so_far`` it stands still after the last evaluation."""
        log_ahead = self._log_ahead(compute)
        walk = np.tile(self.draws.drift.astype(np.float64), (compute.size, 1))
        if not so_far:
            walk += np.sqrt(passed(log_ahead))[:, None] * (self.draws.walk_sd * self.draws.model)
        past = log_ahead < 0.0
        if past.any() and self.draws.noises.amplitude.any():
            law = (self._law(self.curve.compute) - self.curve.bounds[0]) / self.curve.span
            walk[past] = walk_before(self.curve, self.draws, law.T, log_ahead[past], self.priors)
        walk *= self.curve.span
        return walk

    def _rises(self, ahead: Floats) -> Floats:
        """Share ``s`` of the gain at log-computes ``ahead`` of the last, shape (k,): (k, d), in long rows."""
        share = np.ones((ahead.size, self.draws.column.size))
        near = ahead < np.inf  # all of the gain at infinity; what does not rise has none
        if near.any():
            shapes = shapes_of(self.draws)
            share[near] = shapes.rises(self.families, ahead[near]).take(shapes.place, axis=1)
        return share

    def model_sd(self, compute: Floats) -> Floats:
        """Sd of the model error that is still to come at ``compute``, any shape, in reward."""
        ahead = self._log_ahead(compute)
        if self.model_error is None:
            typical = self.curve.span * np.sqrt(self.mean(self.draws.walk_sd**2))
            return np.asarray(typical * np.sqrt(passed(ahead)))
        return np.asarray(self.model_error * self.curve.error_range * np.clip(ahead, 0.0, MODEL_ERROR_REACH))

    def _log_ahead(self, compute: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(compute) - np.log(self.curve.compute_last))

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

    Examples
    --------
    >>> import rlscale
    >>> curve = rlscale.Curve(compute=[0, 10, 20, 40, 80, 160], reward=[0.1, 0.16, 0.3, 0.47, 0.6, 0.66])
    >>> rlscale.posterior(curve).curve.n_points
    6
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
    families = families_for(tuple(families), kappa)
    walk = kappa is None
    priors = priors or priors_for(kappa)
    size = max(1, JOBS // len(families))
    rest = iter(curves)
    while chunk := list(islice(rest, size)):
        for curve in chunk:
            require_points(curve)
        made = [thinned(curve) for curve in chunk]
        data = [evidence(curve, early=len(families) > 1, walk=walk, priors=priors) for curve, _ in made]
        for (curve, block), draws in zip(made, drawn(data, families, priors, count), strict=True):
            ahead = Ahead.of(curve, priors.ahead) if walk else None
            yield Posterior(families, curve, draws, kappa, block, priors, count, ahead)


def default_model_error(families: Sequence[Family]) -> float | None:
    """Return the default ``kappa``: :data:`MODEL_ERROR` for one family; None for several, it is learned then."""
    return MODEL_ERROR if len(families) == 1 else None


def require_points(curve: Curve) -> None:
    """Raise :class:`CurveError` where ``curve`` has fewer than :data:`MIN_POINTS` evaluations above compute 0."""
    if curve.n_trained < MIN_POINTS:
        raise CurveError(f"{curve.n_trained} evaluations at compute above 0; a fit needs at least {MIN_POINTS}")
