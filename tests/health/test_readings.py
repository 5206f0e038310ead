"""How monitors read series: per cent or fraction, words, validations by name, rows without an update, what to log."""

import json

import numpy as np
import pytest
from benchmarks.health_simulated import healthy
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.curves import Curve, Metric, Run, Series, Source
from rlscale.health import MONITORS, check_health
from rlscale.health.logged_as import LOGGED_AS, OWN_LOOP, how_to_log
from rlscale.health.scale import scale_of, scales_of
from rlscale.live.alarms.judge import Judge
from rlscale.sources.trainers import TRAINERS
from rlscale.sources.trainers.canonical import OWN_LOOP as OWN_KEYS
from tests.health.runs import N, healthy_series, noise, of, run_with, steps

LATE = steps() > 60
EVERY = np.arange(0.0, 101.0, 5.0)


def judged(path, *args):
    """Return the document of a run that the command reads."""
    result = CliRunner().invoke(main, ["health", str(path), "--json", *args])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["runs"][0]


# per cent or fraction


@pytest.mark.parametrize("at", [0, 20, 99])
@pytest.mark.parametrize("glitch", [1.3, 7.0, 250.0, -3.0])
def test_one_value_that_is_no_share_hides_no_alarm(glitch, at):
    share = np.where(LATE, 0.12, 0.02)
    share[at] = glitch
    found = check_health(run_with(truncation=share)).runs[0]
    assert [alarm.step for alarm in found.of("truncation")] == [63.0]
    assert found.remarks == (f"1 value of truncation is no share and left out ({glitch:g} at step {at + 1})",)


def test_a_share_that_is_consistently_over_one_and_a_half_is_in_per_cent():
    rng = np.random.default_rng(0)
    seldom = np.where(rng.random(200) < 0.2, rng.uniform(1.6, 4.0, 200), 0.4)
    assert scale_of("truncation", [seldom]).kind == "percent"
    begun = np.r_[np.full(200, 0.3), 40.0, 45.0, 50.0]  # a fault at the end of a run in per cent
    assert scale_of("truncation", [begun]).kind == "percent"


def test_too_many_values_just_over_one_are_neither():
    values = np.where(np.arange(40) % 4 == 0, 1.2, 0.5)
    scale = scale_of("truncation", [values])
    assert (scale.kind, scale.why) == (
        "unclear", "10 of 40 values of truncation are over 1, and not consistently over 1.5",
    )  # fmt: skip
    severities, why = of(run_with(truncation=values), "truncation")
    assert severities == []
    assert why.endswith("log it as a share in [0, 1]")


def test_a_name_decides_nothing_against_the_values():
    assert scale_of("clipped_pct", [np.full(30, 0.4)]).kind == "unclear"
    assert scale_of("1 - train/baseline_reward/pct_mixed", [np.full(30, 0.4)]).kind == "fraction"
    assert scale_of("clipped_pct", [np.array([0.2, 0.9, 1.4])]).kind == "percent"


def placed(name, path, truncation):
    run = run_with(name, truncation=truncation)
    kept = {key: getattr(run, key) for key in ("name", "recipe", "curve", "series", "metrics")}
    return Run(**kept, source=Source(path, "table", N))


def test_the_runs_of_one_table_decide_together():
    low, high = np.full(N, 0.6) + noise(1, sd=0.05), np.where(LATE, 30.0, 2.0)
    together = [placed("low", "runs.csv", low), placed("high", "runs.csv", high)]
    quiet, ill = check_health(together).runs
    assert quiet.of("truncation") == ()
    assert [alarm.severity for alarm in ill.of("truncation")] == ["warn"]
    assert [alarm.severity for alarm in check_health(together[0]).runs[0].of("truncation")] != []


