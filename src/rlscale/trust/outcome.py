"""What a backtest finds: its cases, their scores, and what was skipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rlscale.curves import Run
from rlscale.curves.value import Value
from rlscale.inference.fit import FitOptions
from rlscale.inference.verdict import Verdict
from rlscale.left_out import LeftOut
from rlscale.results import Result
from rlscale.trust.scores import Difference

__all__ = ["LEVELS", "OURS", "Backtest", "Case", "CutScores", "Scores", "Skipped", "TargetNoise"]

#: Levels of the quantiles kept of every forecast: .05, .10, ..., .95.
LEVELS = tuple(k / 20 for k in range(1, 20))
#: The name of our own forecasts among the methods.
OURS = "rlscale"


@dataclass(frozen=True, kw_only=True)
class Case(Value):
    """One run cut once: the forecasts made there and what came true.

    Parameters
    ----------
    run, recipe : str
    cut : float
        Share of the run's compute that was seen.
    n_seen : int
        Evaluations seen, a baseline included.
    compute_seen : float
        Compute of the last of them, in the run's unit.
    truth : float
        Mean reward of the target evaluations.
    quantiles : tuple of float
        Of the predictive, at :data:`LEVELS`, in reward.
    crps : float
        Of the predictive, in reward.
    noise_sd : float
        Sd of the target's own noise by the posterior mean, autocorrelation included, in reward.
    jitter_sd : float
        The same by the differences of neighbouring evaluations in the second half of the run, in reward.
    forecasts : mapping of str to float
        The point forecast of every method; ours is the median.
    verdict : Verdict
        At the cut, on the reward at the run's last compute.
    warnings : tuple of str
    bounds : (float, float)
    bounds_from : str
        As they were known at the cut.
    siblings : int, optional
        Other runs whose levels inform the forecast; None where none do.
    """

    run: str
    recipe: str
    cut: float
    n_seen: int
    compute_seen: float
    truth: float
    quantiles: tuple[float, ...]
    crps: float
    noise_sd: float
    jitter_sd: float
    forecasts: Mapping[str, float]
    verdict: Verdict
    warnings: tuple[str, ...]
    bounds: tuple[float, float] = (0.0, 1.0)
    bounds_from: str = "option"
    siblings: int | None = None

    def quantile(self, level: float) -> float:
        """Return the quantile at one of :data:`LEVELS`."""
        return self.quantiles[round(20 * level) - 1]

    def width(self, level: float) -> float:
        """Width of the central interval of ``level``."""
        return self.quantile(0.5 + level / 2) - self.quantile(0.5 - level / 2)

    def covers(self, level: float) -> bool:
        """Whether the central interval of ``level``, a multiple of .1, or .5, holds the truth."""
        return self.quantile(0.5 - level / 2) <= self.truth <= self.quantile(0.5 + level / 2)

    def error(self, method: str = OURS) -> float:
        """Absolute error of a method's forecast."""
        return abs(self.forecasts[method] - self.truth)


@dataclass(frozen=True)
class Skipped:
    """A run (``cut`` None), or one cut of it, that has no forecast, and why."""

    run: str
    cut: float | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scores(Value):
    """How one method did at one cut; None where undefined.

    Parameters
    ----------
    median_abs_error, mean_abs_error, p90_abs_error : float, optional
        In reward.
    coverage80, coverage50 : float, optional
        Share of the truths inside the central intervals; None for a method without intervals.
    crps : float, optional
        Mean CRPS, in reward; for a point forecast the mean absolute error.
    kendall_tau, pairwise_accuracy : float, optional
        How well the runs are ordered (see ``scores``); None for fewer than two runs.
    top1_regret : float, optional
        Best truth less the truth of the run with the highest forecast, in reward.
    excess_error, excess_crps : Difference, optional
        Mean absolute error, and CRPS, less ours over the same runs; None for ours, and for fewer than 6 runs.
    """

    median_abs_error: float | None
    mean_abs_error: float | None
    p90_abs_error: float | None
    coverage80: float | None
    coverage50: float | None
    crps: float | None
    kendall_tau: float | None
    pairwise_accuracy: float | None
    top1_regret: float | None
    excess_error: Difference | None
    excess_crps: Difference | None


@dataclass(frozen=True)
class TargetNoise:
    """Mean absolute error that the noise of the target alone makes: what a forecast that knew the curve would score.

    Parameters
    ----------
    jitter : float
        By the differences of neighbouring evaluations: a lower bound, since slow wander of a run does not show in them.
    model : float
        By the fitted noise, its autocorrelation included: what the model takes for noise, misfit of the curve included.
    """

    jitter: float
    model: float


@dataclass(frozen=True)
class CutScores(Value):
    """Every method at one cut.

    Parameters
    ----------
    cut : float
    cases : tuple of Case
        The runs forecast at this cut, in their order.
    methods : mapping of str to Scores
        Ours first.
    target_noise : TargetNoise, optional
        None without a case.
    """

    cut: float
    cases: tuple[Case, ...]
    methods: Mapping[str, Scores]
    target_noise: TargetNoise | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Backtest(Result, Value):
    """How forecasts made early would have done.

    Parameters
    ----------
    cuts : tuple of CutScores
        By increasing cut.
    skipped : tuple of Skipped
        What has no forecast, in the order of the runs.
    bounds : (float, float)
        Of the metric, which the runs share.
    metric, unit : str
        Of the runs; several are joined by commas.
    options : FitOptions
    left_out : tuple of LeftOut
        What was named and could not be read, and the runs that were skipped as a whole.
    """

    cuts: tuple[CutScores, ...]
    skipped: tuple[Skipped, ...]
    bounds: tuple[float, float]
    metric: str
    unit: str
    options: FitOptions
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        cuts = ", ".join(f"{scored.cut:g}" for scored in self.cuts)
        runs = len({case.run for case in self.cases})
        return f"Backtest({runs} runs of {self.metric}, cut at {cuts}: {len(self.cases)} forecasts)"

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case, by cut and then in the order of the runs."""
        return tuple(case for scored in self.cuts for case in scored.cases)


def skipped_runs(skipped: Iterable[Skipped], runs: Iterable[Run]) -> tuple[LeftOut, ...]:
    """Return the runs that a rule of the analysis skips as a whole, which count as covered."""
    paths = {run.name: run.source.path for run in runs if run.source is not None}
    return tuple(LeftOut(each.run, paths.get(each.run, ""), each.reason, False) for each in skipped if each.cut is None)
