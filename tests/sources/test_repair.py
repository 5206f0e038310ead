"""Rows to runs: merged steps, resumes, appended runs, duplicate points."""

import math

import numpy as np
import pytest

from rlscale.sources.repair import number, segments, tidy


def train(*steps, value=0.5):
    return [(float(step), {"reward": value + step / 1000}) for step in steps]


def steps_of(parts):
    return [list(part.rows) for part in parts]


def test_rows_of_one_step_are_merged():
    (part,) = segments([(1.0, {"reward": 0.1, "epoch": 0.5}), (1.0, {"eval_reward": 0.2, "epoch": 0.5})])
    assert part.rows == {1.0: {"reward": 0.1, "eval_reward": 0.2, "epoch": 0.5}}
    assert (part.repairs, part.count) == ([], 2)


def test_back_above_the_first_step_is_a_resume():
    (part,) = segments([*train(1, 2, 3, 4, 5), *train(3, 4, value=0.9)])
    assert {step: row["reward"] for step, row in part.rows.items()} == {1: 0.501, 2: 0.502, 3: 0.903, 4: 0.904}
    assert part.repairs == [
        "the run resumed at step 3 after step 5: the later rows replace 3 steps logged before, "
        "whose compute counts only in --clock elapsed"
    ]


def test_a_checkpoint_evaluated_again_keeps_its_train_values():
    rows = [(1.0, {"reward": 0.1}), (2.0, {"reward": 0.2, "val": 0.2}), (3.0, {"reward": 0.3, "val": 0.3})]
    (part,) = segments([*rows, (2.0, {"val": 0.25}), (3.0, {"reward": 0.4, "val": 0.4})])
    assert part.rows == {1: {"reward": 0.1}, 2: {"reward": 0.2, "val": 0.25}, 3: {"reward": 0.4, "val": 0.4}}


def test_back_to_the_first_step_or_below_is_a_new_run():
    assert steps_of(segments(train(1, 2, 3, 1, 2, 0, 1))) == [[1, 2, 3], [1, 2], [0, 1]]
    first, second = segments(train(1, 2, 1))
    assert first.repairs == ["the file holds 2 runs one after the other; this is number 1"]
    assert second.repairs == ["the file holds 2 runs one after the other; this is number 2"]


def test_a_first_step_with_other_values_is_a_new_run_unless_told():
    rows = [(0.0, {"reward": 0.1}), (0.0, {"reward": 0.2}), (1.0, {"reward": 0.3})]
    assert steps_of(segments(rows)) == [[0], [0, 1]]
    assert steps_of(segments(rows, restart_on_repeat=False)) == [[0, 1]]


def test_a_row_printed_twice_is_one_row():
    (part,) = segments([*train(0), *train(0), *train(1), *train(1)])
    assert (list(part.rows), part.repairs) == ([0, 1], [])


def test_a_later_step_logged_again_takes_the_later_value():
    (part,) = segments([*train(1, 2), *train(2, value=0.9)])
    assert part.rows[2.0]["reward"] == 0.902
    assert part.repairs == ["1 row repeated a step with another value; the later one won"]


def test_a_validation_row_that_arrives_late_is_no_resume():
    rows = [*train(1, 2, 3, 4), (2.0, {"val": 0.7, "time/eval": 3.0, "epoch": 1.0}), *train(5)]
    (part,) = segments(rows)
    assert list(part.rows) == [1, 2, 3, 4, 5]
    assert part.rows[2.0]["val"] == 0.7
    assert part.repairs == []


@pytest.mark.parametrize(
    ("logged", "value"),
    [(1, 1.0), (0.5, 0.5), ("0.216", 0.216), (" 3 ", 3.0), ("x", None), (True, None), ([1], None), ("1e-06", 1e-6)],
)
def test_what_counts_as_a_number(logged, value):
    assert number(logged) == value


@pytest.mark.parametrize("logged", [None, math.nan, math.inf, -math.inf, "nan", "inf", 10**400])
def test_a_number_that_is_not_finite_is_missing(logged):
    assert math.isnan(number(logged))


def test_tidy_leaves_a_tidy_curve_alone():
    order, repairs = tidy(np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.2, 0.3]))
    assert (order.tolist(), repairs) == ([0, 1, 2], ())


def test_tidy_of_conflicting_rows_the_later_wins():
    order, repairs = tidy(np.array([1.0, 1.0, 1.0, 2.0]), np.array([0.1, 0.1, 0.2, 0.3]))
    assert (order.tolist(), repairs) == (
        [2, 3],
        ("1 duplicate row was dropped", "1 row was replaced by a later row with the same compute"),
    )
