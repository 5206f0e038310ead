"""Alarms that people get: what a run shows now, sent once when it begins and once when it is over.

``signal`` is what an alarm is, ``present`` what runs show, ``stalled`` when they log nothing, ``state`` when something
is sent; ``command`` and ``webhook`` (imported where it is used) send it, ``announcer`` gives it to them, ``of_ledger``
and ``of_logs`` watch.
"""

from rlscale.live.alarms.address import TOKEN, WebhookAddress, webhook_address
from rlscale.live.alarms.announcer import Announcer
from rlscale.live.alarms.command import AlarmCommand
from rlscale.live.alarms.of_ledger import LedgerAlarms, alarm_events
from rlscale.live.alarms.of_logs import LogAlarms, LogLook
from rlscale.live.alarms.signal import ONSET, RECOVERY, AlarmEvent, Progress, Signal
from rlscale.live.alarms.sinks import Sink
from rlscale.live.alarms.state import AlarmState, advanced, restored

__all__ = [
    "ONSET",
    "RECOVERY",
    "TOKEN",
    "AlarmCommand",
    "AlarmEvent",
    "AlarmState",
    "Announcer",
    "LedgerAlarms",
    "LogAlarms",
    "LogLook",
    "Progress",
    "Signal",
    "Sink",
    "WebhookAddress",
    "advanced",
    "alarm_events",
    "restored",
    "webhook_address",
]
