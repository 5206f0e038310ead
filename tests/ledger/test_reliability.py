"""What a ledger withstands: killed writers, many writers, locks, full disks, a database that crashes, wrong files."""

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.default import DefaultDialect

from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Ledger, LookRow, Read, Ruled, points_of
from tests.ledger import writer
from tests.ledger.writer import value_of
from tests.processes import Forked
from tests.waiting import LIMIT, wait_until

METRIC = "reward"
NOBODY = 65534


def writing(folder, where, runs="a", first=0, last=10_000):
    """Start a process that writes."""
    return Forked(folder, writer.main, where, runs, first, last, LIMIT)


def acknowledged(process):
    """Return the points that a writer said are kept."""
    found = set()
    for line in process.lines():
        if line.startswith("ack "):
            _, run, compute, value = line.split()
            found.add((run, float(compute), float(value)))
    return found


def kept(where):
    """Return the points of a ledger, and check that none is there twice and that their numbers have no gaps."""
    with Ledger(where) as ledger:
        asked = text(
            "SELECT r.name, p.compute, p.value, p.seq, r.last_seq FROM points p JOIN runs r ON r.id = p.run_id"
        )
        rows = ledger._database.read(lambda connection: [tuple(row) for row in connection.execute(asked)])
    points = [(name, compute, value) for name, compute, value, _, _ in rows]
    assert len({(name, compute) for name, compute, _ in points}) == len(points)
    for run in {name for name, *_ in points}:
        numbers = sorted(seq for name, _, _, seq, _ in rows if name == run)
        assert numbers == list(range(1, len(numbers) + 1))
        assert {last for name, *_, last in rows if name == run} == {len(numbers)}
    return set(points)


@contextmanager
def enlisted(where, **more):
    with Ledger(where, create=True, **more) as ledger:
        yield ledger, ledger.book.enlist(Heading(name="a", recipe="a"))


def append(ledger, row, compute, value=0.5):
    return ledger.book.append({row.id: {METRIC: points_of([compute], [value])}})


def said_more_than(process, lines):
    return len(process.lines()) > lines


def test_writers_that_are_killed_lose_nothing_they_acknowledged(where, tmp_path):
    """Each round kills a writer in the middle of its work, the next one goes on."""
    rounds, rng, said = 50 if "://" not in where else 10, random.Random(1), set()
    for k in range(rounds):
        with writing(tmp_path, where, first=1000 * k, last=1000 * (k + 1)) as process:
            wait_until(partial(said_more_than, process, rng.randrange(12)), process)
            time.sleep(rng.uniform(0.0, 0.01))  # where in its work the kill hits it is left to chance
            process.kill()
            said |= acknowledged(process)
        if "://" not in where:
            with closing(sqlite3.connect(where)) as direct:
                assert direct.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(said) > rounds
    found = kept(where)
    assert said <= found
    assert all(value == value_of(run, compute) for run, compute, value in found)


def test_many_writers_at_once_leave_every_point_once(where, tmp_path):
    with enlisted(where):
        pass
    with ExitStack() as held:
        # every run of its own from 0 to 15; the shared one from two writers each
        spans = [(8 * k if k % 2 else 8 * (k + 1), 8 * k + 16) for k in range(8)]
        writers = [held.enter_context(writing(tmp_path, where, f"own{k},shared", *spans[k])) for k in range(8)]
        assert [one.wait() for one in writers] == [0] * 8
        said = set().union(*map(acknowledged, writers))
    assert kept(where) == said
    assert {run for run, *_ in said} == {"shared", *(f"own{k}" for k in range(8))}


@contextmanager
def locked(where):
    """Hold a file as another program might; yields what lets go of it."""
    other = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Lock()

    def let_go():
        if release.acquire(blocking=False):
            other.execute("ROLLBACK")
            other.close()

    hang = threading.Timer(LIMIT, let_go)  # who waits for ever fails the test, and does not block it
    hang.start()
    try:
        yield let_go
    finally:
        hang.cancel()
        let_go()


