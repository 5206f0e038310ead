"""What the benchmarks compare with is what it says it is."""

import numpy as np
import pytest
from benchmarks import baselines, equal_compute, families, forecasters, gate, out_of_source, pools, siblings, sources
from benchmarks.common import noisy
from benchmarks.designs import FALTERING, SHAPES, finished
from scipy.stats import norm

from rlscale.curves import Run, Truth
from rlscale.inference import FitOptions
from rlscale.inference.families import AVERAGED
from rlscale.trust import backtest
from rlscale.trust.backtest import CUTS, cut_runs
from rlscale.trust.replay import draws

TRUTH = Truth(R0=0.1, A=0.7, B=1.6, C_mid=40.0, sigma=0.01)


def task(sigma=0.01):
    truth = Truth(R0=0.1, A=0.7, B=1.6, C_mid=40.0, sigma=sigma)
    curve = noisy(truth, np.arange(0.0, 201.0, 5.0), np.random.default_rng(3))
    return cut_runs([Run(name="r", recipe="r", curve=curve)], [0.5])[0][0]


def test_two_half_normals_score_as_the_normal_they_are():
    values, weight = forecasters.two_sided(0.5, 0.02, 0.02, (0.0, 1.0))
    z = (0.53 - 0.5) / 0.02
    exact = 0.02 * (z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - 1.0 / np.sqrt(np.pi))
    found = forecasters.score((values, weight), 0.53)
    assert found.crps == pytest.approx(exact, rel=1e-3)
    assert found.error == pytest.approx(0.03)
    assert not found.in80


def test_a_point_where_an_interval_is_due_covers_nothing():
    assert forecasters.score(0.5, 0.5) == forecasters.Score(0.0, 0.0, False, False)


@pytest.mark.parametrize("forecaster", [forecasters.with_covariance, forecasters.profiled])
def test_rivals_with_intervals_find_a_clean_truth(forecaster):
    case = task(sigma=0.002)
    found = forecasters.score(forecaster(case), float(TRUTH.reward(case.ahead).mean()))
    assert found.error < 0.01
    assert found.in80


def test_minos_of_one_compute_is_minos_of_several_equal_ones():
    seen = task().seen
    one = baselines.minos(seen.compute, seen.reward, 400.0)
    several = baselines.minos(seen.compute, seen.reward, np.array([400.0, 400.0]))
    assert one == pytest.approx(several, abs=1e-6)
    assert one[0] < float(TRUTH.reward(400.0)) < one[1]


@pytest.mark.parametrize("shape", [*SHAPES, *FALTERING])
def test_simulated_runs_stay_between_their_ends(shape):
    for seed in range(20):
        curve = finished(shape, np.random.default_rng(seed))
        assert curve.has_baseline
        assert curve.n_points in (25, 41, 101)
        assert -0.1 < curve.reward.min() < curve.reward.max() < 1.1


def test_alternatives_differ_from_the_default_in_what_they_say():
    assert families.CHOICES[families.DEFAULT].families is AVERAGED
    own = families.CHOICES["average, own priors of ln B"].families
    assert [one.prior for one in own] == [one.prior for one in AVERAGED]
    assert own[0].log_b_mean < AVERAGED[0].log_b_mean
    assert sum(one.prior for one in AVERAGED) == pytest.approx(1.0)


@pytest.mark.parametrize("name", pools.POOLS)
def test_pools_end_where_they_say(name):
    made = pools.pool(name, count=40)
    ends = np.array([run.curve.reward[-12:].mean() for run in made.runs])
    # the last 12 evaluations are a ninth of the run: they may still rise, and carry noise
    assert np.abs(ends - made.truths).max() < 0.03
    assert {run.curve.unit for run in made.runs} == {"gpu-hours"}
    assert made.runs[0].curve.compute_last == made.horizon
    if name in pools.CLEAN:
        assert set(made.kinds) == {"clean"}
    elif name == "steep16":
        assert {"others", "steep", "stepped"} == set(made.kinds)
    else:
        assert {"clean", "collapse", "late"} <= set(made.kinds)


def test_slower_recipes_rise_higher_in_the_trap():
    made = pools.pool("trap16", count=60)
    early = [float(run.curve.reward[10]) for run in made.runs]
    assert np.corrcoef(early, made.truths)[0, 1] < 0.3


def test_an_error_put_into_a_forecast_moves_it():
    held = gate._pool("indep16", 3)
    one = held.contenders[0]
    moved = gate._biased(one, 0.04)
    assert moved.looks[8].outlook.mean - one.looks[8].outlook.mean == pytest.approx(0.04)
    assert moved.looks[-1].outlook.mean == pytest.approx(one.looks[-1].outlook.mean)
    assert moved.looks[8].outlook.mass.sum() == pytest.approx(1.0)


def group(name, source, kind="train", runs=(), span=1.0):
    return sources.Group(name, source, kind, tuple(cut_runs(runs, CUTS)[0]), span)


