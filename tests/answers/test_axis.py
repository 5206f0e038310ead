from __future__ import annotations

import sys
from itertools import pairwise

import pytest

from rlscale.answers.charts.axes import compute_axis, compute_ticks, reward_ticks
from rlscale.render.labels import spread


def test_log_axis_keeps_zero_at_its_left_edge() -> None:
    axis = compute_axis(10.0, 1000.0, "steps", zero=True)
    assert axis.position(0.0) == 0.0
    assert axis.position(10.0) == axis.start > 0
    assert axis.position(1000.0) == pytest.approx(1.0)
    assert axis.position(100.0) == pytest.approx(0.5 * (1 + axis.start))
    assert axis.ticks[0] == (0.0, "0")


def test_axis_of_one_compute() -> None:
    axis = compute_axis(7.0, 7.0, "steps", zero=False)
    assert axis.position(7.0) == 0.5
    assert axis.ticks == ((7.0, "7"),)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (10.0, 1600.0),
        (3.4e4, 7.4e6),
        (1e18, 3e24),
        (1.0, 1e15),
        (11.0, 19.0),
        (3e304, 4e305),
        (1e308, sys.float_info.max),
        (5e-324, sys.float_info.max),
    ],
)
def test_ticks_are_few_and_inside(first: float, last: float) -> None:
    axis = compute_axis(first, last, "steps", zero=False)
    ticks = compute_ticks(first, last, 7)
    assert [axis.position(compute) for compute in (first, last)] == [0.0, 1.0]
    assert 1 <= len(ticks) <= 7
    assert all(first * 0.999 <= value <= last * 1.001 for value, _ in ticks)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.61, 0.64), (-3.0, 100.0), (0.0, 1e-5)])
def test_reward_ticks_are_round_and_distinct(low: float, high: float) -> None:
    ticks = reward_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert len({label for _, label in ticks}) == len(ticks)
    assert all(abs(float(label) - value) < 1e-9 for value, label in ticks)


def test_labels_do_not_overlap_and_keep_their_order() -> None:
    wanted = [0.5, 0.51, 0.1, 0.505, 0.99]
    placed = spread(wanted, 0.1, 0.0, 1.0)
    ordered = sorted(placed)
    assert all(b - a >= 0.1 - 1e-9 for a, b in pairwise(ordered))
    assert sorted(range(5), key=lambda i: placed[i]) == sorted(range(5), key=lambda i: wanted[i])
    assert placed[2] == pytest.approx(0.1)
    assert min(placed) >= 0.0
    assert max(placed) <= 1.0


def test_labels_that_cannot_fit_share_the_room() -> None:
    placed = spread([0.5] * 21, 0.1, 0.0, 1.0)
    assert placed[0] == pytest.approx(0.0)
    assert placed[-1] == pytest.approx(1.0)
    assert spread([], 0.1, 0.0, 1.0) == []
