"""How results of Python calls look: the same answers as on the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from rlscale.decisions import Ranking
from rlscale.decisions.gate import GateAnswer
from rlscale.errors import InputError
from rlscale.inference import Fit
from rlscale.present.answers.answer import Answer
from rlscale.present.answers.writers import as_csv, as_frame, as_html
from rlscale.present.charts.spec import Chart
from rlscale.present.documents import dumps
from rlscale.present.views import fit_view, rank_view
from rlscale.trust import Backtest, Replay

__all__ = ["answer_of", "chart_of", "csv", "document", "frame", "html", "plot", "summary"]

#: Columns of the text, and panels of a chart that a notebook shows under a table.
_WIDTH, _PANELS = 100, 1


def document(result: Any) -> dict[str, Any]:
    """Return the JSON document of a result; see :class:`rlscale.results.Result` for this and the others."""
    plain: dict[str, Any] = json.loads(dumps(answer_of(result).document))
    return plain


def frame(result: Any) -> Any:
    """Return the table of an answer as a DataFrame."""
    return as_frame(answer_of(result).tables[0])


def csv(result: Any) -> str:
    """Return the table of an answer as CSV."""
    return as_csv(answer_of(result).tables[0])


def html(result: Any) -> str:
    """Return the answer with its chart, where there is one."""
    from rlscale.present.charts.svg import standalone_svg

    try:
        panels = chart_of(result).panels[:_PANELS]
    except InputError:  # nothing to draw
        panels = ()
    return as_html(answer_of(result), below="".join(map(standalone_svg, panels)))


def plot(result: Any, axes: Any = None) -> Any:
    """Draw the first panel on ``axes``, or the whole chart on a new figure, whose first axes are returned."""
    from rlscale.present.charts.figure import check_matplotlib, draw_panel, drawn

    check_matplotlib("plot()")
    chart = chart_of(result)
    if axes is None:
        return drawn(chart).axes[0]
    draw_panel(axes, chart.panels[0])
    return axes


def summary(result: Any) -> str:
    """Return the text of an answer, as the command line prints it."""
    shown = _shown(result)
    out = io.StringIO()
    shown.write(shown.view, Console(file=out, width=_WIDTH, highlight=False, emoji=False, markup=False))
    return out.getvalue()


def answer_of(result: Any) -> Answer:
    """Return the answer of a result."""
    shown = _shown(result)
    return shown.answer(shown.view)


def chart_of(result: Any) -> Chart:
    """Return the chart of a result.

    Raises
    ------
    InputError
        There is nothing to draw.
    """
    shown = _shown(result)
    return shown.chart(shown.view)


@dataclass(frozen=True)
class _Shown:
    """The view of a result, and what makes an answer, a chart and a text of it."""

    view: Any
    answer: Callable[[Any], Answer]
    chart: Callable[[Any], Chart]
    write: Callable[[Any, Console], None]


def _shown(result: Any) -> _Shown:
    kinds: dict[type, Callable[[Any], _Shown]] = {
        Fit: _fit,
        Ranking: _ranking,
        GateAnswer: _gate,
        Backtest: _backtest,
        Replay: _replay,
    }
    return kinds[type(result)](result)


def _fit(result: Fit) -> _Shown:
    from rlscale.present.answers.fit import fit_answer
    from rlscale.present.charts.runs import fan_chart
    from rlscale.present.text import print_fit

    return _Shown(fit_view([result]), fit_answer, lambda view: fan_chart([result]), print_fit)


def _ranking(result: Ranking) -> _Shown:
    from rlscale.present.answers.rank import rank_answer
    from rlscale.present.charts.recipes import rank_chart
    from rlscale.present.text import print_rank

    if not result.fits:
        raise InputError("this ranking keeps no fits: there are too many; rank fits, rlscale.rank(fits), to show it")
    view = rank_view(result, result.fits)
    return _Shown(view, rank_answer, lambda view: rank_chart(view, result.fits), print_rank)


def _gate(result: GateAnswer) -> _Shown:
    from rlscale.present.answers.gate import gate_answer
    from rlscale.present.charts.gate import gate_chart
    from rlscale.present.gate.text import print_gate
    from rlscale.present.gate.view import GateView

    curves = {run.name: run.curve for run in result.runs}
    view = GateView(answer=result, calibration="", shown=result.decisions, curves=curves)
    return _Shown(view, gate_answer, gate_chart, print_gate)


def _backtest(result: Backtest) -> _Shown:
    from rlscale.present.answers.backtest import backtest_answer
    from rlscale.present.backtest import backtest_view
    from rlscale.present.backtest.text import print_backtest
    from rlscale.present.charts.backtest import backtest_chart

    return _Shown(backtest_view(result), backtest_answer, backtest_chart, print_backtest)


def _replay(result: Replay) -> _Shown:
    from rlscale.present.answers.replay import replay_answer
    from rlscale.present.charts.replay import replay_chart
    from rlscale.present.replay.text import print_replay
    from rlscale.present.replay.view import ReplayView

    return _Shown(ReplayView(result=result), replay_answer, replay_chart, print_replay)
