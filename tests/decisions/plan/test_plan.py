import doctest
import importlib
import pickle

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions import rank
from rlscale.decisions.plan import plan
from rlscale.errors import InputError
from rlscale.inference import VerdictName, fit

from .made import run

MODULE = importlib.import_module("rlscale.decisions.plan.plan")
FITS = [fit(one) for one in (run("slow", A=0.75, C_mid=160.0, seed=1), run("quick", A=0.55, C_mid=50.0, seed=2))]


def test_the_answer_in_one_piece():
    found = plan(FITS, reward=0.6, budget=1200.0, price=2.0, pretraining=1e6, lr_anchor=(1e-6, 1024), batch=8192)
    assert (found.reward, found.budget, found.price, found.at, found.unit) == (0.6, 1200.0, 2.0, 1200.0, "gpu-hours")
    first = found.recipes[0]
    assert first.recipe == "slow"
    assert first.compute_last == 200.0
    assert first.reach.p > first.reach.p_by_budget > 0.5
    assert first.next_doubling.price == 400.0
    assert first.worth_until.q50 > 200.0
    assert found.crossings[0].b == "slow"
    assert found.split.left == 1000.0
    assert found.pretraining.share == pytest.approx(1.2e-3)
    assert all(each.source and each.grade for each in found.pretraining.references)
    assert f"{found.lr.value:.3e}" == "2.828e-06"
    assert found.fits == tuple(FITS)
    assert repr(found) == "Plan(2 recipes to 0.6, by 1200 gpu-hours)"


def test_order_forecasts_and_odds_are_those_of_rank():
    for options in ({}, {"seed_sd": 0.0}):
        found, ranking = plan(FITS, budget=600.0, **options), rank(FITS, target=600.0, **options)
        assert [each.recipe for each in found.recipes] == [row.recipe for row in ranking.recipes]
        assert [each.forecast for each in found.recipes] == [row.forecast for row in ranking.recipes]
        assert [each.p_best for each in found.recipes] == [row.p_best for row in ranking.recipes]
        assert (found.seed_sd, found.claim) == (ranking.seed_sd, ranking.claim)
    assert plan(FITS).at == rank(FITS).at == 800.0


def test_what_was_not_asked_is_not_answered():
    found = plan(FITS)
    assert found.split is found.pretraining is found.lr is None
    assert found.split_reason == ""
    assert [each.reach for each in found.recipes] == [None, None]
    assert all(each.next_doubling is not None for each in found.recipes)


def test_a_run_that_was_not_fitted_has_its_verdict_and_the_reason():
    started = Run(name="new", recipe="new", curve=Curve(compute=[0, 5, 10], reward=[0.1, 0.1, 0.2], unit="gpu-hours"))
    found = plan([*FITS, fit(started)], reward=0.6, budget=600.0)
    new = found.recipes[-1]
    assert new.verdict.name is VerdictName.TOO_FEW_POINTS
    assert new.reach is new.next_doubling is new.worth_until is new.forecast is new.compute_last is new.p_best is None
    assert new.later_doublings == ()
    assert new.notes == (new.verdict.reason,)
    assert "new" not in {name for crossing in found.crossings for name in (crossing.a, crossing.b)}
    assert "new" not in found.split.recipes


def test_only_runs_that_were_not_fitted():
    started = Run(name="new", recipe="new", curve=Curve(compute=[0, 5], reward=[0.1, 0.1], unit="gpu-hours"))
    found = plan([started], reward=0.6, budget=600.0)
    assert found.crossings == ()
    assert found.split_reason == "fewer than two recipes could be fitted: there is nothing to choose"


def flat(name="flat"):
    reward = 0.3 + 0.01 * np.random.default_rng(0).standard_normal(41)
    return Run(
        name=name, recipe=name, curve=Curve(compute=np.linspace(0.0, 200.0, 41), reward=reward, unit="gpu-hours")
    )


