"""TensorBoard event files."""

import json
import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import SourceError
from rlscale.sources.record import Column, Record
from rlscale.sources.trackers import tensorboard
from rlscale.sources.trackers.tensorboard import joined, read_records, sniff

from . import made

LOGS = Path(__file__).parents[4] / "shared" / "logs"
NAME = "events.out.tfevents.1.host.0"
CURVES = {"train/reward": {1: 0.1, 2: 0.2, 3: 0.3}, "eval/reward": {2: 0.5}}
FAST = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def points(record, tag):
    column = record.columns[tag]
    return list(zip(column.step.tolist(), column.value.tolist(), column.time.tolist(), strict=True))


def test_scalars_are_read_as_written(write):
    (record,) = read_records(write(NAME, made.events(100.0, CURVES)))
    assert (record.format, record.rows, record.starts, record.repairs) == ("tensorboard", 4, (100.0,), ())
    tenth, fifth = float(np.float32(0.1)), float(np.float32(0.2))
    assert points(record, "train/reward")[:2] == [(1, tenth, 101.0), (2, fifth, 102.0)]
    assert points(record, "eval/reward") == [(2, 0.5, 102.0)]


STEPS = [0, 1, 127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**35 - 1, 2**35, 2**50, -1]


def test_every_length_of_step_twice(write):
    """The second event of a shape is not parsed like the first."""
    rows = [made.event(5.0, step, made.plain("x", k)) for step in STEPS for k in (1.0, 2.0)]
    (record,) = read_records(write(NAME, made.started(1.0) + b"".join(rows)))
    assert record.columns["x"].step.tolist() == [step for step in STEPS for _ in range(2)]
    assert record.columns["x"].value.tolist() == [1.0, 2.0] * len(STEPS)


def test_values_and_times_that_are_not_finite(write):
    values = [math.nan, math.inf, 1.0]
    rows = [made.event(math.inf if k else 1.0, k, made.plain("x", value)) for k, value in enumerate(values)]
    (record,) = read_records(write(NAME, made.started(1.0) + b"".join(rows)))
    np.testing.assert_array_equal(record.columns["x"].value, [math.nan, math.nan, 1.0])
    np.testing.assert_array_equal(record.columns["x"].time, [1.0, math.nan, math.nan])


def test_several_values_in_one_event(write):
    both = made.event(3.0, 7, made.plain("a", 1.0), made.plain("b", 2.0))
    (record,) = read_records(write(NAME, made.started(1.0) + both + both))
    assert points(record, "a") == [(7, 1.0, 3.0)] * 2
    assert points(record, "b") == [(7, 2.0, 3.0)] * 2


TENSORS = [
    (1, made.single(5, 0.25), 0.25),
    (1, made.packed(5, struct.pack("<f", 0.25)), 0.25),
    (1, made.packed(4, struct.pack("<f", 0.25)), 0.25),
    (2, made.packed(6, struct.pack("<d", 0.1)), 0.1),
    (2, made.packed(4, struct.pack("<d", 0.1)), 0.1),
    (3, made.packed(7, made.varint(-5)), -5.0),
    (3, made.number(7, 5), 5.0),
    (9, made.packed(10, made.varint(-(2**40))), -(2.0**40)),
    (9, made.packed(4, struct.pack("<q", -3)), -3.0),
    (19, made.packed(13, made.varint(int.from_bytes(struct.pack("<e", 1.5), "little"))), 1.5),
    (19, made.packed(4, struct.pack("<e", 1.5)), 1.5),
]


@pytest.mark.parametrize(("dtype", "content", "value"), TENSORS)
def test_a_number_in_a_tensor(write, dtype, content, value):
    path = write(NAME, made.started(1.0) + made.event(2.0, 9, made.tensor("x", dtype, content)))
    (record,) = read_records(path)
    assert points(record, "x") == [(9, value, 2.0)]


