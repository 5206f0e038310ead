"""The compute axis: which unit and clock several runs share, what options say, and the numbers on it."""

import numpy as np
import pytest

from rlscale.curves import Series
from rlscale.errors import ChoiceError, InputError, SourceError
from rlscale.sources import FlopRule, Log, ReadOptions, collect
from rlscale.sources.axes import chosen_kind
from rlscale.sources.clocks import Clock
from rlscale.sources.compute import axis_of
from rlscale.sources.log import SEEN_BY_TRACKER

STEPS = Series([1, 2], [1, 2])


def log(*units, clocks=(), **more):
    """A log of two steps: 10 of each unit a step, and 3,600 s on each clock."""
    axes = {unit: Series([1, 2], [10, 20]) for unit in units}
    seconds = {name: Clock(Series([1, 2], [3600, 7200]), f"by {name}") for name in clocks}
    more = {"path": "p", "format": "f", "rows": 2, "series": {"r": STEPS}, "validation": ("r",), "train": ()} | more
    return Log(name="a", axes=axes, clocks=seconds, **more)


def kind(*logs, **options):
    return chosen_kind([(f"r{k}", one) for k, one in enumerate(logs)], ReadOptions(**options))


def axis(one, **options):
    chosen = ReadOptions(**options)
    return axis_of(one, "a", chosen_kind([("a", one)], chosen), chosen)


def test_the_first_unit_that_every_run_has():
    assert kind(log("steps", "tokens"), log("steps", "tokens", "samples")) == ("tokens", "")
    assert kind(log("steps", "tokens"), log("steps", "samples")) == ("steps", "")
    assert kind(log("steps", clocks=("train",)), log("steps")) == ("steps", "")
    assert kind(log("steps", clocks=("train",)), log("steps", clocks=("train",)), gpus=8.0) == ("gpu-hours", "train")
    assert kind() is None


def test_the_first_clock_that_every_run_has():
    every = ("train", "train+eval", "elapsed")
    assert kind(log(clocks=every), log(clocks=every), gpus=1.0) == ("gpu-hours", "train+eval")
    assert kind(log(clocks=every), log(clocks=("elapsed",)), gpus=1.0) == ("gpu-hours", "elapsed")
    assert kind(log(clocks=every, gpus=4.0), log(clocks=("train",), gpus=4.0)) == ("gpu-hours", "train")


def test_runs_on_different_clocks_are_not_compared():
    timed, dated = log(clocks=("train",)), log(clocks=("elapsed",))
    with pytest.raises(ChoiceError) as caught:
        kind(timed, dated, gpus=1.0, unit="gpu-hours")
    assert str(caught.value) == (
        "the runs share no clock for gpu-hours; read them apart, or give another unit=U: "
        "'r0' has train, 'r1' has elapsed"
    )
    with pytest.raises(ChoiceError) as caught:
        kind(timed, dated, gpus=1.0)
    assert str(caught.value) == (
        "the runs share no unit of compute; read them apart, or give unit=U: "
        "'r0' has gpu-hours (train), 'r1' has gpu-hours (elapsed)"
    )
    # a table states its gpu-hours on no clock one knows of
    with pytest.raises(ChoiceError, match="'r0' has its own, 'r1' has train"):
        kind(log("gpu-hours", format="table"), timed, gpus=1.0, unit="gpu-hours")


def test_options_that_ask_for_an_axis():
    timed = log("steps", "tokens", clocks=("train", "elapsed"), gpus=2.0)
    assert kind(timed, unit="token") == ("tokens", "")
    assert kind(timed, clock="train") == ("gpu-hours", "train")
    assert kind(timed, price=2.0) == ("dollars", "elapsed")
    assert kind(timed, price=2.0, clock="train") == ("dollars", "train")
    assert kind(timed, unit="dollars", price=2.0, clock="train") == ("dollars", "train")
    assert kind(timed, compute="num_tokens") is None


CONFLICTS = [
    ({"unit": "tokens", "clock": "train"}, "clock is for gpu-hours and dollars"),
    ({"unit": "tokens", "price": 2.0}, "price reads compute in dollars"),
    ({"compute": "x", "price": 2.0}, "compute='x' names the axis, so price cannot be used"),
    ({"compute": "x", "clock": "train"}, "compute='x' names the axis, so clock cannot be used"),
    ({"clock": "wall"}, "clock='wall' is none; give one of elapsed, train, train\\+eval"),
    ({"price": 0.0}, "price=0 is no price"),
    ({"price": float("inf")}, "price=inf is no price"),
    ({"gpus": -1.0}, "gpus=-1 is not a number of GPUs"),
    ({"unit": "parsecs"}, "unknown compute unit 'parsecs'"),
]


