"""Trackers are told what a watcher believes and decides: everything once, whatever they do meanwhile."""

import re
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlscale.curves import COMPUTE, Series
from rlscale.errors import InputError
from rlscale.integrations.publish import Account, Publisher, Row, opened
from rlscale.integrations.publish.mlflow import _address
from rlscale.integrations.publish.publisher import RETRY, SILENCE
from rlscale.integrations.publish.rows import DECISIONS, VERDICTS, rows_of
from rlscale.integrations.publish.steps import Steps
from rlscale.integrations.publish.tensorboard import _parts
from rlscale.ledger import Backlog, Cursor, DecisionRow, FitRow, Heading, Ledger, Logged, points_of
from rlscale.live import Scene, Watch, WatchSettings
from tests.live.test_watch import CEILINGS, STEPS, grow
from tests.test_cli import invoke
from tests.waiting import Clock, wait_until

SETTINGS = WatchSettings(budget=100.0)


class Kept:
    """A tracker in memory; ``wrong`` is raised while it is set, ``refuses`` names runs that it does not take."""

    failures = (KeyError,)

    def __init__(self, target="kept:here"):
        self.target = self.key = target
        self.rows, self.closed, self.calls = {}, 0, 0
        self.wrong, self.refuses = None, ()

    def write(self, account, rows):
        self.calls += 1
        if self.wrong is not None or account.name in self.refuses:
            raise self.wrong or ValueError(f"no {account.name}")
        self.rows.setdefault(account.beside, []).extend(rows)

    def close(self):
        self.closed += 1

    def keys(self):
        return [row.key for rows in self.rows.values() for row in rows]


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "runs.db")


def watched(where, publishers, counts, **more):
    """Let runs grow to each of these counts of evaluations, and publishers see each look."""
    scenes = []
    with Ledger(where, create=True) as held:
        watcher = Watch(held, SETTINGS, acting=True, **more)
        for count in counts:
            grow(held, STEPS[:count])
            scenes.append(watcher.step())
            for one in publishers:
                one.take(scenes[-1])
        watcher.close()
    return scenes


def told(where, tracker, counts):
    with Ledger(where, create=True):
        pass
    publisher = Publisher(tracker, where, SETTINGS, acting=True)
    watched(where, [publisher], counts)
    return publisher.close(300.0)


def fit(seq, compute, **more):
    return FitRow(
        **{"run_id": 1, "seq": seq, "settings": "s", "version": "v", "at": 10.0 + seq, "compute": compute,
           "verdict": "bending", "A": (0.5, 0.6, 0.7), "target": 100.0, "forecast": (0.4, 0.5, 0.55), "mean": 0.5,
           "p_best": 0.3, "resolves_at": (40.0, 50.0, 60.0), **more}
    )  # fmt: skip


def decision(number, spent, action="hold"):
    return DecisionRow(
        id=number, look_id=number, run="a", recipe="a", at=100.0 + number, before=None, action=action, code="c",
        reason=f"because {number}", hash=f"h{number}", acting=True, evidence={"spent": spent},
    )  # fmt: skip


