"""Printed logs: every dialect, wherever it starts, whole or torn."""

import json
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.curves import Run
from rlscale.errors import FormatError, InputError, SourceError
from rlscale.sources import collect, read
from rlscale.sources.files import console
from rlscale.sources.files.literal import numbers_of
from tests.sources.test_any_bytes import FAST, read_or_refuse

NOISE = "\x1b[36m(RolloutWorker pid=77, ip=10.0.0.2)\x1b[0m Step by step: 50%|█████     | 1/2 {'not': a row} {\r\n"
N = 6


def stamp(line, prefix="2026-01-01 00:00:00,000 - INFO - "):
    return f"{prefix}{line}\n"


def openrlhf(show=repr, prefix="2026-01-01 00:00:00 [INFO] "):
    lines = []
    for k in range(1, N + 1):
        row = {"policy_loss": -0.1, "reward": k / 10, "actor_lr": 1e-6, "kl": float("nan"), "timing/step_total": 100.0}
        row |= {"rollout/reward_mean": k / 10, "rollout/num_samples": 8.0, "total_length": 50.0}
        lines.append(stamp(f"✨ Global step {k}: {shown(row, show)}", prefix))
        if k % 2 == 0:
            marks = {"eval_math_pass1": k / 20, "eval_math_pass4": 0.9, "eval_num_samples": 64}
            done = f"✨ Evaluation completed in 0:01:00, global_step {k}, eval_metrics: {shown(marks, show)}"
            lines.append(stamp(done, prefix))
    return lines


def slime(show=repr, prefix="[2026-01-01 00:00:00] rollout.py:10 - "):
    lines = [stamp(f"eval 0: {shown({'eval/math': 0.05, 'eval/math-pass@4': 0.5}, show)}", prefix)]
    for k in range(N):
        lines.append(
            stamp(f"perf {k}: {shown({'rollout/response_len/mean': 9.0, 'perf/rollout_time': 1.0}, show)}", prefix)
        )
        lines.append(
            stamp(f"rollout {k}: {shown({'rollout/raw_reward': k / 10, 'rollout/rewards': 0.0}, show)}", prefix)
        )
        for j in (2 * k, 2 * k + 1):
            row = {"train/pg_clipfrac": float(j), "train/lr-pg_0": 1e-6, "train/step": j}
            lines.append(stamp(f"step {j}: {shown(row, show)}", prefix))
            lines.append(stamp(f"critic-step {j}: {shown({'train/critic-loss': 1.0}, show)}", prefix))
        lines.append(stamp(f"perf {k}: {shown({'perf/step_time': 60.0, 'perf/train_wait_time': 1.0}, show)}", prefix))
        if k % 2 == 1:
            lines.append(
                stamp(f"eval {k}: {shown({'eval/math': (k + 1) / 20, 'eval/math-pass@4': 0.5}, show)}", prefix)
            )
    return lines


def skyrl(show="'{:.4f}'".format, prefix="(skyrl_entrypoint pid=9) "):
    lines = []
    for k in range(1, N + 1):
        row = {"generate/avg_num_tokens": 100.0, "generate/batch_num_seq": 8, "reward/avg_raw_reward": k / 10}
        row |= {"policy/policy_lr": 1e-6, "timing/step": 60.0, "trainer/global_step": k}
        if k % 2 == 0:
            row |= {"eval/all/avg_score": k / 20, "timing/eval": 5.0}
        text = shown(row, show, ",\n ").split("\n")
        lines.append(stamp(f"Step {k}: ", f"{prefix}2026-01-01 00:00:00.000 | INFO     | tracking:log:78 - "))
        lines += [f"{prefix}{line}\n" for line in text]
    return lines


def roll(show=None, prefix="[2026-01-01 00:00:00] [tracking.py (120)] [INFO] [PIPELINE] "):
    lines = []
    for k in range(N):
        row = {"system/step": k, "critic/score/mean": k / 10, "actor/pg_loss@sum": 0.5, "actor/kl_loss": float("nan")}
        row |= {"token/total_length/mean": 9.0, "actor/clipfrac": 0.0}
        if k:
            row["time/step_total"] = 60.0
        if k % 2 == 0:
            row["val_correct/all/mean"] = k / 20
        lines.append(stamp(f"metrics_tag: {json.dumps({'step': k, 'metrics': row})}", prefix))
    return lines


def shown(row, show, between=", "):
    return "{" + between.join(f"{key!r}: {show(float(value))}" for key, value in row.items()) + "}"


