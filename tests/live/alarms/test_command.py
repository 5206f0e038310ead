"""Alarms to a program: it fails, hangs, is not there; nobody waits for it."""

import json
import sys
from pathlib import Path

import pytest

from rlscale.errors import InputError
from rlscale.live import Courier, check_program, command_of
from rlscale.live.alarms import ONSET, AlarmCommand, AlarmEvent
from rlscale.live.courier import GRACE
from tests.live import receiver
from tests.live.alarms.test_state import signal
from tests.waiting import LIMIT, Clock, wait_until

EVENT = AlarmEvent(event=ONSET, signal=signal(), at=1.0)


def order(path, behaviour="ok"):
    return (sys.executable, "-S", receiver.__file__, str(path), behaviour)


def received(path):
    if not Path(path).exists():
        return []
    lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def test_it_is_told_all_on_its_standard_input(tmp_path):
    command = AlarmCommand(Courier(order(tmp_path / "got"), LIMIT))
    command.send(EVENT)
    assert command.close(LIMIT) == ""
    ((told),) = received(tmp_path / "got")
    assert {key: told[key] for key in EVENT.document()} == EVENT.document()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [("fail", "the command for a: truncation since 60 steps failed (exit code 3): no such job"),
     ("none", "the command for a: truncation since 60 steps failed: ")],
)  # fmt: skip
def test_one_that_fails_is_told_and_not_repeated(tmp_path, behaviour, said):
    got = tmp_path / "got"
    words = order(got, behaviour) if behaviour != "none" else (str(tmp_path / "none"),)
    command = AlarmCommand(Courier(words, LIMIT))
    command.send(EVENT)
    wait_until(lambda: command.trouble().startswith(said))
    for _ in range(20):
        command.trouble()
    assert not command.busy
    assert len(received(got)) == (behaviour == "fail")


def test_one_that_works_again_is_well_again(tmp_path):
    script = tmp_path / "once.sh"
    script.write_text(f"#!/bin/sh\n[ -e {tmp_path}/there ] || {{ touch {tmp_path}/there; exit 3; }}\n")
    script.chmod(0o755)
    command = AlarmCommand(Courier((str(script),), LIMIT))
    command.send(EVENT)
    wait_until(command.trouble)
    command.send(EVENT)
    wait_until(lambda: not command.trouble())


def test_one_that_hangs_is_ended(tmp_path):
    clock, got = Clock(), tmp_path / "got"
    command = AlarmCommand(Courier(order(got, "hang"), 20.0, clock=clock))
    command.send(EVENT)
    hangs = Path(f"{got}.hangs")

    def ended():
        if hangs.exists() and hangs.read_text(encoding="utf-8").endswith("\n"):
            clock.advance(max(20.0, GRACE))
        return "took too long" in command.trouble()

    wait_until(ended)
    assert not command.busy


def test_many_at_once_wait_and_too_many_are_dropped_and_counted(tmp_path):
    got = tmp_path / "got"
    command = AlarmCommand(Courier(order(got, "wait"), LIMIT), room=3)
    for _ in range(8 + 3 + 5):
        command.send(EVENT)
    assert command.trouble() == "5 alarms were dropped: too many waited for commands"
    Path(f"{got}.go").touch()
    command.close(LIMIT)
    assert len(received(got)) == 11


@pytest.mark.parametrize(
    ("words", "said"),
    [("", "--on-alarm is empty; give a program that reads an alarm as JSON on its standard input"),
     ("'a", "--on-alarm \"'a\" cannot be taken apart"),
     ("no-such-program-anywhere", "--on-alarm: there is no program 'no-such-program-anywhere'")],
)  # fmt: skip
def test_a_command_that_is_none_is_refused(words, said):
    with pytest.raises(InputError) as raised:
        check_program(command_of(words, "--on-alarm"), "--on-alarm")
    assert raised.value.on_command_line.startswith(said)
