import numpy as np
import pytest

from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.decisions import rank
from rlscale.errors import InputError
from rlscale.inference import VerdictName, fit
from rlscale.inference.families import SIGMOID
from rlscale.inference.pool import SEED_SD, pooled_level, seed_spread
from rlscale.inference.posterior import posterior


def run(name, recipe=None, seed=0, last=4.0, n=40, unit="steps", **truth):
    truth = Truth(**{"R0": 0.1, "A": 0.6, "B": 1.6, "C_mid": 1.0, "sigma": 0.01, **truth})
    curve = simulate(truth, np.linspace(0, last, n), rng=np.random.default_rng(seed), unit=unit)
    return Run(name=name, recipe=recipe or name, curve=curve)


def ranking(*runs, **options):
    return rank([fit(one) for one in runs], **options)


def test_the_higher_ceiling_wins_and_probabilities_add_up():
    found = ranking(run("low", A=0.5), run("high", A=0.7), run("middle", A=0.6))
    assert [row.recipe for row in found.recipes] == ["high", "middle", "low"]
    assert sum(row.p_best for row in found.recipes) == pytest.approx(1.0)
    assert found.recipes[0].p_best > 0.8
    assert found.recipes[0].expected_regret < 0.01
    assert found.recipes[2].expected_regret == pytest.approx(0.2, abs=0.03)
    assert found.at == 16.0


def test_p_best_against_sampling():
    fits = [fit(run("a", A=0.6, seed=1)), fit(run("b", A=0.62, seed=2)), fit(run("c", A=0.58, seed=3, sigma=0.03))]
    found = rank(fits)
    rng = np.random.default_rng(0)
    sampled = []
    for one in fits:
        level = pooled_level([one.posterior], found.at, found.seed_sd.value)
        sampled.append(rng.choice(level.values, 200_000, p=level.weight / level.weight.sum()))
    best = np.argmax(sampled, axis=0)
    by_name = {row.recipe: row for row in found.recipes}
    for index, name in enumerate("abc"):
        assert by_name[name].p_best == pytest.approx(np.mean(best == index), abs=0.01)
        regret = np.mean(np.max(sampled, axis=0) - sampled[index])
        assert by_name[name].expected_regret == pytest.approx(regret, abs=0.002)


def test_twins_share_a_group_and_a_far_recipe_does_not():
    found = ranking(run("a", seed=1), run("b", seed=2), run("far", A=0.3, seed=3))
    assert {row.recipe: row.group for row in found.recipes} == {"a": 1, "b": 1, "far": 2}
    pair = next(pair for pair in found.pairs if {pair.a, pair.b} == {"a", "b"})
    assert 0.2 < pair.p_a_better < 0.8
    assert found.pairs[-1].published is None
    assert pair.published.tie
    assert pair.published.B_a is not None


def test_an_early_leader_is_named_a_trap_and_the_crossing_found():
    fast = run("fast", A=0.45, C_mid=0.3, last=3.0)
    slow = run("slow", A=0.8, C_mid=2.0, last=3.0)
    early = ranking(
        Run(name="fast", recipe="fast", curve=fast.curve.until(1.2)),
        slow,
    )
    (pair,) = early.pairs
    assert pair.early_leader == "fast"
    assert pair.trap
    grid = np.linspace(0.1, 10, 10_000)
    true = Truth(R0=0.1, A=0.45, B=1.6, C_mid=0.3).reward(grid) - Truth(R0=0.1, A=0.8, B=1.6, C_mid=2.0).reward(grid)
    assert pair.crossing == pytest.approx(grid[np.flatnonzero(np.diff(np.sign(true)))[-1]], rel=0.1)


def test_asymptote_ranks_by_ceiling_and_the_note_says_when_they_disagree():
    quick = run("quick", A=0.5, C_mid=0.5, last=4)
    slow = run("slow", A=0.95, C_mid=12.0, last=8, n=80, sigma=0.004)
    near, ceiling = ranking(quick, slow, target=5.0), ranking(quick, slow, target=np.inf)
    assert near.recipes[0].recipe == "quick"
    assert ceiling.recipes[0].recipe == "slow"
    assert near.notes == (
        "slow has the highest ceiling, quick leads at 5: slow runs with a high ceiling may never get there "
        "(--target inf ranks by ceiling)",
    )


def test_what_shows_no_learning_never_ranks_first():
    flat = run("flat", A=0.5, R0=0.5, sigma=0.02)
    short = Run(name="short", recipe="short", curve=Curve(compute=[0, 1], reward=[0.9, 0.95]))
    found = ranking(flat, short, run("learns", A=0.4, R0=0.05))
    assert [row.recipe for row in found.recipes] == ["learns", "flat", "short"]
    assert found.recipes[1].verdict.name == VerdictName.NO_LEARNING
    assert found.recipes[2].p_best is None
    assert found.recipes[2].group is None


def test_a_saturated_run_ranks_first_only_by_the_highest_forecast():
    top = run("top", A=0.97, R0=0.97, sigma=0.004)
    assert fit(top).verdict.saturated
    found = ranking(run("learns", A=0.7), top)
    assert [row.recipe for row in found.recipes] == ["top", "learns"]
    assert found.recipes[0].verdict.name == VerdictName.NO_LEARNING
    assert found.recipes[0].p_best > 0.9
    assert found.notes == ()
    better = ranking(run("learns", A=0.999, last=16.0, sigma=0.002), run("top", A=0.91, R0=0.91, sigma=0.002))
    assert [row.recipe for row in better.recipes] == ["learns", "top"]


def test_only_short_runs_still_give_a_ranking():
    short = Run(name="short", recipe="short", curve=Curve(compute=[0, 1], reward=[0.9, 0.95]))
    found = ranking(short)
    assert found.pairs == ()
    assert found.notes == ("no run shows learning yet: the order below says nothing",)