def test_runs_that_are_watched_decide_together_and_anew_when_another_joins():
    low, high = (
        placed("low", "runs.csv", np.full(N, 0.6) + noise(1, sd=0.05)),
        placed("high", "runs.csv", np.where(LATE, 30.0, 2.0)),
    )
    judge = Judge()
    assert judge.health([low])[0].of("truncation") != ()
    together = judge.health([low, high])
    assert [run.alarms for run in together] == [run.alarms for run in check_health([low, high]).runs]
    assert together[0].of("truncation") == ()
    assert judge.health([low, high])[0] is together[0]  # known while nothing changes


def test_runs_of_other_files_that_disagree_are_said():
    low, high = placed("low", "a.jsonl", np.full(N, 0.6)), placed("high", "b.jsonl", np.where(LATE, 30.0, 2.0))
    assert (
        scales_of([low, high])["a.jsonl", "truncation"].why == "truncation is at most 1 here and in per cent in b.jsonl"
    )
    assert check_health([low, high]).runs[0].of("truncation") == ()
    none = placed("none", "c.jsonl", np.r_[np.zeros(N - 1), 0.0])
    assert scales_of([none, high])["c.jsonl", "truncation"].kind == "fraction"


# rewards in other units


def test_a_validation_in_per_cent_beside_a_reward_in_shares_hides_no_hacking():
    rising = np.clip(0.2 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    flat = 30 + noise(2, EVERY.size, 1.0)
    run = run_with(train_reward=rising, validation=(EVERY, flat))
    curve = Curve(compute=EVERY, reward=flat, unit="steps", metric="eval/accuracy", bounds=(0.0, 100.0))
    percent = Run(name="p", recipe="p", curve=curve, series=run.series, metrics=run.metrics)
    assert "warn" in of(percent, "reward_hacking")[0]


def test_a_truth_on_another_scale_that_follows_is_no_hacking():
    paid = -2.0 + 0.06 * steps() + noise(1, sd=0.1)  # of a reward model
    follows = np.clip(0.2 + 0.004 * EVERY, 0, 1) + noise(2, EVERY.size, 0.01)
    flat = 0.3 + noise(2, EVERY.size, 0.01)
    assert of(run_with(train_reward=paid, validation=(EVERY, follows)), "reward_hacking") == ([], "")
    assert "warn" in of(run_with(train_reward=paid, validation=(EVERY, flat)), "reward_hacking")[0]


def test_a_share_of_hacks_in_per_cent_is_judged():
    share = Series(steps(), np.where(LATE, 70.0, 10.0))
    assert of(run_with(more={"rewards/hacking_share": share}), "reward_hacking")[0] == ["stop"]


def test_a_term_that_nobody_earns_is_no_more_than_a_note_and_a_truth_beside_the_trained_part_is():
    rising = np.clip(0.2 + 0.006 * steps(), 0, 1) + noise(1, sd=0.01)
    low = Series(steps(), 0.02 + np.abs(noise(2, sd=0.002)))
    summed = {"rewards/bleu": low, "rewards/style": Series(steps(), 0.5 * rising)}
    assert set(of(run_with(train_reward=rising, more=summed), "reward_hacking")[0]) == {"note"}
    assert "warn" in of(run_with(train_reward=rising, more={"rewards/clean": low}), "reward_hacking")[0]
    beside = {"rewards/f": low, "rewards/g": Series(steps(), rising)}
    assert "warn" in of(run_with(train_reward=rising, more=beside), "reward_hacking")[0]


def test_two_runs_woven_into_the_reward_are_said_and_not_judged():
    mixed = np.where(np.arange(N) % 2 == 0, 0.1, 0.8) + noise(3, sd=0.005)
    found = check_health(run_with(train_reward=mixed)).runs[0]
    assert found.alarms == ()
    assert "train_reward alternates between two levels" in found.remarks[0]


def simulated(count=60):
    """Return healthy runs with all their series, spikes of KL and gradient among them."""
    rng = np.random.default_rng(3)
    return [healthy(rng, f"run{k}").run for k in range(count)]


def times(run, name, factor):
    """Return the run with a series in another unit."""
    metric = run.metrics[name]
    changed = Metric(metric.key, metric.unit, Series(metric.series.step, factor * metric.series.value))
    series = {**run.series, name: changed.series}
    return Run(name=run.name, recipe=run.recipe, curve=run.curve, series=series, metrics={**run.metrics, name: changed})


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("kl", 800.0), ("kl_new_old", 800.0), ("mismatch", 800.0), ("entropy", 800.0), ("entropy", 1 / np.log(2)),
        ("grad_norm", 1e5), ("grad_norm", 1e-5), ("truncation", 100.0), ("zero_variance", 100.0),
        ("train_reward", 100.0),
    ],
)  # fmt: skip
def test_another_unit_raises_no_more_warnings(name, factor):
    runs = simulated()
    counts = []
    for each in (runs, [times(run, name, factor) for run in runs]):
        counts.append(sum(alarm.severity != "note" for one in check_health(each).runs for alarm in one.alarms))
    assert counts[1] <= counts[0] + 1  # of 60 runs


