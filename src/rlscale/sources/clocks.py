"""Clocks: which seconds of a run count as compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.sources.repair import Replaced
from rlscale.sources.stopwatch import Wall
from rlscale.sources.totals import total_of_steps, value_at

__all__ = ["CLOCKS", "Clock", "clocks_of", "timers"]

Floats = NDArray[np.float64]

#: The clocks, in order of preference where none is asked for: what the run cost by its own timers; the same without
#: validation and checkpoints; everything, with what a restart threw away.
CLOCKS = ("train+eval", "elapsed", "train")


_LEAST_ELAPSED = 0.5


@dataclass(frozen=True, eq=False)
class Clock:
    """Cumulative seconds against the trainer's step; what they count, in a sentence; whether rows' times tell it."""

    seconds: Series
    says: str
    by_times: bool = False


def timers(
    series: Mapping[str, Series], per_step: Sequence[str], evaluation: Sequence[str] = (), *, inside: bool = False
) -> dict[str, Clock]:
    """Return the clocks of a trainer that logs the seconds of each step.

    ``train(s) = sum_i x_i (s_i - s_(i-1))`` over the rows up to ``s``; validation at ``s_j > 0`` adds (or, where the
    step's timer holds it, ``train`` takes away) ``e_j``.

    Parameters
    ----------
    series : mapping of str to Series
        The run.
    per_step, evaluation : sequence of str
        Keys of the two timers, in seconds; the first that is logged is used.
    inside : bool
        Whether the step's timer runs on through a validation.
    """
    timed = _first(series, per_step)
    if timed is None:
        return {}
    key, seconds = timed
    train, _ = total_of_steps(seconds.step, seconds.value)
    found = _first(series, evaluation)
    what = f"gpu-hours count {key}{_before(seconds.step)}"
    if found is None:
        return {"train+eval": Clock(train, what), "train": Clock(train, what)}
    other, spent = found
    steps = np.union1d(train.step, spent.step)
    total = value_at(train, steps)
    extra = np.concatenate([[0.0], np.cumsum(spent.value)])[np.searchsorted(spent.step, steps, side="right")]
    less_it = np.maximum.accumulate(np.maximum(total - extra, 0.0))
    with_it, without = (total, less_it) if inside else (total + extra, total)
    how = "with validation inside it" if inside else f"and {other}"
    less = f"{what} less {other}" if inside else what
    return {"train+eval": Clock(Series(steps, with_it), f"{what} {how}"), "train": Clock(Series(steps, without), less)}


def _before(step: Floats) -> str:
    """Say that a log starts late: the steps before it are taken to be as long as its first."""
    if step.size < 2 or step[0] <= 2 * float(np.max(np.diff(step))):
        return ""
    return f" (the log starts at step {step[0]:g}: the time before it is taken from its first row)"


def _first(series: Mapping[str, Series], keys: Sequence[str]) -> tuple[str, Series] | None:
    for key in keys:
        one = series.get(key)
        if one is not None:
            keep = np.isfinite(one.value) & (one.step > 0)
            if keep.any():
                return key, Series(one.step[keep], one.value[keep])
    return None


def clocks_of(
    timed: Mapping[str, Clock], wall: Wall | None, replaced: Sequence[tuple[Replaced, float]]
) -> dict[str, Clock]:
    """Return the clocks of a run, ``elapsed`` among them where anything tells.

    By the rows' own times where they have some; else the timers, with the seconds of what resumes threw away.

    Parameters
    ----------
    timed : mapping of str to Clock
        By the trainer's timers.
    wall : Wall, optional
        By the rows' own times.
    replaced : sequence of (Replaced, float)
        What each resume threw away, and its seconds by the timers.
    """
    clocks = {
        name: one for name, one in timed.items() if one.seconds.step.size and np.isfinite(one.seconds.value).all()
    }
    # rows written much faster than their steps took (a log copied into a tracker) do not tell the time
    told = wall is not None and not (
        "train" in clocks and wall.seconds.value[-1] < _LEAST_ELAPSED * clocks["train"].seconds.value[-1]
    )
    if wall is not None and told:
        clocks["elapsed"] = Clock(wall.seconds, wall.says, by_times=True)
    elif "train+eval" in clocks:
        base = clocks["train+eval"]
        seconds = base.seconds.value.copy()
        for old, lost in replaced:
            seconds[base.seconds.step >= old.step] += lost
        said = f", and {sum(lost for _, lost in replaced) / 3600:.3g} h that restarts threw away" if replaced else ""
        says = f"{base.says}{said}; start-up and idle time are not in the log"
        clocks["elapsed"] = Clock(Series(base.seconds.step, seconds), says)
    return clocks
