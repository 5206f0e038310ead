"""What the curves say of the reward at each number of rollouts per prompt: draws of all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.value import Value
from rlscale.decisions.rollouts.spread import OWN, normal, uniform
from rlscale.inference.fit import Fit
from rlscale.inference.posterior import Posterior
from rlscale.inference.verdict import VerdictName

__all__ = ["BROKEN", "DRAWS", "Levels", "broke_at", "levels_of"]

Floats = NDArray[np.float64]

#: Draws of all levels together.
DRAWS = 1024
#: Verdicts of runs that left their curve.
BROKEN = (VerdictName.COLLAPSED, VerdictName.REGIME_CHANGE)


@dataclass(frozen=True, eq=False)
class Levels(Value):
    """Draws of the noise-free reward by compute and by rollouts per prompt.

    Parameters
    ----------
    n : array, shape (m,)
        Rollouts per prompt, increasing.
    compute : array, shape (c,)
        In the curves' unit, increasing.
    reward : array, shape (m, d, c)
        Of the best recipe at each ``n``; a draw is one curve through all computes. The run-to-run spread is in it.
    first, last : array, shape (m,)
        First (above 0) and last compute evaluated at each ``n``.
    broke_at : array, shape (m,)
        Compute from which on all runs of an ``n`` have left their curve; infinite where one goes on.
    width : float
        Range of the metric, in reward.
    """

    n: Floats
    compute: Floats
    reward: Floats
    first: Floats
    last: Floats
    broke_at: Floats
    width: float

    @property
    def mean(self) -> Floats:
        """Mean reward, shape (m, c)."""
        return np.asarray(self.reward.mean(axis=1))

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether a compute lies between the evaluations at an ``n``, shape (m, c)."""
        inside = (self.first[:, None] <= self.compute) & (self.compute <= self.last[:, None])
        return np.asarray(inside & self.sound)

    @property
    def sound(self) -> NDArray[np.bool_]:
        """Whether at a compute some run of an ``n`` is still on its curve, shape (m, c)."""
        return np.asarray(self.compute <= self.broke_at[:, None])


def levels_of(fits: Mapping[int, Sequence[Fit]], compute: Floats, tau: float) -> Levels:
    """Return the levels at ``compute``, shape (c,), of fitted runs at each number of rollouts per prompt.

    A level is that of a recipe: the mean over its runs, each off by a run-to-run sd of ``tau`` (a share of the range).
    Where several recipes share an ``n`` it is that of the recipe with the highest mean at each compute.

    Parameters
    ----------
    fits : mapping of int to sequence of Fit
        All with a posterior; at least one for each ``n``.
    compute : array, shape (c,)
    tau : float
    """
    place, levels, first, last = 0, [], [], []
    width = next(iter(fits.values()))[0].run.curve.range
    for several in fits.values():
        recipes: dict[str, list[Floats]] = {}
        for fit in several:
            assert fit.posterior is not None
            reward = (
                _drawn(fit.posterior, compute, OWN + 2 * place)
                + tau * width * normal(DRAWS, OWN + 2 * place + 1)[:, None]
            )
            recipes.setdefault(fit.run.recipe, []).append(reward)
            place += 1
        pooled = np.stack([np.mean(rewards, axis=0) for rewards in recipes.values()])
        best = np.argmax(pooled.mean(axis=1), axis=0)
        levels.append(pooled[best, :, np.arange(compute.size)].T)
        curves = [fit.run.curve for fit in several]
        first.append(min(float(curve.compute[curve.compute > 0][0]) for curve in curves))
        last.append(max(curve.compute_last for curve in curves))
    return Levels(
        n=np.array(list(fits), dtype=np.float64),
        compute=compute,
        reward=np.stack(levels),
        first=np.array(first),
        last=np.array(last),
        broke_at=np.array([broke_at(several) for several in fits.values()]),
        width=width,
    )


def broke_at(fits: Sequence[Fit]) -> float:
    """Return the last compute before all runs of one number had left their curve; infinite where one goes on."""
    ends = []
    for fit in fits:
        assert fit.posterior is not None
        fitted, whole = fit.posterior.curve.compute_last, fit.run.curve.compute_last
        ends.append(fitted if fit.verdict.name in BROKEN and fitted < whole else np.inf)
    return float(max(ends))


def _drawn(posterior: Posterior, compute: Floats, coordinate: int) -> Floats:
    """Return :data:`DRAWS` equally likely curves, shape (d, c), in an order of their own."""
    total = np.cumsum(posterior.weight)
    chosen = np.searchsorted(total, uniform(DRAWS, coordinate) * total[-1])
    reward = posterior.reward(compute, model_error=True)
    return np.asarray(reward[np.minimum(chosen, total.size - 1)])
