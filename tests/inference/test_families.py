import numpy as np
import pytest

from rlscale.errors import InputError
from rlscale.inference.families import FAMILIES, family_named

Z = np.linspace(-30, 30, 2001)


@pytest.fixture(params=sorted(FAMILIES))
def family(request):
    return FAMILIES[request.param]


def test_rises_monotonically_from_zero_to_one(family):
    rise = family.rise(Z)
    assert np.all(np.diff(rise) >= 0)
    assert rise.min() >= 0
    assert rise.max() <= 1


def test_limits_and_midpoint(family):
    assert family.rise(np.array([-np.inf, 0.0, np.inf])) == pytest.approx([0.0, 0.5, 1.0])


def test_slope_is_the_derivative(family):
    z, h = np.linspace(-6, 6, 101), 1e-5
    finite = (family.rise(z + h) - family.rise(z - h)) / (2 * h)
    assert family.slope(z) == pytest.approx(finite, abs=1e-9)


def test_single_precision_stays_single(family):
    assert family.rise(Z.astype(np.float32)).dtype == np.float32


def test_published_form():
    compute, mid, b = np.array([10.0, 2542.0, 8000.0]), 2542.0, 1.92
    z = b * (np.log(compute) - np.log(mid))
    assert family_named("sigmoid").rise(z) == pytest.approx(1 / (1 + (mid / compute) ** b))


def test_unknown_family_names_what_there_is():
    with pytest.raises(InputError, match=r"^unknown family 'cubic'; give --family with one of sigmoid$"):
        family_named("cubic")
