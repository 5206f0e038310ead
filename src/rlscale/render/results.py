"""How results of Python calls look: the same answers as on the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from rlscale.answers import Answer
from rlscale.decisions import Ranking
from rlscale.decisions.ablation import Ablation
from rlscale.decisions.gate import GateAnswer
from rlscale.decisions.knobs import Catalogue, Check, Diff, EmittedConfig
from rlscale.decisions.plan import LearningRate, Plan
from rlscale.decisions.rollouts import Rollouts
from rlscale.decisions.sizes import SizeLaw
from rlscale.errors import InputError
from rlscale.health import Health
from rlscale.inference import Fit
from rlscale.trust import Backtest, Replay

__all__ = ["answer_of", "csv", "document", "frame", "html", "plot", "summary"]

#: Columns of the text.
_WIDTH = 100


def document(result: Any) -> dict[str, Any]:
    """Return the JSON document of a result; see :class:`rlscale.results.Result` for this and the others."""
    from rlscale.render.json import dumps

    plain: dict[str, Any] = json.loads(dumps(answer_of(result).document))
    return plain


def frame(result: Any) -> Any:
    """Return the table of an answer as a DataFrame."""
    from rlscale.render.csv import as_frame

    return as_frame(answer_of(result).table)


def csv(result: Any) -> str:
    """Return the table of an answer as CSV."""
    from rlscale.render.csv import as_csv

    return as_csv(answer_of(result).table)


def html(result: Any) -> str:
    """Return the answer with its chart, where there is one."""
    from rlscale.render.html import as_notebook

    return as_notebook(answer_of(result, charts=True))


def plot(result: Any, axes: Any = None) -> Any:
    """Draw the first panel on ``axes``, or the whole chart on a new figure, whose first axes are returned."""
    from rlscale.render.figure import check_matplotlib, draw_panel, drawn

    check_matplotlib("plot()")
    chart = answer_of(result, charts=True).chart
    if chart is None:
        raise InputError("there is nothing to draw: nothing was fitted")
    if axes is None:
        import matplotlib.pyplot as plt

        return drawn(chart, plt.figure(layout="constrained")).axes[0]  # a notebook shows the figures of pyplot
    draw_panel(axes, chart.panels[0])
    return axes


def summary(result: Any) -> str:
    """Return the text of an answer, as the command line prints it."""
    from rich.console import Console

    from rlscale.render.terminal import print_answer

    out = io.StringIO()
    print_answer(answer_of(result), Console(file=out, width=_WIDTH, highlight=False, emoji=False, markup=False))
    return out.getvalue()


def answer_of(result: Any, *, charts: bool = False) -> Answer:
    """Return the answer of a result; with ``charts`` what a page and ``plot()`` draw."""
    builders: dict[type, Callable[[Any, bool], Answer]] = {
        Fit: _fit,
        Ranking: _ranking,
        GateAnswer: _gate,
        Plan: _plan,
        LearningRate: _rate,
        Backtest: _backtest,
        Replay: _replay,
        Health: _health,
        Ablation: _ablation,
        Catalogue: _knobs,
        Check: _knobs,
        Diff: _knobs,
        EmittedConfig: _knobs,
        Rollouts: _rollouts,
        SizeLaw: _sizes,
    }
    return builders[type(result)](result, charts)


def _fit(result: Fit, charts: bool) -> Answer:
    from rlscale.answers.fit import fit_answer
    from rlscale.answers.views import fit_view

    return fit_answer(fit_view([result]), [result] if charts else None)


def _ranking(result: Ranking, charts: bool) -> Answer:
    from rlscale.answers.rank import rank_answer
    from rlscale.answers.views import rank_view

    if not result.fits:
        raise InputError("this ranking keeps no fits: there are too many; rank fits, rlscale.rank(fits), to show it")
    return rank_answer(rank_view(result, result.fits), result.fits if charts else None)


def _gate(result: GateAnswer, charts: bool) -> Answer:
    from rlscale.answers.gate import GateView, gate_answer

    curves = {run.name: run.curve for run in result.runs}
    return gate_answer(
        GateView(answer=result, calibration="", shown=result.decisions, curves=curves, left_out=result.left_out),
        charts=charts,
    )


def _health(result: Health, charts: bool) -> Answer:
    from rlscale.answers.health import health_answer, health_view

    return health_answer(health_view(result), charts=charts)


def _plan(result: Plan, charts: bool) -> Answer:
    from rlscale.answers.plan import plan_answer, plan_view

    return plan_answer(plan_view(result), charts=charts)


def _rate(result: LearningRate, charts: bool) -> Answer:
    from rlscale.answers.plan import RateView, rate_answer

    return rate_answer(RateView(result), charts=charts)


def _backtest(result: Backtest, charts: bool) -> Answer:
    from rlscale.answers.backtest import backtest_answer, backtest_view

    return backtest_answer(backtest_view(result), charts=charts)


def _replay(result: Replay, charts: bool) -> Answer:
    from rlscale.answers.replay import ReplayView, replay_answer

    return replay_answer(ReplayView(result=result, left_out=result.left_out), charts=charts)


def _ablation(result: Ablation, charts: bool) -> Answer:
    from rlscale.answers.ablate import AblateView, ablate_answer

    return ablate_answer(AblateView(result=result, left_out=result.left_out), charts=charts)


def _knobs(result: Any, charts: bool) -> Answer:
    from rlscale.answers.knobs import KnobsView, catalogue_answer, check_answer, diff_answer, emit_answer

    answers: dict[type, Callable[[KnobsView[Any]], Answer]] = {
        Check: check_answer,
        Diff: diff_answer,
        EmittedConfig: emit_answer,
    }
    if isinstance(result, Catalogue):
        return catalogue_answer(KnobsView(result), charts=charts)
    return answers[type(result)](KnobsView(result))


def _rollouts(result: Rollouts, charts: bool) -> Answer:
    from rlscale.answers.rollouts import RolloutsView, rollouts_answer

    return rollouts_answer(RolloutsView(answer=result, left_out=result.left_out), charts=charts)


def _sizes(result: SizeLaw, charts: bool) -> Answer:
    from rlscale.answers.sizes import SizesView, sizes_answer

    return sizes_answer(SizesView(law=result, left_out=result.left_out), charts=charts)
