"""The commands on ledgers and live runs, as a user types them."""

import csv
import io
import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from rich.console import Console

from rlscale.ledger import Heading, Ledger
from rlscale.live import Following
from rlscale.live.alarms import Signal
from rlscale.render.ledger.export import write_csv
from rlscale.render.watch import screen
from rlscale.sources import ReadOptions
from tests.live.test_watch import CEILINGS, STEPS, grow, reward, watch
from tests.test_cli import invoke
from tests.waiting import LIMIT


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    where = tmp_path_factory.mktemp("ledger") / "runs.db"
    result = invoke("ledger", "add", "bundled", "--ledger", where)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{where}: 6 runs, 306 new points, 144 new fits\n"
    return where


def decided_on(where):
    """Return a ledger that was looked at once."""
    with Ledger(str(where), create=True) as held:
        grow(held, STEPS[:14])
        watcher = watch(held)
        watcher.step()
        watcher.close()
    return where


def document(*args):
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_adding_again_adds_nothing(bundled):
    told = document("ledger", "add", "bundled", "--ledger", bundled)
    assert (told["points"], told["fits"], len(told["runs"])) == (0, 0, 6)


def test_history_shows_A_over_compute_and_the_ranking(bundled):
    (recipe,) = document("ledger", "history", "long10", "--ledger", bundled)["recipes"]
    for run in recipe["runs"]:
        fits = run["fits"]
        assert len(fits) == 24
        assert [one["compute"] for one in fits] == sorted(one["compute"] for one in fits)
        assert all(one["A"]["q10"] <= one["A"]["q50"] <= one["A"]["q90"] for one in fits)
        first, last = fits[0]["A"], fits[-1]["A"]
        assert last["q90"] - last["q10"] < 0.5 * (first["q90"] - first["q10"])
        assert (fits[-1]["place"], fits[-1]["contenders"]) == (1, 3)
    shown = invoke("ledger", "history", "long10", "--ledger", bundled).stdout
    assert "long10/seed0, 24 refits, 16 shown" in shown
    said = " ".join(shown.split())
    assert said.startswith("long10, by its run long10/seed")  # what one of its runs says is not of the recipe
    assert "its place by ceiling is 1 of 3." in said
    overview = invoke("ledger", "history", "--ledger", bundled).stdout
    assert next(line.split()[0] for line in overview.splitlines() if " of 3" in line) == "long10"


def test_history_of_runs_watched_from_their_first_evaluations(tmp_path):
    where = tmp_path / "runs.db"
    with Ledger(str(where), create=True) as held:
        watcher = watch(held)
        for count in range(1, 9):
            grow(held, STEPS[count - 1 : count])
            watcher.step()
        watcher.close()
        held.book.enlist(Heading(name="silent", recipe="silent"))
    recipes = document("ledger", "history", "--ledger", where)["recipes"]
    (fits,) = [one["runs"][0]["fits"] for one in recipes if one["recipe"] == "best"]
    assert [one["compute"] for one in fits] == list(map(float, STEPS[:8]))
    assert [one["place"] for one in fits[:4]] == [None] * 4
    assert (fits[-1]["place"], fits[-1]["contenders"]) == (1, 4)
    shown = invoke("ledger", "history", "best", "--ledger", where)
    assert shown.exit_code == 0, shown.stderr
    last = fits[-1]["forecast"]
    around = f"{last['q10']:.3f}–{last['q90']:.3f}"
    assert f"best: {last['q50']:.3f} at 100 steps is forecast (80 %: {around})" in shown.stdout
    assert "Verdicts speak of the forecast where there is one, not of the ceiling." in shown.stdout
    overview = invoke("ledger", "history", "--ledger", where, "--plot", tmp_path / "all.svg")
    assert overview.exit_code == 0, overview.stderr
    assert f"{last['q50']:.3f}  {around}" in overview.stdout
    assert "Nothing is fitted of silent yet." in overview.stdout


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_history_is_drawn(bundled, tmp_path, ending):
    for recipe in ([], ["base"]):
        path = tmp_path / f"history.{ending}"
        assert invoke("ledger", "history", *recipe, "--ledger", bundled, "--plot", path).exit_code == 0
        assert path.stat().st_size > 10_000