@pytest.mark.parametrize(("options", "message"), CONFLICTS)
def test_options_that_cannot_be(write, options, message):
    path = write("a.jsonl", [{"step": 1, "reward": 0.5}])
    with pytest.raises(InputError, match=message):
        collect([path], ReadOptions(**options))


def test_gpu_hours_and_money():
    timed = log(clocks=("train",), gpus=4.0, gpus_said="from the configuration")
    hours = axis(timed)
    assert (hours.unit, hours.clock, hours.series.value.tolist()) == ("gpu-hours", "train", [4, 8])
    assert hours.repairs == ("by train, on 4 GPUs (from the configuration)",)
    money = axis(timed, price=2.5)
    assert (money.unit, money.clock, money.series.value.tolist()) == ("dollars", "train", [10, 20])
    assert money.repairs == (*hours.repairs, "dollars are gpu-hours x 2.5 (--price)")
    table = axis(log("dollars", format="table"), price=2.5)
    assert (table.unit, table.series.value.tolist()) == ("dollars", [10, 20])  # it states its money itself


def test_the_gpus_of_the_log_and_those_of_the_user():
    said = axis(log(clocks=("train",)), gpus=8.0)
    assert (said.series.value.tolist(), said.repairs, said.warnings) == ([8, 16], ("by train, on 8 GPUs (--gpus)",), ())
    known = axis(log(clocks=("train",), gpus=4.0, gpus_said="by its throughput"), gpus=8.0)
    assert (known.series.value.tolist(), known.warnings) == (
        [4, 8],
        ("the log shows 4 GPUs; --gpus 8 was not used",),
    )
    seen = log(clocks=("train",), gpus=4.0, gpus_said=SEEN_BY_TRACKER)
    assert axis(seen).repairs == ("by train, on 4 GPUs (by the tracker)",)
    more = axis(seen, gpus=32.0)
    assert (more.series.value.tolist(), more.repairs, more.warnings) == (
        [32, 64],
        ("by train, on 32 GPUs (--gpus)",),
        ("the log shows 4 GPUs; --gpus 32 was used (the tracker saw one node)",),
    )
    assert axis(seen, gpus=4.0).warnings == ()


def test_what_a_tracker_counts_is_known_to_be_that():
    """The sentence that trackers' GPUs come with is the one the axis looks for."""
    from rlscale.sources.history import History
    from rlscale.sources.trainers import log_of
    from rlscale.sources.trainers.trl import TRL

    made = log_of(TRL, History(name="", path="p", format="wandb", rows=1, series={"reward": STEPS}, gpus=8.0))
    assert (made.gpus, made.gpus_said) == (8, SEEN_BY_TRACKER)


REFUSED = [
    (log(clocks=("train",)), {"unit": "gpu-hours"}, "holds seconds and no GPU count; give gpus=N"),
    (log(clocks=("train",)), {"clock": "train"}, "holds seconds and no GPU count; give gpus=N"),
    (log("steps", clocks=("train",), gpus=2.0), {"clock": "elapsed"}, "has train, not 'elapsed'; give another clock"),
    (
        log("steps", absent={"tokens": "no counter"}),
        {"unit": "tokens"},
        "no compute in tokens: no counter; give unit",
    ),
    (log("steps", clocks=("train",), gpus=2.0), {"unit": "dollars"}, "in dollars: give price=P per GPU-hour"),
    (log("steps", "tokens"), {"unit": "flops"}, "give params=N, the active parameters of the policy"),
    (log(absent={"steps": "no step"}), {}, "has no compute: no step; give compute=KEY"),
]


@pytest.mark.parametrize(("one", "options", "message"), REFUSED)
def test_a_run_without_the_axis(one, options, message):
    with pytest.raises(SourceError) as caught:
        axis(one, **options)
    assert message in str(caught.value)


def test_flops_of_the_user_and_of_the_log():
    rule = FlopRule(params=2.0, logp_passes=0.0, epochs=1.0)
    assert axis(log("tokens"), unit="flops", flops=rule).series.value.tolist() == [10 * 16, 20 * 16]
    settings = {"epochs": 2, "layers": 3, "width": 5}
    told = log("tokens", model_params=100.0, settings=settings, logp_passes=2.0, sample_length=7.0)
    each = 100 * (2 + 4 + 12) + 3 * 5 * 7 * (4 + 8 + 24)
    assert axis(told, unit="flops").series.value.tolist() == [10 * each, 20 * each]
    own = FlopRule(params=50.0, epochs=0.0, logp_passes=0.0)  # what the user says goes before, 0 too
    assert axis(told, unit="flops", flops=own).series.value[0] == 10 * (50 * 2 + 3 * 5 * 7 * 4)
    for strange in (True, "2", None, float("nan"), float("inf"), -1, [2]):
        one = log("tokens", model_params=1.0, settings={"epochs": strange}, logp_passes=0.0)
        assert axis(one, unit="flops").series.value.tolist() == [80, 160]