def test_rows_are_numbers_and_words_at_the_steps_of_the_run():
    backlog = Backlog(
        1, (fit(1, 8.0), fit(2, 12.0, A=None, resolves_at=None, p_best=float("nan"))),
        (decision(5, 8.0), decision(6, 8.0, "continue")), decision(4, 4.0, "continue"), Cursor(2, 6),
    )  # fmt: skip
    first, second, third = rows_of(backlog, lambda compute: round(10 * compute))
    assert first.step == second.step == 80
    assert third.step == 120
    assert first.metrics == {
        "rlscale/compute": 8.0, "rlscale/target": 100.0, "rlscale/p_best": 0.3,
        "rlscale/ceiling_q10": 0.5, "rlscale/ceiling_q50": 0.6, "rlscale/ceiling_q90": 0.7,
        "rlscale/forecast_q10": 0.4, "rlscale/forecast_q50": 0.5, "rlscale/forecast_q90": 0.55,
        "rlscale/resolves_at_q10": 40.0, "rlscale/resolves_at_q50": 50.0, "rlscale/resolves_at_q90": 60.0,
        "rlscale/verdict": 5.0, "rlscale/decision": 1.0,
    }  # fmt: skip
    assert first.texts == {"rlscale/verdict_text": "bending", "rlscale/decision_text": "hold",
                           "rlscale/reason": "because 5"}  # fmt: skip
    assert second.metrics == {"rlscale/compute": 8.0, "rlscale/decision": 2.0}  # the others went on
    assert second.texts["rlscale/reason"] == "because 6"
    assert third.metrics["rlscale/decision"] == 2.0  # in force still
    assert not {"rlscale/p_best", "rlscale/ceiling_q50", "rlscale/resolves_at_q50"} & third.metrics.keys()
    assert len({first.key, second.key, third.key}) == 3
    assert rows_of(replace(backlog, fits=(), decisions=()), round) == ()


def test_codes_and_metrics_are_those_that_the_page_states():
    page = (Path(__file__).parents[2] / "docs" / "publish.md").read_text(encoding="utf-8")
    for name, codes in (("verdict", VERDICTS), ("decision", DECISIONS)):
        stated = re.search(rf"^\| `rlscale/{name}` \| (.*?)(?:;| \|)", page, re.M)
        assert stated[1] == ", ".join(f"{code} `{word}`" for word, code in codes.items())
    (row,) = rows_of(Backlog(1, (fit(1, 8.0),), (decision(5, 8.0),), None, Cursor()), round)
    for key in row.metrics.keys() | row.texts.keys():
        assert f"`{re.sub('_q[159]0$', '_q10', key)}`" in page


def test_every_look_is_told_once_through_restarts(where):
    tracker = Kept()
    assert told(where, tracker, [8, 10]) == ""
    first = tracker.keys()
    assert told(where, tracker, [10]) == ""  # nothing new
    assert tracker.keys() == first
    assert told(where, tracker, [10, 12, 14]) == ""
    assert len(set(tracker.keys())) == len(tracker.keys()) > len(first)
    assert tracker.closed == 3
    assert set(tracker.rows) == {f"{name} (rlscale)" for name in CEILINGS}
    for rows in tracker.rows.values():
        assert [row.step for row in rows] == sorted(row.step for row in rows)
        assert {row.step for row in rows if "rlscale/verdict" in row.metrics} == {28, 36, 44, 52}
    best = tracker.rows["best (rlscale)"]
    assert best[-1].metrics["rlscale/decision"] == DECISIONS["commit"]
    with Ledger(where) as held:
        looked = held.fits.history()["best"]["best"]
        decided = held.rulings.decisions()
    assert [one.A[1] for one in looked] == [row.metrics["rlscale/ceiling_q50"] for row in best]
    reasons = [
        row.texts["rlscale/reason"] for rows in tracker.rows.values() for row in rows if "rlscale/reason" in row.texts
    ]
    assert sorted(reasons) == sorted(one.reason for one in decided)


def test_a_tracker_that_is_down_stops_nobody_and_is_told_all_of_it_later(where):
    tracker, well, clock = Kept(), Kept("kept:there"), Clock()
    tracker.wrong = KeyError("down:\n secret://me:pw@host")
    with Ledger(where, create=True):
        pass
    publishers = [Publisher(one, where, SETTINGS, acting=True, clock=clock) for one in (tracker, well)]
    with Ledger(where) as held:
        watcher = Watch(held, SETTINGS, acting=True)
        for count in (8, 10):
            grow(held, STEPS[:count])
            scene = watcher.step()
            for one in publishers:
                one.take(scene)
        wait_until(lambda: publishers[0].troubles() and publishers[1].written)
        ((subject, message),) = publishers[0].troubles().items()
        assert subject == "publish kept:here"
        assert message.endswith("what is new waits in the ledger and is written later")
        assert "pw" not in message
        assert publishers[1].troubles() == {}
        calls = tracker.calls
        publishers[0].take(scene)  # not before it is time
        tracker.wrong = None
        clock.advance(RETRY)
        publishers[0].take(scene)
        wait_until(lambda: tracker.rows and not publishers[0].troubles())
        assert tracker.calls > calls
        assert [one.close(300.0) for one in publishers] == ["", ""]
        watcher.close()
    assert tracker.keys() == well.keys()


