"""Where an answer goes: text or JSON on stdout, a chart and a report in files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from rlscale.errors import InputError
from rlscale.inference import Fit
from rlscale.present.documents import fit_document, rank_document, written
from rlscale.present.text import print_fit, print_rank
from rlscale.present.views import BadFile, FitView, RankView, Settings
from rlscale.sources.naming import clean

if TYPE_CHECKING:
    from rlscale.live.past import Past
    from rlscale.present.answers import Answer
    from rlscale.present.backtest import BacktestView
    from rlscale.present.charts import Chart
    from rlscale.present.gate import GateView
    from rlscale.present.replay import ReplayView
    from rlscale.trust import Calibration

__all__ = ["Output", "console", "write_file"]

#: Columns where stdout is no terminal and COLUMNS is not set.
_PIPED_WIDTH = 100


class _Console(Console):
    """A console that shows characters which would steer the terminal, and leaves a closed pipe to the command line.

    Keys and messages hold what trackers and files hold, free text; the command line ends quietly on a closed pipe.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, their text made printable."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment("\n".join(map(clean, segment.text.split("\n"))), segment.style)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Return a console that folds at the terminal's width, and adds no colour where it is none."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in environ else _PIPED_WIDTH
    return _Console(file=stream, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)


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
            from rlscale.present.charts.figure import check_figure

            check_figure(self.plot)

    def fits(self, view: FitView, fits: Sequence[Fit]) -> None:
        """Put out the answer of ``fit``."""
        self._files(view, fits)
        self._stdout(lambda: fit_document(view), lambda to: print_fit(view, to), {})
        self._notes(view)

    def ranking(self, view: RankView, fits: Sequence[Fit], extra: Mapping[str, Any] | None = None) -> None:
        """Put out the answer of ``rank``; ``extra`` is added to the JSON document."""
        self._files(view, fits)
        self._stdout(lambda: rank_document(view), lambda to: print_rank(view, to), extra or {})
        self._notes(view)

    def backtest(self, view: BacktestView, calibration: Calibration | None = None) -> None:
        """Put out the answer of ``backtest``, and the calibration of the gate where it was asked for."""
        from rlscale.present.backtest.document import backtest_document, calibration_document
        from rlscale.present.backtest.text import print_backtest

        if any(self._paths):
            from rlscale.present.answers.backtest import backtest_answer
            from rlscale.present.backtest.report import backtest_html
            from rlscale.present.charts.backtest import backtest_chart

            self._written(lambda: backtest_answer(view), lambda: backtest_chart(view), lambda: backtest_html(view))
        extra = {} if calibration is None else {"calibration": calibration_document(calibration)}
        self._stdout(lambda: backtest_document(view), lambda to: print_backtest(view, to, calibration), extra)
        self._notes(view)

    def gate(self, view: GateView) -> None:
        """Put out the answer of ``gate``."""
        from rlscale.present.gate.document import gate_document
        from rlscale.present.gate.text import print_gate

        if any(self._paths):
            from rlscale.present.answers.gate import gate_answer
            from rlscale.present.charts.gate import gate_chart

            self._generic(lambda: gate_answer(view), lambda: gate_chart(view), view.settings)
        self._stdout(lambda: gate_document(view), lambda to: print_gate(view, to), {})
        self._notes(view)

    def replay(self, view: ReplayView) -> None:
        """Put out the answer of ``replay``."""
        from rlscale.present.replay.document import replay_document
        from rlscale.present.replay.text import print_replay

        if any(self._paths):
            from rlscale.present.answers.replay import replay_answer
            from rlscale.present.charts.replay import replay_chart

            self._generic(lambda: replay_answer(view), lambda: replay_chart(view), view.settings)
        self._stdout(lambda: replay_document(view), lambda to: print_replay(view, to), {})
        self._notes(view)

    def history(self, view: Sequence[Past], where: str, command: str) -> None:
        """Put out the answer of ``ledger history`` of the ledger ``where``."""
        from rlscale.present.ledger.history import history_document, print_history

        if any(self._paths):
            from rlscale.present.answers.history import history_answer
            from rlscale.present.charts.history import history_chart

            self._generic(lambda: history_answer(view, where), lambda: history_chart(view), Settings(command=command))
        self._stdout(lambda: history_document(view, where), lambda to: print_history(view, where, to), {})
        self._told()

    def _files(self, view: FitView | RankView, fits: Sequence[Fit]) -> None:
        if not any(self._paths):
            return
        from rlscale.present.answers.fit import fit_answer
        from rlscale.present.answers.rank import rank_answer
        from rlscale.present.charts.answers import answer_chart
        from rlscale.present.report import report_html

        self._written(
            lambda: rank_answer(view) if isinstance(view, RankView) else fit_answer(view),
            lambda: answer_chart(view, fits),
            lambda: report_html(view, fits),
        )

    def _generic(self, answer: Callable[[], Answer], chart: Callable[[], Chart], settings: Settings) -> None:
        """Write the files that were asked for, the report among them made of the answer itself."""
        from rlscale.present.answers.page import answer_page

        self._written(answer, chart, lambda: answer_page(answer(), chart(), settings))

    @property
    def _paths(self) -> tuple[Path | None, ...]:
        return self.csv, self.plot, self.report

    def _written(self, answer: Callable[[], Answer], chart: Callable[[], Chart], page: Callable[[], str]) -> None:
        """Write the files that were asked for."""
        if self.csv is not None:
            from rlscale.present.answers.writers import as_csv

            write_file(self.csv, as_csv(answer().tables[0]))
        if self.plot is not None:
            from rlscale.present.charts.figure import write_chart

            write_chart(chart(), self.plot)
        if self.report is not None:
            write_file(self.report, page())

    def _stdout(
        self, document: Callable[[], Mapping[str, Any]], text: Callable[[Console], None], extra: Mapping[str, Any]
    ) -> None:
        if self.json:
            sys.stdout.writelines(written({**document(), **extra}))
            sys.stdout.write("\n")
        else:
            text(console())

    def _notes(self, view: BacktestView | FitView | RankView | GateView | ReplayView) -> None:
        to = console(stderr=True)
        for error in view.errors:
            to.print(_left_out(error), soft_wrap=True)
        self._told()

    def _told(self) -> None:
        """Say which files were written."""
        for path in self._paths:
            if path is not None:
                console(stderr=True).print(f"wrote {path}", soft_wrap=True)


def _left_out(error: BadFile) -> str:
    return f"left out {error.path}: {error.message}"
