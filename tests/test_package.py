"""The package as a whole: what importing it does, what it exports, and the habits its code keeps."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rlscale

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "rlscale").rglob("*.py"))


def test_all_is_importable_and_complete():
    for name in rlscale.__all__:
        assert getattr(rlscale, name) is not None
    assert sorted(rlscale.__all__) == rlscale.__all__
    assert set(rlscale._HOME) == set(rlscale.__all__)


def test_all_has_every_extra_that_a_message_names():
    """Whoever installed ``rlscale[all]`` is never told to install one more."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {
        found for path in SOURCES for found in re.findall(r"rlscale\[([a-z]+)\]", path.read_text(encoding="utf-8"))
    }
    assert {"frames", "configs", "plot"} <= named
    together = set(re.search(r"\[(.*)\]", extras["all"][0])[1].split(","))
    assert named - {"all"} <= together <= set(extras)


def test_unknown_name():
    with pytest.raises(AttributeError, match=r"^module 'rlscale' has no attribute 'nothing'$"):
        _ = rlscale.nothing


def loaded_after(code):
    listed = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.split())


def test_import_is_light():
    heavy = {
        "matplotlib",
        "pandas",
        "sqlalchemy",
        "alembic",
        "click",
        "rich",
        "jinja2",
        "pyarrow",
        "scipy.optimize",
        "scipy.stats",
    }
    assert not heavy & loaded_after("import rlscale")
    assert not heavy & loaded_after("import rlscale; rlscale.fit; rlscale.posterior")


def test_reading_and_fitting_need_no_extra():
    assert not {"matplotlib", "pyarrow"} & loaded_after("import rlscale; rlscale.read; rlscale.fit; rlscale.rank")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_are_short_and_functions_shorter(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            assert node.end_lineno - start <= 60, node.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_nothing_catches_everything(path):
    found = re.findall(r"except( Exception| BaseException)?( as \w+)?:", path.read_text(encoding="utf-8"))
    # what watches records what failed and goes on: running jobs must not be left without it; nor must a page that
    # people keep open end with one odd log
    loops = (("live", "watch.py"), ("alarms", "of_logs.py"), ("board", "live.py"))
    assert len(found) == (1 if path.parts[-2:] in loops else 0)
    assert "import pickle" not in path.read_text(encoding="utf-8")
