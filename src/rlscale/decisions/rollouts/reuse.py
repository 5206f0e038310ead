"""Data reuse: how often each prompt is used, what was published about it, and what the user's own logs show.

Tan et al. (arXiv 2509.25300, section 3.4) hold the samples used fixed and repeat fewer unique ones ``tau`` times: no
significant loss up to 25, a mild one at 50, overfitting at 100; one 7B model, mathematics, about 100 updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rlscale.curves import Run, Series
from rlscale.decisions.rollouts.training import train_series
from rlscale.errors import InputError
from rlscale.inference.forecast import Interval

__all__ = ["LIMITS", "MILD", "OVERFIT", "SAFE", "DataReuse", "RunReuse", "data_reuse", "gap_growth"]

Floats = NDArray[np.float64]
Published = Literal["safe", "not measured", "mild loss", "overfit"]

#: Published: no significant loss up to, a mild one at, overfitting at so many uses of each prompt.
SAFE, MILD, OVERFIT = 25.0, 50.0, 100.0
LIMITS = (
    "the published range is of one 7B model on mathematics, about 100 updates, with the samples used held fixed "
    "(arXiv 2509.25300, 3.4)",
    "with 500 prompts in place of 6,000 the best number of rollouts fell from 512 to 256 (arXiv 2603.12151)",
)
#: The gap is called widening from this probability on, and where it grew by more than this share of the range.
WIDENING, GREW = 0.9, 0.02
#: Fewest evaluations with a training reward before them that tell how the gap grows.
_FEWEST = 6
#: Rewards this many times apart are on different scales.
_PERCENT = 30.0
#: Half of the central 80 % of a normal, in standard deviations.
_HALF = 1.2815515655446004


@dataclass(frozen=True)
class RunReuse:
    """Data reuse of one run.

    Parameters
    ----------
    run : str
    passes : float, optional
        Uses of each prompt up to the last evaluation; None where unknown.
    published : str, optional
        Where that lies in the published range.
    gap_growth : Interval, optional
        Growth of training less validation reward from the first to the last third of the run, 80 %; None where not
        both are logged often enough. Only the growth means anything: the two are graded on different prompts, and
        the training reward may hold more terms.
    p_widening : float, optional
        Probability that it grew.
    widening : bool
        Probable, and more than a fiftieth of the range: a sign of overfitting.
    """

    run: str
    passes: float | None
    published: Published | None
    gap_growth: Interval | None
    p_widening: float | None
    widening: bool


@dataclass(frozen=True)
class DataReuse:
    """Data reuse of all runs.

    Parameters
    ----------
    runs : tuple of RunReuse
    passes : float, optional
        The most of any run.
    safe, mild, overfit : float
        The published limits, in uses of each prompt.
    planned : float, optional
        Uses of each prompt by the allocated budget; None where the number of prompts is not given.
    published : str, optional
        Where the planned uses, or else the most of any run, lie in the published range.
    widening : tuple of str
        Runs whose gap widens.
    notes : tuple of str
        What the published range covers, and what the logs say beside it.
    """

    runs: tuple[RunReuse, ...]
    passes: float | None
    safe: float
    mild: float
    overfit: float
    planned: float | None
    published: Published | None
    widening: tuple[str, ...]
    notes: tuple[str, ...]


def data_reuse(runs: Sequence[Run], *, planned: float | None = None) -> DataReuse | None:
    """Return how often prompts are reused and what the logs show; None where nothing of it is known.

    Parameters
    ----------
    runs : sequence of Run
        Passes over the data are their series ``epoch``.
    planned : float, optional
        Uses of each prompt that are planned, above 0.

    Raises
    ------
    InputError
        ``planned`` is not above 0.
    """
    if planned is not None and not 0.0 < planned < np.inf:
        raise InputError(f"planned = {planned:g} is no number of passes; give one above 0", parameter="planned")
    each = tuple(_of_run(run) for run in runs)
    each = tuple(row for row in each if row.passes is not None or row.gap_growth is not None)
    if not each and planned is None:
        return None
    passes = max((row.passes for row in each if row.passes is not None), default=None)
    uses = planned if planned is not None else passes
    widening = tuple(row.run for row in each if row.widening)
    return DataReuse(
        runs=each,
        passes=passes,
        safe=SAFE,
        mild=MILD,
        overfit=OVERFIT,
        planned=planned,
        published=None if uses is None else published(uses),
        widening=widening,
        notes=(*_beside(each, widening), *LIMITS),
    )


def published(passes: float) -> Published:
    """Return where so many uses of each prompt lie in the published range.

    Examples
    --------
    >>> [published(passes) for passes in (3, 30, 60, 100)]
    ['safe', 'not measured', 'mild loss', 'overfit']
    """
    if passes <= SAFE:
        return "safe"
    if passes < MILD:
        return "not measured"
    return "mild loss" if passes < OVERFIT else "overfit"


def gap_growth(run: Run) -> tuple[float, float] | None:
    """Return by how much training less validation reward grew from the first to the last third of a run, and its sd.

    The training reward at an evaluation is the mean since the one before; the sd takes the gap within each third as
    AR(1) noise around a parabola. None where not both are logged, too few, or one is in percent
    and the other is not.
    """
    series = train_series(run)
    if series is None:
        return None
    if _other_scale(run, series):
        return None
    gap = _gaps(run, series)
    third = gap.size // 3
    if gap.size < _FEWEST:
        return None
    early, late = gap[:third], gap[-third:]
    residual = gap - np.polyval(np.polyfit(np.arange(gap.size), gap, 2), np.arange(gap.size))
    variance = float(residual @ residual) / (gap.size - 3)
    lag = float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300)
    rho = float(np.clip(lag + 1.0 / gap.size, 0.0, 0.9))
    inflation = (1.0 + rho) / (1.0 - rho)
    return float(late.mean() - early.mean()), float(np.sqrt(2.0 * variance / third * inflation))


def _other_scale(run: Run, series: Series) -> bool:
    """Whether one reward is in percent and the other is a share."""
    largest = float(np.abs(series.value).max()), float(np.abs(run.curve.reward).max())
    return min(largest) > 0.0 and max(largest) > _PERCENT * min(largest)


def _gaps(run: Run, series: Series) -> Floats:
    gaps, before = [], 0.0
    for compute, reward in zip(run.curve.compute, run.curve.reward, strict=True):
        inside = series.value[(series.step > before) & (series.step <= compute)]
        if inside.size:
            gaps.append(float(inside.mean()) - float(reward))
            before = float(compute)
    return np.array(gaps)


def _of_run(run: Run) -> RunReuse:
    passes = _passes(run)
    growth = gap_growth(run)
    place = None if passes is None else published(passes)
    if growth is None:
        return RunReuse(run.name, passes, place, None, None, False)
    mean, sd = growth
    p = float(ndtr(mean / max(sd, 1e-12)))
    return RunReuse(
        run=run.name,
        passes=passes,
        published=place,
        gap_growth=Interval(mean - _HALF * sd, mean, mean + _HALF * sd),
        p_widening=p,
        widening=p >= WIDENING and mean > GREW * run.curve.range,
    )


def _passes(run: Run) -> float | None:
    for key, series in run.series.items():
        if key.rpartition("/")[2].lower() in ("epoch", "epochs", "passes"):
            known = series.value[np.isfinite(series.value)]
            if known.size and known.max() > 0.0:
                return float(known.max())
    return None


def _beside(each: Sequence[RunReuse], widening: Sequence[str]) -> list[str]:
    checked = [row for row in each if row.gap_growth is not None]
    if not checked:
        return ["not checked against your own runs: they do not log both training and validation reward often enough"]
    if widening:
        listed = ", ".join(widening[:3]) + (f" and {len(widening) - 3} more" if len(widening) > 3 else "")
        return [f"training less validation reward widens in {len(widening)} of {len(checked)} runs ({listed})"]
    return [f"training less validation reward widens in none of {len(checked)} runs"]
