"""Alarms from the command line: logs that are written while they are watched, and what is refused."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from rlscale.ledger import Ledger
from tests.live.alarms.hook import Hook, answer
from tests.live.alarms.test_command import order, received
from tests.live.alarms.written import line
from tests.processes import Forked, command
from tests.test_cli import invoke
from tests.waiting import LIMIT, wait_until

SICK, WELL, LAST = 24, 40, 60


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class Writer:
    """A trainer that writes a step when it is told to."""

    def __init__(self, folder):
        self.path = Path(folder) / "log.jsonl"
        self.path.parent.mkdir(parents=True)
        self.step = 0

    def write(self, upto):
        with self.path.open("a", encoding="utf-8") as out:
            while self.step < upto:
                self.step += 1
                out.write(line(self.step, sick=SICK <= self.step < WELL))


def of(documents, kind):
    return [one["event"] for one in documents if one["kind"] == kind]


def test_logs_that_are_written_while_they_are_watched(tmp_path):
    """A trainer writes, collapses and comes back; a terminal, a program and a webhook are told once each."""
    writer, got = Writer(tmp_path / "logs" / "base"), tmp_path / "got"
    writer.write(10)
    with Hook() as hook:
        words = ["health", "--watch", str(tmp_path / "logs"), "--interval", "0.05", "--webhook", hook.url]
        with Forked(tmp_path, command, *words, "--on-alarm", " ".join(order(got))) as process:
            wait_until(lambda: "follows 1 run: base" in "".join(process.lines()), process)
            for k in range(11, SICK + 6):
                writer.write(k)
            wait_until(lambda: of(hook.accepted, "collapse") == ["onset"], process)
            wait_until(lambda: of(hook.accepted, "entropy_explosion") == ["onset"], process)
            assert "recovery" not in {one["event"] for one in hook.accepted}
            writer.write(LAST)
            wait_until(lambda: of(hook.accepted, "collapse") == ["onset", "recovery"], process)
            wait_until(lambda: of(hook.accepted, "entropy_explosion") == ["onset", "recovery"], process)
            process.end()
        (told,) = [one for one in process.lines() if "■ stop base: collapse since" in one]
        assert "go back to a checkpoint" in told
        assert sum("✔ over base: collapse is over" in one for one in process.lines()) == 1
        assert of(received(got), "collapse") == ["onset", "recovery"]
        assert "s3cret" not in "".join(process.lines()) + process.errors()


def test_json_is_an_alarm_a_line(tmp_path):
    writer = Writer(tmp_path / "logs" / "base")
    writer.write(SICK + 6)
    words = ["health", "--watch", str(tmp_path / "logs"), "--interval", "0.05", "--json", "--alarm-level", "stop"]
    with Forked(tmp_path, command, *words) as process:
        wait_until(lambda: of(map(json.loads, process.lines()), "collapse"), process)
        process.end()
    documents = [json.loads(one) for one in process.lines()]
    assert {one["severity"] for one in documents} == {"stop"}
    assert {"schema", "event", "kind", "run", "recipe", "severity", "since", "value", "threshold", "message", "source",
            "false_alarms", "at"} <= documents[0].keys()  # fmt: skip


@contextmanager
def piped(folder, *words):
    """Yield a process that prints into a pipe, and what it has said on its standard error."""
    order = [sys.executable, "-m", "rlscale", *words, str(folder / "logs"), "--interval", "0.05", "--json"]
    path = folder / "err"
    with (
        path.open("w") as errors,
        subprocess.Popen(order, cwd=folder, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            yield process, lambda: path.read_text(encoding="utf-8")
        finally:
            process.kill()


@pytest.mark.parametrize("words", [("health", "--watch"), ("watch", "--ledger", "runs.db", "--budget", "100")])
def test_json_through_a_pipe_comes_at_once_and_a_reader_that_goes_ends_it(tmp_path, words):
    writer = Writer(tmp_path / "logs" / "base")
    writer.write(SICK + 6)
    with piped(tmp_path, *words) as (process, errors):
        assert json.loads(process.stdout.readline())["schema"] == 1  # while it goes on
        assert process.poll() is None
        process.stdout.close()
        assert process.wait(LIMIT) == 0, errors()
        assert "Error" not in errors()


def test_a_watch_that_has_nothing_to_say_ends_with_its_reader(tmp_path):
    Writer(tmp_path / "logs" / "base").write(SICK - 4)
    with piped(tmp_path, "health", "--watch") as (process, errors):
        wait_until(lambda: "follows 1 run: base" in errors(), process)
        process.stdout.close()
        assert process.wait(LIMIT) == 0, errors()


def test_a_folder_without_logs_is_waited_for_and_a_bad_file_is_told_once(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "bad.jsonl").write_text(
        '{"step": 1, "reward": 0.1}\nnonsense\n{"step": 2}\n', encoding="utf-8"
    )
    with Forked(tmp_path, command, "health", "--watch", str(tmp_path / "logs"), "--interval", "0.05") as process:
        wait_until(lambda: any("none yet" in one for one in process.lines()), process)
        writer = Writer(tmp_path / "logs" / "base")
        writer.write(5)
        wait_until(lambda: any("follows 1 run: base" in one for one in process.lines()), process)
        process.end()
    assert sum("bad.jsonl" in one for one in process.lines()) == 1


def test_one_pass_of_watch_sends_before_it_ends_and_the_next_sends_nothing_twice(tmp_path):
    writer, where = Writer(tmp_path / "logs" / "base"), tmp_path / "runs.db"
    writer.write(SICK + 6)
    with Hook(answer(503), answer(200)) as hook:
        words = ("watch", tmp_path / "logs", "--ledger", where, "--budget", 500, "--once")
        for _ in range(2):
            result = invoke(*words, "--webhook", hook.url)
            assert result.exit_code == 0, result.stderr
            assert "s3cret" not in result.stdout + result.stderr
        asked = [(body["run"], body["kind"]) for _, _, body in hook.requests]
        assert ("base", "collapse") in asked
        assert len(asked) == len(set(asked)) + 1  # the first was refused, and sent again
        assert "still there: ■ stop base: collapse" in result.stdout
    listed = invoke("ledger", "list", "--ledger", where).stdout
    assert "Alarms now" in listed
    assert "base: collapse since" in listed
    alarms = json.loads(invoke("ledger", "list", "--ledger", where, "--json").stdout)["alarms"]
    assert {("collapse", "onset", True)} <= {(one["kind"], one["event"], one["dry_run"]) for one in alarms}
    with Ledger(str(where)) as held:
        assert "s3cret" not in repr(held.events.last(500))
    assert b"s3cret" not in where.read_bytes()
    writer.write(LAST)
    for _ in range(4):  # from cron, so to say: recoveries come, too
        invoke(*words)
        writer.write(writer.step + 2)
    listed = invoke("ledger", "list", "--ledger", where).stdout
    assert "Alarms that are over" in listed
    assert "base: collapse is over" in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("health", "bundled", "--webhook", "https://h/s3cret"), "--webhook is of a watch: add --watch"),
        (("health", "bundled", "--on-alarm", "true"), "--on-alarm is of a watch: add --watch"),
        (("health", "bundled", "--alarm-level", "stop"), "--alarm-level is of a watch: add --watch"),
        (("health", "bundled", "--watch", "--explain", "base/seed0"), "--explain is of a single look"),
        (("health", "bundled", "--watch", "--webhook", "https://u:s3cret@h/"), "--webhook holds a user or password"),
        (("health", "bundled", "--watch", "--webhook", "ftp://s3cret"), "--webhook is no http or https address"),
        (("health", "bundled", "--watch", "--on-alarm", "no-such-program"), "--on-alarm: there is no program"),
        (("health", "bundled", "--watch", "--unit", "miles"), "unknown compute unit 'miles'"),
        (("watch", "--ledger", "x.db", "--view", "--on-alarm", "true"), "leave --on-alarm out"),
        (("watch", "--ledger", "x.db", "--budget", "5", "--webhook", "s3cret"), "--webhook is no http or https"),
    ],
)
def test_what_is_refused(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == 2, result.stdout
    assert said in result.stderr
    assert "s3cret" not in result.stderr + result.stdout


def test_the_address_comes_from_the_environment_and_the_token_is_never_shown(tmp_path):
    writer = Writer(tmp_path / "logs" / "base")
    writer.write(SICK + 6)
    with Hook() as hook:
        told = {**os.environ, "RLSCALE_WEBHOOK": hook.url, "RLSCALE_WEBHOOK_TOKEN": "t0ken"}
        words = ["watch", str(tmp_path / "logs"), "--ledger", str(tmp_path / "r.db"), "--budget", "500", "--once"]
        done = subprocess.run(
            [sys.executable, "-m", "rlscale", *words, "--json"], env=told, capture_output=True, text=True, check=True
        )
        assert of(hook.accepted, "collapse") == ["onset"]
        assert {headers["Authorization"] for _, headers, _ in hook.requests} == {"Bearer t0ken"}
    assert "s3cret" not in done.stdout + done.stderr
    assert "t0ken" not in done.stdout + done.stderr
    document = json.loads(done.stdout.splitlines()[0])
    assert "collapse" in {one["kind"] for one in document["alarms"]}
    assert {"collapse"} <= {one["kind"] for one in document["open_alarms"]}


def test_help_shows_how():
    shown = " ".join(invoke("health", "--help").stdout.split())
    assert "rlscale health --watch runs/ --on-alarm ./tell.sh" in shown
    assert "RLSCALE_WEBHOOK" in shown
