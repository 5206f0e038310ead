"""Which chart belongs to the answers of ``fit`` and ``rank``."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.inference import Fit
from rlscale.present.charts.growth import growth_chart
from rlscale.present.charts.recipes import rank_chart
from rlscale.present.charts.runs import fan_chart
from rlscale.present.charts.spec import Chart
from rlscale.present.views import FitView, RankView

__all__ = ["answer_chart"]


def answer_chart(view: FitView | RankView, fits: Sequence[Fit]) -> Chart:
    """Return the chart of an answer.

    The overlay of a ranking above fan charts of up to a dozen runs; the fan charts of fits, or how the runs grew where
    that was asked for.
    """
    if isinstance(view, RankView):
        return rank_chart(view, fits)
    return growth_chart(view, fits) if any(run.over_time for run in view.runs) else fan_chart(fits)
