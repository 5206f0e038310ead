"""docs/plan.md tells the truth: its commands print what it shows, its Python runs."""

import os
import re
from pathlib import Path

import pytest

from tests.test_readme import assert_same, commands, run

PAGE = Path(__file__).parents[1] / "docs" / "plan.md"
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
    assert capsys.readouterr().out


def test_its_links_lead_somewhere():
    for name in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / name).exists(), name
