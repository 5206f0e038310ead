"""The sigmoid's posterior by Markov chains: NumPyro's NUTS with the engine's priors and likelihood.

It needs an install of its own, too heavy for the tests: ``python -m venv DIR``, ``DIR/bin/pip install numpyro==0.22.*
iminuit .`` and then ``DIR/bin/python -m benchmarks.nuts``. Without NumPyro it is skipped.

Sampled are ``m = ln(C_mid / C_last)`` and ``ln B`` from their truncated normals and ``(R0, A)`` uniform in the unit
square. The noise is integrated out: with residual ``e``, whitened sum of squares ``q_rho = <e, e>_rho``, ``n`` points,

    p(y | m, B, R0, A) = sum_rho (1 - rho^2)^(1/2 + a) (a s^2 (1 - rho^2) + q_rho / 2)^-(a + n / 2),   a = 1, s = .015.

The prior's weight .05 where ``A < R0`` is a step, which a gradient cannot see: the draws are made without it and
weighted by it afterwards, which is exact.

30 curves off the prior, an evaluation at 0 and 40 after it, ``C_last/C_mid`` and ``rho`` in turn. Targets (issue 2):
CRPS of ``R(8 C_last)`` within 5 % of NUTS, median ratio of the 80 % widths in [.95, 1.08]. Chains that did not
converge (split R-hat above 1.02) are counted.
"""

from __future__ import annotations

import importlib.util
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, crps, main, noisy
from benchmarks.designs import CORRELATIONS, RATIOS, evenly, off_prior
from rlscale.curves import Curve
from rlscale.inference import posterior
from rlscale.inference.families import SIGMOID
from rlscale.inference.noise import RHO_GRID, mean_variance
from rlscale.inference.posterior import MODEL_ERROR, MODEL_ERROR_REACH
from rlscale.inference.priors import PRIORS
from rlscale.inference.quantiles import weighted_quantiles

Floats = NDArray[np.float64]

COUNT = 40
AHEAD = 8.0
CHAINS, WARMUP, SAMPLES = 4, 400, 600
#: Stands in for ``ln 0``: the rise there is below 1e-26 for every ``B`` allowed.
FAR = -200.0


def model(x: Any, y: Any) -> None:
    """Describe the posterior to NumPyro; ``x = ln(C / C_last)`` and ``y``, both of shape (n,)."""
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.special import expit, logsumexp

    low, high = PRIORS.log_c_mid_limits
    limits = np.log(SIGMOID.b_limits)
    m = numpyro.sample("m", dist.TruncatedNormal(0.0, PRIORS.log_c_mid_sd, low=low, high=high))
    log_b = numpyro.sample(
        "log_b", dist.TruncatedNormal(SIGMOID.log_b_mean, SIGMOID.log_b_sd, low=limits[0], high=limits[1])
    )
    baseline = numpyro.sample("baseline", dist.Uniform(0.0, 1.0))
    asymptote = numpyro.sample("asymptote", dist.Uniform(0.0, 1.0))
    gap = y - baseline - (asymptote - baseline) * expit(jnp.exp(log_b) * (x - m))
    rho = jnp.asarray(RHO_GRID)[:, None]
    stationary = 1.0 - rho[:, 0] ** 2
    squares = stationary * gap[0] ** 2 + jnp.sum((gap[1:] - rho * gap[:-1]) ** 2, axis=1)
    shape = PRIORS.sigma_shape
    scale = shape * PRIORS.sigma_scale**2 * stationary + 0.5 * squares
    terms = (0.5 + shape) * jnp.log(stationary) - (shape + 0.5 * y.size) * jnp.log(scale)
    numpyro.factor("likelihood", logsumexp(terms))


def sampler() -> Any:
    """Return NumPyro's sampler of :func:`model`, in double precision."""
    import jax
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)
    return MCMC(
        NUTS(model, dense_mass=True, target_accept_prob=0.9),
        num_warmup=WARMUP,
        num_samples=SAMPLES,
        num_chains=CHAINS,
        chain_method="sequential",
        jit_model_args=True,
        progress_bar=False,
    )


def sampled(kernel: Any, x: Floats, y: Floats, seed: int) -> tuple[dict[str, Floats], Floats, float]:
    """Return draws by name, their weights and the worst split R-hat."""
    import jax
    from numpyro.diagnostics import split_gelman_rubin

    kernel.run(jax.random.PRNGKey(seed), x, y)
    chains = {name: np.asarray(values) for name, values in kernel.get_samples(group_by_chain=True).items()}
    worst = max(float(split_gelman_rubin(values)) for values in chains.values())
    flat = {name: values.ravel() for name, values in chains.items()}
    weight = np.where(flat["asymptote"] < flat["baseline"], PRIORS.falling_weight, 1.0)
    return flat, weight / weight.sum(), worst


def reward(draws: dict[str, Floats], x: Floats) -> Floats:
    """Noise-free reward at ``x = ln(C / C_last)``, shape (k,): shape (d, k)."""
    rise = SIGMOID.rise(x - draws["m"][:, None], np.exp(draws["log_b"])[:, None])
    return np.asarray(draws["baseline"][:, None] + (draws["asymptote"] - draws["baseline"])[:, None] * rise)


