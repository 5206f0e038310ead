"""verl's console log and file logger: dialects, clocks, GPUs."""

import json

import numpy as np
import pytest

from rlscale.errors import ChoiceError, SourceError
from rlscale.sources import collect, read

VAL = "val-core/math/acc/mean@8"


def rows(n=12, test_every=4, inside=False, save_every=None, save_inside=False, parts=True, gpus=16, first=1):
    """Synthetic verl rows with a known clock: 100 s and a bit a step, 60 s a validation, 30 s a checkpoint."""
    rng = np.random.default_rng(3)
    wall, out, truth = 0.0, [], {}
    if test_every:
        out.append({"step": 0, "data": {VAL: 0.2}})
        truth[0] = 0.0
    for step in range(first, n + 1):
        gen, update = 60 + rng.uniform(0, 3), 38 + rng.uniform(0, 2)
        work, data = gen + update + 1.5, {"critic/score/mean": 0.1 + step / 100}
        inner = work
        if parts:
            data |= {"timing_s/gen": gen, "timing_s/update_actor": update}
        for every, seconds, is_in, key in (
            (test_every, 60.0, inside, "testing"),
            (save_every, 30.0, save_inside, "save_checkpoint"),
        ):
            if every and step % every == 0:
                data[f"timing_s/{key}"] = seconds
                work += seconds
                inner += seconds if is_in else 0
        if test_every and step % test_every == 0:
            data[VAL] = 0.2 + step / 100
        wall += work
        truth[step] = wall
        data |= {"timing_s/step": inner, "perf/time_per_step": inner, "perf/total_num_tokens": 1000 * step}
        data["perf/throughput"] = 1000 * step / inner / gpus
        out.append({"step": step, "data": data})
    return out, truth


def console(logged, prefix="(TaskRunner pid=7) ", show=repr):
    return "".join(
        f"{prefix}step:{row['step']} - " + " - ".join(f"{k}:{show(v)}" for k, v in row["data"].items()) + "\n"
        for row in logged
    )


CLOCKS = [
    ({}, "validation (added to it)"),
    ({"inside": True}, "validation (inside it)"),
    ({"inside": True, "parts": False}, "validation (inside it)"),
    ({"parts": False}, "validation (added to it)"),
    ({"test_every": 1}, "validation (added to it)"),
    ({"test_every": 1, "inside": True}, "validation (inside it)"),
    ({"save_every": 4}, "validation (added to it) and checkpoints (added to it)"),
    ({"save_every": 4, "save_inside": True}, "validation (added to it) and checkpoints (inside it)"),
    ({"save_every": 4, "inside": True, "save_inside": True}, "validation (inside it) and checkpoints (inside it)"),
    ({"save_every": 3, "inside": True}, "validation (inside it) and checkpoints (added to it)"),
]


@pytest.mark.parametrize(("how", "said"), CLOCKS)
def test_the_clock_counts_everything_once(one, how, said):
    logged, truth = rows(**how)
    run = one("x.jsonl", logged)
    assert run.curve.unit == "gpu-hours"
    every = how.get("test_every", 4)
    expected = [truth[step] * 16 / 3600 for step in range(0, 13, every)]
    np.testing.assert_allclose(run.curve.compute, expected, rtol=1e-12)
    assert run.source.repairs == (f"gpu-hours count timing_s/step with {said}, on 16 GPUs (recovered from throughput)",)


def test_a_validation_longer_than_its_step_is_outside(one):
    logged, _ = rows(test_every=1, parts=False)
    for row in logged[1:]:
        row["data"]["timing_s/testing"] = 5108.0
    assert "validation (added to it)" in one("x.jsonl", logged).source.repairs[0]


def test_tokens_are_summed(one):
    logged, _ = rows()
    run = one("x.jsonl", logged, unit="tokens")
    assert run.curve.compute.tolist() == [0, 10_000, 36_000, 78_000]
    assert one("x.jsonl", logged, compute="perf/total_num_tokens").curve.unit == "tokens"


def test_three_decimals_lose_no_gpu(one):
    logged, truth = rows(gpus=24)
    run = one("x.log", console(logged, show="{:.3f}".format))
    np.testing.assert_allclose(run.curve.compute, [truth[s] * 24 / 3600 for s in (0, 4, 8, 12)], rtol=1e-4)


@pytest.mark.parametrize(
    "prefix", ["", "(main_task pid=1) ", "\x1b[36m(TaskRunner pid=2)\x1b[0m ", "(TaskRunnerV1 pid=3) "]
)
@pytest.mark.parametrize("show", [repr, "np.float64({!r})".format, "{:.6e}".format])
def test_dialects_hold_the_same_numbers(one, prefix, show):
    logged, _ = rows()
    run = one("x.log", console(logged, prefix, show))
    expected = one("y.jsonl", logged)
    np.testing.assert_allclose(run.curve.compute, expected.curve.compute, rtol=1e-5)
    np.testing.assert_allclose(run.curve.reward, expected.curve.reward, rtol=1e-5)
    assert set(run.series) == set(expected.series)


