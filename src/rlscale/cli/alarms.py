"""What commands that follow runs share: where alarms go, and how they end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlscale.live.alarms import Sink

__all__ = ["alarm_sinks", "stopped_by"]


def alarm_sinks(given: dict[str, Any]) -> tuple[Sink, ...]:
    """Return where ``--on-alarm`` and ``--webhook`` send alarms.

    Raises
    ------
    InputError
        A program that is not there, or an address that is none.
    """
    from rlscale.live import Courier, check_program, command_of
    from rlscale.live.alarms import TOKEN, AlarmCommand, webhook_address

    sinks: list[Sink] = []
    if given["on_alarm"] is not None:
        command = command_of(given["on_alarm"], "--on-alarm")
        check_program(command, "--on-alarm")
        sinks.append(AlarmCommand(Courier(command, given["timeout"])))
    if given["webhook"] is not None:
        from rlscale.live.alarms.webhook import Webhook

        sinks.append(Webhook(webhook_address(given["webhook"], os.environ.get(TOKEN))))
    return tuple(sinks)


@contextmanager
def stopped_by(ended: threading.Event) -> Iterator[None]:
    """End after the pass under way when the process is asked to."""
    kept = {one: signal.signal(one, lambda *_: ended.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
