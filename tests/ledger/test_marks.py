"""Whether a ledger holds anything new is known from a few numbers; and whether it is still the one that was opened."""

import pytest

from rlscale.errors import LedgerError, SourceError
from rlscale.ledger import Heading, Ledger, Logged, Replaced, points_of
from rlscale.live import Watch, WatchSettings
from rlscale.live.growth import Growth, grown
from rlscale.sources.trackers.ledger import LedgerTail

STEPS = range(0, 41, 4)


def fill(ledger, names=("a", "b"), steps=STEPS):
    for name in names:
        row = ledger.book.enlist(Heading(name=name, recipe=name))
        ledger.book.append({row.id: {"reward": points_of(list(steps), [0.1 + step / 100 for step in steps])}})


def test_marks_change_with_all_that_a_page_shows(where):
    with Ledger(where, create=True) as ledger:
        marks = [ledger.marks()]

        def changed(of_runs: bool) -> None:
            marks.append(ledger.marks())
            assert marks[-1] != marks[-2]
            assert (marks[-1].of_runs != marks[-2].of_runs) is of_runs
            assert ledger.marks() == marks[-1]

        fill(ledger)
        changed(True)
        row = ledger.book.run("a")
        ledger.book.append({row.id: {"reward": points_of([44.0], [0.5])}})
        changed(True)
        ledger.book.extend(row.id, {}, Logged(config={"lr": 1}), about=True)
        ledger.overrides.add(row, "pin", "", "ada")
        changed(False)
        ledger.events.add("source", "x", "is torn")
        changed(False)
        watcher = Watch(ledger, WatchSettings(budget=100.0), acting=True)
        watcher.step()
        changed(False)
        watcher.close()
        changed(False)
        ledger.book.end(row.id)
        changed(True)


def test_the_latest_fit_of_each_run_and_the_latest_decisions(where):
    with Ledger(where, create=True) as ledger:
        assert ledger.fits.latest() == ()
        fill(ledger)
        grown(ledger, ledger.book.runs(), Growth(3))
        rows = ledger.book.runs()
        latest = ledger.fits.latest()
        assert [(fit.run_id, fit.seq) for fit in latest] == [(row.id, row.last_seq) for row in rows]
        watcher = Watch(ledger, WatchSettings(budget=100.0), acting=True)
        watcher.step()
        watcher.close()
        every = ledger.rulings.decisions()
        assert ledger.rulings.decisions(most=1) == every[-1:]
        assert ledger.rulings.decisions(run="a") == tuple(one for one in every if one.run == "a")
        assert [one.id for one in every] == sorted(one.id for one in every)


def test_a_file_that_is_gone_or_another_one_is_told_apart(tmp_path):
    path = tmp_path / "runs.db"
    with Ledger(str(path), create=True) as ledger:
        fill(ledger)
        path.rename(tmp_path / "away.db")
        with pytest.raises(LedgerError, match="is gone; put it back"):
            ledger.marks()
        Ledger(str(path), create=True).close()
        with pytest.raises(Replaced, match="is another file now"):
            ledger.marks()


def test_a_tail_reads_only_what_is_new(where, monkeypatch):
    with Ledger(where, create=True) as ledger:
        fill(ledger)
        tail = LedgerTail(f"ledger:{where}")
        first = tail.look()
        assert tail.look() is first
        asked = []
        real = type(ledger.book).points
        monkeypatch.setattr(
            type(ledger.book),
            "points",
            lambda self, of, **more: asked.append([row.name for row in of]) or real(self, of, **more),
        )
        fill(ledger, ["b"], [44])
        asked.clear()
        second = tail.look()
        assert asked == [["b"]]
        assert second[0] is first[0]
        assert second[1].rows == first[1].rows + 1
        assert [log.name for log in second] == ["a", "b"]
        tail.close()
        assert [log.rows for log in tail.look()] == [log.rows for log in second]
        tail.close()


def test_a_tail_of_a_ledger_that_is_gone_says_so_and_goes_on(tmp_path):
    path, away = tmp_path / "runs.db", tmp_path / "away.db"
    with Ledger(str(path), create=True) as ledger:
        fill(ledger)
    tail = LedgerTail(f"ledger:{path}")
    tail.look()
    path.rename(away)
    for _ in range(2):
        with pytest.raises(SourceError):
            tail.look()
    away.rename(path)
    assert len(tail.look()) == 2
    tail.close()


def test_runs_are_refreshed_as_they_would_be_read(where):
    with Ledger(where, create=True) as ledger:
        fill(ledger)
        rows = ledger.book.runs()
        assert ledger.book.refreshed(rows) == rows
        fill(ledger, ["b"], [44])
        fill(ledger, ["c"])
        ledger.book.end(rows[0].id)
        again = ledger.book.refreshed(rows)
        assert again == ledger.book.runs()
        assert [row.name for row in again] == ["a", "b", "c"]
        assert ledger.book.refreshed(again)[1] is again[1]
        assert ledger.book.refreshed(()) == again
