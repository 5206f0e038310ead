"""A real browser on real servers: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser.folders import folder_of_runs
from tests.waiting import LIMIT, wait_until

#: Set where a missing browser is an error and no reason to skip.
REQUIRED = "RLSCALE_REQUIRE_BROWSER"
#: Pictures of what the tests saw; git ignores the folder.
SCREENS = Path(__file__).parents[2] / "build" / "screens"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser; tests that need it are skipped where there is none, or fail where one is required."""
    path = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set and there is no Chromium; install Debian's package chromium")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS])
        yield started
        started.close()


@pytest.fixture(scope="module")
def bundled() -> Iterator[str]:
    """The address of a server on the bundled runs, with a budget."""
    from rlscale.serve import LogBoard
    from tests.serve.server import serving

    with serving(LogBoard(["bundled"], budget=20e6)) as served:
        yield f"http://127.0.0.1:{served.port}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on runs with hostile names."""
    from rlscale.serve import LogBoard
    from tests.serve.server import serving

    folder = folder_of_runs(tmp_path_factory.mktemp("hostile"), 5, seeds=1, hostile=True)
    with serving(LogBoard([folder], budget=5e3)) as served:
        yield f"http://127.0.0.1:{served.port}"


@pytest.fixture
def opened(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function that opens an address, and returns its page; nothing may be refused or go wrong in it."""
    wrong: list[str] = []
    with ExitStack() as stack:

        def open_page(address: str, *, width: int = 1280, quiet: bool = True, **how: Any) -> Any:
            context = browser.new_context(viewport={"width": width, "height": 900}, **how)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(1000 * LIMIT)
            if quiet:
                page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
                page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(address)
            return page

        yield open_page
    assert wrong == []


@pytest.fixture
def waiting() -> Any:
    """What a page is waited for: states, however long the machine takes."""

    def live(page: Any) -> None:
        until(page, "document.querySelector('#live .word')?.textContent === 'live'")

    def plotted(page: Any) -> None:
        page.locator("[data-plot]").first.scroll_into_view_if_needed()  # drawings are made once they are near
        page.wait_for_selector("[data-own-plotted] .plot .main-svg", state="attached")

    def version(page: Any, above: int) -> None:
        until(page, f"Number(document.body.dataset.version) > {above}")

    return SimpleNamespace(live=live, plotted=plotted, version=version)


def until(page: Any, state: str) -> None:
    """Wait until an expression is true in a page; its policy forbids the scripts that would wait in it."""
    wait_until(lambda: page.evaluate(state))


def kept(page: Any, name: str) -> None:
    """Keep a picture of a page."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")
