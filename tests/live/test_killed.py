"""Watchers that are killed, stopped, doubled; commands that fail and hang; clocks that jump. Real processes."""

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Ledger, points_of
from rlscale.live import Courier, Watch, WatchSettings, carried, explain
from rlscale.live import watch as watch_module
from tests.live.test_watch import CEILINGS, STEPS, grow, watch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}


def start(*args, **more):
    return subprocess.Popen(
        [sys.executable, *map(str, args)], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    )


def watcher(where, log, *more):
    obey = shlex.join([sys.executable, str(HERE / "obey.py"), str(log)])
    return start("-m", "rlscale", "watch", "--ledger", where, "--budget", 100, "--act", "--interval", 0.05,
                 "--on-decision", obey, *more)  # fmt: skip


def ended(process, seconds=60):
    try:
        return process.wait(seconds)
    finally:
        process.kill()
        process.wait()


def said(log):
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def check_log(ledger, log):
    """Every decision there once, in a chain that fits, comes out the same again, and was carried out."""
    decisions = ledger.rulings.decisions()
    assert len({(one.look_id, one.run) for one in decisions}) == len(decisions)
    for name in CEILINGS:
        chain = [one for one in decisions if one.run == name]
        assert [one.before for one in chain] == [None, *(one.action for one in chain[:-1])]
        assert all(one.before != one.action for one in chain)
    for one in decisions:
        found = explain(ledger, one.id)
        assert (found.same, found.same_inputs) == (True, True), one
    deliveries = ledger.deliveries.of()
    done = Counter(one.decision_id for one in deliveries if one.outcome == "done")
    assert all(count == 1 for count in done.values())
    latest = ledger.rulings.latest(acting=True).values()
    assert {one.id for one in latest if carried(one)} <= set(done)
    # what was run again was interrupted before, and was told so
    runs = Counter((one["decision_id"], one["attempt"]) for one in said(log))
    assert all(count == 1 for count in runs.values())
    for decision in {number for number, _ in runs}:
        attempts = sorted(attempt for number, attempt in runs if number == decision)
        outcomes = {one.attempt: one.outcome for one in deliveries if one.decision_id == decision}
        assert all(outcomes[attempt] == "interrupted" for attempt in attempts[:-1])


def test_a_watcher_that_is_killed_thirty_times_loses_nothing_and_decides_nothing_twice(tmp_path):
    where, log = str(tmp_path / "runs.db"), tmp_path / "said.jsonl"
    chance = random.Random(3)
    with Ledger(where, create=True) as ledger:
        trainer = start(HERE / "replayed.py", where, 30)
        for _ in range(30):
            process = watcher(where, log)
            wait_for(partial(leads, ledger, process))
            time.sleep(chance.uniform(0.0, 0.7))
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert ended(trainer) == 0
    assert ended(watcher(where, log, "--until-done")) == 0
    with Ledger(where) as ledger:
        check_log(ledger, log)
        assert ledger.rulings.latest(acting=True)[ledger.book.run("best").id].action == "commit"
        looks = ledger.rulings.last_look(acting=True)
        assert looks.epoch == 31


def test_two_watchers_act_once_and_the_second_takes_over(tmp_path):
    where, log = str(tmp_path / "runs.db"), tmp_path / "said.jsonl"
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS[:6])
        first = watcher(where, log, "--lease", 1)
        wait_for(lambda: ledger.watcher() is not None)
        second = watcher(where, log, "--lease", 1)
        try:
            time.sleep(1.0)
            grow(ledger, STEPS[6:9])
            wait_for(lambda: any(map(carried, ledger.rulings.decisions())))
            stop_between_transactions(first, where)  # longer than its lease lasts
            wait_for(partial(leads, ledger, second))
            os.kill(first.pid, signal.SIGCONT)
            grow(ledger, STEPS[9:14])
            wait_for(lambda: ledger.rulings.latest(acting=True)[ledger.book.run("best").id].action == "commit")
            second.kill()
            second.wait()
            wait_for(partial(leads, ledger, first))  # at once: the holder is dead
            grow(ledger, STEPS[14:])
            wait_for(lambda: settled(ledger))
        finally:
            for process in (first, second):
                process.kill()
                process.wait()
        check_log(ledger, log)
        assert ledger.rulings.last_look(acting=True).epoch == 3


def stop_between_transactions(process, where):
    """Stop a process; one that is stopped while it writes to an SQLite file keeps everybody from writing."""
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            with Ledger(where, patience=0.3) as own:
                own.events.add("test", "", "it is not locked")
                return
        except LedgerError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.1)