@contextmanager
def locked_until_asked_for(ledger):
    """Hold a ledger's file until the ledger has begun to wait for it."""
    engine, begun = ledger._database._engine, threading.Event()

    def note(connection, cursor, statement, *_):
        if statement == "BEGIN IMMEDIATE":
            begun.set()

    with locked(str(ledger.where.file)) as let_go:

        def follow():
            begun.wait(LIMIT)
            time.sleep(0.2)  # so that it does wait; it would get the file in any case
            let_go()

        event.listen(engine, "before_cursor_execute", note)
        thread = threading.Thread(target=follow)
        thread.start()
        yield
        assert begun.is_set()
        thread.join()
        event.remove(engine, "before_cursor_execute", note)


def test_a_locked_ledger_is_waited_for(tmp_path):
    with enlisted(str(tmp_path / "runs.db"), patience=LIMIT) as (ledger, row):
        append(ledger, row, 1)
        with locked_until_asked_for(ledger):
            assert append(ledger, row, 2) == 1


def test_a_ledger_that_stays_locked_is_said_to_be_and_works_again_later(tmp_path):
    where = str(tmp_path / "runs.db")
    with enlisted(where, patience=0.3) as (ledger, row):
        append(ledger, row, 1)
        with locked(where), pytest.raises(LedgerError, match="locked; another process holds it"):
            append(ledger, row, 2)
        assert append(ledger, row, 2) == 1


@pytest.fixture
def small(tmp_path):
    """A file system of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def filled(ledger, row, first=0):
    """Append until nothing more fits; return what was kept, and what was said."""
    for k in range(first, 200):
        try:
            ledger.book.append({row.id: {METRIC: points_of([k * 500 + j for j in range(500)], [0.5] * 500)}})
        except LedgerError as error:
            return k, str(error)
    raise AssertionError("it never got full")


def test_a_full_disk_is_said_and_costs_nothing_that_was_there(small, monkeypatch):
    where = str(small / "runs.db")
    ballast = small / "ballast"
    ballast.write_bytes(bytes(600_000))
    with enlisted(where) as (ledger, row):
        pauses = []
        monkeypatch.setattr("rlscale.ledger.database.time.sleep", pauses.append)
        parts, said = filled(ledger, row)
        assert "full; free some space: what was written before is safe" in said
        assert pauses == []  # it does not empty itself while we wait
        assert parts > 0
        assert len(ledger.book.points([row])[row.id]) == 500 * parts
        more = {row.id: {METRIC: points_of([1e6 + j for j in range(5000)], [0.5] * 5000)}}
        with pytest.raises(LedgerError, match="full"):
            ledger.book.append(more)
        ballast.unlink()
        assert append(ledger, row, 1e9) == 1
    assert len(kept(where)) == 500 * parts + 1


def test_a_file_that_may_not_grow_costs_nothing_that_was_there(tmp_path):
    where = str(tmp_path / "runs.db")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    with enlisted(where, patience=0.5) as (ledger, row):
        append(ledger, row, 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, allowed[1]))
        try:
            parts, said = filled(ledger, row)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
        assert "what was written before is safe" in said
        assert append(ledger, row, 1e9) == 1
    assert len(kept(where)) >= 500 * parts


def test_writers_go_on_after_their_database_crashed(postgres, tmp_path):
    where = postgres.database()
    with enlisted(where):
        pass
    with ExitStack() as held:
        writers = [held.enter_context(writing(tmp_path, where, f"own{k},shared", 0, 150)) for k in range(4)]
        for one in writers:
            wait_until(one.lines, one)
        assert all(one.poll() is None for one in writers)
        postgres.stop("immediate")
        postgres.start()
        assert [one.wait() for one in writers] == [0] * 4, [one.errors() for one in writers]
        said = set().union(*map(acknowledged, writers))
    assert len(said) == 5 * 150
    assert kept(where) == said


def test_a_forked_child_uses_its_parents_ledger(where):
    with enlisted(where) as (ledger, row):
        append(ledger, row, 1)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for k in range(2, 12):
                    append(ledger, row, k)
                code = 0
            finally:
                os._exit(code)
        for k in range(20, 30):
            append(ledger, row, k)
        assert os.waitpid(child, 0)[1] == 0
        assert append(ledger, row, 40) == 1
    assert len(kept(where)) == 22


@contextmanager
def nobody():
    """Be a user who may not write what root made; who is not root stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def closed_folder(tmp_path):
    """A folder whose files can be read and not written."""
    folder = tmp_path / "closed"
    folder.mkdir()
    for parent in (tmp_path, *tmp_path.parents):
        if str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    yield folder
    folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_said(closed_folder):
    where = str(closed_folder / "runs.db")
    with enlisted(where) as (ledger, row):
        append(ledger, row, 1)
    Path(where).chmod(0o444)
    closed_folder.chmod(0o555)
    with nobody():
        with pytest.raises(LedgerError, match=r"check the path and its rights|can be written"), enlisted(where):
            pass
        with pytest.raises(LedgerError, match="check the path and its rights"), enlisted(where + ".new"):
            pass


