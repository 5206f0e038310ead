"""The page about knobs tells the truth: its Python runs, its commands print what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.test_readme import assert_same, commands, run

PAGE = Path(__file__).parents[1] / "docs" / "knobs.md"


def test_the_blocks_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    shown = page
    for language, block in re.findall(r"^```(python|console)\n(.*?)^```$", page, re.M | re.S):
        if language == "python":
            exec(compile(block, PAGE.name, "exec"), names)
            continue
        printed = "".join(f"$ {command}\n{run(command, tmp_path)}" for command, _ in commands(block))
        if os.environ.get("RLSCALE_REGENERATE"):
            shown = shown.replace(block, printed)
        else:
            assert_same(printed, block)
    if os.environ.get("RLSCALE_REGENERATE"):
        PAGE.write_text(shown, encoding="utf-8")
    assert capsys.readouterr().out.startswith("learning_rte 5e-07 error\n")


def test_the_paths_that_it_names_exist() -> None:
    for name in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / name).exists(), name
