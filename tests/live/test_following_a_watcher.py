"""What is seen of a watcher by others: one that stands by, a view that acts on nothing, and what is wrong."""

import sys

import pytest

from rlscale.errors import SourceError
from rlscale.ledger import Ledger
from rlscale.live import View
from rlscale.live.troubles import Troubles
from rlscale.sources import Reading
from tests.live.test_commands import document
from tests.live.test_watch import CEILINGS, STEPS, Script, grow, run, watch
from tests.processes import Forked, command
from tests.test_cli import invoke
from tests.waiting import wait_until


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "runs.db")


def same(scene, other):
    assert [one.document() for one in scene.sight.answer.decisions] == [
        one.document() for one in other.sight.answer.decisions
    ]
    assert scene.sight.answer.savings == other.sight.answer.savings


def test_a_view_shows_what_the_leader_sees_and_leaves_the_ledger_alone(where):
    with Ledger(where, create=True) as ledger:
        view = View(ledger)
        empty = view.step()
        assert (empty.role, empty.sight, empty.watcher, empty.decisions) == ("view", None, None, ())
        grow(ledger, STEPS[:14])
        leader = watch(ledger)
        led = leader.step()
        scene = view.step()
        same(scene, led)
        assert [one.id for one in scene.decisions] == [one.id for one in led.decisions]
        assert "process" in scene.watcher
        assert view.step().decisions == ()
        grow(ledger, STEPS[14:16])
        same(view_after(view, leader), leader.step())
        leader.close()
        assert ledger.rulings.last_look(acting=False) is None
        assert ledger.standby(acting=False).take().epoch == 1  # no view ever asked for a lease


def view_after(view, leader):
    leader.step()
    return view.step()


def test_a_view_as_typed(where):
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS[:14])
        leader = watch(ledger)
        leader.step()
        shown = invoke("watch", "--view", "--ledger", where, "--once")
        leader.close()
    assert shown.exit_code == 0, shown.stderr
    first, *others = shown.stdout.splitlines()
    assert "process" in first.split(" leads; ")[0]
    assert first.endswith("commit 1, hold 3; best is forecast best")
    assert sum(f" {name}: " in line for line in others for name in CEILINGS) == 4
    told = document("watch", "--view", "--ledger", where, "--once")
    assert (told["role"], told["watcher"], len(told["runs"])) == ("view", None, 4)
    assert told["savings"]["planned"] == 400.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["logs"], "leave logs out"),
        (["--act"], "leave --act out"),
        (["--on-decision", "true"], "leave --on-decision out"),
        (["--price", "2"], "--price 2 is for GPU-hours and compute is in steps"),
    ],
)
def test_what_a_view_cannot_do_is_refused(where, more, said):
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS[:3])
    result = invoke("watch", "--view", "--ledger", where, "--once", *more)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_view_makes_no_ledger(tmp_path):
    assert invoke("watch", "--view", "--ledger", tmp_path / "none.db", "--once").exit_code == 2
    assert not (tmp_path / "none.db").exists()


def test_a_watcher_that_stands_by_tells_a_line_a_look(where, tmp_path):
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS[:14])
        leader = watch(ledger)
        leader.step()
        words = ["watch", "--ledger", where, "--act", "--budget", "100", "--interval", "0.05", "--lease", "1000000"]
        with Forked(tmp_path, command, *words) as second:
            wait_until(lambda: looks_told(second) == [1], second)
            grow(ledger, STEPS[14:15])
            leader.step()
            wait_until(lambda: looks_told(second) == [1, 2], second)
            (first, _) = (line for line in second.lines() if "standing by" in line)
            assert first.startswith("standing by: ")
            assert "commit 1, hold 3; best is forecast best" in first
            assert sum(" hold " in line and "#" in line for line in second.lines()) == 3
            second.end()
        leader.close()


def looks_told(process):
    return [int(line.split(" look ")[1].split(":")[0]) for line in process.lines() if "standing by" in line]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("{folder}/none.sh --now", "there is no program '{folder}/none.sh'; give its path"),
        ("no-such-program-anywhere", "there is no program 'no-such-program-anywhere'"),
        ("{folder}/plain.sh", "'{folder}/plain.sh' may not be run; make it executable (chmod +x)"),
        ("{folder}", "'{folder}' is a folder"),
    ],
)
def test_a_command_that_cannot_be_started_is_refused_at_once(where, tmp_path, program, said):
    (tmp_path / "plain.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    result = invoke(
        "watch", "--ledger", where, "--budget", 5, "--once", "--on-decision", program.format(folder=tmp_path)
    )
    assert result.exit_code == 2
    assert f"--on-decision: {said.format(folder=tmp_path)}" in result.stderr


def test_one_pass_fails_where_a_command_did(where, tmp_path):
    script = tmp_path / "carry.py"
    script.write_text("import sys; print('no such job'); sys.exit(7)\n", encoding="utf-8")
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS[:14])
    words = ("watch", "--ledger", where, "--budget", 100, "--act", "--once")
    failed = invoke(*words, "--on-decision", f"{sys.executable} {script}")
    assert failed.exit_code == 2
    assert "(exit code 7): no such job; " in failed.stderr
    said = [line for line in failed.stdout.splitlines() if "no such job" in line]
    assert len(said) == len(set(said)) == 4  # each command once
    assert not [line for line in failed.stdout.splitlines() if "attempt 1: failed" in line]
    script.write_text("", encoding="utf-8")
    done = invoke(*words, "--on-decision", f"{sys.executable} {script}")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("attempt 2: done") == 4
    listed = invoke("ledger", "list", "--ledger", where).stdout
    assert "What is wrong now" not in listed
    assert listed.count("no such job; right again") == 4


def test_open_errors_are_not_headed_right_again(where):
    gone, torn = SourceError("x/log", "is gone"), SourceError("y/log", "is torn")
    with Ledger(where, create=True) as ledger:
        for errors in ((gone, torn), (gone, torn), (torn,)):  # three watchers, one after the other
            watcher = watch(ledger, source=Script(reading(*errors)))
            watcher.step()
            watcher.close()
        told = [(one.subject, one.message) for one in ledger.events.last()]
        assert told == [("x/log", "is gone"), ("y/log", "is torn")]
        (found,) = [one for one in ledger.events.open() if one.subject == "y/log"]
        assert found.message == "is torn"
    listed = invoke("ledger", "list", "--ledger", where).stdout
    assert listed.index("What is wrong now") < listed.index("source y/log: is torn")
    assert "right again" not in listed
    assert {one["subject"] for one in document("ledger", "list", "--ledger", where)["wrong_now"]} == {"x/log", "y/log"}


def reading(*errors):
    return Reading((run("best", 6), run("low", 6)), errors)


def test_what_an_earlier_watcher_left_open_is_ended_by_one_that_finds_it_right(where):
    with Ledger(where, create=True) as ledger:
        Troubles(ledger).ill("gate", "not now")
        grow(ledger, STEPS[:6])
        watcher = watch(ledger)
        watcher.step()
        watcher.close()
        assert [one.message for one in ledger.events.last()] == ["not now", "is well again"]
        assert ledger.events.open() == ()