# validations by name


@pytest.mark.parametrize("key", ["validation", "val", "val/score", "eval_accuracy", "test"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_validation_beside_the_fitted_train_reward_is_known_by_its_name(tmp_path, key, ending):
    rows = [
        {
            "step": int(k),
            "reward": round(0.2 + 0.006 * k, 4),
            key: 0.3 + 0.002 * (k * k % 7),
            "grad_norm": 1 + 0.01 * (k % 3),
        }
        for k in steps()[:60]
    ]
    path = tmp_path / f"log.{ending}"
    if ending == "jsonl":
        text = "\n".join(map(json.dumps, rows))
    else:
        text = "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    path.write_text(text + "\n", encoding="utf-8")
    found = judged(path, "--metric", "reward")
    assert [alarm["severity"] for alarm in found["alarms"] if alarm["monitor"] == "reward_hacking"] == ["warn"]
    missing = {one["monitor"]: one["why"] for one in found["not_measurable"]}
    assert "validation_silence" not in missing
    assert "log the passes" in missing["data_reuse"]


def test_a_validation_that_ceases_beside_the_fitted_train_reward_is_said():
    some = Series(np.arange(0.0, 50.0, 5.0), np.linspace(0.2, 0.4, 10))
    assert of(run_with(more={"val": some}), "validation_silence")[0] == ["warn"]


# words, rows without an update, what is not finite


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json table"])
def test_a_word_in_a_cell_leaves_out_the_cell_and_not_the_series(tmp_path, ending):
    rows = []
    for k in range(60):
        row = {
            "step": k + 1,
            "reward": 0.2 + 0.005 * k,
            "truncation": 0.02 if k < 30 else 0.4,
            "entropy": 0.5 - 0.002 * k,
        }
        row |= {"run": "a"} if ending == "json table" else {}
        for at, word in ((10, "n/a"), (12, "oops"), (14, "None"), (16, "skipped")):
            if k == at:
                row["truncation"] = row["entropy"] = word
        rows.append(row)
    if ending == "csv":
        text = "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    else:
        text = "\n".join(map(json.dumps, rows))
    path = tmp_path / f"log.{ending.split()[0].replace('json', 'jsonl').replace('jsonll', 'jsonl')}"
    path.write_text(text + "\n", encoding="utf-8")
    found = judged(path, "--metric", "reward")
    assert [alarm["monitor"] for alarm in found["alarms"]] == ["truncation"]
    assert "entropy_collapse" in found["quiet"]
    count = 2 if ending == "csv" else 4  # n/a and None are empty cells of a table in CSV
    said = [remark for remark in found["remarks"] if remark.startswith(f"{count} ")]
    assert [remark.split("'")[1] for remark in said] == ["truncation", "entropy"]
    assert all("no numbers and were left out (first line 1" in remark for remark in said)


def test_an_infinite_cell_counts_as_not_finite(tmp_path):
    lines = ["step,reward,entropy,loss"] + [
        f"{k},{0.2 + 0.004 * k},{0.5},{'inf' if k > 50 else 0.1 * k}" for k in range(60)
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (alarm,) = judged(tmp_path / "log.csv")["alarms"]
    assert (alarm["monitor"], alarm["severity"], alarm["since"]) == ("non_finite", "stop", 51.0)


def test_a_column_of_words_with_the_name_of_a_quantity_is_said(tmp_path):
    lines = ["step,reward,entropy"] + [f"{k},{0.2 + 0.004 * k},{'high' if k % 2 else 'low'}" for k in range(40)]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = judged(tmp_path / "log.csv")
    assert "the column 'entropy' holds words (line 2: 'low') and is not used" in found["remarks"]


def test_a_series_that_is_never_finite_says_what_to_log_and_a_loss_is_noted():
    lost = np.full(N, np.nan)
    severities, why = of(run_with(entropy=lost), "entropy_collapse")
    assert (severities, why) == (
        [], "entropy is not finite on any of its 100 rows, so it is not measured: "
        "log the policy's entropy in nats per token as 'entropy'",
    )  # fmt: skip
    assert of(run_with(loss=lost), "non_finite")[0] == ["note"]


def test_rows_without_an_update_are_no_collapse_of_the_entropy():
    series = healthy_series()
    idle = np.isin(np.arange(N), [*range(20, 26), *range(50, 60)])
    known = steps()[~idle]
    changed = {key: np.where(idle, 0.0, series[key]) for key in ("entropy", "loss")}
    run = run_with(**{**changed, "grad_norm": None})
    gradient = Series(known, series["grad_norm"][~idle])
    metrics = {**run.metrics, "grad_norm": Metric("grad_norm", "", gradient)}
    found = check_health(Run(name="a", recipe="a", curve=run.curve, series=run.series, metrics=metrics)).runs[0]
    assert found.of("entropy_collapse") == ()
    assert "entropy is 0 on 16 rows without an update (loss 0, no gradient): left out" in found.remarks
    real = np.where(LATE, 0.0, series["entropy"])  # a loss goes on: the entropy was measured
    assert of(run_with(entropy=real), "entropy_collapse")[0] != []


# what to log


def test_every_monitor_that_cannot_judge_says_what_to_do():
    curve = Curve(compute=np.arange(3.0), reward=np.array([0.1, 0.2, 0.3]), unit="steps", metric="reward")
    found = check_health(Run(name="a", recipe="a", curve=curve)).runs[0]
    assert {one.monitor for one in found.not_measurable} >= {each.name for each in MONITORS} - {"non_finite"}
    for one in found.not_measurable:
        assert ": " in one.why, one.why
        assert any(word in one.why for word in (" log ", "it is judged", "rlscale watch")), one.why


def test_what_to_log_is_what_readers_know():
    for name, (_, key) in OWN_LOOP.items():
        assert any(one.name == name and one.matches(key) for one in OWN_KEYS), name
    by_name = {trainer.name: trainer for trainer in TRAINERS}
    for name, keys in LOGGED_AS.items():
        for trainer, key in keys.items():
            known = [one for one in by_name[trainer].keys if one.name == name]
            plain = key.replace("...", "x/y")
            assert any(one.matches(plain.removeprefix("1 - ")) or _shape(one) == key for one in known), (trainer, key)


def _shape(key):
    """Return a key of several parts as it is written for readers."""
    text = key.written
    for hole in ("{x...}", "{x}", "{agent}"):
        text = text.replace(hole, "...")
    return text


def test_a_trainer_is_told_its_own_key():
    run = run_with(truncation=None)
    kept = {key: getattr(run, key) for key in ("name", "recipe", "curve", "series", "metrics")}
    told = Run(**kept, source=Source("a", "verl", N, (), "verl"))
    assert how_to_log(told, "truncation").endswith("(verl: response_length/clip_ratio)")
    assert "verl: response_length/clip_ratio" in of(told, "truncation")[1]
    assert how_to_log(told, "zero_variance").endswith("as 'zero_variance'")
