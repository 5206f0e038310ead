from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, OpenBounds, Run
from rlscale.decisions.sizes import size_law
from rlscale.decisions.sizes.written import written
from rlscale.errors import InputError
from rlscale.inference import VerdictName
from rlscale.typed import number_of

from ...inference.size_law.projects import COMPUTE, SIZES, runs_of_sizes, with_curve


def law(runs, **asked):
    return size_law(runs, compare=False, **asked)


@pytest.fixture(scope="module")
def runs():
    return runs_of_sizes(SIZES[:4], sd=0.005)


def fails(runs, words, parameter=None, **asked):
    with pytest.raises(InputError) as caught:
        law(runs, **asked)
    for word in words:
        assert word in caught.value.on_command_line
    assert caught.value.parameter == parameter


def test_one_size(runs):
    fails(runs_of_sizes(SIZES[:1], per_size=3, sd=0.01), ["of one size (500M)", "two sizes, better three"])


def test_two_sizes_answer_with_their_limits(runs):
    found = law(runs[:2], predict=3e9, budget=2e4)
    assert found.verdict.name is VerdictName.TOO_FEW_POINTS
    assert any("barely identify N0" in note for note in found.notes)
    assert found.N0.q90 / found.N0.q10 > 3.0
    unseen = found.predictions[0]
    assert unseen.verdict.name is VerdictName.TOO_FEW_POINTS


def test_sizes_in_mixed_units_are_shown(runs):
    mixed = [replace(runs[0], model_params=7.0), replace(runs[1], model_params=7e9), runs[2]]
    fails(mixed, ["mixed units: 7, 3B (3e+09), 7B (7e+09)", "7 looks like billions beside 7B"], "model_params")


def test_all_in_billions_is_one_unit(runs):
    found = law([replace(run, model_params=run.model_params / 1e9) for run in runs], predict=14.0)
    counts = law(runs, predict=14e9)
    assert found.N0.q50 == pytest.approx(counts.N0.q50 / 1e9, rel=1e-6)
    assert any("as they are given" in note for note in found.notes)
    fails([replace(run, model_params=run.model_params / 1e9) for run in runs], ["another unit"], "predict", predict=7e9)


def test_nearly_equal_counts_are_one_size(runs):
    close = [replace(runs[0], model_params=7.61e9), replace(runs[1], model_params=7.62e9), runs[2]]
    assert len(law(close).sizes) == 2


@pytest.mark.parametrize("size", [None, -1.0, 0.0, np.nan, np.inf])
def test_a_run_without_a_size(runs, size):
    found = law([replace(runs[0], model_params=size), *runs[1:]])
    assert [(each.run, each.counted) for each in found.left_out] == [(runs[0].name, True)]
    assert len(found.sizes) == 3
    nowhere = [replace(run, model_params=size) for run in runs]
    fails(nowhere, ["the size of the model of", runs[0].name, "and 3 more"], "model_params")


def test_a_level_above_the_largest_reward(runs):
    fails(runs, ["above R_max = 0.1", runs[1].name], "r_max", r_max=0.1)
    fails(runs, ["--r-max -1"], "r_max", r_max=-1.0)


def test_a_run_that_reaches_the_largest_reward_counts_up_to_there(runs):
    highest = float(np.sort(runs[3].curve.reward)[-5])
    found = law(runs, r_max=highest)
    assert any(f"{runs[3].name} reaches the largest reward" in note for note in found.notes)
    assert COMPUTE[5] < found.sizes[3].last < COMPUTE[-1]
    assert found.sizes[2].last == COMPUTE[-1]


def test_single_evaluations_at_the_bound_are_kept(runs):
    reward = runs[3].curve.reward.copy()
    reward[20] = 1.0
    kept = law([*runs[:3], with_curve(runs[3], reward=reward)])
    assert any("at or above the upper bound" in note for note in kept.notes)
    assert np.isfinite(kept.K_max.q50)


def test_open_bounds_need_a_largest_reward(runs):
    unknown = OpenBounds(lowest=0.0, highest=0.5, range=0.4, because="values")
    asked = {"unit": "samples", "bounds_from": "open", "open": unknown}
    opened = [replace(run, curve=Curve(compute=COMPUTE, reward=run.curve.reward, **asked)) for run in runs]
    fails(opened, ["largest possible reward is not known"], "r_max")
    assert law(opened, r_max=1.0).r_max == 1.0


