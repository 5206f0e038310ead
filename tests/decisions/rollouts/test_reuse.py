"""Data reuse: what was published, and what the logs show."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Series
from rlscale.decisions.rollouts import data_reuse, rollouts
from rlscale.decisions.rollouts.reuse import gap_growth
from rlscale.errors import InputError
from tests.decisions.rollouts.projects import project, run


def logged(drift, *, passes=3.0, n=32):
    """Return a run whose training reward leaves its validation by ``drift`` over the run."""
    curve = run(n).curve
    share = curve.compute / curve.compute_last
    noise = 0.01 * np.random.default_rng(5).standard_normal(share.size)
    series = {
        "train_reward": Series(curve.compute, curve.reward + 0.05 + drift * share + noise),
        "epoch": Series(curve.compute, passes * share),
    }
    return run(n, series=series)


def test_a_gap_that_widens_is_seen_and_one_that_stays_is_not():
    result = data_reuse([logged(0.2), logged(0.0)])
    assert [item.widening for item in result.runs] == [True, False]
    assert result.runs[0].gap_growth.q10 < 0.2 * 2 / 3 < result.runs[0].gap_growth.q90
    assert result.runs[1].p_widening < 0.9
    assert result.notes[0] == "training less validation reward widens in 1 of 2 runs (n32-seed0)"


@pytest.mark.parametrize(
    ("passes", "says"), [(3, "safe"), (25, "safe"), (30, "not measured"), (60, "mild loss"), (120, "overfit")]
)
def test_the_published_range(passes, says):
    result = data_reuse([logged(0.0, passes=passes)])
    assert (result.passes, result.published) == (pytest.approx(passes), says)
    assert "one 7B model on mathematics" in result.notes[1]


def test_planned_passes_go_before_those_of_the_runs():
    result = data_reuse([logged(0.0, passes=3)], planned=60.0)
    assert (result.passes, result.planned, result.published) == (pytest.approx(3.0), 60.0, "mild loss")


def test_a_budget_and_the_number_of_prompts_give_passes():
    result = rollouts(project(), budget=1e6, unique=100)
    split = result.allocation
    assert result.data_reuse.planned == pytest.approx(split.problems_per_batch * split.updates / 100)
    assert result.data_reuse.notes[0].startswith("not checked against your own runs")


def test_percent_beside_shares_is_no_gap():
    item = logged(0.2)
    percent = Series(item.curve.compute, 100.0 * item.series["train_reward"].value)
    assert gap_growth(item) is not None
    assert gap_growth(replace(item, series={"train_reward": percent})) is None


def test_nothing_logged_says_nothing():
    assert data_reuse(project(8, 32)) is None


def test_planned_passes_that_cannot_be():
    with pytest.raises(InputError, match=r"^planned = 0 is no number of passes; give one above 0$"):
        data_reuse(project(8), planned=0.0)
