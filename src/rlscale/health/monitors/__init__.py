"""The monitors, one file each, in the order of the table."""

from __future__ import annotations

from rlscale.health.monitor import Monitor
from rlscale.health.monitors.data_reuse import DATA_REUSE
from rlscale.health.monitors.entropy_collapse import ENTROPY_COLLAPSE
from rlscale.health.monitors.entropy_explosion import ENTROPY_EXPLOSION
from rlscale.health.monitors.grad_norm import GRAD_NORM
from rlscale.health.monitors.kl_blowup import KL_BLOWUP
from rlscale.health.monitors.length_drift import LENGTH_DRIFT
from rlscale.health.monitors.non_finite import NON_FINITE_VALUES
from rlscale.health.monitors.reward_hacking import REWARD_HACKING
from rlscale.health.monitors.reward_scale_change import REWARD_SCALE_CHANGE
from rlscale.health.monitors.staleness import STALENESS
from rlscale.health.monitors.stalled import STALLED, stalled_at
from rlscale.health.monitors.train_inference_mismatch import TRAIN_INFERENCE_MISMATCH
from rlscale.health.monitors.truncation import TRUNCATION
from rlscale.health.monitors.validation_silence import VALIDATION_SILENCE
from rlscale.health.monitors.zero_variance import ZERO_VARIANCE

__all__ = ["MONITORS", "STALLED", "monitor", "stalled_at"]

#: In the order of the contract and of the table.
MONITORS: tuple[Monitor, ...] = (
    TRUNCATION,
    ENTROPY_COLLAPSE,
    ENTROPY_EXPLOSION,
    KL_BLOWUP,
    TRAIN_INFERENCE_MISMATCH,
    STALENESS,
    ZERO_VARIANCE,
    GRAD_NORM,
    NON_FINITE_VALUES,
    LENGTH_DRIFT,
    REWARD_HACKING,
    DATA_REUSE,
    REWARD_SCALE_CHANGE,
    VALIDATION_SILENCE,
    STALLED,
)


def monitor(name: str) -> Monitor:
    """Return a monitor by its name."""
    return next(each for each in MONITORS if each.name == name)
