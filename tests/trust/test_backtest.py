from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rlscale
from rlscale.curves import Curve
from rlscale.errors import InputError
from rlscale.inference import FitOptions, fit
from rlscale.inference.families import SIGMOID
from rlscale.inference.predictive import mean_of_evaluations
from rlscale.trust import Backtest, backtest
from rlscale.trust.baselines import METHODS
from rlscale.trust.outcome import LEVELS
from tests.trust.made import on, rising, several


@pytest.fixture(scope="module")
def found() -> Backtest:
    return backtest(several())


@pytest.mark.parametrize(("points", "tail"), [(12, 3), (39, 3), (40, 4), (57, 5)])
def test_the_truth_is_the_mean_of_the_last_evaluations(points: int, tail: int) -> None:
    run = rising("r", points=points)
    (case,) = backtest([run], cuts=0.5).cases
    assert case.truth == float(np.mean(run.curve.reward[-tail:]))


def test_only_points_up_to_the_cut_are_seen() -> None:
    run = rising("r", points=41)  # computes 0, 10, ..., 400
    found = backtest([run], cuts=[0.25, 0.5, 0.51])
    assert [case.n_seen for case in found.cases] == [11, 21, 21]
    assert [case.compute_seen for case in found.cases] == [100.0, 200.0, 200.0]
    assert found.cases[1].forecasts["last_value"] == run.curve.reward[20]
    # what comes after the cut, but for the target, does not bear on the forecast
    reward = run.curve.reward.copy()
    reward[21:37] = 0.9
    other = replace(run, curve=replace(run.curve, reward=reward))
    again = backtest([other], cuts=0.5).cases[0]
    assert again.quantiles == found.cases[1].quantiles
    assert again.forecasts == found.cases[1].forecasts


def test_quantiles_are_the_predictive_of_the_mean_with_its_noise() -> None:
    run = rising("r")
    (case,) = backtest([run], cuts=0.5).cases
    seen = run.curve.until(0.5 * run.curve.compute_last)
    posterior = fit(seen).posterior
    assert posterior is not None
    values = mean_of_evaluations(posterior, run.curve.compute[-4:])
    assert case.quantiles == tuple(posterior.quantiles(values, LEVELS).tolist())
    assert case.forecasts["rlscale"] == case.quantile(0.5)
    kappa = fit(seen, options=FitOptions(model_error=0.0)).posterior
    assert kappa is not None
    noise_free = kappa.quantiles(kappa.reward(run.curve.compute[-1:])[:, 0], [0.1, 0.9])
    noisy = kappa.quantiles(mean_of_evaluations(kappa, run.curve.compute[-1:]), [0.1, 0.9])
    assert float(np.diff(noisy)[0]) > float(np.diff(noise_free)[0])


def test_the_verdict_is_on_the_end_of_the_run(found: Backtest) -> None:
    assert "The reward at 390 steps" in found.cases[0].verdict.why


def test_every_method_is_scored_on_the_same_runs(found: Backtest) -> None:
    assert [scored.cut for scored in found.cuts] == [0.25, 0.5, 0.75]
    for scored in found.cuts:
        assert [case.run for case in scored.cases] == [f"r-{k}" for k in range(8)]
        assert list(scored.methods) == ["rlscale", *METHODS]
        for name, scores in scored.methods.items():
            error = np.array([abs(case.forecasts[name] - case.truth) for case in scored.cases])
            assert scores.mean_abs_error == pytest.approx(error.mean())
            assert scores.median_abs_error == pytest.approx(np.median(error))
            assert scores.p90_abs_error == pytest.approx(np.quantile(error, 0.9))
            if name != "rlscale":
                assert scores.crps == scores.mean_abs_error
                assert scores.coverage80 is None
                assert scores.coverage50 is None
        ours = scored.methods["rlscale"]
        held = [case.quantile(0.1) <= case.truth <= case.quantile(0.9) for case in scored.cases]
        assert ours.coverage80 == np.mean(held)
        assert ours.excess_error is None
        assert ours.crps is not None
        assert ours.mean_abs_error is not None
        assert ours.crps < ours.mean_abs_error


