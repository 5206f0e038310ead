"""The README tells the truth: its commands print what it shows, its Python runs, its paths exist."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


def commands(block):
    """Split a console block into (command, printed lines)."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def run(command, folder):
    program, *arguments = shlex.split(command)
    assert program == "rlscale"
    return subprocess.run(
        [sys.executable, "-m", "rlscale", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout


def assert_same(printed, shown):
    """Same words; numbers to their last digits, which may differ between processors."""
    number = re.compile(r"\d+(?:\.\d+)?")
    plain = [re.sub(r"[\s─]+", " ", text) for text in (printed, shown)]
    assert number.sub("#", plain[0]) == number.sub("#", plain[1])
    values = [[float(found) for found in number.findall(text)] for text in plain]
    assert values[0] == pytest.approx(values[1], rel=0.02, abs=0.006)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.splitlines()[0])
def test_commands_print_what_the_readme_shows(block, tmp_path):
    shown = []
    for command, _ in commands(block):
        printed = run(command, tmp_path)
        shown.append(f"$ {command}\n{printed}")
    if os.environ.get("RLSCALE_REGENERATE"):
        README.write_text(README.read_text(encoding="utf-8").replace(block, "".join(shown)), encoding="utf-8")
    else:
        assert_same("".join(shown), block)


@pytest.mark.parametrize("block", blocks("python"))
def test_python_runs(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_named_paths_exist():
    text = README.read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r"^\| `([^`]+)` \|", text, re.M)
    paths = [name for name in named if "/" in name or name.endswith(".md")]
    assert len(paths) >= 10
    for name in paths:
        assert (ROOT / name).exists(), name
