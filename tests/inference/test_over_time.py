import doctest
import sys
from itertools import pairwise

import numpy as np
import pytest

import rlscale
from rlscale.curves import Curve, Run
from rlscale.errors import InputError
from rlscale.inference import FitOptions, fit, fits, over_times
from rlscale.inference.families import SIGMOID
from rlscale.inference.over_time import LOOKS, look_counts

from .helpers import sigmoid_curve

FAST = FitOptions(families=(SIGMOID,))


def grown_run(n=61, **more):
    return Run(name="grown", recipe="r", curve=sigmoid_curve(ratio=6.0, n=n, sigma=0.01, **more))


def test_the_example_of_the_docstring():
    module = sys.modules["rlscale.inference.over_time"]
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0


@pytest.mark.parametrize("start", [0.0, 0.1])
def test_looks_are_evenly_spaced_by_count_from_four_to_the_last(start):
    curve = sigmoid_curve(n=101, start=start)
    counts = look_counts(curve)
    trained = [count - curve.has_baseline for count in counts]
    assert len(counts) == LOOKS
    assert (trained[0], trained[-1]) == (4, curve.n_trained)
    assert np.abs(np.array(trained) - np.linspace(4, curve.n_trained, LOOKS)).max() <= 0.5


@pytest.mark.parametrize("n", range(1, 30))
def test_short_runs_are_looked_at_at_every_evaluation(n):
    curve = sigmoid_curve(n=n + 1)  # one of them at compute 0
    expected = [n + 1] if n < 4 else list(range(5, n + 2))
    assert look_counts(curve) == expected or n - 3 > LOOKS
    assert len(look_counts(curve)) == max(min(n - 3, LOOKS), 1)


def test_one_look_is_of_the_whole_run():
    run = grown_run()
    assert [look.compute for look in rlscale.over_time(run, options=FAST, most=1).looks] == [run.curve.compute_last]


def test_the_last_look_is_the_fit_and_each_earlier_one_that_of_its_prefix():
    run, target = grown_run(), 20.0
    grown = rlscale.over_time(run, target)
    whole = fit(run, target)
    assert grown.latest.verdict == whole.verdict
    assert grown.latest.ceiling == whole.quantity("A_average")
    assert grown.latest.forecast == whole.forecasts[0].interval
    for look in (grown.looks[0], grown.looks[9]):
        alone = fit(run.curve.until(look.compute), target)
        assert look.verdict == alone.verdict
        assert look.n_points == alone.run.curve.n_points
        assert vars(look.ceiling) == pytest.approx(vars(alone.quantity("A_average")), abs=1e-9)
        assert vars(look.forecast) == pytest.approx(vars(alone.forecasts[0].interval), abs=1e-9)


def test_what_comes_later_changes_no_earlier_look():
    run = grown_run(n=28)
    fallen = np.where(run.curve.compute > 5.0, 0.05, run.curve.reward)
    other = Run(name="fell", recipe="r", curve=Curve(compute=run.curve.compute, reward=fallen))
    pairs = zip(rlscale.over_time(run, options=FAST).looks, rlscale.over_time(other, options=FAST).looks, strict=True)
    same = [(a, b) for a, b in pairs if a.compute <= 5.0]
    assert len(same) > 10
    for a, b in same:
        assert a.verdict == b.verdict
        assert vars(a.ceiling) == pytest.approx(vars(b.ceiling), abs=1e-9)


def test_a_run_that_collapses_says_so_only_after_the_fall():
    curve = sigmoid_curve(ratio=6, n=40, sigma=0.01)
    fallen = Curve(compute=curve.compute, reward=np.where(curve.compute > 4.5, 0.05, curve.reward))
    grown = rlscale.over_time(fallen, options=FAST)
    assert grown.latest.verdict.name == "collapsed"
    assert grown.latest.ceiling is not None
    assert 4.5 < grown.since <= 6.0
    assert all(look.verdict.name != "collapsed" for look in grown.looks if look.compute <= 4.5)


def test_three_evaluations_are_one_look_without_a_ceiling():
    grown = rlscale.over_time(Curve(compute=[0, 1, 2, 3], reward=[0.1, 0.2, 0.3, 0.3]), 10.0)
    assert [look.verdict.name for look in grown.looks] == ["too_few_points"]
    assert grown.latest.ceiling is grown.latest.forecast is None
    assert (grown.latest.compute, grown.holding(), grown.holding("forecast")) == (3.0, (0, 0), (0, 0))


def test_without_a_target_there_is_no_forecast_and_the_largest_of_several_speaks():
    run = grown_run(n=12)
    assert rlscale.over_time(run, options=FAST).target is None
    assert all(look.forecast is None for look in rlscale.over_time(run, options=FAST).looks)
    several = rlscale.over_time(run, (20.0, 9.0), FAST)
    alone = rlscale.over_time(run, 20.0, FAST)
    assert several.target == alone.target == 20.0
    assert [look.verdict for look in several.looks] == [look.verdict for look in alone.looks]
    to_the_end = rlscale.over_time(run, np.inf, FAST)
    assert [look.forecast for look in to_the_end.looks] == [look.ceiling for look in to_the_end.looks]


def test_changes_and_the_intervals_that_hold_the_median_of_today():
    grown = rlscale.over_time(grown_run(), 30.0, FAST)
    names = [look.verdict.name for look in grown.looks]
    assert grown.changes[0] == grown.looks[0]
    assert len(grown.changes) == 1 + sum(a != b for a, b in pairwise(names))
    assert grown.first_seen == grown.looks[names.index(names[-1])].compute
    assert grown.first_seen <= grown.since
    assert all(look.verdict.name == names[-1] for look in grown.looks if look.compute >= grown.since)
    for of in ("ceiling", "forecast"):
        *earlier, now = (getattr(look, of) for look in grown.looks)
        assert grown.holding(of) == (sum(each.q10 <= now.q50 <= each.q90 for each in earlier), LOOKS - 1)


def test_many_runs_with_their_fits():
    runs = [grown_run(n=n, seed=n) for n in (3, 9, 40)]
    whole = list(fits(runs, 30.0, FAST))
    many = list(over_times(iter(whole), 30.0))
    assert [len(grown.looks) for grown in many] == [1, 5, 24]
    for run, grown in zip(runs, many, strict=True):
        alone = rlscale.over_time(run, 30.0, FAST)
        assert [look.verdict for look in grown.looks] == [look.verdict for look in alone.looks]
        assert [look.compute for look in grown.looks] == [look.compute for look in alone.looks]


def test_no_looks_are_refused():
    with pytest.raises(InputError, match=r"^0 looks at a run are none; give 1 or more$"):
        rlscale.over_time(grown_run(), most=0)


def test_a_target_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"^target=-1 is not a compute above 0"):
        rlscale.over_time(grown_run(), -1.0)
