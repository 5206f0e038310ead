"""How often each monitor fires on healthy runs: written by ``python -m benchmarks.health_page``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rlscale.health.alarm import FalseAlarms

__all__ = ["FALSE_ALARMS"]

#: By monitor and severity: share of 1,000 simulated healthy runs; of the real healthy runs that log what it needs.
FALSE_ALARMS: Mapping[tuple[str, str], FalseAlarms] = MappingProxyType(
    {
        ("truncation", "note"): FalseAlarms(0.238, 9, 12),
        ("truncation", "warn"): FalseAlarms(0.039, 3, 12),
        ("truncation", "stop"): FalseAlarms(0.000, 1, 12),
        ("entropy_collapse", "note"): FalseAlarms(0.042, 4, 27),
        ("entropy_collapse", "warn"): FalseAlarms(0.040, 0, 27),
        ("entropy_collapse", "stop"): FalseAlarms(0.002, 0, 27),
        ("entropy_explosion", "note"): FalseAlarms(0.039, 2, 27),
        ("entropy_explosion", "warn"): FalseAlarms(0.010, 0, 27),
        ("entropy_explosion", "stop"): FalseAlarms(0.000, 0, 27),
        ("kl_blowup", "note"): FalseAlarms(0.001, 1, 9),
        ("kl_blowup", "warn"): FalseAlarms(0.002, 1, 9),
        ("kl_blowup", "stop"): FalseAlarms(0.000, 0, 9),
        ("train_inference_mismatch", "note"): FalseAlarms(0.000, 0, 5),
        ("train_inference_mismatch", "warn"): FalseAlarms(0.000, 0, 5),
        ("train_inference_mismatch", "stop"): FalseAlarms(0.000, 0, 5),
        ("staleness", "note"): FalseAlarms(0.000, 0, 2),
        ("staleness", "warn"): FalseAlarms(0.000, 0, 2),
        ("staleness", "stop"): FalseAlarms(0.000, 0, 2),
        ("zero_variance", "note"): FalseAlarms(0.000, 5, 17),
        ("zero_variance", "warn"): FalseAlarms(0.028, 1, 17),
        ("zero_variance", "stop"): FalseAlarms(0.000, 0, 17),
        ("grad_norm", "note"): FalseAlarms(0.000, 0, 32),
        ("grad_norm", "warn"): FalseAlarms(0.012, 1, 32),
        ("grad_norm", "stop"): FalseAlarms(0.002, 0, 32),
        ("non_finite", "note"): FalseAlarms(0.027, 0, 36),
        ("non_finite", "warn"): FalseAlarms(0.000, 0, 36),
        ("non_finite", "stop"): FalseAlarms(0.000, 0, 36),
        ("length_drift", "note"): FalseAlarms(0.002, 1, 28),
        ("length_drift", "warn"): FalseAlarms(0.002, 0, 28),
        ("length_drift", "stop"): FalseAlarms(0.000, 0, 28),
        ("reward_hacking", "note"): FalseAlarms(0.000, 2, 8),
        ("reward_hacking", "warn"): FalseAlarms(0.006, 1, 8),
        ("reward_hacking", "stop"): FalseAlarms(0.000, 0, 8),
        ("data_reuse", "note"): FalseAlarms(0.000, 0, 0),
        ("data_reuse", "warn"): FalseAlarms(0.017, 0, 0),
        ("data_reuse", "stop"): FalseAlarms(0.000, 0, 0),
        ("reward_scale_change", "note"): FalseAlarms(0.000, 0, 36),
        ("reward_scale_change", "warn"): FalseAlarms(0.000, 0, 36),
        ("reward_scale_change", "stop"): FalseAlarms(0.000, 0, 36),
        ("validation_silence", "note"): FalseAlarms(0.000, 0, 7),
        ("validation_silence", "warn"): FalseAlarms(0.000, 0, 7),
        ("validation_silence", "stop"): FalseAlarms(0.000, 0, 7),
    }
)
