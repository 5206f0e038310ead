import doctest

import numpy as np
import pytest

from rlscale.inference.size_law import LETTERINGS, exponent, law, midpoint_slope, shifted_intercept, unreached

SIZES = np.array([0.5, 1.5, 3.0, 7.0, 14.0, 32.0, 72.0])
#: Tan et al. (arXiv 2509.25300), table 6: K_max, N0 in billions, and k(N) to the digits printed.
TABLE = [
    (0.1518, 17.37, [0.0042, 0.0121, 0.0224, 0.0436, 0.0677, 0.0984, 0.1223]),
    (0.1349, 13.09, [0.0050, 0.0139, 0.0252, 0.0470, 0.0697, 0.0957, 0.1141]),
    (0.1443, 28.33, [0.0025, 0.0073, 0.0138, 0.0286, 0.0477, 0.0765, 0.1036]),
    (0.1276, 17.27, [0.0036, 0.0102, 0.0189, 0.0368, 0.0571, 0.0829, 0.1029]),
    (0.1631, 16.95, [0.0047, 0.0133, 0.0245, 0.0477, 0.0738, 0.1066, 0.1320]),
    (0.1484, 27.15, [0.0027, 0.0078, 0.0148, 0.0304, 0.0505, 0.0803, 0.1078]),
]


@pytest.mark.parametrize(("K_max", "N0", "printed"), TABLE)
def test_published_exponents(K_max, N0, printed):
    assert exponent(SIZES, K_max, N0) == pytest.approx(printed, abs=5.1e-5)


def test_a_published_fit_predicts_the_published_levels():
    log10_E = np.array([0.0640, 0.2074, 0.3741, 0.7045, 1.0848, 1.5359, 1.8957])
    found = unreached(1e20, exponent(SIZES, 0.13304, 13.78), log10_E * np.log(10.0))
    assert found == pytest.approx([0.935, 0.884, 0.791, 0.643, 0.555, 0.474, 0.460], abs=1e-3)


def test_a_change_of_unit_shifts_the_intercept_and_nothing_else():
    samples, factor, k, E = 2e4, 7e9 * 10**4.3, 0.05, 0.2
    assert unreached(samples * factor, k, shifted_intercept(E, k, factor)) == pytest.approx(unreached(samples, k, E))


@pytest.mark.parametrize(("beta", "gain", "floor"), [(1.0, 0.3, 0.25), (1.7, 0.07, 0.8), (0.6, 0.5, 0.01)])
def test_the_slope_of_the_s_shape_at_its_midpoint(beta, gain, floor):
    def log_share(x):
        return np.log(floor + gain / (1.0 + np.exp(beta * x)))

    step = 1e-5
    slope = -(log_share(step) - log_share(-step)) / (2.0 * step)
    assert midpoint_slope(beta, gain, floor) == pytest.approx(slope, rel=1e-8)


def test_both_letterings_are_one_law():
    k, E, compute = 0.1, 0.4, 1e4
    own, swapped = LETTERINGS
    assert own.exponent == "k(N)"
    assert swapped.exponent.startswith("E(N) there = k(N)")
    assert unreached(compute, k, E) == pytest.approx(np.exp(E) * compute**-k)


def test_examples():
    assert doctest.testmod(law).failed == 0