def settled(ledger):
    """Whether all has been looked at and the latest decisions were carried out."""
    latest = {one.id for one in ledger.rulings.latest(acting=True).values() if carried(one)}
    done = {one.decision_id for one in ledger.deliveries.of() if one.outcome == "done"}
    _, saw = ledger.rulings.look(ledger.rulings.last_look(acting=True).id)
    return latest <= done and {one.seq for one in saw} == {len(STEPS)}


def leads(ledger, process):
    return f"process {process.pid}" in (ledger.watcher() or "")


def wait_for(what, seconds=30.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        yield held


@pytest.mark.parametrize(("how", "outcome", "words"), [
    ("fail", "failed", "no such job"),
    ("hang", "timeout", ""),
    ("loud", "done", "x" * 100),
    ("missing", "failed", "cannot be started"),
])  # fmt: skip
def test_commands_that_fail_or_hang_stop_nothing(ledger, tmp_path, monkeypatch, how, outcome, words):
    monkeypatch.setattr(watch_module, "RETRY", 0.0)
    log = tmp_path / "said.jsonl"
    program = ("/no/such/program",) if how == "missing" else (sys.executable, str(HERE / "obey.py"), str(log), how)
    watcher = watch(ledger, courier=Courier(program, timeout=0.5))
    grow(ledger, STEPS[:14])
    until = time.monotonic() + 25.0
    finals = 1 if outcome == "done" else 3
    while time.monotonic() < until:
        scene = watcher.step()
        counts = Counter(one.decision_id for one in ledger.deliveries.of() if one.outcome == outcome)
        if counts and not watcher.busy and min(counts.values()) == finals and len(counts) == 4:
            break
        time.sleep(0.02)
    assert Counter(one.outcome for one in ledger.deliveries.of()) == {outcome: finals * 4}
    assert all(words in one.said and len(one.said) <= 2000 for one in ledger.deliveries.of())
    assert bool(scene.troubles) == (outcome != "done")
    assert bool(ledger.events.last()) == (outcome != "done")
    if how == "hang":
        assert not subprocess.run(["pgrep", "-f", str(log)], capture_output=True, check=False).stdout
    watcher.close()


def test_a_run_named_like_a_command_is_told_on_standard_input_alone(ledger, tmp_path):
    name, log = "$(touch x); rm -rf *; `id` --help", tmp_path / "said.jsonl"
    grow(ledger, STEPS[:14])
    row = ledger.book.enlist(Heading(name=name, recipe="r"))
    ledger.book.append({row.id: {"reward": points_of(list(STEPS[:14]), [0.1 + 0.001 * k for k in range(14)])}})
    watcher = watch(ledger, courier=Courier((sys.executable, str(HERE / "obey.py"), str(log)), timeout=20.0))
    end = time.monotonic() + 20.0
    while time.monotonic() < end and not (log.exists() and len(said(log)) == 5 and not watcher.busy):
        watcher.step()
        time.sleep(0.05)
    assert name in {one["run"] for one in said(log)}
    assert not Path("x").exists()
    watcher.close()


def test_clocks_that_jump_change_nothing(ledger, monkeypatch):
    real, jump = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jump[0])
    watcher = watch(ledger, lasts=1.0)
    for k, shift in enumerate([0.0, 86_400.0, -86_400.0, 0.0]):
        jump[0] = shift
        grow(ledger, STEPS[4 * k : 4 * k + 4])
        scene = watcher.step()
        assert scene.role == "acting"
        assert scene.troubles == {}
    decisions = ledger.rulings.decisions()
    assert [one.id for one in decisions] == sorted(one.id for one in decisions)
    assert all(explain(ledger, one.id).same for one in decisions)
    watcher.close()


def test_postgres_restarts_under_a_watcher(postgres):
    with Ledger(postgres.database(), create=True) as ledger:
        grow(ledger, STEPS[:8])
        watcher = Watch(ledger, WatchSettings(budget=100.0), acting=True)
        watcher.step()
        postgres.stop("immediate")
        postgres.start()
        grow(ledger, STEPS[8:14])
        scene = watcher.step()
        assert scene.troubles == {}
        assert ledger.rulings.latest(acting=True)[ledger.book.run("best").id].action == "commit"
        assert all(explain(ledger, one.id).same for one in ledger.rulings.decisions())
        watcher.close()