DIALECTS = {
    "openrlhf": (openrlhf, "eval/eval_math_pass1", [2, 4, 6], [0.1, 0.2, 0.3]),
    "slime": (slime, "eval/math", [0, 2, 4, 6], [0.05, 0.1, 0.2, 0.3]),
    "skyrl": (skyrl, "eval/all/avg_score", [2, 4, 6], [0.1, 0.2, 0.3]),
    "roll": (roll, "val_correct/all/mean", [0, 2, 4], [0.0, 0.1, 0.2]),
}
NAMES = {"openrlhf": "openrlhf-console", "slime": "slime-console", "skyrl": "skyrl-console", "roll": "roll-stdout"}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_read(one, name):
    lines, metric, steps, rewards = DIALECTS[name]
    run = one("run.log", "".join(lines()), unit="steps")
    assert (run.source.trainer, run.source.format, run.curve.metric) == (name, NAMES[name], metric)
    assert run.curve.compute.tolist() == steps
    np.testing.assert_allclose(run.curve.reward, rewards, atol=1e-12)
    assert not any("torn" in said or "resumed" in said for said in run.source.repairs)


@pytest.mark.parametrize("name", DIALECTS)
def test_other_output_between_and_before_changes_nothing(one, name):
    lines, _, steps, rewards = DIALECTS[name]
    text = NOISE * 3000 + "".join(line if line.startswith((" ", "(skyrl")) else line + NOISE for line in lines())
    run = one("run.out", text, unit="steps")
    assert run.curve.compute.tolist() == steps
    np.testing.assert_allclose(run.curve.reward, rewards)


@pytest.mark.parametrize(
    "show", [repr, "np.float64({!r})".format, "'{!r}'".format, "tensor({!r}, device='cuda:0')".format, "{:.6e}".format]
)
@pytest.mark.parametrize("prefix", ["", "\x1b[36m(Actor pid=3)\x1b[0m ", "50%|##  | 1/2\r(Actor pid=3, ip=10.0.0.1) "])
@pytest.mark.parametrize("name", ["openrlhf", "slime"])
def test_numbers_and_prefixes(one, name, show, prefix):
    lines, _, steps, rewards = DIALECTS[name]
    run = one("run.log", "".join(lines(show, prefix)), unit="steps")
    assert run.curve.compute.tolist() == steps
    np.testing.assert_allclose(run.curve.reward, rewards)


def test_skyrl_lines_of_other_processes_within(one):
    lines = [text for line in skyrl() for text in (line, NOISE)]
    assert one("run.log", "".join(lines), unit="steps").curve.n_points == 3


def test_slime_train_rows_stand_at_their_rollout(one):
    run = one("run.log", "".join(slime()), unit="steps")
    assert run.series["train/pg_clipfrac"].step.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.series["train/pg_clipfrac"].value.tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    assert "train/critic-loss" not in run.series


def test_slime_resumed(one):
    first = slime()
    begin = next(k for k, line in enumerate(first) if "perf 4" in line)
    run = one("run.log", "".join(first + first[begin:]), unit="steps")
    assert run.curve.compute.tolist() == [0, 2, 4, 6]
    assert any(said.startswith("the run resumed at step 4") for said in run.source.repairs)
    assert run.series["train/pg_clipfrac"].step.tolist() == [1, 2, 3, 4, 5, 6]


def test_openrlhf_prefixes_of_older_versions(one):
    text = "".join(openrlhf()).replace("'eval_", "'eval/eval_")
    assert one("run.log", text, unit="steps").curve.metric == "eval/eval_math_pass1"


def test_roll_logged_again_after_a_resume(one):
    run = one("run.log", "".join(roll()[:4] + roll()), unit="steps")
    assert run.curve.compute.tolist() == [0, 2, 4]
    assert not any("resumed" in said or "#2" in said for said in run.source.repairs)
    assert "actor/pg_loss" in run.series


@pytest.mark.parametrize("name", DIALECTS)
def test_a_torn_last_row_is_left_out(one, name):
    lines = DIALECTS[name][0]()
    text = "".join(lines).rstrip("\n")[:-20]
    run = one("run.log", text, unit="steps")
    assert run.curve.n_points >= 2
    assert any("is torn and was left out" in said for said in run.source.repairs)
    assert one("run.log", text + "\n\n", unit="steps").curve.n_points == run.curve.n_points