@pytest.mark.parametrize(
    "value",
    [
        made.tensor("x", 1, made.packed(4, bytes(8)), shape=made.packed(2, made.number(1, 2))),
        made.tensor("x", 1, made.single(5, 0.0), plugin="hparams"),
        made.tensor("x", 8, made.packed(9, bytes(8))),
        made.tensor("x", 1, b""),
        made.tensor("x", 1, made.number(5, 1)),
        made.tensor("x", 7, b""),
        made.tensor("x", 3, made.double(7, 1.0)),
        made.tensor("x", 3, b""),
        made.packed(1, "x") + made.packed(5, bytes(300)),
        made.packed(1, "x") + made.packed(4, bytes(300)),
    ],
)
def test_what_is_no_number_is_passed_over(write, value):
    assert read_records(write(NAME, made.started(1.0) + made.event(2.0, 9, value))) == []


def test_the_configuration(write):
    first = [
        made.written("args/text_summary", json.dumps({"learning_rate": 1e-3, "name": "args", "log": {"a": None}})),
        made.written("model_config/text_summary", '```json\n{"hidden_size": 64, "name": "model"}\n```'),
        made.written("hyperparameters", "|param|value|\n|-|-|\n|beta|0.5|\n|opt|adam|"),
        made.written("samples", '{"not": "read"}'),
        made.hparams(lr=0.1, flag=True, opt2="x"),
    ]
    (record,) = read_records(write(NAME, made.events(1.0, CURVES, first)))
    trl = {"learning_rate": 1e-3, "name": "args", "log": {"a": None}, "hidden_size": 64}
    assert record.config == {**trl, "beta": 0.5, "opt": "adam", "lr": 0.1, "flag": True, "opt2": "x"}


@pytest.mark.parametrize(
    "text", ["", "{", "{]}", '{"a": ' + "[" * 100_000 + "}", "|a|b|", "|a|b|\n|c|d|\n|e|f|", "[1]"]
)
def test_a_text_that_is_no_configuration(write, text):
    (record,) = read_records(write(NAME, made.events(1.0, CURVES, [made.written("args", text)])))
    assert record.config == {}


def test_the_files_of_a_folder_are_sessions(write):
    later = write("run/events.out.tfevents.1.a", made.events(200.0, {"r": {3: 3.0, 4: 4.0}}))
    write("run/events.out.tfevents.2.a", made.events(100.0, {"r": {1: 1.0, 2: 2.0, 3: 2.5}}))
    write("run/events.out.tfevents.3.a", made.started(150.0) + made.event(150.0, 0, made.hparams(lr=1.0)))
    write("run/notes.txt", "not an event file")
    (record,) = read_records(later.parent)
    assert record.columns["r"].value.tolist() == [1.0, 2.0, 2.5, 3.0, 4.0]
    assert record.starts == (100.0, 200.0)
    assert record.config == {"lr": 1.0}
    assert (record.path, record.name) == (str(later.parent), "")
    (alone,) = read_records(later)
    assert alone.columns["r"].value.tolist() == [3.0, 4.0]


def test_a_file_without_a_scalar(write):
    assert read_records(write(NAME, made.started(150.0) + made.event(150.0, 0, made.hparams(lr=1.0)))) == []


def test_a_torn_last_record_wherever_it_is_cut(write):
    whole = made.events(1.0, {"r": {1: 1.0, 2: 2.0}})
    last = len(made.event(3.0, 2, made.plain("r", 2.0)))
    for cut in range(1, last):
        (record,) = read_records(write(NAME, whole[:-cut]))
        assert record.columns["r"].value.tolist() == [1.0]
        sentence = "the last record is torn and was left out (the run was cut off, or goes on)"
        assert record.repairs == (f"{NAME}: {sentence}",)


def test_a_damaged_length_ends_the_reading(write):
    whole = bytearray(made.events(1.0, {"r": {1: 1.0, 2: 2.0, 3: 3.0}}))
    size = len(made.event(3.0, 2, made.plain("r", 2.0)))
    at = len(whole) - 2 * size
    for byte in (at, at + 2, at + 7, at + 9):
        damaged = bytearray(whole)
        damaged[byte] ^= 0x11
        (record,) = read_records(write(NAME, bytes(damaged)))
        assert record.columns["r"].value.tolist() in ([1.0], [1.0, 2.0, 3.0])  # a checksum is looked at in doubt only
        if byte < at + 8:
            what = f"damaged at byte {at}: the {2 * size} bytes from there on were not read"
            assert record.repairs == (f"{NAME} is {what}",)


