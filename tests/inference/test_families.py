import numpy as np
import pytest

from rlscale.errors import InputError
from rlscale.inference.families import AVERAGE, AVERAGED, FAMILIES, FLAT, SIGMOID, TWO_SLOPE, families_named, name_of

X = np.linspace(-30, 30, 2001)


def test_published_form():
    compute, mid, b = np.array([10.0, 2542.0, 8000.0]), 2542.0, 1.92
    x = np.log(compute) - np.log(mid)
    assert SIGMOID.rise(x, np.array([b])) == pytest.approx(1 / (1 + (mid / compute) ** b))


def test_two_slopes_form():
    """The formula as written, with the fast midpoint found by bisection."""
    from scipy.optimize import brentq

    b = 1.4

    def written(x):
        return 0.65 / (1 + np.exp(-b * x)) + 0.35 / (1 + np.exp(-0.5 * b * (x - 3.0)))

    half = brentq(lambda x: written(x) - 0.5, -10, 10, xtol=1e-14)
    assert TWO_SLOPE.rise(X, np.full(X.size, b)) == pytest.approx(written(X + half), abs=1e-12)


def test_flat_never_rises():
    assert not FLAT.rise(X, np.ones(1)).any()
    assert not any(slope.any() for slope in FLAT.slopes(X, np.ones(1)))


def test_within_moves_the_prior_and_nothing_else():
    moved = SIGMOID.within(0.4, shift=0.5, narrower=0.5)
    log_b = np.linspace(*np.log(SIGMOID.b_limits), 5001)
    density = np.exp(moved.log_prior_b(log_b))
    step = log_b[1] - log_b[0]
    assert density.sum() * step == pytest.approx(0.4, rel=1e-3)
    assert (density @ log_b) / density.sum() == pytest.approx(SIGMOID.log_b_mean + 0.5, abs=0.01)
    assert moved.rise is SIGMOID.rise


def test_average_is_a_prior():
    assert sum(family.prior for family in AVERAGED) == pytest.approx(1.0)
    assert AVERAGED[0].name == "sigmoid"


def test_names_go_there_and_back():
    for name in (*FAMILIES, AVERAGE):
        assert name_of(families_named(name)) == name


def test_unknown_family_names_what_there_is():
    with pytest.raises(InputError, match=r"^unknown family 'cubic'; give family with one of average, sigmoid"):
        families_named("cubic")
