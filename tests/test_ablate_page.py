"""The page about ablations tells the truth: its Python runs, its commands print what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.test_readme import assert_same, commands, run

PAGE = Path(__file__).parents[1] / "docs" / "ablate.md"


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
        (PAGE.parent / "ablate.png").write_bytes((tmp_path / "ablate.png").read_bytes())
    assert (tmp_path / "ablate.png").stat().st_size > 20_000
    assert capsys.readouterr().out.startswith("loss raises_ceiling Interval(")


def test_its_pictures_and_pages_exist() -> None:
    for name in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / name).exists(), name
