"""The page in a real browser, timed by the browser: first paint, first curve, the slowest interaction, bytes sent."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import Report

#: Debian's browser, as one without a screen and without rights.
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip
#: Notes what the browser says of every event that it handled, and when the first curve was there.
_WATCH = """
window.slowest = {};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    window.slowest[entry.name] = Math.max(window.slowest[entry.name] || 0, entry.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
const curve = [
  "svg polyline.line", ".scatterlayer path",
  "scalar-card canvas", "line-chart-component svg", "line-chart-component canvas",
].join(", ");
const look = () => {
  if (document.querySelector(curve)) window.firstCurve = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


@contextmanager
def browsing() -> Iterator[Any]:
    """Yield a browser; None where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        yield None
        return
    program = shutil.which("chromium")
    if program is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def pages(report: Report, serving: Callable[[], AbstractContextManager[Any]], what: str) -> None:
    """Time the overview and a run, opened new each time, and what people do there."""
    with browsing() as browser, serving() as server:
        if browser is None:
            report.check("the page in a browser", "not measured: no Chromium or no Playwright", "", None)
            return
        server.get("/")  # computed once, as it is for whoever keeps it open
        table = report.table(f"The page, {what}", ("page", "first paint, ms", "first curve, ms", "KB sent"))
        paints = []
        name = "recipe0-seed0"
        for title, path in (("overview", "/"), ("run", f"/?view=run&name={name}"), ("health", "/?view=health")):
            paint, curve, kilobytes = opened(browser, server.url + path)
            paints.append(paint)
            table.add(title, f"{paint:.0f}", "none" if curve is None else f"{curve:.0f}", f"{kilobytes:.0f}")
        report.check(f"first paint, {what}, the slowest page", f"{max(paints):.0f} ms", "< 1000 ms", max(paints) < 1000)
        slowest = interactions(browser, server.url, name)
        last = max(slowest.values(), default=0.0)
        listed = ", ".join(f"{event} {duration:.0f}" for event, duration in sorted(slowest.items()))
        report.check(
            f"slowest interaction, {what}", f"{last:.0f} ms ({listed or 'none over 16 ms'})", "< 150 ms", last < 150
        )


def opened(browser: Any, url: str) -> tuple[float, float | None, float]:
    """Return first paint and first curve in ms, and the kilobytes sent until the page was quiet."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: list[float] = []
    client.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="load")
    painted = "performance.getEntriesByName('first-contentful-paint').length > 0"
    while not page.evaluate(painted):  # wait_for_function evaluates text, which the policy of the page forbids
        page.wait_for_timeout(20)
    page.wait_for_timeout(1500)  # what is loaded after the first paint counts as sent
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    curve = page.evaluate("window.firstCurve ?? null")
    page.close()
    return paint, curve, sum(sizes) / 1024


def interactions(browser: Any, url: str, run: str) -> dict[str, float]:
    """Return the slowest handling of each kind of event, in ms, of typing a filter, moving the slider and hovering."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="load")
    search = page.locator("input[type=search]").first
    if search.count():
        search.click()
        search.press_sequentially("recipe1", delay=30)
    page.mouse.move(500, 400)
    page.mouse.move(700, 450, steps=20)
    slowest = dict(page.evaluate("window.slowest"))
    page.goto(f"{url}/?view=run&name={run}", wait_until="load")
    slider = page.locator("input[type=range]").first
    if slider.count():
        slider.focus()
        for _ in range(10):
            slider.press("ArrowRight", delay=30)
    page.wait_for_timeout(300)
    for event, duration in page.evaluate("window.slowest").items():
        slowest[event] = max(slowest.get(event, 0.0), duration)
    page.close()
    return slowest


def tensorboard(report: Report, runs: Path) -> None:
    """Show TensorBoard the same runs, and time its page in the same browser."""
    python = os.environ.get("RLSCALE_TENSORBOARD")
    if not python:
        report.check("TensorBoard beside it", "not measured: RLSCALE_TENSORBOARD names no Python that has it", "", None)
        return
    logs = runs.parent / "events"
    subprocess.run([python, "-c", _WRITE, str(runs), str(logs)], check=True)
    command = [python, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0", "--load_fast=false"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process, browsing() as browser:
        assert process.stderr is not None
        try:
            address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+:\d+/", line)))
            time.sleep(20)  # it reads its logs in the background
            paint, curve, kilobytes = opened(browser, f"{address}#timeseries")
            said = "no curve within 1.5 s of loading" if curve is None else f"{curve:.0f} ms"
            report.check(
                "TensorBoard, the same runs: first paint; first curve; KB sent",
                f"{paint:.0f} ms; {said}; {kilobytes:.0f}", "", None,
            )  # fmt: skip
        finally:
            process.terminate()


_WRITE = """
import csv, pathlib, sys
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
for file in pathlib.Path(sys.argv[1]).glob("*.csv"):
    writer = EventFileWriter(str(pathlib.Path(sys.argv[2]) / file.stem))
    for row in csv.DictReader(file.open()):
        value = Summary.Value(tag="accuracy", simple_value=float(row["accuracy"]))
        writer.add_event(Event(step=int(row["step"]), summary=Summary(value=[value])))
    writer.close()
"""