def test_a_run_that_does_not_learn_has_numbers_and_their_limit():
    found = plan([flat()], reward=0.9).recipes[0]
    assert found.verdict.name is VerdictName.NO_LEARNING
    assert found.next_doubling.gain is not None
    assert found.reach.compute is None
    assert found.notes[0].startswith("no learning shows")
    assert found.notes[1] == "already the next doubling probably gains less than is worth it"


def test_a_collapsed_run_says_that_it_left_its_curve():
    base = run("c", A=0.9, last=400.0)
    rewards = base.curve.reward.copy()
    rewards[30:] = 0.1
    fallen = Run(name="c", recipe="c", curve=Curve(compute=base.curve.compute, reward=rewards, unit="gpu-hours"))
    found = plan([fallen], reward=0.85).recipes[0]
    assert found.verdict.name is VerdictName.COLLAPSED
    assert found.notes[0].startswith("it has collapsed. The reward fell from")
    assert found.compute_last == found.next_doubling.start == 400.0  # what was run, not what was fitted
    assert found.next_doubling.gain.q10 > -0.1  # from where it stands now, not from before the fall


def test_seeds_of_a_recipe_are_pooled():
    seeds = [run(f"a{k}", recipe="a", seed=k) for k in range(3)]
    found = plan(seeds, reward=0.6)
    assert [each.runs for each in found.recipes] == [("a0", "a1", "a2")]
    assert found.seed_sd.source == "replicates"


def test_a_budget_that_is_spent_and_one_that_is_far():
    spent = plan(FITS, budget=150.0, reward=0.6)
    assert spent.split is None
    assert spent.split_reason == "the budget, 150, is spent: a run has got to 200 already"
    assert spent.notes[-1] == "the budget, 150 gpu-hours, lies within what has been run"
    far = plan(FITS, budget=20_000.0, reward=0.6)
    assert far.recipes[0].reach.horizon == 20_000.0
    assert "is 100 times the last compute: forecasts were measured up to 32 times" in far.notes[0]


def test_a_recipe_that_cannot_win_is_not_explored():
    hopeless = fit(run("hopeless", A=0.2, C_mid=50.0, seed=3))
    found = plan([*FITS, hopeless], budget=600.0)
    assert "hopeless" not in found.split.recipes


def test_dollars_are_their_own_price():
    found = plan([run("a", unit="dollars")], reward=0.6).recipes[0].next_doubling
    assert found.cost is None
    assert found.cost_in_money.q50 == pytest.approx(200.0 / found.gain.q50)


def test_percent_is_said():
    base = run().curve
    curve = Curve(compute=base.compute, reward=100.0 * base.reward, unit=base.unit, bounds=(0.0, 100.0))
    found = plan([curve], reward=0.6)
    assert found.notes[-1] == "rewards are in percent here: 0.6 is 0.6 %"
    assert plan([curve], reward=60.0).recipes[0].reach.p == pytest.approx(plan([base], reward=0.6).recipes[0].reach.p)


def test_the_scale_of_compute_does_not_matter():
    def scaled(factor):
        base = run().curve
        return plan([Curve(compute=factor * base.compute, reward=base.reward, unit=base.unit)], reward=0.6).recipes[0]

    small, large = scaled(1.0), scaled(1e20)
    assert large.reach.p == pytest.approx(small.reach.p)
    assert large.reach.compute.q50 == pytest.approx(1e20 * small.reach.compute.q50)
    assert large.worth_until.q50 == pytest.approx(1e20 * small.worth_until.q50)


def test_a_plan_is_a_plain_value():
    found = plan(FITS, reward=0.6, budget=1200.0)
    assert pickle.loads(pickle.dumps(found)) == found == plan(FITS, reward=0.6, budget=1200.0)