def test_a_tracker_that_hangs_is_told_of_and_left_behind(where):
    tracker, clock, goes_on, begun = Kept(), Clock(), threading.Event(), threading.Event()

    def hang(account, rows):
        begun.set()
        goes_on.wait()

    tracker.write = hang
    with Ledger(where, create=True):
        pass
    publisher = Publisher(tracker, where, SETTINGS, acting=True, clock=clock)
    watched(where, [publisher], [8, 10])
    begun.wait()
    assert publisher.troubles() == {}
    clock.advance(SILENCE + 1)
    assert "no answer for 60 s" in publisher.troubles()["publish kept:here"]
    assert publisher.close(0.0) == (
        "kept:here was not told everything (it did not answer within 0 s); the next watcher of the ledger goes on there"
    )
    goes_on.set()
    publisher.close(300.0)


def test_a_run_that_a_tracker_refuses_does_not_keep_the_others_from_it(where):
    tracker = Kept()
    tracker.refuses = ("low",)
    assert told(where, tracker, [8]).startswith("kept:here was not told everything (no low)")
    assert set(tracker.rows) == {f"{name} (rlscale)" for name in CEILINGS if name != "low"}
    tracker.refuses = ()
    assert told(where, tracker, [8]) == ""
    assert len(set(tracker.keys())) == len(tracker.keys()) == 4


def test_a_defect_is_told_of(where, monkeypatch):
    class Defect(Exception):
        pass

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    tracker = Kept()
    tracker.wrong = Defect("no")
    with Ledger(where, create=True):
        pass
    publisher = Publisher(tracker, where, SETTINGS, acting=True)
    watched(where, [publisher], [8])
    assert "not told everything" in publisher.close(300.0)
    assert "defect" in publisher.troubles()["publish kept:here"]


def test_only_who_leads_tells(where):
    tracker = Kept()
    with Ledger(where, create=True):
        pass
    publisher = Publisher(tracker, where, SETTINGS, acting=True)
    scenes = watched(where, [], [8])
    for role in ("standby", "view"):
        publisher.take(replace(scenes[0], role=role))
    publisher.take(Scene(role="acting"))
    assert publisher.close(300.0) == ""
    assert tracker.calls == 0


