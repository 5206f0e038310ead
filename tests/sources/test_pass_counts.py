"""Tables of pass counts are told from logs by their columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlscale.errors import InputError
from rlscale.sources import prompt_table, without_prompt_tables

ROWS = [("2 + 2, in words", 3, 8), ('say "no"', 0, 8)]
CSV = 'prompt,correct,graded\n"2 + 2, in words",3,8\n"say ""no""",0,8\n'


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("counts.csv", CSV),
        ("counts.tsv", "graded\tPrompt\tlevel\tCorrect\n8\t2 + 2, in words\teasy\t3\n8\tsay no\thard\t0\n"),
        ("counts.jsonl", "".join(json.dumps({"prompt": p, "correct": c, "graded": g}) + "\n" for p, c, g in ROWS)),
    ],
)
def test_three_columns_make_a_table(tmp_path: Path, name: str, text: str) -> None:
    path = written(tmp_path / name, text)
    table = prompt_table(path)
    assert table is not None
    assert (table.path, table.prompt[0], table.repairs) == (str(path), "2 + 2, in words", ())
    assert (table.correct.tolist(), table.graded.tolist()) == ([3.0, 0.0], [8.0, 8.0])


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = dict(zip(("prompt", "correct", "graded"), map(list, zip(*ROWS, strict=True)), strict=True))
    parquet.write_table(pyarrow.table(columns), tmp_path / "counts.parquet")
    table = prompt_table(tmp_path / "counts.parquet")
    assert table is not None
    assert table.prompt == tuple(row[0] for row in ROWS)
    assert table.correct.tolist() == [3.0, 0.0]


def test_other_files_are_logs(tmp_path: Path) -> None:
    counts = written(tmp_path / "counts.csv", CSV)
    others = [
        written(tmp_path / "runs.csv", "run,samples,reward\na,0,0.1\n"),
        written(tmp_path / "words.csv", "prompt,reward\na,0.1\n"),
        written(tmp_path / "nothing.csv", ""),
        written(tmp_path / "log.jsonl", "no json\n"),
        written(tmp_path / "state.json", CSV),
        written(tmp_path / "no.parquet", "PAR1"),
        tmp_path,
        tmp_path / "missing.csv",
    ]
    paths = [*map(str, others), "wandb://entity/project", "bundled"]
    logs, tables = without_prompt_tables([*paths, str(counts)])
    assert logs == paths
    assert [table.path for table in tables] == [str(counts)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,correct\na,1\n", "has the columns prompt and correct and not graded; pass counts are a table of"),
        ("prompt,graded\na,1\n", "has the columns prompt and graded and not correct; pass counts are a table of"),
        ("prompt,correct,graded\na,x,8\n", "line 2: correct 'x' is not a number; repair the cell or leave it empty"),
        ("prompt,correct,graded\n", "holds a header and no rows; nothing was logged yet"),
    ],
)
def test_tables_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "counts.csv", text)
    with pytest.raises(InputError) as error:
        prompt_table(path)
    assert str(error.value).startswith(f"{path}: {message}")