def test_target_noise_is_about_what_was_simulated(found: Backtest) -> None:
    # the mean of 4 evaluations of sd .012 and correlation .3 has sd .0075; its mean absolute value is .0060
    for scored in found.cuts:
        assert scored.target_noise is not None
        assert 0.003 < scored.target_noise.jitter < 0.006
        assert 0.004 < scored.target_noise.model < 0.011


def test_intervals_hold_about_as_often_as_they_say() -> None:
    runs = [rising(f"r-{k}", 0.4 + 0.02 * k, seed=100 + k) for k in range(20)]
    cases = backtest(runs, options=FitOptions(families=(SIGMOID,), model_error=0.0)).cases
    held = np.mean([case.covers(0.8) for case in cases])
    assert 0.65 <= held <= 0.97
    # negative control: intervals of a third of the width do not
    thin = [abs(case.truth - case.quantile(0.5)) <= case.width(0.8) / 6 for case in cases]
    assert np.mean(thin) < 0.65


def test_short_runs_and_early_cuts_are_listed() -> None:
    short = rising("short", points=11)
    late = on([0, *range(60, 100, 2)], [0.1] + [0.3 + 0.01 * k for k in range(20)], "late")
    found = backtest([short, late, rising("good")], cuts=[0.25, 0.9])
    assert [(one.run, one.cut, one.reason) for one in found.skipped] == [
        ("short", None, "11 evaluations; a backtest needs 12"),
        ("late", 0.25, "0 evaluations after the start up to there; a fit needs 4"),
    ]
    assert [(case.run, case.cut) for case in found.cases] == [("good", 0.25), ("late", 0.9), ("good", 0.9)]


def test_a_target_that_was_seen_is_no_forecast() -> None:
    found = backtest([rising("r", points=40)], cuts=[0.5, 0.95])
    assert [(one.cut, one.reason) for one in found.skipped] == [
        (0.95, "2 of its last 4 evaluations, the target, are seen by then; give an earlier --cut")
    ]
    assert found.cuts[1].cases == ()
    scores = found.cuts[1].methods["rlscale"]
    assert (scores.mean_abs_error, scores.coverage80, scores.crps, scores.top1_regret) == (None, None, None, None)
    assert found.cuts[1].target_noise is None


def test_one_evaluation_seen_is_told_in_the_singular() -> None:
    (one,) = backtest([rising("r", points=40)], cuts=[0.5, 0.93]).skipped
    assert one.reason == "1 of its last 4 evaluations, the target, is seen by then; give an earlier --cut"


def test_what_cannot_be_fitted_is_listed() -> None:
    fallen = on(list(range(30)), [0.6, 0.61, 0.6] + [0.1, 0.11] * 13 + [0.1], "fallen")
    found = backtest([fallen, rising("good")], cuts=0.5)
    assert [case.run for case in found.cases] == ["good"]
    (one,) = found.skipped
    assert (one.run, one.cut) == ("fallen", 0.5)
    assert one.reason.startswith("nothing could be fitted: The reward fell from 0.603")
    assert "stayed down; too few points before the fall" in one.reason


def test_one_run_has_errors_but_no_order() -> None:
    (scored,) = backtest([rising("alone")], cuts=0.5).cuts
    scores = scored.methods["rlscale"]
    assert scores.mean_abs_error is not None
    assert (scores.kendall_tau, scores.pairwise_accuracy, scores.top1_regret) == (None, None, None)
    assert scored.methods["last_value"].excess_error is None


def test_runs_of_one_truth_have_no_order() -> None:
    run = rising("a")
    (scored,) = backtest([run, replace(run, name="b")], cuts=0.5).cuts
    scores = scored.methods["rlscale"]
    assert (scores.kendall_tau, scores.pairwise_accuracy, scores.top1_regret) == (None, None, 0.0)


