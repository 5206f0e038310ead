"""The server: uvicorn, which lets slow clients go."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from rlscale.errors import InputError
from rlscale.serve.options import Limits, ServeOptions

__all__ = ["listen", "run", "server_of"]

#: Bytes of an answer that a client takes in the seconds it has, or all that are left.
_PART = 16384


def listen(options: ServeOptions) -> socket.socket:
    """Return a socket that listens at the address.

    Raises
    ------
    InputError
        The port is in use, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # asyncio turns delays off only where the protocol is stated
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host.strip("[]"), options.port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        why = error.strerror or str(error)
        raise InputError(
            f"cannot listen at {options.host}:{options.port}: {why}; give another --port (0 takes any that is free)"
        ) from error
    return listener


def server_of(app: Starlette, options: ServeOptions, ready: Callable[[], None] | None = None) -> uvicorn.Server:
    """Return the server of an application; ``run([listener])`` serves until it or the process is asked to end.

    Parameters
    ----------
    app : Starlette
    options : ServeOptions
    ready : callable, optional
        Called once requests are answered.
    """
    limits = options.limits
    config = uvicorn.Config(
        app,
        http=_patient_for(limits),
        ws="none",
        log_level="critical",  # errors of ours are logged where they are answered; those of clients are no news
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=limits.head,
        timeout_graceful_shutdown=1,
    )
    return _Server(config, ready)


def run(
    app: Starlette, options: ServeOptions, listener: socket.socket, ready: Callable[[], None] | None = None
) -> None:
    """Serve at a listener until the process is asked to end."""
    with suppress(KeyboardInterrupt), warnings.catch_warnings():  # uvicorn raises it again once all is closed
        warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that people type into addresses
        server_of(app, options, ready).run([listener])


class _Server(uvicorn.Server):
    """Ends streams as soon as it is asked to end: they would keep it waiting."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self._ready is not None and not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then the rest."""
        app: Any = self.config.app
        app.state.changes.close()
        await super().shutdown(sockets)


def _patient_for(limits: Limits) -> type[H11Protocol]:
    class Patient(H11Protocol):
        """Closes a connection whose request does not come whole, or whose answer is not taken, within some seconds."""

        _late: asyncio.TimerHandle | None = None
        _stuck: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.set_write_buffer_limits(0)  # so that each byte that is not taken is known of
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
                self._wait()
            else:
                self._came()

        def connection_lost(self, exc: Exception | None) -> None:
            self._came()
            self._stop_looking()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._watch()

        def resume_writing(self) -> None:
            self._stop_looking()
            super().resume_writing()

        def _wait(self) -> None:
            if self._late is None:
                self._late = self.loop.call_later(limits.seconds, self.transport.close)

        def _came(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _stop_looking(self) -> None:
            if self._stuck is not None:
                self._stuck.cancel()
                self._stuck = None

        def _watch(self) -> None:
            """Look some seconds from now whether the client took a part of what waits for it."""
            waiting = self.transport.get_write_buffer_size()

            def look() -> None:
                if self.transport.get_write_buffer_size() > waiting - _PART:
                    self.transport.abort()
                else:
                    self._watch()

            self._stuck = self.loop.call_later(limits.seconds, look)

    return Patient
