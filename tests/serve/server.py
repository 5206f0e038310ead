"""A real server on loopback, in a thread, and a plain client of it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from rlscale.serve import Board, ServeOptions, create_app
from rlscale.serve.server import listen, server_of

__all__ = ["Answer", "Served", "serving"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Served:
    port: int
    app: object
    server: uvicorn.Server

    def tasks(self) -> int:
        """Requests that are being answered."""
        return len(self.server.server_state.tasks)

    def connections(self) -> int:
        return len(self.server.server_state.connections)

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(board: Board, options: ServeOptions | None = None) -> Iterator[Served]:
    options = options or ServeOptions(port=0, interval=0.05)
    ready = threading.Event()
    app = create_app(board, options)
    with listen(options) as listener:
        server = server_of(app, options, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(60)
            yield Served(listener.getsockname()[1], app, server)
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
