"""docs/health.md tells the truth: its commands print what it shows, its Python runs, its monitors are all there are."""

import os
import re
from pathlib import Path

import pytest
from benchmarks import health_page

from rlscale.health import MONITORS
from tests.test_readme import assert_same, commands, run

PAGE = Path(__file__).parents[1] / "docs" / "health.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"^```console\n(.*?)^```$", TEXT, re.M | re.S))
def test_commands_print_what_the_page_shows(block, tmp_path):
    shown = "".join(f"$ {command}\n{run(command, tmp_path)}" for command, _ in commands(block))
    if os.environ.get("RLSCALE_REGENERATE"):
        PAGE.write_text(PAGE.read_text(encoding="utf-8").replace(block, shown), encoding="utf-8")
    else:
        assert_same(shown, block)


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S))
def test_python_runs(block, capsys):
    exec(compile(block, str(PAGE), "exec"), {})
    assert "truncation" in capsys.readouterr().out


def test_its_links_lead_somewhere():
    for name in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / name).exists(), name


def test_every_monitor_is_told_as_it_is():
    assert health_page.page(TEXT) == TEXT, "out of date: run python -m benchmarks.health_page"
    assert re.findall(r"^### (\w+)$", TEXT, re.M) == [each.name for each in MONITORS]
