"""How long to explore several recipes before one of them gets the rest of the budget.

Each recipe goes on by the same further compute ``e``, then the one with the highest expected reward at the end gets all
that is left. The truth is drawn from the posteriors, many times; what would be believed after ``e`` is the regression
of the reward at the end on the evaluations to come (linear and normal: a preposterior analysis, H. Raiffa and
R. Schlaifer, Applied Statistical Decision Theory, 1961). No data are simulated and no curve is fitted again. With
``x`` the mean levels of a few stretches of the evaluations to come and ``y`` the reward at the end::

    E[y | x] = E y + b'(x - E x),   b = (Cov x + K + V)^-1 (Cov(x, y) + k)

``Cov`` is over the paths of a recipe, ``K`` and ``k`` are those of the model error to come (a Brownian motion: what it
has done by ``e`` says what it has done, not where it goes), ``V`` is the noise of the evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rlscale.decisions.plan.answer import Split, SplitPoint
from rlscale.decisions.plan.paths import Paths, recipe_paths, shuffled
from rlscale.inference.posterior import Posterior

__all__ = ["split"]

Floats = NDArray[np.float64]

#: Truths drawn, ways of splitting that are compared, nodes of a path and stretches of the evaluations to come.
_PATHS, _WAYS, _NODES, _STRETCHES = 1024, 24, 48, 4
#: The spacing of the evaluations to come is that of so many last ones.
_RECENT = 12


def split(
    recipes: Sequence[tuple[str, Sequence[Posterior]]],
    left: float,
    worth: float,
    lasts: Mapping[str, float] | None = None,
) -> Split:
    """Split the compute that is left into exploring the recipes and committing to one.

    Parameters
    ----------
    recipes : sequence of (str, sequence of Posterior)
        The fitted runs of each, at least one recipe; its furthest run is the one that goes on.
    left : float
        Further compute of all together, in the runs' unit, above 0.
    worth : float
        What exploring longer has to gain, in reward.
    lasts : mapping of str to float, optional
        What each has been run to, where that is more than was fitted of it, in the runs' unit.

    Returns
    -------
    Split
        The shortest exploring whose expected reward of the chosen recipe at the end is within ``worth`` of the highest:
        the curve is flat around its top, and recipes of ceilings that nobody has seen make exploring look better than
        it is.
    """
    names = tuple(name for name, _ in recipes)
    prospects = [_prospect(runs, left, number, (lasts or {}).get(name)) for number, (name, runs) in enumerate(recipes)]
    longest = left / len(prospects)
    ways = [0.0] if len(prospects) < 2 else np.linspace(0.0, longest, _WAYS + 1).tolist()
    points = tuple(_point(prospects, explore, left) for explore in ways)
    highest = max(point.reward for point in points)
    best = next(point for point in points if point.reward >= highest - worth)
    return Split(names, left, best.explore_each, best.commit, best.p_right, best.reward, points)


@dataclass(frozen=True, eq=False)
class _Prospect:
    """One recipe as it may go on.

    Parameters
    ----------
    paths : Paths
        From its last compute on.
    runs : tuple of Posterior
    last : float
        Its last compute, in the runs' unit.
    step : float
        Compute between two evaluations.
    variance, long_run : float
        Of the noise of one evaluation, and of the mean of many times their number, in reward squared.
    truth, drift, noise : arrays, shape (d,)
        Which path is the truth in each draw; standard normal coordinates of the model error and of what is observed.
    """

    paths: Paths
    runs: tuple[Posterior, ...]
    last: float
    step: float
    variance: float
    long_run: float
    truth: NDArray[np.intp]
    drift: Floats
    noise: Floats

    def error(self, computes: Floats) -> Floats:
        """Covariance of the model error to come at computes, shape (c,): (c, c), in reward squared."""
        sd = np.max([run.model_sd(computes) for run in self.runs], axis=0)
        if self.runs[0].model_error is not None:  # a given one is the same draw at every compute
            return np.asarray(np.outer(sd, sd))
        return np.asarray(np.minimum(*np.meshgrid(sd**2, sd**2)))

    def foreseen(self, explore: float, commit: float) -> tuple[Floats, Floats]:
        """Return what is expected of the end after exploring, and the end, of each draw: (d,), (d,)."""
        seen = self.last + explore * (np.arange(1, _STRETCHES + 1) / _STRETCHES)
        end = self.last + explore + commit
        values = self.paths.at(np.append(seen, end), steady=True)
        error = self.error(np.append(seen, end))
        x, y = values[:-1, self.truth], values[-1, self.truth]
        evaluations = explore / self.step / _STRETCHES
        y = y + np.sqrt(error[-1, -1]) * self.drift
        if evaluations * _STRETCHES < 1.0:
            return np.full(y.size, y.mean()), y
        variance = min(self.long_run / evaluations, self.variance / min(evaluations, 1.0))
        centred = x - x.mean(axis=1, keepdims=True)
        observed = error[:-1, :-1] + variance * np.eye(_STRETCHES)
        spread = centred @ centred.T / y.size + observed
        together = centred @ (values[-1, self.truth] - values[-1].mean()) / y.size + error[:-1, -1]
        # far beyond the ceilings all stretches tell the same, without noise: of equal answers the least weights
        weight = np.linalg.lstsq(spread, together, rcond=1e-12)[0]
        # of the observed error, the part that goes along with the error at the end, and the rest
        along = float(weight @ error[:-1, -1]) / max(np.sqrt(error[-1, -1]), 1e-300)
        rest = np.sqrt(max(float(weight @ observed @ weight) - along**2, 0.0))
        return y.mean() + weight @ centred + along * self.drift + rest * self.noise, y


def _prospect(runs: Sequence[Posterior], left: float, number: int, last: float | None) -> _Prospect:
    furthest = max(runs, key=lambda run: run.curve.compute_last)
    curve, last = furthest.curve, last or furthest.curve.compute_last
    recent = curve.compute[curve.compute > 0.0][-_RECENT:]
    variance = furthest.mean(furthest.sigma**2)
    rho = float(furthest.mean(furthest.draws.rho))
    drift, noise = (ndtri((shuffled(_PATHS, 3 * number + k) + 0.5) / _PATHS) for k in (1, 2))
    return _Prospect(
        paths=recipe_paths(runs, np.geomspace(last, last + left, _NODES), _PATHS),
        runs=tuple(runs),
        last=last,
        step=float(np.median(np.diff(recent))),
        variance=float(variance),
        long_run=float(variance) * (1.0 + rho) / (1.0 - rho),
        truth=shuffled(_PATHS, 3 * number),
        drift=drift,
        noise=noise,
    )


def _point(prospects: Sequence[_Prospect], explore: float, left: float) -> SplitPoint:
    commit = max(left - len(prospects) * explore, 0.0)
    foreseen = [prospect.foreseen(explore, commit) for prospect in prospects]
    believed, ends = np.stack([each for each, _ in foreseen]), np.stack([end for _, end in foreseen])
    chosen = np.argmax(believed, axis=0)
    draw = np.arange(ends.shape[1])
    return SplitPoint(
        explore_each=float(explore),
        commit=float(commit),
        p_right=float(np.mean(np.argmax(ends, axis=0) == chosen)),
        reward=float(np.mean(ends[chosen, draw])),
    )
