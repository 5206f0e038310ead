"""What a ledger promises, on SQLite and on PostgreSQL alike."""

import shutil
import threading
import traceback
from dataclasses import replace

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from rlscale.errors import InputError, LedgerError
from rlscale.ledger import (
    FitRow,
    Heading,
    LeaseLost,
    Ledger,
    LookRow,
    Read,
    Ruled,
    address,
    digest,
    forced,
    heading_bounds,
    points_of,
    unknown_bounds,
)
from rlscale.ledger.database import HEAD
from rlscale.ledger.schema import TABLES
from tests.waiting import LIMIT, Clock

METRIC = "reward"


@pytest.fixture
def ledger(where):
    with Ledger(where, create=True, patience=LIMIT) as held:
        yield held


def enlist(ledger, name="a", recipe="a", **more):
    return ledger.book.enlist(Heading(name=name, recipe=recipe, **more))


def append(ledger, row, compute, value, **more):
    return ledger.book.append({row.id: {METRIC: points_of(compute, value)}}, **more)


def curve(ledger, name="a", **more):
    row = ledger.book.run(name)
    held = ledger.book.points([row], **more)[row.id]
    return held.compute.tolist(), held.value.tolist()


def look(number=0, **more):
    told = {
        "acting": True, "settings": {"budget": 1.0}, "version": "0", "unit": "steps", "spent": 1.0, "planned": 2.0,
        "risk": 0.01, "risk_spent": 0.0, "leader": "a", "inputs": "f" * 64,
    }  # fmt: skip
    return LookRow(number=number, **{**told, **more})


def ruled(row, action="hold", before=None, **more):
    return Ruled(run_id=row.id, action=action, code="c", reason="because", evidence={"h": 0.1 + 0.2}, hash="e" * 64,
                 before=before, **more)  # fmt: skip


def test_the_tables_are_those_of_the_schema(ledger):
    def differences(connection):
        context = MigrationContext.configure(connection, opts={"version_table": "rlscale_version"})
        return compare_metadata(context, TABLES)

    assert ledger._database.read(differences) == []


def test_a_run_is_enlisted_once(ledger):
    first = enlist(ledger, seed=3, model_params=7e9, budget=1e4, settings={"lr": 1e-6, "name": "ü"}, source="x.csv")
    again = enlist(ledger, seed=3)
    assert again == first
    assert (first.seed, first.model_params, first.budget, first.settings) == (3, 7e9, 1e4, {"lr": 1e-6, "name": "ü"})
    assert [row.name for row in ledger.book.runs()] == ["a"]