def log_compute(curve: Curve) -> Floats:
    """``ln(C / C_last)``, shape (n,); :data:`FAR` at compute 0."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(curve.compute / curve.compute_last), FAR)


def predictive(kernel: Any, seen: Curve, ahead: Floats) -> tuple[Floats, Floats]:
    """Return draws of the mean of the evaluations at ``ahead`` and their weights, as ``inference.predictive`` does.

    The correlation and the variance of the noise are drawn given the curve; the model error is the sigmoid's default.
    """
    rng = np.random.default_rng(67)
    x, y = log_compute(seen), (seen.reward - seen.bounds[0]) / seen.range
    draws, weight, _ = sampled(kernel, x, y, 0)
    gap = y - reward(draws, x)
    stationary = 1.0 - RHO_GRID**2
    squares = stationary * gap[:, :1] ** 2
    squares = squares + np.sum((gap[:, 1:, None] - RHO_GRID * gap[:, :-1, None]) ** 2, axis=1)
    shape = PRIORS.sigma_shape + 0.5 * y.size
    scale = PRIORS.sigma_shape * PRIORS.sigma_scale**2 * stationary + 0.5 * squares
    log_p = (0.5 + PRIORS.sigma_shape) * np.log(stationary) - shape * np.log(scale)
    chosen = np.argmax(log_p + rng.gumbel(size=log_p.shape), axis=1)
    rows = np.arange(chosen.size)
    rho, variance = RHO_GRID[chosen], scale[rows, chosen] / rng.gamma(shape, size=rows.size) / stationary[chosen]
    steps = np.maximum((ahead - seen.compute_last) / np.median(np.diff(seen.compute)[-5:]), 0.0)
    linked = np.mean(rho[:, None] ** steps, axis=1)
    left = np.maximum(mean_variance(rho, ahead.size) - linked**2, 0.0) * variance
    far = np.log(ahead / seen.compute_last)
    values = reward(draws, far).mean(axis=1) + linked * gap[:, -1]
    values += np.sqrt(left) * rng.standard_normal(rows.size)
    values += MODEL_ERROR * min(float(far[-1]), MODEL_ERROR_REACH) * rng.standard_normal(rows.size)
    return seen.bounds[0] + seen.range * values, weight


def compared(kernel: Any, ratio: float, rho: float, rng: np.random.Generator, seed: int) -> list[float]:
    """Return, for one curve, the columns of the table: scores, widths, shift of the median, R-hat and times."""
    truth, compute = off_prior(rng, rho), evenly(ratio, COUNT)
    curve, target = noisy(truth, compute, rng), AHEAD * float(compute[-1])
    right = float(truth.reward(target))
    start = time.perf_counter()
    found = posterior(curve, families=(SIGMOID,), model_error=0.0)
    ours = found.reward([target])[:, 0]
    between = time.perf_counter()
    draws, weight, worst = sampled(kernel, log_compute(curve), curve.reward, seed)
    theirs = reward(draws, np.array([np.log(AHEAD)]))[:, 0]
    end = time.perf_counter()
    low, middle, high = found.quantiles(ours, (0.1, 0.5, 0.9))
    their_low, their_middle, their_high = weighted_quantiles(theirs, weight, np.array([0.1, 0.5, 0.9]))
    width, their_width = float(high - low), float(their_high - their_low)
    scores = [crps(ours, found.weight, right), crps(theirs, weight, right)]
    shift = float(middle - their_middle) / their_width
    return [*scores, width, their_width, shift, worst, 1e3 * (between - start), end - between]


def measure(quick: bool = False) -> Report:
    """Compare scores, widths and times."""
    report = Report("nuts", "Does the quadrature agree with Markov chains, and how much faster is it?")
    if importlib.util.find_spec("numpyro") is None:
        report.skipped = "NumPyro is not installed here; benchmarks/nuts.py says how"
        return report
    kernel = sampler()
    rng = np.random.default_rng(53)
    table = report.table(
        "R(8 C_last): rlscale against NUTS",
        ["C_last/C_mid, rho", "CRPS", "CRPS NUTS", "width", "width NUTS", "shift / width", "R-hat", "ms", "s NUTS"],
    )
    rows = []
    for index in range(2 if quick else 30):
        ratio, rho = RATIOS[index % len(RATIOS)], CORRELATIONS[(index // len(RATIOS)) % len(CORRELATIONS)]
        row = compared(kernel, ratio, rho, rng, index)
        rows.append(row)
        table.add(f"{ratio:g}, {rho:g}", *(f"{value:.4f}" for value in row[:5]), *(f"{value:.3g}" for value in row[5:]))
    conclude(report, np.array(rows))
    return report


def conclude(report: Report, rows: Floats) -> None:
    """Check the targets on rows of CRPS, widths, shift, R-hat and times."""
    ours, theirs = rows[:, 0].mean(), rows[:, 1].mean()
    apart = ours / theirs - 1.0
    report.check("mean CRPS", f"{ours:.5f} v {theirs:.5f}, {100 * apart:+.1f} %", "within 5 %", abs(apart) <= 0.05)
    ratio = float(np.median(rows[:, 2] / rows[:, 3]))
    span = np.quantile(rows[:, 2] / rows[:, 3], (0.0, 1.0))
    text = f"{ratio:.3f} (all in {span[0]:.2f} to {span[1]:.2f})"
    report.check("median ratio of 80 % widths", text, ".95 to 1.08", 0.95 <= ratio <= 1.08)
    shift = np.abs(rows[:, 4])
    report.check(
        "median and largest shift of the median / width", f"{np.median(shift):.3f}, {shift.max():.3f}", "", None
    )
    report.check("chains with R-hat above 1.02", f"{int(np.sum(rows[:, 5] > 1.02))} of {len(rows)}", "", None)
    mine, chain = float(np.median(rows[:, 6])), float(np.median(rows[1:, 7]))
    report.check("time a curve", f"{mine:.1f} ms v {chain:.2f} s, {1e3 * chain / mine:.0f} x", "", None)


if __name__ == "__main__":
    main(measure)
