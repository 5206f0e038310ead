"""``.wandb`` files."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import SourceError
from rlscale.sources.record import Record
from rlscale.sources.trackers import wandb_file, wandb_run
from rlscale.sources.trackers.wandb_file import joined, read_records, sniff

from . import made

LOGS = Path(__file__).parents[4] / "shared" / "logs"
NAME = "run-abc.wandb"
FAST = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def read(write, *records, name=NAME):
    (record,) = read_records(write(name, made.wandb(*records)))
    return record


def points(record, key):
    column = record.columns[key]
    return list(zip(column.step.tolist(), column.value.tolist(), column.time.tolist(), strict=True))


def test_a_run(write):
    record = read(
        write,
        made.run("abc", 1000.25, "näme", "grp", lr=1e-4, _wandb={"t": 1}, deep={"a": {"b": [1, None]}}),
        made.gpus(8),
        made.history(0, {"train/global_step": 10, "train/reward": 0.1}),
        made.history(1, {"profiling/x": 3}),
        made.history(2, {"train/global_step": 20, "train/reward": 0.2}),
        made.config(later={"k": 1}, lr=2e-4),
    )
    assert (record.name, record.run_id, record.group, record.gpus) == ("näme", "abc", "grp", 8.0)
    assert (record.format, record.rows, record.starts, record.repairs) == ("wandb", 3, (1000.25,), ())
    assert record.config == {"lr": 2e-4, "deep": {"a": {"b": [1, None]}}, "later": {"k": 1}}
    assert points(record, "train/reward") == [(10, 0.1, 1000.0), (20, 0.2, 1002.0)]
    assert points(record, "profiling/x") == [(10, 3.0, 1001.0)]


def test_without_a_step_of_the_trainer_log_calls_are_counted(write):
    record = read(write, made.run("abc", 1.0), *(made.history(k, {"r": k / 4}) for k in (0, 3, 5)))
    assert points(record, "r") == [(0, 0.0, 1000.0), (3, 0.75, 1003.0), (5, 1.25, 1005.0)]


def test_values(write):
    logged = {
        "nan": math.nan,
        "infinite": -math.inf,
        "none": None,
        "big": 2**60 + 1,
        "text": "hello",
        "quoted": "NaN",
        "flag": True,
        "list": [1, 2],
        ("outer", "inner", "deep.er"): 0.5,
        "ключ": 1.5,
    }
    record = read(write, made.run("abc", 1.0), made.history(1, logged))
    found = {key: column.value[0] for key, column in record.columns.items() if not key.startswith("_")}
    assert set(found) == {"nan", "infinite", "none", "big", "quoted", "outer/inner/deep.er", "ключ"}
    assert all(math.isnan(found[key]) for key in ("nan", "infinite", "none", "quoted"))
    assert (found["big"], found["outer/inner/deep.er"], found["ключ"]) == (float(2**60), 0.5, 1.5)


@pytest.mark.parametrize("written", ["", "{", "1.2.3", "Nothing", '"', "[" * 60, "-", "1e5x", "9" * 400])
def test_a_value_that_is_no_json(write, written):
    odd = made.packed(2, made.packed(1, made.item(("x",), written, raw=True)))
    record = read(write, made.run("abc", 1.0), made.history(0, {"y": 1.0}), odd)
    assert np.isnan(record.columns["x"].value[0]) if written.startswith("9") else "x" not in record.columns
    assert record.rows == 2


def test_typed_values(write):
    typed = [made.number(5, 13), made.double(6, 0.25), made.number(3, 0), made.packed(7, "text")]
    items = b"".join(made.packed(1, made.packed(2, f"k{k}") + value) for k, value in enumerate(typed))
    record = read(write, made.run("abc", 1.0), made.packed(2, items + made.packed(2, made.number(1, 4))))
    assert {key: (c.step[0], c.value[0]) for key, c in record.columns.items() if key != "k2"} == {
        "k0": (4.0, -7.0),
        "k1": (4.0, 0.25),
    }
    assert math.isnan(record.columns["k2"].value[0])


def test_settings_by_nested_keys_and_removed_ones(write):
    nested = made.packed(5, made.packed(1, made.packed(2, "a") + made.packed(2, "b") + made.packed(16, "3")))
    removed = made.packed(5, made.packed(2, made.packed(1, "gone")))
    torn = made.packed(5, made.packed(1, made.item("x", "{", raw=True)))
    record = read(write, made.run("abc", 1.0, gone=1, kept=2), nested, removed, torn)
    assert record.config == {"kept": 2, "a": {"b": 3}}
    assert record.repairs == ("1 setting of the configuration left out: no JSON, or too long",)


def test_a_configuration_that_is_too_long(write, monkeypatch):
    monkeypatch.setattr(wandb_run, "WANDB_SETTINGS_CAP", 100)
    record = read(write, made.run("abc", 1.0, a=1, b="x" * 100, c=3))
    assert record.config == {"a": 1}
    assert record.repairs == ("2 settings of the configuration left out: no JSON, or too long",)


def test_the_console_is_whole_lines(write):
    pieces = [("step", 1), (" ", 1), ("0\nstep 1\nst", 1), ("war", 0), ("ep 2", 1), ("ning\n", 0), ("\n", 1), ("\n", 1)]
    record = read(write, made.run("abc", 1.0), *(made.output(*piece) for piece in pieces), made.output("é\r10%"))
    assert record.console == ("step 0", "step 1", "warning", "step 2", "", "é\r10%")
    assert (record.rows, record.columns) == (0, {})


def test_a_console_without_end(write, monkeypatch):
    monkeypatch.setattr(wandb_run, "WANDB_CONSOLE_CAP", 1 << 20)
    record = read(write, made.run("abc", 1.0), *(made.output("x" * 1000 + "\n") for _ in range(1000)))
    assert set(record.console) == {"x" * 1000}
    assert len(record.console) == 942
    assert record.repairs == ("of the console 58 pieces were left out: it takes more than 1 MiB",)


def test_gpus_of_older_versions_stand_beside(write):
    write("run-1/files/wandb-metadata.json", {"gpu_count": 4})
    assert read(write, made.run("abc", 1.0), name="run-1/" + NAME).gpus == 4.0
    for other in ({"gpu_count": True}, {"gpu_count": "many"}, {"gpu_count": 0}, [], "{"):
        content = other if isinstance(other, str) else json.dumps(other)
        write("run-1/files/wandb-metadata.json", content)
        assert read(write, made.run("abc", 1.0), name="run-1/" + NAME).gpus is None


BIG = {"x" * 50: 1.0, **{f"key {k}": k / 7 for k in range(1200)}}


def many(count=6):
    return made.run("abc", 1.0), *(made.history(k, {**BIG, "r": k / 4}) for k in range(count))


def test_records_longer_than_a_block(write):
    content = made.wandb(*many())
    assert len(content) > 6 * made.BLOCK
    record = read(write, *many())
    assert record.columns["r"].value.tolist() == [k / 4 for k in range(6)]
    assert record.columns["key 1199"].value.tolist() == [1199 / 7] * 6
    assert record.repairs == ()


def test_a_damaged_block_is_skipped(write):
    content = bytearray(made.wandb(*many()))
    content[2 * made.BLOCK + 5000] ^= 1
    (record,) = read_records(write(NAME, bytes(content)))
    assert 3 <= len(record.columns["r"].value) <= 4
    assert set(record.columns["r"].value.tolist()) < {k / 4 for k in range(6)}
    assert record.repairs[0].endswith(f"bytes were skipped as damaged, the first at byte {2 * made.BLOCK}")


def test_a_block_of_zeros(write):
    content = bytearray(made.wandb(*many()))
    content[made.BLOCK : 2 * made.BLOCK] = bytes(made.BLOCK)
    (record,) = read_records(write(NAME, bytes(content)))
    assert len(record.columns["r"].value) >= 3
    assert record.repairs == (f"{made.BLOCK} bytes were skipped as damaged, the first at byte {made.BLOCK}",)


def test_a_file_that_is_cut_off(write):
    content = made.wandb(*many(2))
    (record,) = read_records(write(NAME, content[: 2 * made.BLOCK]))
    assert record.columns["r"].value.tolist() == [0.0]
    assert record.repairs[0].endswith("bytes hold a torn record and were left out (the run was cut off, or goes on)")


def test_a_record_that_is_too_large(write, monkeypatch):
    monkeypatch.setattr(wandb_file, "WANDB_RECORD_CAP", 50_000)
    record = read(write, made.run("abc", 1.0), made.packed(13, bytes(200_000)), made.history(0, {"r": 1.0}))
    assert record.columns["r"].value.tolist() == [1.0]
    assert record.repairs == ("1 record was passed over, larger than 0 MiB",)


def test_a_record_that_cannot_be_decoded(write):
    record = read(write, made.run("abc", 1.0), b"\x12\xff", made.history(0, {"r": 1.0}))
    assert record.columns["r"].value.tolist() == [1.0]
    assert record.repairs == ("1 record was left out, which could not be decoded",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; nothing was logged yet"),
        (b"{}", "is no .wandb file (it begins with b'{}'); give the file W&B wrote"),
        (b":W&B\xe1\xbe\x07", "is of .wandb version 7, and only 0 is known; export its runs to CSV"),
        (b":W&B\xe1\xbe\x00", "no run was logged yet; give a .wandb file that W&B has written to"),
        (b":W&B\xe1\xbe\x00" + bytes(20), "nothing in it can be read; give a .wandb file that W&B has written to"),
    ],
)
def test_what_is_no_wandb_file(write, content, message):
    path = write(NAME, content)
    with pytest.raises(SourceError) as caught:
        read_records(path)
    assert str(caught.value) == f"{path}: {message}"


def test_sniff(write):
    path = write("x.bin", made.wandb())
    assert sniff(path, path.read_bytes())
    assert sniff(path.with_suffix(".wandb"), b"")
    assert not sniff(path, b"step:1")


def session(write, name, start, steps, **options):
    rows = [made.history(step, {"r": step / 2}) for step in steps]
    return read(write, made.run(options.get("run_id", "abc"), start, options.get("run_name", "")), *rows, name=name)


def test_sessions_of_one_run_are_joined(write):
    second = session(write, "run-2-abc/run-abc.wandb", 200.0, (3, 4))
    first = session(write, "run-1-abc/run-abc.wandb", 100.0, (1, 2, 3), run_name="named")
    other = session(write, "run-3-xyz/run-xyz.wandb", 150.0, (1, 2), run_id="xyz")
    copy = session(write, "copy/run-abc.wandb", 200.0, (3,))
    found = joined([second, other, first, copy])
    assert [(record.run_id, record.name) for record in found] == [("abc", "named"), ("xyz", "")]
    whole = found[0]
    assert whole.columns["r"].step.tolist() == [1, 2, 3, 3, 4]
    assert (whole.starts, whole.rows, whole.path) == ((100.0, 200.0), 5, first.path)
    assert whole.repairs == (
        "run-2-abc/run-abc.wandb is another session of run abc: joined as one run",
        "copy/run-abc.wandb is a copy of the session and was left out",
    )
    assert found[1] is other


def test_records_without_an_id_are_not_joined():
    records = [Record(name=name, path=name, format="wandb", rows=0, columns={}) for name in "ab"]
    assert joined(records) == records


def logged(name):
    path = LOGS / "wandb_offline" / name
    if not path.exists():
        pytest.skip(f"../shared/logs/wandb_offline/{name} is not beside the repository")
    (record,) = read_records(path)
    return record


def test_the_local_run_is_its_trainer_state():
    record = logged("LOCAL_trl1.16_seed0.wandb")
    state = json.loads((LOGS / "trl" / "LOCAL_trl1.16_dapo_seed0.trainer_state.json").read_text())
    rows = [row for row in state["log_history"] if "eval_reward" in row]
    column = record.columns["eval/reward"]
    assert column.step.tolist() == [row["step"] for row in rows]
    np.testing.assert_allclose(column.value, [row["eval_reward"] for row in rows], rtol=1e-6)
    assert (record.rows, record.name, record.run_id, record.repairs) == (801, "tiny-seed0", "mn2heikx", ())
    assert record.config["learning_rate"] == 0.005
    assert record.starts[0] < column.time[0]


def test_a_run_of_steps_counted_by_wandb():
    record = logged("SYNTH_verl_keys.wandb")
    assert record.columns["critic/score/mean"].step.tolist() == list(range(1, 31))
    assert record.config == {"trainer": {"n_gpus_per_node": 8, "nnodes": 1}}


def test_a_killed_run_keeps_its_console():
    record = logged("real_verl_truncated_run-wntzruuo.wandb")
    assert (record.rows, record.columns) == (0, {})
    assert len(record.console) == 12259
    assert sum(line.startswith("epoch ") or "step:" in line for line in record.console) > 0
    assert not any("\n" in line for line in record.console)
    assert set(record.config) >= {"data", "actor_rollout_ref", "trainer"}
    assert len(record.repairs) == 1


def records_or_refusal(path, content):
    path.write_bytes(content)
    try:
        found = read_records(path)
    except SourceError:
        return
    for record in found:
        assert isinstance(record, Record)
        assert all(column.step.size == column.value.size == column.time.size for column in record.columns.values())


WHOLE = made.wandb(
    made.run("abc", 1.5, "n", "g", a={"b": 1}),
    made.gpus(2),
    made.history(0, {"step": 1, "r": 0.5, ("a", "b"): 2}),
    made.output("line\nrest"),
    made.config(x=1),
)


@FAST
@given(content=st.binary(max_size=100), field=st.sampled_from([2, 5, 13, 17, 26]))
def test_any_bytes(tmp_path, content, field):
    path = tmp_path / NAME
    records_or_refusal(path, content)
    records_or_refusal(path, made.wandb()[:7] + content)
    records_or_refusal(path, made.wandb(made.run("a", 1.0), content, made.packed(field, content)))
    inner = made.packed(1, content) + made.packed(2, content) + made.packed(4, content) + made.packed(17, content)
    records_or_refusal(path, made.wandb(made.run("a", 1.0), made.packed(field, inner)))


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