def test_a_record_that_cannot_be_decoded(write):
    odd = made.frame(made.double(1, 2.0) + made.packed(5, b"\x0a\xff"))
    (record,) = read_records(write(NAME, made.started(1.0) + odd + made.event(2.0, 1, made.plain("r", 1.0))))
    assert record.rows == 1
    assert record.repairs == (f"{NAME}: 1 record was left out, which could not be decoded",)


def test_a_tag_beyond_reason(write):
    odd = made.event(2.0, 1, made.plain("x" * 5000, 1.0))
    (record,) = read_records(write(NAME, made.events(1.0, CURVES) + odd))
    assert set(record.columns) == set(CURVES)
    assert record.repairs == (f"{NAME}: 1 record was left out, which could not be decoded",)


def test_a_huge_record_is_passed_over(write, monkeypatch):
    monkeypatch.setattr(tensorboard, "EVENT_CAP", 10_000)
    monkeypatch.setattr(tensorboard, "_BLOCK", 4_000)
    image = made.event(2.0, 1, made.packed(1, "image") + made.packed(4, bytes(50_000)))
    middle = made.event(2.0, 1, made.packed(1, "image") + made.packed(4, bytes(9_000)))
    rows = [made.event(3.0, k, made.plain("r", k)) + one for k, one in enumerate([image, middle, image])]
    path = write(NAME, made.started(1.0) + b"".join(rows) + made.event(3.0, 3, made.plain("r", 3.0)))
    (record,) = read_records(path)
    assert record.columns["r"].value.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert record.repairs == (f"{NAME}: 2 records were passed over, larger than 0 MiB",)


def test_a_billion_keys_do_not_fill_the_memory(write, monkeypatch):
    monkeypatch.setattr("rlscale.sources.record.MOST_KEYS", 3)
    (record,) = read_records(write(NAME, made.events(1.0, {f"t{k}": {1: 1.0, 2: 2.0} for k in range(5)})))
    assert list(record.columns) == ["t0", "t1", "t2"]
    assert record.repairs == ("4 values were left out: more than 100000 tags",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; nothing was logged yet"),
        (b"not an event file", "is no event file (byte 0: the length of the first record fails its checksum)"),
        (bytes(64), "is no event file (byte 0: the length of the first record fails its checksum)"),
    ],
)
def test_what_is_no_event_file(write, content, message):
    path = write("run/" + NAME, content)
    for given_path in (path, path.parent):
        with pytest.raises(SourceError) as caught:
            read_records(given_path)
        assert str(caught.value) == f"{path}: {message}"
    write("run/events.out.tfevents.2", made.events(1.0, CURVES))
    (record,) = read_records(path.parent)
    assert record.repairs == (f"{NAME} was left out: it {message}",)


def test_a_folder_without_event_files(tmp_path):
    with pytest.raises(SourceError, match="holds no event file"):
        read_records(tmp_path)
    with pytest.raises(SourceError, match="cannot be opened"):
        read_records(tmp_path / "missing")


def test_sniff(write):
    path = write("run/" + NAME, made.started(1.0))
    other = write("other", made.started(1.0))
    assert sniff(path, b"")
    assert sniff(path.parent, b"")
    assert sniff(other, other.read_bytes())
    assert not sniff(other, b"step:1 - reward:0.5")
    assert not sniff(other.parent, b"")


def folder(name, start, curves, home="out/runs"):
    """A record of a folder of one session."""
    steps = {tag: np.array(list(of), dtype=float) for tag, of in curves.items()}
    columns = {tag: Column(at, np.full(at.size, 0.5), start + at) for tag, at in steps.items()}
    return Record(name="", path=f"{home}/{name}", format="tensorboard", rows=9, columns=columns, starts=(start,))


FIRST = {"loss": range(10, 101, 10), "eval": [50, 100]}


