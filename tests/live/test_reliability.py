"""What a watcher withstands: being killed or frozen, rivals, bad commands, clocks, bad points, lost databases."""

import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Ledger, digest, points_of
from rlscale.ledger.lease import LeaseLost, hold
from rlscale.ledger.schema import leases
from rlscale.live import Courier, Watch, WatchSettings, carried, explain
from rlscale.live.courier import GRACE
from rlscale.live.watch import RETRY
from rlscale.sources import ReadOptions
from rlscale.sources.follow import Follower
from tests.ledger.test_reliability import locked, locked_until_asked_for
from tests.live import receiver, replay
from tests.processes import Forked, command
from tests.waiting import LIMIT, Clock, wait_until

ROUNDS = 25
SETTINGS = WatchSettings(budget=replay.BUDGET)


#: A lease that runs out for no process that runs, however slowly: 11 days.
LONG = 1e6


def order(path, behaviour="ok"):
    """Return the command that carries decisions out."""
    return (sys.executable, "-S", receiver.__file__, str(path), behaviour)


def watching(folder, where, got, *, logs=None):
    """Start a watcher that acts."""
    words = ["watch", *([str(logs)] if logs else []), "--ledger", where, "--act", "--budget", str(replay.BUDGET)]
    words += ["--interval", "0.05", "--lease", str(LONG), "--timeout", str(LIMIT), "--json"]
    return Forked(folder, command, *words, "--on-decision", " ".join(order(got)))


def leads(ledger, process):
    return f"process {process.pid}" in (ledger.watcher() or "")


def seen(ledger):
    """Say whether all points have been looked at."""
    last = ledger.rulings.last_look(acting=True)
    looks = [] if last is None else ledger.rulings.look(last.id)[1]
    return {one.run_id: one.seq for one in looks} == {row.id: row.last_seq for row in ledger.book.runs()}


def received(path):
    """Return what commands were told, as far as they have kept it."""
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def final(ledger):
    return {one.run: one.action for one in ledger.rulings.latest(acting=True).values()}


def delivered(ledger):
    """Say whether every decision that is to be carried out and is the latest of its run was."""
    done = {one.decision_id for one in ledger.deliveries.of() if one.outcome == "done"}
    return all(one.id in done for one in ledger.rulings.latest(acting=True).values() if carried(one))


def settle(ledger, watch):
    """Let a watcher of this process look until nothing is new to it and everything is carried out."""

    def step():
        before = ledger.rulings.last_look(acting=True)
        watch.step()
        same = before == ledger.rulings.last_look(acting=True)
        return same and seen(ledger) and delivered(ledger) and not watch.busy

    wait_until(step)


def settled(ledger, got, **more):
    """Let a new watcher do what those before it left undone."""
    with closing(Watch(ledger, SETTINGS, acting=True, courier=Courier(order(got), LIMIT), **more)) as watch:
        settle(ledger, watch)


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
    for number in dict.fromkeys(one.look_id for one in decisions):
        kept = {one.run: one for one in decisions if one.look_id == number}
        again = explain(ledger, next(iter(kept.values())).id)
        assert (again.same_inputs, again.same) == (True, True), again.kept
        remade = {one.run: digest(one.document()) for one in again.sight.answer.decisions}
        assert {run: one.hash for run, one in kept.items()}.items() <= remade.items()
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


