"""Write the pages of measured numbers: ``python -m benchmarks.trust_page``, after ``python -m benchmarks.run_all``.

The sentences of each stand in a template beside this file, every number comes from ``results.json``. ``--check`` writes
nothing and exits with 1 where a page is not what would be written; ``tests/test_docs.py`` does the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.archives import SOURCES

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
RESULTS = HERE / "results.json"
#: Template and page.
PAGES = {"trust_page.md.j2": DOCS / "how-far-to-trust-it.md", "gate_page.md.j2": DOCS / "gate.md"}

#: Rows of ``out_of_source``: forecasts by settings chosen without the source, and by the estimator before.
OURS = "out of source"
#: What is not in use today: our own forecasts, chosen in either way, and those of the estimator before.
NOT_TODAY = (OURS, "as shipped", "shipped", "former")
#: When the default estimator last changed, UTC: what was measured of it earlier is of the one before.
REBUILT = "2026-11-29 23:40"


class Results:
    """The measured numbers, by benchmark, start of a table's title, row and column.

    Parameters
    ----------
    content : dict
        ``results.json``.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.machine: dict[str, str] = content["machine"]
        self._benchmarks = {one["name"]: one for one in content["benchmarks"]}

    def has(self, name: str) -> bool:
        """Whether a benchmark was measured."""
        return name in self._benchmarks and not self._benchmarks[name]["skipped"]

    @property
    def dates(self) -> str:
        """The day of the measurements, or the first and the last."""
        days = sorted({one["date"].split()[0] for one in self._benchmarks.values() if one["date"]})
        return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"

    def cpus(self, *names: str) -> str:
        """Where benchmarks were measured, all of them by default."""
        several = [self._of(name) for name in names] or list(self._benchmarks.values())
        return ", ".join(sorted({each.get("cpu") or self.machine["cpu"] for each in several}))

    def former(self, name: str) -> bool:
        """Whether a benchmark was measured before the default estimator last changed."""
        return str(self._of(name)["date"]) < REBUILT

    def held(self, metrics: Sequence[str]) -> tuple[int, int]:
        """Return how many 80 % intervals of some metrics held out of source, and how many there are.

        Shares of few cases give the counts exactly; those of many stand to a tenth in a target of their own.
        """
        exact = {check["what"]: check["measured"] for check in self._of("out_of_source")["checks"]}
        rows = self.rows("out_of_source", "metrics of real runs")
        hits = count = 0
        for metric in metrics:
            if (told := exact.get(f"{metric}: 80 % coverage")) is not None:
                share, cases = told.split(" % of ")
                hits, count = hits + round(float(share) / 100 * int(cases)), count + int(cases)
                continue
            for row in rows:
                if row["metric, cut, method"].startswith(f"{metric}, ") and row["metric, cut, method"].endswith(OURS):
                    cases = row["cases"]
                    hits += round(float(row["80 % cover"].removesuffix(" %")) / 100 * int(cases))
                    count += int(cases)
        return hits, count

    def best(self, name: str, title: str, cut: str, column: str) -> tuple[str, str]:
        """Return the method in use today with the lowest number in a column at a cut, and that number."""
        rows = [(*next(iter(row.values())).split(", ", 1), row[column]) for row in self.rows(name, title)]
        today = [(method, value) for at, method, value in rows if at == cut and method not in NOT_TODAY]
        return min(today, key=lambda pair: float(pair[1]))

    def unseen_titles(self) -> list[str]:
        """Return the titles of the tables of unseen runs: all, those that go on, those that are sick."""
        return [table["title"] for table in self._of("unseen")["tables"][:3]]

    def rows(self, name: str, title: str) -> list[dict[str, str]]:
        """Return the rows of the table whose title starts with ``title``, each by column."""
        table = self._table(name, title)
        return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]

    def lists(self, name: str, title: str) -> list[list[str]]:
        """Return the rows of a table as they are: two of its columns may have one name."""
        return [list(row) for row in self._table(name, title)["rows"]]

    def cell(self, name: str, title: str, row: str, column: str) -> str:
        """Return one number, by the first cell of its row and its column."""
        for found in self.rows(name, title):
            if next(iter(found.values())) == row:
                if column in found:
                    return found[column]
                break
        raise self._missing(name, f"row {row!r} and column {column!r} in the table {title!r}")

    def table(
        self, name: str, title: str, columns: Sequence[str] = (), first: str = "", leave: Sequence[str] = ()
    ) -> str:
        """Return a table, or some of its columns, in Markdown.

        Parameters
        ----------
        name, title : str
            The benchmark, and how the title starts.
        columns : sequence of str
            The columns wanted beside the first; all where none is named.
        first : str
            Another head for the first column.
        leave : sequence of str
            Starts of the rows left out.
        """
        table = self._table(name, title)
        head: list[str] = table["columns"]
        if missing := [column for column in columns if column not in head]:
            raise self._missing(name, f"column {missing[0]!r} in the table {title!r}")
        places = [0, *(head.index(column) for column in columns)] if columns else range(len(head))
        kept = [row for row in table["rows"] if not row[0].startswith(tuple(leave))]
        lines = [[line[place] for place in places] for line in (head, *kept)]
        return markdown([first or head[0], *lines[0][1:]], lines[1:])

    def tables(self, name: str) -> str:
        """Return all tables of a benchmark in Markdown, each under its title."""
        found = [
            f"{t['title'][:1].upper()}{t['title'][1:]}:\n\n{markdown(t['columns'], t['rows'])}"
            for t in self._of(name)["tables"]
        ]
        return "\n\n".join(found)

    def checks(self, *names: str, missed: bool = False) -> list[dict[str, Any]]:
        """Return the targets of some benchmarks, or of all, with what was measured; or those missed only."""
        found = [
            {"benchmark": one["name"], **check}
            for one in self._benchmarks.values()
            if not names or one["name"] in names
            for check in one["checks"]
        ]
        judged = [check for check in found if check["passed"] is not None]
        return [check for check in judged if not check["passed"]] if missed else judged

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return the targets of a benchmark and what is measured without one."""
        return list(self._of(name)["checks"])

    def check(self, name: str, what: str) -> str:
        """Return what was measured against the target whose words start with ``what``."""
        for check in self._of(name)["checks"]:
            if check["what"].startswith(what):
                return str(check["measured"])
        raise self._missing(name, f"target {what!r}")

    def _table(self, name: str, title: str) -> dict[str, Any]:
        for table in self._of(name)["tables"]:
            if table["title"].startswith(title):
                return dict(table)
        raise self._missing(name, f"table {title!r}")

    def _of(self, name: str) -> dict[str, Any]:
        if not self.has(name):
            raise self._missing(name, "measurement")
        return self._benchmarks[name]

    @staticmethod
    def _missing(name: str, what: str) -> ValueError:
        return ValueError(f"results.json has no {what} of {name}; run python -m benchmarks.run_all {name}")


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def page(content: dict[str, Any], template: str) -> str:
    """Return the page of a template for the contents of ``results.json``."""
    environment = Environment(  # Markdown, not HTML: nothing to escape
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, extensions=["jinja2.ext.do"],
    )  # fmt: skip
    return environment.get_template(template).render(r=Results(content), markdown=markdown, metrics=SOURCES)


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write the pages of docs/ that are made of results.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where a page is out of date")
    options = parser.parse_args()
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    for template, path in PAGES.items():
        text = page(content, template)
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(1)


if __name__ == "__main__":
    main()