def test_a_resumed_trainer_opens_a_new_folder():
    first = folder("Jan01", 100.0, FIRST)
    second = folder("Jan02", 900.0, {"loss": range(60, 201, 10), "eval": [100, 150, 200], "runtime": [200]})
    third = folder("Jan03", 1900.0, {"loss": range(210, 231, 10)})
    other = folder("Jan04", 2900.0, FIRST)
    found = joined([third, other, second, first])
    assert [record.path for record in found] == ["out/runs/Jan04", "out/runs/Jan01"]
    whole = found[1]
    assert whole.columns["loss"].step.tolist() == [*range(10, 101, 10), *range(60, 201, 10), 210, 220, 230]
    assert whole.columns["runtime"].step.tolist() == [200]
    assert whole.starts == (100.0, 900.0, 1900.0)
    assert whole.rows == 27
    assert whole.repairs == (
        "Jan02 goes on at step 60 where Jan01 stopped: joined as one run, since both stand below runs/",
        "Jan03 goes on at step 210 where Jan01 stopped: joined as one run, since both stand below runs/",
    )


@pytest.mark.parametrize(
    ("name", "start", "curves", "home"),
    [
        ("from the start", 900.0, FIRST, "out/runs"),
        ("every 20 steps", 900.0, {"loss": range(20, 201, 20), "eval": [50, 100]}, "out/runs"),
        ("after a gap", 900.0, {"loss": range(140, 201, 10), "eval": [150, 200]}, "out/runs"),
        ("other tags", 900.0, {"score": range(60, 201, 10), "eval": [50, 100]}, "out/runs"),
        ("elsewhere", 900.0, {"loss": range(60, 201, 10)}, "out2/runs"),
        ("earlier", 50.0, {"loss": range(60, 201, 10)}, "out/runs"),
    ],
)
def test_records_that_are_runs_of_their_own(name, start, curves, home):
    records = [folder("Jan01", 100.0, FIRST), folder(name, start, curves, home)]
    assert joined(records) == records
    elsewhere = [folder(f"s{k}", 100.0 * k, {"loss": range(10 + 50 * k, 101 + 50 * k, 10)}, "out") for k in (1, 2)]
    assert joined(elsewhere) == elsewhere


def test_the_local_run_is_its_trainer_state():
    (path, *_) = [*(LOGS / "tensorboard").glob("LOCAL*"), None]
    state = LOGS / "trl" / "LOCAL_trl1.16_dapo_seed0.trainer_state.json"
    if path is None or not state.exists():
        pytest.skip("../shared/logs is not beside the repository")
    (record,) = read_records(path)
    rows = [row for row in json.loads(state.read_text())["log_history"] if "eval_reward" in row]
    column = record.columns["eval/reward"]
    assert column.step.tolist() == [row["step"] for row in rows]
    np.testing.assert_allclose(column.value, [row["eval_reward"] for row in rows], rtol=1e-6)
    assert np.all(np.diff(column.time) > 0)
    assert record.config["learning_rate"] == 0.005
    assert record.repairs == ()


def records_or_refusal(path, content):
    path.write_bytes(content)
    try:
        found = read_records(path)
    except SourceError:
        return
    for record in found:
        assert isinstance(record, Record)
        assert record.rows == sum(column.step.size for column in record.columns.values())


WHOLE = made.events(1.0, CURVES, [made.written("args", '{"a": 1}'), made.hparams(lr=1.0)]) + made.event(
    2.0, 5, made.tensor("x", 3, made.packed(7, b"\x05"))
)


@FAST
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path, content):
    records_or_refusal(tmp_path / NAME, content)
    records_or_refusal(tmp_path / NAME, made.started(1.0) + made.frame(content))
    records_or_refusal(tmp_path / NAME, made.started(1.0) + made.frame(made.double(1, 1.0) + made.packed(5, content)))


def test_every_cut(tmp_path):
    for cut in range(len(WHOLE)):
        records_or_refusal(tmp_path / NAME, WHOLE[:cut])


@FAST
@given(flips=st.lists(st.integers(0, 8 * len(WHOLE) - 1), min_size=1, max_size=3))
def test_any_flipped_bits(tmp_path, flips):
    content = bytearray(WHOLE)
    for flip in flips:
        content[flip // 8] ^= 1 << flip % 8
    records_or_refusal(tmp_path / NAME, bytes(content))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list anything")
def test_a_folder_that_cannot_be_listed(tmp_path):
    tmp_path.chmod(0)
    try:
        with pytest.raises(SourceError, match="cannot be listed"):
            read_records(tmp_path)
    finally:
        tmp_path.chmod(0o700)
