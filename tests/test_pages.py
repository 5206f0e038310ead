"""The pages about commands tell the truth: commands print what they show, Python runs, links lead on."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from benchmarks import health_page

from rlscale.health import MONITORS
from tests.test_readme import assert_same, commands, run

DOCS = Path(__file__).parents[1] / "docs"
#: How each page's Python begins to print, and the picture that its commands draw.
PAGES = {
    "alarms": ('{\n "text": "warn: base/seed0: truncation since 63 steps. ', ""),
    "ablate": ("loss raises_ceiling Interval(", "ablate.png"),
    "health": ("", ""),
    "object-stores": ("base/seed0 base ", ""),
    "knobs": ("learning_rte 5e-07 error\n", ""),
    "plan": ("", ""),
    "rollouts": ("Rollouts(all: n* 1", "rollouts.png"),
    "sizes": ("SizeLaw(6 sizes: K_max 0.1", "sizes.png"),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_blocks_of_a_page_run_one_after_the_other(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path, (start, picture) = DOCS / f"{name}.md", PAGES[name]
    anew = os.environ.get("RLSCALE_REGENERATE")
    shown = page = path.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for language, block in re.findall(r"^```(python|console)\n(.*?)^```$", page, re.M | re.S):
        if language == "python":
            exec(compile(block, path.name, "exec"), names)
            continue
        printed = "".join(f"$ {command}\n{run(command, tmp_path)}" for command, _ in commands(block))
        if anew:
            shown = shown.replace(block, printed)
        else:
            assert_same(printed, block)
    out = capsys.readouterr().out
    assert out.strip()
    assert out.startswith(start)
    if picture:
        assert (tmp_path / picture).stat().st_size > 20_000
    if anew:
        path.write_text(shown, encoding="utf-8")
        if picture:
            (DOCS / picture).write_bytes((tmp_path / picture).read_bytes())


@pytest.mark.parametrize("name", [*PAGES, "where-the-papers-disagree"])
def test_what_a_page_links_to_is_there(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (DOCS / f"{name}.md").read_text(encoding="utf-8")):
        assert target.startswith("http") or (DOCS / target).exists(), target


def test_the_page_about_object_stores_shows_what_python_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = (DOCS / "object-stores.md").read_text(encoding="utf-8")
    exec(compile(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[0], "object-stores.md", "exec"), {})
    assert capsys.readouterr().out == re.findall(r"^```text\n(.*?)^```$", text, re.M | re.S)[0]


def test_the_page_about_alarms_shows_what_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    text = (DOCS / "alarms.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)
    exec(compile(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[0], "alarms.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_every_monitor_is_told_as_it_is() -> None:
    text = (DOCS / "health.md").read_text(encoding="utf-8")
    report = health_page.measured()
    assert health_page.page(text, report) == text, "out of date: run python -m benchmarks.health_page"
    if report is not None:
        assert health_page.rates(report) == health_page.MEASURED.read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.M) == [monitor.name for monitor in MONITORS]
