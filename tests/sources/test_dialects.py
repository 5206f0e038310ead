"""Dialects of printed logs and states beyond the first ones, in the shapes that each trainer's source prints."""

import json

import numpy as np
import pytest

from rlscale.errors import FormatError, SourceError
from rlscale.sources import ReadOptions, collect, read
from rlscale.sources.files.verl_torn import joined
from rlscale.sources.follow import Follower
from tests.sources.trackers import made

N = 6
OTHERS = "(RolloutWorker pid=77, ip=10.0.0.2) Capturing graphs: 3 - of 8 │ done\n"


def boxed(row, pairs=1):
    """Return a table as tabulate's ``fancy_grid`` draws it: keys go down the first pair of columns, then the next."""
    items = [(f"{key:<34}", f"{value:>11.4e}") for key, value in row.items()]
    height = -(-len(items) // pairs)
    lines = ["╒" + "╤".join(["═" * 36, "═" * 13] * pairs) + "╕"]
    for at in range(height):
        cells = [cell for pair in items[at::height] for cell in pair]
        cells += [" " * width for width in (34, 11)] * (pairs - len(cells) // 2)
        lines += ["│" + "│".join(f" {cell} " for cell in cells) + "│"]
        lines += ["├" + "┼".join(["─" * 36, "─" * 13] * pairs) + "┤"] if at < height - 1 else []
    return "\n".join([*lines, "╘" + "╧".join(["═" * 36, "═" * 13] * pairs) + "╛"]) + "\n"


def areal(pairs=1, actor="ppo_actor", tables=1, first=1):
    text = ""
    for k in range(first, N + 1):
        stamp = f"20260412-09:{k:02d}:00.500 StatsLogger INFO: "
        text += f"\x1b[32m{stamp}\x1b[0mEpoch 1/3 Step {k}/40 Train step {k}/120 done.\n"
        for j in range(tables):
            row = {f"{actor}/task_reward/avg": k / 10 + 0.02 * j, f"{actor}/update/lr": 1e-6, "timeperf/rollout": 30.0}
            if j == 0:
                row |= {"rollout/reward": k / 10, "rollout/rejected": 0.0}
                row |= {"eval-rollout/reward": k / 20} if k % 2 == 0 else {}
            text += f"{stamp}Stats ({j + 1}/{tables}):\n{stamp}\n{boxed(row, pairs)}"
    return text


def prime_old(first=0):
    text = ""
    for k in range(first, first + N):
        text += f"09:{k:02d}:00    INFO Starting orchestrator step {k}\n"
        if k % 2 == 0:
            text += (
                f"09:{k:02d}:20 SUCCESS Evaluated org/maze in {'12.50s' if k else '1m 2s'} "
                f"(Avg@4={0.2 + k / 20:.4f}, Pass@1: 0.2000, Pass@4: 0.6000, No-response: 0.0%, "
                "Completion Length: 310.25 (±20.10, ∈[12.00, 900.00]), Truncated: 2.5%)\n"
            )
        text += (
            f"\x1b[2m09:{k:02d}:50\x1b[0m \x1b[32mSUCCESS\x1b[0m Step {k} | Time: 61.25s | "
            f"Reward: {0.3 + k / 20:.4f} | Throughput: 900.5 tokens/s | Seq. Length: 420.0 tokens/sample | "
            "Async Level: 1 | Max. Off-Policy Level: 2\n"
        )
    return text + "09:59:00 SUCCESS Evaluated org/maze in 11.00s (Avg@4=0.6000, Truncated: 0.0%)\n"


def prime_new():
    text = ""
    for k in range(1, N + 1):
        text += (
            f"09:{k:02d}:50 SUCCESS Step {k} |  1m 10s | Reward {k / 10:.4f} | Trainable 30/40 (75.0%) | Turns 1.5 | "
            "Branches 1.0 | Max Off-Policy 2 | Error 2.5% | Truncation 10.0%\n"
        )
        text += f"\t\t╰─ maze | Ratio 100.0% | Reward {k / 10:.4f}\n"
        if k % 2 == 0:
            text += (
                f"09:{k:02d}:59 SUCCESS Evaluated maze (Step {k}) | Policy v{k} |     30s | Reward {k / 20:.4f} | "
                "Turns 1.5 | Branches 1.0 | Error 0.0% | Truncation 5.0%\n"
            )
            text += (
                f"09:{k:02d}:59 WARNING Partially evaluated maze (Step {k + 1}) | 30s | Reward 0.9900 | Error 9.0%\n"
            )
    return text


def forge(name="[global_reduce] - ", first=1):
    text = ""
    for k in range(first, N + 1):
        row = {"buffer/add/count_episodes_added": 16.0, "episode/avg_response_tokens": 500.0}
        row |= {"grpo_loss/kl_divergence_mean": 0.01, "main_perf/continuous_training/total_duration_avg_s": 20.0}
        row |= {"reward/evaluate_response/avg_total_reward": k / 10, "rl_trainer/learning_rate": 1e-6}
        lines = "".join(f"  {key}: {value}\n" for key, value in row.items())
        text += f"WandbBackend: Logged 6 metrics at step {k}\n=== [{name}METRICS STEP {k} ===\n"
        text += f"{lines}  reward/sample: {{'text': 'x: 3'}}\n==============================\n\n"
    return text


def mirror():
    text = ""
    for k in range(1, N + 1):
        before = "2026-04-12 09:00:00.000 | INFO     | trainer:_log:19 - "
        row = {"reward/avg_raw_reward": k / 10, "policy/policy_entropy": 1.5, "timing/step": 60.0}
        text += f"(entry pid=9) {before}WANDB_MIRROR kind=train step={k} metrics={json.dumps(row)}\x1b[0m\n"
        if k % 2 == 0:
            text += f"{before}WANDB_MIRROR kind=eval step={k} metrics={json.dumps({'eval/all/avg_score': k / 20})}\n"
    return text


SHAPES = {
    "AReaL": (areal(), "areal", "eval-rollout/reward", [2, 4, 6], [0.1, 0.2, 0.3]),
    "AReaL, three pairs a line": (areal(3), "areal", "eval-rollout/reward", [2, 4, 6], [0.1, 0.2, 0.3]),
    "AReaL, older keys": (areal(2, "grpo_actor"), "areal", "eval-rollout/reward", [2, 4, 6], [0.1, 0.2, 0.3]),
    "AReaL, minibatches": (areal(1, tables=3), "areal", "eval-rollout/reward", [2, 4, 6], [0.1, 0.2, 0.3]),
    "prime-rl": (prime_old(), "prime-rl", "eval/org/maze/avg@4", [0, 2, 4, 6], [0.2, 0.3, 0.4, 0.6]),
    "prime-rl, later": (prime_new(), "prime-rl", "eval/maze/reward/mean", [2, 4, 6], [0.1, 0.2, 0.3]),
    "torchforge": (
        forge(), "torchforge", "reward/evaluate_response/avg_total_reward",
        [1, 2, 3, 4, 5, 6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    ),
    "torchforge, first versions": (
        forge(""), "torchforge", "reward/evaluate_response/avg_total_reward",
        [1, 2, 3, 4, 5, 6], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    ),
    "SkyRL's mirror": (mirror(), "skyrl", "eval/all/avg_score", [2, 4, 6], [0.1, 0.2, 0.3]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_read(one, name):
    text, trainer, metric, steps, rewards = SHAPES[name]
    run = one("run.log", text, unit="steps")
    assert (run.source.trainer, run.curve.metric) == (trainer, metric)
    assert run.curve.compute.tolist() == steps
    np.testing.assert_allclose(run.curve.reward, rewards, atol=1e-12)
    assert not any("torn" in said or "resumed" in said or "left out" in said for said in run.source.repairs)


@pytest.mark.parametrize("name", SHAPES)
def test_lines_of_other_processes_change_nothing(one, name):
    text, _, _, steps, rewards = SHAPES[name]
    run = one("run.out", OTHERS * 50 + "".join(line + OTHERS for line in text.splitlines(keepends=True)), unit="steps")
    assert run.curve.compute.tolist() == steps
    np.testing.assert_allclose(run.curve.reward, rewards, atol=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_that_ends_in_a_row_keeps_the_rows_before(one, name):
    text, _, _, steps, _ = SHAPES[name]
    for cut in range(1, 160, 3):
        run = one("run.log", text.rstrip("\n")[:-cut], unit="steps")
        assert run.curve.compute.tolist()[: len(steps) - 2] == steps[:-2]


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_found_in_a_folder_by_what_stands_in_it(write, name):
    text = SHAPES[name][0]
    (run,) = read(write("job/run.txt", text).parent, unit="steps")
    assert run.name == "job" or run.name == "run"


@pytest.mark.parametrize("name", SHAPES)
def test_a_growing_file_is_read_as_the_whole_one(tmp_path, name):
    text, path = SHAPES[name][0].encode(), tmp_path / "run.log"
    options = ReadOptions(unit="steps")
    follower = Follower([path], options)
    for share in (0.55, 0.7, 0.71, 0.9, 0.97, 1):
        path.write_bytes(text[: int(share * len(text))])
        growing, whole = follower.poll(), collect([path], options)
        assert [one.curve.reward.tolist() for one in growing.runs] == [one.curve.reward.tolist() for one in whole.runs]
        assert [one.source.repairs for one in growing.runs] == [one.source.repairs for one in whole.runs]


def test_a_file_that_ends_within_a_character_is_read_and_other_bytes_are_refused(write):
    text = areal().encode()
    for cut in range(1, 6):
        assert read(write("main.log", text[:-cut]), unit="steps")[0].curve.n_points >= 2
    with pytest.raises(SourceError, match="is not UTF-8 text"):
        read(write("main.log", text[:-1] + b"\xff"))


def test_areals_minibatches_are_averaged_and_its_times_are_a_clock(one):
    run = one("main.log", areal(1, tables=3), metric="ppo_actor/task_reward/avg", gpus=8)
    assert run.curve.unit == "gpu-hours"
    np.testing.assert_allclose(run.curve.reward, [k / 10 + 0.02 for k in range(1, N + 1)], atol=1e-9)
    np.testing.assert_allclose(np.diff(run.curve.compute), 8 / 60)
    assert any("a row is the mean over those of its step" in said for said in run.source.repairs)


def test_a_stamp_that_is_no_date_is_no_time(one):
    run = one("main.log", areal().replace("20260412-09:03", "00000000-09:03"), unit="steps")
    assert run.series["timestamp"].step.size == N - 1


def test_an_areal_table_without_end_is_left_out(one):
    text = areal()
    cut = text.index("╘", text.index("Train step 4/"))
    run = one("main.log", text[:cut] + areal(first=4), metric="rollout/reward", unit="steps")
    assert run.curve.compute.tolist() == [1, 2, 3, 4, 5, 6]
    assert any("1 of the tables left out: its end is missing" in said for said in run.source.repairs)


@pytest.mark.parametrize("shape", [areal, forge])
def test_blocks_that_a_restart_prints_again(one, shape):
    metric = {"areal": "rollout/reward", "forge": None}[shape.__name__]
    run = one("main.log", shape() + shape(first=4), metric=metric, unit="steps")
    assert run.curve.compute.tolist() == [1, 2, 3, 4, 5, 6]
    assert any(said.startswith("the run resumed at step 4") for said in run.source.repairs)


def test_the_fields_of_prime_rl(one):
    run = one("orchestrator.log", prime_new(), unit="steps")
    assert run.metrics["truncation"].series.value.tolist() == [0.1] * N
    assert run.series["orchestrator:time/step"].value.tolist() == [70.0] * N
    run = one("orchestrator.log", prime_old(), metric="reward/all/mean", unit="steps")
    assert run.curve.compute.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.series["eval/org/maze/is_truncated/mean"].value.tolist() == [0.025, 0.025, 0.025, 0.0]


def test_prime_rl_trainer_rows_beside_and_alone(write, one):
    losses = "Loss: 0.0100 | Entropy: 0.5000 | Mismatch KL: 0.0020 | Grad. Norm: 0.3"
    trained = f"09:00:00 SUCCESS Step 2 | Time: 9.00s | {losses}\n"
    run = one("both.log", prime_old() + trained, unit="steps")
    assert run.series["optim/grad_norm"].value.tolist() == [0.3]
    with pytest.raises(
        FormatError, match=r"the log of prime-rl's trainer holds no reward; give metrics\.jsonl or the log"
    ):
        collect([write("trainer.log", trained * 3)])


def test_torchforge_counts_tokens_samples_and_seconds(one):
    assert one("run.log", forge(), unit="tokens").curve.compute.tolist() == [8000.0 * k for k in range(1, N + 1)]
    assert one("run.log", forge(), unit="samples").curve.compute.tolist() == [16.0 * k for k in range(1, N + 1)]
    run = one("run.log", forge(), gpus=9)
    assert run.curve.unit == "gpu-hours"
    assert run.curve.compute[-1] == pytest.approx(9 * 120 / 3600)
    assert run.metrics["kl"].key == "grpo_loss/kl_divergence_mean"


def test_skyrl_on_one_line_and_evaluations_alone(one):
    text = "".join(
        f"INFO Step {k}: {{'reward/avg_raw_reward': '{k / 10:.4f}', 'timing/step': '9.0000'}}\n"
        + (f"INFO Step {k}: {{'eval/all/avg_score': '{k / 20:.4f}'}}\n" if k % 2 == 0 else "")
        for k in range(1, N + 1)
    )
    run = one("run.log", text, unit="steps")
    assert (run.curve.metric, run.curve.compute.tolist()) == ("eval/all/avg_score", [2, 4, 6])
    assert run.series["reward/avg_raw_reward"].step.size == N


def wrapped(text, width):
    return "".join(line[at : at + width] + "\n" for line in text.splitlines() for at in range(0, len(line) or 1, width))


def verl_lines(prefix="(TaskRunner pid=7) "):
    text = f"{prefix}step:0 - val-core/maze/acc/mean@1:np.float64(0.1)\n"
    for k in range(1, 13):
        graded = f"val-core/maze/acc/mean@1:np.float64({0.1 + k / 20}) - " if k % 2 == 0 else ""
        text += (
            f"{prefix}step:{k} - actor/entropy:0.5 - actor/lr:np.float64(1e-06) - {graded}critic/score/mean:{k / 20} - "
            f"response_length/mean:{300.25 + k} - timing_s/step:60.5 - perf/total_num_tokens:100000\n"
        )
    return text


@pytest.mark.parametrize("width", range(40, 190, 3))
def test_verl_rows_that_a_terminal_broke(one, width):
    whole = one("a.log", verl_lines(), unit="steps")
    run = one("b.log", wrapped(verl_lines(), width), unit="steps")
    assert run.curve.compute.tolist() == whole.curve.compute.tolist()
    assert run.curve.reward.tolist() == whole.curve.reward.tolist()
    assert {key: one.value.tolist() for key, one in run.series.items()} == {
        key: one.value.tolist() for key, one in whole.series.items()
    }


def test_verl_rows_broken_behind_rays_prefix_and_in_colour(one):
    lines = verl_lines("").splitlines()
    text = "".join(
        f"\x1b[36m(TaskRunner pid=7)\x1b[0m {line[:90]}\n\x1b[36m(TaskRunner pid=7)\x1b[0m {line[90:]}\x1b[0m\n"
        if len(line) > 90 else f"\x1b[36m(TaskRunner pid=7)\x1b[0m {line}\n"
        for line in lines
    )  # fmt: skip
    whole, run = one("a.log", verl_lines(), unit="steps"), one("b.log", text, unit="steps")
    assert run.curve.reward.tolist() == whole.curve.reward.tolist()
    assert run.series.keys() == whole.series.keys()


@pytest.mark.parametrize(
    ("text", "line", "whole"),
    [
        ("a/b:1 - c", "/d:2 - e:3", "a/b:1 - c/d:2 - e:3"),
        ("a/b:1 -", "c/d:2 - e:3", "a/b:1 - c/d:2 - e:3"),
        ("a/b:1", "- c/d:2 - e:3", "a/b:1 - c/d:2 - e:3"),
        ("a/b:1.2", "5 - c/d:2", "a/b:1.25 - c/d:2"),
        ("a/b:np.flo", "at64(0.5)", "a/b:np.float64(0.5)"),
        ("a/b:0.5", "(raylet) worker died: 3", None),
        ("a/b:0.5", "validation generation end", None),
        ("a/b:0.5", "Saving to ckpt - step 3", None),
        ("a/b:0.5", "7", None),
    ],
)
def test_a_line_that_goes_on_with_the_one_before(text, line, whole):
    assert joined(text, line) == whole


def test_a_torn_verl_row_before_other_output_is_still_refused(write):
    lines = verl_lines().splitlines(keepends=True)
    lines[5] = lines[5][:-60] + "\n" + OTHERS
    with pytest.raises(SourceError, match=r"line 6 \(step 5\) is torn"):
        collect([write("run.log", "".join(lines))])


@pytest.mark.parametrize("width", [30, 47, 61, 80, 100])
@pytest.mark.parametrize("show", [repr, "np.float64({!r})".format])
def test_dictionaries_broken_over_lines(one, width, show):
    text = "".join(
        f"Global step {k}: {{'policy_loss': {show(-0.125)}, 'kl': {show(0.0025)}, 'reward': {show(k / 10)}, "
        f"'actor_lr': {show(1e-06)}, 'total_length': {show(500.5)}}}\n"
        for k in range(1, N + 1)
    )
    run = one("run.log", wrapped(text, width), unit="steps")
    assert run.curve.reward.tolist() == [k / 10 for k in range(1, N + 1)]
    assert run.series["train/total_length"].value.tolist() == [500.5] * N


def test_a_dictionary_printed_over_lines_behind_rays_prefix(one):
    text = "".join(
        f"(Actor pid=3) perf {k}: {{'rollout/raw_reward': {k / 10},\n(Actor pid=3)  'perf/step_time': 60.0}}\n"
        for k in range(N)
    )
    assert one("run.log", text, unit="steps").curve.reward.tolist() == [k / 10 for k in range(N)]


def roll_rows():
    rows = [
        {"system/step": k, "critic/score/mean": k / 10, "actor/lr": 1e-6, "time/step_total": 50.0} for k in range(N)
    ]
    for k in range(0, N, 2):
        rows[k]["val_correct/all/mean"] = k / 20
    return rows


def test_rolls_state_in_its_folders(write, tmp_path):
    rows = roll_rows()
    for step in (1, 3, 5):
        state = {"step": step, "kv": {}, "log_history": rows[: step + 1]}
        write(f"maze/pipeline/checkpoint-{step}/pipeline/worker_state_pipeline.json", state)
    write("maze/pipeline/checkpoint-5/config.json", {"hidden": 3})
    (run,) = read(tmp_path / "maze", unit="steps")
    assert (run.source.trainer, run.source.format) == ("roll", "roll-state")
    assert (run.curve.metric, run.curve.compute.tolist()) == ("val_correct/all/mean", [0, 2, 4])
    assert (
        "2 checkpoints were not read: checkpoint-5/pipeline/worker_state_pipeline.json holds the history of the run"
        in (run.source.repairs)
    )
    renamed = write("copy.json", {"step": 5, "log_history": rows})
    assert read(renamed, unit="steps")[0].source.trainer == "roll"


@pytest.mark.parametrize(
    "document",
    [
        {"train/reward": {str(k): k / 10 for k in range(1, 7)}, "validation/accuracy": {"3": 0.3, "6": 0.5}},
        {"train": {"reward": {str(k): k / 10 for k in range(1, 7)}}, "validation": {"accuracy": {"3": 0.3, "6": 0.5}}},
        {
            str(k): {
                "train/reward": k / 10,
                **({"validation": {"accuracy": {3: 0.3, 6: 0.5}[k]}} if k % 3 == 0 else {}),
            }
            for k in range(1, 7)
        },
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_of_series(write, document, indent):
    path = write("job/metrics.json", json.dumps(document, indent=indent))
    for given in (path, path.parent):
        (run,) = read(given, unit="steps")
        assert (run.curve.metric, run.curve.compute.tolist()) == ("validation/accuracy", [3, 6])
        assert run.series["train/reward"].value.tolist() == [k / 10 for k in range(1, 7)]


def test_what_is_no_series_in_a_document_is_said(one):
    run = one("m.json", {"eval/reward": {"1": 0.5, "2": 0.6}, "name": "maze", "notes": {"a": 3}}, unit="steps")
    assert "what is no number by step was left out: name, notes/a" in run.source.repairs


def test_rows_of_json_with_numbers_as_keys_are_rows(one):
    rows = [{"histogram": {"0": 1, "1": k}, "step": k, "eval/reward": k / 10} for k in range(1, 5)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    assert one("m.json", text, unit="steps").curve.compute.tolist() == [1, 2, 3, 4]


def test_easyr1_nested_rows_and_its_validation(one):
    rows = [
        {"step": k, "reward": {"overall": k / 10}, "critic": {"score": {"mean": k / 10}}, "timing_s": {"step": 60.0},
         "val": {"reward_score": k / 20, "accuracy_reward": k / 30, "format_reward": 1.0}}
        for k in range(1, 7)
    ]  # fmt: skip
    run = one("experiment_log.jsonl", rows, unit="steps")
    assert (run.source.trainer, run.curve.metric) == ("verl", "val/reward_score")


def test_rllib_evaluations_in_every_file(one):
    rows = [
        {"training_iteration": k, "time_this_iter_s": 9.0, "num_env_steps_sampled_lifetime": 4000 * k,
         "env_runners": {"episode_return_mean": 10.0 * k}, "learners": {"default_policy": {"entropy": 0.5}},
         **({"evaluation": {"env_runners": {"episode_return_mean": 9.0 * k}}} if k % 2 == 0 else {})}
        for k in range(1, 7)
    ]  # fmt: skip
    run = one("result.json", "".join(json.dumps(row) + "\n" for row in rows), unit="samples")
    assert (run.source.trainer, run.curve.metric) == ("rllib", "evaluation/env_runners/episode_return_mean")
    assert run.curve.compute.tolist() == [8000, 16000, 24000]
    names = ["training_iteration", "num_env_steps_sampled_lifetime", "time_this_iter_s", "time_since_restore"]
    names += ["env_runners/episode_return_mean", "evaluation/env_runners/episode_return_mean"]
    table = (
        ",".join(names)
        + "\n"
        + "".join(f"{k},{4000 * k},9,{9 * k},{10 * k},{9 * k if k % 2 == 0 else ''}\n" for k in range(1, 7))
    )
    run = one("progress.csv", table, unit="samples")
    assert run.curve.metric == "evaluation/env_runners/episode_return_mean"
    assert run.curve.compute.tolist() == [8000, 16000, 24000]


def test_a_number_of_gpus_is_no_series(one):
    text = verl_lines().replace("\n", " - perf/throughput:207.0 - perf/time_per_step:60.5\n")
    run = one("run.log", text)
    assert "gpus" not in run.metrics
    assert run.curve.unit == "gpu-hours"


def test_steps_of_an_environment_are_samples_in_every_container(write, one):
    steps = [2048 * k for k in range(1, 7)]
    curves = {
        "charts/episodic_return": {at: at / 100 for at in steps},
        "charts/SPS": dict.fromkeys(steps, 900.0),
        "losses/approx_kl": dict.fromkeys(steps, 0.01),
    }
    run = one("maze__1/events.out.tfevents.1.host", made.events(1.7e9, curves, []))
    assert (run.source.trainer, run.curve.metric, run.curve.unit) == ("cleanrl", "charts/episodic_return", "samples")
    assert run.curve.compute.tolist() == steps
    assert run.metrics["kl_new_old"].key == "losses/approx_kl"
    rows = [{"time/total_timesteps": at, "rollout/ep_rew_mean": at / 100, "rollout/ep_len_mean": 9} for at in steps]
    names = list(rows[0])
    table = "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]) + "\n"
    for name, content in (("progress.json", "".join(json.dumps(row) + "\n" for row in rows)), ("progress.csv", table)):
        run = one(name, content)
        assert (run.curve.metric, run.curve.unit) == ("rollout/ep_rew_mean", "samples")
        assert run.curve.compute.tolist() == steps


def exact(k):
    return 0.1234567 + k / 17


@pytest.mark.parametrize("shape", ["AReaL", "prime-rl", "SkyRL"])
def test_what_is_printed_rounded_beside_the_exact_log_is_read_once(write, tmp_path, shape):
    steps = range(1, N + 1)
    if shape == "AReaL":
        text = "".join(
            f"20260412-09:{k:02d}:00.500 Train step {k}/120 done.\n{boxed({'rollout/reward': exact(k)})}" for k in steps
        )
        rows = [
            {"step": k - 1, "rollout/reward": exact(k), "timeperf/rollout": 1.0, "timeperf/eval": 1.0} for k in steps
        ]
    elif shape == "prime-rl":
        text = "".join(f"09:00:00 SUCCESS Step {k} | 9s | Reward {exact(k):.4f} | Error 0.0%\n" for k in steps)
        rows = [{"step": k, "train/agg/all/maze/reward/mean": exact(k), "progress/output_tokens": 9} for k in steps]
    else:
        text = "".join(
            f"Step {k}: {{'reward/avg_raw_reward': '{exact(k):.4f}', 'timing/step': '9.0'}}\n" for k in steps
        )
        rows = [{"trainer/global_step": k, "reward/avg_raw_reward": exact(k), "timing/step": 9.0} for k in steps]
    write("job/main.log", text)
    write("job/metrics.jsonl", rows)
    (run,) = read(tmp_path / "job", unit="steps")
    assert run.curve.reward.tolist() == [exact(k) for k in steps]
    assert any("not read twice: main.log" in said for said in run.source.repairs)


def test_what_is_printed_by_another_run_is_no_copy(write, tmp_path):
    write("job/main.log", "".join(f"Step {k} | 9s | Reward {exact(k):.4f} | Error 0.0%\n" for k in range(1, N + 1)))
    rows = [{"step": k, "reward/all/mean": exact(k) + 2e-4, "solve_none/all": 0.0} for k in range(1, N + 1)]
    write("job/metrics.jsonl", rows)
    assert len(read(tmp_path / "job", unit="steps")) == 2
