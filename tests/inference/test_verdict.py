import re
from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, OpenBounds
from rlscale.errors import InputError
from rlscale.inference import FitOptions, Forecast, Verdict, VerdictName, fit
from rlscale.inference.collapse import collapse
from rlscale.inference.families import SIGMOID
from rlscale.inference.grounds import Grounds
from rlscale.inference.smoothed import Smoothing
from rlscale.inference.verdict import judge

from .helpers import sigmoid_curve


def verdict(curve, *targets, **options):
    return fit(curve, targets, FitOptions(**options)).verdict


def test_too_few_points_is_not_fitted():
    found = fit(Curve(compute=[0, 1, 2, 3], reward=[0.1, 0.2, 0.3, 0.35]))
    assert found.verdict.name == VerdictName.TOO_FEW_POINTS
    assert found.verdict.reason == (
        "Only 3 evaluations after the start; a fit needs 4. Evaluate more often, or let the run go on."
    )
    assert found.posterior is None
    assert found.forecasts == ()
    assert found.quantity("A") is None


def test_flat_noise_is_no_learning():
    flat = [verdict(sigmoid_curve(A=0.2, sigma=0.02, seed=k)).name for k in range(10)]
    assert flat.count(VerdictName.NO_LEARNING) >= 9


LEVELS = {
    0.02: (
        "it stands at 0.020, near its lower bound 0{}: it never started.",
        "Check that any sample is ever right: start with easier items, or mend the reward signal.",
    ),
    0.4: (
        "it stands at 0.400, in between its bounds 0 and 1{}.",
        "Check the reward signal and the learning rate before spending more; there is no ceiling to forecast yet.",
    ),
    0.97: (
        "it stands at 0.970, near its upper bound 1{} from the start.",
        "It is saturated, which leaves little to gain: measure something harder.",
    ),
}


@pytest.mark.parametrize("bounds_from", ["option", "metric", "values"])
@pytest.mark.parametrize("level", LEVELS)
def test_without_a_gain_the_bounds_tell_what_it_is(level, bounds_from):
    reward = level + 0.001 * np.sin(2.2 * np.arange(41))
    found = fit(Curve(compute=10.0 * np.arange(41), reward=reward, bounds_from=bounds_from)).verdict
    where, advice = LEVELS[level]
    assert found.name == VerdictName.NO_LEARNING
    start, _, end = found.why.partition(" %, and ")
    assert re.fullmatch(r"No evidence of a gain: one of more than 0\.02 has a probability of \d+", start)
    assert end == re.sub("0[.][0-9]{3}", end[13:18], where.format(" (assumed)" if bounds_from == "values" else ""))
    assert float(end[13:18]) == pytest.approx(level, abs=0.01)
    assert found.advice == advice
    assert found.saturated == found.ranks == (level == 0.97)


def test_percent_has_its_own_bounds_and_open_ones_tell_no_place():
    reward = 97.0 + 0.1 * np.sin(2.2 * np.arange(41))
    percent = fit(Curve(compute=np.arange(41.0), reward=reward, bounds=(0, 100), bounds_from="percent")).verdict
    assert percent.saturated
    assert "near its upper bound 100 from the start." in percent.why
    bounds = OpenBounds(lowest=96.9, highest=97.1, range=40.0)
    found = fit(Curve(compute=np.arange(41.0), reward=reward, bounds_from="open", open=bounds)).verdict
    assert found.name == VerdictName.NO_LEARNING
    assert re.fullmatch(r"No evidence of a gain: one of more than 0\.8 has a probability of \d+ %\.", found.why)
    assert not found.ranks


@pytest.mark.parametrize(
    ("reward", "told"),
    [
        (np.full(30, 2.5), "all values equal 2.5"),
        (np.where(np.arange(30) == 12, 9.0, -1.0), "all values equal -1 but for single ones"),
    ],
)
def test_nothing_is_fitted_where_nothing_varies_under_open_bounds(reward, told):
    level = float(np.median(reward))
    bounds = OpenBounds(lowest=level, highest=level, range=0.0)
    found = fit(Curve(compute=np.arange(30.0), reward=reward, bounds_from="open", open=bounds))
    assert found.posterior is None
    assert found.forecasts == found.warnings == ()
    assert found.verdict.name == VerdictName.NO_LEARNING
    assert found.verdict.reason == (
        f"No evidence of a gain: {told}. "
        "Check that the reward is logged and graded; give --bounds LO HI if it can go further."
    )
    assert not found.verdict.ranks


