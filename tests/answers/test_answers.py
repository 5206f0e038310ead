"""One answer, written as CSV, as a DataFrame, as HTML: what results show in a notebook and commands in files."""

from __future__ import annotations

import builtins
import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from click.testing import CliRunner

import rlscale
from rlscale.answers import Answer, Block, Column, Section, Sentence, Table
from rlscale.cli import main
from rlscale.curves import Curve, Run
from rlscale.errors import InputError
from rlscale.inference import Fit, Interval
from rlscale.render.csv import as_csv
from rlscale.render.html import as_notebook, as_page
from rlscale.render.json import dumps
from rlscale.sources import bundled, read
from rlscale.trust.arena import Setting

NUMBERS = (
    Column("run", "run", "name"),
    Column("ceiling", "ceiling", "reward"),
    Column("verdict", "verdict", "verdict"),
)


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    return tuple(read(bundled()))


@pytest.fixture(scope="module")
def fits(runs: tuple[Run, ...]) -> tuple[Fit, ...]:
    return tuple(rlscale.fit(run) for run in runs)


@pytest.fixture(scope="module")
def results(runs: tuple[Run, ...], fits: tuple[Fit, ...]) -> tuple[Any, ...]:
    return (
        fits[0],
        rlscale.rank(fits),
        rlscale.gate(runs, 1.84e6),
        rlscale.backtest(runs, cuts=(0.5,)),
        rlscale.replay(runs, setting=Setting(size=3, tournaments=4)),
    )


def table_of(*rows: tuple[Any, ...], note: str = "") -> Table:
    return Table(name="t", columns=NUMBERS, rows=rows, note=note)


