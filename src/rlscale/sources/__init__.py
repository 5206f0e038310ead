"""Logs to runs: one file a format, the metric and compute choices, the repairs, and the bundled real runs."""

from rlscale.sources.collect import Reading, bundled, collect, read
from rlscale.sources.log import Log, ReadOptions

__all__ = ["Log", "ReadOptions", "Reading", "bundled", "collect", "read"]
