"""The page on a small screen, beside what is live, and after a bad number."""

from __future__ import annotations

from tests.browser.conftest import kept, until

#: Cells of a row whose contents stand on those of another: none may.
_TOUCHING = """() => [...document.querySelectorAll('table.answer tbody tr')].some((row) => {
  const boxes = [...row.querySelectorAll('td')].map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getBoundingClientRect();
  }).filter((box) => box.width && box.height);
  return boxes.some((a, i) => boxes.some((b, k) => k > i && a.left < b.right && b.left < a.right && a.top < b.bottom - 1
    && b.top < a.bottom - 1));
})"""


def test_the_tab_of_the_page_is_in_sight_and_cells_do_not_touch(bundled, opened, waiting):
    page = opened(f"{bundled}/?view=health", width=390)
    waiting.live(page)
    until(page, "document.querySelector('nav [aria-current]').getBoundingClientRect().right <= innerWidth")
    assert page.evaluate("document.getElementById('pages').scrollLeft") > 0
    page.goto(bundled)
    waiting.live(page)
    assert not page.evaluate(_TOUCHING)
    field = page.locator("input[name=target]")
    assert field.get_attribute("placeholder") == "20M"
    assert page.evaluate("(() => { const f = document.querySelector('input[name=target]'); "
                         "return f.scrollWidth <= f.clientWidth })()")  # fmt: skip


def test_what_is_live_says_how_long_nothing_changed(bundled, opened, waiting):
    page = opened(bundled)
    waiting.live(page)
    until(page, "document.querySelector('#live .age').textContent.includes('unchanged for')")
    assert "version" not in page.locator("#live").inner_text()


def test_a_bad_number_keeps_the_form_and_says_so_in_its_words(bundled, opened, waiting):
    page = opened(f"{bundled}/?target=lots", quiet=False)
    waiting.live(page)
    assert page.locator("[role=alert]").inner_text() == "Compare at: 'lots' is not a number; write 4000, 4k or 2.5M"
    assert page.locator("table.answer tbody tr").count() == 3
    page.locator("input[name=target]").fill("4M")
    until(page, "!document.querySelector('[role=alert]')")
    assert "at 4M" in page.locator("h1").inner_text()
    kept(page, "after-a-bad-number")