def answer(headline: str, *blocks: Block) -> Answer:
    return Answer(headline=headline, table=table_of(), document={}, blocks=blocks)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class _Balanced(HTMLParser):
    """Raises where tags do not match, and collects them."""

    void = ("meta", "circle", "polyline", "polygon", "br", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag


def parsed(html: str) -> _Balanced:
    page = _Balanced()
    page.feed(html)
    assert not page.open
    return page


def test_every_result_says_what_it_is_in_a_line(results: tuple[Any, ...], runs: tuple[Run, ...]) -> None:
    for result in (*results, runs[0], runs[0].curve, results[0].posterior, next(iter(runs[0].series.values()))):
        text = repr(result)
        assert len(text) < 300
        assert "\n" not in text
        assert type(result).__name__ in text


def test_every_result_is_text_json_csv_a_page_and_a_chart(results: tuple[Any, ...]) -> None:
    for result in results:
        assert len(result.summary()) > 100
        document = result.to_dict()
        assert document["schema"] == 1
        json.dumps(document, allow_nan=False)
        assert rows_of(result.to_csv())
        html = result._repr_html_()
        page = parsed(html)
        assert {"table", "svg", "style"} <= set(page.seen)
        axes = result.plot()
        assert axes.figure.axes
        plt.close("all")


def test_a_chart_is_drawn_where_it_is_asked_for(results: tuple[Any, ...]) -> None:
    _, axes = plt.subplots()
    for result in results:
        assert result.plot(ax=axes) is axes
    plt.close("all")


def test_csv_holds_the_numbers_of_the_json(results: tuple[Any, ...]) -> None:
    fitted, ranking, decided, *_ = results
    (row,) = rows_of(fitted.to_csv())
    (run,) = fitted.to_dict()["runs"]
    assert row["verdict"] == run["verdict"]
    assert float(row["forecast_q10"]) == pytest.approx(run["forecast"][0]["q10"], rel=1e-9)
    assert float(row["B"]) == pytest.approx(run["B"]["q50"], rel=1e-9)
    for row, recipe in zip(rows_of(ranking.to_csv()), ranking.to_dict()["recipes"], strict=True):
        assert row["recipe"] == recipe["recipe"]
        assert float(row["p_best"]) == pytest.approx(recipe["p_best"], rel=1e-9)
        assert float(row["ceiling_q90"]) == pytest.approx(recipe["A"]["q90"], rel=1e-9)
    by_run = {each["run"]: each for each in decided.to_dict()["decisions"]}
    for row in rows_of(decided.to_csv()):
        assert row["decision"] == by_run[row["run"]]["decision"]


def test_an_interval_fills_three_columns_even_where_some_are_unknown() -> None:
    rows = (("a", Interval(0.1, 0.2, 0.3), "bending"), ("b", None, "too_few_points"))
    names, flat = Table(name="t", columns=NUMBERS, rows=rows).flat()
    assert names == ("run", "ceiling", "ceiling_q10", "ceiling_q90", "verdict")
    assert flat == [("a", 0.2, 0.1, 0.3, "bending"), ("b", None, None, None, "too_few_points")]


def test_names_steer_no_terminal() -> None:
    name = "\x1b[2Ja\x9b1m\x7f\u202eb\nc"
    table = table_of((name, None, "bending"))
    assert as_csv(table).split("\n")[1].startswith("\\x1b[2Ja\\x9b1m\\x7f\\u202eb\\nc,")
    for html in (as_notebook(answer(name, table)), as_page(answer(name, table))):
        assert "\x1b" not in html
        assert "\x9b" not in html
        parsed(html)
    text = dumps({"name": name, "runs": [{"name": name}] * 300})
    assert all(map(str.isprintable, text.split("\n")))
    assert json.loads(text)["name"] == name  # what reads JSON gets what was logged


def test_hostile_names_are_inert() -> None:
    name = '<script>alert(1)</script>"&'
    table = table_of((name, None, "bending"), ("=HYPERLINK(1)", None, "bending"), note=name)
    for render in (as_notebook, as_page):
        html = render(answer(name, table, Section(name, (name, Sentence(name, name, "bending")))))
        assert "<script>" not in html
        parsed(html)
    assert rows_of(as_csv(table))[1]["run"] == "'=HYPERLINK(1)"  # no formula for a spreadsheet
    compute = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    curve = Curve(compute=compute, reward=[0.1, 0.2, 0.3, 0.35, 0.4, 0.41])
    fitted = rlscale.fit(Run(name=name, recipe=name, curve=curve))
    parsed(fitted._repr_html_())
    assert "<script>" not in fitted._repr_html_()


def test_many_rows_and_sentences_are_counted_in_html() -> None:
    rows = tuple((f"r{k}", None, "bending") for k in range(150))
    html = as_notebook(answer("h", table_of(*rows), Section("s", tuple("abcdefghijklmnop"), most=5)))
    assert "50 more rows: to_frame()" in html
    assert "… and 4 more" in html


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, fits: tuple[Fit, ...]) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] in ("matplotlib", "pandas"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"plot\(\) needs matplotlib; pip install 'rlscale\[plot\]'"):
        fits[0].plot()
    with pytest.raises(InputError, match=r"to_frame\(\) needs pandas; pip install 'rlscale\[frames\]'"):
        fits[0].to_frame()


def test_a_frame_is_the_table(results: tuple[Any, ...]) -> None:
    frame = results[1].to_frame()
    assert list(frame["recipe"]) == [row.recipe for row in results[1].recipes]
    assert frame["p_best"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "command",
    [
        ["fit", "bundled"],
        ["rank", "bundled"],
        ["gate", "bundled", "--budget", "1.84e6"],
        ["backtest", "bundled", "--cut", "0.5"],
        ["replay", "bundled", "--runs-per-tournament", "3", "--tournaments", "4"],
        ["ledger", "history", "--ledger", "runs.db"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_answering_command_writes_csv_a_chart_and_a_report(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if command[0] == "ledger":
        assert CliRunner().invoke(main, ["ledger", "add", "bundled", "--ledger", "runs.db"]).exit_code == 0
    files = ["--csv", "a.csv", "--plot", "a.svg", "--report", "a.html"]
    result = CliRunner().invoke(main, [*command, *files])
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-3:] == ["wrote a.csv", "wrote a.svg", "wrote a.html"]
    assert rows_of(Path("a.csv").read_text())
    assert "<svg" in Path("a.html").read_text()
    refused = CliRunner().invoke(main, [*command, "--csv", "a.txt"])
    assert refused.exit_code == 2
    assert "a table is a .csv file" in refused.stderr
