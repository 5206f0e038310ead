"""What the page shows of logs: the answers of the commands, computed anew where something is new."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

import rlscale
from rlscale.answers import Cards
from rlscale.answers.fit import fit_answer
from rlscale.answers.plan import plan_answer, plan_view
from rlscale.answers.rank import rank_answer
from rlscale.answers.views import fit_view, rank_view
from rlscale.decisions import rank
from rlscale.decisions.plan import plan
from rlscale.errors import InputError
from rlscale.inference import fits, over_times
from rlscale.left_out import Listing
from rlscale.render.html import fragments
from rlscale.render.json import dumps
from rlscale.serve import VIEWS, LogBoard, Query, UnknownError, open_board
from rlscale.serve.board import kept as keeping
from rlscale.serve.words import in_page_words
from rlscale.sources import bundled, collect
from tests.serve.logs import CEILINGS, grow
from tests.waiting import wait_until

STEPS = range(0, 81, 4)


@pytest.fixture(scope="module")
def board() -> LogBoard:
    return LogBoard([bundled()])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    grow(tmp_path, STEPS)
    return tmp_path


def document(board: LogBoard, **query: object) -> dict:
    return json.loads(dumps(board.page(Query(**query)).answer.document))


def hashes(answer) -> dict[str, str]:
    return {part.key: part.hash for part in fragments(answer)}


def drawn(answer) -> list[tuple]:
    """Return what the cards of an answer draw: those of a page are smaller than those of a report."""
    cards = _cards(answer.blocks)
    return [(card.title, card.mark, card.panel.x, card.panel.y, card.panel.marks) for card in cards]


def _cards(blocks):
    return [card for block in blocks if isinstance(block, Cards) for card in block.cards]


def test_the_overview_and_the_report_of_rank_are_the_same_numbers(board):
    reading = collect(bundled())
    found = tuple(fits(reading.runs))
    ranking = rank(Listing(found, left_out=reading.left_out))
    report = rank_answer(rank_view(ranking, found), found)
    page = board.page(Query()).answer
    ours, theirs = hashes(page), hashes(in_page_words(report))
    shared = [key for key in ours if key in theirs and not key.startswith("table")]
    assert [key for key in shared if ours[key] != theirs[key]] == []
    assert "figures-All recipes-0" in shared
    assert drawn(page) == drawn(report)
    mine, other = page.table, report.table
    for column in mine.columns:
        if column.key in {each.key for each in other.columns}:
            places = mine.place(column.key), other.place(column.key)
            for k in range(len(other.rows)):
                assert mine.text(k, places[0]) == other.text(k, places[1])
    said, told = json.loads(dumps(page.document)), json.loads(dumps(report.document))
    for key in ("at", "recipes", "pairs", "runs", "unit", "metric", "seed_sd", "claim", "notes"):
        assert said[key] == told[key], key


def test_the_page_of_a_run_and_the_report_of_fit_are_the_same_numbers(board):
    for targets in ((), (4e6,)):
        run = next(run for run in collect(bundled()).runs if run.name == "base/seed0")
        found = tuple(fits((run,), targets))
        report = fit_answer(fit_view(found, over_time=tuple(over_times(found, targets))), found)
        page = board.page(Query(view="run", name="base/seed0", target=targets[0] if targets else None)).answer
        ours, theirs = hashes(page), hashes(in_page_words(report))
        assert {key: ours[key] for key in ours if key in theirs and not key.startswith("definitions")} == {
            key: theirs[key] for key in theirs if key in ours and not key.startswith("definitions")
        }
        assert "table--0" in ours.keys() & theirs.keys()
        mine, other = (answer.blocks for answer in (page, report))
        assert _cards(mine)[0].facts == _cards(other)[0].facts
        assert _cards(mine)[0].panel.ends == _cards(other)[0].panel.ends
        assert json.loads(dumps(page.document))["runs"] == json.loads(dumps(report.document))["runs"]


def test_the_slider_is_what_fit_says_at_each_compute(board):
    found = document(board, view="run", name="long10/seed1")
    assert len(found["slider"]) == 40
    run = next(run for run in collect(bundled()).runs if run.name == "long10/seed1")
    for stop in found["slider"][::9]:
        own = rlscale.fit(run, stop["compute"])
        assert stop["verdict"] == own.verdict.name.value
        for name in ("q05", "q10", "q25", "q50", "q75", "q90", "q95"):
            assert stop[name] == pytest.approx(getattr(own.forecasts[0], name), abs=1e-9)
        assert document(board, view="run", name="long10/seed1", target=stop["compute"])["runs"][0]["forecast"][0][
            "q50"
        ] == pytest.approx(stop["q50"], abs=1e-9)


def test_the_plan_is_that_of_the_command(board):
    reading = collect(bundled())
    answer = plan(Listing(tuple(fits(reading.runs)), left_out=reading.left_out), reward=0.8)
    report = plan_answer(plan_view(answer, reading), charts=True)
    page = board.page(Query(view="plan", reward=0.8)).answer
    ours, theirs = hashes(page), hashes(report)
    assert {key for key in theirs if ours.get(key) == theirs[key]} >= {key for key in theirs if "table" in key}
    titles = [section.title for section in page.sections]
    assert "Across model sizes" in titles
    assert "Rollouts per prompt" in titles


def test_every_page_answers_on_the_bundled_runs(board):
    for view in VIEWS:
        page = board.page(Query(view=view, name="base/seed0" if view == "run" else None))
        assert page.answer.headline
        assert fragments(page.answer)
        json.loads(dumps(page.answer.document))
    assert "raises the ceiling" in board.page(Query(view="ablation")).answer.headline
    assert document(board, view="decisions") == {
        "schema": 1, "decisions": [], "note": "Nothing is decided here: no budget was given."
    }  # fmt: skip


def test_runs_side_by_side_say_where_they_cross_and_what_differs(board):
    found = document(board, view="compare", runs=("base/seed0", "long10/seed1"))
    assert found["names"] == ["long10/seed1", "base/seed0"]
    assert found["settings"] == [{"setting": "max_response_length", "values": ["10", "8"]}]
    assert len(found["pairs"]) == 1
    panel = board.page(Query(view="compare", runs=("base/seed0", "long10/seed1"))).answer.blocks[0].panels[0]
    assert panel.x.scale == "log"
    assert len(document(board, view="compare")["names"]) == 3  # the best run of each recipe
    alone = board.page(Query(view="compare", runs=("base/seed0",))).answer
    assert alone.headline == "There is nothing to compare base/seed0 with."
    with pytest.raises(UnknownError, match="there is no run 'nobody'"):
        board.page(Query(view="compare", runs=("base/seed0", "nobody")))


def test_without_a_name_the_page_of_runs_is_that_of_the_one_that_leads(board):
    assert document(board, view="run")["runs"][0]["recipe"] == document(board)["recipes"][0]["recipe"]


def test_names_that_are_not_there_are_said_so(board):
    for query in (Query(view="run", name="nobody"), Query(view="health", name="nobody")):
        with pytest.raises(UnknownError):
            board.page(query)


def test_rows_are_searched_and_paged(board, monkeypatch):
    from rlscale.answers.overview import view

    monkeypatch.setattr(view, "ROWS", 2)
    first, second = board.page(Query(search="se")).answer, board.page(Query(search="se", offset=2)).answer
    assert [len(answer.table.rows) for answer in (first, second)] == [2, 1]
    assert second.table.places == (2,)  # its colour is that of its place among all
    assert "3 to 3 of 3 with 'se'" in second.table.note
    assert document(board, search="se")["matching"] == 3
    found = board.page(Query(search="long")).answer
    assert [row[found.table.place("recipe")] for row in found.table.rows] == ["long10"]
    assert board.page(Query(search="nothing like it")).answer.table.rows == ()
    whole = board.page(Query(search="long")).answer.headline
    assert whole == board.page(Query()).answer.headline  # who leads does not depend on what is shown


def test_a_new_point_makes_a_new_version_and_only_its_run_is_fitted_again(logs, monkeypatch):
    board = LogBoard([logs])
    board.page(Query())
    before = document(board)
    assert not board.refresh()
    asked = []
    real = keeping.fits
    monkeypatch.setattr(keeping, "fits", lambda runs, *rest: asked.extend(runs) or real(runs, *rest))
    grow(logs, [84], ["low"])
    assert board.refresh()
    assert board.version == 2
    after = document(board)
    assert [run.name for run in asked] == ["low"]
    points = {run["run"]: run["n_points"] for run in after["runs"]}
    assert points == {"best": 21, "good": 21, "low": 22}
    assert after != before
    fresh = document(LogBoard([logs]))  # what was kept is what a fresh look finds
    assert after == fresh


def test_a_page_that_is_there_waits_for_nobody(logs, monkeypatch):
    board = LogBoard([logs])
    page = board.page(Query())
    begun, go_on = threading.Event(), threading.Event()
    real = LogBoard._answer

    def slow(self, state, query):
        begun.set()
        assert go_on.wait(300)
        return real(self, state, query)

    monkeypatch.setattr(LogBoard, "_answer", slow)
    grow(logs, [84])
    refreshing = threading.Thread(target=board.refresh)
    refreshing.start()
    assert begun.wait(300)
    assert board.page(Query()) is page  # the old version, while the new one is computed
    others = [threading.Thread(target=board.page, args=(Query(search="b"),)) for _ in range(3)]
    for thread in others:
        thread.start()
    go_on.set()
    for thread in (refreshing, *others):
        thread.join(300)
    assert board.page(Query()).version == 2


def test_many_who_ask_for_a_page_have_it_computed_once(logs, monkeypatch):
    board = LogBoard([logs])
    calls, real = [], LogBoard._answer
    gate = threading.Event()

    def counted(self, state, query):
        calls.append(query)
        assert gate.wait(300)
        return real(self, state, query)

    monkeypatch.setattr(LogBoard, "_answer", counted)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(board.page(Query(target=200.0)))) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: calls)
    gate.set()
    for thread in threads:
        thread.join(300)
    assert len(calls) == 1
    assert len({id(page) for page in found}) == 1


def test_pages_that_are_kept_are_few(logs):
    board = LogBoard([logs])
    for k in range(120):
        board.page(Query(search=f"nobody {k}"))
    assert len(board._pages) <= 24
    assert board.page(Query(view="plan", search="", sort="-x")) is board.page(Query(view="plan"))


def test_a_broken_log_is_a_trouble_and_takes_nothing_down(logs):
    board = LogBoard([logs])
    before = document(board)
    (logs / "torn.csv").write_bytes(b"step,reward\n0,0.1\n\x00\xff\xfe garbage,,,\n" * 50)
    (logs / "best.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    assert board.refresh()
    assert any("best.csv" in text for text in board.troubles)
    after = document(board)
    assert {row["recipe"] for row in after["recipes"]} >= {row["recipe"] for row in before["recipes"]} - {"best"}
    for path in logs.iterdir():
        path.unlink()
    board.refresh()
    assert any("is gone" in text for text in board.troubles)
    assert {row["recipe"] for row in document(board)["recipes"]} >= {"good", "low"}


def test_a_log_that_is_kept_is_one_trouble_and_no_run_that_is_left_out(logs):
    board = LogBoard([logs])
    before = document(board)
    best = logs / "best.csv"
    for spoil, says in (
        (lambda: best.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00"), "not UTF-8"),
        (lambda: best.write_bytes(b"step,reward\n0,0.1\n\x00\xff\xfe garbage,,,\n" * 50), "line 3"),
        (best.unlink, "is gone"),
    ):
        spoil()
        assert board.refresh()
        (trouble,) = board.troubles
        assert says in trouble
        assert "what it held before is kept" in trouble
        answer = board.page(Query()).answer
        assert "left out" not in answer.headline
        assert answer.errors == ()
        after = document(board)
        assert (after["left_out"], after["recipes"]) == ([], before["recipes"])
    (logs / "torn.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")  # one that was never read is left out
    board.refresh()
    assert len(board.troubles) == 2
    assert board.page(Query()).answer.headline.startswith("1 of 4 runs left out")
    grow(logs, STEPS, ["best"])
    board.refresh()
    assert [("torn" in text) for text in board.troubles] == [True]


def test_a_defect_of_a_reader_is_told_and_survived(logs, monkeypatch):
    board = LogBoard([logs])
    board.page(Query())

    def broken() -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(board._source, "poll", broken)
    assert board.refresh()
    assert board.troubles == ("RecursionError while reading; this is a defect of rlscale, report it",)
    assert not board.refresh()  # told once
    assert board.page(Query()).answer.headline


def test_nothing_yet_is_said_and_fills_when_a_log_comes(tmp_path):
    board = LogBoard([tmp_path])
    for view in VIEWS:
        if view not in ("decisions",):
            with pytest.raises(InputError):
                board.page(Query(view=view, name="x" if view == "run" else None))
    grow(tmp_path, STEPS)
    assert board.refresh()
    assert {row["recipe"] for row in document(board)["recipes"]} == set(CEILINGS)


def test_with_a_budget_the_gate_decides(logs):
    board = LogBoard([logs], budget=200.0)
    waits = board.page(Query()).answer
    assert any("being worked out" in text for text in waits.lead)
    assert "being worked out" in document(board, view="decisions")["note"]
    assert board.refresh()  # the first look takes a while, so the page was there before
    gated = rlscale.gate(collect(logs), 200.0)
    found = document(board, view="decisions")
    assert {each["run"]: each["decision"] for each in found["decisions"]} == {
        each.run: each.action.value for each in gated.decisions
    }
    assert found["savings"] == json.loads(dumps(gated.savings.document()))
    overview = document(board)
    assert overview["savings"]["planned"] == 600.0
    assert {row["recipe"]: row["decision"] for row in overview["shown"]} == {
        each.recipe: each.action.value for each in gated.decisions
    }
    assert not board.refresh()
    grow(logs, [84])
    assert board.refresh()
    assert document(board, view="decisions")["spent"] == 252.0


def test_money_is_told_at_a_price(tmp_path):
    for name in CEILINGS:
        grow(tmp_path, STEPS, [name])
        path = tmp_path / f"{name}.csv"
        path.write_text(path.read_text().replace("step,reward", "gpu_hours,reward"))
    board = open_board([tmp_path], price=2.0)
    assert board.page(Query()).answer.lead == ("Spent 240 gpu-hours so far: 480 dollars at 2 a GPU-hour.",)
    budgeted = open_board([tmp_path], budget=100.0, price=2.0)
    budgeted.refresh()
    assert "dollars" in budgeted.page(Query()).answer.lead[0]
    assert document(budgeted, view="decisions")["savings"]["money"]["planned"] == 600.0


def test_alarms_are_on_the_overview(tmp_path):
    for name in CEILINGS:
        with (tmp_path / f"{name}.csv").open("w") as log:
            log.write("step,reward,entropy\n")
            for step in STEPS:
                entropy = 0.001 if name == "low" and step > 20 else 0.5
                log.write(f"{step},{0.1 + (CEILINGS[name] - 0.1) * step / (step + 20.0):.4f},{entropy}\n")
    board = LogBoard([tmp_path])
    health = document(board, view="health")
    warned = {run["run"] for run in health["runs"] for alarm in run["alarms"] if alarm["severity"] != "note"}
    overview = document(board)
    assert {alarm["run"] for alarm in overview["alarms"] if alarm["severity"] != "note"} == warned
    assert warned
    named = board.page(Query(view="health", name="low")).answer
    assert any(section.title == "Alarms of low" for section in named.sections)


def test_very_many_logs_are_ranked_and_some_of_them_drawn(logs, monkeypatch):
    from rlscale.serve.board import answering, ranking
    from rlscale.serve.board import logs as logs_of

    whole = document(LogBoard([logs]), target=200.0)
    for module in (keeping, answering, ranking, logs_of):
        monkeypatch.setattr(module, "MOST", 2)
    board = LogBoard([logs], budget=200.0)
    found = document(board)
    assert [row["recipe"] for row in found["recipes"]] == [row["recipe"] for row in whole["recipes"]]
    for ours, theirs in zip(found["recipes"], whole["recipes"], strict=True):
        assert ours["forecast"]["q50"] == pytest.approx(theirs["forecast"]["q50"], abs=1e-9)
    assert len(board._answers.kept._records) == 2
    with pytest.raises(InputError, match="a plan is made of 2 runs at most, and here are 3"):
        board.page(Query(view="plan"))
    assert [row["recipe"] for row in document(board, view="plan", search="best")["recipes"]] == ["best"]
    board.refresh()
    assert "3 runs are more than the 2" in document(board, view="decisions")["note"]
    assert len(document(board, view="health")["runs"]) == 3


def test_a_run_that_changed_beside_its_curve_keeps_its_fit(logs):
    board = LogBoard([logs])
    board.page(Query())
    settings = logs / "settings.csv"
    settings.write_text("run,lr\nbest,1e-4\ngood,3e-4\nlow,1e-4\n")
    kept = board._answers.kept
    fits = {name: record.fit.posterior for name, record in kept._records.items()}
    assert board.refresh()
    found = document(board, view="compare", runs=("best", "good"))
    assert found["settings"] == [{"setting": "learning_rate", "values": ["1e-4", "3e-4"]}]
    assert {name: record.fit.posterior for name, record in kept._records.items()} == fits
    assert document(board, view="run", name="good")["settings"] == {"learning_rate": "3e-4"}


def test_sizes_and_rollouts_are_planned_where_the_data_support_them(tmp_path, board):
    rows = ["run,gpu_hours,reward,model_params,rollouts"]
    for size, count in ((1e9, 4), (3e9, 8), (7e9, 16), (14e9, 4)):
        for hours in np.geomspace(1.0, 100.0, 25):
            level = 1.0 - np.exp(-0.4 / (1.0 + 3e9 / size) * np.log(hours) - 0.3)
            rows.append(f"m{size:g}-n{count},{hours:.5g},{level:.5f},{size:g},{count}")
    (tmp_path / "runs.csv").write_text("\n".join(rows) + "\n")
    answer = LogBoard([tmp_path / "runs.csv"]).page(Query(view="plan")).answer
    said = {section.title: section.sentences for section in answer.sections}
    assert not str(said["Across model sizes"][0]).startswith("Not shown")
    assert "Predictions" in [table.title for table in answer.tables]
    assert [section.title for section in answer.sections].count("About the input") == 1
    bundled_says = {section.title: section.sentences for section in board.page(Query(view="plan")).answer.sections}
    assert bundled_says["Across model sizes"][0].startswith("Not shown: the runs state")
    assert bundled_says["Rollouts per prompt"][0].startswith("Not shown: the runs state")


def test_the_default_comparison_takes_the_best_runs_at_the_compute_of_the_overview(board):
    overview = document(board)
    answer = board.page(Query(view="compare")).answer
    assert answer.document["at"] == overview["at"]
    assert "by median forecast at 7.36M tokens" in answer.lead[0]
    assert "in which long10 ranks first" in answer.lead[0]
    runs = collect(bundled()).runs
    for row in overview["recipes"]:
        own = {
            run.name: rlscale.fit(run, overview["at"]).forecasts[0].q50 for run in runs if run.recipe == row["recipe"]
        }
        assert max(own, key=own.__getitem__) in answer.document["names"]
    table, ends = answer.table, answer.blocks[0].panels[0].ends
    said = [f"{table.text(k, 0)[0]}  {table.text(k, table.place('forecast'))[0]}" for k in range(3)]
    assert [end.text for end in ends] == said  # the labels of the drawing are the numbers of the table
    verdicts = {run["run"]: run["verdict"] for run in overview["runs"]}
    assert all(verdicts[row["recipe"]] == row["verdict"] for row in answer.document["recipes"])


def test_with_a_budget_all_pages_speak_of_the_same_compute():
    budget = LogBoard([bundled()], budget=20e6)
    for view in ("overview", "compare"):
        assert document(budget, view=view)["at"] == 20e6
        assert document(budget, view=view, target=5e6)["at"] == 5e6
    assert document(budget, view="run", name="base/seed0")["runs"][0]["forecast"][0]["compute"] == 20e6
    assert " at 20M tokens" in budget.page(Query()).answer.headline
    unasked = document(budget, view="compare", runs=("base/seed0", "base/seed1"))
    assert unasked["at"] == 20e6


def test_a_run_that_was_left_out_says_why(logs):
    (logs / "torn.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    board = LogBoard([logs])
    for view in ("run", "health"):
        with pytest.raises(UnknownError, match="run 'torn' was left out: line 1 is not UTF-8"):
            board.page(Query(view=view, name="torn"))
