"""What a watcher withstands: being killed or frozen, rivals, bad commands, clocks, bad points, lost databases."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Ledger, Unreachable, points_of
from rlscale.ledger.lease import LeaseLost, hold
from rlscale.ledger.schema import leases
from rlscale.live import Courier, Watch, WatchSettings, carried, explain
from rlscale.sources import ReadOptions
from rlscale.sources.follow import Follower
from tests.ledger.test_reliability import locked
from tests.live import receiver, replay

ROUNDS = 25
SETTINGS = WatchSettings(budget=replay.BUDGET)


def command(path, behaviour="ok"):
    return (sys.executable, "-S", receiver.__file__, str(path), behaviour)


def watcher(where, got, *more, logs=None):
    """Start a watcher that acts."""
    words = [sys.executable, "-m", "rlscale", "watch", *([str(logs)] if logs else []), "--ledger", where, "--act"]
    words += ["--budget", str(replay.BUDGET), "--interval", "0.05", "--on-decision", " ".join(command(got)), "--json"]
    return subprocess.Popen([*words, *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def player(where, seconds):
    """Start the process that plays the runs."""
    return subprocess.Popen([sys.executable, "-m", "tests.live.replay", str(where), str(ROUNDS), str(seconds)])


@contextmanager
def ending(process):
    """Kill a process at the end, whatever happened, and close what it printed to."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def stop(process):
    """Ask a process to end."""
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 0, said


