"""Server-sent events: that there is something new, never what; pages then ask for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

__all__ = ["Changes", "stream"]

#: Seconds of silence after which a comment is sent: proxies and clients see that the stream lives.
_BEAT = 15.0


class Changes:
    """The latest version, for any number of streams that wait for the next."""

    def __init__(self) -> None:
        self.version, self.closed = 0, False
        self.streams = 0  # that are open
        self._changed = asyncio.Event()

    def put(self, version: int) -> None:
        """Note a version, and wake all that wait."""
        self.version = version
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """End all streams."""
        self.closed = True
        self._changed.set()

    async def after(self, version: int, seconds: float) -> int:
        """Return the latest version once it is another than this one, or after so many seconds."""
        if self.version == version and not self.closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        return self.version


async def stream(request: Request) -> Response:
    """Answer with a stream: one event for what is there now, then one a change."""
    changes: Changes = request.app.state.changes
    version: int = request.app.state.board.version
    if changes.streams >= request.app.state.options.limits.streams:
        headers = {"Retry-After": "30"}
        return PlainTextResponse("too many streams are open; the page asks again later\n", 503, headers)

    async def lines() -> AsyncIterator[str]:
        changes.streams += 1
        try:
            yield _event(version)
            last = changes.version = max(changes.version, version)
            while not changes.closed:
                now = await changes.after(last, _BEAT)
                yield _event(now) if now != last else ": beat\n\n"
                last = now
        finally:
            changes.streams -= 1

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _event(version: int) -> str:
    return f"id: {version}\nevent: version\ndata: {version}\n\n"
