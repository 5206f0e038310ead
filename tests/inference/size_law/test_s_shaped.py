import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.inference.size_law import s_shaped, trace
from rlscale.inference.size_law.s_shaped import _form

SIZES = np.array([1e9, 4e9, 16e9, 64e9])
COMPUTE = np.geomspace(100.0, 50_000.0, 60)
LOG = np.log(COMPUTE)


def share(size):
    floor, gain = 0.1 + (0.25e9 / size) ** 0.3, 0.08 * (size / 1e9) ** 0.35
    return floor + gain / (1.0 + COMPUTE / 4000.0)


def fitted(sd=0.005, seed=0):
    rng = np.random.default_rng(seed)
    curves = [
        Curve(compute=COMPUTE, reward=1.0 - share(size) + sd * rng.standard_normal(60), unit="samples")
        for size in np.repeat(SIZES, 2)
    ]
    members = [[0, 1], [2, 3], [4, 5], [6, 7]]
    return s_shaped([trace(curve, 1.0) for curve in curves], members, SIZES.tolist())


def test_derivatives_are_those_of_the_form():
    rng = np.random.default_rng(1)
    shared, own, ratio, x = rng.normal(size=4), rng.normal(size=(5, 2)), rng.uniform(0, 3, 5), rng.normal(size=5)
    _, slopes = _form(shared, own, ratio, x)
    step = 1e-6
    for k in range(4):
        moved = step * (np.arange(4) == k)
        by = (_form(shared + moved, own, ratio, x)[0] - _form(shared - moved, own, ratio, x)[0]) / (2 * step)
        assert slopes[:, k] == pytest.approx(by, abs=1e-7)
    for k in range(2):
        moved = step * (np.arange(2) == k)
        by = (_form(shared, own + moved, ratio, x)[0] - _form(shared, own - moved, ratio, x)[0]) / (2 * step)
        assert slopes[:, 4 + k] == pytest.approx(by, abs=1e-7)


def test_an_s_shape_is_found_and_covered():
    hits = []
    for seed in range(10):
        found = fitted(seed=seed)
        for place, size in enumerate(SIZES):
            low, high = np.quantile(found.share(place, LOG[[5, 30, 55]]), [0.1, 0.9], axis=0)
            hits += ((low <= share(size)[[5, 30, 55]]) & (share(size)[[5, 30, 55]] <= high)).tolist()
    assert 0.65 <= np.mean(hits) <= 0.95
    assert found.sigma == pytest.approx(0.005, rel=0.15)


def test_a_size_without_data_is_far_less_known():
    found = fitted()
    seen = np.ptp(np.quantile(found.share(3, LOG[-1:]), [0.1, 0.9]))
    unseen = np.ptp(np.quantile(found.new_share(256e9, LOG[-1:]), [0.1, 0.9]))
    assert unseen > 5.0 * seen
