"""Logs read while they are written: every look equals a whole read, and what was read before is kept."""

import contextlib
import json
import os
import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from rlscale.errors import ChoiceError, InputError, SourceError
from rlscale.sources import ReadOptions, collect, follow, tail
from rlscale.sources.follow import Follower
from rlscale.sources.tail import Descriptors
from tests.sources.test_verl import console, rows
from tests.sources.trackers import made
from tests.sources.trackers.made_stores import trackio_db

VAL = "val-core/math/acc/mean@8"
SHARED = Path(__file__).parents[3] / "shared" / "logs"


def told(reading):
    """Everything a reading says of its runs, comparable."""
    return [
        (
            run.name,
            run.recipe,
            run.seed,
            run.curve.unit,
            run.curve.metric,
            run.curve.compute.tobytes(),
            run.curve.reward.tobytes(),
            run.source.repairs,
        )
        for run in reading.runs
    ]


def whole(paths, **options):
    try:
        return collect(paths, ReadOptions(**options))
    except InputError as error:
        return error


def steps_of(reading):
    (run,) = reading.runs
    return run.curve.compute.tolist()


def lines_of(logged):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in logged)


def verl_file(n=12, first=1, **how):
    return lines_of(rows(n, first=first, **how)[0])


def plain(first, last, shift=0.0):
    return lines_of({"step": k, "reward": 0.1 + k % 80 / 100 + shift} for k in range(first, last))


def skyrl(n, first=1):
    return "".join(
        f"(skyrl_entrypoint pid=9) Step {k}: \n{{'reward/avg_raw_reward': {0.1 + k / 100},\n"
        f" 'trainer/global_step': {k},\n 'eval/all/avg_score': {0.2 + k / 90}}}\nprogress ▇▇▇ é\n"
        for k in range(first, n)
    )


def openrlhf(n, first=1):
    row = "Global step {}: {{'reward': {}, 'policy_loss': 0.5}}\n"
    return "".join(row.format(k, k / 50) for k in range(first, n))


def verl_console(n, first=1):
    return console(rows(n - 1, first=first, test_every=0)[0])


LOGS = {
    "metrics.jsonl": (
        "\ufeff" + plain(1, 5) + '{"step": 5, "reward": 0.5, "note": "réussi ✓"}\n\n' + plain(6, 9)
    ).encode(),
    "verl.jsonl": verl_file(6).encode(),
    "resumed.jsonl": (verl_file(6) + verl_file(8, first=4)).encode(),
    "verl.log": ("start ▇▇ é\n" + console(rows(6)[0]) + "Traceback ✗\n" + console(rows(9, first=5)[0])).encode(),
    "openrlhf.log": "".join(
        f"Global step {k}: {{'reward': {k / 50}, 'note': 'é', 'policy_loss': 0.5}}\n" for k in range(1, 9)
    ).encode(),
    "skyrl.log": skyrl(7).encode(),
    "table.csv": b"run,compute,unit,reward\n"
    + "".join(f"é{k % 2},{k},steps,{k / 50}\n" for k in range(1, 12)).encode(),
    "table.jsonl": lines_of({"run": "é", "compute": k, "unit": "steps", "reward": k / 50} for k in range(9)).encode(),
    "broken.jsonl": (plain(1, 4) + "not JSON\n" + plain(4, 7)).encode(),
    "wide.jsonl": plain(1, 6).encode("utf-16"),
}


def chunks(data, rng):
    """Cut bytes anywhere: in lines, in characters; often small."""
    place = 0
    while place < len(data):
        size = rng.choice((1, 2, 3, 30, 200, rng.randrange(1, 2000)))
        yield data[place : place + size]
        place += size


