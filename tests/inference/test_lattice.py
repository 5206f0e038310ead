import numpy as np
import pytest
from scipy.stats import qmc

from rlscale.inference.lattice import DIMS, gamma_quantiles, sobol


def test_is_the_sobol_sequence():
    reference = qmc.Sobol(DIMS, scramble=False).random(1024)
    reference = reference[np.argsort(reference[:, 0])].T
    assert sobol(1024) == pytest.approx(reference + 0.5 / 1024, abs=1e-12)


def test_every_coordinate_is_evenly_spread():
    for coordinate in sobol(512):
        assert np.sort(coordinate) == pytest.approx((np.arange(512) + 0.5) / 512)


def test_gamma_quantiles_are_kept_and_read_only():
    first = gamma_quantiles(20.5, 512, 3)
    assert gamma_quantiles(20.5, 512, 3) is first
    assert not first.flags.writeable
    assert first.mean() == pytest.approx(20.5, rel=0.01)