def test_a_file_that_is_no_database_is_said_and_left_alone(tmp_path):
    path = tmp_path / "runs.db"
    path.write_bytes(b"step,reward\n1,0.5\n" * 100)
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(LedgerError, match="not a database; give an SQLite file"):
            Ledger(str(path), create=create)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_said_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
        other.commit()
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(LedgerError, match="database of something else"):
            Ledger(str(path), create=create)
    assert path.read_bytes() == before


def test_a_ledger_cut_short_is_said(tmp_path):
    path = tmp_path / "runs.db"
    with enlisted(str(path)) as (ledger, row):
        append(ledger, row, 1)
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(LedgerError, match="restore it from a copy"), enlisted(str(path)) as (ledger, row):
        append(ledger, row, 2)


@pytest.fixture
def deaf(monkeypatch):
    """Return what makes the answer to the next commit get lost: it is done, and the connection breaks."""
    whole = DefaultDialect.do_commit

    def once():
        def commit(self, connection):
            whole(self, connection)
            monkeypatch.setattr(DefaultDialect, "do_commit", whole)
            raise self.dbapi.OperationalError("database is locked, or the connection broke")

        monkeypatch.setattr(DefaultDialect, "do_commit", commit)

    return once


def test_what_was_written_while_the_connection_broke_is_written_once(where, deaf):
    with enlisted(where, patience=LIMIT) as (ledger, row):
        deaf()
        append(ledger, row, 1)
        deaf()
        standby = ledger.standby()
        lease = standby.take()
        assert lease.epoch == 1
        look = LookRow(
            number=0, acting=True, settings={}, version="0", unit="steps", spent=1.0, planned=2.0, risk=0.0,
            risk_spent=0.0, leader="a", inputs="f" * 64,
        )  # fmt: skip
        ruled = Ruled(run_id=row.id, action="hold", code="c", reason="r", evidence={}, hash="e" * 64)
        deaf()
        (made,) = ledger.rulings.add(lease, look, [Read(row.id, 1, "running")], [ruled])
        deaf()
        # the claim is this process's own: it must start the command, and nobody else will
        assert ledger.deliveries.claim(lease, made.id) == 1
        assert ledger.deliveries.claim(lease, made.id) is None
        deaf()
        ledger.deliveries.end(made.id, 1, "done", 0, "")
        deaf()
        ledger.events.add("watcher", "", "said once")
        deaf()
        ledger.overrides.add(row, "pin")
        assert len(ledger.rulings.decisions()) == len(ledger.deliveries.of()) == 1
        assert (ledger.events.count(), len(ledger.overrides.all())) == (1, 1)
    assert len(kept(where)) == 1
