import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference.least_squares import least_squares

from .helpers import sigmoid_curve


@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_noiseless_truth_to_1e_6(ratio):
    found = least_squares(sigmoid_curve(ratio=ratio, n=41, sigma=0.0, C_mid=2542.0))
    assert found.A == pytest.approx(0.6, abs=1e-6)
    assert found.R0 == pytest.approx(0.2, abs=1e-6)
    assert found.B == pytest.approx(1.9, rel=1e-6)
    assert found.C_mid == pytest.approx(2542.0, rel=1e-6)
    assert found.at_bound == ()


def test_minimum_agrees_with_migrad():
    from iminuit import Minuit

    curve = sigmoid_curve(ratio=3, n=40, sigma=0.02, seed=3)

    def cost(r0, a, log_b, m):
        with np.errstate(divide="ignore"):
            z = np.exp(log_b) * (np.log(curve.compute) - m)
        return float(np.sum((r0 + (a - r0) / (1 + np.exp(-z)) - curve.reward) ** 2))

    found = least_squares(curve)
    oracle = Minuit(cost, r0=0.2, a=0.5, log_b=0.5, m=0.0)
    oracle.errordef = 1e-4
    oracle.migrad()
    assert found.rss == pytest.approx(oracle.fval, rel=1e-6)


def test_held_asymptote():
    found = least_squares(sigmoid_curve(ratio=3, sigma=0.01), asymptote=0.7)
    assert found.A == 0.7
    assert found.B < 1.9


def test_edge_is_named():
    compute = np.linspace(0, 1, 20)
    found = least_squares(Curve(compute=compute, reward=0.1 + 0.3 * compute**2))
    assert "A" in found.at_bound


def test_too_few_points():
    with pytest.raises(CurveError, match=r"^3 evaluations at compute above 0; a fit needs at least 4$"):
        least_squares(Curve(compute=[1, 2, 3], reward=[0.1, 0.2, 0.3]))
