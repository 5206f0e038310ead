"""The answer from runs at several rollouts per prompt."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import rlscale
from rlscale.curves import Curve, Metric, Run, Series
from rlscale.decisions.rollouts import PassCounts, rollouts
from rlscale.errors import InputError
from tests.decisions.rollouts.projects import project, run, with_training


@pytest.fixture(scope="module")
def answer():
    return rollouts(project(), budget=1e6)


def test_the_best_number_and_where_it_ends(answer):
    found = answer.classes[0]
    assert (answer.unit, found.name, found.n) == ("samples", None, (8, 32, 128, 512, 2048))
    assert found.n_star.where == "supported"
    assert found.n_star.n.q10 < 150 < found.n_star.n.q90
    assert found.saturation.q10 < 180 < found.saturation.q90
    assert 0.5 <= found.p_saturated <= 1.0
    assert found.reasons == {}
    assert [one.n for one in found.tried] == [8, 32, 128, 512, 2048]
    assert sum(one.p_best for one in found.tried) == pytest.approx(1.0)
    assert max(found.tried, key=lambda one: one.p_best).n == 128


def test_the_path_rises_along_the_support(answer):
    found = answer.classes[0]
    middle = [one.n.q50 for one in found.path]
    assert np.all(np.diff(middle) >= -1e-9)
    assert middle[0] < 25 < middle[-1]
    assert found.path[0].compute == pytest.approx(found.supported[0])
    assert found.path[-1].compute == pytest.approx(found.supported[1])


def test_the_rest_of_the_budget_is_problems_and_updates(answer):
    split = answer.allocation
    assert split.rollouts == round(answer.classes[0].n_star.n.q50)
    assert (split.problems_per_batch, split.problems_from) == (32, "runs")
    assert split.updates == int(1e6 / (32 * split.rollouts))
    assert split.updates_range[0] <= split.updates <= split.updates_range[1]
    assert split.cost_per_rollout.q50 == 1.0


def test_the_same_input_gives_the_same_bits_and_pickles(answer):
    again = rollouts(project(), budget=1e6)
    assert again == answer
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_fits_are_taken_as_they_are(answer):
    assert rollouts(list(answer.fits), budget=1e6) == answer


def test_in_other_units_a_rollout_costs_what_the_runs_paid():
    def tokens(n):
        one = run(n)
        curve = replace(one.curve, compute=500.0 * one.curve.compute, unit="tokens")
        steps = Series(np.arange(1.0, 11.0), np.ones(10))
        length = Metric("length", "tokens", replace(steps, step=1e6 / (32 * n) * np.arange(1, 11) / 10))
        return replace(one, curve=curve, metrics={"response_length": length})

    split = rollouts([tokens(n) for n in (8, 32, 128)], budget=5e8).allocation
    assert split.cost_per_rollout.q50 == pytest.approx(500.0)
    assert split.updates == pytest.approx(1e6 / (32 * split.rollouts), abs=1)
    bare = rollouts([replace(tokens(n), metrics={}) for n in (8, 32, 128)], budget=5e8).classes[0]
    assert bare.allocation is None
    assert bare.reasons["allocation"] == (
        "what one rollout costs in tokens is not known: the runs log neither updates nor prompts per step"
    )


def test_several_recipes_of_one_number_are_said_and_the_best_counts():
    weak = replace(run(32, 1), name="weak", recipe="weak")
    weak = weak.with_curve(replace(weak.curve, reward=0.5 * weak.curve.reward), source=None, warnings=())
    found = rollouts([*project(8, 32, 128), weak])
    assert found.classes[0].notes[0].startswith("several recipes have 32 rollouts per prompt")
    assert found.classes[0].envelope == rollouts(project(8, 32, 128)).classes[0].envelope


def test_short_runs_of_few_rollouts_do_not_hide_where_it_ends():
    found = rollouts([*project(8, 32, last=1.5e5), *project(128, 512, 2048)], budget=1e6).classes[0]
    assert found.n_star.n.q10 < 150 < found.n_star.n.q90
    assert found.n_star.n.q50 > 60


def test_the_largest_batch_limits_the_problems():
    split = rollouts(project(), budget=1e6, problems=64, batch_max=1024).allocation
    assert split.problems_per_batch == 1024 // split.rollouts
    assert "exceed the largest batch of 1024" in split.notes[0]


def test_beyond_the_support_it_is_said_and_far_beyond_there_is_no_number(answer):
    ahead = rollouts(answer.fits, budget=3e6).classes[0]
    assert ahead.n_star.where == "extrapolated"
    assert ahead.n_star.n.q10 < ahead.n_star.n.q90
    far = rollouts(answer.fits, budget=1e7).classes[0]
    assert (far.n_star, far.allocation) == (None, None)
    assert far.reasons["n_star"] == "the budget 1e+07 lies beyond 4 times what was evaluated, 1e+06"
    near = rollouts(answer.fits, budget=100.0).classes[0]
    assert near.n_star is None
    assert near.reasons["n_star"].startswith("the budget 100 lies below the compute from which two numbers")


def test_a_best_number_that_still_rises_has_no_end():
    found = rollouts(project(8, 32, 128, last=2e5)).classes[0]
    assert found.saturation is None
    assert "has probability" in found.reasons["saturation"]


def test_classes_of_difficulty_are_answered_apart():
    easy = [replace_settings(one, difficulty="easy") for one in project(8, 32, 128)]
    hard = [replace_settings(renamed(one, "hard-"), difficulty="hard") for one in project(32, 128, 512)]
    found = rollouts([*hard, *easy])
    assert [one.name for one in found.classes] == ["easy", "hard"]
    assert [one.n for one in found.classes] == [(8, 32, 128), (32, 128, 512)]
    assert found.allocation is None


def test_replicates_teach_the_run_to_run_sd():
    runs = [run(n, seed) for n in (8, 32, 128) for seed in range(2)]
    found = rollouts(runs)
    assert (found.seed_sd.source, found.seed_sd.replicates) == ("replicates", 3)
    assert found.classes[0].tried[0].runs == ("n8-seed0", "n8-seed1")


def test_one_number_is_nothing_to_compare():
    found = rollouts(project(8)).classes[0]
    assert (found.n_star, found.saturation, found.envelope, found.supported) == (None, None, (), None)
    assert found.reasons["n_star"] == (
        "all runs have 8 rollouts per prompt: there is nothing to compare; run the same with 16 and 32"
    )


def test_two_numbers_show_which_is_better_and_no_law():
    found = rollouts(project(8, 128)).classes[0]
    assert [piece.n for piece in found.envelope] == [8, 128]
    assert found.n_star is None
    assert found.reasons["n_star"] == (
        "2 numbers of rollouts show which is better, and 3 are needed for how the best moves"
    )
    assert found.tried[1].p_best > 0.95


def test_runs_without_a_common_compute():
    found = rollouts([run(8, last=1e4), until_late(run(128))]).classes[0]
    assert found.reasons["n_star"].startswith(
        "runs at different numbers of rollouts were evaluated at no common compute"
    )


def test_steps_become_samples():
    runs = [run(n, last=1e6 / (32 * n), unit="steps") for n in (8, 32, 128)]
    found = rollouts(runs)
    assert found.unit == "samples"
    assert [one.last for one in found.classes[0].tried] == pytest.approx([1e6] * 3)
    assert found.notes[0] == (
        "compute and budget are in samples in place of steps: steps x prompts per step x rollouts per prompt"
    )


def test_runs_that_do_not_learn_count_as_flat_and_are_said():
    flat = Curve(compute=np.linspace(0, 1e6, 31), reward=0.1 + 0.002 * np.sin(np.arange(31) ** 2), unit="samples")
    still = Run(name="n8-flat", recipe="n8", curve=flat, settings={"generations": 8, "prompts_per_step": 32})
    found = rollouts([still, *project(32, 128, 512)]).classes[0]
    assert found.tried[0].verdict.name.value == "no_learning"
    assert found.notes[0].startswith("n8-flat: each shows no gain")
    assert found.n_star.n.q50 > 32
    nothing = rollouts([renamed(replace_settings(still, generations=n), f"{n}-") for n in (8, 16, 32)]).classes[0]
    assert nothing.n_star is None
    assert nothing.reasons["n_star"] == "no run shows a gain, so none shows which number of rollouts is better"


def test_a_collapse_counts_up_to_its_peak_and_is_said():
    fallen = run(128)
    reward = np.where(np.arange(31) > 15, 0.12, fallen.curve.reward)
    fallen = fallen.with_curve(replace(fallen.curve, reward=reward), source=None, warnings=())
    found = rollouts([*project(8, 32), fallen]).classes[0]
    assert found.tried[2].verdict.name.value == "collapsed"
    assert "broke off" in found.notes[0]
    assert found.envelope[-1].n == 128
    assert found.envelope[-1].start < 4e5


def test_settings_that_move_with_the_rollouts_are_said():
    runs = [replace_settings(one, learning_rate=1e-6 * k) for k, one in enumerate(project(8, 32, 128), 1)]
    assert rollouts(runs).classes[0].notes[0].startswith("learning_rate change together with the rollouts per prompt")


def test_overfitting_is_seen_and_agreement_is_not_taken_for_it():
    ceilings = {8: 0.9, 32: 0.8, 128: 0.7}
    seen = rollouts([with_training(n, ceiling) for n, ceiling in ceilings.items()]).classes[0]
    assert seen.training.opposed
    assert (seen.training.best_by_training, seen.training.best_by_validation) == (8, 128)
    assert "choose by validation" in seen.notes[-1]
    same = rollouts([with_training(n, 1.5 - ceiling) for n, ceiling in ceilings.items()]).classes[0]
    assert not same.training.opposed
    assert same.training.p_opposed < 0.1


def test_runs_that_state_no_rollouts_are_left_out():
    found = rollouts([*project(8, 32, 128), run(8, settings={}, name="bare")])
    assert found.left_out == (("bare", "its rollouts per prompt are not stated"),)


def test_runs_too_short_to_fit_are_left_out():
    found = rollouts([*project(8, 32, 128), run(512, points=2)])
    assert [name for name, _ in found.left_out] == ["n512-seed0"]
    assert found.classes[0].tried[3].reward is None


def test_pass_counts_alone_answer():
    counts = PassCounts(("a", "b"), np.array([4, 1]), np.array([8, 8]))
    found = rollouts(counts=counts, spend=16)
    assert (found.classes, found.prompts.used, found.best_at_k.k) == ((), 16, 4)
    assert rollouts(counts=counts, k=16).notes == (
        "no prompt has 16 graded samples: best@16 and worst@16 are not known",
        "give a number of rollouts to spread them over the prompts",
    )


def test_a_table_says_rollouts_and_difficulty(tmp_path):
    lines = ["run,rollouts,difficulty,problems_per_batch,samples,accuracy"]
    for one in project(8, 32, 128):
        rows = zip(one.curve.compute, one.curve.reward, strict=True)
        lines += [f"{one.recipe},{one.settings['generations']},easy,32,{c:g},{r:.5f}" for c, r in rows]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    found = rollouts(rlscale.read(path))
    assert [(one.name, one.n) for one in found.classes] == [("easy", (8, 32, 128))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0.0}, "budget=0 is not a compute above 0; give what one run may spend"),
        ({"budget": -5.0}, "budget=-5 is not a compute above 0; give what one run may spend"),
        ({"problems": 0, "budget": 1e6}, "problems = 0 is no size of a batch; give 1 or more"),
        ({"unique": 0}, "unique = 0 is no number of prompts; give 1 or more"),
        ({"seed_sd": -1.0}, "seed_sd=-1 is not a size; give a share of the range, 0 or more"),
        ({"spend": 16}, "spend is of pass counts; give counts=PassCounts(...) too"),
    ],
)
def test_options_that_cannot_be(answer, options, message):
    with pytest.raises(InputError) as error:
        rollouts(answer.fits, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "nothing to answer from; give runs at several rollouts per prompt, or pass counts"),
        (
            [run(8, settings={})],
            "none of 1 runs states its rollouts per prompt; add a column 'rollouts' to the table, or read logs that "
            "hold the trainer's configuration",
        ),
        (
            [run(8, settings={"generations": "many"})],
            "run 'n8-seed0' has 'many' rollouts per prompt; give a whole number from 1 on, or leave the run out",
        ),
        (
            [run(8), run(32, unit="tokens")],
            'the runs have several units (samples, tokens); compare them apart, or read them with unit=U',
        ),
        (
            [run(8, unit="steps", settings={"generations": 8})],
            "compute of run 'n8-seed0' is in steps, and a step with 8 rollouts per prompt costs more than one with "
            "fewer; give unit=\"samples\" (or tokens, gpu-hours), or a column 'prompts_per_step'",
        ),
    ],
)  # fmt: skip
def test_runs_that_cannot_be_compared(runs, message):
    with pytest.raises(InputError) as error:
        rollouts(runs)
    assert str(error.value) == message


def replace_settings(one, **settings):
    return replace(one, settings={**one.settings, **settings})


def renamed(one, prefix):
    return replace(one, name=prefix + one.name)


def until_late(one):
    return one.with_curve(one.curve.select(one.curve.compute > 5e5), source=None, warnings=())
