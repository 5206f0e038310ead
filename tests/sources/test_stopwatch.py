"""Elapsed time from the times at which rows were written."""

import numpy as np
import pytest

from rlscale.sources.stopwatch import wall_clock


def wall(rows, starts=(), again=()):
    """``rows``: (step, time) in order of time."""
    step, time = np.array(rows, dtype=float).T
    return wall_clock(step, time, starts, again)


def seconds(rows, starts=(), again=()):
    clock = wall(rows, starts, again).seconds
    return dict(zip(clock.step.tolist(), clock.value.tolist(), strict=True))


def test_from_a_known_start():
    assert seconds([(1, 110), (2, 120), (3, 130)], starts=(100,)) == {1: 10, 2: 20, 3: 30}


def test_without_a_start_the_first_row_counts_as_the_median_gap():
    assert seconds([(1, 110), (2, 120), (3, 150), (4, 160)]) == {1: 10, 2: 20, 3: 50, 4: 60}


def test_a_baseline_is_at_0_and_its_time_counts_later():
    assert seconds([(0, 130), (1, 140), (2, 150)], starts=(100,)) == {0: 0, 1: 40, 2: 50}
    assert seconds([(0, 130), (1, 140), (2, 150)]) == {0: 0, 1: 10, 2: 20}


def test_a_resume_counts_what_was_thrown_away_and_not_the_time_between():
    """Steps 1 to 4, 10 s each; down for 1,000 s; again from step 3 on, with 5 s of loading."""
    first = [(1, 110), (2, 120), (3, 130), (4, 140)]
    second = [(3, 1155), (4, 1165), (5, 1175)]
    expected = {1: 10, 2: 20, 3: 40 + 15, 4: 40 + 25, 5: 40 + 35}
    assert seconds(first + second, starts=(100, 1140)) == expected
    # without starts: by the fall of the step; the first row of a session counts 10 s, the median gap
    assert seconds(first + second) == {1: 10, 2: 20, 3: 50, 4: 60, 5: 70}
    says = wall(first + second, starts=(100, 1140)).says
    assert says == (
        "gpu-hours count the time that passed while the run was up, in 2 sessions; 0.278 h between them are not counted"
    )


def test_steps_logged_again_after_a_pause_are_another_session():
    """An evaluation is repeated at the step of the checkpoint: no step falls."""
    rows = [(2, 120), (4, 140), (4, 1140), (6, 1160)]
    assert seconds(rows, again=(1140,)) == {2: 20, 4: 60, 6: 80}
    soon = [(2, 120), (4, 140), (4, 150), (6, 170)]
    assert seconds(soon, again=(150,)) == {2: 20, 4: 50, 6: 70}  # no pause: the same session


def test_a_row_that_comes_late_is_no_resume_and_costs_its_step_no_more():
    rows = [(1, 110), (2, 120), (3, 130), (2, 135), (4, 140), (5, 150)]
    assert seconds(rows, starts=(100,)) == {1: 10, 2: 30, 3: 30, 4: 40, 5: 50}


def test_a_run_in_progress_and_one_that_starts_at_a_million():
    assert seconds([(1_000_001, 110), (1_000_002, 120)], starts=(100,)) == {1_000_001: 10, 1_000_002: 20}
    assert seconds([(1e15, 110), (1e15 + 1, 120)]) == {1e15: 10, 1e15 + 1: 20}
    assert seconds([(0.5, 110), (1.0, 120)], starts=(105,)) == {0.5: 5, 1.0: 15}


def test_a_start_after_the_last_row_is_not_counted():
    assert seconds([(1, 110), (2, 120)], starts=(100, 500)) == {1: 10, 2: 20}


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 100)],
        [(1, 100), (2, 100), (3, 100)],
        [(step, 100 + step / 1000) for step in range(1, 1001)],  # copied from another log within a second
    ],
)
def test_rows_that_do_not_tell_the_time(rows):
    assert wall(rows) is None
