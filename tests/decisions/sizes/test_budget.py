import numpy as np
import pytest

from rlscale.decisions.sizes import size_law

from ...inference.size_law.projects import COMPUTE, K_MAX, N0, SIZES, exponent, runs_of_sizes, with_curve

#: What one sample costs at each size, so that small models get further for a budget.
COST = 6.0


def in_flops(runs):
    return [with_curve(run, compute=COMPUTE * COST * run.model_params, unit="flops") for run in runs]


@pytest.fixture(scope="module")
def runs():
    return in_flops(runs_of_sizes(SIZES, sd=0.005, level_sd=0.01, per_size=3))


def truths(budget):
    """Rewards of the sizes at a budget, by the law that the runs were made with."""
    slopes = exponent(SIZES, K_MAX, N0)
    ends = np.log(np.array(SIZES) * COST * COMPUTE[-1])
    levels = np.array([-0.05 - 0.17 * np.log(size / SIZES[0]) for size in SIZES])
    return 1.0 - np.exp(levels - slopes * (np.log(budget) - ends))


def crossing_of(small, large):
    a, b = SIZES.index(small), SIZES.index(large)
    slopes, ends = exponent(SIZES, K_MAX, N0), np.log(np.array(SIZES) * COST * COMPUTE[-1])
    levels = np.array([-0.05 - 0.17 * np.log(size / SIZES[0]) for size in SIZES]) + slopes * ends
    return float(np.exp((levels[b] - levels[a]) / (slopes[b] - slopes[a])))


def test_the_best_size_grows_with_the_budget(runs):
    best = [size_law(runs, budget=budget, compare=False).budget for budget in (1e14, 1e16, 1e19)]
    sizes = [one.best for one in best]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    for one in best:
        assert sum(chance.p for chance in one.p_best) == pytest.approx(1.0)
        assert one.best in one.cannot_separate
        assert SIZES[int(np.argmax(truths(one.compute)))] in one.cannot_separate


def test_a_size_far_ahead_stands_alone():
    runs = runs_of_sizes(SIZES[:5], sd=0.005, level_sd=0.01, per_size=3)
    budget = size_law(runs, budget=2e4, compare=False).budget
    assert budget.best == SIZES[4]
    assert budget.cannot_separate == (SIZES[4],)
    assert "ahead of every other size" in budget.why
    assert budget.p_best[-1].p > 0.95


def test_near_a_crossing_sizes_cannot_be_separated(runs):
    at = crossing_of(32e9, 72e9)
    budget = size_law(runs, budget=at, compare=False).budget
    assert {32e9, 72e9} <= set(budget.cannot_separate)
    assert "cannot be separated" in budget.why


def test_crossings_have_intervals(runs):
    crossings = size_law(runs, budget=1e17, compare=False).budget.crossings
    assert len(crossings) == 21
    seen = 0
    for one in crossings:
        truth = crossing_of(one.small, one.large)
        if one.compute is None:
            continue
        seen += 1
        assert one.p >= 0.5
        assert one.compute.q10 <= one.compute.q50 <= one.compute.q90
        assert np.log(one.compute.q50) == pytest.approx(np.log(truth), abs=1.5)
        assert one.window[0] <= one.compute.q10
        assert one.unsure is not None
        assert one.unsure[0] <= one.compute.q50 <= one.unsure[1]
    assert seen >= 10


def test_no_crossing_is_said():
    runs = runs_of_sizes(SIZES[2:5], sd=0.005, per_size=3)
    higher = [with_curve(run, reward=run.curve.reward + 0.25) if run.model_params == SIZES[4] else run for run in runs]
    crossings = size_law(higher, budget=2e4, compare=False).budget.crossings
    last = crossings[-1]
    assert last.compute is None
    assert last.why == "14B is ahead of 7B throughout"
    assert last.unsure is None


def test_limits_of_a_budget_are_named(runs):
    budget = size_law(runs, predict=140e9, budget=1e21, compare=False).budget
    assert any("FLOPs" in note for note in budget.notes)
    assert any("beyond the data of 7 sizes" in note and "no ceiling" in note for note in budget.notes)
    assert budget.p_best[-1].model_params == 140e9
    assert budget.p_best[-1].beyond is None
    assert budget.p_best[0].beyond == pytest.approx(1e21 / (COMPUTE[-1] * COST * SIZES[0]))
    if budget.best == 140e9:
        assert any("has no runs" in note for note in budget.notes)


def test_steps_are_no_common_currency():
    runs = [with_curve(run, unit="steps") for run in runs_of_sizes(SIZES[:3], sd=0.01)]
    found = size_law(runs, budget=2e4, compare=False)
    assert "one step of a larger model costs more" in found.compute_means
    assert found.compute_means in found.budget.notes[0]