def test_text_glued_to_a_step_line(one):
    text = (
        "(main_task pid=1) step:1 - val/test_score/a:b:0.25 - actor/lr:1e-06 - kl:nan - x:-0.1 - "
        "timing_s/update_critic:0.173(raylet) [2026-01-02 03:04:05,678 E 1 1] (raylet) main.cc:12: full - disk:9\n"
    )
    run = one("x.log", text)
    assert (run.curve.metric, run.curve.reward.tolist()) == ("val/test_score/a:b", [0.25])
    assert run.series["timing_s/update_critic"].value.tolist() == [0.173]
    assert run.series["actor/lr"].value.tolist() == [1e-6]
    assert np.isnan(run.series["kl"].value).all()
    assert run.series["x"].value.tolist() == [-0.1]


def test_two_step_lines_on_one_line(one):
    run = one("x.log", "step:1 - critic/score/mean:0.1(Worker pid=3) step:2 - critic/score/mean:0.2\n")
    assert run.curve.reward.tolist() == [0.1, 0.2]


def test_other_words_that_end_in_step(one):
    run = one("x.log", "epoch 0, step 1\ntraining/global_step:9 - x:1\nstep:1 - critic/score/mean:0.5\n")
    assert run.curve.compute.tolist() == [1]


def test_a_last_line_without_end_loses_its_last_value(one):
    run = one("x.log", "step:1 - critic/score/mean:0.5 - a:1\nstep:2 - critic/score/mean:0.6 - a:1.2")
    assert run.series["a"].step.tolist() == [1]
    assert run.curve.n_points == 2
    assert run.source.repairs == ("the last line (line 2) has no end; its last value was left out",)


CONFIG = """(TaskRunner pid=1)  'reward_model': {'n_gpus_per_node': 0,
(TaskRunner pid=1)                   'nnodes': 0},
(TaskRunner pid=1)  'trainer': {'n_gpus_per_node': 8,
(TaskRunner pid=1)              'nnodes': 2,
(TaskRunner pid=1)              'test_freq': 5},
(TaskRunner pid=1)  'other': {'nnodes': 7}}
"""


@pytest.mark.parametrize("config", [CONFIG, "+ python -m verl trainer.n_gpus_per_node=8 trainer.nnodes=2\n"])
def test_gpus_from_the_printed_configuration(one, config):
    logged, truth = rows()
    for row in logged:
        row["data"].pop("perf/throughput", None)
    run = one("x.log", config + console(logged))
    np.testing.assert_allclose(run.curve.compute_last, truth[12] * 16 / 3600)
    assert run.source.repairs[0].endswith("on 16 GPUs (from the configuration)")


def test_gpus_given_where_the_log_holds_none(one):
    logged, truth = rows()
    for row in logged:
        row["data"].pop("perf/throughput", None)
    assert one("x.jsonl", logged).curve.unit == "tokens"
    run = one("x.jsonl", logged, gpus=8.0)
    np.testing.assert_allclose(run.curve.compute_last, truth[12] * 8 / 3600)


def test_gpus_given_against_the_log(one):
    run = one("x.jsonl", rows()[0], gpus=8.0)
    assert run.warnings == ("the log shows 16 GPUs; --gpus 8 was not used",)


def test_graded_samples_printed_before_a_validation(one):
    text = "len reward_extra_infos_dict['reward']: 4096\n" + console(
        [{"step": 0, "data": {VAL: 0.1}}, {"step": 1, "data": {"critic/score/mean": 0.1}}]
    )
    assert one("x.log", text).curve.n_eval.tolist() == [4096]


def test_train_score_where_nothing_was_validated(one):
    logged, _ = rows(test_every=None)
    run = one("x.jsonl", logged)
    assert (run.curve.metric, run.curve.n_points) == ("critic/score/mean", 12)
    assert run.warnings == ("no validation metric is logged: the train reward 'critic/score/mean' is fitted",)


def test_several_sources_are_listed(write):
    path = write("x.jsonl", [{"step": 1, "data": {VAL: 0.5, "val-core/code/acc/mean@8": 0.5}}])
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == (f"{path} holds 2 validation metrics; give metric=KEY: {VAL}, val-core/code/acc/mean@8")


def test_a_file_erased_by_a_resume_has_no_tokens(one):
    logged, _ = rows(n=60, first=49, test_every=4)
    run = one("x.jsonl", logged[1:])
    assert (run.curve.unit, run.curve.compute.tolist()) == ("steps", [52, 56, 60])
    assert run.warnings == (
        "tokens and gpu-hours are unknown: 48 of the 60 steps are not in the log, which starts at step 49",
    )