def finished_runs(count):
    rng = np.random.default_rng(11)
    return [Run(name=f"{k}", recipe="r", curve=finished("sigmoid", rng)) for k in range(count)]


def test_settings_are_scored_on_the_forecasts_of_a_backtest():
    runs = finished_runs(3)
    found = sources.scored(FitOptions(), [group("a", "a", runs=runs, span=2.0)])["a"]
    cases = backtest(runs).cases
    assert found.crps == pytest.approx([case.crps / 2.0 for case in cases], rel=1e-9)
    assert found.error == pytest.approx([case.error() / 2.0 for case in cases], rel=1e-9)
    assert found.verdict.tolist() == [case.verdict.name.value for case in cases]


def test_a_source_has_no_say_in_what_is_chosen_for_it():
    runs = finished_runs(2)
    groups = [group("a", "one", runs=runs), group("b", "one", runs=runs), group("c", "other", runs=runs)]

    def scores(*crps):
        return {
            g.name: sources.Scores.of([(c, c, 1.0, 1.0, "")] * len(g.tasks)) for g, c in zip(groups, crps, strict=True)
        }

    candidates = {"former": scores(0.1, 0.1, 0.1), "first": scores(0.01, 0.01, 0.2), "second": scores(0.2, 0.2, 0.09)}
    assert out_of_source.choose(candidates, candidates["former"], groups) == {"one": "second", "other": "first"}
    assert out_of_source.score(candidates["second"], candidates["former"], groups[:1]) == pytest.approx(np.log(2.0))


def test_only_cases_that_every_candidate_forecasts_count():
    runs = finished_runs(2)
    groups = [group("a", "a", runs=runs)]
    full = sources.Scores.of([(0.1, 0.1, 1.0, 1.0, "")] * len(groups[0].tasks))
    part = sources.Scores.of([(np.nan,) * 4 + ("",)] + [(0.2, 0.2, 1.0, 1.0, "")] * (len(groups[0].tasks) - 1))
    same, candidates, rivals = out_of_source.shared(groups, {"x": {"a": full}, "y": {"a": part}}, {"z": {"a": full}})
    assert same[0].tasks == groups[0].tasks[1:]
    assert {each["a"].crps.size for found in (candidates, rivals) for each in found.values()} == {len(same[0].tasks)}


def test_settings_of_siblings_are_chosen_among_those_that_hurt_no_other_source():
    mild, bold = siblings.SETTINGS[:2]
    tasks = [task()]

    def cases(*by_setting):
        rows = {(siblings.FINISHED, kernel): (crps, 0.1, 1.0, 0.5) for kernel, crps in by_setting}
        return [siblings.Scored(one, (0.1, 0.1, 1.0, 0.5), rows) for one in tasks]

    found = {"a": cases((mild, 0.09), (bold, 0.05)), "b": cases((mild, 0.1), (bold, 0.11))}
    assert siblings.chosen(found, ["a"]) == bold
    assert siblings.chosen(found, ["b"]) != bold
    assert siblings.chosen(found, ["a", "b"]) == mild


def test_forecasts_without_siblings_stay_as_they_are():
    rng = np.random.default_rng(11)
    runs = [Run(name=f"{k}", recipe="r", curve=finished("sigmoid", rng)) for k in range(5)]
    metric = siblings.Metric("m", "s", True, 1.0, runs, cut_runs(runs, [0.5])[0])
    for one in siblings.scored(metric):  # four others are too few
        assert one.score(siblings.FINISHED, siblings.KERNEL) == one.alone
        assert one.beside[siblings.FORECAST, siblings.FORMER] != one.alone


def test_an_interval_over_runs_sees_that_tournaments_share_runs():
    places = list(draws(12, 4, 200))
    lucky = np.array([1.0 if 3 in drawn else 0.0 for drawn in places])  # all of it hangs on one run
    low, high = equal_compute.interval_over_runs(lucky, places, 12)
    assert low < 0.05
    assert high > 0.6
    binomial = 1.96 * np.sqrt(lucky.mean() * (1.0 - lucky.mean()) / len(places))
    assert high - low > 3.0 * 2.0 * binomial
    assert equal_compute.interval_over_runs(np.full(len(places), 0.3), places, 12) == pytest.approx((0.3, 0.3))


def test_steep_and_hopeless_starters_are_what_their_names_say():
    steep, hopeless = pools.pool("steep16", 60), pools.pool("hopeless16", 60)
    ends = {kind: [t for t, own in zip(steep.truths, steep.kinds, strict=True) if own == kind] for kind in steep.kinds}
    assert min(ends["steep"] + ends["stepped"]) > max(ends["others"])
    first = [run.curve.reward[0] for run, kind in zip(steep.runs, steep.kinds, strict=True) if kind != "others"]
    assert max(first) < 0.3
    never = [t for t, kind in zip(hopeless.truths, hopeless.kinds, strict=True) if kind == "hopeless"]
    assert never
    assert max(never) <= 0.23
