"""What ``benchmarks/size_projects.py`` simulates and compares with is what it says it is."""

import numpy as np
import pytest
from benchmarks.size_projects import FITS, SAMPLES, SIZES, drawn_intercepts, least_squares, noise, shares_of, simulated


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.name)
def test_least_squares_finds_a_clean_law(fit):
    runs = simulated(np.random.default_rng(0), shares_of(fit, fit.E)[:-1], fit.compute, fit.unit, 1e-7, run_sd=0.0)
    law = least_squares(runs, float(SIZES[-1]))
    assert law.K_max == pytest.approx(fit.K_max, rel=1e-3)
    assert law.N0 == pytest.approx(fit.N0, rel=1e-3)
    assert law.k_new == pytest.approx(float(fit.k[-1]), rel=1e-3)
    assert law.k_sd < 1e-5


def test_noise_has_the_stated_sd_and_correlation():
    values = noise(np.random.default_rng(1), 20_000, 0.02)
    assert values.std() == pytest.approx(0.02, rel=0.03)
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.3, abs=0.03)


def test_intercepts_are_drawn_around_the_published_line():
    fit, rng = FITS[1], np.random.default_rng(2)
    reference = np.log(SAMPLES[-1])
    levels = np.array([drawn_intercepts(rng, fit) - fit.k * reference for _ in range(2000)])
    line = np.polynomial.Polynomial.fit(np.log(SIZES), fit.E - fit.k * reference, 1)(np.log(SIZES))
    assert np.median(levels, axis=0) == pytest.approx(line, abs=0.03)
    assert (np.diff(levels.std(axis=0)) > 0.0).all()
