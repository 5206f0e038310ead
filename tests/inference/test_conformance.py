from dataclasses import replace

import numpy as np
import pytest

from rlscale.inference.families import AVERAGED, FAMILIES, SIGMOID
from rlscale.inference.families.conformance import faults


@pytest.mark.parametrize("family", [*FAMILIES.values(), *AVERAGED], ids=lambda family: f"{family.name} {family.prior}")
def test_families_conform(family):
    found = faults(family)
    if not family.rises:
        assert found  # no family on its own: it does not rise
    else:
        assert not found


def _scaled(x, b):
    return 1.2 * SIGMOID.rise(x, b)


def _wavy(x, b):
    return np.clip(SIGMOID.rise(x, b) + x.dtype.type(0.05) * np.sin(x) * np.exp(-x * x), 0.0, 1.0)


def _off_centre(x, b):
    return SIGMOID.rise(x + x.dtype.type(0.1), b)


def _narrowed(x, b):
    return np.asarray(SIGMOID.rise(x, b), dtype=np.float32)


def _flattened(x, b):
    rise = SIGMOID.rise(x, b)
    return rise.ravel() if rise.shape == (25, 40) else rise


def _wrong_slopes(x, b):
    by_x, by_b = SIGMOID.slopes(x, b)
    return by_x, 1.01 * by_b


def _warning(x, b):
    np.exp(1e3 + np.abs(x[:1]))
    return SIGMOID.rise(x, b)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"b_limits": (2.0, 1.0)}, "are not 0 < low < high"),
        ({"log_b_sd": 0.0}, "is not above 0"),
        ({"rise": _scaled}, "leaves [0, 1]"),
        ({"rise": _wavy}, "falls somewhere"),
        ({"rise": _off_centre}, "the rise at x = 0 is"),
        ({"rise": _narrowed}, "is float32 of shape"),
        ({"rise": _flattened}, "of shape"),
        ({"slopes": _wrong_slopes}, "the slope by ln B is off"),
        ({"rise": _warning}, "warns: overflow"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_caught(broken, said):
    found = faults(replace(SIGMOID, **broken))
    assert any(said in fault for fault in found), found


def test_a_prior_that_does_not_integrate_is_caught():
    class Loose(type(SIGMOID)):
        def log_prior_b(self, log_b):
            return super().log_prior_b(log_b) + 0.1

    loose = Loose(**{name: getattr(SIGMOID, name) for name in SIGMOID.__dataclass_fields__})
    assert any("the prior of ln B integrates to" in fault for fault in faults(loose))
