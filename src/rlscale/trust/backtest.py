"""Backtest: cut finished runs early, forecast their end, and compare with what came true.

The protocol, for each run and each cut:

- seen: the points with ``C <= cut * C_max``, at least 4 of them above compute 0; a run has at least 12 points;
- the truth: the mean of the last ``max(3, floor(n / 10))`` evaluations;
- the forecast: the predictive of that mean (``inference.predictive``), noise and model error included.

What does not allow this is skipped, with the reason. The target is a mean of noisy evaluations and not the curve
itself: a part of every error is noise of the target, which no forecast can avoid. The predictive includes it, so
coverage and CRPS are not biased by it; :class:`TargetNoise` says how large it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run, assumed
from rlscale.decisions.runs import on_one_axis
from rlscale.decisions.team import Watch
from rlscale.errors import InputError
from rlscale.health.limits import Limits
from rlscale.health.screen import may_stop
from rlscale.inference.entry import runs_of
from rlscale.inference.fit import Fit, FitOptions, fits
from rlscale.inference.noise import mean_variance
from rlscale.inference.posterior import MIN_POINTS, Posterior
from rlscale.inference.predictive import mean_of_evaluations
from rlscale.inference.siblings import Siblings, siblings_of
from rlscale.keywords import checked_keywords
from rlscale.left_out import lacked
from rlscale.trust.baselines import METHODS
from rlscale.trust.outcome import LEVELS, OURS, Backtest, Case, CutScores, Scores, Skipped, TargetNoise, skipped_runs
from rlscale.trust.scores import crps, kendall_tau, mean_difference, pairwise_accuracy, top1_regret

__all__ = [
    "CUTS",
    "MIN_RUN",
    "TAIL",
    "Task",
    "backtest",
    "beside",
    "cut_runs",
    "cut_scores",
    "forecast_tasks",
    "predictive",
]

Floats = NDArray[np.float64]

#: Shares of each run's compute to forecast from.
CUTS = (0.25, 0.5, 0.75)
#: Shorter runs are skipped: their last evaluations are too large a part of them.
MIN_RUN = 12
#: The target is the mean of the last ``max(TAIL, n // 10)`` evaluations.
TAIL = 3
#: Cases fitted together by one process. It does not depend on the number of processes, and neither do the numbers.
_BATCH = 16
#: Computes the predictive of a long mean is taken at; more are averaged in blocks first.
_AHEAD = 1000


@dataclass(frozen=True, eq=False)
class Task:
    """A curve cut, the computes of the target evaluations and their mean reward; small enough to send to a process.

    ``siblings`` is what the other runs had shown at the end of this one when they were cut, where that is to count;
    ``log`` the run it was cut from, where monitors may say ``stop`` of it.
    """

    run: str
    recipe: str
    cut: float
    seen: Curve
    ahead: Floats
    truth: float
    jitter_sd: float
    siblings: Siblings | None = None
    log: Run | None = None

    def run_seen(self, options: FitOptions) -> Run:
        """Return the run as it was seen, with the series of its log where they are to bear on the fit."""
        if self.log is None or not options.health:
            return Run(name=self.run, recipe=self.recipe, curve=self.seen)
        return self.log.with_curve(self.seen, source=self.log.source, warnings=self.log.warnings)


@checked_keywords
def backtest(
    runs: Iterable[Run | Curve | Fit],
    *,
    cuts: Sequence[float] | float = CUTS,
    options: FitOptions | None = None,
    siblings: bool = False,
    jobs: int = 1,
    watch: Watch | None = None,
) -> Backtest:
    """Forecast the end of finished runs from their beginnings, by our method and by those in use today.

    Parameters
    ----------
    runs : iterable of Run, Curve or Fit
        Finished runs with one range of reward.
    cuts : float or sequence of float
        Shares of each run's compute to forecast from, each between 0 and 1.
    options : FitOptions, optional
    siblings : bool
        Let runs inform the level of others, each by what was seen of it at the same cut: the longer those of shorter.
    jobs : int
        Processes. The numbers do not depend on it. More than one starts fresh interpreters, so a script must guard its
        main part by ``if __name__ == "__main__"``.
    watch : callable, optional
        Called with the number of cases done and their total, as they are done.

    Raises
    ------
    InputError
        No run, a cut outside (0, 1), ``jobs`` below 1, several bounds, or no run long enough for any cut.

    Examples
    --------
    >>> import rlscale
    >>> rlscale.backtest(rlscale.read("bundled"), cuts=0.5)
    Backtest(6 runs of eval_reward, cut at 0.5: 6 forecasts)
    """
    left_out = lacked(runs)
    runs, options = runs_of(runs, "backtest"), options or FitOptions()
    shares = sorted({float(cut) for cut in np.atleast_1d(np.asarray(cuts, dtype=np.float64))})
    _check(runs, shares, jobs)
    tasks, skipped = cut_runs(runs, shares)
    tasks = beside(tasks) if siblings else tasks
    cases: list[Case] = []
    for done, result in enumerate(forecast_tasks(tasks, options, jobs)):
        if isinstance(result, Case):
            cases.append(result)
        else:
            skipped.append(result)
        if watch is not None:
            watch(done + 1, len(tasks))
    order = {run.name: place for place, run in enumerate(runs)}
    skipped.sort(key=lambda one: (order[one.run], one.cut or 0.0))
    if not cases:
        raise InputError(f"nothing can be backtested: {_told(skipped)}")
    return Backtest(
        cuts=tuple(cut_scores(cut, [case for case in cases if case.cut == cut]) for cut in shares),
        skipped=tuple(skipped),
        bounds=runs[0].curve.shown_in,
        metric=", ".join(sorted({run.curve.metric for run in runs})),
        unit=", ".join(sorted({run.curve.unit for run in runs})),
        options=options,
        left_out=(*left_out, *skipped_runs(skipped, runs)),
    )


def _check(runs: Sequence[Run], cuts: Sequence[float], jobs: int) -> None:
    if not cuts:
        raise InputError("no cut is given; give shares of each run's compute, such as 0.5")
    for cut in cuts:
        if not 0.0 < cut < 1.0:
            raise InputError(
                f"--cut {cut:g} is not between 0 and 1; give the share of each run's compute to forecast from, as 0.5"
            )
    if jobs < 1:
        raise InputError(f"--jobs {jobs} is not a number of processes; give 1 or more")
    on_one_axis(runs, "backtest", ("frame",))


def _told(skipped: Sequence[Skipped], most: int = 3) -> str:
    """Say why runs were skipped: the first few reasons, each with the first of its runs and how many more."""
    found: dict[str, list[str]] = {}
    for one in skipped:
        where = "" if one.cut is None else f" at {100 * one.cut:g} %"
        found.setdefault(f"{where}: {one.reason}", []).append(one.run)
    shown = [
        f"{runs[0]}{f' and {len(runs) - 1} more' if len(runs) > 1 else ''}{text}"
        for text, runs in list(found.items())[:most]
    ]
    return "; ".join(shown) + (f"; and {len(found) - most} more reasons" if len(found) > most else "")


def cut_runs(runs: Sequence[Run], cuts: Sequence[float], least: int = MIN_RUN) -> tuple[list[Task], list[Skipped]]:
    """Cut every run of at least ``least`` points, cut by cut: the forecasts to make, and what is skipped."""
    tasks: list[Task] = []
    skipped: list[Skipped] = []
    logs = {run.name: run if may_stop(run, Limits()) else None for run in runs}
    for cut in cuts:
        for run in runs:
            curve = run.curve
            if curve.n_points < least:
                if cut == cuts[0]:
                    skipped.append(Skipped(run.name, None, f"{_evaluations(curve.n_points)}; a backtest needs {least}"))
                continue
            until = cut * curve.compute_last
            tail = max(TAIL, curve.n_points // 10)
            ahead = curve.compute[-tail:]
            trained = int(np.count_nonzero((curve.compute > 0.0) & (curve.compute <= until)))
            if trained < MIN_POINTS:
                reason = f"{_evaluations(trained)} after the start up to there; a fit needs {MIN_POINTS}"
                skipped.append(Skipped(run.name, cut, reason))
            elif ahead[0] <= until:
                early = int(np.count_nonzero(ahead <= until))
                told = (
                    f"{early} of its last {tail} evaluations, the target, {'is' if early == 1 else 'are'} seen by then"
                )
                skipped.append(Skipped(run.name, cut, f"{told}; give an earlier --cut"))
            else:
                truth = float(np.mean(curve.reward[-tail:]))
                seen, jitter = curve.until(until), _jitter(curve) / float(np.sqrt(tail))
                tasks.append(Task(run.name, run.recipe, cut, seen, ahead, truth, jitter, log=logs[run.name]))
    return [task for cut in cuts for task in _as_known([task for task in tasks if task.cut == cut])], skipped


def _as_known(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks of one cut with what could be assumed of the bounds from the points up to there."""
    curves = assumed([task.seen for task in tasks])
    return [replace(task, seen=curve) for task, curve in zip(tasks, curves, strict=True)]