def test_every_command_reads_a_ledger(bundled):
    ledger = document("fit", f"ledger:{bundled}")["runs"]
    logs = document("fit", "bundled")["runs"]
    assert [one["run"] for one in ledger] == [one["run"] for one in logs]
    for one, other in zip(ledger, logs, strict=True):
        assert (one["A"], one["verdict"], one["unit"]) == (other["A"], other["verdict"], other["unit"])
    assert document("rank", f"ledger:sqlite:///{bundled}")["recipes"][0]["recipe"] == "long10"


def test_what_is_exported_is_read_back(bundled, tmp_path):
    path = tmp_path / "points.csv"
    assert invoke("ledger", "export", "--ledger", bundled, "--out", path).exit_code == 0
    assert document("fit", path)["runs"][0]["A"] == document("fit", f"ledger:{bundled}")["runs"][0]["A"]
    rows = list(csv.DictReader(invoke("ledger", "export", "--table", "fits", "--ledger", bundled).stdout.splitlines()))
    assert len(rows) == 144
    assert document("ledger", "export", "--table", "decisions", "--ledger", bundled)["rows"] == []


def test_what_is_exported_steers_no_terminal():
    to = io.StringIO()
    assert write_csv(iter([{"run": "a", "note": "\x1b[2Jgone\x9b"}]), to) == 1
    assert to.getvalue() == "run,note\na,\\x1b[2Jgone\\x9b\n"


def test_a_typed_error_is_told(bundled, tmp_path):
    for args, said in (
        (("ledger", "list", "--ledger", tmp_path / "nope.db"), "no ledger"),
        (("ledger", "list", "--ledger", bundled, "--run", "nope"), "--run 'nope' matches no run; they are"),
        (("ledger", "history", "nope", "--ledger", bundled), "no recipe 'nope'; its recipes are base, long10"),
        (("fit", f"ledger:{tmp_path}/nope.db"), "no ledger"),
        (("gate", "hold", "nope", "--ledger", bundled), "no run 'nope'"),
        (("gate", "--explain", 7, "--ledger", bundled), "no decision number 7"),
        (("gate", "--explain", 7), "give --ledger URL"),
        (("gate", "bundled"), "--budget is needed"),
        (("gate", "--budget", 5), "no path is given"),
        (("watch", "--ledger", bundled, "--once"), "--budget is needed"),
        (("ledger", "list", "--ledger", bundled, "postgresql://me:secret@h/d"), "unexpected extra argument"),
        (("ledger", "list", "--ledger", "mysql://me:secret@host/db"), "an SQLite file or a PostgreSQL database"),
    ):
        result = invoke(*args)
        assert result.exit_code == 2, args
        assert said in result.stderr, result.stderr
        assert "secret" not in result.stderr + result.stdout


def test_a_ledger_is_listed_with_its_decisions(tmp_path):
    where = decided_on(tmp_path / "runs.db")
    assert invoke("gate", "pin", "lower", "--ledger", where, "--note", "why not", "--by", "ana").exit_code == 0
    told = document("ledger", "list", "--ledger", where)
    assert {one["run"]: one["n_points"] for one in told["runs"]} == dict.fromkeys(CEILINGS, 14)
    held = [one for one in told["decisions"] if one["decision"] == "hold"]
    assert held
    assert told["overrides"][0]["note"] == "why not"
    shown = invoke("ledger", "list", "--ledger", where).stdout
    assert "ana said pin lower, now: why not" in shown
    some = document("ledger", "list", "--ledger", where, "--run", "be*")
    assert {one["run"] for one in (*some["runs"], *some["decisions"])} == {"best"}
    explained = document("gate", "--explain", held[0]["id"], "--ledger", where)
    assert (explained["same"], explained["same_inputs"]) == (True, True)
    assert explained["again"]["evidence"] == held[0]["evidence"]
    assert "the same, bit for bit" in invoke("gate", "--explain", held[0]["id"], "--ledger", where).stdout


def test_the_gate_knows_from_a_ledger_what_is_held(tmp_path):
    where = decided_on(tmp_path / "runs.db")
    told = {one["run"]: one["reason_code"] for one in document("gate", f"ledger:{where}", "--budget", 100)["decisions"]}
    assert told["lower"] == "still_held"
    asked = document("gate", f"ledger:{where}", "--budget", 100, "--ended", "lower")["decisions"]
    assert {one["run"]: one["reason_code"] for one in asked}["lower"] == "finished"


