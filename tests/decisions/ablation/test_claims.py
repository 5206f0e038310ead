"""What is claimed of simulated ablations whose truth is known."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.stats import multivariate_t, norm, t

from rlscale.curves import Run
from rlscale.decisions.ablation import Ablation, DesignKind, Says, ablate
from rlscale.decisions.ablation.mixture import Mixture
from rlscale.decisions.ablation.multiplicity import adjusted, holm
from rlscale.decisions.ablation.needs import Shape, needs_of, power_of
from rlscale.errors import InputError
from tests.decisions.ablation.simulated import runs_of

ONE_BY_ONE = (
    ({"loss": "dapo", "batch": 32, "warmup": 1e-4}, {}),
    ({"loss": "cispo", "batch": 32, "warmup": 1e-4}, {"A": 0.62}),
    ({"loss": "dapo", "batch": 64, "warmup": 1e-4}, {"C_mid": 100.0}),
    ({"loss": "dapo", "batch": 32, "warmup": 3e-4}, {}),
)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return runs_of(ONE_BY_ONE, seeds=3)


@pytest.fixture(scope="module")
def found(runs: list[Run]) -> Ablation:
    return ablate(runs)


def test_ceiling_speed_and_nothing_are_told_apart(found: Ablation) -> None:
    says = {each.knob: each.says for each in found.knobs}
    assert says == {"loss": Says.RAISES_CEILING, "batch": Says.FASTER, "warmup": Says.UNRESOLVED}
    assert (found.design, found.baseline, found.confounded) == (DesignKind.LEAVE_ONE_OUT, "r0", ())
    loss, batch, warmup = found.knobs
    assert loss.ceiling is not None
    assert loss.ceiling.effect.q50 == pytest.approx(0.12, abs=0.03)
    assert batch.speed is not None
    assert batch.speed.factor.q50 == pytest.approx(1.5, rel=0.12)
    assert batch.speed.shared
    assert warmup.needs is not None
    assert warmup.needs.seeds is not None


def test_the_run_to_run_sd_is_learned_and_can_be_given(found: Ablation, runs: list[Run]) -> None:
    assert found.tau.source == "replicates"
    assert found.tau.replicates == 8
    assert 0.005 < found.tau.value < 0.025
    given = ablate(runs, seed_sd=0.2)
    assert given.tau.source == "given"
    assert {each.says for each in given.knobs if each.knob != "batch"} == {Says.UNRESOLVED}


def test_one_seed_each_resolves_nothing() -> None:
    alone = ablate(runs_of(ONE_BY_ONE, seeds=1))
    assert alone.tau.source == "default"
    assert {each.says for each in alone.knobs} == {Says.UNRESOLVED}
    assert any("every setting has one run" in note for note in alone.notes)


def test_curves_cut_before_the_bend_resolve_nothing() -> None:
    cut = ablate(runs_of(ONE_BY_ONE, seeds=3, last=100.0))
    assert all(each.says is Says.UNRESOLVED for each in cut.knobs)
    assert any("faster run and a higher ceiling still look alike" in each.reason for each in cut.knobs)


def test_confounded_knobs_are_not_split() -> None:
    both = ablate(
        runs_of(
            (
                ({"loss": "dapo", "batch": 32, "warmup": 1}, {}),
                ({"loss": "cispo", "batch": 64, "warmup": 1}, {"A": 0.65}),
                ({"loss": "dapo", "batch": 32, "warmup": 2}, {}),
            ),
            seeds=3,
        )
    )
    assert both.confounded == (("batch", "loss"),)
    pair = next(each for each in both.knobs if len(each.knobs) == 2)
    assert (pair.says, pair.together) == (Says.CONFOUNDED, Says.RAISES_CEILING)


def test_an_interaction_is_told_where_the_design_has_it() -> None:
    settings = [({"a": i, "b": j}, {"A": 0.45 + 0.05 * i + 0.05 * j + 0.15 * i * j}) for i in (0, 1) for j in (0, 1)]
    crossed = ablate(runs_of(settings, seeds=3), baseline="r0")
    (only,) = crossed.interactions
    assert crossed.design is DesignKind.FACTORIAL
    assert only.resolved
    assert only.effect.effect.q50 == pytest.approx(0.15, abs=0.05)
    assert "It depends on b" in next(each.reason for each in crossed.knobs if each.knob == "a")


def test_a_sweep_has_a_trend() -> None:
    swept = ablate(runs_of([({"warmup": lr}, {"A": 0.45 + 0.05 * k}) for k, lr in enumerate((1e-4, 2e-4, 4e-4, 8e-4))]))
    (trend,) = swept.trends
    assert (trend.knob, trend.scale, trend.monotone) == ("warmup", "log", True)
    assert trend.effect.effect.q50 == pytest.approx(0.15, abs=0.04)


def test_named_knobs_are_shown_alone_and_the_others_still_count(runs: list[Run], found: Ablation) -> None:
    (only,) = ablate(runs, knob="warmup").knobs
    assert only == next(each for each in found.knobs if each.knob == "warmup")


def test_a_run_that_collapsed_does_not_count() -> None:
    runs = runs_of(ONE_BY_ONE[:2], seeds=2)
    reward = np.array(runs[-1].curve.reward)
    reward[15:] = 0.02
    object.__setattr__(runs[-1].curve, "reward", reward)
    fallen = ablate(runs)
    assert fallen.knobs[0].runs == (2, 1)
    assert any(note.startswith("r1-seed1 collapsed") for note in fallen.notes)


def test_a_setting_whose_runs_all_fail_is_not_comparable() -> None:
    runs = runs_of(ONE_BY_ONE, seeds=2)
    for run in runs[6:]:
        reward = np.array(run.curve.reward)
        reward[15:] = 0.02
        object.__setattr__(run.curve, "reward", reward)
    found = ablate(runs)
    warmup = next(each for each in found.knobs if each.knob == "warmup")
    assert (warmup.ceiling, warmup.speed, warmup.needs, warmup.runs) == (None, None, None, (6, 0))
    assert warmup.reason.startswith("No run with this value counts")
    assert next(each for each in found.knobs if each.knob == "loss").says is Says.RAISES_CEILING


def test_where_nothing_can_be_compared_nothing_is_answered() -> None:
    with pytest.raises(InputError) as raised:
        ablate(runs_of(ONE_BY_ONE[:2], last=50.0))
    assert str(raised.value) == (
        "nothing can be compared: no run has a ceiling that counts; r0-seed0, r0-seed1, r1-seed0, r1-seed1 have too "
        "few evaluations to fit. Give longer or other runs; rlscale fit says more of each"
    )
    runs = runs_of(ONE_BY_ONE, seeds=2)
    for run in runs[2:]:
        _fell(run)
    with pytest.raises(InputError, match=r"only runs of equal settings have a ceiling that counts; r1.* collapsed"):
        ablate(runs)
    runs = runs_of(ONE_BY_ONE, seeds=2)
    for run in runs[:2]:
        _fell(run)
    with pytest.raises(InputError, match=r"compared with the baseline, r0 \(baseline\).*r0-seed0, r0-seed1 collapsed"):
        ablate(runs)


def _fell(run: Run) -> None:
    reward = np.array(run.curve.reward)
    reward[15:] = 0.02
    object.__setattr__(run.curve, "reward", reward)


def test_recipes_with_equal_settings_are_no_seeds_of_one_another() -> None:
    sizes = [
        ({"model_params": size}, {"A": 0.4 + 0.05 * k + 0.15 * loss})
        for k, size in enumerate((1e9, 8e9))
        for loss in (0, 1)
    ]
    runs = runs_of(sizes, seeds=2)
    for place, run in enumerate(runs):
        object.__setattr__(run, "recipe", "cispo" if place // 2 % 2 else "base")
    both = ablate(runs)
    assert {each.knob: each.runs for each in both.knobs} == {"recipe": (4, 4), "model_params": (4, 4)}
    assert next(each for each in both.knobs if each.knob == "recipe").says is Says.RAISES_CEILING
    assert any(note.startswith("base, cispo: their settings are equal as far as they are known") for note in both.notes)
    # a recipe of its own at each size: its effect is that of the size, so one stands for each
    for place, run in enumerate(runs):
        object.__setattr__(run, "recipe", f"recipe{place // 2}")
    apart = ablate(runs)
    assert [recipe.label for recipe in apart.recipes] == ["recipe0", "recipe2"]
    assert [lost.run for lost in apart.left_out] == ["r1-seed0", "r1-seed1", "r3-seed0", "r3-seed1"]
    assert apart.left_out[0].why.startswith("recipe1 has the settings of recipe0 as far as they are known")
    assert all(lost.counted for lost in apart.left_out)
    assert "recipe3" in [recipe.label for recipe in ablate(runs, baseline="recipe3").recipes]
    # runs that are a recipe each, for nothing says otherwise, are seeds of one another, which is said
    for run in runs:
        object.__setattr__(run, "recipe", run.name)
    assert [len(recipe.runs) for recipe in ablate(runs).recipes] == [4, 4]


def test_the_answer_is_a_plain_value(found: Ablation, runs: list[Run]) -> None:
    assert ablate(runs) == found
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("more", "said"),
    [({"effect": 0}, "effect=0 is not a difference"), ({"target": 0}, "target=0 is not a compute above 0"),
     ({"seed_sd": -1}, "seed_sd=-1 is not a size"), ({"seed_sd": 5}, "seed_sd=5 is more than the whole range"),
     ({"effect": 2}, "effect=2 is more than the whole range of reward, 0 to 1")],
)  # fmt: skip
def test_settings_that_cannot_be(runs: list[Run], more: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ablate(runs, **more)
    with pytest.raises(InputError, match="one run: an ablation compares"):
        ablate(runs[:1])


def test_a_mixture_has_the_quantiles_of_its_parts() -> None:
    one = Mixture(np.ones(1), np.array([0.1]), np.array([0.05]), np.array([4.0]))
    assert one.interval.q90 == pytest.approx(0.1 + 0.05 * t.ppf(0.9, 4), abs=1e-9)
    assert one.p_value == pytest.approx(2 * t.sf(2, 4))
    normal = Mixture(np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.full(2, np.inf))
    assert float(normal.cdf(0.5)) == pytest.approx(0.5)
    assert normal.p_positive == pytest.approx(0.5 * (0.5 + norm.cdf(1.0)), abs=1e-5)


def test_adjusted_p_values_are_those_of_dunnett() -> None:
    # four comparisons with one baseline, equal numbers: correlation .5, ten degrees of freedom
    shape = 0.5 * np.eye(4) + 0.5
    critical = 2.0
    p = np.full(4, 2 * t.sf(critical, 10))
    found = adjusted(p, shape, np.full(4, 10.0))
    exact = 1.0 - multivariate_t(shape=shape, df=10, seed=0).cdf(
        np.full(4, critical), lower_limit=np.full(4, -critical), maxpts=200_000
    )
    assert found[0] == pytest.approx(exact, abs=0.004)
    assert (found <= holm(p) + 1e-12).all()
    assert (found >= p).all()


def test_far_tails_fall_back_to_holm() -> None:
    p = np.array([1e-7, 0.2, 0.5])
    assert adjusted(p, np.eye(3), np.full(3, np.inf))[0] == pytest.approx(3e-7)


def test_seeds_for_an_effect_are_those_of_a_normal_test() -> None:
    found = needs_of(0.05, 0.02, 0.0, 0.05, Shape(1000.0, 100.0, 2.0))
    assert found.seeds is not None
    assert power_of(0.05, 0.02, 0.0, found.seeds, 0.05) >= 0.8
    assert power_of(0.05, 0.02, 0.0, found.seeds - 1, 0.05) < 0.85
    assert found.compute is None
    longer = needs_of(0.05, 0.02, 0.1, 0.05, Shape(300.0, 100.0, 2.0))
    assert longer.compute is not None
    assert longer.compute > 300.0
