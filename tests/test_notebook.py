"""The quickstart notebook runs from top to bottom and shows tables and charts; so do the blocks of docs/python.md."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "quickstart.ipynb"
PAGE = ROOT / "docs" / "python.md"


# the kernel's own libraries warn about themselves
@pytest.mark.filterwarnings("ignore")
def test_the_quickstart_runs_and_shows_what_it_says(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "store it without output: clear all outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.outputs:
            shown[cell.source.splitlines()[-1]] = {k: v for out in cell.outputs for k, v in out["data"].items()}
    for last, kinds in {
        "fits[0]": ("<table class=", "<svg"),
        "ranking": ("<table class=", "<svg"),
        "rlscale.gate(early, budget=budget)": ("<table class=", "<svg"),
        "ranking.to_frame()": ("dataframe",),
    }.items():
        assert all(kind in shown[last]["text/html"] for kind in kinds), last
        assert len(shown[last]["text/plain"]) < 3000
    assert "image/png" in shown["ranking.plot();"]


def test_the_blocks_of_the_page_run_one_after_the_other(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
        assert capsys.readouterr().out
    assert len(blocks) >= 5
