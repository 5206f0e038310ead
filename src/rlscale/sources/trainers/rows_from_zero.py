"""Trainers that count their rows from 0: whether they do, and the series against updates done."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rlscale.curves import Series
from rlscale.sources.keys import is_evaluation
from rlscale.sources.stopwatch import Wall

__all__ = ["BASELINE", "FROM_ZERO", "counts_from_zero", "one_step_on", "shifted"]

FROM_ZERO = ("steps count from 0: the train batch of row k is placed at step k + 1",)
BASELINE = ("step 0 is read as the baseline: the rows look like evaluations, not like every train batch",)


def counts_from_zero(series: Mapping[str, Series], train: tuple[str, ...], batches: bool) -> bool:
    """Whether row 0 holds a train batch: one of rows 0, 1, 2, ... of what a trainer logs, and no evaluation.

    Parameters
    ----------
    series : mapping of str to Series
        The run.
    train : tuple of str
        Its train rewards.
    batches : bool
        Whether something that only trainers log stands beside the reward.
    """
    rows = [series[key].step for key in train] or [one.step for key, one in series.items() if not is_evaluation(key)]
    if not (batches and rows):
        return False
    steps = np.unique(np.concatenate(rows))
    if not steps.size or steps[0] != 0.0:
        return False
    if not train:
        steps = np.unique(np.concatenate([one.step for one in series.values()]))
    return steps.size < 2 or float(np.median(np.diff(steps))) == 1.0


def shifted(series: Mapping[str, Series]) -> dict[str, Series]:
    """Return the series of rows counted from 0 against updates done: train values one step on."""
    return {key: one if is_evaluation(key) else Series(one.step + 1, one.value) for key, one in series.items()}


def one_step_on(wall: Wall | None) -> Wall | None:
    """Return the clock of rows counted from 0 against updates done: row ``k`` was written after update ``k + 1``.

    The time of the first update, which lies before the first row, is taken from the median of the others.
    """
    if wall is None or not wall.seconds.step.size or wall.seconds.step[0] != 0.0:
        return wall
    step, value = wall.seconds.step, wall.seconds.value
    first = float(np.median(np.diff(value) / np.diff(step))) if step.size > 1 else 0.0
    return Wall(Series(step + 1, value + first), wall.says)
