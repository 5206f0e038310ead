"""Projects of several model sizes with a known law, from published constants, and the paper's own fit of them.

Source of the constants: Tan et al., "Scaling Behaviors of LLM RL Post-Training" (arXiv 2509.25300), the fits in the
authors' repository (four fits of seven sizes, intercepts given there in log10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import UncheckedCurve
from rlscale.curves import Run
from rlscale.decisions.sizes.grouping import SizedRuns
from rlscale.inference.size_law import exponent
from rlscale.inference.size_law.trend import AMPLITUDE, OWN, WORTH

Floats = NDArray[np.float64]

SIZES = np.array([0.5, 1.5, 3.0, 7.0, 14.0, 32.0, 72.0]) * 1e9
SAMPLES = 512.0 * np.arange(1, 106)
#: Samples to FLOPs at each size: ``C = N D phi``, ``log10 phi`` lies between 4.2 and 4.5 in the published fits.
PHI = 10**4.3
RHO, RUN_SD, RUNS = 0.3, 0.01, 3


@dataclass(frozen=True)
class Published:
    """A published fit of all seven sizes."""

    name: str
    unit: str
    K_max: float
    N0: float
    log10_E: tuple[float, ...]

    @property
    def k(self) -> Floats:
        """Exponents of the seven sizes."""
        return exponent(SIZES, self.K_max, self.N0)

    @property
    def E(self) -> Floats:
        """Intercepts, natural logarithm."""
        return np.array(self.log10_E) * np.log(10.0)

    @property
    def compute(self) -> Floats:
        """Compute of each evaluation, shape (7, 105), in ``unit``."""
        return np.outer(SIZES * PHI if self.unit == "flops" else np.ones(SIZES.size), SAMPLES)


FITS = (
    Published("base, compute", "flops", 0.133041868, 13.7815999e9,
              (0.0640274, 0.2074213, 0.3740656, 0.7044669, 1.0848158, 1.5358831, 1.8957451)),
    Published("base, samples", "samples", 0.139955910, 13.0029653e9,
              (0.0040459, 0.0308627, 0.0476605, 0.0712973, 0.1146346, 0.1535184, 0.1848615)),
    Published("instruct, compute", "flops", 0.129415507, 19.0692805e9,
              (0.0348470, 0.1288847, 0.2442797, 0.4936482, 0.8163342, 1.2621445, 1.6910059)),
    Published("instruct, samples", "samples", 0.143788298, 19.9720752e9,
              (-0.0083334, 0.0008497, -0.0003148, -0.0014657, 0.0215338, 0.0631895, 0.1386320)),
)  # fmt: skip


def noise(rng: np.random.Generator, count: int, sd: float) -> Floats:
    """Return AR(1) noise of marginal sd ``sd``, shape (count,)."""
    steps = rng.standard_normal(count) * np.sqrt(1.0 - RHO**2)
    steps[0] /= np.sqrt(1.0 - RHO**2)
    for t in range(1, count):
        steps[t] += RHO * steps[t - 1]
    return sd * steps


def simulated(
    rng: np.random.Generator,
    shares: Sequence[Floats],
    compute: Floats,
    unit: str,
    sd: float,
    run_sd: float = RUN_SD,
    per_size: int = RUNS,
) -> list[Run]:
    """Return the runs of some sizes from their ``L``, one of shape (105,) a size."""
    return [
        Run(
            name=f"{SIZES[i] / 1e9:g}B-{r}", recipe=f"{SIZES[i] / 1e9:g}B", seed=r, model_params=float(SIZES[i]),
            curve=UncheckedCurve(
                compute=compute[i], unit=unit,
                reward=1.0 - share * np.exp(run_sd * rng.standard_normal()) + noise(rng, share.size, sd),
            ),
        )
        for i, share in enumerate(shares)
        for r in range(per_size)
    ]  # fmt: skip


def grouped(runs: Sequence[Run]) -> SizedRuns:
    """Return simulated runs by size, without a look at them."""
    sizes = sorted({float(run.model_params or 0.0) for run in runs})
    members = tuple(tuple(k for k, run in enumerate(runs) if run.model_params == size) for size in sizes)
    return SizedRuns(tuple(runs), tuple(sizes), members, 1.0)


def shares_of(fit: Published, E: Floats, k: Floats | None = None) -> list[Floats]:
    """Return ``L`` of each size along its run."""
    slopes = fit.k if k is None else k
    return [np.exp(E[i] - slopes[i] * np.log(fit.compute[i])) for i in range(SIZES.size)]


def drawn_intercepts(rng: np.random.Generator, fit: Published) -> Floats:
    """Draw ``E`` of the seven sizes from the sub-model, its line that of the published ones."""
    reference = float(np.mean(np.log(fit.compute[:-1, -1])))
    at = np.log(SIZES / SIZES[0])
    line = np.polynomial.Polynomial.fit(at, fit.E - fit.k * reference, 1)(at)
    low, high = np.minimum(at[:, None], at), np.maximum(at[:, None], at)
    covariance = low**2 * (3.0 * high - low) / 6.0 + OWN * np.eye(at.size)
    amplitude = np.sqrt(WORTH * AMPLITUDE**2 / rng.chisquare(WORTH))
    return line + amplitude * np.linalg.cholesky(covariance) @ rng.standard_normal(at.size) + fit.k * reference


@dataclass(frozen=True)
class LeastSquares:
    """The paper's fit: ``K_max``, ``N0``, and the exponent of a size with its sd as of independent points."""

    K_max: float
    N0: float
    k_new: float
    k_sd: float


def least_squares(runs: Sequence[Run], new: float) -> LeastSquares:
    """Fit by least squares in ``log L``, each size of equal weight and with its own ``E``; ``N0`` within its bounds."""
    from scipy.optimize import minimize_scalar

    size = np.concatenate([np.full(run.curve.n_points, run.model_params) for run in runs])
    x = np.log(np.concatenate([run.curve.compute for run in runs]))
    y = np.log(np.maximum(1.0 - np.concatenate([run.curve.reward for run in runs]), 1e-3))
    for each in np.unique(size):  # each size's own intercept
        x[size == each] -= x[size == each].mean()
        y[size == each] -= y[size == each].mean()

    def solved(log_n0: float) -> tuple[float, float]:
        g = x / (1.0 + np.exp(log_n0) / size)
        constant = -(g @ y) / (g @ g)
        return constant, float(np.sum((y + constant * g) ** 2))

    log_n0 = float(minimize_scalar(lambda v: solved(v)[1], bounds=(np.log(1e8), np.log(1e11)), method="bounded").x)
    constant, squares = solved(log_n0)
    saturation = 1.0 / (1.0 + np.exp(log_n0) / size)
    jacobian = -np.stack([saturation * x, -constant * saturation * (1.0 - saturation) * x], axis=1)
    covariance = np.linalg.inv(jacobian.T @ jacobian) * squares / (size.size - np.unique(size).size - 2)
    g = 1.0 / (1.0 + np.exp(log_n0) / new)
    by = np.array([g, -constant * g * (1.0 - g)])
    return LeastSquares(constant, float(np.exp(log_n0)), constant * g, float(np.sqrt(by @ covariance @ by)))


def refitted_reward(runs: Sequence[Run], k: float, at: float) -> float:
    """Return the reward at a compute with ``E`` refitted on runs of that size, ``k`` given, as the paper does."""
    levels = [np.log(np.maximum(1.0 - run.curve.reward, 1e-3)) + k * np.log(run.curve.compute) for run in runs]
    return float(1.0 - np.exp(np.mean(levels) - k * np.log(at)))
