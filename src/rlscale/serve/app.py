"""The application: its routes, what guards them, and the thread that reads what is new."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rlscale.errors import RlscaleError, hidden
from rlscale.serve import actions, api, events, pages
from rlscale.serve.assets import STATIC, plotly_script, style
from rlscale.serve.board import Board
from rlscale.serve.content import Contents
from rlscale.serve.events import Changes
from rlscale.serve.guard import Guard
from rlscale.serve.log import Fresh
from rlscale.serve.login import enter, form
from rlscale.serve.metrics import Counts, metrics
from rlscale.serve.options import ServeOptions

__all__ = ["create_app"]

_LOG = logging.getLogger("rlscale")


def create_app(board: Board, options: ServeOptions | None = None) -> Starlette:
    """Return the application that shows a board.

    Parameters
    ----------
    board : Board
    options : ServeOptions, optional
    """
    options = options or ServeOptions()
    app = Starlette(
        routes=[
            Route("/", pages.page),
            Route("/api/{view}", api.document),
            Route("/events", events.stream),
            Route("/metrics", metrics),
            Route("/login", form),
            Route("/login", enter, methods=["POST"]),
            Route("/actions", actions.act, methods=["POST"]),
            Route("/healthz", api.alive),
            Route("/static/plotly.min.js", plotly_script),
            Route("/static/style.css", style),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, options=options)],
        exception_handlers=pages.HANDLERS,
        lifespan=_following,
    )
    app.router.redirect_slashes = False
    app.state.board, app.state.options = board, options
    app.state.changes, app.state.contents, app.state.counts = Changes(), Contents(), Counts()
    return app


@asynccontextmanager
async def _following(app: Starlette) -> AsyncIterator[None]:
    """Read what is new as long as the application runs."""
    task = asyncio.create_task(_follow(app))
    fresh = Fresh()
    _LOG.addFilter(fresh)
    try:
        yield
    finally:
        task.cancel()
        app.state.changes.close()
        _LOG.removeFilter(fresh)


async def _follow(app: Starlette) -> None:
    board: Board = app.state.board
    while True:
        await asyncio.sleep(app.state.options.interval)
        try:
            if await asyncio.to_thread(board.refresh):
                app.state.changes.put(board.version)
        except RlscaleError as error:  # a source that fails is looked at again
            _LOG.warning("%s", hidden(error.on_command_line))
