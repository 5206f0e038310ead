"""Monitors: pure functions from a run's series to alarms."""

from rlscale.health.alarm import SEVERITIES, Alarm, FalseAlarms, Health, NotMeasurable, RunHealth
from rlscale.health.channel import Channel
from rlscale.health.check import check_health, run_health
from rlscale.health.checkup import Checkup, Condition, checkup, condition
from rlscale.health.limits import Limits
from rlscale.health.monitor import Monitor
from rlscale.health.monitors import MONITORS, monitor

__all__ = [
    "MONITORS",
    "SEVERITIES",
    "Alarm",
    "Channel",
    "Checkup",
    "Condition",
    "FalseAlarms",
    "Health",
    "Limits",
    "Monitor",
    "NotMeasurable",
    "RunHealth",
    "check_health",
    "checkup",
    "condition",
    "monitor",
    "run_health",
]
