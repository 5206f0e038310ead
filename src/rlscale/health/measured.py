"""How often each monitor fires on healthy runs: written by ``python -m benchmarks.health --write``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rlscale.health.alarm import FalseAlarms

__all__ = ["FALSE_ALARMS"]

#: By monitor and severity: share of 1,000 simulated healthy runs; of the real healthy runs that log what it needs.
FALSE_ALARMS: Mapping[tuple[str, str], FalseAlarms] = MappingProxyType({})