def waited(what, seconds=20.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def leads(ledger, process):
    return f"process {process.pid}" in (ledger.watcher() or "")


def received(path):
    if not Path(path).exists():
        return []
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def final(ledger):
    return {one.run: one.action for one in ledger.rulings.latest(acting=True).values()}


def delivered(ledger):
    """Say whether every decision that is to be carried out and is the latest of its run was."""
    done = {one.decision_id for one in ledger.deliveries.of() if one.outcome == "done"}
    return all(one.id in done for one in ledger.rulings.latest(acting=True).values() if carried(one))


def quiet(ledger, seen):
    """Say whether all points were looked at and all is carried out."""
    looks = {one.id for one in ledger.rulings.decisions()} == seen[0] and delivered(ledger)
    seen[0] = {one.id for one in ledger.rulings.decisions()}
    return looks


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the final decisions of a watcher that nothing happened to, at the given number of rounds."""
    with Ledger(str(tmp_path_factory.mktemp("undisturbed") / "runs.db"), create=True) as ledger:
        watch = Watch(ledger, SETTINGS, acting=True)
        for k in range(ROUNDS):
            replay.put(ledger, k * replay.STEP)
            watch.step()
        watch.step()
        assert {one.before for one in ledger.rulings.decisions()} >= {None, "continue", "hold", "commit"}
        found = final(ledger)
        watch.close()
    return found


def check(ledger, got):
    """Check everything that is promised of decisions and of commands, however often watchers were killed."""
    decisions = ledger.rulings.decisions()
    assert len({(one.look_id, one.run) for one in decisions}) == len(decisions)
    assert [one.look_id for one in decisions] == sorted(one.look_id for one in decisions)
    before = {}
    for one in decisions:
        assert one.before == before.get(one.run), one
        assert one.action != one.before, one
        before[one.run] = one.action
    for one in decisions:
        again = explain(ledger, one.id)
        assert (again.same_inputs, again.same) == (True, True), one
    told = received(got)
    started = Counter((one["decision_id"], one["attempt"]) for one in told)
    assert set(started.values()) <= {1}
    kept = {one.id: one for one in decisions}
    for one in told:
        own = kept[one["decision_id"]]
        assert (one["run"], one["decision"], one["reason"]) == (own.run, own.action, own.reason)
    outcomes = {}
    for one in ledger.deliveries.of():
        outcomes.setdefault(one.decision_id, []).append(one.outcome)
        assert one.attempt == len(outcomes[one.decision_id])
        assert one.outcome != "done" or (one.decision_id, one.attempt) in started
    for number, ends in outcomes.items():
        assert carried(kept[number])
        assert set(ends[:-1]) <= {"interrupted"}, ends
    assert all(outcomes[one.id][-1] == "done" for one in ledger.rulings.latest(acting=True).values() if carried(one))


def killed(where, got, rounds, logs, seconds):
    """Kill watchers of a run that is played, one after the other, and let the last one finish."""
    rng = random.Random(7)
    with ExitStack() as held:
        ledger = held.enter_context(Ledger(where, create=True))
        play = held.enter_context(ending(player(logs or where, seconds)))
        for _ in range(rounds):
            with ending(watcher(where, got, logs=logs)) as process:
                waited(partial(leads, ledger, process))
                time.sleep(rng.uniform(0.0, 0.5))
                assert process.poll() is None, process.stderr.read()
        assert play.wait(timeout=60) == 0
        with ending(watcher(where, got, logs=logs)) as last:
            waited(partial(leads, ledger, last))
            count = ROUNDS * len(replay.TOPS)
            waited(lambda: sum(row.last_seq for row in ledger.book.runs()) == count)
            seen = [None]
            waited(lambda: time.sleep(0.4) or quiet(ledger, seen))
            stop(last)


def test_watchers_that_are_killed_leave_what_one_that_was_not_leaves(where, tmp_path, undisturbed):
    rounds = 30 if "://" not in where else 10
    with Ledger(where, create=True):
        pass
    killed(where, tmp_path / "got", rounds, None, 0.9 * rounds)
    with Ledger(where) as ledger:
        check(ledger, tmp_path / "got")
        assert final(ledger) == undisturbed
        assert ledger.watcher() is None


def test_watchers_of_logs_that_are_killed_leave_what_one_that_was_not_leaves(tmp_path, undisturbed):
    logs, where = tmp_path / "logs", str(tmp_path / "runs.db")
    logs.mkdir()
    killed(where, tmp_path / "got", 12, logs, 11.0)
    with Ledger(where) as ledger:
        check(ledger, tmp_path / "got")
        assert set(final(ledger).values()) == set(undisturbed.values())


def epoch(ledger):
    return ledger._database.read(lambda connection: connection.execute(select(leases.c.epoch)).scalar())


def play(ledger, first, last):
    for k in range(first, last):
        replay.put(ledger, k * replay.STEP)
        time.sleep(0.08)


def test_of_two_watchers_one_stands_by_and_takes_over_at_once(where, tmp_path, undisturbed):
    got = tmp_path / "got"
    with Ledger(where, create=True) as ledger, ending(watcher(where, got)) as first:
        replay.put(ledger, 0)
        waited(lambda: ledger.rulings.decisions())
        with ending(watcher(where, got)) as second:
            time.sleep(0.8)
            play(ledger, 1, 12)
            assert epoch(ledger) == 1
            first.kill()
            began = time.monotonic()
            waited(lambda: epoch(ledger) == 2)
            assert time.monotonic() - began < 5.0  # and the lease lasts 30
            play(ledger, 12, ROUNDS)
            seen = [None]
            waited(lambda: time.sleep(0.4) or quiet(ledger, seen))
            stop(second)
        check(ledger, got)
        assert final(ledger) == undisturbed


def test_a_leader_that_froze_writes_nothing_when_it_wakes(where, tmp_path):
    got = tmp_path / "got"
    with Ledger(where, create=True) as ledger, ending(watcher(where, got, "--lease", "1")) as first:
        play(ledger, 0, 8)
        waited(lambda: len(ledger.rulings.decisions()) > 5 and delivered(ledger))
        with ending(watcher(where, got, "--lease", "1")) as second:
            time.sleep(0.8)
            frozen(first, ledger)
            waited(lambda: epoch(ledger) == 2)
            play(ledger, 8, 16)
            waited(lambda: len(ledger.rulings.decisions()) > 8)
            first.send_signal(signal.SIGCONT)
            play(ledger, 16, ROUNDS)
            waited(lambda: any("taken over" in one.message for one in ledger.events.last()))
            seen = [None]
            waited(lambda: time.sleep(0.4) or quiet(ledger, seen))
            assert epoch(ledger) == 2
            epochs = [one.epoch for one in looks(ledger)]
            assert epochs == sorted(epochs)
            assert set(epochs) == {1, 2}
            stop(second)
            waited(lambda: epoch(ledger) == 3)  # the first stands by, and leads again
            stop(first)
        check(ledger, got)


def frozen(process, ledger):
    """Freeze a process where it holds nothing; one that froze in a transaction would be waited for."""
    while True:
        process.send_signal(signal.SIGSTOP)
        asked = threading.Thread(target=ledger.standby(holder="another").take)
        asked.start()
        asked.join(0.4)
        if not asked.is_alive():
            return
        process.send_signal(signal.SIGCONT)
        asked.join()


def looks(ledger):
    return [ledger.rulings.look(one)[0] for one in dict.fromkeys(row.look_id for row in ledger.rulings.decisions())]


def test_a_leader_that_froze_in_a_transaction_is_cut_off(postgres):
    where = postgres.database()
    with Ledger(where, create=True, patience=1.0) as first, Ledger(where, patience=8.0) as second:
        standby = first.standby(lasts=0.5)
        lease = standby.take()
        entered, errors = threading.Event(), []

        def freeze(connection):
            hold(connection, lease)
            entered.set()
            time.sleep(2.5)
            hold(connection, lease)

        def lead():
            try:
                first._database.write(freeze)
            except (LeaseLost, Unreachable) as error:
                errors.append(error)

        thread = threading.Thread(target=lead)
        thread.start()
        assert entered.wait(5.0)
        waiting = second.standby(lasts=0.5)
        waited(lambda: (taken := waiting.take()) is not None and taken.epoch == 2, 8.0)
        thread.join()
        assert errors  # done again after the cut, it found the lease taken
        with pytest.raises(LeaseLost):
            standby.beat(lease)


@contextmanager
def watched(tmp_path, *, where=None, patience=30.0, **more):
    """Yield a ledger and a watcher of it in this process, with the runs as they stand after eight rounds."""
    with Ledger(where or str(tmp_path / "runs.db"), create=True, patience=patience) as ledger:
        for k in range(8):
            replay.put(ledger, k * replay.STEP)
        watch = Watch(ledger, more.pop("settings", SETTINGS), acting=True, **more)
        try:
            yield ledger, watch
        finally:
            watch.close()


@pytest.fixture
def hurried(monkeypatch):
    """Try failed commands again at once, and end those that hang soon."""
    monkeypatch.setattr("rlscale.live.watch.RETRY", 0.02)
    monkeypatch.setattr("rlscale.live.courier.GRACE", 0.2)


def stepped(watch, until, seconds=15.0):
    scenes = []

    def step():
        scenes.append(watch.step())
        return until(scenes[-1])

    waited(step, seconds)
    return scenes


@pytest.mark.parametrize(
    ("behaviour", "outcome", "code", "said"),
    [
        ("fail", "failed", 3, "no such job"),
        ("hang", "timeout", -signal.SIGKILL, ""),
        ("none", "failed", None, "cannot be started"),
        ("loud", "done", 0, "the end"),
    ],
)
def test_commands_that_misbehave_are_kept_and_hold_nothing_up(tmp_path, hurried, behaviour, outcome, code, said):
    got = tmp_path / "got"
    words = command(got, behaviour) if behaviour != "none" else (str(tmp_path / "none"),)
    with watched(tmp_path, courier=Courier(words, timeout=1.0 if behaviour == "hang" else 20.0)) as (ledger, watch):
        tries = 1 if outcome == "done" else 3
        asked = 5  # four runs have no decision that asks for something yet, or have one each
        scenes = stepped(watch, lambda _: ends(ledger, tries), 30.0)
        for one in ledger.deliveries.of():
            assert (one.outcome, one.exit_code) == (outcome, code)
            assert said in one.said
            assert len(one.said) <= 2100
        troubles = scenes[-1].troubles
        assert bool(troubles) == (outcome != "done")
        messages = [one.message for one in ledger.events.last(100) if one.kind == "command"]
        numbers = {one.decision_id for one in ledger.deliveries.of()}
        assert len(messages) == (0 if outcome == "done" else 3 * len(numbers))
        assert len(numbers) < asked
        before = len(ledger.rulings.decisions())
        for k in range(8, 15):  # decisions go on
            replay.put(ledger, k * replay.STEP)
            watch.step()
        assert len(ledger.rulings.decisions()) > before
        if behaviour == "hang":
            child = int(Path(f"{got}.child").read_text())
            waited(lambda: not watch.step().commands and not watch.busy, 20.0)
            assert not alive(child)
        waited(lambda: watch.step() and not watch.busy, 20.0)


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ends(ledger, tries):
    """Say whether all commands have been tried so often."""
    made = ledger.deliveries.of()
    found = Counter(one.decision_id for one in made)
    return bool(made) and set(found.values()) == {tries} and all(one.outcome != "started" for one in made)


def test_a_command_that_failed_and_works_again_is_well_again(tmp_path, hurried):
    script = tmp_path / "once.sh"
    script.write_text(f"#!/bin/sh\ncat > /dev/null\n[ -e {tmp_path}/there ] || {{ touch {tmp_path}/there; exit 3; }}\n")
    script.chmod(0o755)
    with watched(tmp_path, courier=Courier((str(script),))) as (ledger, watch):
        scenes = stepped(watch, lambda scene: delivered(ledger) and not watch.busy)
        assert "failed" in {one.outcome for one in ledger.deliveries.of()}
        assert scenes[-1].troubles == {}
        assert not any(scene.done for scene in scenes[:-1] if scene.troubles)


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
def test_clocks_that_jump_change_nothing(tmp_path, monkeypatch, jump, undisturbed):
    clock, shift = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + shift[0])
    with watched(tmp_path, courier=Courier(command(tmp_path / "got")), lasts=5.0) as (ledger, watch):
        rival = ledger.standby(5.0, holder="another")
        for k in range(8, ROUNDS):
            replay.put(ledger, k * replay.STEP)
            shift[0] += jump
            assert watch.step().role == "acting"
            assert rival.take() is None
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        assert epoch(ledger) == 1
        assert final(ledger) == undisturbed
        check(ledger, tmp_path / "got")


def append(ledger, name, compute, value):
    row = ledger.book.enlist(Heading(name=name, recipe=name))
    ledger.book.append({row.id: {"reward": points_of(compute, value)}})


def test_points_that_are_late_twice_corrected_or_bad_hold_nothing_up(tmp_path):
    with watched(tmp_path, courier=Courier(command(tmp_path / "got"))) as (ledger, watch):
        watch.step()
        append(ledger, "late", [0, 40, 80], [0.1, 0.3, 0.4])
        watch.step()
        append(ledger, "late", [20, 60], [0.2, 0.35])
        append(ledger, "r1", [70], [replay.value_of("r1", 70)])  # once more
        append(ledger, "r2", [70], [0.47])  # corrected
        append(ledger, "bad", [0, 10], [0.1, 1.7])
        append(ledger, "r3", [80], [7.5])  # was good, and turns bad
        scene = watch.step()
        assert set(scene.troubles) == {"curve bad", "curve r3"}
        assert {one.run for one in scene.sight.answer.decisions} == {*replay.TOPS, "late"}
        for k in range(8, 15):
            for name in ("r0", "r1", "r2", "r4"):
                append(ledger, name, [k * replay.STEP], [replay.value_of(name, k * replay.STEP)])
            scene = watch.step()
        bad = [one for one in ledger.events.last(100) if one.subject in ("bad", "r3")]
        assert len(bad) == 2  # and not at every pass
        append(ledger, "r3", [80], [0.4])
        append(ledger, "bad", [10], [0.17])
        assert stepped(watch, lambda _: delivered(ledger) and not watch.busy)[-1].troubles == {}
        check(ledger, tmp_path / "got")


def test_a_log_that_starts_again_holds_nothing_up(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    courier = Courier(command(tmp_path / "got"))
    with watched(tmp_path, source=Follower([str(logs)], ReadOptions()), courier=courier) as (ledger, watch):
        for k in range(8):
            replay.log(logs, k * replay.STEP)
        assert watch.step().troubles == {}
        with (logs / "r1.jsonl").open("a") as out:  # from a checkpoint, with other rewards
            out.writelines(json.dumps({"step": k, "reward": 0.2, "n_eval": 512}) + "\n" for k in range(50, 110, 10))
        (logs / "r2.jsonl").write_text("")  # from the start
        (logs / "r4.jsonl").write_text('{"step": 0, "reward": 0.1}\n{"step": 10, "reward": 3.5}\n')
        for k in range(8, 15):
            for one in ("r0", "r2"):
                with (logs / f"{one}.jsonl").open("a") as out:
                    out.write(
                        json.dumps({"step": k * 10, "reward": replay.value_of(one, k * 10), "n_eval": 512}) + "\n"
                    )
            scene = watch.step()
        assert any("r4" in subject for subject in scene.troubles)
        assert [one.subject for one in ledger.events.last(100) if "r4" in one.subject] == [
            subject.partition(" ")[2] for subject in scene.troubles if "r4" in subject
        ]
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, tmp_path / "got")


def test_looks_that_were_refused_are_made_up_for(tmp_path):
    """After runs that could not be compared, a look is kept with all that it saw."""
    with watched(tmp_path, courier=Courier(command(tmp_path / "got"))) as (ledger, watch):
        other = ledger.book.enlist(Heading(name="tokens", recipe="tokens", unit="tokens"))
        ledger.book.append({other.id: {"reward": points_of([0.0, 1e6], [0.1, 0.2])}})
        assert "gate" in watch.step().troubles
        watch._unit = "steps"  # as a watcher of one unit does
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, tmp_path / "got")


def test_a_second_word_of_a_person_is_part_of_the_next_look(tmp_path):
    with watched(tmp_path, courier=Courier(command(tmp_path / "got"))) as (ledger, watch):
        row = ledger.book.run("r0")
        for who in ("one", "two"):
            ledger.overrides.add(row, "hold", "because", who)
            watch.step()
        for k in range(8, 12):
            replay.put(ledger, k * replay.STEP)
            watch.step()
        ledger.overrides.add(row, "resume", "enough", "three")
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, tmp_path / "got")


def test_a_locked_ledger_is_waited_for(tmp_path):
    with watched(tmp_path) as (ledger, watch), locked(str(tmp_path / "runs.db"), 1.0):
        scene = watch.step()
        assert scene.troubles == {}
        assert len(scene.decisions) == len(replay.TOPS)
        assert ledger.events.count() == 0


def test_a_ledger_that_stays_locked_is_said_once_and_watched_again_later(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    source = Follower([str(logs)], ReadOptions())
    with watched(tmp_path, patience=0.2, source=source, courier=Courier(command(tmp_path / "got"))) as (ledger, watch):
        watch.step()
        for k in range(12):
            replay.log(logs, k * replay.STEP)
        with locked(str(tmp_path / "runs.db"), 2.0):
            began = time.monotonic()
            scene = watch.step()
            assert time.monotonic() - began < 1.5  # not once for every run
            assert "locked" in scene.troubles["sources"]
        scenes = stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        assert scenes[-1].troubles == {}
        check(ledger, tmp_path / "got")


def test_a_command_whose_end_could_not_be_kept_is_kept_later(tmp_path):
    got = tmp_path / "got"
    with watched(tmp_path, patience=0.2, courier=Courier(command(got))) as (ledger, watch):
        watch.step()
        assert watch.busy
        count = len([one for one in ledger.deliveries.of() if one.outcome == "started"])
        waited(lambda: len(received(got)) == count)
        with locked(str(tmp_path / "runs.db"), 1.5):
            for _ in range(3):
                watch.step()
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, got)
        assert {one.attempt for one in ledger.deliveries.of()} == {1}


def test_a_watcher_goes_on_after_its_database_crashed(postgres, tmp_path, undisturbed):
    where, got = postgres.database(), tmp_path / "got"
    with Ledger(where, create=True) as ledger, ending(watcher(where, got)) as process:
        replay.put(ledger, 0)
        waited(lambda: ledger.rulings.decisions())
        with ending(player(where, 2.0)) as playing:
            time.sleep(0.7)
            postgres.stop("immediate")
            postgres.start()
            assert playing.wait(timeout=40) == 0
        assert process.poll() is None
        seen = [None]
        waited(lambda: time.sleep(0.4) or quiet(ledger, seen))
        stop(process)
        check(ledger, got)
        assert final(ledger) == undisturbed
        assert {one.attempt for one in ledger.deliveries.of()} == {1}


def test_a_look_whose_answer_was_lost_is_taken_up(tmp_path, monkeypatch):
    """The look was kept and the watcher was not told: it must not take the next one for it."""
    with watched(tmp_path, courier=Courier(command(tmp_path / "got"))) as (ledger, watch):
        add = type(ledger.rulings).add

        def deaf(self, *told):
            add(self, *told)
            monkeypatch.undo()
            raise LedgerError("the connection broke")

        monkeypatch.setattr(type(ledger.rulings), "add", deaf)
        assert "connection broke" in watch.step().troubles["watcher"]
        for k in range(8, 12):
            replay.put(ledger, k * replay.STEP)
            assert watch.step().troubles == {}
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, tmp_path / "got")


def test_a_defect_in_a_look_is_kept_and_the_next_pass_works(tmp_path, monkeypatch):
    with watched(tmp_path) as (ledger, watch):

        def broken(*_):
            monkeypatch.undo()
            raise ValueError("a division by nothing")

        monkeypatch.setattr("rlscale.live.sight.Looker.look", broken)
        scene = watch.step()
        assert scene.role == "acting"
        assert "ValueError: a division by nothing; this is a defect" in scene.troubles["watcher"]
        scene = watch.step()
        assert scene.troubles == {}
        assert scene.decisions
        assert [one.message.partition(":")[0] for one in ledger.events.last()] == ["ValueError", "is well again"]


def test_a_name_of_a_run_reaches_a_command_as_text_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "$(touch x); rm -rf . `touch y` \" ' \\ 'ü"
    got = tmp_path / "got"
    with watched(tmp_path, courier=Courier(command(got))) as (ledger, watch):
        append(ledger, name, [10 * k for k in range(8)], [0.3 * k / (k + 3.0) for k in range(8)])
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        told = [one for one in received(got) if one["run"] == name]
        assert [one["decision"] for one in told] == ["hold"]
        assert told[0]["argv"] == [str(got), "ok"]
        assert os.listdir(tmp_path).count("x") + os.listdir(tmp_path).count("y") == 0
        check(ledger, got)
