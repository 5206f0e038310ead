"""Two rewards of one run at the same rows: what is trained at the evaluations of what is meant."""

from __future__ import annotations

import numpy as np

from rlscale.health.channel import Channel

__all__ = ["between"]


def between(reward: Channel, truth: Channel) -> Channel:
    """Return the train reward at the rows of the truth: its median over the rows since the one before.

    Both then lag alike, however seldom the truth is measured.
    """
    ends = np.searchsorted(reward.step, truth.step, side="right")
    starts = np.r_[0, ends[:-1]]
    rows = [k for k in range(ends.size) if ends[k] > starts[k]]
    value = np.array([np.median(reward.value[starts[k] : ends[k]]) for k in rows])
    none = np.empty(0)
    return Channel(reward.name, reward.key, reward.unit, truth.step[rows], truth.compute[rows], value, none, none)
