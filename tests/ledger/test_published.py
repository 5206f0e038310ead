"""Up to where trackers have been told of runs: kept by target, run and settings, on both kinds of database."""

import pytest

from rlscale.ledger import Cursor, Ledger
from rlscale.live import Watch, WatchSettings
from tests.live.test_watch import STEPS, grow

SETTINGS = WatchSettings(budget=100.0)


@pytest.fixture
def ledger(where):
    with Ledger(where, create=True) as held:
        grow(held, STEPS[:8], ("best", "low"))
        yield held


def look(ledger, settings=SETTINGS, *, acting=False):
    watcher = Watch(ledger, settings, acting=acting)
    watcher.step()
    watcher.close()


def tell(ledger, target="t", settings=SETTINGS, *, acting=False, most=1000):
    """Tell a target all that is new; return how many fits and decisions that were."""
    told = [0, 0]
    while waiting := ledger.published.waiting(target, settings.hash, acting=acting):
        for row in ledger.book.runs():
            if row.id in waiting:
                new = ledger.published.backlog(row, waiting[row.id], settings.hash, acting=acting, most=most)
                told[0] += len(new.fits)
                told[1] += len(new.decisions)
                ledger.published.told(target, settings.hash, row.id, new.cursor)
    return tuple(told)


def test_what_was_told_is_not_told_again(ledger):
    assert ledger.published.waiting("t", SETTINGS.hash, acting=False) == {}
    look(ledger)
    assert set(ledger.published.waiting("t", SETTINGS.hash, acting=False).values()) == {Cursor()}
    assert tell(ledger) == (2, 2)
    assert tell(ledger) == (0, 0)
    assert tell(ledger, "another") == (2, 2)
    grow(ledger, STEPS[8:9], ["best"])
    look(ledger)
    assert tell(ledger)[0] == 1


def test_a_backlog_is_told_piece_by_piece(ledger):
    for step in STEPS[8:12]:
        grow(ledger, [step], ["best"])
        look(ledger)
    assert tell(ledger, most=1) == tell(ledger, "another")
    assert tell(ledger, most=1) == (0, 0)


def test_other_settings_and_dry_runs_are_told_apart(ledger):
    look(ledger)
    tell(ledger)
    look(ledger, WatchSettings(budget=200.0))
    assert tell(ledger) == (0, 0)
    assert tell(ledger, settings=WatchSettings(budget=200.0)) == (2, 0)  # what was decided holds on
    (row,) = ledger.book.runs(["best"])
    backlog = ledger.published.backlog(row, Cursor(0, 2), SETTINGS.hash, acting=False)
    assert (backlog.before.action, backlog.decisions) == ("commit", ())
    look(ledger, acting=True)
    assert tell(ledger, acting=True) == (0, 2)  # the fits were told; what is carried out is new


def test_when_a_verdict_should_be_resolved_is_kept(ledger):
    look(ledger)
    (row,) = ledger.book.runs(["best"])
    (fit,) = ledger.published.backlog(row, Cursor(), SETTINGS.hash, acting=False).fits
    assert fit.verdict in ("bending", "pre_inflection")
    low, middle, high = fit.resolves_at
    assert fit.compute < low <= middle <= high
    assert ledger.fits.history()["best"]["best"] == (fit,)
