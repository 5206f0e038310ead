"""Running totals of compute."""

import numpy as np
import pytest

from rlscale.curves import Series
from rlscale.sources.totals import lost_steps, total_of_counter, total_of_steps, value_at


def test_a_counter_that_restarts_goes_on():
    total, falls = total_of_counter(Series([1, 2, 3, 4, 5], [10, 20, 5, np.nan, 12]))
    assert (total.step.tolist(), total.value.tolist(), falls) == ([1, 2, 3, 5], [10, 20, 25, 32], 1)


def test_a_mean_over_steps_counts_for_each_of_them():
    total, missing = total_of_steps(np.array([5.0, 10.0, 20.0]), np.array([2.0, 3.0, 1.0]), np.array([0.0, 7.0, 0.0]))
    assert total.value.tolist() == [10, 10 + 15 + 7, 32 + 10]
    assert missing == 17


def test_compute_between_rows_before_and_after_them():
    axis = Series([10, 20], [100, 300])
    assert value_at(axis, np.array([0.0, 5.0, 10.0, 15.0, 20.0, 25.0])).tolist() == [0, 50, 100, 200, 300, 400]
    assert value_at(Series([0, 10], [7, 100]), np.array([0.0])).tolist() == [7]
    assert value_at(Series([10], [100]), np.array([5.0, 10.0, 20.0])).tolist() == [50, 100, 200]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([], "the log holds no train step"),
        ([1, 2, 3], ""),
        ([2, 3], ""),
        (range(501, 601), "500 of the 600 steps are not in the log, which starts at step 501"),
        ([10, 20, 30], "27 of the 30 steps are not in the log, which starts at step 10"),
        ([*range(1, 50), *range(55, 101)], ""),
    ],
)
def test_steps_a_log_does_not_hold(steps, reason):
    assert lost_steps(np.asarray(list(steps), dtype=float)) == reason
