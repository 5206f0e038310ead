"""Persistence and what follows a break: mixtures over the draws of a forecast, against mixtures made by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference.ahead import Aftermath, Ahead, climb, persistence
from rlscale.inference.examine import examine
from rlscale.inference.families import AVERAGED, FLAT, SIGMOID
from rlscale.inference.posterior import posterior
from rlscale.inference.predictive import mean_of_evaluations
from rlscale.inference.priors import LEARNED, AheadPrior
from rlscale.inference.walk import recent_jitter

from .helpers import sigmoid_curve

LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
PAIR = (SIGMOID.within(0.8), FLAT.within(0.2))
PLAIN = replace(LEARNED, ahead=AheadPrior(stay=0.0))
AFTER = Aftermath(now=0.2, on_floor=False)
FLOORED = Aftermath(now=0.005, on_floor=True)
COUNT = 16384


@pytest.fixture(scope="module")
def level():
    """A curve past its rise: persistence has most of its weight."""
    return sigmoid_curve(ratio=4.0, n=40, sigma=0.015, seed=3)


@pytest.fixture(scope="module")
def plain(level):
    return posterior(level, families=PAIR, priors=PLAIN, count=COUNT)


def staying(plain, share):
    """The posterior of a run that stays with probability ``share``."""
    return replace(plain, ahead=replace(Ahead.of(plain.curve, LEARNED.ahead), persistence=share))


def still(curve, normal):
    """Draws of a reward that stays where the curve ends."""
    draws = SimpleNamespace(noise=normal)
    return Ahead.of(curve, LEARNED.ahead).still(draws)


def moved(value, after, rng):
    """Rewards of a law that goes on, moved by a break: the mixture written out."""
    prior, count = LEARNED.ahead, value.size
    share = rng.beta(*(prior.back_from_floor if after.on_floor else prior.back), count)
    further = rng.random(count) < (0.0 if after.on_floor else prior.further)
    level = np.where(further, after.now * (1.0 - rng.random(count) ** 2), after.now + share * (value - after.now))
    return level + 0.02 * rng.standard_normal(count)


def shares_below(values, weight, cuts):
    """Posterior probability under each of ``cuts``."""
    return np.array([weight @ (values < cut) for cut in cuts])


def independent(posterior, values, seed):
    """As many draws of ``values`` by weight, chosen at random: no coordinate of them is used twice."""
    rng = np.random.default_rng(seed)
    return rng, rng.choice(values, size=200_000, p=posterior.weight / posterior.weight.sum())


@pytest.mark.parametrize("ahead", [1.5, 4.0, np.inf])
@pytest.mark.parametrize("share", [0.15, 0.6])
def test_persistence_is_the_mixture_made_by_hand(level, plain, share, ahead):
    """To .01 in probability: the mixture of 200,000 independent choices (.001), 16,384 points that fill the cube."""
    ahead = np.array([ahead * level.compute_last])
    mixed = staying(plain, share).reward(ahead, model_error=True)[:, 0]
    rng, others = independent(plain, plain.reward(ahead, model_error=True)[:, 0], seed=1)
    jitter = np.sqrt(np.mean(np.diff(level.reward[20:]) ** 2) / 2.0)
    stays = np.clip(
        level.reward_last + LEARNED.ahead.stay_sd * max(jitter, 0.01) * rng.standard_normal(others.size), 0.0, 1.0
    )
    hand = np.where(rng.random(others.size) < share, stays, others)
    cuts = np.quantile(hand, LEVELS)
    assert shares_below(mixed, plain.weight, cuts) == pytest.approx(LEVELS, abs=0.01)
    assert np.abs(shares_below(plain.reward(ahead, model_error=True)[:, 0], plain.weight, cuts) - LEVELS).max() > 0.03


def test_where_a_run_stays_it_stays_at_every_compute(level, plain):
    mixed = staying(plain, 0.5)
    last = level.compute_last
    rewards = mixed.reward([last, 1.1 * last, 4.0 * last, np.inf], model_error=True)
    stays = mixed.draws.stay < 0.5
    assert np.all(rewards[stays, 1:] == rewards[stays, 1:2])
    assert np.array_equal(rewards[:, 0], plain.reward([last], model_error=True)[:, 0])  # now is not what comes
    assert np.array_equal(
        rewards[~stays], plain.reward([last, 1.1 * last, 4.0 * last, np.inf], model_error=True)[~stays]
    )
    assert mixed.probability(stays) == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(mixed.expected([2.0 * last]), plain.expected([2.0 * last]))  # nothing unforeseen


@pytest.mark.parametrize("curve", [sigmoid_curve(ratio=4.0), sigmoid_curve(ratio=0.7)], ids=["level", "climbing"])
def test_weights_sum_to_one_with_persistence_among_them(curve):
    fitted = posterior(curve)
    assert sum(fitted.weights.values()) == pytest.approx(1.0, abs=1e-12)
    assert fitted.weights["persistence"] == fitted.ahead.persistence == persistence(curve, LEARNED.ahead)
    without = posterior(curve, priors=PLAIN)
    assert "persistence" not in without.weights
    for family in AVERAGED:
        assert fitted.weights[family.name] == pytest.approx(
            (1.0 - fitted.ahead.persistence) * without.weights[family.name]
        )


def test_persistence_falls_with_the_climb():
    rng = np.random.default_rng(4)
    noise, compute = 0.01 * rng.standard_normal(40), np.arange(40.0)
    runs = [Curve(compute=compute, reward=0.3 + slope * compute + noise) for slope in (-0.004, 0.0, 0.001, 0.002, 0.01)]
    climbs = [climb(each) for each in runs]
    shares = [persistence(each, LEARNED.ahead) for each in runs]
    assert np.all(np.diff(climbs) > 0.0)
    assert np.all(np.diff(shares) < 0.0)
    assert shares[0] == pytest.approx(0.15, abs=1e-3)
    assert shares[-1] < 1e-6
    assert persistence(runs[0], PLAIN.ahead) == 0.0
    assert persistence(runs[1], LEARNED.ahead) == pytest.approx(
        0.15 * stats.norm.cdf(LEARNED.ahead.climbing - climbs[1])
    )


def test_the_climb_is_in_standard_errors():
    """Of independent evaluations around a level, it is standard normal: 400 runs, se of the sd .035."""
    rng = np.random.default_rng(5)
    runs = [Curve(compute=np.arange(40.0), reward=0.5 + 0.02 * rng.standard_normal(40)) for _ in range(400)]
    climbs = np.array([climb(each) for each in runs])
    assert climbs.mean() == pytest.approx(0.0, abs=0.15)
    assert climbs.std() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("n", [4, 5, 6, 7, 9])
def test_the_shortest_runs_have_a_climb_and_a_jitter(n):
    curve = Curve(compute=np.arange(1.0, n + 1.0), reward=np.linspace(0.3, 0.4, n))
    assert np.isfinite(climb(curve))
    assert climb(curve) > 0.0
    assert recent_jitter(curve) == pytest.approx(0.1 / (n - 1) / np.sqrt(2.0))
    still = Curve(compute=np.arange(1.0, n + 1.0), reward=np.full(n, 0.4))
    assert (climb(still), recent_jitter(still)) == (0.0, 0.0)


def test_a_reward_that_stays_keeps_within_the_bounds():
    normal = stats.norm.ppf((np.arange(999) + 0.5) / 999)
    near = Curve(compute=np.arange(30.0), reward=np.full(30, 0.995))
    values = still(near, normal)
    assert values.max() == 1.0
    assert np.median(values) == pytest.approx(0.995)
    middle = still(Curve(compute=np.arange(30.0), reward=np.full(30, 0.5)), normal)
    assert middle.std() == pytest.approx(
        0.01 * LEARNED.ahead.stay_sd, rel=0.01
    )  # jitter counts for at least a hundredth
    percent = still(Curve(compute=np.arange(30.0), reward=np.full(30, 50.0), bounds=(0.0, 100.0)), normal)
    assert percent == pytest.approx(100.0 * middle)


@pytest.mark.parametrize("after", [AFTER, FLOORED], ids=["a level", "the floor"])
def test_after_a_break_a_run_falls_further_or_comes_back(plain, after):
    """Against 200,000 independent choices, to .01 in probability."""
    ahead = np.array([2.0 * plain.curve.compute_last])
    broken = plain.after(after).reward(ahead, model_error=True)[:, 0]
    rng, others = independent(plain, plain.reward(ahead, model_error=True)[:, 0], seed=2)
    hand = np.clip(moved(others, after, rng), 0.0, 1.0)
    cuts = np.quantile(hand, LEVELS)
    cuts, levels = np.unique(cuts[cuts > 0.0]), LEVELS[cuts > 0.0]
    assert shares_below(broken, plain.weight, cuts) == pytest.approx(levels, abs=0.01)
    assert levels.size >= 5


def test_persistence_and_a_break_together(level, plain):
    """What stays is mixed first, then what comes back: both by hand, to .015 in probability."""
    ahead = np.array([4.0 * level.compute_last])
    mixed = staying(plain, 0.4).after(AFTER).reward(ahead, model_error=True)[:, 0]
    rng, others = independent(plain, plain.reward(ahead, model_error=True)[:, 0], seed=6)
    sd = LEARNED.ahead.stay_sd * max(recent_jitter(level), 0.01)
    stays = level.reward_last + sd * rng.standard_normal(others.size)
    hand = np.where(rng.random(others.size) < 0.4, stays, others)
    hand = np.clip(moved(hand, AFTER, rng), 0.0, 1.0)
    assert shares_below(mixed, plain.weight, np.quantile(hand, LEVELS)) == pytest.approx(LEVELS, abs=0.015)


@pytest.mark.parametrize("prior", [AheadPrior().back, AheadPrior().back_from_floor])
def test_the_share_of_the_way_is_a_beta(prior):
    """From a level at the lower bound nothing falls further: that share of the runs stays."""
    level = (np.arange(20_000) + 0.5) / 20_000
    on_floor = prior == AheadPrior().back_from_floor
    curve = Curve(compute=np.arange(30.0), reward=np.full(30, 0.5))
    after = replace(Ahead.of(curve, AheadPrior()), aftermath=Aftermath(now=0.0, on_floor=on_floor))
    draws = SimpleNamespace(noise=np.zeros(level.size), back=level)
    share = after.broken(np.ones((1, level.size)), draws)[0]
    still = 0.0 if on_floor else AheadPrior().further
    assert np.mean(share) == pytest.approx((1.0 - still) * prior[0] / sum(prior), abs=1e-3)
    for cut in (0.05, 0.3, 0.7, 0.95):
        expected = still + (1.0 - still) * stats.beta.cdf(cut, *prior)
        assert np.mean(share < cut) == pytest.approx(expected, abs=1e-3)


def test_the_lower_bound_holds_runs_more_than_a_level_does(plain):
    ahead = np.array([2.0 * plain.curve.compute_last])
    low = Aftermath(now=0.005, on_floor=False)
    back, floored = (plain.after(each).reward(ahead, model_error=True)[:, 0] for each in (low, FLOORED))
    assert plain.quantiles(floored, [0.75])[0] < plain.quantiles(back, [0.75])[0] - 0.05


def test_a_component_carries_neither(level):
    fitted = posterior(level, families=PAIR).after(AFTER)
    assert fitted.ahead.persistence > 0.05
    alone = fitted.component("sigmoid")
    assert (alone.ahead.aftermath, alone.ahead.persistence) == (None, 0.0)
    assert alone.weights == {"sigmoid": pytest.approx(1.0)}
    plain = posterior(level, families=PAIR, priors=PLAIN).component("sigmoid")
    ahead = [2.0 * level.compute_last, np.inf]
    assert np.array_equal(alone.reward(ahead, model_error=True), plain.reward(ahead, model_error=True))


def test_a_given_model_error_knows_neither(level):
    fitted = posterior(level, families=PAIR, model_error=0.02)
    assert fitted.ahead is None
    assert fitted.after(AFTER) is fitted


def test_an_update_takes_persistence_anew_and_a_broken_run_has_none(level):
    before = posterior(level.select(np.arange(40) < 39), families=PAIR)
    updated = before.update(level.compute_last, level.reward_last)
    assert updated.ahead.persistence == persistence(level, LEARNED.ahead) != before.ahead.persistence
    with pytest.raises(CurveError, match="the run has left the curve that was fitted; fit the longer run instead"):
        before.after(AFTER).update(level.compute_last, level.reward_last)


def fallen(after, seed=0, n=30):
    """A rise to .6, then ``after`` for the last ten evaluations."""
    rng = np.random.default_rng(seed)
    plain = sigmoid_curve(ratio=4.0, n=n, sigma=0.01, seed=seed)
    rest = np.clip(after + 0.004 * rng.standard_normal(10), 0.0, 1.0)
    steps = np.diff(plain.compute[-2:])[0] * np.arange(1, 11)
    return Curve(compute=[*plain.compute, *(plain.compute_last + steps)], reward=[*plain.reward, *rest])


@pytest.mark.parametrize(("after", "on_floor"), [(0.25, False), (0.004, True)])
def test_a_fall_says_where_the_run_stands(after, on_floor):
    curve = fallen(after)
    seen = examine(curve)
    assert seen.aftermath.on_floor is on_floor
    assert seen.aftermath.now == pytest.approx(curve.reward[-2 if on_floor else -3 :].mean())
    assert seen.curve.compute_last < curve.compute_last
    assert examine(sigmoid_curve(ratio=4.0)).aftermath is None


@pytest.mark.parametrize("broken", [False, True], ids=["going on", "broken"])
def test_the_mean_of_evaluations_ahead_carries_the_mixtures(level, plain, broken):
    """Noise of the mean of four evaluations on top of the mixture by hand, to .015 in probability."""
    ahead = level.compute_last * np.array([3.4, 3.6, 3.8, 4.0])
    mixed = staying(plain, 0.5).after(AFTER if broken else None)
    fitted = mean_of_evaluations(mixed, ahead)
    rng = np.random.default_rng(8)
    pick = rng.choice(plain.weight.size, size=200_000, p=plain.weight)
    law = plain.reward(ahead).mean(axis=1) + plain.walk(ahead[-1:])[:, 0]
    stays = level.reward_last + LEARNED.ahead.stay_sd * max(recent_jitter(level), 0.01) * rng.standard_normal(pick.size)
    hand = np.where(rng.random(pick.size) < 0.5, stays, np.clip(law[pick], 0.0, 1.0))
    if broken:
        hand = np.clip(moved(hand, AFTER, rng), 0.0, 1.0)
    rho, sigma = plain.draws.rho[pick], plain.sigma[pick]
    lags = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    share = (rho[:, None, None] ** lags).mean(axis=(1, 2))
    hand = np.clip(hand + sigma * np.sqrt(share) * rng.standard_normal(pick.size), 0.0, 1.0)
    assert shares_below(fitted, plain.weight, np.quantile(hand, LEVELS)) == pytest.approx(LEVELS, abs=0.015)


def test_where_a_run_stays_the_next_evaluation_owes_nothing_to_the_last():
    """The noise of the last evaluation lives on where a run goes on, not where it stays; to .015 in probability."""
    curve = sigmoid_curve(ratio=4.0, n=40, sigma=0.03, rho=0.8, seed=2)
    plain = posterior(curve, families=PAIR, priors=PLAIN, count=COUNT)
    ahead = np.array([curve.compute_last + np.diff(curve.compute)[-1]])
    rng = np.random.default_rng(9)
    pick = rng.choice(plain.weight.size, size=200_000, p=plain.weight)
    last = plain.reward([curve.compute_last], model_error=True)[:, 0]
    level = np.clip(plain.reward(ahead, model_error=True)[pick, 0], 0.0, 1.0)
    rho, sigma, noise = plain.draws.rho[pick], plain.sigma[pick], rng.standard_normal(pick.size)
    goes_on = level + rho * (curve.reward_last - last[pick]) + sigma * np.sqrt(1.0 - rho**2) * noise
    stays = (
        curve.reward_last
        + LEARNED.ahead.stay_sd * max(recent_jitter(curve), 0.01) * rng.standard_normal(pick.size)
        + sigma * noise
    )
    for share in (0.0, 0.7):
        hand = np.clip(np.where(rng.random(pick.size) < share, stays, goes_on), 0.0, 1.0)
        fitted = mean_of_evaluations(staying(plain, share), ahead)
        assert shares_below(fitted, plain.weight, np.quantile(hand, LEVELS)) == pytest.approx(LEVELS, abs=0.015)
