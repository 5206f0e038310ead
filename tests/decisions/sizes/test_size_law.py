import doctest
import pickle
from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions.sizes import FormName, HeldOut, PredictionKind, law, size_law
from rlscale.inference import FitOptions, VerdictName

from ...inference.size_law.projects import (
    COMPUTE,
    K_MAX,
    N0,
    SIZES,
    exponent,
    intercept,
    runs_of_sizes,
    true_reward,
    with_curve,
)


def within(interval, truth):
    return interval.q10 <= truth <= interval.q90


@pytest.fixture(scope="module")
def found():
    runs = runs_of_sizes(SIZES, sd=0.01, level_sd=0.01, per_size=3)
    return size_law(runs, predict=[72e9, 140e9], budget=1e5)


def test_the_law_is_found_with_intervals(found):
    assert within(found.K_max, K_MAX)
    assert found.N0.q10 < N0 < 1.1 * found.N0.q90
    assert found.p_past_N0 > 0.99
    assert found.verdict.name is VerdictName.RESOLVED
    assert found.r_max == 1.0
    assert found.sigma.q50 == pytest.approx(0.01, rel=0.1)
    assert found.unit == "samples"
    assert "samples" in found.compute_means


def test_each_size_has_its_line(found):
    assert [row.model_params for row in found.sizes] == [*SIZES, 140e9]
    assert [row.in_sample for row in found.sizes] == [True] * 7 + [False]
    for row in found.sizes[:-1]:
        assert row.k.q50 == pytest.approx(float(exponent(row.model_params, K_MAX, N0)), abs=0.004)
        assert row.E.q50 == pytest.approx(intercept(row.model_params), abs=0.05)
        assert row.prefactor.q50 == pytest.approx(np.exp(row.E.q50))
        assert len(row.runs) == 3
        assert (row.first, row.last) == (COMPUTE[0], COMPUTE[-1])


def test_an_unseen_size_and_one_from_its_first_part_are_marked(found):
    asked = [one for one in found.predictions if one.kind is not PredictionKind.WITHIN_RUN]
    kinds = [(one.model_params, one.kind) for one in asked]
    assert kinds == [(72e9, PredictionKind.UNSEEN)] * 2 + [(72e9, PredictionKind.REFITTED)] * 2 + [
        (140e9, PredictionKind.UNSEEN)
    ]
    unseen, refitted = asked[0], asked[2]
    assert unseen.compute == refitted.compute
    assert unseen.observed == refitted.observed == pytest.approx(float(true_reward(72e9, COMPUTE[-3])), abs=0.02)
    assert within(unseen.reward, float(true_reward(72e9, unseen.compute)))
    assert refitted.reward.width < 0.5 * unseen.reward.width
    assert refitted.reward.q50 == pytest.approx(refitted.observed, abs=0.01)
    assert unseen.sizes_away == pytest.approx(1.0, abs=0.05)
    assert refitted.sizes_away == 0.0
    assert [one.observed for one in asked if one.compute == 1e5] == [None] * 3


def test_runs_are_predicted_from_their_first_quarter(found):
    within_runs = [one for one in found.predictions if one.kind is PredictionKind.WITHIN_RUN]
    assert [one.model_params for one in within_runs] == list(SIZES)
    for one in within_runs:
        assert one.reward.q50 == pytest.approx(one.observed, abs=0.015)


def test_the_unseen_size_was_not_used():
    runs = runs_of_sizes(SIZES[:5], sd=0.01)
    higher = [with_curve(run, reward=run.curve.reward + 0.3) if run.model_params == SIZES[4] else run for run in runs]
    one, other = (size_law(each, predict=SIZES[4], compare=False).predictions[0] for each in (runs, higher))
    assert one.reward == other.reward
    assert other.observed == pytest.approx(one.observed + 0.3)


def test_errors_widen_and_the_submodel_is_stated(found):
    sds = [one.level_sd for one in found.widening]
    assert sds == sorted(sds)
    assert [one.sizes_away for one in found.widening] == [1, 2, 3]
    assert "log N" in found.submodel
    assert [one.formula for one in found.letterings] == ["log L = -k(N) log X + E(N)", "L = K(N) X^(-E(N))"]