def killed(where, got, kills, *, logs=None):
    """Kill watchers of runs that go on, one after the other, and let the last one finish."""
    rng, at, folder = random.Random(7), 0, got.parent
    with Ledger(where, create=True, patience=LIMIT) as ledger:
        put = partial(replay.log, logs) if logs else partial(replay.put, ledger)
        for k in range(kills):
            with watching(folder, where, got, logs=logs) as process:
                wait_until(partial(leads, ledger, process), process)
                for at in range(k * ROUNDS // kills, (k + 1) * ROUNDS // kills):
                    put(at * replay.STEP)
                time.sleep(rng.uniform(0.0, 0.3))  # where in its work the kill hits it is left to chance
                assert process.poll() is None, process.errors()
        assert at == ROUNDS - 1
        with watching(folder, where, got, logs=logs) as last:
            count = ROUNDS * len(replay.TOPS)
            wait_until(lambda: sum(row.last_seq for row in ledger.book.runs()) == count, last)
            wait_until(lambda: leads(ledger, last) and seen(ledger) and delivered(ledger), last)
            last.end()
        settled(ledger, got)


def test_watchers_that_are_killed_leave_what_one_that_was_not_leaves(where, tmp_path, undisturbed):
    killed(where, tmp_path / "got", 12 if "://" not in where else 8)
    with Ledger(where) as ledger:
        check(ledger, tmp_path / "got")
        assert final(ledger) == undisturbed
        assert ledger.watcher() is None


def test_watchers_of_logs_that_are_killed_leave_what_one_that_was_not_leaves(tmp_path, undisturbed):
    logs, where = tmp_path / "logs", str(tmp_path / "runs.db")
    logs.mkdir()
    killed(where, tmp_path / "got", 8, logs=logs)
    with Ledger(where) as ledger:
        check(ledger, tmp_path / "got")
        assert set(final(ledger).values()) == set(undisturbed.values())


def epoch(ledger):
    return ledger._database.read(lambda connection: connection.execute(select(leases.c.epoch)).scalar())


def play(ledger, first, last):
    """Put the evaluations of some rounds into a ledger."""
    for k in range(first, last):
        replay.put(ledger, k * replay.STEP)


def test_of_two_watchers_one_stands_by_and_takes_over_at_once(where, tmp_path, undisturbed):
    got = tmp_path / "got"
    with Ledger(where, create=True, patience=LIMIT) as ledger, watching(tmp_path, where, got) as first:
        play(ledger, 0, 1)
        wait_until(ledger.rulings.decisions, first)
        with watching(tmp_path, where, got) as second:
            wait_until(lambda: "standby" in [json.loads(line)["role"] for line in second.lines()], second)
            play(ledger, 1, 12)
            wait_until(lambda: seen(ledger), first)
            assert epoch(ledger) == 1
            first.kill()
            wait_until(lambda: epoch(ledger) == 2, second)  # at once: the lease of a process that runs lasts days
            play(ledger, 12, ROUNDS)
            wait_until(lambda: seen(ledger) and delivered(ledger), second)
            second.end()
        settled(ledger, got)
        check(ledger, got)
        assert final(ledger) == undisturbed


def test_a_leader_that_froze_writes_nothing_when_it_wakes(where, tmp_path):
    got, clock = tmp_path / "got", Clock()
    with Ledger(where, create=True, patience=LIMIT) as ledger, watching(tmp_path, where, got) as first:
        play(ledger, 0, 8)
        wait_until(lambda: seen(ledger) and delivered(ledger), first)
        courier = Courier(order(got), LIMIT)
        with closing(Watch(ledger, SETTINGS, acting=True, courier=courier, lasts=30.0, clock=clock)) as second:
            frozen(first, where)
            assert second.step().role == "standby"
            clock.advance(30.0)
            assert second.step().role == "acting"
            assert epoch(ledger) == 2
            play(ledger, 8, 18)
            assert second.step().decisions
            first.send(signal.SIGCONT)
            play(ledger, 18, ROUNDS)
            wait_until(lambda: any("taken over" in one.message for one in ledger.events.last()), first)
            settle(ledger, second)
            assert epoch(ledger) == 2
            epochs = [one.epoch for one in looks(ledger)]
            assert epochs == sorted(epochs)
            assert set(epochs) == {1, 2}
        wait_until(lambda: epoch(ledger) == 3, first)  # the first stands by, and leads again
        first.end()
        check(ledger, got)


def frozen(process, where):
    """Freeze a process where it holds nothing; one that froze in a transaction would be waited for."""
    process.freeze()
    while in_transaction(where):
        process.send(signal.SIGCONT)
        time.sleep(0.01)
        process.freeze()


def in_transaction(where):
    """Say whether another process than this one, which is at rest, has begun to write."""
    if "://" not in where:
        with closing(sqlite3.connect(where, timeout=0.0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False
    import psycopg

    asked = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
               AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    with psycopg.connect(where) as other:
        return bool(other.execute(asked).fetchone()[0])


def looks(ledger):
    return [ledger.rulings.look(one)[0] for one in dict.fromkeys(row.look_id for row in ledger.rulings.decisions())]


def test_a_leader_that_froze_in_a_transaction_is_cut_off(postgres):
    where, clock, show = postgres.database(), Clock(), text("SHOW idle_in_transaction_session_timeout")
    with Ledger(where, create=True, patience=90.0) as ledger:
        assert ledger._database.read(lambda connection: connection.execute(show).scalar()) == "90s"
    with Ledger(where, patience=LIMIT) as first, Ledger(where, patience=LIMIT) as second:
        standby, waiting = first.standby(), second.standby(lasts=30.0, clock=clock)
        lease = standby.take()
        entered, taken, errors = threading.Event(), threading.Event(), []

        def freeze(connection):
            hold(connection, lease)
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 200"))
            entered.set()
            assert taken.wait(LIMIT)
            hold(connection, lease)

        def lead():
            try:
                first._database.write(freeze)
            except LeaseLost as error:
                errors.append(error)

        thread = threading.Thread(target=lead)
        thread.start()
        assert entered.wait(LIMIT)
        assert waiting.take() is None  # it waits for the row until the server cuts the first one off
        clock.advance(30.0)
        assert waiting.take().epoch == 2
        taken.set()
        thread.join()
        assert errors  # done again after the cut, it found the lease taken
        with pytest.raises(LeaseLost):
            standby.beat(lease)


@contextmanager
def watched(tmp_path, *, where=None, patience=LIMIT, **more):
    """Yield a ledger and a watcher of it in this process, with the runs as they stand after eight rounds."""
    with Ledger(where or str(tmp_path / "runs.db"), create=True, patience=patience) as ledger:
        play(ledger, 0, 8)
        watch = Watch(ledger, more.pop("settings", SETTINGS), acting=True, **{"lasts": LONG, **more})
        try:
            yield ledger, watch
        finally:
            watch.close()


def stepped(watch, until):
    """Step until something is so; return what each pass found."""
    scenes = []

    def step():
        scenes.append(watch.step())
        return until(scenes[-1])

    wait_until(step)
    return scenes


def hanging(path):
    """Return the commands that have got to where they hang, and what each has started, by their process numbers."""
    path = Path(f"{path}.hangs")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return dict(map(int, line.split()) for line in lines if line.endswith("\n"))


@pytest.mark.parametrize(
    ("behaviour", "outcome", "code", "said"),
    [
        ("fail", "failed", 3, "no such job"),
        ("hang", "timeout", -signal.SIGKILL, ""),
        ("none", "failed", None, "cannot be started"),
        ("loud", "done", 0, "the end"),
    ],
)
def test_commands_that_misbehave_are_kept_and_hold_nothing_up(tmp_path, behaviour, outcome, code, said):
    got, clock = tmp_path / "got", Clock()
    words = order(got, behaviour) if behaviour != "none" else (str(tmp_path / "none"),)
    courier = Courier(words, 20.0, clock=clock)
    tries = 1 if outcome == "done" else 3

    def ended(_):
        running = {one.process.pid for one in courier._running}
        if not running:
            clock.advance(tries * RETRY)
        elif behaviour == "hang" and running <= hanging(got).keys():
            clock.advance(max(20.0, GRACE))
        return ends(ledger, tries)

    with watched(tmp_path, courier=courier, clock=clock) as (ledger, watch):
        scenes = stepped(watch, ended)
        for one in ledger.deliveries.of():
            assert (one.outcome, one.exit_code) == (outcome, code)
            assert said in one.said
            assert len(one.said) <= 2100
        troubles = scenes[-1].troubles
        assert bool(troubles) == (outcome != "done")
        messages = [one.message for one in ledger.events.last(100) if one.kind == "command"]
        numbers = {one.decision_id for one in ledger.deliveries.of()}
        assert len(messages) == (0 if outcome == "done" else 3 * len(numbers))
        assert len(numbers) < len(replay.TOPS)  # some have no decision yet that asks for something
        before = len(ledger.rulings.decisions())
        for k in range(8, 15):  # decisions go on
            play(ledger, k, k + 1)
            watch.step()
        assert len(ledger.rulings.decisions()) > before
        stepped(watch, lambda scene: ended(scene) and not watch.busy)
        wait_until(lambda: not any(map(alive, hanging(got).values())))
        assert bool(hanging(got)) == (behaviour == "hang")


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


def test_a_command_that_failed_and_works_again_is_well_again(tmp_path):
    script, clock = tmp_path / "once.sh", Clock()
    script.write_text(f"#!/bin/sh\ncat > /dev/null\n[ -e {tmp_path}/there ] || {{ touch {tmp_path}/there; exit 3; }}\n")
    script.chmod(0o755)
    with watched(tmp_path, courier=Courier((str(script),), LIMIT), clock=clock) as (ledger, watch):

        def well(_):
            clock.advance(RETRY)
            return delivered(ledger) and not watch.busy

        scenes = stepped(watch, well)
        assert "failed" in {one.outcome for one in ledger.deliveries.of()}
        assert scenes[-1].troubles == {}
        assert not any(scene.done for scene in scenes[:-1] if scene.troubles)


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
def test_clocks_that_jump_change_nothing(tmp_path, monkeypatch, jump, undisturbed):
    clock, shift = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: clock() + shift[0])
    with watched(tmp_path, courier=Courier(order(tmp_path / "got"), LIMIT), lasts=3600.0) as (ledger, watch):
        rival = ledger.standby(3600.0, holder="another")
        for k in range(8, ROUNDS, 3):
            play(ledger, k, min(k + 3, ROUNDS))
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
    with watched(tmp_path, courier=Courier(order(tmp_path / "got"), LIMIT)) as (ledger, watch):
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
    courier = Courier(order(tmp_path / "got"), LIMIT)
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
    with watched(tmp_path, courier=Courier(order(tmp_path / "got"), LIMIT)) as (ledger, watch):
        other = ledger.book.enlist(Heading(name="tokens", recipe="tokens", unit="tokens"))
        ledger.book.append({other.id: {"reward": points_of([0.0, 1e6], [0.1, 0.2])}})
        assert "gate" in watch.step().troubles
        watch._unit = "steps"  # as a watcher of one unit does
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, tmp_path / "got")


def test_a_second_word_of_a_person_is_part_of_the_next_look(tmp_path):
    with watched(tmp_path, courier=Courier(order(tmp_path / "got"), LIMIT)) as (ledger, watch):
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
    with watched(tmp_path) as (ledger, watch), locked_until_asked_for(ledger):
        scene = watch.step()
        assert scene.troubles == {}
        assert len(scene.decisions) == len(replay.TOPS)
        assert ledger.events.count() == 0


def test_a_ledger_that_stays_locked_is_said_once_and_watched_again_later(tmp_path, monkeypatch):
    logs, where, courier = tmp_path / "logs", str(tmp_path / "runs.db"), Courier(order(tmp_path / "got"), LIMIT)
    logs.mkdir()
    source = Follower([str(logs)], ReadOptions())
    with watched(tmp_path, patience=0.2, source=source, courier=courier) as (ledger, watch):
        watch.step()
        for k in range(12):
            replay.log(logs, k * replay.STEP)
        writes, write = [], ledger._database.write
        with locked(where), monkeypatch.context() as patch:
            patch.setattr(ledger._database, "write", lambda work: writes.append(work) or write(work))
            scene = watch.step()
        assert "locked" in scene.troubles["sources"]
        assert len([one for one in writes if "Book." in one.__qualname__]) == 1, writes  # not once for every run
        scenes = stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        assert scenes[-1].troubles == {}
        check(ledger, tmp_path / "got")


def test_a_command_whose_end_could_not_be_kept_is_kept_later(tmp_path):
    got = tmp_path / "got"
    courier = Courier(order(got, "wait"), LIMIT)
    with watched(tmp_path, patience=0.2, courier=courier) as (ledger, watch):
        while watch.step().decisions:
            assert watch.busy
        Path(f"{got}.go").touch()
        wait_until(lambda: all(one.process.poll() is not None for one in courier._running))
        with locked(str(tmp_path / "runs.db")):
            for _ in range(3):
                watch.step()
            assert not watch.busy
        assert {one.outcome for one in ledger.deliveries.of()} == {"started"}
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        check(ledger, got)
        assert {one.attempt for one in ledger.deliveries.of()} == {1}


def test_a_watcher_goes_on_after_its_database_crashed(postgres, tmp_path, undisturbed):
    where, got = postgres.database(), tmp_path / "got"
    with Ledger(where, create=True, patience=LIMIT) as ledger, watching(tmp_path, where, got) as process:
        play(ledger, 0, 1)
        wait_until(ledger.rulings.decisions, process)
        playing = threading.Thread(target=play, args=(ledger, 1, ROUNDS))
        playing.start()
        wait_until(lambda: len(ledger.book.points(ledger.book.runs()[:1])[1]) > 5, process)
        postgres.stop("immediate")
        postgres.start()
        playing.join()
        wait_until(lambda: seen(ledger) and delivered(ledger), process)
        process.end()
        settled(ledger, got)
        check(ledger, got)
        assert final(ledger) == undisturbed
        assert {one.attempt for one in ledger.deliveries.of()} == {1}


def test_a_look_whose_answer_was_lost_is_taken_up(tmp_path, monkeypatch):
    """The look was kept and the watcher was not told: it must not take the next one for it."""
    with watched(tmp_path, courier=Courier(order(tmp_path / "got"), LIMIT)) as (ledger, watch):
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
    with watched(tmp_path, courier=Courier(order(got), LIMIT)) as (ledger, watch):
        append(ledger, name, [10 * k for k in range(8)], [0.3 * k / (k + 3.0) for k in range(8)])
        stepped(watch, lambda _: delivered(ledger) and not watch.busy)
        told = [one for one in received(got) if one["run"] == name]
        assert [one["decision"] for one in told] == ["hold"]
        assert told[0]["argv"] == [str(got), "ok"]
        assert os.listdir(tmp_path).count("x") + os.listdir(tmp_path).count("y") == 0
        check(ledger, got)