def test_a_few_missing_steps_are_filled_and_told(one):
    logged, _ = rows(n=40)
    run = one("x.jsonl", [row for row in logged if row["step"] not in (7, 9)])
    assert run.warnings == ("2 steps not in the log; the compute of each is taken from the next logged step",)


def test_a_console_log_resumed_and_one_started_again(write):
    first, _ = rows(n=8)
    again, _ = rows(n=12, first=6)
    (run,) = read(write("x.log", console(first + again[1:])))
    assert run.curve.compute.size == 4
    assert run.source.repairs[0].startswith("the run resumed at step 6 after step 8: the later rows replace 3 steps")
    runs = read(write("y.log", console(first + first)))
    assert [run.name for run in runs] == ["y", "y#2"]
    assert [run.recipe for run in runs] == ["y", "y#2"]  # nothing says that they are seeds of one recipe
    np.testing.assert_allclose(runs[0].curve.compute, runs[1].curve.compute)


def test_nan_literals_in_the_file_logger(write):
    path = write("x.jsonl", '{"step": 1, "data": {"critic/score/mean": NaN}}\n' + json.dumps(rows()[0][3]) + "\n")
    assert read(path)[0].curve.n_points == 1


def test_acc_and_reward_of_one_source_are_two_metrics(write):
    reward = "val-core/math/reward/mean@8"
    path = write("x.jsonl", [{"step": 1, "data": {VAL: 0.5, reward: 0.5}}])
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert str(caught.value) == f"{path} holds 2 validation metrics; give metric=KEY: {VAL}, {reward}"


def torn(text, number, upto):
    """The lines with one of them cut after ``upto`` (its first sight)."""
    lines = text.splitlines(keepends=True)
    line = lines[number - 1]
    lines[number - 1] = line[: line.index(upto) + len(upto)] + "\n"
    return "".join(lines)


@pytest.mark.parametrize(
    ("number", "upto", "how"),
    [
        (6, "step:5 - critic/sc", "line 6 (step 5) is torn: it ends in 'critic/sc'"),
        (6, "step:5 - critic/score/mean:0.1", "line 6 (step 5) is torn: it ends after 'critic/score/mean' where "),
        (5, "timing_s/testing:60.0", "line 5 (step 4) is torn: it ends after 'timing_s/testing' where "),
        (5, "val-core/math/ac", "line 5 (step 4) is torn: it ends in 'val-core/math/ac'"),
        (6, "timing_s/gen:", "line 6 (step 5) is torn: it ends in 'timing_s/gen:'"),
        (6, " - timing_s/update_actor:", "line 6 (step 5) is torn: it ends in 'timing_s/update_actor:'"),
        (6, "perf/thro", "line 6 (step 5) is torn: it ends in 'perf/thro'"),
        (6, "timing_s/step:1", "line 6 (step 5) is torn: it ends after 'timing_s/step' where "),
        (1, "step:0 - val-core/m", "line 1 (step 0) is torn: it ends in 'val-core/m'"),
        (1, "val-core/math/acc/mean@8:0.", "line 1 (step 0) is torn: it ends in 'val-core/math/acc/mean@8:0.'"),
    ],
)
def test_a_torn_middle_line_is_named(write, number, upto, how):
    rest = "the others go on to 'perf/throughput'" if how.endswith("where ") else ""
    path = write("x.log", torn(console(rows()[0]), number, upto))
    with pytest.raises(SourceError) as caught:
        collect([path])
    assert str(caught.value) == f"{path}: {how}{rest}; repair or remove the line"


def test_a_torn_numpy_value_is_named(write):
    text = torn(console(rows()[0], show="np.float64({!r})".format), 1, "mean@8:np.float64(0.")
    path = write("x.log", text)
    with pytest.raises(SourceError) as caught:
        collect([path])
    how = f"it ends in '{VAL}:np.float64(0.'"
    assert str(caught.value) == f"{path}: line 1 (step 0) is torn: {how}; repair or remove the line"


def test_a_torn_last_line_is_tolerated_with_or_without_its_end(one):
    text = torn(console(rows()[0]), 13, "timing_s/step:1")
    for ending in ("", "\n", "\n\n"):
        run = one("x.log", text.rstrip("\n") + ending)
        assert "the last line (line 13) has no end; its last value was left out" in run.source.repairs
        assert run.series["timing_s/step"].step.max() == 11


def test_lines_that_lack_keys_are_not_torn(one):
    logged = rows()[0]
    for row in logged[1:5]:  # the actor waits for the critic
        row["data"].pop("timing_s/update_actor")
    logged[7]["data"].pop("perf/total_num_tokens")
    text = console(logged).splitlines(keepends=True)
    text[3] = text[3].rstrip() + "(raylet) [2026-01-02, E 1 1] (raylet) main.cc:12: full - spilling - disk:9\n"
    text[5] = text[5].rstrip() + "(raylet) it - is"
    text[5] += " full\n"
    assert one("x.log", "".join(text)).curve.n_points == 4