def test_forms_are_compared_on_what_they_did_not_see(found):
    scores = {(one.form, one.held_out): one for one in found.compare}
    assert len(scores) == 9
    none = scores[FormName.SIGMOID, HeldOut.LARGEST_SIZE]
    assert none.crps is None
    assert "before it has run" in none.note
    assert scores[FormName.POWER, HeldOut.LAST_HALF].runs == 21
    assert all(one.crps > 0.0 for key, one in scores.items() if key != (FormName.SIGMOID, HeldOut.LARGEST_SIZE))
    assert found.believe.form is FormName.POWER
    assert "CRPS" in found.believe.why


def test_a_ceiling_is_believed_where_there_is_one():
    """The negative control of the comparison: runs that flatten within what was seen."""
    runs = runs_of_sizes(SIZES[1:6], sd=0.005, per_size=2, seed=2)
    flat = []
    for run in runs:
        top = 0.1 + 0.5 * run.curve.reward[-1]
        reward = 0.05 + top / (1.0 + (9000.0 / COMPUTE) ** 2.5) + (run.curve.reward - run.curve.reward.mean()) * 0.02
        flat.append(with_curve(run, reward=reward + 0.004 * np.sin(7.0 * np.arange(COMPUTE.size))))
    found = size_law(flat, budget=1e6)
    assert found.believe.form is not FormName.POWER
    assert "no ceiling" in found.believe.why
    assert found.doubt
    assert found.verdict.name is VerdictName.PRE_INFLECTION
    assert found.budget.refusal or any("S-shaped curves" in note for note in found.budget.notes)
    ends = [one for one in found.predictions if one.kind is PredictionKind.WITHIN_RUN]
    assert VerdictName.RESOLVED not in {one.verdict.name for one in ends}


def test_bands_for_charts(found):
    band = found.exponents([1e9, 13e9, 1e12])
    assert band.at == (1e9, 13e9, 1e12)
    assert all(a <= b <= c for a, b, c in zip(band.q10, band.q50, band.q90, strict=True))
    assert band.q50[1] == pytest.approx(K_MAX / 2.0, rel=0.05)
    seen, new = found.rewards(72e9, [1e4, 1e5]), found.rewards(140e9, [1e4, 1e5])
    assert seen.q90[1] - seen.q10[1] < new.q90[1] - new.q10[1]


def test_it_travels_and_is_the_same_again(found):
    assert pickle.loads(pickle.dumps(found)) == found
    runs = runs_of_sizes(SIZES[:4], sd=0.01)
    assert size_law(runs, predict=20e9, compare=False) == size_law(runs, predict=20e9, compare=False)
    assert "7 sizes" in repr(found)


def test_a_reward_on_another_scale():
    runs = runs_of_sizes(SIZES[:4], sd=0.005)
    percent = [with_curve(run, reward=100.0 * run.curve.reward, bounds=(0.0, 100.0)) for run in runs]
    one, other = (size_law(each, predict=20e9, compare=False) for each in (runs, percent))
    assert other.K_max.q50 == pytest.approx(one.K_max.q50, rel=1e-6)
    assert other.predictions[0].reward.q50 == pytest.approx(100.0 * one.predictions[0].reward.q50, rel=1e-6)
    assert other.sigma.q50 == pytest.approx(100.0 * one.sigma.q50, rel=1e-6)


def test_the_largest_reward_can_be_given():
    runs = runs_of_sizes(SIZES[:4], sd=0.005)
    half = [with_curve(run, reward=0.5 * run.curve.reward) for run in runs]
    found = size_law(half, r_max=0.5, compare=False)
    assert found.r_max == 0.5
    assert found.K_max.q50 == pytest.approx(size_law(runs, compare=False).K_max.q50, rel=1e-6)


def test_tolerance_decides_what_is_resolved():
    runs = runs_of_sizes(SIZES[:6], sd=0.005, per_size=2)
    wide = size_law(runs, predict=32e9, compare=False, options=FitOptions(tolerance=0.2)).predictions
    narrow = size_law(runs, predict=32e9, compare=False, options=FitOptions(tolerance=0.0005)).predictions
    begun = [k for k, each in enumerate(wide) if each.kind is PredictionKind.REFITTED]
    assert all(wide[k].verdict.name is VerdictName.RESOLVED for k in begun)
    assert all(narrow[k].verdict.name is VerdictName.BENDING for k in begun)
    assert "first part gives E(N)" in narrow[0].verdict.advice


