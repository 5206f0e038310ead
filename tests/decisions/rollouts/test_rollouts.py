"""The answer from runs at several rollouts per prompt."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import rlscale
from rlscale.curves import Curve, Metric, Run, Series
from rlscale.decisions.rollouts import PassCounts, rollouts
from rlscale.errors import InputError
from rlscale.left_out import LeftOut
from tests.decisions.rollouts.projects import project, run, with_training


@pytest.fixture(scope="module")
def answer():
    return rollouts(project(), budget=1e6)


def test_the_best_number_and_where_it_ends(answer):
    result = answer.classes[0]
    assert (answer.unit, result.name, result.n) == ("samples", None, (8, 32, 128, 512, 2048))
    assert result.n_star.where == "supported"
    assert result.n_star.n.q10 < 150 < result.n_star.n.q90
    assert result.saturation.q10 < 180 < result.saturation.q90
    assert 0.5 <= result.p_saturated <= 1.0
    assert result.reasons == {}
    assert [item.n for item in result.tried] == [8, 32, 128, 512, 2048]
    assert sum(item.p_best for item in result.tried) == pytest.approx(1.0)
    assert max(result.tried, key=lambda item: item.p_best).n == 128


def test_the_path_rises_along_the_support(answer):
    result = answer.classes[0]
    middle = [item.n.q50 for item in result.path]
    assert np.all(np.diff(middle) >= -1e-9)
    assert middle[0] < 25 < middle[-1]
    assert result.path[0].compute == pytest.approx(result.supported[0])
    assert result.path[-1].compute == pytest.approx(result.supported[1])


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
        item = run(n)
        curve = replace(item.curve, compute=500.0 * item.curve.compute, unit="tokens")
        steps = Series(np.arange(1.0, 11.0), np.ones(10))
        length = Metric("length", "tokens", replace(steps, step=1e6 / (32 * n) * np.arange(1, 11) / 10))
        return replace(item, curve=curve, metrics={"response_length": length})

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
    result = rollouts([*project(8, 32, 128), weak])
    assert result.classes[0].notes[0].startswith("several recipes have 32 rollouts per prompt")
    alone = rollouts(project(8, 32, 128)).classes[0].envelope
    assert [piece.n for piece in result.classes[0].envelope] == [piece.n for piece in alone]
    assert [piece.end for piece in result.classes[0].envelope] == pytest.approx(
        [piece.end for piece in alone], rel=0.01
    )


def test_short_runs_of_few_rollouts_do_not_hide_where_it_ends():
    result = rollouts([*project(8, 32, last=1.5e5), *project(128, 512, 2048)], budget=1e6).classes[0]
    assert result.n_star.n.q10 < 150 < result.n_star.n.q90
    assert result.n_star.n.q50 > 60


def test_the_largest_batch_limits_the_problems():
    split = rollouts(project(), budget=1e6, problems=64, batch_max=1024).allocation
    assert split.problems_per_batch == 1024 // split.rollouts
    assert split.problems_from == "limit"
    assert "exceed the largest batch of 1024" in split.notes[0]


def test_no_split_exceeds_the_largest_batch(answer):
    """The batch, problems x rollouts, never lies above its limit; without room there is no split."""
    n = round(answer.classes[0].n_star.n.q50)
    for limit in (1, 2, 8, n - 1, n, n + 1, 2 * n - 1, 2 * n, 10 * n, 100 * n):
        for problems in (None, 1, 16, 64):
            result = rollouts(answer.fits, budget=1e6, problems=problems, batch_max=limit).classes[0]
            if limit < n:
                assert result.allocation is None
                assert result.reasons["allocation"] == (
                    f"one problem with the {n} rollouts that are best exceeds the largest batch of {limit}; give "
                    f"--batch-max {n} or more"
                )
            else:
                assert 0 < result.allocation.problems_per_batch * result.allocation.rollouts <= limit


def test_the_advice_on_problems_says_where_they_are_from(answer):
    kept = rollouts(answer.fits, budget=1e6).allocation.notes[0]
    assert kept.endswith(": they are kept as in the runs (--problems B sets them)")
    given = rollouts(answer.fits, budget=1e6, problems=64).allocation
    assert given.problems_from == "option"
    assert not any("kept as in the runs" in note for note in given.notes)


def test_beyond_the_support_it_is_said_and_far_beyond_there_is_no_number(answer):
    ahead = rollouts(answer.fits, budget=3e6).classes[0]
    assert ahead.n_star.where == "extrapolated"
    assert ahead.n_star.n.q10 < ahead.n_star.n.q90
    far = rollouts(answer.fits, budget=1e7).classes[0]
    assert (far.n_star, far.allocation) == (None, None)
    assert far.reasons["n_star"] == "the budget 1e+07 samples lies beyond 4 times what was evaluated, 1e+06"
    near = rollouts(answer.fits, budget=100.0).classes[0]
    assert near.n_star is None
    assert near.reasons["n_star"].startswith("the budget 100 samples lies below the compute from which two numbers")


def test_a_best_number_that_still_rises_has_no_end():
    result = rollouts(project(8, 32, 128, last=2e5)).classes[0]
    assert result.saturation is None
    assert "has probability" in result.reasons["saturation"]


def test_classes_of_difficulty_are_answered_apart():
    easy = [replace_settings(item, difficulty="easy") for item in project(8, 32, 128)]
    hard = [replace_settings(renamed(item, "hard-"), difficulty="hard") for item in project(32, 128, 512)]
    result = rollouts([*hard, *easy])
    assert [item.name for item in result.classes] == ["easy", "hard"]
    assert [item.n for item in result.classes] == [(8, 32, 128), (32, 128, 512)]
    assert result.allocation is None


def test_replicates_teach_the_run_to_run_sd():
    runs = [run(n, seed) for n in (8, 32, 128) for seed in range(2)]
    result = rollouts(runs)
    assert (result.seed_sd.source, result.seed_sd.replicates) == ("replicates", 3)
    assert result.classes[0].tried[0].runs == ("n8-seed0", "n8-seed1")


def test_one_number_is_nothing_to_compare():
    result = rollouts(project(8)).classes[0]
    assert (result.n_star, result.saturation, result.envelope, result.supported) == (None, None, (), None)
    assert result.reasons["n_star"] == (
        "all runs have 8 rollouts per prompt: there is nothing to compare; run the same with 16 and 32"
    )


def test_two_numbers_show_which_is_better_and_no_law():
    result = rollouts(project(8, 128)).classes[0]
    assert [piece.n for piece in result.envelope] == [8, 128]
    assert result.n_star is None
    assert result.reasons["n_star"] == (
        "2 numbers of rollouts show which is better, and 3 are needed for how the best moves"
    )
    assert result.tried[1].p_best > 0.95


def test_runs_without_a_common_compute():
    result = rollouts([run(8, last=1e4), until_late(run(128))]).classes[0]
    assert result.reasons["n_star"].startswith(
        "runs at different numbers of rollouts were evaluated at no common compute"
    )


def test_steps_become_samples():
    runs = [run(n, last=1e6 / (32 * n), unit="steps") for n in (8, 32, 128)]
    result = rollouts(runs)
    assert result.unit == "samples"
    assert [item.last for item in result.classes[0].tried] == pytest.approx([1e6] * 3)
    assert result.notes[0] == (
        "compute and budget are in samples in place of steps: steps x prompts per step x rollouts per prompt"
    )


def test_the_problems_given_are_the_prompts_of_steps_that_state_none():
    runs = [run(n, last=1e6 / (32 * n), unit="steps", settings={"generations": n}) for n in (8, 32, 128)]
    result = rollouts(runs, budget=1e6, problems=32)
    stated = rollouts([run(n, last=1e6 / (32 * n), unit="steps") for n in (8, 32, 128)], budget=1e6, problems=32)
    assert result.notes[1] == "3 of 3 runs state no prompts per step: --problems 32 is taken for theirs"
    assert result.classes[0].n_star == stated.classes[0].n_star
    assert result.allocation.updates == stated.allocation.updates


def test_runs_that_do_not_learn_count_as_flat_and_are_said():
    flat = Curve(compute=np.linspace(0, 1e6, 31), reward=0.1 + 0.002 * np.sin(np.arange(31) ** 2), unit="samples")
    still = Run(name="n8-flat", recipe="n8", curve=flat, settings={"generations": 8, "prompts_per_step": 32})
    result = rollouts([still, *project(32, 128, 512)]).classes[0]
    assert result.tried[0].verdict.name.value == "no_learning"
    assert result.notes[0].startswith("n8-flat: shows no gain")
    assert result.n_star.n.q50 > 32
    nothing = rollouts([renamed(replace_settings(still, generations=n), f"{n}-") for n in (8, 16, 32)]).classes[0]
    assert nothing.n_star is None
    assert nothing.reasons["n_star"] == "no run shows a gain, so none shows which number of rollouts is better"


def test_a_collapse_counts_up_to_its_peak_and_is_said():
    fallen = run(128)
    reward = np.where(np.arange(31) > 15, 0.12, fallen.curve.reward)
    fallen = fallen.with_curve(replace(fallen.curve, reward=reward), source=None, warnings=())
    result = rollouts([*project(8, 32), fallen]).classes[0]
    assert result.tried[2].verdict.name.value == "collapsed"
    assert "broke off" in result.notes[0]
    assert result.tried[2].broke_at == pytest.approx(5e5)
    assert [item.broke_at for item in result.tried[:2]] == [None, None]
    assert [piece.n for piece in result.envelope][-2:] == [128, 32]
    assert result.envelope[-2].start < 4e5
    assert result.envelope[-2].end == result.envelope[-1].start == result.tried[2].broke_at
    assert result.envelope[-1].end == pytest.approx(1e6)
    assert (result.tried[2].p_best, result.supported[1]) == (0.0, pytest.approx(1e6))
    assert sum(item.p_best for item in result.tried) == pytest.approx(1.0)


def test_no_number_leads_past_its_break():
    """Wherever runs break off, and even where all do: the envelope goes to the next, and ends with the last."""

    def broken(n, place):
        item = run(n)
        reward = np.where(np.arange(31) > place, 0.12, item.curve.reward)
        return item.with_curve(replace(item.curve, reward=reward), source=None, warnings=())

    for places in ({128: 12}, {128: 12, 32: 20}, {8: 14, 32: 14, 128: 20}, {8: 20, 128: 16}):
        runs = [broken(n, places[n]) if n in places else run(n) for n in (8, 32, 128)]
        result = rollouts(runs).classes[0]
        until = {item.n: item.broke_at for item in result.tried}
        assert {n for n, end in until.items() if end is not None} == set(places)
        assert all(until[piece.n] is None or piece.end <= until[piece.n] for piece in result.envelope)
        for before, after in zip(result.envelope, result.envelope[1:], strict=False):
            assert before.end == after.start
        standing = sorted(until[n] or 1e6 for n in until)
        assert result.supported[1] == pytest.approx(standing[-2])
        assert result.compared_at == pytest.approx(standing[-2])
    one_goes_on = [run(8), run(32), run(128), replace(broken(128, 12), name="n128-seed1")]
    assert rollouts(one_goes_on).classes[0].tried[2].broke_at is None


def test_settings_that_move_with_the_rollouts_are_said():
    runs = [replace_settings(item, learning_rate=1e-6 * k) for k, item in enumerate(project(8, 32, 128), 1)]
    assert rollouts(runs).classes[0].notes[0].startswith("learning_rate change together with the rollouts per prompt")


def test_one_total_batch_is_said_and_a_full_grid_is_not():
    total = [replace_settings(run(n), prompts_per_step=1024 // n) for n in (8, 32, 128)]
    assert rollouts(total).classes[0].notes[0].startswith("prompts_per_step change together")
    grid = [
        replace_settings(replace(run(n, b), name=f"n{n}b{b}", recipe=f"n{n}b{b}"), prompts_per_step=b)
        for n in (8, 32, 128)
        for b in (16, 32)
    ]
    assert not any("change together" in note for note in rollouts(grid).classes[0].notes)


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
    result = rollouts([*project(8, 32, 128), run(8, settings={}, name="bare")])
    assert result.left_out == (LeftOut("bare", "", "its rollouts per prompt are not stated", True),)


def test_runs_too_short_to_fit_are_left_out():
    result = rollouts([*project(8, 32, 128), run(512, points=2)])
    assert [(lost.run, lost.counted) for lost in result.left_out] == [("n512-seed0", False)]
    assert result.classes[0].tried[3].reward is None


def test_runs_without_an_evaluation_after_the_start():
    bare = [replace(each, curve=each.curve.until(0.0)) for each in project(8, 32)]
    result = rollouts(bare).classes[0]
    assert [tried.first for tried in result.tried] == [0.0, 0.0]
    assert result.reasons["n_star"] == "0 of 2 numbers of rollouts could be fitted: there is nothing to compare"


def test_pass_counts_alone_answer():
    counts = PassCounts(("a", "b"), np.array([4, 1]), np.array([8, 8]))
    result = rollouts(counts=counts, spend=16)
    assert (result.classes, result.prompts.used, result.best_at_k.k) == ((), 16, 4)
    assert rollouts(counts=counts, k=16).notes == (
        "no prompt has 16 graded samples: best@16 and worst@16 are not known",
        "no number of rollouts to spread over the prompts was given: the budget without runs, spend beside them",
    )


def test_a_table_says_rollouts_and_difficulty(tmp_path):
    lines = ["run,rollouts,difficulty,problems_per_batch,samples,accuracy"]
    for item in project(8, 32, 128):
        rows = zip(item.curve.compute, item.curve.reward, strict=True)
        lines += [f"{item.recipe},{item.settings['generations']},easy,32,{c:g},{r:.5f}" for c, r in rows]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    result = rollouts(rlscale.read(path))
    assert [(item.name, item.n) for item in result.classes] == [("easy", (8, 32, 128))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0.0}, "budget=0 is not a compute above 0; give what one run may spend"),
        ({"budget": -5.0}, "budget=-5 is not a compute above 0; give what one run may spend"),
        ({"problems": 0, "budget": 1e6}, "problems=0 is no size of a batch; give 1 or more"),
        ({"unique": 0}, "unique=0 is no number of prompts; give 1 or more"),
        ({"seed_sd": -1.0}, "seed_sd=-1 is not a size; give a share of the range, 0 or more"),
        ({"spend": 16}, "spend=16 is of pass counts; give a table of prompt, correct and graded too"),
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
            [run(8, settings={"generations": 8.5})],
            "run 'n8-seed0' has 8.5 rollouts per prompt; give a whole number from 1 on, or leave the run out",
        ),
        (
            [run(8), run(32, unit="tokens")],
            'the runs have several units (samples, tokens); compare them apart, or read them with unit=U',
        ),
        (
            [run(8, unit="steps", settings={"generations": 8})],
            "compute of run 'n8-seed0' is in steps, and a step with 8 rollouts per prompt costs more than one with "
            "fewer; give unit=\"samples\" (or tokens, gpu-hours), a column 'prompts_per_step', or problems=B, "
            "the prompts of a step",
        ),
    ],
)  # fmt: skip
def test_runs_that_cannot_be_compared(runs, message):
    with pytest.raises(InputError) as error:
        rollouts(runs)
    assert str(error.value) == message


def replace_settings(item, **settings):
    return replace(item, settings={**item.settings, **settings})


def renamed(item, prefix):
    return replace(item, name=prefix + item.name)


def until_late(item):
    return item.with_curve(item.curve.select(item.curve.compute > 5e5), source=None, warnings=())
