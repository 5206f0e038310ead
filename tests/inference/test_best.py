"""P(best) and expected regret of independent levels."""

import numpy as np
import pytest
from scipy.special import ndtri

from rlscale.inference.best import best
from rlscale.inference.pool import Level


def normal(mean, sd, count=4000):
    values = mean + sd * ndtri((np.arange(count) + 0.5) / count)
    return Level(values, np.full(count, 1.0 / count))


def test_two_normals_have_a_known_answer():
    # P(N(.6, .03) > N(.5, .04)) = Phi(2), and the regret of the lower is E max(0, N(.1, .05))
    (p, regret), (other, worse) = best([normal(0.6, 0.03), normal(0.5, 0.04)])
    assert p == pytest.approx(0.97725, abs=2e-3)
    assert p + other == pytest.approx(1.0)
    assert worse - regret == pytest.approx(0.1, abs=1e-4)
    assert regret == pytest.approx(0.05 * 0.008491, abs=5e-5)


def test_many_against_sampling():
    means, sds = [0.50, 0.52, 0.48, 0.55], [0.04, 0.02, 0.08, 0.01]
    draws = np.random.default_rng(0).normal(means, sds, (200_000, 4))
    found = best([normal(mean, sd) for mean, sd in zip(means, sds, strict=True)])
    shares = np.bincount(draws.argmax(axis=1), minlength=4) / len(draws)
    regret = draws.max(axis=1).mean() - np.array(means)
    assert [p for p, _ in found] == pytest.approx(shares, abs=5e-3)
    assert [lost for _, lost in found] == pytest.approx(regret, abs=1e-3)


def test_one_is_the_best_and_none_is_no_error():
    assert best([normal(0.5, 0.1)]) == [(1.0, 0.0)]
    assert best([]) == []
