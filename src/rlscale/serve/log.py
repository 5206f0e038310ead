"""What the log of the server says: a line a trouble, however often it is met."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

__all__ = ["Fresh"]

#: Seconds without a trouble after which it is news again, and troubles that are known at a time.
_QUIET, _KNOWN = 60.0, 200


class Fresh(logging.Filter):
    """Passes a message that was not logged for a minute: what lasts is met at every look, and said once."""

    def __init__(self) -> None:
        super().__init__()
        self._last: OrderedDict[str, float] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is news."""
        error = record.exc_info[1] if record.exc_info else None
        message, now = f"{record.getMessage()} {error!r}", time.monotonic()
        last = self._last.pop(message, None)
        self._last[message] = now
        while len(self._last) > _KNOWN:
            self._last.popitem(last=False)
        return last is None or now - last > _QUIET
