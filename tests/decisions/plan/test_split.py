import numpy as np
import pytest

from rlscale.decisions.plan.split import split

from .made import fitted

WORTH = 0.01
#: Alike and hardly begun: more evaluations tell them apart.
UNSURE = [(f"r{k}", [fitted(seed=k, last=60.0, n=13, A=a, C_mid=150.0)]) for k, a in enumerate((0.5, 0.6, 0.7))]


def test_nothing_is_lost_and_nothing_is_spent_twice():
    found = split(UNSURE, 900.0, WORTH)
    assert found.recipes == ("r0", "r1", "r2")
    for point in found.points:
        assert 3 * point.explore_each + point.commit == pytest.approx(900.0)
        assert 0.0 <= point.p_right <= 1.0
    assert found.points[0].explore_each == 0.0
    assert found.points[-1].commit == pytest.approx(0.0, abs=1e-9)
    highest = max(point.reward for point in found.points)
    best = next(point for point in found.points if point.reward >= highest - WORTH)
    assert (found.explore_each, found.commit) == (best.explore_each, best.commit)
    assert (found.p_right, found.reward) == (best.p_right, best.reward)


def test_exploring_tells_recipes_apart():
    found = split(UNSURE, 900.0, WORTH)
    p_right = [point.p_right for point in found.points]
    assert max(p_right[4:]) > p_right[0] + 0.1
    assert found.explore_each > 0.0
    assert found.points[0].reward < found.reward


def test_a_clear_leader_is_not_explored():
    clear = [("high", [fitted(A=0.8, last=400.0, n=81)]), ("low", [fitted(A=0.3, last=400.0, n=81)])]
    found = split(clear, 400.0, WORTH)
    assert found.explore_each < 40.0
    assert found.p_right > 0.95
    assert found.points[-1].reward < found.reward


def test_exploring_for_little_is_not_worth_it():
    explored = [split(UNSURE, 900.0, worth).explore_each for worth in (0.0, 0.01, 0.05, 1.0)]
    assert explored == sorted(explored, reverse=True)
    assert explored[-1] == 0.0


def test_one_recipe_gets_everything():
    found = split([("only", [fitted()])], 100.0, WORTH)
    assert (found.explore_each, found.commit, found.p_right) == (0.0, 100.0, 1.0)


def test_committing_at_once_is_right_as_often_as_its_forecast_is_the_highest():
    found = split(UNSURE, 900.0, WORTH)
    ends = []
    rng = np.random.default_rng(0)
    for _, (run,) in UNSURE:
        values = run.reward([960.0], model_error=True)[:, 0]
        ends.append(rng.choice(values, 50_000, p=run.weight / run.weight.sum()))
    chosen = int(np.argmax([each.mean() for each in ends]))
    assert found.points[0].p_right == pytest.approx(np.mean(np.argmax(ends, axis=0) == chosen), abs=0.04)
    assert found.points[0].reward == pytest.approx(ends[chosen].mean(), abs=0.01)


def test_noisier_evaluations_teach_less():
    noisy = [(name, [fitted(seed=k, last=60.0, n=13, A=a, C_mid=150.0, sigma=0.05)])
             for k, (name, a) in enumerate((("r0", 0.5), ("r1", 0.6), ("r2", 0.7)))]  # fmt: skip
    assert split(noisy, 900.0, WORTH).points[3].p_right < split(UNSURE, 900.0, WORTH).points[3].p_right


def test_the_same_posteriors_give_the_same_split():
    assert split(UNSURE, 900.0, WORTH) == split(UNSURE, 900.0, WORTH)
