import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from rlscale.decisions.gate.risk import Risk
from tests.decisions.gate.scenes import believed

MEANS, SDS = (0.60, 0.62, 0.55, 0.58), (0.02, 0.01, 0.04, 0.03)


def risk(epsilon=0.02, means=MEANS, sds=SDS):
    return Risk(np.stack([believed(m, s).cdf for m, s in zip(means, sds, strict=True)]), epsilon)


def sampled(epsilon):
    draws = np.random.default_rng(0).normal(MEANS, SDS, (400_000, len(MEANS)))

    def joint(paused):
        rest = [k for k in range(len(MEANS)) if k not in paused]
        return np.mean(draws[:, paused].max(axis=1) > draws[:, rest].max(axis=1) + epsilon)

    return joint


@pytest.mark.parametrize("epsilon", [0.0, 0.013, 0.02, 0.05])
@pytest.mark.parametrize("paused", [[0], [2], [2, 3], [0, 2, 3]])
def test_joint_risk_against_sampling(epsilon, paused):
    assert risk(epsilon).joint(paused) == pytest.approx(sampled(epsilon)(paused), abs=0.004)


def test_two_normals_in_closed_form():
    found = risk(0.02, (0.6, 0.63), (0.02, 0.015)).joint([0])
    assert found == pytest.approx(norm.sf(0.05 / np.hypot(0.02, 0.015)), abs=2e-4)


def test_alone_is_the_joint_risk_of_one_and_growing_that_of_more():
    found = risk()
    assert found.alone() == pytest.approx([found.joint([k]) for k in range(4)], abs=1e-12)
    grown = found.growing([3, 2, 0])
    assert grown == pytest.approx([found.joint([3]), found.joint([3, 2]), found.joint([3, 2, 0])], abs=1e-12)
    assert found.joint([2, 3]) == pytest.approx(found.joint([3, 2]), abs=1e-12)
    assert found.joint([]) == 0.0


def test_a_control_that_must_fail():
    assert abs(risk(0.0).joint([0]) - sampled(0.05)([0])) > 0.05


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.003, 0.2)), min_size=2, max_size=6), st.floats(0, 0.1))
def test_risks_are_probabilities_that_grow_with_what_is_paused(runs, epsilon):
    found = risk(epsilon, *zip(*runs, strict=True))
    grown = found.growing(range(len(runs) - 1))
    assert np.all((grown >= 0) & (grown <= 1))
    assert np.all(np.diff(grown) >= -1e-9)
