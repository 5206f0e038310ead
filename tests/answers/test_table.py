"""Tables and answers as plain values: what people and programs see of them."""

from __future__ import annotations

import copy
import pickle

import pytest

import rlscale
from rlscale.answers import Answer, Column, Section, Sentence, Table
from rlscale.inference import Interval
from rlscale.render.csv import as_csv
from rlscale.render.html import as_page
from rlscale.render.json import dumps
from rlscale.render.results import answer_of
from rlscale.sources import bundled, read
from tests.answers.shown import text_of

COLUMNS = (
    Column("cut", "cut", "cut"),
    Column("method", "method"),
    Column("error", "mean\nerror", "error", best=-1),
    Column("hit", "inside\n80 %", "percent", best=1, spare=True),
    Column("seen", "seen", "label", audience="people"),
    Column("runs", kind="count", audience="programs"),
)
ROWS = (
    (0.25, "a", 0.02, 0.8, "3 of 4", 4),
    (0.25, "b", 0.01, 0.8, "3 of 4", 4),
    (0.5, "a", 0.0100000001, 0.7, "4 of 4", 4),
    (0.5, "b", 0.01, None, "4 of 4", 4),
)
TABLE = Table(name="t", columns=COLUMNS, rows=ROWS, group="cut", bold=(0, 2), title="Scores", note="errors in reward")


def answer(*blocks: Table | Section) -> Answer:
    return Answer(headline="h", table=TABLE, document={"schema": 1}, blocks=blocks)


def test_programs_and_people_see_their_columns() -> None:
    header, first, *_ = as_csv(TABLE).splitlines()
    assert (header, first) == ("cut,method,error,hit,runs", "0.25,a,0.02,0.8,4")
    text = text_of(answer(TABLE), 100)
    assert "3 of 4" in text
    assert "runs" not in text


def test_the_best_is_marked_within_its_group_unless_all_read_alike() -> None:
    assert TABLE.best(2) == {1}  # at the second cut both read 0.0100
    assert TABLE.best(3) == frozenset()


def test_a_group_is_named_once() -> None:
    assert [TABLE.text(row, 0)[0] for row in range(4)] == ["25 %", "", "50 %", ""]
    assert [TABLE.starts(row) for row in range(4)] == [True, False, True, False]


def test_spare_columns_give_way() -> None:
    assert "inside" in text_of(answer(TABLE), 80)
    narrow = text_of(answer(TABLE), 34)
    assert "inside" not in narrow
    assert max(map(len, narrow.splitlines())) <= 34


@pytest.mark.parametrize(
    ("kind", "cell", "text"),
    [
        ("reward", 0.12345, ("0.123", "")),
        ("error", 0.12345, ("0.1235", "")),
        ("error", 1e-7, ("<0.0001", "")),
        ("compute", 12345.0, ("12.3k", "")),
        ("compute", Interval(1e3, 2e3, 1e9), ("2k", "1k–1G")),
        ("share", Interval(0.01, 0.02, 0.3), ("2.0 %", "1.0–30.0 %")),
        ("probability", 0.999, (">99 %", "")),
        ("cut", 0.125, ("12.5 %", "")),
        ("verdict", "pre_inflection", ("pre-inflection", "")),
        ("reward", None, ("–", "")),
    ],
)
def test_a_cell_reads_as_its_kind(kind: str, cell: float | Interval | str | None, text: tuple[str, str]) -> None:
    assert Table(name="t", columns=(Column("x", "x", kind),), rows=((cell,),)).text(0, 0) == text


def test_rows_may_have_bounds_and_units_of_their_own() -> None:
    columns = (Column("r", "r", "reward"), Column("c", "c", "compute"))
    table = Table(
        name="t",
        columns=columns,
        rows=((0.5, 10.0), (50.0, 10.0)),
        row_bounds=((0.0, 1.0), (0.0, 100.0)),
        row_units=("steps", "tokens"),
    )
    assert [table.text(row, k)[0] for row in range(2) for k in range(2)] == ["0.500", "10 steps", "50.0", "10 tokens"]


def test_sentences_are_grouped_under_what_they_belong_to() -> None:
    many = tuple(Sentence(f"because {k}.", f"run{k}", level=1) for k in range(50))
    section = Section("Why", (Sentence("Act on it.", mark="resolved"), *many, Sentence("Stop.", "r", "stop")))
    lines = text_of(answer(section), 80).splitlines()
    assert lines[2:5] == ["Why", "● resolved  Act on it.", "  run0  because 0."]
    assert lines[16:18] == ["  … and 38 more (--json lists them)", "■ stop  r: Stop."]
    assert as_page(answer(section)).count('<li class="under">') == 50  # a page has them all


def test_answers_are_plain_values() -> None:
    runs = read(bundled(), run="base/*")
    for result in (rlscale.fit(runs[0]), rlscale.rank(runs), rlscale.gate(runs, 4e6)):
        for charts in (False, True):
            given = answer_of(result, charts=charts)
            for other in (pickle.loads(pickle.dumps(given)), copy.deepcopy(given)):
                assert other == given
                assert dumps(other.document) == dumps(given.document)