@pytest.mark.parametrize("name", ["openrlhf", "slime", "roll"])
def test_a_torn_middle_row_is_named(write, name):
    lines = DIALECTS[name][0]()
    lines[2] = lines[2].rstrip("\n")[:-10] + "\n"
    path = write("run.log", "".join(lines))
    with pytest.raises(SourceError) as caught:
        collect([path])
    assert "line 3 (step " in str(caught.value)
    assert "is torn: its " in str(caught.value)
    assert str(caught.value).endswith("repair or remove the line")


def test_a_torn_middle_row_of_skyrl_is_named(write):
    lines = skyrl()
    del lines[6]  # the line with the closing brace
    path = write("run.log", "".join(lines))
    with pytest.raises(SourceError) as caught:
        collect([path])
    how = "line 1 (step 1) is torn: its dictionary has no closing brace; repair or remove its lines"
    assert str(caught.value) == f"{path}: {how}"


def test_a_dialect_far_into_the_file(write):
    path = write("run.txt", "noise of something else\n" * 200_000 + "".join(openrlhf()))
    (run,) = read(path, unit="steps")
    assert run.curve.n_points == 3


def test_an_ending_that_says_nothing(write):
    (run,) = read(write("run.stdout-3", "".join(slime())), unit="steps")
    assert run.source.trainer == "slime"


def test_what_nemo_prints_names_the_better_file(write):
    path = write("run.log", "📊 Training Results:\n  • Loss: 0.0123\n  • Avg Reward: 0.5\n")
    with pytest.raises(FormatError) as caught:
        collect([path])
    assert "switch a tracker on" in str(caught.value)


def test_what_trl_prints_names_the_better_file(write):
    path = write("run.log", "starting\n" * 9 + "{'loss': '0.2', 'reward': '0.5'}\n")
    with pytest.raises(FormatError, match=r"trainer_state\.json"):
        collect([path])


def test_a_log_without_metrics_says_what_is_looked_for(write):
    path = write("run.log", "Step 1: done\nstep 2: {'x': 1}\nperf 3: {nothing}\nGlobal step 4: {'a\n")
    with pytest.raises(FormatError) as caught:
        collect([path])
    for trainer in ("verl", "OpenRLHF", "slime", "SkyRL", "ROLL"):
        assert trainer in str(caught.value)


def test_lines_that_a_tracker_kept():
    for printed in (["".join(openrlhf())], [line.rstrip("\n") for line in openrlhf()], openrlhf()):
        (history,) = console.histories_of_lines(printed, "run.wandb", "wandb")
        assert (history.format, history.path) == ("wandb", "run.wandb")
        assert history.series["eval/eval_math_pass1"].step.tolist() == [2, 4, 6]
    assert console.histories_of_lines(["nothing", ""], "run.wandb", "wandb") == []
    assert console.histories_of_lines([], "run.wandb", "wandb") == []


def test_verl_lines_that_a_tracker_kept():
    lines = [f"(TaskRunner pid=1) step:{k} - critic/score/mean:0.{k} - timing_s/step:1.0" for k in (1, 2, 3)]
    (history,) = console.histories_of_lines(lines, "run.wandb", "wandb")
    assert history.series["timing_s/step"].step.tolist() == [1, 2, 3]
    assert history.repairs == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{'a': 1, 'b': -2.5e-3, 'c': 'x', 'd': True}", {"a": 1, "b": -0.0025}),
        ("{'a': '0.5', \"b\": \"-1\", 'c': '0.5 s'}", {"a": 0.5, "b": -1}),
        (
            "{'a': np.float64(0.5), 'b': np.int64(3), 'c': tensor(0.25, device='cuda:0'), 'd': 4}",
            {"a": 0.5, "b": 3, "c": 0.25, "d": 4},
        ),
        ("{'a': nan, 'b': -inf, 'c': None, 'd': 1e999}", dict.fromkeys("abcd", np.nan)),
        ("{'a': [1, 2, {'x': 3}], 'b': {'y': 4}, 'c': (5, 6), 'd': 7}", {"d": 7}),
        ("{'a{': 1, 'b}': 2, 'c\\'}': 3}", {"a{": 1, "b}": 2, "c\\'}": 3}),
        ("{'a': 1}(raylet) {'b': 2}", {"a": 1}),
        ("{}", {}),
    ],
)
def test_numbers_of_a_dictionary(text, values):
    found, end = numbers_of(text)
    assert end == text.index("}(") + 1 if "}(" in text else end == len(text)
    assert list(found) == list(values)
    np.testing.assert_allclose(list(found.values()), list(values.values()))