@pytest.mark.parametrize(
    ("given", "parameter", "message"),
    [
        ({"budget": 0.0}, "budget", "--budget 0 is not a compute above 0; give one, in gpu-hours"),
        ({"budget": float("inf")}, "budget", "--budget inf is not a compute above 0; give one, in gpu-hours"),
        ({"reward": 1.2}, "reward", "--reward 1.2 lies above the highest possible reward, 1: no compute reaches it"),
        ({"reward": -0.1}, "reward", "--reward -0.1 is not above the lowest possible reward, 0: it takes no compute"),
        ({"reward": float("nan")}, "reward", "--reward nan is not a reward; give a finite one"),
        ({"price": -1.0}, "price", "--price -1 is not a price above 0; give the dollars for one unit of compute"),
        ({"pretraining": 0.0}, "pretraining", "--pretraining 0 is not a compute above 0; give that of pretraining"),
        ({"worth": 0.0}, "worth", "--worth 0 is not a share above 0; give the share of the range"),
        ({"batch": 512}, "lr_anchor", "a learning rate is that of a batch, from one that works: --lr-anchor LR BATCH"),
        ({"lr_anchor": (1e-6, 1024)}, "batch", "a learning rate is that of a batch, from one that works: --batch B is"),
        ({"lr_anchor": (1e-6, 0), "batch": 8}, "lr_anchor", "--lr-anchor 1e-06 0 is not a learning rate and a batch"),
        ({"lr_anchor": (1e-6, 8), "batch": 0}, "batch", "--batch 0 is not a batch; give a finite number above 0"),
        ({"seed_sd": -1.0}, "seed_sd", "--seed-sd -1 is not a size"),
    ],
)
def test_bad_requests(given, parameter, message):
    with pytest.raises(InputError) as error:
        plan(FITS, **given)
    assert error.value.on_command_line.startswith(message)
    assert error.value.parameter == parameter


def test_units_that_differ_and_no_runs():
    with pytest.raises(InputError, match="plan them apart"):
        plan([run("a"), run("b", unit="steps")])
    with pytest.raises(InputError, match="nothing to plan: no runs were given"):
        plan([])
    with pytest.raises(InputError, match="is for compute in another unit, and this is in dollars"):
        plan([run("a", unit="dollars")], price=2.0)


def test_its_example():
    found = doctest.testmod(MODULE)
    assert (found.failed, found.attempted > 0) == (0, True)


@pytest.mark.parametrize("budget", [1e20, 1e30, 1.7e308])
def test_a_budget_beyond_all_ceilings_is_split_and_said_to_be_a_guess(budget):
    found = plan(FITS, budget=budget)
    assert 0.0 <= found.split.p_right <= 1.0
    assert np.isfinite(found.split.reward)
    assert any("forecasts were measured up to 32 times" in note for note in found.notes)


def test_runs_that_do_not_learn_are_no_candidates_of_a_split():
    rng = np.random.default_rng(3)
    noise = [0.1 + 0.01 * rng.standard_normal(41) for _ in range(2)]
    compute = np.linspace(0.0, 200.0, 41)
    still = [
        Run(name=n, recipe=n, curve=Curve(compute=compute, reward=y, unit="gpu-hours"))
        for n, y in zip("ab", noise, strict=True)
    ]
    found = plan(still, budget=800.0)
    assert found.split is None
    assert found.split_reason.startswith("no run shows learning yet")
    assert not any("order" in note for note in plan(still[:1]).notes)  # there is none of a single run


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"reward": "x"}, "reward"), ({"reward": True}, "reward"), ({"budget": "4k"}, "budget"),
        ({"price": [1]}, "price"), ({"worth": "1 %"}, "worth"), ({"seed_sd": "no"}, "seed_sd"),
        ({"pretraining": b"1"}, "pretraining"), ({"lr_anchor": 1e-6, "batch": 8}, "lr_anchor"),
        ({"lr_anchor": (1e-6, "x"), "batch": 8}, "lr_anchor"), ({"lr_anchor": (1e-6, 8), "batch": "x"}, "batch"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_by_its_name(given, name):
    with pytest.raises(InputError, match=name) as error:
        plan(FITS, **given)
    assert error.value.parameter == name


def test_runs_with_too_few_evaluations_are_left_out_or_said_to_be_guesses():
    found = plan([*FITS, run("new", n=3), run("early", n=6)])
    assert [(each.run, each.counted) for each in found.left_out] == [("new", False)]
    early = next(row for row in found.recipes if row.recipe == "early")
    assert early.notes[0] == "only 6 evaluations: no answer is acted on before 8"
