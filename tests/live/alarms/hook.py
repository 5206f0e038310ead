"""A web server on loopback that takes alarms, and behaves as it is asked to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = Callable[[BaseHTTPRequestHandler], None]


class Hook:
    """Runs within its ``with``.

    Parameters
    ----------
    answers : callables
        To one request after the other; to all further ones the last. By default ``ok``.
    """

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers) or [ok]
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.accepted: list[dict[str, Any]] = []
        self.release = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.requests.append((self.path, dict(self.headers), body))
                answer = hook._answers.pop(0) if len(hook._answers) > 1 else hook._answers[0]
                if answer in (ok, huge):
                    hook.accepted.append(body)
                answer(self)

            do_GET = do_POST  # whoever follows a redirect asks so

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.hook = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Its address, with a secret in path and query."""
        return f"http://127.0.0.1:{self.port}/services/s3cret-path?key=s3cret-key"

    def events(self, kind: str | None = None) -> list[tuple[str, str, str]]:
        """Return event, run and kind of what was accepted."""
        found = [(one["event"], one["run"], one["kind"]) for one in self.accepted]
        return [one for one in found if kind in (None, one[2])]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def ok(request: BaseHTTPRequestHandler) -> None:
    answer(200, b"ok")(request)


def huge(request: BaseHTTPRequestHandler) -> None:
    """Take it, and answer with more than anybody would read."""
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(10_000):
            request.wfile.write(b"x" * 100_000)
    except OSError:
        pass  # whoever asked does not read it


def hang(request: BaseHTTPRequestHandler) -> None:
    """Answer nothing until the test is over."""
    request.server.hook.release.wait()  # type: ignore[attr-defined]


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    request.close_connection = True
    request.connection.close()


def nonsense(request: BaseHTTPRequestHandler) -> None:
    """Answer what is no HTTP."""
    request.wfile.write(b"\x00\x01 what?\r\n\r\n")


def answer(code: int, body: bytes = b"", **headers: str) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return send