def test_flops_counted_from_tokens_are_on_request_only():
    counted, table = log("tokens", model_params=100.0), log("flops", format="table")
    assert kind(table, table) == ("flops", "")
    with pytest.raises(ChoiceError):
        kind(counted, table)
    assert kind(counted, table, unit="flops") == ("flops", "")


TRL = {
    "log_history": [
        {"step": 0, "eval_reward": 0.1, "eval_runtime": 7.0},
        {"step": 1, "reward": 0.2, "step_time": 10.0, "num_tokens": 100},
        {"step": 2, "reward": 0.2, "step_time": 10.0, "num_tokens": 300},
        {"step": 2, "eval_reward": 0.3, "eval_runtime": 5.0},
    ]
}
AXES = [
    ({}, "tokens", "", [0, 300]),
    ({"unit": "steps"}, "steps", "", [0, 2]),
    ({"gpus": 3600.0}, "gpu-hours", "train+eval", [0, 25]),
    ({"gpus": 3600.0, "clock": "train"}, "gpu-hours", "train", [0, 20]),
    ({"gpus": 3600.0, "clock": "elapsed"}, "gpu-hours", "elapsed", [0, 25]),
    ({"gpus": 3600.0, "price": 3.0}, "dollars", "train+eval", [0, 75]),
    ({"gpus": 3600.0, "price": 3.0, "clock": "train"}, "dollars", "train", [0, 60]),
    ({"unit": "flops", "flops": FlopRule(params=1e3)}, "flops", "", [0, 300 * 1e4]),
    ({"compute": "num_tokens"}, "tokens", "", [0, 300]),
    ({"compute": "steps"}, "steps", "", [0, 2]),
]


@pytest.mark.parametrize(("options", "unit", "clock", "compute"), AXES)
def test_one_run_on_every_axis(one, options, unit, clock, compute):
    curve = one("a.trainer_state.json", TRL, **options).curve
    assert (curve.unit, curve.clock, curve.compute.tolist()) == (unit, clock, compute)


def test_a_table_beside_a_trainers_log(write, tmp_path):
    write("a.trainer_state.json", TRL)
    table = write("t.csv", "run,step,eval_reward\nb,0,.1\nb,9,.2\n")
    runs = collect([tmp_path], ReadOptions(metric="eval_reward")).runs
    assert [(run.name, run.curve.unit) for run in runs] == [("a", "steps"), ("b", "steps")]
    reading = collect([tmp_path], ReadOptions(metric="eval_reward", clock="train", gpus=1.0))
    assert [run.name for run in reading.runs] == ["a"]
    assert [error.path for error in reading.errors] == [str(table)]
    assert reading.errors[0].message.startswith("run 'b' has no compute in gpu-hours")
    assert reading.errors[0].message.endswith("; give --unit steps")


def test_each_file_without_the_axis_is_told(write, tmp_path):
    write("a.trainer_state.json", TRL)
    for name in "bc":
        write(f"{name}.jsonl", [{"step": 1, "eval_reward": 0.5}])
    reading = collect([tmp_path], ReadOptions(unit="tokens"))
    assert [run.name for run in reading.runs] == ["a"]
    assert [error.path for error in reading.errors] == [str(tmp_path / f"{name}.jsonl") for name in "bc"]


def test_elapsed_by_timers_beside_elapsed_by_times_is_told(write, tmp_path):
    write("a.trainer_state.json", TRL)
    rows = [{"step": step, "eval_reward": 0.5, "_timestamp": 1.7e9 + 40 * step} for step in (1, 2)]
    write("b.jsonl", rows)
    timed, dated = collect([tmp_path], ReadOptions(clock="elapsed", gpus=3600.0)).runs
    assert (timed.curve.compute.tolist(), dated.curve.compute.tolist()) == ([0, 25], [40, 80])
    told = "its elapsed time is the sum of its timers, while that of other runs holds start-up and idle time too"
    assert (told in timed.warnings, told in dated.warnings) == (True, False)


def test_a_timer_of_nothing_is_no_clock(one):
    rows = [{"step": 0, "eval_reward": 0.1, "step_time": 3.0}, {"step": 1, "eval_reward": 0.2, "eval_runtime": 1.0}]
    run = one("a.trainer_state.json", {"log_history": rows}, gpus=8.0)
    assert run.curve.unit == "steps"
    assert np.isfinite(run.curve.compute).all()


def test_a_table_has_no_clock(write):
    path = write("t.csv", "run,compute,unit,reward\n" + "".join(f"a,{k},gpu-hours,.{k + 1}\n" for k in range(5)))
    with pytest.raises(SourceError, match=r"run 'a' states its own gpu-hours, on no clock; leave clock out$"):
        collect([path], ReadOptions(clock="elapsed"))