def test_a_flat_run_beside_others_that_vary_is_fitted():
    bounds = OpenBounds(lowest=2.5, highest=2.5, range=1.0)
    found = fit(Curve(compute=np.arange(30.0), reward=np.full(30, 2.5), bounds_from="open", open=bounds))
    assert found.verdict.name == VerdictName.NO_LEARNING
    assert found.posterior is not None


GROUNDS = Grounds(p_gain=0.62, p_past_midpoint=0.3, level=0.4, smoothing=None, n_points=30)
NARROW = Forecast(
    compute=np.inf, q05=0.4, q10=0.41, q25=0.43, q50=0.45, q75=0.47, q90=0.49, q95=0.5, mean=0.45, resolved=False
)
WIDE = replace(NARROW, q90=0.7)
NEXT = "Let it run on before acting on a ceiling: refusing this early is the normal answer."


@pytest.mark.parametrize(
    ("start", "answer", "grounds", "name", "why", "advice"),
    [
        (
            0, WIDE, GROUNDS, "pre_inflection",
            "Gain not shown yet: P = 62 %. The ceiling lies in 0.410 to 0.700 (80 %), wider than 0.1; "
            "the midpoint is passed with probability 0.30.",
            f"To settle the gain: more items in each evaluation, or a longer run. {NEXT}",
        ),
        (
            1, NARROW, replace(GROUNDS, p_past_midpoint=0.6), "pre_inflection",
            "Gain not shown yet: P = 62 %. The ceiling lies in 0.410 to 0.490 (80 %), narrow, but not to be acted on "
            "yet; the midpoint is passed with probability 0.60.",
            f"To settle the gain: an evaluation at step 0, more items in each evaluation, or a longer run. {NEXT}",
        ),
        (
            0, NARROW, replace(GROUNDS, p_gain=0.95), "pre_inflection",
            "The ceiling lies in 0.410 to 0.490 (80 %), narrow, but the midpoint is probably still ahead; "
            "the midpoint is passed with probability 0.30.",
            NEXT,
        ),
        (
            0, WIDE, replace(GROUNDS, p_gain=0.95, p_past_midpoint=0.9), "bending",
            "The ceiling lies in 0.410 to 0.700 (80 %), wider than 0.1, and the run is past its midpoint "
            "(probability 0.90).",
            "Use the interval, not the median; more compute narrows it.",
        ),
        (
            0, NARROW, replace(GROUNDS, p_past_midpoint=0.97), "bending",
            "Gain not shown yet: P = 62 %. The ceiling lies in 0.410 to 0.490 (80 %), no wider than 0.1, but not to be "
            "acted on yet, and the run is past its midpoint (probability 0.97).",
            "To settle the gain: more items in each evaluation, or a longer run.",
        ),
        (
            0, replace(NARROW, resolved=True), replace(GROUNDS, p_gain=0.9, p_past_midpoint=0.5), "resolved",
            "The ceiling lies in 0.410 to 0.490 (80 %), no wider than 0.1.",
            "Act on it.",
        ),
    ],
)  # fmt: skip
def test_what_a_verdict_says(start, answer, grounds, name, why, advice):
    curve = Curve(compute=np.arange(start, 30.0), reward=np.full(30 - start, 0.4))
    assert judge(curve, answer, grounds, 0.05) == Verdict(VerdictName(name), why, advice)


def test_a_gain_decides_from_one_half_on_and_resolves_from_nine_tenths_on():
    curve = Curve(compute=np.arange(30.0), reward=np.full(30, 0.4))
    assert judge(curve, WIDE, replace(GROUNDS, p_gain=0.49), 0.05).name == VerdictName.NO_LEARNING
    assert judge(curve, WIDE, replace(GROUNDS, p_gain=0.5), 0.05).name == VerdictName.PRE_INFLECTION
    sure = replace(GROUNDS, p_gain=0.9, p_past_midpoint=0.5)
    assert sure.allow_resolved
    assert not replace(sure, p_gain=0.89).allow_resolved
    assert not replace(sure, p_past_midpoint=0.49).allow_resolved
    assert not replace(sure, smoothing=Smoothing(window=9, from_start=False, correlation=0.9, z=5.0)).allow_resolved


