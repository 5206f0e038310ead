"""Statistical tests: fixed seeds, known truths, stated tolerances, and a negative control that must fail."""

import numpy as np
import pytest

from rlscale.curves import Truth, simulate
from rlscale.inference import FitOptions, VerdictName, fit
from rlscale.inference.posterior import posterior
from rlscale.inference.walk import Noises

#: Table 1 of ScaleRL (arXiv 2510.13786, A.13): C_mid in GPU-hours, B, A.
TABLE_1 = {
    "ScaleRL": (2542, 1.92, 0.610),
    "32k": (11272, 1.89, 0.645),
    "8gen": (2542, 2.44, 0.585),
    "24gen": (3054, 2.22, 0.590),
    "32gen": (2936, 2.07, 0.595),
    "Scout": (4242, 1.65, 0.710),
    "bs512": (2818, 1.77, 0.605),
    "bs2048": (10909, 1.70, 0.645),
    "math": (2896, 2.05, 0.595),
    "code": (1675, 1.09, 0.615),
}


def covered(level, count, seed, rhos=(0.0, 0.5)):
    """Share of ``count`` curves whose interval at ``level`` holds the noise-free reward at 4 times the last compute."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(count):
        truth = Truth(
            R0=rng.uniform(0.05, 0.3),
            A=rng.uniform(0.4, 0.9),
            B=rng.lognormal(np.log(1.5), 0.4),
            C_mid=1.0,
            sigma=rng.uniform(0.008, 0.03),
            rho=rng.choice(rhos),
        )
        last = rng.choice([1.0, 2.0, 4.0, 8.0])
        curve = simulate(truth, np.linspace(0, last, 40), rng=rng)
        fitted = posterior(curve, model_error=0.0)
        low, high = fitted.quantiles(fitted.reward([4 * last])[:, 0], [0.5 - level / 2, 0.5 + level / 2])
        hits += low <= truth.reward(4 * last) <= high
    return hits / count


def test_intervals_cover_as_stated():
    """80 % intervals cover 78 to 94 % off the prior (300 curves, one standard error 2 %)."""
    assert 0.78 <= covered(0.8, 300, seed=11) <= 0.94


def test_negative_control_wrong_noise_fails_it(monkeypatch):
    """Told that evaluations are independent, the engine must fail the same test on correlated ones."""
    import sys

    assert covered(0.8, 200, seed=11, rhos=(0.8,)) > 0.72
    independent = Noises(np.zeros(2), np.zeros(1), np.zeros(2))
    monkeypatch.setattr(sys.modules["rlscale.inference.evidence"], "STILL", independent)
    assert covered(0.8, 200, seed=11, rhos=(0.8,)) < 0.65


@pytest.fixture(scope="module")
def table_1():
    rows = {}
    for name, (c_mid, b, a) in TABLE_1.items():
        truth = Truth(R0=0.2, A=a, B=b, C_mid=c_mid, sigma=0.004)
        compute = np.arange(0, 8001, 150)
        rows[name] = [
            fit(simulate(truth, compute, rng=np.random.default_rng(seed), unit="gpu-hours")) for seed in range(20)
        ]
    return rows


@pytest.mark.parametrize("name", ["ScaleRL", "8gen", "24gen", "32gen", "bs512", "math"])
def test_published_rows_are_recovered(table_1, name):
    a = TABLE_1[name][2]
    within = sum(abs(found.asymptote.q50 - a) <= 0.02 for found in table_1[name])
    assert within >= 18


@pytest.mark.parametrize("name", TABLE_1)
def test_published_ceilings_are_covered(table_1, name):
    a = TABLE_1[name][2]
    assert sum(found.asymptote.q10 <= a <= found.asymptote.q90 for found in table_1[name]) >= 14


@pytest.mark.parametrize("name", ["32k", "bs2048"])
def test_rows_short_of_their_midpoint_are_not_resolved(table_1, name):
    assert all(found.verdict.name != VerdictName.RESOLVED for found in table_1[name])


@pytest.mark.parametrize(
    ("ratio", "options", "low", "high"),
    [(0.3, {}, 0.0, 0.05), (8.0, {}, 0.5, 1.0), (8.0, {"model_error": 0.0}, 0.75, 1.0)],
)
def test_ceiling_is_resolved_late_and_not_early(ratio, options, low, high):
    rng = np.random.default_rng(5)
    resolved = []
    for _ in range(100):
        truth = Truth(
            R0=rng.uniform(0.05, 0.3),
            A=rng.uniform(0.4, 0.9),
            B=rng.lognormal(np.log(1.5), 0.4),
            C_mid=1.0,
            sigma=0.01,
        )
        curve = simulate(truth, np.linspace(0, ratio, 40), rng=rng)
        resolved.append(fit(curve, options=FitOptions(**options)).verdict.name == VerdictName.RESOLVED)
    assert low <= np.mean(resolved) <= high


@pytest.mark.parametrize("start", [0.02, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("baseline", [0.0, 0.2])
def test_logs_that_start_late_cover_the_ceiling(start, baseline):
    rng = np.random.default_rng(17)
    hits = 0
    for _ in range(150):
        truth = Truth(R0=baseline, A=rng.uniform(0.4, 0.9), B=rng.lognormal(np.log(1.5), 0.4), C_mid=1.0, sigma=0.015)
        curve = simulate(truth, np.linspace(start, rng.choice([1.0, 2.0, 4.0]), 40), rng=rng)
        low, high = (fitted := posterior(curve, model_error=0.0)).quantiles(fitted.asymptote, [0.1, 0.9])
        hits += low <= truth.A <= high
    assert hits / 150 >= 0.72