@pytest.mark.parametrize("other", [{"unit": "tokens"}, {"metric": "pass"}, {"bounds": (0.0, 100.0)}])
def test_a_run_of_that_name_on_another_axis_is_refused(ledger, other):
    enlist(ledger)
    with pytest.raises(LedgerError, match="give it another name"):
        enlist(ledger, **other)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", "x" * 501, "\x1b[31mred"])
def test_names_that_cannot_be_kept_are_refused(name):
    with pytest.raises(LedgerError, match="cannot be kept"):
        Heading(name=name, recipe="r")


def test_a_run_that_is_started_again_gets_a_number(ledger):
    assert ledger.book.called("a", fresh=True) == "a"
    row = enlist(ledger)
    assert ledger.book.called("a", fresh=True) == "a"  # nothing was recorded yet
    append(ledger, row, [0, 1], [0.1, 0.2])
    assert ledger.book.called("a", fresh=False) == "a"
    assert ledger.book.called("a", fresh=True) == "a#2"
    append(ledger, enlist(ledger, name="a#2"), [0], [0.1])
    assert ledger.book.called("a", fresh=False) == "a#2"
    assert ledger.book.called("a", fresh=True) == "a#3"


def test_points_are_taken_in_once(ledger):
    row = enlist(ledger)
    assert append(ledger, row, [0, 10, 20], [0.1, 0.2, 0.3]) == 3
    assert append(ledger, row, [0, 10, 20], [0.1, 0.2, 0.3]) == 0
    assert append(ledger, row, [20, 30], [0.3, 0.35]) == 1
    assert curve(ledger) == ([0, 10, 20, 30], [0.1, 0.2, 0.3, 0.35])


def test_late_points_find_their_place_and_the_later_of_two_values_wins(ledger):
    row = enlist(ledger)
    append(ledger, row, [0, 20], [0.1, 0.3])
    seen = ledger.book.run("a").last_seq
    append(ledger, row, [10], [0.2])
    append(ledger, row, [20], [0.31])
    assert curve(ledger) == ([0, 10, 20], [0.1, 0.2, 0.31])
    # who looked earlier finds what it saw
    assert curve(ledger, upto={row.id: seen}) == ([0, 20], [0.1, 0.3])


def test_values_that_contradict_another_source_are_two_runs_under_one_name(ledger):
    row = enlist(ledger, source="one/log")
    append(ledger, row, [1, 2], [0.1, 0.2], source="one/log")
    append(ledger, row, [2], [0.25], source="one/log")
    with pytest.raises(LedgerError, match="two runs under one name"):
        append(ledger, row, [3, 1], [0.3, 0.9], source="two/log")
    assert curve(ledger) == ([1, 2], [0.1, 0.25])


def test_numbers_come_back_bit_for_bit(ledger):
    row = enlist(ledger)
    rng = np.random.default_rng(0)
    compute, value = np.sort(rng.random(300) * 1e15), rng.random(300) * 10.0 ** rng.integers(-300, 0, 300)
    ledger.book.append({row.id: {METRIC: points_of(compute, value, np.full(300, 512.0), rng.random(300) + 0.1)}})
    held = ledger.book.points([row])[row.id]
    assert np.array_equal(held.compute, compute)
    assert np.array_equal(held.value, value)
    assert np.array_equal(held.n_eval, np.full(300, 512.0))


@pytest.mark.parametrize(("compute", "value"), [([np.nan], [0.1]), ([1.0], [np.inf]), ([-1.0], [0.1]), ([1, 2], [0.1])])
def test_points_that_are_none_are_refused(compute, value):
    with pytest.raises(LedgerError):
        points_of(compute, value)


def test_several_runs_and_metrics_at_once(ledger):
    rows = [enlist(ledger, name=f"r{k}") for k in range(600)]
    new = {row.id: {METRIC: points_of([1, 2], [0.1, 0.2]), "entropy": points_of([1], [3.0])} for row in rows}
    assert ledger.book.append(new) == 1800
    assert len(ledger.book.points(rows)) == 600
    assert ledger.book.metrics() == ("entropy", METRIC)
    assert len(ledger.book.points(rows[:3], metric="entropy")) == 3


def test_writers_at_once_leave_every_point_once(where):
    with Ledger(where, create=True) as held:
        row = enlist(held)

    def write(part):
        with Ledger(where) as own:
            for k in range(20):
                append(own, row, [100 * part + k, 5000 + k], [0.5, 0.25])

    threads = [threading.Thread(target=write, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Ledger(where) as held:
        compute, value = curve(held)
        assert len(compute) == 8 * 20 + 20
        assert held.book.run("a").last_seq == 180
        assert sum(value) == 8 * 20 * 0.5 + 20 * 0.25


def test_ledgers_made_at_once_are_one(where):
    found, errors = [], []

    def make():
        try:
            with Ledger(where, create=True) as held:
                found.append(enlist(held).id)
        except InputError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(found)) == 1
    assert len(found) == 6


def test_fits_are_kept_once_with_their_settings(ledger):
    row = enlist(ledger)
    append(ledger, row, [1, 2, 3], [0.1, 0.2, 0.3])
    document = {"family": "average"}
    hashed = digest(document)
    fit = FitRow(run_id=row.id, seq=3, settings=hashed, version="0", at=1.0, compute=3.0, verdict="bending",
                 A=(0.4, 0.5, 0.6), target=9.0, forecast=(0.3, 0.4, 0.5), mean=0.4, p_best=0.25, place=1,
                 contenders=2)  # fmt: skip
    assert ledger.fits.add([fit], document) == 1
    assert ledger.fits.add([fit], document) == 0
    assert ledger.fits.history("a") == {"a": {"a": (fit,)}}
    assert ledger.fits.known([row.id], hashed, "0") == {(row.id, 3)}


def test_a_look_is_kept_whole_or_not_at_all(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    lease = ledger.standby().take()
    with pytest.raises(LedgerError):  # a run that is not there
        ledger.rulings.add(lease, look(), [Read(row.id, 1, "running")], [ruled(row), ruled(row_like(row, 999))])
    assert ledger.rulings.decisions() == ()
    (made,) = ledger.rulings.add(lease, look(), [Read(row.id, 1, "running")], [ruled(row)])
    assert (made.run, made.action, made.evidence, made.acting) == ("a", "hold", {"h": 0.1 + 0.2}, True)
    kept, saw = ledger.rulings.look(made.look_id)
    assert kept.settings == {"budget": 1.0}
    assert saw == (Read(row.id, 1, "running"),)


def row_like(row, number):
    from dataclasses import replace

    return replace(row, id=number)


def test_a_look_written_twice_is_there_once(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    lease = ledger.standby().take()
    told = (lease, look(), [Read(row.id, 1, "running")], [ruled(row)])
    assert ledger.rulings.add(*told) == ledger.rulings.add(*told)
    assert len(ledger.rulings.decisions()) == 1


def test_looks_add_up_within_an_epoch(ledger):
    rows = [enlist(ledger, name=name) for name in "ab"]
    for row in rows:
        append(ledger, row, [1, 2], [0.1, 0.2])
    standby = ledger.standby()
    lease = standby.take()
    ledger.rulings.add(lease, look(0), [Read(row.id, 1, "running") for row in rows], [])
    (made,) = ledger.rulings.add(lease, look(1), [Read(rows[0].id, 2, "running")], [ruled(rows[0])])
    assert {one.run_id: one.seq for one in ledger.rulings.look(made.look_id)[1]} == {rows[0].id: 2, rows[1].id: 1}
    standby.give_back(lease)
    later = ledger.standby().take()
    (again,) = ledger.rulings.add(later, look(0), [Read(rows[0].id, 2, "held")], [ruled(rows[0], "continue")])
    assert [one.run_id for one in ledger.rulings.look(again.look_id)[1]] == [rows[0].id]


def test_one_holds_the_lease_and_the_other_is_fenced_off(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    clock = Clock()
    first, second = (ledger.standby(lasts=30.0, holder=name, clock=clock) for name in ("one", "two"))
    lease = first.take()
    assert second.take() is None
    clock.advance(29.0)
    first.beat(lease)
    assert second.take() is None
    clock.advance(29.0)
    assert second.take() is None
    clock.advance(1.0)
    taken = second.take()  # the first stood still for as long as a lease lasts
    assert taken.epoch == lease.epoch + 1
    with pytest.raises(LeaseLost):
        ledger.rulings.add(lease, look(), [], [ruled(row)])
    with pytest.raises(LeaseLost):
        ledger.deliveries.claim(lease, 1)
    assert ledger.rulings.decisions() == ()


def test_a_holder_that_is_dead_is_not_waited_for(ledger):
    dead = ledger.standby()
    # the same machine, a process number that is none
    parts = dead.holder.split("/")
    if not parts[1]:
        pytest.skip("this system does not tell when a process was started")
    dead.holder = "/".join([*parts[:3], "4194304", "1", "x"])
    assert dead.take() is not None
    assert ledger.standby(lasts=1e9).take() is not None


def test_a_command_is_claimed_once_and_again_where_it_was_interrupted(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    standby = ledger.standby(holder="one")
    lease = standby.take()
    (made,) = ledger.rulings.add(lease, look(), [], [ruled(row)])
    assert ledger.deliveries.claim(lease, made.id) == 1
    assert ledger.deliveries.claim(lease, made.id) is None
    standby.give_back(lease)
    later = ledger.standby(holder="two").take()
    assert ledger.deliveries.interrupt(later) == 1
    assert ledger.deliveries.claim(later, made.id) == 2
    ledger.deliveries.end(made.id, 2, "done", 0, "ok")
    assert ledger.deliveries.claim(later, made.id) is None
    assert [one.outcome for one in ledger.deliveries.of()] == ["interrupted", "done"]


def test_what_people_say_is_kept_and_goes_before_decisions(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    assert ledger.rulings.in_force(row)[0] == "continue"
    lease = ledger.standby().take()
    ledger.rulings.add(lease, look(), [], [ruled(row)])
    assert ledger.rulings.in_force(row) == ("hold", "because")
    word = ledger.overrides.add(row, "resume", "it is fine", "ana@host")
    assert (word.evaluations, word.who) == (1, "ana@host")
    assert ledger.rulings.in_force(row) == ("continue", "ana@host said resume: it is fine")
    append(ledger, row, [2, 3], [0.1, 0.1])
    assert ledger.rulings.in_force(row)[0] == "hold"  # two evaluations later the gate decides again
    ledger.overrides.add(row, "pin")
    append(ledger, row, [4, 5, 6], [0.1, 0.1, 0.1])
    assert ledger.rulings.in_force(row)[0] == "continue"
    assert [one.kind for one in ledger.overrides.all()] == ["resume", "pin"]
    assert forced(ledger.overrides.all()[-1], 99) == "continue"
    with pytest.raises(LedgerError, match="no decision of a person"):
        ledger.overrides.add(row, "kill")


def test_decisions_of_a_dry_run_are_not_in_force(ledger):
    row = enlist(ledger)
    append(ledger, row, [1], [0.1])
    lease = ledger.standby().take()
    ledger.rulings.add(lease, look(acting=False), [], [ruled(row)])
    assert ledger.rulings.in_force(row)[0] == "continue"
    assert ledger.rulings.latest(acting=True) == {}
    assert ledger.rulings.latest(acting=False)[row.id].action == "hold"


def test_events_are_kept_in_order(ledger):
    for k in range(5):
        ledger.events.add("source", f"log {k}", "is gone" * 2000)
    assert [one.subject for one in ledger.events.last(3)] == ["log 2", "log 3", "log 4"]
    assert ledger.events.count() == 5


def test_a_newer_ledger_is_refused(where):
    with Ledger(where, create=True) as held:
        held._database.write(
            lambda connection: connection.execute(text("UPDATE rlscale_version SET version_num = '9999'"))
        )
    with pytest.raises(LedgerError, match="newer rlscale"):
        Ledger(where)
    assert HEAD < "9999"


def test_a_ledger_that_is_not_there_is_not_made_by_who_reads(where):
    with pytest.raises(LedgerError, match=r"no ledger"):
        Ledger(where)


def test_no_message_holds_a_password(postgres):
    secret = "s3cr:t"
    bad = f"postgresql://rlscale:{secret}@127.0.0.1:{postgres.port}/nowhere?password={secret}"
    with pytest.raises(LedgerError, match="does not exist") as caught:
        Ledger(bad, patience=0.1)
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in repr(address(bad)) + str(address(bad))


def test_an_older_ledger_is_brought_up_to_date(where, tmp_path, monkeypatch):
    from rlscale.ledger import database

    with Ledger(where, create=True) as held:
        append(held, enlist(held), [1, 2], [0.1, 0.2])
    newer = tmp_path / "migrations"
    shutil.copytree(database._MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    after = f"{int(HEAD) + 1:04d}"
    (newer / "versions" / f"v{after}.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\nrevision = "{after}"\ndown_revision = "{HEAD}"\n\n\n'
        'def upgrade():\n    op.add_column("runs", sa.Column("note", sa.Text))\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(database, "_MIGRATIONS", newer)
    monkeypatch.setattr(database, "HEAD", after)
    noted = text("SELECT note FROM runs")
    for _ in range(2):
        with Ledger(where) as held:
            assert curve(held) == ([1, 2], [0.1, 0.2])
            assert held._database.read(lambda connection: connection.execute(noted).scalar()) is None


def test_a_ledger_of_before_bounds_were_assumed_keeps_its_bounds_as_stated(where):
    with Ledger(where, create=True) as held:
        append(held, enlist(held), [1, 2], [0.1, 0.2])
        drops = ("DROP TABLE series", "DROP TABLE logs",
                 "ALTER TABLE runs DROP COLUMN bounds_from", "ALTER TABLE runs DROP COLUMN open",
                 "ALTER TABLE reads DROP COLUMN bounds", "ALTER TABLE events DROP COLUMN document",
                 "DROP TABLE published", *(f"ALTER TABLE fits DROP COLUMN r_q{k}" for k in (10, 50, 90)),
                 "UPDATE rlscale_version SET version_num = '0001'")  # fmt: skip
        for statement in drops:
            held._database.write(lambda connection, sql=statement: connection.execute(text(sql)))
    with Ledger(where) as held:
        row = held.book.run("a")
        assert (row.bounds, row.bounds_from, row.open) == ((0.0, 1.0), "option", None)
        assert curve(held) == ([1, 2], [0.1, 0.2])


def test_what_is_assumed_of_bounds_is_kept_and_may_change(ledger):
    assumed = enlist(ledger, **heading_bounds(None))
    assert (assumed.bounds, assumed.bounds_from) == ((0.0, 1.0), "values")
    opened = replace(assumed, **unknown_bounds("rewards"))
    ledger.book.rebound([opened])
    assert ledger.book.run("a") == opened
    assert opened.as_assumed(assumed.assumed) == assumed
    assert enlist(ledger, bounds=(0.0, 1.0)) == opened  # what is assumed contradicts nothing
    stated = enlist(ledger, "b", bounds=(0.0, 2.0))
    assert stated.assumed is None
    assert stated.as_assumed(None) == stated


def test_teams_share_a_database_by_schemas(postgres):
    import psycopg

    where = postgres.database()
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    first, second = (f"{where}?options=-csearch_path%3D{name}" for name in ("one", "two"))
    with Ledger(first, create=True) as one, Ledger(second, create=True) as two:
        append(one, enlist(one), [1], [0.1])
        assert two.book.runs() == ()
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger(where)