@pytest.mark.parametrize("text", ["{", "{'a': 1", "{'a", "{'a': {'b': 1}", "{'a': 'x}", "{" * 100_000, "{'\\"])
def test_a_dictionary_without_end(text):
    assert numbers_of(text)[1] == -1


HOSTILE = {
    "an open quote": "perf 1: {'" + "\\'" * 2_000_000,
    "quotes": "perf 1: {" + "'" * 3_000_000,
    "digits": "perf 1: {'a': " + "1" * 3_000_000 + "x}",
    "braces": "perf 1: {'a': " + "[" * 3_000_000,
    "spaces": "Step 1:" + " " * 3_000_000 + "x",
    "colons of verl": "step:1 - " + "a:" * 1_000_000,
    "digits of verl": "step:1 - a:" + "1" * 3_000_000 + "x",
    "fields of verl": "step:1 - " + "a:1 - " * 1_000_000,
    "keys of verl": "step:1 - " + " - ".join(f"{k}:1" for k in range(200_000)),
    "keys of slime": "perf 1: {" + ", ".join(f"'{k}': 1" for k in range(200_000)) + "}",
    "keys of ROLL": 'metrics_tag: {"step": 1, "metrics": {' + ", ".join(f'"{k}": 1' for k in range(200_000)) + "}}",
    "nesting of ROLL": 'metrics_tag: {"step"' + ":[" * 1_000_000,
    "steps": "step:1 - step:" * 50_000,
    "a long step": "step:" + "1" * 3_000_000 + " - a:1",
    "ray prefixes": "(" * 1_000_000 + "Step 1: ",
    "control characters": "step:1 - a:\x00\x01\x02 - \x1b[31m:\x7f\nperf 1: {'\x00': 1, '\x1b[': \x02}",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_lines_end_soon(what):
    start = time.process_time()
    text = HOSTILE[what]
    read_or_refuse("x.log", f"{text}\n".encode())
    read_or_refuse("x.log", f"Step 1: \n{{'a': 1,\n {text}\n".encode())
    assert time.process_time() - start < 20


def test_a_million_keys_are_refused(write):
    path = write("run.log", HOSTILE["keys of slime"] + "\n")
    with pytest.raises(SourceError, match=r"holds more than 100,000 different keys; is this a log\?"):
        collect([path])
    path = write("metrics.jsonl", json.dumps({"step": 1, **dict.fromkeys(map(str, range(200_000)), 1)}) + "\n")
    with pytest.raises(SourceError, match=r"holds more than 100,000 different keys"):
        collect([path])


PIECES = r"""
step:1 - ¦a:0.5¦val-core/m/acc/mean@8:0.1¦ - ¦Global step 2: {¦'reward': 0.5¦, ¦}¦perf 3: {¦'rollout/raw_reward': 1
¦eval 0: {¦'eval/m': 0.25¦step 7: {¦'train/step': 7¦Step 4: ¦{'reward/avg_raw_reward': '0.5000',
¦ 'eval/all/avg_score': '0.2500'}¦metrics_tag: {"step": 5, "metrics": {¦"critic/score/mean": 0.5¦}}
¦(TaskRunner pid=3) ¦np.float64(0.5)¦nan¦'¦"¦\¦{¦[¦]¦metrics_tag: ¦eval_metrics: {¦global_step 3, ¦1e999
"""
PIECE = st.sampled_from([*PIECES.replace("\n", "").split("¦"), "\n", "\n", "\r", "\x1b[36m"])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(PIECE, max_size=40))
def test_any_pieces(pieces):
    read_or_refuse("x.log", "".join(pieces).encode(), bounds=(-1e300, 1e300))


@pytest.mark.parametrize("name", DIALECTS)
@FAST
@given(data=st.data())
def test_any_cut_and_any_change(name, data):
    text = "".join(DIALECTS[name][0]())
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    between = data.draw(st.text(max_size=5))
    read_or_refuse("x.log", (text[:first] + between + text[last:]).encode("utf-8", "replace"), unit="steps")


@FAST
@given(text=st.text(max_size=60))
def test_any_dictionary(text):
    values, end = numbers_of("{" + text)
    assert -1 <= end <= len(text) + 1
    assert all(isinstance(value, float) for value in values.values())


def test_runs_are_runs(write):
    try:
        assert all(isinstance(run, Run) for run in collect([write("x.log", "".join(roll()))]).runs)
    except InputError:
        pytest.fail("a whole log is read")
