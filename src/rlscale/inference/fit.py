"""One run in, everything its curve supports out: posterior, verdict, forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.curves.value import Value
from rlscale.health import Alarm, Condition, Limits, RunHealth, condition, run_health
from rlscale.inference.draws import COUNT
from rlscale.inference.fit_options import FitOptions
from rlscale.inference.forecast import Forecast, Interval, Moments, interval, moments, summarised
from rlscale.inference.grounds import capped, grounds, p_past_midpoint
from rlscale.inference.posterior import Posterior, posteriors
from rlscale.inference.resolves import resolves_at
from rlscale.inference.siblings import Siblings, informed
from rlscale.inference.smoothed import Smoothing
from rlscale.inference.subject import Subject, subject
from rlscale.inference.verdict import Verdict, VerdictName, judge
from rlscale.results import Result

__all__ = ["Fit", "FitOptions", "fit", "fits"]

#: A posterior worth fewer equally weighted draws than this is drawn again, so many times finer.
ENOUGH, MORE = 200, 16
#: Runs examined before the first of them is fitted.
TOGETHER = 30


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Fit(Result, Value):
    """What one run supports.

    Parameters
    ----------
    run : Run
    options : FitOptions
    verdict : Verdict
    posterior : Posterior, optional
        None where nothing was fitted (``too_few_points``, a collapse in the first evaluations, or nothing that varies
        under open bounds). Its curve is what was fitted: less than the run's after a collapse or a change of regime,
        and where spikes were left out.
    forecasts : tuple of Forecast
        At the targets asked for, else at 2 and 4 times the last compute.
    asymptote : Forecast, optional
        The ceiling, model error at its full size.
    question : float
        The compute the verdict speaks of; ``inf`` for the asymptote.
    warnings : tuple of str
    smoothing : Smoothing, optional
        How the values look smoothed; None where they look like evaluations.
    siblings : int, optional
        Other runs whose levels inform the posterior; None where none do.
    level : Moments, optional
        Of the noise-free reward at the last compute fitted; None where nothing was fitted.
    masked : tuple of float
        Computes of the evaluations that alarms of monitors keep out of the fit.
    alarm : Alarm, optional
        The first at ``stop`` that lasts at the last evaluation.
    """

    run: Run
    options: FitOptions
    verdict: Verdict
    posterior: Posterior | None
    forecasts: tuple[Forecast, ...]
    asymptote: Forecast | None
    question: float
    warnings: tuple[str, ...]
    smoothing: Smoothing | None = None
    siblings: int | None = None
    level: Moments | None = None
    masked: tuple[float, ...] = ()
    alarm: Alarm | None = None

    def __repr__(self) -> str:
        answer = next((item for item in self.forecasts if item.compute == self.question), self.asymptote)
        what = "ceiling" if np.isinf(self.question) else f"reward at {self.question:g} {self.run.curve.unit}"
        around = "" if answer is None else f", {what} {answer.q50:.3f} (80 %: {answer.q10:.3f} to {answer.q90:.3f})"
        return f"Fit({self.run.name!r}: {self.verdict.name.value}{around})"

    @property
    def level_sd(self) -> float | None:
        """Sampling sd of the curve's level, ``sqrt(p (1 - p) / n_eval)`` at the last point with a known ``n_eval``.

        The same items are graded at each evaluation, so it moves the whole curve and not its jitter: it enters no
        forecast, verdict, or comparison of runs graded on the same items. None off [0, 1] or where unknown.
        """
        curve = self.run.curve
        if curve.n_eval is None or curve.bounds != (0.0, 1.0):
            return None
        known = np.flatnonzero(~np.isnan(curve.n_eval))
        if not known.size:
            return None
        level = float(np.clip(curve.reward[known[-1]], 0.0, 1.0))
        return float(np.sqrt(level * (1.0 - level) / curve.n_eval[known[-1]]))

    @property
    def p_past_midpoint(self) -> float | None:
        """Probability that ``C_mid < C_last``."""
        return None if self.posterior is None else p_past_midpoint(self.posterior)

    @cached_property
    def health(self) -> RunHealth | None:
        """What all monitors say of the run as of its last evaluation, computed when asked for; some 4 ms.

        None where they were not to bear on the fit (``FitOptions.health``), or its log holds none of their series.
        """
        if not self.options.health or not (self.run.series or self.run.metrics):
            return None
        return run_health(self.run, Limits(), until=self.run.curve.compute_last)

    @property
    def condition(self) -> Condition | None:
        """What forecasts hold under, where the log measures it: ``valid while truncation stays below 0.1``.

        None where nothing was fitted, of a run that has collapsed, and where a monitor says ``stop``.
        """
        if self.posterior is None or self.alarm is not None or self.verdict.name is VerdictName.COLLAPSED:
            return None
        return None if self.health is None else condition(self.health)

    @cached_property
    def resolves_at(self) -> Interval | None:
        """Compute at which the question should be ``resolved``, in the curve's unit.

        Only of a run that could go on as it does: None unless the verdict is ``bending`` or ``pre_inflection``, where
        the values look smoothed, only an assumed bound ends the interval, or a monitor says ``stop`` to the end, and
        where 100 times the last compute will probably not do (see ``resolves``). Some 2 ms, computed when asked for.
        """
        unresolved = (VerdictName.BENDING, VerdictName.PRE_INFLECTION)
        if self.posterior is None or self.verdict.name not in unresolved or self.smoothing is not None:
            return None
        if self._capped or self.alarm is not None:
            return None
        return resolves_at(self.posterior, self.question, self.options.tolerance, seen=self.run.curve.compute_last)

    @property
    def _capped(self) -> bool:
        """Whether only an assumed bound ends the interval asked for: no evaluation mends that."""
        answer = next((item for item in self.forecasts if item.compute == self.question), self.asymptote)
        if self.posterior is None or answer is None:
            return False
        now = self.posterior.expected([self.posterior.curve.compute_last])[:, 0]
        return capped(self.posterior.curve, answer.q90, float(self.posterior.mean(now)))

    @property
    def ceiling(self) -> Interval | None:
        """The ceiling that is printed, of all families averaged, model error included; None where nothing was fitted.

        ``quantity("A")`` is that of the leading family alone.
        """
        return self.quantity("A_average")

    @property
    def weights(self) -> dict[str, float]:
        """Probability of each family averaged, by name; empty for a family alone or where nothing was fitted."""
        return {} if self.posterior is None or len(self.posterior.families) == 1 else self.posterior.weights

    def quantity(self, name: str) -> Interval | None:
        """Return the 80 % interval of a quantity; None where unknown.

        ``R0``, ``A_average`` (model error included), ``rho`` and ``sigma`` are averaged over the families; ``A`` (model
        error included), ``B`` and ``C_mid`` are those of the leading family, the sigmoid under ``average``.
        """
        if self.posterior is None:
            return None
        if name == "A_average":
            return None if self.asymptote is None else self.asymptote.interval
        if name in ("rho", "sigma") and self.posterior.block > 1:
            return None  # those of block means, not of one evaluation
        found = self.posterior if name in ("R0", "rho", "sigma") else self.posterior.component(self.posterior.leading)
        values: dict[str, Callable[[], NDArray[np.float64]]] = {
            "R0": lambda: found.baseline,
            "A": lambda: found.reward([np.inf], model_error=True)[:, 0],
            "B": lambda: found.exponent,
            "C_mid": lambda: found.midpoint,
            "rho": lambda: found.draws.rho,
            "sigma": lambda: found.sigma,
        }
        return interval(values[name](), found.weight)


def fit(run: Run | Curve, targets: Sequence[float] | float = (), options: FitOptions | None = None) -> Fit:
    """Fit one run.

    Parameters
    ----------
    run : Run or Curve
        A bare curve is fitted as a run called ``run``.
    targets : float or sequence of float
        Computes to forecast at, in the curve's unit; ``inf`` asks for the asymptote. The verdict speaks of the largest;
        without targets it speaks of the asymptote and the forecasts are at 2 and 4 times the last compute.
    options : FitOptions, optional

    Raises
    ------
    InputError
        A target that is not above 0.
    """
    return next(fits((run,), targets, options))


def fits(
    runs: Iterable[Run | Curve],
    targets: Sequence[float] | float = (),
    options: FitOptions | None = None,
    *,
    own_targets: Iterable[Sequence[float] | float] | None = None,
    siblings: Iterable[Siblings | None] | None = None,
) -> Iterator[Fit]:
    """Fit many runs, a few at a time: faster for each than :func:`fit`, and the same to 1e-9.

    Parameters
    ----------
    runs : iterable of Run or Curve
        Read a few ahead of what is returned.
    targets, options
        As for :func:`fit`.
    own_targets : iterable, optional
        Targets of each run, in place of those for all.
    siblings : iterable, optional
        What other runs showed further on, of each run (``siblings.siblings_of``): they inform its level where they
        agree.

    Yields
    ------
    Fit
        Of each run, in order.

    Raises
    ------
    InputError
        A target that is not above 0.

    Examples
    --------
    >>> import rlscale
    >>> [fit.verdict.name.value for fit in rlscale.fits(rlscale.read("bundled", run="long10/*"))]
    ['resolved', 'resolved']
    """
    options = options or FitOptions()
    wanted = repeat(targets) if own_targets is None else own_targets
    each_run = zip(runs, wanted, repeat(None) if siblings is None else siblings, strict=False)
    while chunk := [subject(run, own, options, others) for run, own, others in islice(each_run, TOGETHER)]:
        fitted = [each.curve for each in chunk if each.curve is not None]
        each_posterior = posteriors(
            fitted, families=options.families, model_error=options.model_error, priors=options.priors
        )
        for each in chunk:
            yield _unfitted(each, options) if each.curve is None else _answered(each, next(each_posterior), options)


def _unfitted(asked: Subject, options: FitOptions) -> Fit:
    assert asked.verdict is not None
    return Fit(
        run=asked.run,
        options=options,
        verdict=asked.verdict,
        posterior=None,
        forecasts=(),
        asymptote=None,
        question=max(asked.targets, default=np.inf),
        warnings=asked.warnings,
        alarm=asked.alarm,
    )


def _answered(asked: Subject, posterior: Posterior, options: FitOptions) -> Fit:
    posterior = posterior.after(asked.aftermath).corrected(options.correction)
    posterior, outside = _inside(posterior, asked.curve or posterior.curve)
    others = None if asked.siblings is None else informed(posterior, asked.siblings)
    posterior, beside = (posterior, []) if others is None else (others, _beside(asked))
    last = asked.run.curve.compute_last
    wanted = asked.targets or (2.0 * last, 4.0 * last)
    computes = tuple(dict.fromkeys((*wanted, np.inf)))  # each once
    # the verdict asks for the reward now too: one call for all is faster
    end = posterior.curve.compute_last
    rewards = posterior.reward((*computes, end), model_error=True)
    shown = grounds(posterior, rewards[:, -1], asked.smoothed, asked.alarm)
    forecasts = summarised(
        posterior, computes, rewards[:, :-1], shown, tolerance=options.tolerance, at_least=options.at_least
    )
    by_compute = dict(zip(computes, forecasts, strict=True))
    ahead, asymptote = [by_compute[compute] for compute in wanted], by_compute[np.inf]
    question = max(ahead, key=lambda item: item.compute) if asked.targets else asymptote
    return Fit(
        run=asked.run,
        options=options,
        verdict=asked.verdict or judge(posterior.curve, question, shown, options.tolerance),
        posterior=posterior,
        forecasts=tuple(ahead),
        asymptote=asymptote,
        question=question.compute,
        warnings=(*asked.warnings, *outside, *beside),
        smoothing=asked.smoothed,
        siblings=asked.siblings.levels.size if asked.siblings is not None and beside else None,
        level=moments(posterior, rewards[:, -1]),
        masked=asked.masked,
        alarm=asked.alarm,
    )


def _beside(asked: Subject) -> list[str]:
    """Say that other runs inform the level."""
    if asked.siblings is None:
        return []
    where = f"{asked.siblings.compute:.4g} {asked.run.curve.unit}"
    return [
        f"its level is also informed by those of {asked.siblings.levels.size} other runs at {where}; "
        "--siblings off leaves them out"
    ]


def _inside(found: Posterior, curve: Curve) -> tuple[Posterior, list[str]]:
    """Where a curve lies outside its bounds by more than noise, fit it with rewards moved onto the bounds."""
    said = []
    if found.draws.effective < ENOUGH and curve.n_outside:
        low, high = curve.bounds
        curve = replace(curve, reward=np.clip(curve.reward, low, high))
        found = found.refitted(curve)
        said.append(
            f"the rewards leave the bounds [{low:g}, {high:g}] by more than noise: those outside were moved onto them "
            "for the fit; give --bounds LO HI if the metric can go further"
        )
    if found.draws.effective < ENOUGH:  # a curve pressed against a bound: most draws fall outside, so take more
        found = found.refitted(curve, count=MORE * COUNT)
    return found, said
