"""What the page shows of a ledger: runs, what a watcher decided and why; whatever becomes of the ledger meanwhile."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from rlscale.errors import InputError, LedgerError
from rlscale.ledger import ALARM, WELL, FitRow, Heading, Ledger, NewEvent, digest, points_of
from rlscale.live import Watch, WatchSettings, answer_of, decision_of, explain, saved
from rlscale.live.alarms import ONSET, RECOVERY, AlarmEvent, Signal
from rlscale.live.growth import Growth, grown
from rlscale.render.html import fragments
from rlscale.render.json import dumps
from rlscale.serve import VIEWS, LedgerBoard, Query, UnknownError, open_board
from rlscale.serve.board import facts as facts_of
from rlscale.serve.board import kept, stored
from rlscale.serve.names import links_of
from rlscale.sources import ReadOptions, collect
from tests.serve.logs import CEILINGS, reward
from tests.waiting import wait_until

STEPS = range(0, 61, 4)


def grow(ledger: Ledger, steps, names=tuple(CEILINGS)) -> None:
    for name in names:
        row = ledger.book.enlist(Heading(name=name, recipe=name))
        ledger.book.append({row.id: {"reward": points_of(list(steps), [reward(name, k) for k in steps])}})


def watched(ledger: Ledger, **more) -> Watch:
    return Watch(ledger, WatchSettings(budget=200.0), **{"acting": True, **more})


def document(board: LedgerBoard, **query: object) -> dict:
    return json.loads(dumps(board.page(Query(**query)).answer.document))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def board(path: Path):
    with Ledger(str(path), create=True) as ledger:
        grow(ledger, STEPS)
    held = open_board([f"ledger:sqlite:///{path}"])
    assert isinstance(held, LedgerBoard)
    yield held
    held.close()


def test_a_ledger_is_shown_as_its_runs_are_by_the_commands(where):
    with Ledger(where, create=True) as ledger:
        grow(ledger, STEPS)
        address = where if where.startswith("postgresql") else f"ledger:{where}"
        held = LedgerBoard(f"ledger:{where}" if not address.startswith("ledger:") else address)
        import rlscale

        ranking = rlscale.rank(collect([f"ledger:{where}"]).runs)
        found = document(held)
        assert [row["recipe"] for row in found["recipes"]] == [row.recipe for row in ranking.recipes]
        assert [row["p_best"] for row in found["recipes"]] == pytest.approx([row.p_best for row in ranking.recipes])
        assert not held.refresh()
        grow(ledger, [64], ["low"])
        assert held.refresh()
        assert {run["run"]: run["n_points"] for run in document(held)["runs"]}["low"] == len(STEPS) + 1
        held.close()


def test_what_a_watcher_decided_is_shown_with_when_and_why(board, path):
    assert "no watcher has looked" in document(board, view="decisions")["note"]
    with Ledger(str(path)) as ledger:
        watcher = watched(ledger)
        watcher.step()
        assert board.refresh()
        found = document(board, view="decisions")
        rows = ledger.rulings.decisions()
        assert found["budget"] == 200.0
        assert [each["id"] for each in found["history"]] == [row.id for row in reversed(rows)]
        assert {each["run"]: each["decision"] for each in found["decisions"]} == {
            row.run: row.action for row in ledger.rulings.latest(True).values()
        }
        assert found["savings"] == json.loads(dumps(saved(ledger).document()))
        assert "process" in found["watcher"]
        overview = document(board)
        assert overview["savings"] == found["savings"]
        assert [each["run"] for each in overview["latest_decisions"]] == [row.run for row in reversed(rows)]
        run = document(board, view="run", name=rows[0].run)
        assert run["decisions"][-1]["reason"] == rows[0].reason
        ledger.overrides.add(ledger.book.run("low"), "pin", "it is a baseline", "ada")
        assert board.refresh()
        words = document(board, view="decisions")["words"]
        assert words[0]["run"] == "low"
        assert words[0]["says"].endswith("ada said pin: it is a baseline")
        watcher.step()
        watcher.close()
        assert board.refresh()
        found = document(board, view="decisions")
        assert found["watcher"] is None
        assert {each["run"]: each["decision"] for each in found["decisions"]}["low"] == "continue"
        assert found["savings"] == json.loads(dumps(saved(ledger).document()))


def test_a_decision_comes_back_from_its_row_and_is_made_again(board, path):
    with Ledger(str(path)) as ledger:
        watcher = watched(ledger)
        watcher.step()
        grow(ledger, range(64, 101, 4))
        watcher.step()
        watcher.close()
        for row in ledger.rulings.decisions():
            assert digest(decision_of(row).document()) == row.hash
        look = ledger.rulings.last_look(acting=True)
        latest = list(ledger.rulings.latest(True).values())
        answer = answer_of(look, latest, (), saved(ledger), clock="", metric="reward")
        assert (answer.budget, answer.risk, answer.leader) == (200.0, look.risk, look.leader)
        row = ledger.rulings.decisions()[0]
        again = explain(ledger, row.id)
    board.refresh()
    found = document(board, view="decisions", again=row.id)
    assert found["again"]["same"]
    assert found["again"]["same_inputs"]
    assert found["again"]["decision"] == json.loads(dumps(again.again.document()))
    answer = board.page(Query(view="decisions", again=row.id)).answer
    assert answer.sections[0].title == f"Decision {row.id}, made again"
    query = Query(view="decisions")
    parts = fragments(board.page(query).answer, links_of(board.recipes, query))
    assert any(f'href="/?view=decisions&amp;again={row.id}"' in part.html for part in parts)
    with pytest.raises(InputError, match="no decision number 999"):
        board.page(Query(view="decisions", again=999))
    assert "again" in document(board, view="decisions")
    assert document(board, view="decisions")["again"] is None


def test_a_budget_decides_where_nobody_watches(board, path):
    held = LedgerBoard(f"ledger:{path}", budget=200.0)
    assert held.refresh()
    assert len(document(held, view="decisions")["decisions"]) == 3
    with Ledger(str(path)) as ledger:
        ledger.overrides.add(ledger.book.run("low"), "hold", "", "ada")
        watcher = Watch(ledger, WatchSettings(budget=300.0), acting=False)
        watcher.step()
        watcher.close()
    assert held.refresh()
    assert document(held, view="decisions")["budget"] == 300.0  # that of the watcher
    assert not any(each["acting"] for each in document(held, view="decisions")["history"])
    held.close()


def test_troubles_of_a_watcher_are_shown_until_they_are_over(board, path):
    with Ledger(str(path)) as ledger:
        ledger.events.add("source", "a.csv", "is torn")
        assert board.refresh()
        assert board.troubles == ("source a.csv: is torn",)
        ledger.events.add("source", "a.csv", "is well again")
        assert board.refresh()
        assert board.troubles == ()


def test_alarms_that_a_watcher_sent_are_shown_until_they_are_over(board, path):
    signal = Signal(
        kind="collapse", run="low", recipe="low", severity="stop", since=40.0, value=0.2, threshold=0.3,
        message="low has collapsed", source="the verdict", unit="steps",
    )  # fmt: skip
    good = replace(signal, kind="resolved", severity="warn", message="low is resolved")
    with Ledger(str(path)) as ledger:
        lease = ledger.standby().take()

        def send(event: str, message: str | None, of: Signal) -> None:
            told = AlarmEvent(event=event, signal=of, at=1.0)
            new = NewEvent(kind=ALARM, subject=f"{of.run} {of.kind}", message=message or of.message,
                           document=told.document())  # fmt: skip
            ledger.events.alarm(lease, [new])

        send(ONSET, None, signal)
        send(ONSET, None, good)
        assert board.refresh()
        assert [(each["run"], each["monitor"]) for each in document(board)["alarms"] if each["severity"] != "note"] == [
            ("low", "collapse")
        ]
        section = next(each for each in board.page(Query()).answer.sections if each.title == "Alarms")
        assert [(each.subject, each.text, each.mark) for each in section.sentences] == [
            ("low", "low has collapsed", "severity_stop")
        ]
        assert board.troubles == ()
        send(RECOVERY, WELL, signal)
        assert board.refresh()
        assert not any(each["monitor"] == "collapse" for each in document(board)["alarms"])


def test_every_page_answers(board, path):
    with Ledger(str(path)) as ledger:
        watcher = watched(ledger)
        watcher.step()
        watcher.close()
    board.refresh()
    for view in VIEWS:
        answer = board.page(Query(view=view, name="best" if view == "run" else None)).answer
        assert fragments(answer)
        json.loads(dumps(answer.document))
    with pytest.raises(UnknownError):
        board.page(Query(view="run", name="nobody"))


def test_a_ledger_that_is_deleted_is_a_trouble_and_its_runs_stay(board, path):
    before = document(board)
    moved = path.with_suffix(".away")
    path.rename(moved)
    assert board.refresh()
    assert board.troubles == (f"{path} is gone; put it back",)
    assert document(board) == before
    board.refresh()
    assert len(board.troubles) == 1
    assert document(board, view="run", name="best")["runs"]
    moved.rename(path)
    assert board.refresh()
    assert board.troubles == ()
    with Ledger(str(path)) as ledger:
        grow(ledger, [64])
    assert board.refresh()
    assert document(board)["runs"][0]["n_points"] == len(STEPS) + 1


def test_another_ledger_in_its_place_is_read(board, path):
    path.unlink()
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)
    with Ledger(str(path), create=True) as ledger:
        grow(ledger, STEPS, ["good"])
    assert board.refresh()
    assert board.troubles == ()
    assert [row["recipe"] for row in document(board)["recipes"]] == ["good"]


def test_a_locked_ledger_is_a_trouble_and_its_runs_stay(board, path, monkeypatch):
    monkeypatch.setattr(board._facts_reader, "_patience", 0.05)
    before = document(board)
    board.close()  # what reads a ledger in its usual mode is never locked out: whoever comes later is
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    assert board.refresh()
    assert "locked" in board.troubles[0]
    assert document(board) == before
    holder.execute("ROLLBACK")
    holder.close()
    wait_until(lambda: board.refresh() and board.troubles == ())


def test_a_ledger_of_a_newer_release_is_a_trouble(board, path):
    with Ledger(str(path)) as ledger:
        ledger._database.write(lambda each: each.execute(text("UPDATE rlscale_version SET version_num = '9999'")))
    assert board.refresh()
    assert "written by a newer rlscale" in board.troubles[0]
    assert document(board)["recipes"]


def test_a_file_that_is_no_ledger_any_more_is_a_trouble(board, path):
    path.write_bytes(b"not a database at all" * 100)
    assert board.refresh()
    assert board.troubles
    assert "Traceback" not in board.troubles[0]
    assert document(board)["recipes"]


def test_a_ledger_that_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(LedgerError, match="no ledger"):
        open_board([f"ledger:{tmp_path / 'none.db'}"])


def test_an_empty_ledger_fills(path):
    Ledger(str(path), create=True).close()
    held = open_board([f"ledger:{path}"])
    with pytest.raises(InputError, match="fills as soon as"):
        held.page(Query())
    assert "Nothing is decided yet" in document(held, view="decisions")["note"]
    with Ledger(str(path)) as ledger:
        grow(ledger, STEPS)
    assert held.refresh()
    assert len(document(held)["recipes"]) == 3
    held.close()


@pytest.fixture
def many(path, monkeypatch):
    """A ledger with more runs than are fitted here: 12, of 6 recipes, where 4 are the most."""
    for module in (kept, facts_of, stored):
        monkeypatch.setattr(module, "MOST", 4)
    from rlscale.serve.board import answering, ranking

    monkeypatch.setattr(answering, "MOST", 4)
    monkeypatch.setattr(ranking, "MOST", 4)
    with Ledger(str(path), create=True) as ledger:
        for k in range(12):
            name = f"r{k // 2}/seed{k % 2}"
            row = ledger.book.enlist(Heading(name=name, recipe=f"r{k // 2}"))
            values = [0.1 + (0.3 + 0.04 * (k // 2)) * step / (step + 20.0) for step in STEPS]
            ledger.book.append({row.id: {"reward": points_of(list(STEPS), values)}})
        grown(ledger, ledger.book.runs(), Growth(3))
    held = open_board([f"ledger:{path}"])
    yield held
    held.close()


def test_of_very_many_runs_the_stored_fits_are_shown(many, path):
    found = document(many)
    assert found["stored"]
    assert [row["recipe"] for row in found["recipes"]] == [f"r{k}" for k in reversed(range(6))]
    with Ledger(str(path)) as ledger:
        latest = {fit.run_id: fit for fit in ledger.fits.latest()}
        rows = {row.name: row for row in ledger.book.runs()}
        medians = [latest[rows[name].id].A[1] for name in ("r5/seed0", "r5/seed1")]
    assert found["recipes"][0]["A"]["q50"] == pytest.approx(sum(medians) / 2)
    assert found["recipes"][0]["p_best"] is None
    assert many.page(Query()).answer.headline.startswith("r5 has the highest ceiling of 6 recipes")
    assert document(many, search="r3")["matching"] == 1
    assert any("order of their stored fits" in text for text in many.page(Query(target=1e3)).answer.lead)
    assert document(many, view="run", name="r2/seed1")["runs"][0]["recipe"] == "r2"
    assert document(many, view="compare", runs=("r2/seed1", "r3/seed0"))["names"]
    assert len(document(many, view="health")["runs"]) == 12
    with pytest.raises(InputError, match="a plan is made of 4 runs at most"):
        many.page(Query(view="plan"))
    assert [row["recipe"] for row in document(many, view="plan", search="r3")["recipes"]] == ["r3"]
    with pytest.raises(UnknownError):
        many.page(Query(view="run", name="nobody"))


def test_very_many_runs_of_several_metrics_are_not_ranked_together(many, path):
    with Ledger(str(path)) as ledger:
        for name in ("other/seed0", "other/seed1"):
            row = ledger.book.enlist(Heading(name=name, recipe="other", unit="tokens", metric="pass"))
            ledger.book.append({row.id: {"pass": points_of(list(STEPS), [0.99] * len(STEPS))}})
        grown(ledger, ledger.book.runs(["other/seed0", "other/seed1"]), Growth(3))
    assert many.refresh()
    found = document(many)
    assert "other" not in {row["recipe"] for row in found["recipes"]}
    lead = " ".join(many.page(Query()).answer.lead)
    assert "Ranked are the 12 runs of reward over steps; 2 others have another metric" in lead
    assert document(many, view="run", name="other/seed0")["runs"][0]["metric"] == "pass"
    chosen = open_board([f"ledger:{path}"], ReadOptions(metric="pass"))
    assert [row["recipe"] for row in document(chosen)["recipes"]] == ["other"]
    chosen.close()


def test_a_new_point_among_very_many_is_on_its_page(many, path):
    before = document(many, view="run", name="r0/seed0")["runs"][0]["n_points"]
    with Ledger(str(path)) as ledger:
        row = ledger.book.run("r0/seed0")
        ledger.book.append({row.id: {"reward": points_of([64.0], [0.3])}})
        assert many.refresh()
        assert document(many, view="run", name="r0/seed0")["runs"][0]["n_points"] == before + 1
        ledger.fits.add(
            [FitRow(run_id=row.id, seq=len(STEPS) + 1, settings=digest(Growth().document()), version="later",
                    at=time.time(), compute=64.0, verdict="resolved", A=(0.9, 0.95, 0.97))],
            Growth().document(),
        )  # fmt: skip
        wait_until(many.refresh)  # fits may come without points: they are looked for now and then
        assert document(many)["recipes"][0]["recipe"] == "r0"


def test_decisions_on_very_many_runs_are_shown_as_they_were_made(many, path):
    with Ledger(str(path)) as ledger:
        watcher = watched(ledger)
        watcher.step()
        watcher.close()
        assert many.refresh()
        found = document(many, view="decisions")
        assert {each["run"]: each["decision"] for each in found["decisions"]} == {
            row.run: row.action for row in ledger.rulings.latest(True).values()
        }
        assert found["savings"]["planned"] == saved(ledger).planned
    assert fragments(many.page(Query(view="decisions")).answer)
    assert document(many)["savings"]["planned"] == 2400.0
