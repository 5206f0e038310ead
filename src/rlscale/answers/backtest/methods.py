"""What a backtest's numbers rest on, and what each method it compares with does."""

from __future__ import annotations

from rlscale.answers.backtest import words
from rlscale.answers.backtest.view import BacktestView
from rlscale.trust.backtest import MIN_RUN, TAIL

__all__ = ["METHODS", "statements"]

METHODS = (
    ("last value", "the reward of the last evaluation seen"),
    ("mean of last 3", "the mean of the last three"),
    ("least squares", "the sigmoid with R0, A, B and C_mid free, by bounded least squares from several starts"),
    (
        "linearised grid",
        "R0 the first evaluation; for each of 600 ceilings a straight line through the log odds; the ceiling of least "
        "squared error",
    ),
    (
        "published grid",
        "ScaleRL, arXiv 2510.13786, A.5: R0 the first evaluation; A from .450 to .800 of the range, C_mid from 100 to "
        "40,000 GPU-hours, B fitted in each cell. It knows no other unit: the last evaluation seen is put at 4,000",
    ),
)


def statements(view: BacktestView) -> tuple[tuple[str, str], ...]:
    """Return what the numbers of a backtest rest on."""
    cuts = ", ".join(words.at(scored.cut) for scored in view.result.cuts)
    return (
        (
            "Seen",
            f"The evaluations up to {cuts} of each run's own compute, at least 4 of them after the start. Runs of "
            f"fewer than {MIN_RUN} evaluations are skipped, and listed above.",
        ),
        ("Truth", f"The mean of the last max({TAIL}, n / 10) evaluations of the run, none of which was seen."),
        (
            "Forecast",
            "The posterior of what was seen, with default or given options, and its predictive of that mean: the "
            "curve, its model error and autocorrelated evaluation noise. No random numbers.",
        ),
        (
            "Scores",
            "Errors are of the median. CRPS: E|X − y| − E|X − X'| / 2. Rank τ: Kendall's tau-b of forecasts and truths "
            "of the runs. Pairs right: pairs of runs with different truths in the right order, ties half. Top-1 "
            "regret: best truth less that of the run forecast highest.",
        ),
        (
            "Independence",
            "Bands and binomial intervals take runs as independent. Seeds of one recipe, and cuts of one run, are not "
            "quite: the band of all cuts together is therefore one for the number of runs.",
        ),
        ("Hindsight", "A run that was stopped early because it looked bad is scored by the end it has."),
    )
