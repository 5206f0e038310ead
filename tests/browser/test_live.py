"""The page while runs go on, servers come and go, and names are hostile."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from rlscale.serve import VIEWS, LogBoard, ServeOptions
from tests.browser.conftest import kept, until
from tests.browser.folders import HOSTILE, append, rising
from tests.postgres import free_port
from tests.serve.server import serving


def test_a_point_arrives_and_what_people_do_is_kept(tmp_path, opened, waiting):
    rewards = rising(40)
    for name in ("first", "second"):
        append(tmp_path / f"{name}.jsonl", 0, rewards[:30])
    with serving(LogBoard([tmp_path])) as served:
        page = opened(f"http://127.0.0.1:{served.port}")
        waiting.live(page)
        assert "60 evaluations" in page.locator(".kicker").inner_text()
        page.locator(".pick input[value=second]").check()
        box = page.locator("#tools [name=search]")
        box.focus()
        before = int(page.evaluate("document.body.dataset.version"))
        append(tmp_path / "first.jsonl", 30, rewards[30:31])
        waiting.version(page, before)
        until(page, "document.querySelector('.kicker').textContent.includes('61 evaluations')")
        assert page.locator(".pick input:checked").evaluate_all("all => all.map(each => each.value)") == ["second"]
        assert page.evaluate("document.activeElement.name") == "search"
        assert "Updated" in page.locator("#said").inner_text()
        kept(page, "arrived")
        page.goto(f"http://127.0.0.1:{served.port}/?view=run&name=first")
        waiting.live(page)
        page.locator("#stops summary").click()
        before = int(page.evaluate("document.body.dataset.version"))
        append(tmp_path / "first.jsonl", 31, rewards[31:32])
        waiting.version(page, before)
        until(page, "document.querySelector('main').textContent.includes('over 32 evaluations')")
        assert page.locator("#stops details").evaluate("each => each.open")


def test_a_server_that_goes_away_and_comes_back(tmp_path, opened, waiting):
    append(tmp_path / "run.jsonl", 0, rising(30))
    options = ServeOptions(port=free_port(), interval=0.05)
    with serving(LogBoard([tmp_path]), options):
        page = opened(f"http://127.0.0.1:{options.port}", quiet=False)
        waiting.live(page)
    until(page, "document.querySelector('#live .word').textContent === 'offline'")
    assert page.locator("h1").is_visible()
    kept(page, "offline")
    append(tmp_path / "run.jsonl", 30, rising(31)[30:])
    with serving(LogBoard([tmp_path]), options):
        waiting.live(page)
        until(page, "document.querySelector('.kicker').textContent.includes('31 evaluations')")
        page.goto("about:blank")


def test_a_broken_log_leaves_the_rest(tmp_path, opened):
    append(tmp_path / "good.jsonl", 0, rising(30))
    (tmp_path / "bad.jsonl").write_bytes(b'{"step": 1, "eval/accuracy": 0.1\n\xff\xfe{{{\n' * 3)
    with serving(LogBoard([tmp_path])) as served:
        page = opened(f"http://127.0.0.1:{served.port}")
        assert page.locator("h1").is_visible()
        assert "good" in page.locator("main").inner_text()


def test_nothing_yet(tmp_path, opened, waiting):
    with serving(LogBoard([tmp_path])) as served:
        page = opened(f"http://127.0.0.1:{served.port}")
        waiting.live(page)
        assert "fills as soon as" in page.locator(".empty").inner_text()
        kept(page, "empty")
        append(tmp_path / "run.jsonl", 0, rising(30))
        page.wait_for_selector("table.answer")


def test_names_are_data(hostile, opened, waiting):
    addresses = [f"/?view={view}" for view in VIEWS]
    addresses += [f"/?view=run&name={quote(name)}" for name in HOSTILE]
    addresses += ["/?view=compare&" + "&".join(f"run={quote(name)}" for name in HOSTILE)]
    addresses += [f"/?search={quote(HOSTILE[0])}", f"/?view=run&name={quote('<b>none</b>' + HOSTILE[1])}"]
    page = opened(hostile, quiet=False)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for address in addresses:
        page.goto(hostile + address)
        if "compare" in address or quote(HOSTILE[0]) in address:
            waiting.plotted(page)
        assert page.title() != "pwned", address
        assert page.locator("main img, main script, main svg[onload]").count() == 0, address
    assert refused == []
    page.goto(hostile)
    page.locator("table.answer").get_by_role("link", name=HOSTILE[0]).click()
    page.wait_for_selector("#stops")
    assert HOSTILE[0] in page.title()
    assert page.locator("main img, main script").count() == 0
    kept(page, "hostile")