def check_look(reading, expected, before):
    """A look equals the whole read; where that fails, what was read before stays and the error is told."""
    if isinstance(expected, InputError):
        assert reading.errors
        assert told(reading) == before
    else:
        assert told(reading) == told(expected)
        assert [str(error) for error in reading.errors] == [str(error) for error in expected.errors]
    return told(reading)


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("seed", range(3))
def test_every_look_at_a_growing_log_equals_a_whole_read(tmp_path, name, seed):
    path, rng = tmp_path / name, random.Random(seed)
    path.write_bytes(b"")
    follower, before = Follower([path]), []
    for chunk in chunks(LOGS[name], rng):
        with path.open("ab") as file:
            file.write(chunk)
        expected = whole([path])
        if isinstance(expected, ChoiceError):
            with pytest.raises(ChoiceError):
                follower.poll()
            continue
        before = check_look(follower.poll(), expected, before)
    if name != "broken.jsonl":
        assert before == told(whole([path]))
        assert before


def test_a_document_written_again_is_read_again(tmp_path, write):
    path = tmp_path / "trainer_state.json"
    follower, before = Follower([path]), []
    for k in range(2, 8):
        history = [{"step": s, "reward": s / 50, "loss": 0.1} for s in range(1, k)]
        text = json.dumps({"global_step": k - 1, "log_history": history})
        for part in (text[: len(text) // 2], text):  # a look finds it half written
            write(path.name, part)
            before = check_look(follower.poll(), whole([path]), before)
    assert len(before) == 1


@pytest.mark.parametrize("data", [verl_file, lambda n, first: console(rows(n, first=first)[0])])
def test_a_renamed_log_is_read_to_its_end_and_the_new_one_goes_on(tmp_path, data):
    path = tmp_path / "run.log"
    first, second = data(6, first=1), data(9, first=7)
    path.write_text(first[: len(first) // 2])
    follower = Follower([path])
    follower.poll()
    with path.open("a") as file:
        file.write(first[len(first) // 2 :])
    path.rename(tmp_path / "run.log.1")
    path.write_text(second)
    one = tmp_path / "both"
    one.mkdir()
    (one / "run.log").write_text(first + second)
    assert told(follower.poll()) == told(collect([one / "run.log"]))


def test_a_log_that_a_resume_erased_keeps_its_history_and_its_compute(tmp_path):
    path, both = tmp_path / "run.jsonl", tmp_path / "both" / "run.jsonl"
    both.parent.mkdir()
    first, second = verl_file(8), verl_file(9, first=6, test_every=0)
    path.write_text(first + '{"step": 9, "da')
    follower = Follower([path], ReadOptions(unit="gpu-hours"))
    follower.poll()
    for end in (0, 5, 12, len(second) // 2, len(second)):  # emptied, then written bit by bit
        path.write_text(second[:end])
        reading = follower.poll()
        assert steps_of(reading)[-1] > 0
    both.write_text(first + second)
    expected = collect([both], ReadOptions(unit="gpu-hours"))
    assert [line[:-1] for line in told(reading)] == [line[:-1] for line in told(expected)]
    assert any("torn" in text for text in reading.runs[0].source.repairs)


def test_two_resumes_that_erased_the_log(tmp_path):
    path = tmp_path / "run.jsonl"
    follower = Follower([path])
    for text in (plain(1, 9), plain(7, 12, 0.01), plain(10, 15, 0.02)):
        path.write_text(text)
        reading = follower.poll()
    assert steps_of(reading) == list(range(1, 15))
    path.write_text(plain(10, 17, 0.02))  # this writer writes all its rows again
    assert steps_of(follower.poll()) == list(range(1, 17))


def test_a_log_written_whole_each_time_replaces_the_old_rows(tmp_path):
    path, new = tmp_path / "run.jsonl", tmp_path / "new"
    follower = Follower([path])
    for last in (4, 9, 7, 12):  # in place, longer and shorter
        path.write_text(plain(1, last))
        assert told(follower.poll()) == told(collect([path]))
        new.write_text(plain(1, last) + plain(last, last + 1))  # and by a new file under its name
        new.replace(path)
        assert told(follower.poll()) == told(collect([path]))


def test_a_row_changed_in_the_middle_is_read_again(tmp_path):
    path = tmp_path / "run.jsonl"
    text = plain(1, 4000)
    path.write_text(text)
    follower = Follower([path])
    follower.poll()
    path.write_text(text.replace('{"step": 3000, "reward": 0.5', '{"step": 3000, "reward": 0.9'))
    os.utime(path, ns=(1, 1))
    changed = follower.poll()
    assert told(changed) == told(collect([path]))
    assert changed.runs[0].curve.reward[2999] >= 0.9


def test_a_long_log_that_was_copied_and_emptied(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(plain(1, 4000))
    follower = Follower([path])
    follower.poll()
    path.write_text("")
    gone = follower.poll()
    assert len(steps_of(gone)) == 3999
    assert "was emptied" in str(gone.errors[0])
    path.write_text(plain(4000, 4003))
    reading = follower.poll()
    assert reading.errors == ()
    assert steps_of(reading) == list(range(1, 4003))


def generations(kind):
    """Contents of one log, each going on where a resume erased the one before."""
    for k, (first, last) in enumerate(((1, 9), (7, 14), (12, 20), (20, 26))):
        logged = [{"step": s, "data": {VAL: 0.1 + s / 100 + k / 1000, "perf/é": 1.5}} for s in range(first, last)]
        yield (console(logged, prefix="") if kind == "log" else lines_of(logged)).encode()


@pytest.mark.parametrize("kind", ["jsonl", "log"])
@pytest.mark.parametrize("seed", range(8))
def test_rotations_anywhere_keep_what_went_before(tmp_path, kind, seed):
    rng, path, both = random.Random(seed), tmp_path / f"run.{kind}", tmp_path / "both" / f"run.{kind}"
    both.parent.mkdir()
    path.write_bytes(b"")
    follower, before = Follower([path]), b""
    for data in generations(kind):
        data = data[: rng.choice((len(data), rng.randrange(len(data) // 2, len(data))))]
        written = b""
        for chunk in chunks(data, rng):
            with path.open("ab") as file:
                file.write(chunk)
            written += chunk
            reading = follower.poll()
            both.write_bytes(before + written)
            expected = whole([both])
            if not reading.errors and not isinstance(expected, InputError) and (not before or b"\n" in written):
                assert [one[:-1] for one in told(reading)] == [one[:-1] for one in told(expected)]
        before += written[: written.rfind(b"\n") + 1]
        if rng.random() < 0.5:
            path.rename(tmp_path / "run.1")
        path.write_bytes(b"")
        follower.poll()
    assert follower.poll().runs[0].curve.compute.size > 15


@pytest.mark.parametrize("data", [skyrl, openrlhf, verl_console])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_row_torn_where_the_log_was_renamed_is_left_out(tmp_path, data, end):
    path, both = tmp_path / "run.log", tmp_path / "both" / "run.log"
    both.parent.mkdir()
    first, second = data(8), data(12, first=6)
    for torn in range(3, len(data(9, first=8)) - 2, 9):
        path.write_text(first + data(9, first=8)[:torn] + end)
        follower = Follower([path])
        follower.poll()
        path.rename(tmp_path / "run.log.1")
        path.write_text(second)
        reading = follower.poll()
        both.write_text(first + second)
        assert reading.errors == ()
        assert steps_of(reading) == steps_of(collect([both]))


def test_the_last_row_of_a_renamed_log_needs_no_line_end(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(plain(1, 4).rstrip())
    follower = Follower([path])
    follower.poll()
    path.rename(tmp_path / "run.jsonl.1")
    path.write_text(plain(4, 6))
    assert steps_of(follower.poll()) == [1, 2, 3, 4, 5]


def test_a_link_led_to_another_log_is_no_rotation(tmp_path):
    one, other, link = (tmp_path / name for name in ("one.jsonl", "other.jsonl", "latest.jsonl"))
    one.write_text(plain(1, 9))
    other.write_text(plain(5, 7, 0.1))
    link.symlink_to(one)
    follower = Follower([link])
    assert len(steps_of(follower.poll())) == 8
    link.unlink()
    link.symlink_to(other)
    assert told(follower.poll()) == told(collect([link]))


def test_a_log_renamed_within_the_folder_is_not_read_twice(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(plain(1, 6))
    follower = Follower([tmp_path])
    follower.poll()
    path.rename(tmp_path / "old.jsonl")
    assert told(follower.poll()) == told(collect([tmp_path]))
    path.write_text(plain(6, 9))
    assert told(follower.poll()) == told(collect([tmp_path]))


@pytest.mark.parametrize("name", ["run.jsonl", "run.csv", "trainer_state.json"])
@pytest.mark.parametrize("folder", [False, True])
def test_a_file_that_is_gone_for_a_while(tmp_path, name, folder):
    path = tmp_path / "logs" / name
    path.parent.mkdir()
    history = [{"step": k, "reward": k / 50} for k in range(1, 6)]
    text = {"run.jsonl": plain(1, 6), "run.csv": "step,reward\n1,0.5\n2,0.6\n"}.get(
        name, json.dumps({"global_step": 5, "log_history": history})
    )
    path.write_text(text)
    (path.parent / "also.jsonl").write_text(plain(1, 4))
    given = [path.parent] if folder else [path, path.parent / "also.jsonl"]
    follower = Follower(given)
    there = follower.poll()
    path.rename(tmp_path / "aside")
    for _ in range(2):
        gone = follower.poll()
        assert told(gone) == told(there)
        (error,) = gone.errors
        assert (error.path, error.message) == (str(path), "is gone; what it held before is kept")
    assert follower.poll() is gone
    (tmp_path / "aside").rename(path)
    back = follower.poll()
    assert told(back) == told(there)
    assert back.errors == ()


@pytest.mark.parametrize(
    ("name", "key", "reward"),
    [
        ("trainer_state.json", "step", "reward"),
        ("pipeline/worker_state_pipeline.json", "system/step", "critic/score/mean"),
    ],
)
def test_a_checkpoint_that_a_later_one_replaced_is_no_run_of_its_own(tmp_path, name, key, reward):
    def save(step):
        path = tmp_path / "run" / f"checkpoint-{step}" / name
        path.parent.mkdir(parents=True)
        history = [{key: k, reward: k / 50} for k in range(1, step + 1)]
        path.write_text(json.dumps({"global_step": step, "log_history": history}))
        return path

    old = save(3)
    follower = Follower([tmp_path])
    follower.poll()
    save(6)
    old.unlink()
    old.parent.rmdir()
    reading = follower.poll()
    assert told(reading) == told(collect([tmp_path]))
    assert reading.errors == ()


def test_a_bad_file_does_not_stop_the_others_and_keeps_its_last_good_state(tmp_path):
    good, bad, never = (tmp_path / name for name in ("good.jsonl", "bad.jsonl", "never.jsonl"))
    good.write_text(plain(1, 6))
    bad.write_text(plain(1, 4))
    never.write_text("nothing\nat all\n")
    follower = Follower([good, bad, never])
    first = follower.poll()
    assert [run.name for run in first.runs] == ["good", "bad"]
    with bad.open("a") as file:
        file.write("not JSON\n" + plain(4, 7))
    with good.open("a") as file:
        file.write(plain(6, 8))
    reading = follower.poll()
    assert [len(run.curve.compute) for run in reading.runs] == [7, 3]
    assert {Path(error.path).name for error in reading.errors} == {"bad.jsonl", "never.jsonl"}
    bad.write_text(plain(1, 7))
    assert [len(run.curve.compute) for run in follower.poll().runs] == [7, 6]


def test_nothing_to_read_is_no_failure(tmp_path):
    follower = Follower([tmp_path / "none.jsonl", tmp_path])
    assert follower.poll().runs == ()
    assert all(isinstance(error, SourceError) for error in follower.poll().errors)
    (tmp_path / "none.jsonl").write_text(plain(1, 4))
    assert steps_of(follower.poll()) == [1, 2, 3]


def test_options_that_cannot_be_are_raised(tmp_path):
    (tmp_path / "run.jsonl").write_text(plain(1, 4))
    with pytest.raises(InputError, match="gpus"):
        Follower([tmp_path], ReadOptions(gpus=-1)).poll()
    with pytest.raises(InputError, match="no path"):
        Follower([]).poll()


def test_a_choice_is_asked_for_again(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(
        "".join(
            json.dumps({"step": k, "val-core/a/acc/mean@8": 0.1, "val-core/b/acc/mean@8": 0.2}) + "\n" for k in range(5)
        )
    )
    follower = Follower([path])
    for _ in range(2):
        with pytest.raises(ChoiceError):
            follower.poll()


def test_a_new_file_of_a_folder_is_found(tmp_path):
    (tmp_path / "b.jsonl").write_text(plain(1, 4))
    follower = Follower([tmp_path])
    assert [run.name for run in follower.poll().runs] == ["b"]
    (tmp_path / "a.jsonl").write_text(plain(1, 5))
    assert [run.name for run in follower.poll().runs] == ["a", "b"]
    assert told(follower.poll()) == told(collect([tmp_path]))


def test_what_did_not_change_is_not_read_again(tmp_path, monkeypatch):
    names = ["a.jsonl", "b.jsonl", "c.csv", "d.txt"]
    for name in names:
        (tmp_path / name).write_text("step,reward\n1,0.5\n2,0.6\n" if "jsonl" not in name else plain(1, 2000))
    follower = Follower([tmp_path])
    first = follower.poll()
    count = {"bytes": 0}

    def counted(read):
        def wrapped(*args):
            found = read(*args)
            count["bytes"] += len(found)
            return found

        return wrapped

    monkeypatch.setattr(tail, "_bytes_at", counted(tail._bytes_at))
    monkeypatch.setattr(follow, "read_head", counted(follow.read_head))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", None)  # nothing is opened at all
        assert follower.poll() is first
    assert count["bytes"] == 0
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write(plain(2000, 2001))
    second = follower.poll()
    assert second is not first
    assert count["bytes"] <= (1 << 18) + (1 << 12) + 100  # the head, the end, and what was appended
    assert told(second) == told(collect([tmp_path]))


def test_only_what_was_appended_to_a_long_log_is_read(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    path.write_text(plain(1, 20000))
    assert path.stat().st_size > 1 << 18
    follower = Follower([path])
    follower.poll()
    read = []
    bytes_at = tail._bytes_at
    monkeypatch.setattr(tail, "_bytes_at", lambda *args: read.append(bytes_at(*args)) or read[-1])
    added = plain(20000, 20001)
    with path.open("a") as file:
        file.write(added)
    reading = follower.poll()
    assert sum(map(len, read)) == (1 << 16) + (1 << 12) + len(added)
    assert np.array_equal(reading.runs[0].curve.compute, np.arange(1, 20001))


def test_few_files_are_kept_open(tmp_path):
    files = Descriptors(most=3, idle=1e9)
    follower = Follower([tmp_path])
    follower._open = files
    for k in range(9):
        (tmp_path / f"{k}.jsonl").write_text(plain(1, 4))
        follower.poll()
        assert len(files) <= 3
    for k in range(9):
        with (tmp_path / f"{k}.jsonl").open("a") as file:
            file.write(plain(4, 6))
    reading = follower.poll()
    assert [len(run.curve.compute) for run in reading.runs] == [5] * 9
    assert len(files) == 3
    files._idle = -1.0
    follower.poll()
    assert len(files) == 0
    follower.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_whose_rights_are_given_is_read(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(plain(1, 4))
    path.chmod(0)
    follower = Follower([path])
    assert follower.poll().runs == ()
    path.chmod(0o600)
    assert len(follower.poll().runs) == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the example logs are not here")
@pytest.mark.parametrize(
    "name",
    [
        "verl/SYNTH_verl0.7_console.log",
        "verl/SYNTH_verl0.4.1_console.log",
        "verl/SYNTH_verl0.7_filelogger.jsonl",
        "verl/logic-rl_2025-03_10steps.console.log",
        "tinker-cookbook/arithmetic_100steps.metrics.jsonl",
        "custom_jsonl/tinker_custom_loop_restarts.metrics.jsonl",
    ],
)
def test_real_logs_as_they_grow(tmp_path, name):
    data, path = (SHARED / name).read_bytes(), tmp_path / Path(name).name
    path.write_bytes(b"")
    follower, rng, before = Follower([path]), random.Random(1), []
    for _ in range(30):
        with path.open("ab") as file:
            place = file.tell()
            file.write(data[place : place + rng.randrange(len(data) // 15)])
        try:
            reading = follower.poll()
        except ChoiceError:
            assert isinstance(whole([path]), ChoiceError)
            continue
        before = check_look(reading, whole([path]), before)
    with path.open("ab") as file:
        file.write(data[file.tell() :])
    assert told(follower.poll()) == told(collect([path]))


def test_a_folder_of_event_files_is_read_again_when_one_grows(tmp_path):
    run, steps = tmp_path / "runs" / "a", {k: k / 50 for k in range(1, 6)}
    run.mkdir(parents=True)
    first = run / "events.out.tfevents.1.a"
    first.write_bytes(made.events(100.0, {"train/reward": steps}))
    follower = Follower([tmp_path])
    assert steps_of(follower.poll()) == [1, 2, 3, 4, 5]
    later = run / "events.out.tfevents.2.a"  # a session of the same run: the folder is read in place of the file
    later.write_bytes(made.events(200.0, {"train/reward": {6: 0.2, 7: 0.3}}))
    both = follower.poll()
    assert told(both) == told(collect([tmp_path]))
    assert both.errors == ()
    assert follower.poll() is both
    later.write_bytes(made.events(200.0, {"train/reward": {6: 0.2, 7: 0.3, 8: 0.4}}))
    assert steps_of(follower.poll()) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_database_that_grows_in_its_write_ahead_log(tmp_path):
    path = tmp_path / "project.db"
    trackio_db(path, [("a", "one", k, {"train/reward": k / 50}) for k in range(6)])
    follower = Follower([path])
    first = follower.poll()
    assert follower.poll() is first
    with contextlib.closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        follower.poll()
        writer.execute("DELETE FROM metrics WHERE step = 5")
        writer.commit()
        fewer = follower.poll()
        assert told(fewer) == told(collect([path]))
        assert len(steps_of(fewer)) == len(steps_of(first)) - 1


def table(steps=12, lift=0.0):
    return "step,reward\n" + "".join(f"{k},{0.1 + 0.05 * k + lift:.3f}\n" for k in range(steps))


def test_settings_that_stand_beside_logs_are_followed(tmp_path):
    (tmp_path / "a.csv").write_text(table())
    (tmp_path / "b.csv").write_text(table(lift=0.1))
    follower = Follower([tmp_path])
    assert [dict(run.settings) for run in follower.poll().runs] == [{}, {}]
    (tmp_path / "settings.csv").write_text("run,lr\na,1e-4\nb,3e-4\n")
    reading = follower.poll()
    assert [dict(run.settings) for run in reading.runs] == [dict(run.settings) for run in collect(tmp_path).runs]
    assert [run.settings["learning_rate"] for run in reading.runs] == ["1e-4", "3e-4"]
    assert follower.poll() is reading
    (tmp_path / "settings.csv").write_text("run,lr\na,1e-4\nb,2e-4\n")
    assert [run.settings["learning_rate"] for run in follower.poll().runs] == ["1e-4", "2e-4"]
    (tmp_path / "settings.csv").write_text("run\n")
    reading = follower.poll()
    assert len(reading.runs) == 2
    assert any("settings.csv" in str(error) for error in reading.errors)
    follower.close()


def test_copies_count_once_where_runs_are_shown_and_never_where_they_are_decided_on(tmp_path):
    for name in ("a-seed0", "a-seed1"):
        (tmp_path / f"{name}.csv").write_text(table())
    (tmp_path / "a.csv").write_text(table())
    shown, watched = Follower([tmp_path], once=True), Follower([tmp_path])
    assert told(shown.poll()) == told(collect(tmp_path))
    assert shown.poll().left_out == collect(tmp_path).left_out
    assert len(watched.poll().runs) == 3
    for follower in (shown, watched):
        follower.close()
