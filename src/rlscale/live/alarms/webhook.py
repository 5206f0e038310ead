"""Alarms to a web address: JSON in a POST, from a thread of its own, so that nothing waits for the network.

The standard library does it: one kind of request, whose answer is not read. An HTTP package would add connection pools
and retries that count attempts, where alarms need a queue that counts what it drops.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from rlscale import __version__
from rlscale.live.alarms.address import WebhookAddress
from rlscale.live.alarms.signal import AlarmEvent

__all__ = ["Webhook", "payload"]

#: Alarms that may wait.
ROOM = 256
#: Seconds before each further attempt.
DELAYS = (1.0, 5.0, 30.0, 120.0, 300.0)
#: Answers after which it is worth trying again, beside those from 500 on.
_LATER = (408, 425, 429)
#: Longest wait that an answer may ask for, in seconds.
_LONGEST = 300.0


class _Refused(Exception):
    """An alarm was not taken.

    Parameters
    ----------
    why : str
    again : bool
        Whether it is worth trying again.
    after : float
        Seconds that the server asks to be left alone for.
    """

    def __init__(self, why: str, *, again: bool, after: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.again, self.after = why, again, after


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: the alarm, and the token, are for the address that was given."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Webhook:
    """Posts alarms, one after the other in their order.

    Parameters
    ----------
    address : WebhookAddress
    timeout : float
        Seconds that connecting, and each silence of the server, may take.
    delays : sequence of float
        Seconds before each further attempt; after the last one an alarm is given up.
    room : int
        Alarms that may wait; what comes beyond is dropped, and counted.
    """

    name, awaited = "webhook", False

    def __init__(
        self,
        address: WebhookAddress,
        *,
        timeout: float = 10.0,
        delays: Sequence[float] = DELAYS,
        room: int = ROOM,
    ) -> None:
        self._address, self._timeout, self._delays, self._room = address, timeout, tuple(delays), room
        self._opener = build_opener(_Stay())
        self._change = threading.Condition()
        self._waiting: deque[AlarmEvent] = deque()
        self._under_way = False
        self._deadline: float | None = None  # set when it is to end
        self._why, self._dropped, self._lost, self.sent = "", 0, 0, 0
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether an alarm waits or is being sent."""
        with self._change:
            return bool(self._waiting) or self._under_way

    def send(self, event: AlarmEvent) -> None:
        """Queue an alarm."""
        with self._change:
            if len(self._waiting) >= self._room:
                self._dropped += 1
                return
            self._waiting.append(event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="rlscale-webhook", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def trouble(self) -> str:
        """Return what is wrong now, or nothing; counts as the power of two below, so that few texts differ."""
        return self._told(lambda count: 1 << (count.bit_length() - 1))

    def _told(self, shown: Callable[[int], int]) -> str:
        with self._change:
            counts = (("not sent", self._lost), ("dropped: too many waited", self._dropped))
            wrong = [self._why, *(f"{_alarms(count, shown(count))} {what}" for what, count in counts if count)]
        told = "; ".join(filter(None, wrong))
        return f"{self._address.host}: {told}" if told else ""

    def close(self, patience: float) -> str:
        """Send what waits for so many seconds at most, and end; return what is wrong, or nothing."""
        with self._change:
            first, self._deadline = self._deadline is None, time.monotonic() + patience
            self._change.notify_all()
        if self._thread is not None and first:
            self._thread.join(patience + 0.5)
        with self._change:
            self._lost += len(self._waiting) + self._under_way
            self._waiting.clear()
            self._under_way = False
        return self._told(lambda count: count)

    def _work(self) -> None:
        while (event := self._next()) is not None:
            done = self._delivered(event)
            with self._change:
                if not self._under_way:  # given up while it was being sent
                    return
                self._under_way = False
                if done:
                    self.sent, self._why = self.sent + 1, ""
                else:
                    self._lost += 1

    def _next(self) -> AlarmEvent | None:
        """Return the next alarm, waiting for it; None where all is sent and it is to end, or there is no time left."""
        with self._change:
            while not self._waiting and self._deadline is None:
                self._change.wait()
            if not self._waiting or self._ended():
                return None
            self._under_way = True
            return self._waiting.popleft()

    def _delivered(self, event: AlarmEvent) -> bool:
        """Post an alarm until it is taken or given up; say whether it was taken."""
        body = json.dumps(payload(event), allow_nan=False).encode()
        for delay in (*self._delays, None):
            try:
                self._post(body)
            except _Refused as refused:
                again = refused.again and delay is not None
                with self._change:
                    self._why = f"{refused.why}{'; it is tried again' if again else ''}"
                if not again or delay is None or not self._waited(max(delay, refused.after)):
                    return False
            else:
                return True
        return False

    def _waited(self, seconds: float) -> bool:
        """Wait before the next attempt; say whether there is time for one."""
        until = time.monotonic() + seconds
        with self._change:
            while (left := until - time.monotonic()) > 0.0:
                if self._deadline is not None and self._deadline < until:
                    return False
                self._change.wait(left)
            return not self._ended()

    def _ended(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": f"rlscale/{__version__}"}
        if self._address.token is not None:
            headers["Authorization"] = f"Bearer {self._address.token}"
        request = Request(self._address.url, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout):
                pass  # what it answers, however long, is not read
        except HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (URLError, HTTPException, OSError) as error:  # no text of these quotes the address
            reason = error.reason if isinstance(error, URLError) else error
            why = "no answer in time" if isinstance(reason, TimeoutError) else _plain(reason)
            raise _Refused(why, again=True) from None


def _refusal(error: HTTPError) -> _Refused:
    code = error.code
    if 300 <= code < 400:
        return _Refused(f"HTTP {code}: it leads elsewhere, which is not followed; give the address itself", again=False)
    if code in _LATER or code >= 500:
        asked = error.headers.get("Retry-After", "") if error.headers else ""
        after = min(float(asked), _LONGEST) if asked.isascii() and asked.isdigit() else 0.0
        return _Refused(f"HTTP {code}", again=True, after=after)
    return _Refused(f"HTTP {code}: it takes no such alarm; check the address and the token", again=False)


def _plain(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__ if isinstance(reason, BaseException) else str(reason)


def _alarms(count: int, shown: int) -> str:
    least = "" if shown == count else "at least "
    return f"{least}{shown:,} alarm{'s were' if count > 1 else ' was'}"


def payload(event: AlarmEvent) -> dict[str, Any]:
    """Return what is posted: the alarm, and beside it ``text``, which Slack and its likes show.

    The three characters that mean something there are escaped, so that no name of a run calls a whole channel.
    """
    text = event.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text, **event.document()}