def test_steps_are_those_of_the_trainer_where_they_are_known(tmp_path):
    with Ledger(str(tmp_path / "r.db"), create=True) as held:
        rows = [held.book.enlist(Heading(name=name, recipe=name, unit=unit)) for name, unit in
                (("a", "tokens"), ("b", "tokens"), ("c", "steps"))]  # fmt: skip
        steps = Steps(held)
        log = Logged(series={COMPUTE: Series(np.array([0.0, 10.0]), np.array([0.0, 1e6]))})
        held.book.extend(rows[0].id, {"reward": points_of([1e6], [0.5])}, log, about=True)
        assert [steps.at(row, 5e5) for row in rows] == [5, 500000, 500000]
        more = Logged(series={COMPUTE: Series(np.array([20.0]), np.array([2e6]))})
        held.book.extend(rows[0].id, {}, more, about=False)
        assert [steps.at(rows[0], 1e6), steps.at(rows[0], 2e6), steps.at(rows[0], 3e6)] == [10, 20, 20]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nothing", "--publish 'nothing' is no tracker; give tensorboard:DIR, trackio:PROJECT, wandb:PROJECT"),
        ("csv:x", "--publish 'csv:x' is no tracker"),
        ("trackio:", "--publish 'trackio:' names no place behind the colon; give one"),
        ("wandb:a/b/c", "--publish 'wandb:a/b/c' is no project of W&B; give wandb:PROJECT or wandb:ENTITY/PROJECT"),
        ("mlflow://", "--publish 'mlflow://' names no host; give mlflow://HOST:PORT, or mlflow:PATH of a store"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(target, said):
    with pytest.raises(InputError) as raised:
        opened(target)
    assert raised.value.on_command_line.startswith(said)


@pytest.mark.parametrize("name", ["tensorboard", "trackio", "wandb", "mlflow"])
def test_a_missing_library_is_said_before_anything_runs(name, where, monkeypatch):
    module = {"tensorboard": "tensorboard.summary.writer.record_writer", "trackio": "trackio.sqlite_storage"}
    monkeypatch.setitem(sys.modules, module.get(name, name), None)
    result = invoke("watch", "--ledger", where, "--budget", 100, "--once", "--publish", f"{name}:x")
    assert result.exit_code == 2
    assert result.stderr == f"error: --publish {name}:x needs a library: pip install 'rlscale[{name}]'\n"
    assert not Path(where).exists()


def test_the_command_tells_trackers(where, monkeypatch):
    from rlscale.integrations import publish

    trackers = {}

    def one(target):
        return trackers.setdefault(target, Kept(target))

    monkeypatch.setattr(publish, "opened", one)
    with Ledger(where, create=True) as held:
        grow(held, STEPS[:8])
    args = ("watch", "--ledger", where, "--budget", 100, "--once")
    result = invoke(*args, "--publish", "a:1", "--publish", "b:2", "--publish", "a:1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(trackers["a:1"].keys()) == len(trackers["b:2"].keys()) == 4
    trackers["a:1"].wrong = KeyError("down")
    with Ledger(where) as held:
        grow(held, STEPS[:9])
    result = invoke(*args, "--publish", "a:1")
    assert result.exit_code == 0
    assert result.stderr.startswith("a:1 was not told everything ('down')")
    result = invoke("watch", "--ledger", where, "--view", "--once", "--publish", "a:1")
    assert result.stderr == "error: --view reads the ledger alone and acts on nothing; leave --publish out\n"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a (rlscale)", ["a (rlscale)"]),
        ("base/seed0 (rlscale)", ["base", "seed0 (rlscale)"]),
    ],
)
def test_folders_are_called_as_runs_are(name, parts):
    assert _parts(name) == parts


def test_no_name_leads_out_of_the_folder_or_into_that_of_another():
    names = ["../../x", "/etc/x", "..", "a/../b", "a/./b", "a//b", "a/b", "a\\b", "ä" * 400, "ä" * 399, "./x", "x"]
    made = ["/".join(_parts(name)) for name in names]
    assert len(set(made)) == len(names)
    for path in made:
        assert not path.startswith("/")
        assert all(part not in ("", ".", "..") and len(part.encode()) < 255 for part in path.split("/"))


@pytest.mark.parametrize(
    ("place", "uri", "experiment"),
    [
        ("//host:5000", "http://host:5000", ""),
        ("//host:5000/my%20runs", "http://host:5000", "my runs"),
        ("https://host/e", "https://host", "e"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", ""),
        ("sqlite:///m.db", "sqlite:///m.db", ""),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg2://u@h/d", ""),
        ("/data/m.db", "sqlite:////data/m.db", ""),
        ("/data/mlruns", "file:///data/mlruns", ""),
    ],
)
def test_addresses_of_mlflow(place, uri, experiment):
    assert _address("mlflow:x", place) == (uri, experiment)


def test_a_row_and_an_account_are_plain_values():
    account = Account("a/b", "a", "0" * 32, "runs.db", "steps")
    assert account.beside == "a/b (rlscale)"
    assert Row("k", 1, 0.0, {}, {}) == Row("k", 1, 0.0, {}, {})