def test_a_size_without_runs_is_never_resolved():
    runs = runs_of_sizes(SIZES[:6], sd=0.005, per_size=2)
    unseen = size_law(runs, predict=72e9, compare=False, options=FitOptions(tolerance=0.4)).predictions[0]
    assert unseen.verdict.name is VerdictName.BENDING
    assert "its intercept E(N) is only the trend of the other sizes" in unseen.verdict.why


def test_no_reward_far_ahead_is_acted_on():
    runs = runs_of_sizes(SIZES[:6], sd=0.005, per_size=2)
    near, far = (
        next(
            each
            for each in size_law(runs, predict=32e9, budget=ahead * COMPUTE[-1], compare=False).predictions
            if each.kind is PredictionKind.REFITTED and each.compute == ahead * COMPUTE[-1]
        )
        for ahead in (2.0, 50.0)
    )
    assert near.verdict.name is VerdictName.RESOLVED
    assert far.verdict.name is VerdictName.BENDING
    assert "50 times the last compute seen" in far.verdict.why


def test_small_sizes_alone_do_not_show_saturation():
    found = size_law(runs_of_sizes(SIZES[:3], sd=0.01), predict=72e9, compare=False)
    assert found.verdict.name is VerdictName.PRE_INFLECTION
    assert found.p_past_N0 < 0.5
    assert found.K_max.width > 0.1
    far = found.predictions[0]
    assert far.verdict.name is not VerdictName.RESOLVED
    assert any("72B lies" in note for note in found.notes)


def test_seeds_are_runs_of_one_size_whatever_their_recipe():
    runs = runs_of_sizes(SIZES[:3], sd=0.01, per_size=2)
    renamed = [replace(run, recipe=f"other-{k}") for k, run in enumerate(runs)]
    assert size_law(renamed, compare=False).K_max == size_law(runs, compare=False).K_max


def test_example():
    found = doctest.testmod(law)
    assert found.attempted > 0
    assert found.failed == 0


def hills():
    """Three sizes, two runs each, that saturate at levels of their own: no power law."""
    compute = np.arange(50.0, 1001.0, 50.0)
    rng, runs = np.random.default_rng(4), []
    for size, top in ((1e9, 0.4), (3e9, 0.55), (7e9, 0.7)):
        for seed in range(2):
            reward = 0.1 + (top - 0.1) / (1.0 + (300.0 / compute) ** 2.5) + 0.01 * rng.standard_normal(compute.size)
            curve = Curve(compute=compute, reward=reward, unit="steps")
            runs.append(Run(name=f"{size:g}-{seed}", recipe=f"{size:g}", seed=seed, model_params=size, curve=curve))
    return runs


def test_a_law_that_misses_its_own_runs_names_no_best_size():
    found = size_law(hills(), predict=14e9, budget=2000.0, compare=False)
    assert 7e9 in [each.model_params for each in found.missed]
    assert "misses the last evaluations (7B: 0.6" in found.doubt
    assert found.verdict.name is VerdictName.PRE_INFLECTION
    assert found.budget.best is None
    assert {each.p for each in found.budget.p_best} == {None}
    assert found.budget.crossings == ()
    assert "misses the last evaluations" in found.predictions[0].verdict.why


def test_the_form_that_is_believed_answers():
    found = size_law(hills(), predict=14e9, budget=2000.0)
    assert found.believe.form is FormName.S_SHAPED
    *seen, unseen = found.budget.p_best
    assert sum(each.p for each in seen) == pytest.approx(1.0)
    assert unseen.p is None  # no form that is believed was measured on a size without runs
    truth = 0.1 + 0.6 / (1.0 + 0.15**2.5)
    assert seen[-1].reward.q50 == pytest.approx(truth, abs=0.02)
    assert found.rewards(7e9, 2000.0).q50[0] == pytest.approx(seen[-1].reward.q50)
    assert found.rewards(7e9, 1000.0).q50[0] > max(each.law.q90 for each in found.missed)
    assert all(each.verdict.name is not VerdictName.RESOLVED for each in found.predictions)


def test_runs_of_the_law_are_not_missed():
    """The negative control: 3 standard errors, so few projects are, with correlated noise and run-to-run spread too."""
    off = [
        bool(size_law(
            runs_of_sizes(SIZES[:5], sd=0.01, rho=0.3, level_sd=0.02, per_size=1 + seed % 3, seed=seed), compare=False
        ).missed)
        for seed in range(20)
    ]  # fmt: skip
    assert sum(off) <= 1
