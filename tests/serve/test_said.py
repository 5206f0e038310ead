"""What the pages say beside their numbers: which compute, which budget, whose words; and what they say of bad input."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import rlscale
from rlscale.answers import Section, Table
from rlscale.answers.overview import overview_answer
from rlscale.answers.overview.answer import _counted
from rlscale.answers.overview.view import ROWS
from rlscale.decisions.gate import gate
from rlscale.decisions.gate.outlook import GATE_FIT
from rlscale.errors import InputError
from rlscale.ledger import Heading, Ledger, points_of
from rlscale.live import Watch, WatchSettings
from rlscale.live.alarms import Signal
from rlscale.render.html import Links, fragments, lead
from rlscale.render.json import dumps
from rlscale.serve import LogBoard, Query, open_board
from rlscale.serve.board.ranking import _resolves
from rlscale.serve.parts import pager, tiles
from rlscale.serve.query import NothingYetError
from rlscale.serve.words import page_words
from rlscale.sources import bundled, collect
from tests.serve.logs import grow
from tests.serve.server import serving

BUDGET = 20e6


@pytest.fixture(scope="module")
def board() -> LogBoard:
    held = LogBoard([bundled()], budget=BUDGET)
    held.refresh()
    assert held.page(Query(view="decisions")).answer.table.rows
    return held


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> LogBoard:
    """30 runs of 30 recipes."""
    folder = tmp_path_factory.mktemp("many")
    for k in range(30):
        rows = "".join(f"{step},{0.1 + (0.3 + 0.01 * k) * step / (step + 20.0):.6f}\n" for step in range(0, 61, 6))
        (folder / f"r{k:02}.csv").write_text(f"step,reward\n{rows}")
    held = LogBoard([folder], budget=200.0)
    held.refresh()
    return held


def headings(table: Table) -> list[str]:
    return [column.title for column in table.columns]


def test_the_end_of_an_interval_that_is_a_limit_says_or_later():
    fits = list(rlscale.fits(rlscale.read("bundled")))
    found = next(fit for fit in fits if fit.resolves_at and fit.resolves_at.q90 < 10.0 * fit.run.curve.compute_last)
    limit = 100.0 * found.run.curve.compute_last
    capped = replace(found.resolves_at, q90=limit)
    row = replace(rlscale.rank(fits).recipes[0], verdict=found.verdict)
    for when, later in ((found.resolves_at, False), (capped, True)):
        object.__setattr__(found, "resolves_at", when)
        resolves, open_ended = _resolves((row,), [[found]])
        assert (resolves[row.recipe], row.recipe in open_ended) == (when, later)
    column = rlscale.answers.table.Column("resolves_at", "resolved by", "compute")
    table = Table(name="t", columns=(column,), rows=((capped,), (capped,)), open_ends=frozenset({(1, "resolves_at")}))
    assert not table.text(0, 0)[1].endswith(" or later")
    assert table.text(1, 0)[1].endswith(" or later")
    everything = replace(table, rows=((replace(capped, q50=limit),),) * 2)
    assert [everything.text(k, 0)[0].endswith(" or later") for k in (0, 1)] == [False, True]


def test_compute_of_a_run_and_of_all_runs_are_told_apart(board):
    answer = board.page(Query()).answer
    assert {"resolved by, per run", "spent, all runs"} <= set(headings(answer.table))
    assert all("resolves_later" in row for row in answer.document["shown"])
    decisions = board.page(Query(view="decisions")).answer.tables[0]
    assert {"spent, this run", "reward now, mean of last 3"} <= set(headings(decisions))
    assert "of the recipe where it has several runs" in decisions.note


def test_a_plan_says_which_budget_it_means_and_what_its_crossings_are(board):
    answer = board.page(Query(view="plan")).answer
    assert answer.lead[0].startswith("On this page the budget is one pot for all: 18.2M tokens are left")
    assert "each run may get 20M tokens" in answer.lead[0]
    for view, title in (("plan", "Crossings"), ("compare", "Crossings")):
        sections = [each for each in board.page(Query(view=view)).answer.sections if each.title == title]
        assert all(each.note for each in sections if each.sentences)
    assert not any("one pot" in text for text in LogBoard([bundled()]).page(Query(view="plan")).answer.lead)


def test_alarms_of_every_severity_and_of_watchers_are_counted(board):
    view = board.page(Query()).answer.document
    noted = {alarm["run"].partition("/")[0] for alarm in view["alarms"] if alarm["severity"] == "note"}
    said = {row["recipe"]: row["alarms"] for row in view["shown"]}
    assert noted
    assert all(("note" in said[recipe]) == (recipe in noted) for recipe in said)
    trap = Signal(kind="trap", run="base", recipe="base", severity="warn", since=None, value=0.9, threshold=0.8,
                  message="base leads long10 early and loses to it at 4M tokens with probability 0.90.",
                  source="forecasts", unit="tokens")  # fmt: skip
    shown = overview_view(board)
    view = replace(shown, sent=(trap,), health=())
    assert _counted(view, "base") == "1 warning"
    assert _counted(view, "long10") is None
    section = next(each for each in overview_answer(view, ()).sections if each.title == "Alarms")
    assert "at 4M tokens" in section.sentences[0].text
    assert "As it was sent" in section.sentences[0].text


def overview_view(board):
    from rlscale.answers.overview import OverviewView
    from rlscale.answers.views import rank_view

    fits = list(rlscale.fits(collect(bundled()).runs))
    return OverviewView(ranked=rank_view(rlscale.rank(fits), fits), rows=())


def test_a_ledger_has_the_run_to_run_sd_that_the_gate_learns(tmp_path):
    path = tmp_path / "runs.db"
    with Ledger(str(path), create=True) as ledger:
        for k in range(4):
            name = f"r{k // 2}/seed{k % 2}"
            row = ledger.book.enlist(Heading(name=name, recipe=f"r{k // 2}"))
            rewards = [0.1 + (0.4 + 0.1 * (k // 2) + 0.02 * (k % 2)) * step / (step + 20.0) for step in range(0, 61, 4)]
            ledger.book.append({row.id: {"reward": points_of(list(range(0, 61, 4)), rewards)}})
        watcher = Watch(ledger, WatchSettings(budget=200.0), acting=True)
        watcher.step()
        watcher.close()
    held = open_board([f"ledger:{path}"])
    found = json.loads(dumps(held.page(Query(view="decisions")).answer.document))
    learned = gate(collect([f"ledger:{path}"]).runs, 200.0, options=GATE_FIT).seed_sd
    assert learned > 0.0
    assert found["seed_sd"] == pytest.approx(learned)
    held.close()


def test_long_tables_are_shown_a_page_at_a_time_and_documents_are_whole(many):
    for view, name in (("decisions", "decisions"), ("plan", "doubling")):
        for offset, first in ((0, 0), (ROWS, ROWS), (9000, ROWS)):
            query = Query(view=view, offset=offset)
            answer = many.page(query).answer
            table = next(block for block in answer.blocks if isinstance(block, Table) and block.name == name)
            assert len(table.rows) == min(ROWS, 30 - first)
            shown = pager(answer, query)
            assert shown.says.startswith(f"{first + 1}–{first + len(table.rows)} of 30")
            assert bool(shown.after) == (first == 0)
        assert len(answer.document["decisions" if view == "decisions" else "recipes"]) == 30
    whole = many.page(Query(view="decisions")).answer
    assert len(whole.table.rows) == 30  # what becomes CSV


def test_an_offset_beyond_the_end_shows_the_last_page(many):
    for view in ("overview", "health"):
        last = many.page(Query(view=view, offset=10_000)).answer
        assert last.tables[0].rows
    overview = many.page(Query(offset=10_000)).answer
    assert (overview.document["offset"], len(overview.table.rows)) == (ROWS, 30 - ROWS)
    assert pager(overview, Query(offset=10_000)).after == ""


def test_recipes_are_sorted_by_what_was_spent_and_when_they_resolve(board):
    for key in ("spent", "resolves_at"):
        rows = board.page(Query(sort=f"-{key}")).answer.document["shown"]
        values = [row[key] if key == "spent" else (row[key] or {"q50": -1.0})["q50"] for row in rows]
        assert values == sorted(values, reverse=True)
    with pytest.raises(InputError, match=r"sort by .* spent, resolves_at"):
        board.page(Query(sort="height"))


@pytest.mark.parametrize("target", ["lots", "-4", "0", "1e999", "1e-400", "1e300", "nan"])
def test_a_bad_compute_is_answered_with_the_page_and_its_form(board, target):
    with serving(board) as server:
        answer = server.ask(f"/?target={target}")
        assert "Compare at" in answer.text
        assert 'name="target"' in answer.text
        if target not in ("1e999",):  # read as the asymptote
            assert answer.status == 400
            assert "Compare at: " in answer.text
        assert "--target" not in answer.text
        assert "Traceback" not in answer.text
        assert server.ask(f"/api/overview?target={target}").status in (200, 400)
        assert server.ask("/?target=4M").status == 200


def test_without_a_run_documents_say_so_and_come_later(tmp_path):
    with serving(LogBoard([tmp_path])) as server:
        for view in ("overview", "run", "compare", "plan", "ablation", "health"):
            answer = server.ask(f"/api/{view}")
            assert answer.status == 503
            assert str(tmp_path) in json.loads(answer.body)["note"]
        assert server.ask("/api/decisions").status == 200
        page = server.ask("/")
        assert page.status == 200
        assert "a step and a reward" in page.text


def test_logs_that_nobody_can_choose_among_do_not_promise_to_fill(tmp_path):
    board = LogBoard([tmp_path])
    (tmp_path / "a.csv").write_text("step,pass_rate,win_rate\n" + "".join(f"{k},0.{k},0.{k}\n" for k in range(1, 9)))
    board.refresh()
    if not board.troubles:
        pytest.skip("this table is not ambiguous")
    with pytest.raises(NothingYetError, match="until this is mended") as error:
        board.page(Query())
    assert "fills as soon" not in error.value.on_command_line


def test_pages_give_no_advice_that_they_cannot_take(tmp_path, board):
    grow(tmp_path, range(0, 81, 4))
    for each in (board, LogBoard([tmp_path], budget=200.0), LogBoard([bundled()], budget=1e6)):
        each.refresh()
        for view in ("overview", "compare", "decisions", "plan", "ablation", "health"):
            answer = each.page(Query(view=view)).answer
            said = [answer.headline, *lead(answer), *(tile.says for tile in tiles(answer, Query(view=view)))]
            said += [str(text) for block in answer.blocks if isinstance(block, Section) for text in block.sentences]
            for option in ("--settings", "--ended", "--calibrate", "--target", "--budget 1e+06", "--explain", "e+0"):
                assert not any(option in text for text in said), (view, option)
    assert page_words("--budget 1e+06 is below; or compare them with rlscale rank --target 1e+06") == (
        "the budget 1M is below; or compare them on the overview"
    )


def test_computes_stand_in_reasons_as_everywhere(board):
    reasons = [each["reason"] for each in board.page(Query(view="decisions")).answer.document["decisions"]]
    assert any("20M tokens" in reason for reason in reasons)
    assert not any("e+0" in reason for reason in reasons)


def test_captions_and_headings_belong_to_what_is_there(board):
    for view in ("overview", "compare"):
        answer = board.page(Query(view=view)).answer
        assert not any("xpected regret" in str(part.html) for part in fragments(answer))
        assert "" not in [section.title for section in answer.sections if section.sentences]
    table = board.page(Query()).answer.table
    assert all(table.columns[table.place(key)].hint for key in ("group", "p_best", "resolves_at", "spent"))


def test_very_long_names_are_shortened_and_whole_where_pointed_at():
    name = "a/" * 150 + "end"
    html = str(Links({name: "/?x"}).linked(name))
    assert f'title="{name}"' in html
    assert len(html.partition(">")[2].replace("<wbr>", "")) < 120
    assert html.endswith("end</a>")
    assert str(Links().linked("short")) == "short"
