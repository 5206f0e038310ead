"""Texts as they are sent: encoded, packed and tagged once, however often they are asked for."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Content", "Contents", "answer"]

#: Below so many bytes packing saves nothing.
_SMALL = 1000


@dataclass(frozen=True)
class Content:
    """A text as it is sent.

    Parameters
    ----------
    body : bytes
    kind : str
        Its media type.
    status : int
    """

    body: bytes
    kind: str
    status: int = 200

    @cached_property
    def tag(self) -> str:
        """Tag of the content: the same for the same bytes."""
        return f'"{sha256(self.body).hexdigest()[:24]}"'

    @cached_property
    def packed(self) -> bytes:
        """The body, packed."""
        return gzip.compress(self.body, 5, mtime=0)


class Contents:
    """The contents that were asked for last.

    Parameters
    ----------
    most : int
        Bytes that are kept, packed ones not counted.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Hashable, Content] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, build: Callable[[], Content]) -> Content:
        """Return the content under a key, built where it is not there."""
        with self._lock:
            content = self._kept.get(key)
            if content is not None:
                self._kept.move_to_end(key)
                return content
        content = build()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = content
                self._bytes += len(content.body)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return content


def answer(request: Request, content: Content) -> Response:
    """Return the answer to a request: nothing but 304 where the client has the content, packed where it takes that."""
    headers = {"ETag": content.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if content.status == 200 and content.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = content.body
    if len(body) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"], body = "gzip", content.packed
    return Response(body, status_code=content.status, media_type=content.kind, headers=headers)