def test_watching_logs_once_as_json(tmp_path):
    logs = tmp_path / "logs"
    for name in CEILINGS:
        (logs / name).mkdir(parents=True)
        lines = [json.dumps({"step": k, "test/env/all/reward/total": reward(name, k)}) for k in STEPS[:14]]
        (logs / name / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    where = tmp_path / "runs.db"
    told = document("watch", logs, "--ledger", where, "--budget", 100, "--unit", "steps", "--once")
    assert (told["role"], told["points"], told["budget"], told["unit"]) == ("dry-run", 56, 100, "steps")
    assert {one["decision"] for one in told["decisions"]} == {"commit", "hold"}
    assert told["spent"] < told["planned"] < 400
    again = document("watch", logs, "--ledger", where, "--budget", 100, "--unit", "steps", "--once")
    assert (again["points"], again["decisions"]) == (0, [])


def test_a_watcher_ends_when_it_is_asked_to(tmp_path):
    where = tmp_path / "runs.db"
    with Ledger(str(where), create=True) as held:
        grow(held, STEPS[:6])
    process = subprocess.Popen(
        [sys.executable, "-m", "rlscale", "watch", "--ledger", str(where), "--budget", "100", "--interval", "0.05"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "#1" in process.stdout.readline()
    process.terminate()
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    with Ledger(str(where)) as held:
        assert held.watcher() is None


@pytest.mark.parametrize(("width", "height"), [(140, 40), (80, 24), (60, 12)])
def test_the_live_view_fits_the_terminal(tmp_path, width, height):
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        grow(held, STEPS[:14])
        watcher = watch(held)
        scene = watcher.step()
        watcher.close()
    console = Console(width=width, file=io.StringIO())
    alarm = Signal(kind="collapse", run="low", recipe="low", severity="stop", since=40.0, value=0.1, threshold=0.5,
                   message="", source="", unit="steps")  # fmt: skip
    scene = replace(scene, troubles={"source x": "is gone"}, open_alarms=(alarm,))
    console.print(screen(scene, width, height, time.time()))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    assert "best leads" in text
    assert "spent 208 of 256 steps planned" in text
    assert "commit  best" in text
    assert "P(best)" in text
    assert "source x: is gone" in text
    assert "■ stop low: collapse since 40 steps" in text
    assert ("and 2 more runs" in text) == (height == 12)


def test_a_stranger_among_the_logs_changes_nothing(tmp_path):
    def log(name, key, count):
        (tmp_path / name).mkdir(exist_ok=True)
        lines = [json.dumps({"step": k, key: reward("best", k)}) for k in STEPS[:count]]
        (tmp_path / name / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    log("a", "test/env/all/reward/total", 5)
    source = Following([tmp_path], ReadOptions())
    assert [run.name for run in source.poll().runs] == ["a"]
    log("b", "my/own/score", 5)
    log("c", "test/env/all/reward/total", 4)
    log("a", "test/env/all/reward/total", 7)
    reading = source.poll()
    assert {run.name: run.curve.n_points for run in reading.runs} == {"a": 7, "c": 4}
    assert [error.path for error in reading.errors] == [str(tmp_path / "b" / "metrics.jsonl")]
    source.close()


def test_the_budget_is_what_the_trainers_said(tmp_path):
    where = tmp_path / "runs.db"
    with Ledger(str(where), create=True) as held:
        for name in ("a", "b"):
            held.book.enlist(Heading(name=name, recipe=name, budget=100.0))
        grow(held, STEPS[:3])
    assert "states none" not in invoke("watch", "--ledger", where, "--once").stderr
    with Ledger(str(where)) as held:
        assert held.rulings.last_look(acting=False).settings["budget"] == 100.0
        held.book.enlist(Heading(name="c", recipe="c", budget=50.0))
    assert "state several" in invoke("watch", "--ledger", where, "--once").stderr


def test_a_watch_compares_all_and_shows_the_runs_asked_for(tmp_path):
    where = tmp_path / "runs.db"
    with Ledger(str(where), create=True) as held:
        grow(held, STEPS[:14])
    asked = ("watch", "--ledger", where, "--budget", STEPS[-1], "--once")
    whole = document(*asked, "--exclude", "best")
    assert {one["run"] for one in whole["runs"]} == set(CEILINGS) - {"best"}
    shown = document(*asked, "--run", "b*")
    assert {one["run"] for one in (*shown["runs"], *shown["decisions"])} == {"best"}
    assert shown["spent"] > whole["spent"]
