from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from rlscale.trust.scores import (
    FEW,
    binomial_interval,
    crps,
    kendall_tau,
    mean_difference,
    pairwise_accuracy,
    top1_regret,
)

RNG = np.random.default_rng(5)


def test_crps_is_the_integral_of_squared_differences_of_distributions() -> None:
    values, weight = RNG.normal(0.5, 0.1, 400), RNG.uniform(size=400)
    weight /= weight.sum()
    for truth in (0.2, 0.52, 0.9):
        grid = np.linspace(-0.5, 1.5, 200_001)
        order = np.argsort(values)
        below = np.concatenate([[0.0], np.cumsum(weight[order])])[np.searchsorted(values[order], grid, side="right")]
        assert crps(values, weight, truth) == pytest.approx(
            np.trapezoid((below - (grid >= truth)) ** 2, grid), abs=1e-5
        )


def test_crps_of_one_value_is_its_error() -> None:
    assert crps(np.array([0.3]), np.array([1.0]), 0.7) == pytest.approx(0.4)


@pytest.mark.parametrize("ties", [1, 3, 50])
def test_kendall_tau_is_tau_b(ties: int) -> None:
    forecast, truth = RNG.integers(0, ties * 2, 30) / ties, RNG.integers(0, ties * 2, 30) / ties
    assert kendall_tau(forecast, truth) == pytest.approx(stats.kendalltau(forecast, truth).statistic)


def test_pairs_are_counted_one_by_one() -> None:
    forecast, truth = np.round(RNG.uniform(size=40), 1), np.round(RNG.uniform(size=40), 1)
    right = []
    for i, j in combinations(range(40), 2):
        if truth[i] != truth[j]:
            same = (forecast[i] - forecast[j]) * (truth[i] - truth[j])
            right.append(1.0 if same > 0 else 0.5 if same == 0 else 0.0)
    assert pairwise_accuracy(forecast, truth) == pytest.approx(np.mean(right))


def test_order_is_undefined_without_different_truths() -> None:
    one, flat, two = np.array([0.3]), np.array([0.5, 0.5]), np.array([0.1, 0.2])
    assert kendall_tau(one, one) is None
    assert pairwise_accuracy(one, one) is None
    assert top1_regret(one, one) is None
    assert top1_regret(np.empty(0), np.empty(0)) is None
    assert pairwise_accuracy(two, flat) is None
    assert kendall_tau(two, flat) is None
    assert kendall_tau(flat, two) is None
    assert pairwise_accuracy(flat, two) == 0.5


def test_regret_of_the_highest_forecast() -> None:
    truth = np.array([0.5, 0.7, 0.6])
    assert top1_regret(np.array([0.1, 0.2, 0.9]), truth) == pytest.approx(0.1)
    assert top1_regret(np.array([0.1, 0.9, 0.2]), truth) == 0.0
    # two are forecast highest: either may be taken
    assert top1_regret(np.array([0.9, 0.1, 0.9]), truth) == pytest.approx(0.15)


def test_mean_difference_is_students() -> None:
    ours, theirs = RNG.uniform(size=9), RNG.uniform(size=9)
    found = mean_difference(theirs, ours)
    assert found is not None
    expected = stats.ttest_rel(theirs, ours).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(np.mean(theirs - ours))
    assert mean_difference(theirs[: FEW - 1], ours[: FEW - 1]) is None


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (3, 7), (61, 66)])
def test_binomial_interval_is_clopper_and_pearsons(hits: int, count: int) -> None:
    expected = stats.binomtest(hits, count).proportion_ci(0.95, method="exact")
    assert binomial_interval(hits, count) == pytest.approx((expected.low, expected.high))


def test_no_trial_says_nothing() -> None:
    assert binomial_interval(0, 0) == (0.0, 1.0)
