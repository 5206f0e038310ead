import numpy as np
import pytest

from rlscale.inference.noise import RHO_GRID, at_correlations, columns, mean_variance


def test_form_equals_the_whitened_product():
    rng = np.random.default_rng(0)
    v, w = rng.normal(size=(2, 57))
    found = at_correlations(RHO_GRID) @ (columns(v) @ w)
    for rho, value in zip(RHO_GRID, found, strict=True):
        direct = (1 - rho**2) * v[0] * w[0] + np.sum((v[1:] - rho * v[:-1]) * (w[1:] - rho * w[:-1]))
        assert value == pytest.approx(direct, rel=1e-12)


def test_form_equals_the_inverse_covariance():
    rng = np.random.default_rng(1)
    v, w = rng.normal(size=(2, 9))
    rho = 0.6
    covariance = rho ** np.abs(np.subtract.outer(np.arange(9), np.arange(9))) / (1 - rho**2)
    found = at_correlations(np.array([rho])) @ (columns(v) @ w)
    assert found == pytest.approx([v @ np.linalg.inv(covariance) @ w])


def test_mean_variance_against_the_double_sum():
    rho, m = 0.75, 7
    double = np.sum(rho ** np.abs(np.subtract.outer(np.arange(m), np.arange(m)))) / m**2
    assert mean_variance(np.array([rho]), m) == pytest.approx([double])
    assert mean_variance(np.array([0.0, 0.5]), 1) == pytest.approx([1.0, 1.0])