def test_the_number_of_processes_changes_no_bit() -> None:
    runs = several(9)
    alone, two = backtest(runs, cuts=[0.4, 0.7]), backtest(runs, cuts=[0.4, 0.7], jobs=2)
    assert alone.cuts == two.cuts


def test_other_families_cannot_be_sent_to_a_process() -> None:
    options = FitOptions(families=(replace(SIGMOID, slopes=lambda x, b: SIGMOID.slopes(x, b)),))
    with pytest.raises(InputError, match=r"^the families of 'sigmoid' cannot be sent .* or give jobs=1$"):
        backtest(several(9), options=options, jobs=2)


def test_cuts_are_sorted_and_each_is_taken_once() -> None:
    found = backtest([rising("r")], cuts=[0.5, 0.3, 0.5])
    assert [scored.cut for scored in found.cuts] == [0.3, 0.5]


def test_bounds_other_than_the_unit_range() -> None:
    run = rising("r")
    curve = Curve(compute=run.curve.compute, reward=100 * run.curve.reward, bounds=(0, 100))
    unit, percent = backtest([run], cuts=0.5), backtest([replace(run, curve=curve)], cuts=0.5)
    assert percent.cases[0].truth == pytest.approx(100 * unit.cases[0].truth)
    for name, forecast in unit.cases[0].forecasts.items():
        assert percent.cases[0].forecasts[name] == pytest.approx(100 * forecast, rel=1e-4)


def test_a_very_long_run_is_forecast_in_blocks() -> None:
    rng = np.random.default_rng(0)
    compute = np.arange(12_000.0)
    reward = 0.1 + 0.5 * compute / (compute + 2000) + 0.05 * rng.standard_normal(12_000)
    (case,) = backtest([on(compute, reward)], cuts=0.5).cases
    assert case.n_seen == 6000
    # the mean of 1,200 evaluations of sd .05 has sd .0014, whatever blocks it was fitted in
    assert 0.0010 < case.noise_sd < 0.0022
    assert abs(case.forecasts["rlscale"] - case.truth) < 0.05


def test_progress_is_told() -> None:
    steps: list[tuple[int, int]] = []
    backtest(several(2), cuts=[0.4, 0.6], watch=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("cut", [0.0, 1.0, -0.5, 25.0, float("nan")])
def test_a_cut_is_a_share(cut: float) -> None:
    with pytest.raises(InputError, match=rf"^cuts={cut:g} is not between 0 and 1; give the share of each run's"):
        backtest([rising("r")], cuts=[0.5, cut])


def test_bad_questions_are_refused() -> None:
    with pytest.raises(InputError, match=r"^nothing to backtest: no runs were given; "):
        backtest([])
    with pytest.raises(InputError, match=r"^no cut is given; give shares of each run's compute, such as 0.5$"):
        backtest([rising("r")], cuts=[])
    with pytest.raises(InputError, match=r"^jobs=0 is not a number of processes; give 1 or more$"):
        backtest([rising("r")], jobs=0)
    other = on(list(range(20)), [0.5] * 20, bounds=(0, 2))
    with pytest.raises(InputError, match=r"several bounds \(\(0.0, 1.0\), \(0.0, 2.0\)\); backtest them apart"):
        backtest([rising("r"), other])


def test_nothing_long_enough_is_an_error_with_the_reasons() -> None:
    runs = [rising(f"r-{k}", points=9 - k // 3) for k in range(4)]
    message = (
        "nothing can be backtested: r-0 and 2 more: 9 evaluations; a backtest needs 12; "
        "r-3: 8 evaluations; a backtest needs 12"
    )
    with pytest.raises(InputError) as error:
        backtest(runs)
    assert str(error.value) == message
    with pytest.raises(InputError, match=r"at 0.1 %: 0 evaluations after the start"):
        backtest([rising("r")], cuts=0.001)


def test_it_is_public() -> None:
    assert rlscale.backtest is backtest
    assert rlscale.Backtest is Backtest