def test_seeds_are_pooled():
    fits = [fit(run(f"r{k}", recipe="r", seed=k)) for k in range(4)]
    found = rank(fits, seed_sd=0.03)
    (row,) = found.recipes
    single = rank(fits[:1], seed_sd=0.03).recipes[0]
    assert row.runs == ("r0", "r1", "r2", "r3")
    assert row.p_best == pytest.approx(1.0)
    assert row.forecast.width < single.forecast.width


def test_pooled_level_of_two_gaussians_is_their_product():
    posteriors = [posterior(run("a", seed=k, last=8.0).curve, families=(SIGMOID,), model_error=0.0) for k in (1, 2)]
    tau = 0.02
    level = pooled_level(posteriors, np.inf, tau)
    means = np.array([p.mean(p.asymptote) for p in posteriors])
    variances = np.array([p.mean((p.asymptote - m) ** 2) for p, m in zip(posteriors, means, strict=True)]) + tau**2
    weight = 1 / variances
    assert level.mean == pytest.approx((weight @ means) / weight.sum(), abs=0.001)
    sd = np.sqrt(level.weight @ (level.values - level.mean) ** 2)
    assert sd == pytest.approx(weight.sum() ** -0.5, rel=0.06)


def test_seed_spread_default_given_and_learned():
    rng = np.random.default_rng(4)
    wide = [
        [posterior(run("x", seed=10 * r + k, A=0.6 + rng.normal(0, 0.1), last=8.0).curve) for k in range(4)]
        for r in range(5)
    ]
    assert seed_spread([[one] for runs in wide for one in runs]).source == "default"
    assert seed_spread([]).value == SEED_SD
    assert seed_spread(wide, given=0.05).value == 0.05
    learned = seed_spread(wide)
    assert (learned.source, learned.replicates) == ("replicates", 15)
    assert learned.value == pytest.approx(0.1, rel=0.35)


def test_zero_seed_sd_is_a_claim_about_runs():
    runs = (run("a", seed=1), run("b", seed=2, A=0.63))
    assert ranking(*runs, seed_sd=0.0).claim == "runs"
    assert ranking(*runs).claim == "recipes"
    sure, careful = (ranking(*runs, seed_sd=tau).recipes[0].p_best for tau in (0.0, 0.1))
    assert sure > careful


def test_zero_seed_sd_pools_different_seeds_by_their_mean():
    runs = [run("a", seed=k, A=a, last=8.0) for k, a in ((1, 0.3), (2, 0.6))]
    posteriors = [posterior(one.curve, families=(SIGMOID,), model_error=0.0) for one in runs]
    level = pooled_level(posteriors, np.inf, 0.0)
    assert level.interval.q50 == pytest.approx(np.mean([p.mean(p.asymptote) for p in posteriors]), abs=0.01)
    assert level.interval.width < 0.1


def test_far_seeds_pool_between_them():
    runs = [run("a", seed=k, A=a, last=8.0) for k, a in ((1, 0.3), (2, 0.6))]
    posteriors = [posterior(one.curve, families=(SIGMOID,), model_error=0.0) for one in runs]
    level = pooled_level(posteriors, np.inf, 0.005)
    assert 0.28 < level.interval.q10 <= level.interval.q90 < 0.62


def test_a_seed_that_has_only_started_does_not_unseat_its_recipe():
    started = Run(name="a2", recipe="a", curve=Curve(compute=[0, 1], reward=[0.1, 0.1]))
    found = ranking(run("a1", recipe="a", A=0.8), started, run("b", A=0.4))
    assert found.recipes[0].recipe == "a"
    assert found.recipes[0].p_best > 0.9
    assert "a is ranked without a2: too few points to fit" in found.notes


def test_a_failed_seed_sets_no_spread():
    good = [run(f"a{k}", recipe="a", A=0.7, seed=k) for k in range(2)]
    failed = run("a2", recipe="a", A=0.1, R0=0.1, seed=5)
    assert ranking(*good, failed).seed_sd.value == ranking(*good).seed_sd.value


def test_a_collapsed_leader_is_noted():
    base = run("c", A=0.9)
    rewards = base.curve.reward.copy()
    rewards[30:] = 0.1
    fallen = Run(name="c", recipe="c", curve=Curve(compute=base.curve.compute, reward=rewards))
    assert "c collapsed: the fit of c covers the part up to the peak" in ranking(fallen, run("d")).notes


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        ((), {}, "nothing to rank: no runs were given; rlscale.read(PATH) gives those of logs"),
        (
            ("steps", "tokens"),
            {},
            "the runs have several units (steps, tokens); rank them apart, or read them with unit=U",
        ),
        (("steps",), {"target": -1.0}, "target=-1 is not a compute above 0; give one, or inf for the asymptote"),
        (("steps",), {"seed_sd": 5}, "seed_sd=5 is more than the whole range; give a share of it, 0 to 1: 0.05 is 5 %"),
        (("steps",), {"seed_sd": -0.1}, "seed_sd=-0.1 is not a size; give a share of the range, 0 or more"),
    ],
)
def test_bad_requests(runs, options, message):
    with pytest.raises(InputError) as error:
        rank([fit(run(f"r{k}", unit=unit)) for k, unit in enumerate(runs)], **options)
    assert str(error.value) == message


def test_many_recipes_give_pairs_against_the_best_only():
    few = {"n": 8}
    runs = [run(f"r{k:02d}", seed=k, **few) for k in range(52)]
    fits = [fit(one) for one in runs]
    assert len(rank(fits).pairs) == 51
    assert len(rank(fits[:10]).pairs) == 45