def test_units_of_compute_are_not_mixed(runs):
    fails([with_curve(runs[0], unit="steps"), *runs[1:]], ["several units (samples, steps)"], "unit")


def test_computes_that_do_not_overlap_are_named(runs):
    apart = [with_curve(run, compute=COMPUTE * 1000.0**k) for k, run in enumerate(runs)]
    found = law(apart, budget=1e9)
    assert any("do not overlap, nor do those of 5 other pairs" in note for note in found.notes)


def test_questions_that_make_no_sense(runs):
    fails(runs, ["--budget 0 is not above 0"], "budget", budget=0.0)
    fails(runs, ["--predict -7B is not above 0"], "predict", predict=-7e9)
    with pytest.raises(InputError, match="did you mean predict"):
        size_law(runs, predct=1)


def flat(size, level, seed=0):
    reward = level + 0.005 * np.random.default_rng(seed).standard_normal(COMPUTE.size)
    curve = Curve(compute=COMPUTE, reward=reward, unit="samples")
    return Run(name=f"flat-{size:g}", recipe="flat", model_params=size, curve=curve)


def test_a_run_that_learns_nothing_counts_and_is_named(runs):
    found = law([flat(0.2e9, 0.03), *runs])
    assert found.sizes[0].verdicts
    assert "no evidence of a gain" in found.sizes[0].verdicts[0]
    assert not found.sizes[-1].verdicts


def test_where_nothing_is_learned_nothing_is_predicted():
    found = law([flat(size, 0.1, seed) for seed, size in enumerate(SIZES[:4])], predict=72e9)
    assert found.verdict.name is VerdictName.NO_LEARNING
    assert found.predictions[0].verdict.name is VerdictName.NO_LEARNING


def test_a_collapsed_run_counts_up_to_its_peak(runs):
    reward = runs[3].curve.reward.copy()
    reward[35:] = 0.02
    found = law([*runs[:3], with_curve(runs[3], reward=reward)])
    assert any("collapsed" in note and runs[3].name in note for note in found.notes)
    assert found.sizes[3].last < COMPUTE[-1]
    assert found.sizes[3].k.q50 == pytest.approx(law(runs).sizes[3].k.q50, abs=0.01)


def test_a_run_too_short_is_left_out_and_said(runs):
    short = with_curve(runs[3], compute=COMPUTE[:3], reward=runs[3].curve.reward[:3])
    found = law([*runs[:3], short])
    assert [one.run for one in found.left_out] == [short.name]
    assert "a fit needs 4" in found.left_out[0].why
    fails([runs[0], short], ["of one size", "left out"], None)


def test_compute_zero_has_no_logarithm_and_does_no_harm(runs):
    begun = [with_curve(run, compute=np.append(0.0, COMPUTE), reward=np.append(0.0, run.curve.reward)) for run in runs]
    assert law(begun).K_max.q50 == pytest.approx(law(runs).K_max.q50, rel=0.05)


@pytest.mark.parametrize(
    ("size", "text"), [(7e9, "7B"), (5e8, "500M"), (1.5e9, "1.5B"), (32.0, "32"), (7.61e9, "7.61B")]
)
def test_sizes_are_written_as_people_do(size, text):
    assert written(size) == text


@pytest.mark.parametrize("power", range(5, 21))
def test_sizes_can_be_typed_back_as_they_are_written(power):
    for digits in (1.0, 1.2345, 9.994, 9.996, 9.9998):
        for sign in (1.0, -1.0):
            size = sign * digits * 10.0**power
            text = written(size)
            assert number_of(text) == pytest.approx(size, rel=0.005)
            assert "e" not in text or power >= 14
            assert len(text.lstrip("-").rstrip("TBM")) <= 6 or power >= 14


def test_a_size_is_predicted_once(runs):
    found = law(runs, predict=(71e9, 71e9))
    assert len({(each.kind, each.model_params, each.compute) for each in found.predictions}) == len(found.predictions)
    assert len(found.sizes) == 5


def test_sizes_too_near_to_say_how_the_exponent_rises(runs):
    near = [replace(run, model_params=size) for run, size in zip(runs, (3.1e9, 3.2e9), strict=False)]
    assert any("within 3 % of one another" in note for note in law(near).notes)
    assert not any("of one another" in note for note in law(runs).notes)