def test_resolved_and_refused():
    late = [verdict(sigmoid_curve(ratio=8, seed=k), model_error=0.0, families=(SIGMOID,)).name for k in range(10)]
    assert late.count(VerdictName.RESOLVED) == 10
    # the average leaves room for a second rise
    late = [verdict(sigmoid_curve(ratio=8, seed=k)).name for k in range(10)]
    assert late.count(VerdictName.RESOLVED) >= 6
    early = [verdict(sigmoid_curve(ratio=0.3, seed=k)).name for k in range(10)]
    assert VerdictName.RESOLVED not in early


def test_bending_is_past_the_midpoint_but_wide():
    found = fit(sigmoid_curve(ratio=2.5, sigma=0.02, n=20, A=0.8))
    assert found.verdict.name == VerdictName.BENDING
    assert found.p_past_midpoint > 0.9


def test_near_target_may_be_resolved_while_the_ceiling_is_not():
    curve = sigmoid_curve(ratio=1.5, n=60, sigma=0.005)
    assert verdict(curve).name != VerdictName.RESOLVED
    assert verdict(curve, 1.6).name == VerdictName.RESOLVED


def test_several_targets_speak_of_the_largest():
    curve = sigmoid_curve(ratio=1.5, n=60, sigma=0.005)
    assert verdict(curve, 1.6, np.inf).name == verdict(curve).name
    assert [f.compute for f in fit(curve, [12.0, 1.6]).forecasts] == [12.0, 1.6]


def collapsing(n=40, at=25, depth=0.4):
    curve = sigmoid_curve(ratio=4, n=n, sigma=0.01)
    rewards = curve.reward.copy()
    rewards[at:] -= depth
    return Curve(compute=curve.compute, reward=rewards)


def test_collapse_is_seen_and_the_fit_stops_at_the_peak():
    found = fit(collapsing())
    assert found.verdict.name == VerdictName.COLLAPSED
    assert found.posterior.curve.compute_last < found.run.curve.compute_last
    assert found.asymptote.q05 < 0.6 < found.asymptote.q90
    assert any(warning.startswith("the fit covers the part up to the peak") for warning in found.warnings)


def test_a_collapse_in_a_short_run_does_not_hide_in_its_own_jitter():
    rewards = [1.0] * 5 + [0.0] * 5
    assert collapse(Curve(compute=np.arange(10.0), reward=rewards)).drop == 1.0


def test_a_single_dip_is_no_collapse():
    curve = sigmoid_curve(ratio=4)
    rewards = curve.reward.copy()
    rewards[20] -= 0.3
    assert collapse(Curve(compute=curve.compute, reward=rewards)) is None


