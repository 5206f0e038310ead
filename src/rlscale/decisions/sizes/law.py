"""From runs of several model sizes to the law across sizes and what it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.sizes.answer import SizeLaw, SizeRow
from rlscale.decisions.sizes.budget import best_size
from rlscale.decisions.sizes.forms import believed, compared
from rlscale.decisions.sizes.grouping import SizedRuns, last_level, sized
from rlscale.decisions.sizes.predictions import posterior_of, predictions, steps_away, widening
from rlscale.decisions.sizes.trusted import trusted
from rlscale.decisions.sizes.verdicts import FARTHEST, Limits, compute_means, on_law, p_gain, p_past_N0
from rlscale.decisions.sizes.written import written
from rlscale.errors import InputError
from rlscale.inference.entry import runs_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.size_law import LETTERINGS, SUBMODEL, SizePosterior, new_size, summary
from rlscale.keywords import checked_keywords
from rlscale.left_out import lacked

__all__ = ["size_law"]


@checked_keywords
def size_law(
    runs: Iterable[Run | Curve | Fit],
    *,
    predict: Sequence[float] | float = (),
    budget: float | None = None,
    r_max: float | None = None,
    options: FitOptions | None = None,
    compare: bool = True,
) -> SizeLaw:
    """Fit the law across model sizes: ``log L(N, X) = -k(N) log X + E(N)``, ``k(N) = K_max / (1 + N0/N)``.

    ``L = 1 - R/R_max``; logarithms are natural. Tan et al., "Scaling Behaviors of LLM RL Post-Training", 2509.25300.

    Parameters
    ----------
    runs : iterable of Run or Fit
        Of two or more sizes (``Run.model_params``), with one unit of compute, one metric and its bounds.
    predict : float or sequence of float, optional
        Sizes to predict, in the unit of ``model_params``. One that has runs is predicted as if it had none, and from
        the first quarter of them, beside what they reached.
    budget : float, optional
        Compute of one run, in the unit of the runs: the best size there.
    r_max : float, optional
        Largest reward possible; by default the upper bound of the metric.
    options : FitOptions, optional
        ``tolerance`` of a prediction, and how the sigmoids that are compared are fitted.
    compare : bool
        Compare the power law with other forms on held-out data; some 10 ms a run.

    Returns
    -------
    SizeLaw

    Raises
    ------
    InputError
        Runs that cannot be compared, without a size, of sizes in mixed units or of one size only; a level above
        ``r_max``; a size or a budget that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from rlscale import Curve, Run
    >>> from rlscale import size_law
    >>> from rlscale.inference.size_law import exponent, unreached
    >>> compute, sizes = np.arange(1.0, 31.0), (1e9, 4e9, 16e9)
    >>> rewards = [1 - unreached(compute, exponent(size, 0.15, 6e9), -0.1) for size in sizes]
    >>> curves = [Curve(compute=compute, reward=reward, unit="gpu-hours") for reward in rewards]
    >>> runs = [Run(name=f"{n:g}", recipe="r", curve=c, model_params=n) for n, c in zip(sizes, curves)]
    >>> law = size_law(runs, budget=20.0, compare=False)
    >>> round(law.K_max.q50, 2), law.budget.best
    (0.15, 16000000000.0)
    """
    left_out, options = lacked(runs), options or FitOptions()
    wanted = _above_zero(np.atleast_1d(np.asarray(predict, dtype=np.float64)), "predict", "the parameters of a model")
    if budget is not None:
        _above_zero(np.array([budget]), "budget", "a compute in the unit of the runs")
    grouped = sized(runs_of(runs, "size_law"), r_max)
    posterior = posterior_of(grouped)
    wanted = tuple(dict.fromkeys(_same_size(size, grouped) for size in wanted))
    new = [size for size in wanted if size not in grouped.model_params]
    scores = compared(grouped, options) if compare else ()
    believe = believed(scores)
    trust = trusted(grouped, posterior, believe)
    computes = (max(curve.compute_last for curve in grouped.curves),) if budget is None else (float(budget),)
    curve = grouped.curves[0]
    return SizeLaw(
        runs=grouped.runs, unit=curve.unit, metric=curve.metric, r_max=grouped.r_max,
        K_max=summary(posterior.K_max), N0=summary(posterior.N0), p_past_N0=p_past_N0(posterior),
        sigma=summary(posterior.sigma * grouped.r_max), rho=summary(posterior.rho),
        level_spread=summary(posterior.level_spread), slope_spread=summary(posterior.slope_spread),
        law_error=summary(posterior.law_error), verdict=on_law(grouped, posterior, trust.doubt),
        sizes=_rows(grouped, posterior, new),
        predictions=predictions(grouped, posterior, wanted, computes, Limits(options.tolerance, believe)),
        compare=tuple(score.summary for score in scores), believe=believe,
        budget=None if budget is None else best_size(grouped, posterior, new, float(budget), trust),
        widening=widening(posterior), letterings=LETTERINGS, submodel=SUBMODEL,
        compute_means=compute_means(curve.unit), reference=float(np.exp(posterior.reference)), posterior=posterior,
        missed=trust.missed, doubt=trust.doubt, refusal=trust.refusal, shaped=trust.shaped,
        notes=(*grouped.notes, *_far(posterior, new)), left_out=(*left_out, *grouped.left_out),
    )  # fmt: skip


def _above_zero(values: np.ndarray, parameter: str, what: str) -> tuple[float, ...]:
    for value in values:
        if not 0.0 < value < np.inf:
            raise InputError(f"--{parameter} {written(value)} is not above 0; give {what}", parameter=parameter)
    return tuple(float(value) for value in values)


def _same_size(size: float, grouped: SizedRuns) -> float:
    """Return the size with data that is meant, or the size itself.

    Raises
    ------
    InputError
        It is in another unit than the sizes with data.
    """
    near = min(grouped.model_params, key=lambda own: abs(np.log(own / size)))
    if abs(np.log(near / size)) < 0.01:
        return near
    if not 1e-5 < size / near < 1e5:
        raise InputError(
            f"--predict {written(size)} is in another unit than the sizes of the runs, "
            f"{written(grouped.model_params[0])} to {written(grouped.model_params[-1])}; write it as they are",
            parameter="predict",
        )
    return size


def _rows(grouped: SizedRuns, posterior: SizePosterior, new: Sequence[float]) -> tuple[SizeRow, ...]:
    rows = [_row(grouped, posterior, size) for size in grouped.model_params]
    for size in new:
        predicted = new_size(posterior, size)
        rows.append(SizeRow(model_params=size, k=summary(predicted.k), E=summary(predicted.E), in_sample=False))
    return tuple(sorted(rows, key=lambda row: row.model_params))


def _row(grouped: SizedRuns, posterior: SizePosterior, size: float) -> SizeRow:
    place, runs = posterior.place(size), [grouped.runs[at] for at in grouped.of(size)]
    gain = p_gain(grouped, posterior, size)
    against = () if gain >= 0.5 else (f"no evidence of a gain: P = {gain:.2f}; its exponent is mostly the law's",)
    return SizeRow(
        model_params=size, k=summary(posterior.k[:, place]), E=summary(posterior.E[:, place]), in_sample=True,
        runs=tuple(run.name for run in runs),
        first=min(float(run.curve.compute[run.curve.compute > 0.0][0]) for run in runs),
        last=max(run.curve.compute_last for run in runs),
        observed=float(np.mean([last_level(run.curve)[0] for run in runs])), verdicts=against,
    )  # fmt: skip


def _far(posterior: SizePosterior, new: Sequence[float]) -> list[str]:
    """Say which sizes asked for lie far from those with data."""
    away = [(size, steps_away(posterior.model_params, size)) for size in new]
    return [
        f"{written(size)} lies {steps:.1f} steps from the sizes seen: the sub-model of E(N) was measured up to "
        f"{FARTHEST:g} steps; read its interval as a guess"
        for size, steps in away
        if steps > FARTHEST
    ]
