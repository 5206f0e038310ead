"""The page as people use it: open, filter, sort, choose, move, read, print; by mouse and by keyboard."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from rlscale.serve import VIEWS
from tests.browser.conftest import kept, until

RUN = "/?view=run&name=long10/seed0"


def asked(page) -> dict[str, list[str]]:
    """Return what the address of a page says."""
    return parse_qs(urlsplit(page.url).query)


def test_every_page_opens_and_nothing_stands_out_of_it(bundled, opened, waiting):
    page = opened(bundled)
    for view, title in VIEWS.items():
        page.goto(f"{bundled}/?view={view}")
        waiting.live(page)
        assert title in page.title()
        assert page.locator("h1").inner_text()
        assert page.locator("nav [aria-current=page]").inner_text() == title
        for width in (1440, 1024, 800, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), view
            kept(page, f"{view}-{width}")


def test_the_overview_answers_what_people_ask_first(bundled, opened):
    page = opened(bundled)
    answers = dict(
        zip(page.locator(".tiles dt").all_inner_texts(), page.locator(".tiles dd").all_inner_texts(), strict=True)
    )
    assert answers["Leads"].startswith("long10")
    assert "1 of 3 recipes" in answers["Resolved"]
    assert set(answers) == {"Leads", "Measured", "Resolved", "Paused", "Saved so far"}


def test_a_name_filters_the_rows(bundled, opened):
    page = opened(bundled)
    page.keyboard.press("/")
    page.keyboard.type("lr1")
    until(page, "document.querySelectorAll('table.answer tbody tr').length === 1")
    assert asked(page)["search"] == ["lr1"]
    assert page.evaluate("document.activeElement.name") == "search"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.name") is None
    page.reload()
    assert page.locator("#tools [name=search]").input_value() == "lr1"
    assert page.locator("table.answer tbody tr").count() == 1


def test_a_click_on_a_heading_sorts(bundled, opened):
    page = opened(bundled)
    ceilings = page.locator("td[data-label='ceiling, 80 %'] b")
    page.get_by_role("link", name="ceiling, 80 %").click()
    page.wait_for_selector("th[aria-sort=descending]")
    assert ceilings.all_inner_texts() == sorted(ceilings.all_inner_texts(), reverse=True)
    page.get_by_role("link", name="ceiling, 80 %").click()
    page.wait_for_selector("th[aria-sort=ascending]")
    assert ceilings.all_inner_texts() == sorted(ceilings.all_inner_texts())
    page.go_back()
    page.wait_for_selector("th[aria-sort=descending]")


def test_two_chosen_runs_are_compared(bundled, opened, waiting):
    page = opened(bundled)
    assert not page.locator("#choice").is_visible()
    boxes = page.locator(".pick input")
    boxes.nth(0).check()
    assert page.locator("#choice button[type=submit]").is_disabled()
    boxes.nth(1).check()
    chosen = asked(page)["run"]
    assert len(chosen) == 2
    page.reload()
    assert [box.is_checked() for box in page.locator(".pick input").all()].count(True) == 2
    page.get_by_role("button", name="Compare").click()
    until(page, "document.title.startsWith('Compare')")
    waiting.plotted(page)
    text = page.locator("main").inner_text()
    assert all(f"{name}/seed{seed}" in text for name in chosen for seed in range(2))
    kept(page, "compared")
    page.go_back()
    page.wait_for_selector("#tools")


def test_the_slider_looks_up_what_the_server_computed(bundled, opened):
    page = opened(bundled + RUN)
    with urlopen(f"{bundled}/api/run?name=long10/seed0") as answer:
        stops = json.load(answer)["slider"]
    slider = page.locator("#slider")
    place = int(slider.input_value())
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    stop = stops[place + 3]
    assert page.locator("#stops .median").inner_text() == f"{stop['q50']:.3f}"
    assert page.locator("#stops .wide").inner_text() == f"{stop['q10']:.3f}–{stop['q90']:.3f}"
    assert f"{stop['q50']:.3f}" in slider.get_attribute("aria-valuetext")
    until(page, "location.search.includes('target=')")
    assert float(asked(page)["target"][0]) == stop["compute"]
    page.reload()
    assert page.locator("#stops .median").inner_text() == f"{stop['q50']:.3f}"
    page.locator(".sole .cursor i").wait_for()


def test_a_decision_is_read_and_its_run_opened(bundled, opened):
    page = opened(bundled)
    page.get_by_role("link", name="Decisions").click()
    until(page, "document.title.startsWith('Decisions')")
    page.get_by_role("heading", name="Why").wait_for()
    kept(page, "decision")
    page.locator("table.answer").get_by_role("link", name="base/seed1").first.click()
    until(page, "document.title.startsWith('base/seed1')")
    assert asked(page) == {"view": ["run"], "name": ["base/seed1"]}
    page.go_back()
    until(page, "document.title.startsWith('Decisions')")


def test_a_drawing_is_pointed_at_and_zoomed_and_nothing_moves(bundled, opened, waiting):
    page = opened(bundled, width=1440)
    chart = page.locator("[data-plot]").first
    chart.scroll_into_view_if_needed()
    before = page.evaluate("document.documentElement.scrollHeight"), chart.bounding_box()
    waiting.plotted(page)
    assert (page.evaluate("document.documentElement.scrollHeight"), chart.bounding_box()) == before
    point = chart.locator(".scatterlayer .trace .lines path").first.bounding_box()
    page.mouse.move(point["x"] + point["width"] - 3, point["y"] + 3)
    page.mouse.move(point["x"] + point["width"] - 1, point["y"] + 1)
    page.wait_for_selector(".hoverlayer .hovertext")
    assert re.search(r"0\.\d+ at .*tokens", page.locator(".hoverlayer").first.text_content())
    kept(page, "pointed-at")
    box = chart.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Whole").click()
    page.get_by_role("button", name="Whole").wait_for(state="detached")


def test_light_and_dark(bundled, opened, waiting):
    page = opened(bundled, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    waiting.plotted(page)
    page.keyboard.press("t")
    light = page.evaluate(paper)
    assert dark != light
    waiting.plotted(page)
    page.reload()
    assert page.evaluate(paper) == light
    page.locator("#theme").click()
    assert page.evaluate(paper) == dark


def test_it_prints_light_without_what_is_clicked(bundled, opened, waiting):
    page = opened(bundled, width=1100, color_scheme="dark")
    waiting.plotted(page)
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".bar", "#tools", ".plot", ".pick"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.locator("[data-own-plotted] > svg").first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    kept(page, "printed")


def test_it_works_before_any_script(bundled, opened):
    page = opened(bundled, java_script_enabled=False)
    page.locator("#tools [name=search]").fill("base")
    page.locator("#tools button").click()
    assert page.locator("table.answer tbody tr").count() == 1
    page.get_by_role("link", name="Run", exact=True).click()
    assert page.locator("svg.fan").first.is_visible()


def test_the_keyboard_reaches_the_content_first(bundled, opened):
    page = opened(bundled)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_what_is_not_there_says_so(bundled, opened):
    page = opened(f"{bundled}/?view=run&name=nobody", quiet=False)
    assert "nobody" in page.locator("main").inner_text()
    page.get_by_role("link", name="Overview").first.click()
    page.wait_for_selector(".tiles")
