"""What commands that follow runs share: where alarms go, and how they end."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlscale.live.alarms import Sink

__all__ = ["alarm_sinks", "stopped_by", "to_end"]


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


def to_end(ended: threading.Event, seconds: float) -> bool:
    """Wait; return whether a watch is to end: it was asked to, or nobody reads what it prints any more."""
    return ended.wait(seconds) or _unread()


def _unread() -> bool:
    """Whether the reader of the standard output has gone: a watch without news would never write, and never know."""
    try:
        number = sys.stdout.fileno()
        poll = select.poll()
    except (AttributeError, OSError, ValueError):  # no file, or a system without poll
        return False
    poll.register(number, 0)  # a hang-up and an error are always reported
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