def beside(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks, cut by cut in their order, with what the other runs had shown at the same cut."""
    found = []
    for cut in dict.fromkeys(task.cut for task in tasks):
        own = [task for task in tasks if task.cut == cut]
        others = siblings_of([task.seen for task in own], [(float(task.ahead[-1]),) for task in own])
        found += [replace(task, siblings=one) for task, one in zip(own, others, strict=True)]
    return found


def _jitter(curve: Curve) -> float:
    """Sd of one evaluation by the first differences of the second half of the run; their trend is taken out."""
    return float(np.std(np.diff(curve.reward[curve.n_points // 2 :]), ddof=1) / np.sqrt(2.0))


def _evaluations(count: int) -> str:
    return f"{count} evaluation{'' if count == 1 else 's'}"


def forecast_tasks(
    tasks: Sequence[Task], options: FitOptions, jobs: int = 1, methods: Sequence[str] = tuple(METHODS)
) -> Iterator[Case | Skipped]:
    """Return the result of every task, in their order; beside ours only the point forecasts of ``methods``."""
    batches = [tasks[k : k + _BATCH] for k in range(0, len(tasks), _BATCH)]
    if min(jobs, len(batches)) <= 1:
        for batch in batches:
            yield from _batch(batch, options, methods)
        return
    options.require_portable()
    work = partial(_batch, options=options, methods=methods)
    # fresh interpreters: a copy of one that has threads may hang
    with ProcessPoolExecutor(min(jobs, len(batches)), mp_context=get_context("spawn")) as pool:
        try:
            for results in pool.map(work, batches):
                yield from results
        except BrokenProcessPool as error:
            raise InputError("a process that fits runs has ended; is there memory for it? give --jobs 1") from error


def _batch(tasks: Sequence[Task], options: FitOptions, methods: Sequence[str]) -> list[Case | Skipped]:
    return [_case(task, found, methods) for task, found in zip(tasks, _fits(tasks, options), strict=True)]


def _fits(tasks: Sequence[Task], options: FitOptions) -> Iterable[Fit]:
    """Fit what was seen; the verdict is on the reward at the end of the run."""
    runs = (task.run_seen(options) for task in tasks)
    targets = (float(task.ahead[-1]) for task in tasks)
    return fits(runs, options=options, own_targets=targets, siblings=[task.siblings for task in tasks])


def _case(task: Task, found: Fit, methods: Sequence[str]) -> Case | Skipped:
    if found.posterior is None:
        why = "; ".join([found.verdict.why.removesuffix("."), *found.warnings[len(found.run.warnings) :]])
        return Skipped(task.run, task.cut, f"nothing could be fitted: {why}")
    values, noise_sd = predictive(found.posterior, task.ahead)
    quantiles = tuple(float(q) for q in found.posterior.quantiles(values, LEVELS))
    forecasts = {OURS: quantiles[LEVELS.index(0.5)]}
    forecasts |= {name: METHODS[name](task.seen, task.ahead) for name in methods}
    return Case(
        run=task.run,
        recipe=task.recipe,
        cut=task.cut,
        n_seen=task.seen.n_points,
        compute_seen=task.seen.compute_last,
        truth=task.truth,
        quantiles=quantiles,
        crps=crps(values, found.posterior.weight, task.truth),
        noise_sd=noise_sd,
        jitter_sd=task.jitter_sd,
        forecasts=forecasts,
        verdict=found.verdict,
        warnings=found.warnings[len(found.run.warnings) :],
        bounds=task.seen.bounds,
        bounds_from=task.seen.bounds_from,
        siblings=found.siblings,
    )


def predictive(posterior: Posterior, ahead: Floats) -> tuple[Floats, float]:
    """Return draws of the mean of the evaluations at ``ahead``, shape (d,), and the sd of its noise."""
    # a very long curve was fitted in blocks of evaluations: its noise is that of a block, so is the target made of them
    size = max(posterior.block, -(-ahead.size // _AHEAD))
    edges = np.arange(0, ahead.size, size)
    computes = np.add.reduceat(ahead, edges) / np.diff(np.append(edges, ahead.size))
    sd = posterior.sigma * np.sqrt(mean_variance(posterior.draws.rho, computes.size))
    return mean_of_evaluations(posterior, computes), float(posterior.mean(sd))


def cut_scores(cut: float, cases: Sequence[Case]) -> CutScores:
    """Score every method on the cases of one cut."""
    methods = {name: _scores(name, cases) for name in (OURS, *METHODS)}
    return CutScores(cut, tuple(cases), MappingProxyType(methods), _target_noise(cases) if cases else None)


def _target_noise(cases: Sequence[Case]) -> TargetNoise:
    per_sd = float(np.sqrt(2.0 / np.pi))  # mean absolute value of a normal variable of sd 1
    jitter, model = (np.mean([getattr(case, name) for case in cases]) for name in ("jitter_sd", "noise_sd"))
    return TargetNoise(per_sd * float(jitter), per_sd * float(model))


def _scores(method: str, cases: Sequence[Case]) -> Scores:
    ours = method == OURS
    error = np.array([case.error(method) for case in cases])
    forecast = np.array([case.forecasts[method] for case in cases])
    truth = np.array([case.truth for case in cases])
    some = bool(cases)
    return Scores(
        median_abs_error=float(np.median(error)) if some else None,
        mean_abs_error=float(np.mean(error)) if some else None,
        p90_abs_error=float(np.quantile(error, 0.9)) if some else None,
        coverage80=float(np.mean([case.covers(0.8) for case in cases])) if ours and some else None,
        coverage50=float(np.mean([case.covers(0.5) for case in cases])) if ours and some else None,
        crps=float(np.mean([case.crps for case in cases] if ours else error)) if some else None,
        kendall_tau=kendall_tau(forecast, truth),
        pairwise_accuracy=pairwise_accuracy(forecast, truth),
        top1_regret=top1_regret(forecast, truth),
        excess_error=None if ours else mean_difference(error, np.array([case.error() for case in cases])),
        excess_crps=None if ours else mean_difference(error, np.array([case.crps for case in cases])),
    )