def test_collapse_in_the_first_points_is_still_reported():
    rewards = [0.5, 0.5, 0.5, *([0.1] * 40)]
    found = fit(Curve(compute=np.arange(43.0), reward=rewards))
    assert found.verdict.name == VerdictName.COLLAPSED
    assert found.posterior is None
    assert found.warnings == ("too few points before the fall at 2 steps: nothing is fitted",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FitOptions(model_error=-1), "model_error=-1 is not a size; give 0 or more"),
        (lambda: FitOptions(at_least=np.nan), "at_least=nan is not a reward; give a finite one"),
        (lambda: FitOptions(tolerance=0), "tolerance=0 is not above 0; give half the width you can accept"),
        (lambda: fit(sigmoid_curve(), [0.0]), "target=0 is not a compute above 0; give it in steps, or inf"),
        (lambda: fit(sigmoid_curve(), [np.nan]), "target=nan is not a compute above 0; give it in steps, or inf"),
    ],
)
def test_bad_options(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert str(error.value) == message


def test_level_sd_is_binomial_and_apart():
    curve = sigmoid_curve(ratio=4)
    known = Curve(compute=curve.compute, reward=curve.reward, n_eval=np.full(curve.n_points, 1024))
    found = fit(known)
    p = curve.reward[-1]
    assert found.level_sd == pytest.approx(np.sqrt(p * (1 - p) / 1024))
    assert found.forecasts[0] == fit(curve).forecasts[0]
    assert fit(curve).level_sd is None


def test_p_at_least():
    found = fit(sigmoid_curve(ratio=4), [8.0], FitOptions(at_least=0.5))
    assert found.forecasts[0].p_at_least == pytest.approx(1.0, abs=0.01)
    assert fit(sigmoid_curve(ratio=4)).forecasts[0].p_at_least is None


OUTSIDE = {
    "below": -0.03 + 0.002 * np.sin(np.arange(41.0)),
    "above": 1.02 + 0.002 * np.sin(np.arange(41.0)),
    "starts below": np.linspace(-0.06, 0.5, 41),
    "saturates above": 1.03 - 0.83 / (1 + np.arange(41.0) ** 2 / 9) + 0.006 * np.sin(9 * np.arange(41.0)),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_rewards_outside_the_bounds_by_more_than_noise_are_moved_onto_them(case):
    rewards = OUTSIDE[case]
    found = fit(Curve(compute=np.arange(41.0), reward=rewards))
    assert found.posterior.draws.effective > 200
    assert found.warnings == (
        "the rewards leave the bounds [0, 1] by more than noise: those outside were moved onto them for the fit; "
        "give --bounds LO HI if the metric can go further",
    )
    now = found.posterior.quantiles(found.posterior.reward([40.0])[:, 0], [0.5])[0]
    assert now == pytest.approx(np.clip(rewards[-1], 0, 1), abs=0.02)


def test_noise_across_a_bound_is_left_alone():
    rng = np.random.default_rng(0)
    compute = np.linspace(0, 100, 41)
    rewards = 0.99 - 0.79 / (1 + (compute / 10) ** 3) + 0.02 * rng.normal(size=41)
    curve = Curve(compute=compute, reward=rewards)
    assert curve.n_outside
    assert fit(curve).warnings == ()


def test_one_target_need_not_be_a_list():
    curve = sigmoid_curve(ratio=4)
    assert fit(curve, 8.0).forecasts == fit(curve, np.array([8.0])).forecasts


def test_noise_of_block_means_is_not_quoted_as_that_of_an_evaluation():
    found = fit(sigmoid_curve(ratio=4, n=5001, sigma=0.02))
    assert found.quantity("sigma") is None
    assert found.quantity("A") is not None
    assert found.warnings == ("5001 evaluations were averaged in blocks to 2000 at most for the fit",)


def test_a_tiny_range_is_shown_with_its_digits():
    curve = sigmoid_curve(ratio=2)
    tiny = Curve(compute=curve.compute, reward=curve.reward * 1e-9, bounds=(0.0, 1e-9))
    assert "lies in 0.000000000" in fit(tiny).verdict.why
    assert "0.000 to 0.000" not in fit(tiny).verdict.why


def test_a_long_run_cut_at_its_peak_and_not_averaged_keeps_its_noise():
    curve = sigmoid_curve(ratio=4, n=2100, sigma=0.01)
    rewards = np.append(curve.reward[:1000], np.full(1100, 0.05))
    found = fit(Curve(compute=curve.compute, reward=rewards))
    assert found.verdict.name == VerdictName.COLLAPSED
    assert found.quantity("sigma").q50 == pytest.approx(0.01, rel=0.1)


def test_an_interval_that_only_an_assumed_bound_ends_is_not_acted_on():
    """A straight line to .8: nothing bends, and nobody said that the reward ends at 1."""
    line = Curve(compute=np.arange(1.0, 13.0), reward=np.linspace(0.2, 0.8, 12))
    assumed = fit(replace(line, bounds_from="values"))
    assert assumed.asymptote.interval.width <= 0.1
    assert not assumed.asymptote.resolved
    assert "The interval ends at the upper bound 1, which is only assumed." in assumed.verdict.why
    assert assumed.resolves_at is None
    assert fit(replace(line, bounds_from="option")).verdict.name is VerdictName.RESOLVED


@pytest.mark.parametrize(("count", "resolved"), [(6, False), (7, True)])
def test_few_evaluations_resolve_nothing(count, resolved):
    """A baseline and ``count`` more, nearly without noise."""
    compute = np.linspace(0.0, 8.0, count + 1)
    found = fit(Curve(compute=compute, reward=0.1 + 0.5 * compute**3 / (1.0 + compute**3)), targets=9.0)
    assert found.forecasts[0].interval.width < 0.1
    assert (found.verdict.name is VerdictName.RESOLVED) is resolved
    if not resolved:
        assert "Only 7 evaluations: no answer is acted on before 8." in found.verdict.why
        assert found.resolves_at is None or found.resolves_at.q10 > 8.0
