"""What a page has beside its blocks: links, order, tiles, slider, pages of rows."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from rlscale.errors import InputError
from rlscale.render.html import fragments
from rlscale.serve import LogBoard, Query
from rlscale.serve.names import Addresses, links_of
from rlscale.serve.parts import pager, slider, tiles

RECIPES = {"long": ("long/0", "long/1"), "short": ("short",), "<b>": ("<b>",)}


@pytest.fixture(scope="module")
def board():
    return LogBoard(["bundled"], budget=20e6)


def test_a_run_leads_to_its_page_and_a_recipe_to_its_runs():
    addresses = Addresses(RECIPES, Query(target=4e6))
    assert parse_qs(urlsplit(addresses["long/1"]).query) == {"view": ["run"], "name": ["long/1"], "target": ["4000000"]}
    assert parse_qs(urlsplit(addresses["long"]).query)["run"] == ["long/0", "long/1"]
    assert "none" not in addresses
    assert set(addresses) == {"long", "long/0", "long/1", "short", "<b>"}


def test_names_are_escaped_in_links_and_boxes():
    links = links_of(RECIPES, Query(runs=("<b>",)))
    assert str(links.linked("<b>")) == '<a href="/?view=run&amp;name=%3Cb%3E">&lt;b&gt;</a>'
    assert 'value="&lt;b&gt;"' in links.box("<b>")
    assert "checked" in links.box("<b>")
    assert "checked" not in links.box("long")
    assert not links.box("unknown")
    assert links.linked("long/0, short").count("<a ") == 2


def test_a_heading_sorts_by_the_larger_then_the_smaller_then_by_rank():
    orders = [links_of(RECIPES, Query(sort=sort)).order["ceiling"] for sort in ("", "-ceiling", "ceiling")]
    assert orders == ["/?sort=-ceiling", "/?sort=ceiling", "/"]


def test_rows_are_sorted_whatever_page_they_are_on(board):
    rows = board.page(Query(sort="recipe")).answer.document["shown"]
    assert [row["recipe"] for row in rows] == ["base", "long10", "lr1.5e-4"]
    with pytest.raises(InputError, match="sort='height' is no column; sort by recipe, verdict"):
        board.page(Query(sort="height"))


def test_the_tiles_answer_the_first_questions(board):
    said = {tile.question: (tile.value, tile.says) for tile in tiles(board.page(Query()).answer, Query())}
    assert said["Leads"] == ("long10", "best with probability >99 %")
    assert said["Resolved"] == ("1 of 3 recipes", "the leader is")
    assert said["Measured"][0] == "not yet"


def test_the_slider_stands_at_the_target_and_in_the_drawing(board):
    query = Query(view="run", name="long10/seed0", target=4e6)
    answer = board.page(query).answer
    shown = slider(answer, query)
    assert shown is not None
    stop = answer.document["slider"][shown.place]
    assert stop["compute"] == pytest.approx(4e6, rel=0.06)
    assert shown.stop.median == f"{stop['q50']:.3f}"
    assert shown.stop.wide == f"{stop['q10']:.3f}–{stop['q90']:.3f}"
    assert all(0.0 < each.left < 100.0 and each.high <= each.middle <= each.low for each in shown.stops)
    assert sum(many for _, _, many in shown.spans) == len(shown.stops)
    assert slider(board.page(Query()).answer, Query()) is None


def test_few_rows_need_no_pages(board):
    assert pager(board.page(Query()).answer, Query()) is None


def test_a_report_has_no_links(board):
    answer = board.page(Query()).answer
    assert not any("<a " in part.html for part in fragments(answer))
    assert any("<a " in part.html for part in fragments(answer, links_of(board.recipes, Query())))
