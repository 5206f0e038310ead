"""What TRL prints behind a progress bar."""

import pytest

from rlscale.errors import FormatError, SourceError
from rlscale.sources import read


def printed(rewards, total=300, every=10, digits=6, end=True):
    lines = ["Loading checkpoint shards: 100%|####| 4/4 [00:05<00:00,  1.3s/it]\n"]
    for k, reward in enumerate(rewards, start=1):
        bar = f"  {100 * every * k // total}%|#   | {every * k}/{total} [00:10<05:00,  1.2s/it]"
        row = f"{{'loss': 0.01, 'grad_norm': 0.2, 'reward': {reward:.{digits}f}, 'kl': 0.01, 'epoch': 0.02}}"
        lines.append(f"{bar}{row}\n")
    if end:
        lines.append("{'train_runtime': 100.0, 'train_samples_per_second': 3.0, 'train_loss': 0.1, 'epoch': 1.0}\n")
    return "".join(lines)


REWARDS = [0.1 + k * 0.0123456 for k in range(30)]


def test_the_bar_holds_the_step(one):
    run = one("stdout.log", printed(REWARDS))
    assert (run.source.format, run.source.trainer, run.curve.metric) == ("trl-console", "trl", "reward")
    assert run.curve.compute.tolist() == [5.5 + 10 * k for k in range(30)]  # means over the steps since the last row
    assert run.curve.reward.tolist() == pytest.approx(REWARDS, abs=1e-6)


def test_a_carriage_return_between_bar_and_row_and_bars_before_it(one):
    lines = [
        line.replace("  ", f"  1%|    | {10 * k - 1}/300 [00:09<05:00,  1.2s/it]\r  ", 1).replace("]{", "]\r{")
        for k, line in enumerate(printed(REWARDS).split("\n"))
    ]
    run = one("stdout.log", "\n".join(lines).encode())
    assert (run.curve.n_points, run.curve.compute_last) == (30, 295.5)


def test_evaluations_have_a_bar_of_their_own(one):
    lines = printed(REWARDS).splitlines(keepends=True)
    for k in (20, 10):
        row = f"{{'eval_loss': 0.0, 'eval_reward': {0.1 + k / 100 + 0.000123}, 'eval_runtime': 4.0, 'epoch': 0.5}}\n"
        lines.insert(k + 1, f" 100%|####| 8/8 [00:04<00:00,  2.0it/s]{row}")
    run = one("stdout.log", "".join(lines))
    assert run.curve.metric == "eval_reward"
    assert run.curve.compute.tolist() == [100, 200]


@pytest.mark.parametrize("text", [printed(REWARDS, digits=4), printed(REWARDS).replace("|", " ")])
def test_rounded_rows_and_rows_without_a_bar_are_refused(write, text):
    path = write("stdout.log", text.replace("Loading checkpoint shards: 100%|####| 4/4 [", "Loading ["))
    with pytest.raises(FormatError) as caught:
        read(path)
    assert caught.value.message == (
        "what TRL prints: rounded to 4 digits and without steps; give the trainer_state.json beside it "
        "(output_dir/checkpoint-N/, or trainer.save_state())"
    )


def test_a_torn_end_and_a_torn_middle(one, write):
    text = printed(REWARDS, end=False)
    run = one("stdout.log", text[:-20])
    assert run.curve.n_points == 29
    assert run.source.repairs[0] == "the last row (line 31) is torn and was left out"
    lines = text.splitlines(keepends=True)
    lines[4] = lines[4][:-9] + "\n"
    with pytest.raises(SourceError, match=r"line 5 \(step 40\) is torn: its dictionary has no closing brace"):
        read(write("bad.log", "".join(lines)))


@pytest.mark.parametrize("items", [32, 600, 1000])
def test_the_bar_of_an_evaluation_is_not_that_of_training(tmp_path, items):
    bar = "  0%|          | {}/{} [00:00<?, ?it/s]"
    evaluated = bar.format(0, items) + "\r" + bar.format(items, items) + "\n{{'eval_reward': 0.{}2345678}}\n"
    rows = [bar.format(0, 600) + "\n", evaluated.format(10)]
    for step in range(10, 110, 10):
        rows.append(bar.format(step, 600) + f"{{'loss': 0.01, 'reward': 0.3{step}2345678}}\n")
        if step % 20 == 0:
            rows.append(evaluated.format(10 + step))
    (tmp_path / "train.log").write_text("".join(rows))
    (run,) = read(tmp_path, metric="eval_reward")
    assert run.curve.compute.tolist() == [0, 20, 40, 60, 80, 100]
