"""Who may ask, how much a request may cost, and what a browser may do with the answer."""

from __future__ import annotations

import hmac
import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rlscale.serve.options import ServeOptions

__all__ = ["COOKIE", "Guard", "asking", "shown_token"]

#: Name of the cookie of a browser that has shown the token.
COOKIE = "rlscale"
#: Style attributes carry the colours of rows.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src-attr 'unsafe-inline'; "
    "style-src-elem 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers call the origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
#: Needs no token: the form that takes it, how it looks, and whether the server lives.
_OPEN = ("/login", "/healthz", "/static/")


class Guard:
    """Refuses requests that are not for this server or cost too much; puts the headers of safety on every answer.

    Parameters
    ----------
    app : ASGI application
    options : ServeOptions
    """

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app, self._options = app, options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = self._options.limits

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
                scope["app"].state.counts.add(message["status"])
            await send(message)

        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limits.body:
                raise _TooLargeError
            return message

        refused = self._refusal(Request(scope))
        try:
            await (refused or self._app)(scope, receiving, sending)
        except _TooLargeError:
            await _problem(scope, 413, f"a request may have {limits.body:,} bytes")(scope, receive, sending)
        except (
            ClientDisconnect
        ):  # it went away, or was let go, in the middle of its request: nobody waits for an answer
            pass

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that goes no further."""
        scope, headers, options = request.scope, request.headers, self._options
        if _head(scope) > options.limits.head:
            return _problem(scope, 431, f"the address and headers of a request may have {options.limits.head:,} bytes")
        host = _HOST.fullmatch(headers.get("host", ""))
        if host is None or (options.local and host["name"].lower() not in (*_LOCAL, options.name)):
            return _problem(scope, 421, "this server answers to its own name only; use the address that it printed")
        if not _same_origin(headers):
            return _problem(scope, 403, "the request comes from another site")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > options.limits.body:
            return _problem(scope, 413, f"a request may have {options.limits.body:,} bytes")
        if options.token is None or scope["path"].startswith(_OPEN) or shown_token(request, options):
            return None
        if scope["path"] == "/" and scope["method"] == "GET":
            return RedirectResponse(asking(request), 303)
        return _problem(scope, 401, "show the token: Authorization: Bearer TOKEN, or log in at /login")


class _TooLargeError(Exception):
    """A body that is larger than it may be."""


def shown_token(request: Request, options: ServeOptions) -> bool:
    """Whether a request shows the token, or the cookie of a browser that has shown it. Takes the same time for all."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    by_header = hmac.compare_digest(token.strip().encode(), (options.token or "").encode())
    by_cookie = hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), options.cookie.encode())
    return options.token is not None and ((scheme.lower() == "bearer" and by_header) or by_cookie)


def _head(scope: Scope) -> int:
    """Return how many bytes the first line and the headers of a request have; h11 limits those that come in parts."""
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + len(" ? HTTP/1.1\r\n\r\n")
    return line + sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])


def asking(request: Request) -> str:
    """Return the address of the form that takes the token; it leads back to the page that was asked for.

    It carries what follows the ``?`` alone, never a path or a host: it cannot lead to another site.
    """
    return f"/login?{request.url.query}" if request.url.query else "/login"


def _same_origin(headers: Headers) -> bool:
    """Whether a request that says where it comes from comes from a page of this server."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin") or (
            headers.get("sec-fetch-mode") == "navigate"
        )
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:
        return False


def _problem(scope: Scope, status: int, message: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"schema": 1, "error": message}, status_code=status)
    return PlainTextResponse(message + "\n", status_code=status)
