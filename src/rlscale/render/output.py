"""Where an answer goes: text or JSON on stdout, CSV, a chart and a report in files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rlscale.answers import Answer
from rlscale.errors import InputError
from rlscale.render.console import console
from rlscale.render.json import written

__all__ = ["Output", "write_file"]


def write_file(path: Path, content: str) -> None:
    """Write text to a file.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; give a file in a folder that exists") from error


@dataclass(frozen=True, kw_only=True)
class Output:
    """What was asked for of an answer.

    Parameters
    ----------
    json : bool
        JSON on stdout, and nothing else.
    csv : Path, optional
        The table of the answer.
    plot : Path, optional
        A chart, ``.png`` or ``.svg``.
    report : Path, optional
        A self-contained HTML file.
    """

    json: bool = False
    csv: Path | None = None
    plot: Path | None = None
    report: Path | None = None

    def check(self) -> None:
        """Refuse what cannot be written before the work is done.

        Raises
        ------
        InputError
            A file type that is not supported, a missing package, or a folder that does not exist.
        """
        for path in self._paths:
            if path is not None and not path.parent.is_dir():
                raise InputError(f"cannot write {path}: {path.parent} is not a folder; make it first")
        if self.report is not None and self.report.suffix.lower() not in (".html", ".htm"):
            # also keeps a slip of the hand from writing over a log
            raise InputError(f"--report {self.report}: a report is an .html file; give a name that ends so")
        if self.csv is not None and self.csv.suffix.lower() != ".csv":
            raise InputError(f"--csv {self.csv}: a table is a .csv file; give a name that ends so")
        if self.plot is not None:
            from rlscale.render.figure import check_figure

            check_figure(self.plot)

    def put(self, build: Callable[[bool], Answer]) -> None:
        """Put an answer out.

        Parameters
        ----------
        build : callable
            Returns the answer; takes whether charts, and what else only a page has, are wanted: they take time.
        """
        answer = build(self.plot is not None or self.report is not None)
        self._write_files(answer)
        if self.json:
            sys.stdout.writelines(written(answer.document))
            sys.stdout.write("\n")
        else:
            from rlscale.render.terminal import print_answer

            print_answer(answer, console())
        notes = console(stderr=True)
        for error in answer.errors:
            notes.print(f"left out {error.path}: {error.message}", soft_wrap=True)
        for path in self._paths:
            if path is not None:
                notes.print(f"wrote {path}", soft_wrap=True)

    @property
    def _paths(self) -> tuple[Path | None, ...]:
        return self.csv, self.plot, self.report

    def _write_files(self, answer: Answer) -> None:
        if self.csv is not None:
            from rlscale.render.csv import as_csv

            write_file(self.csv, as_csv(answer.table))
        if self.plot is not None and answer.chart is not None:
            from rlscale.render.figure import write_chart

            write_chart(answer.chart, self.plot)
        if self.report is not None:
            from rlscale.render.html import as_page

            write_file(self.report, as_page(answer))
