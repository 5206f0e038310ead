"""The page: an answer in its frame, and what is shown where there is none."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rlscale.errors import InputError, RlscaleError, hidden
from rlscale.numerals import quantity
from rlscale.render.html import fragments, lead
from rlscale.render.json import dumps
from rlscale.render.plotly import figures
from rlscale.serve.actions import offered
from rlscale.serve.board import Board, Page
from rlscale.serve.content import Content, Contents, answer
from rlscale.serve.frame import filled
from rlscale.serve.names import links_of
from rlscale.serve.parts import pager, slider, tiles
from rlscale.serve.query import VIEWS, NothingYetError, Query, UnknownError
from rlscale.serve.words import page_words

__all__ = ["HANDLERS", "page"]

_LOG = logging.getLogger("rlscale")


async def page(request: Request) -> Response:
    """Answer with a page; with ``part=figures`` with the figures of its drawings, for who points at them."""
    board: Board = request.app.state.board
    contents: Contents = request.app.state.contents
    query, wrong = Query.read(request.query_params.multi_items())
    part = request.query_params.get("part", "")
    acting = request.app.state.options.actions and board.ledger is not None

    def build() -> Content:
        try:
            shown = board.page(query)
        except UnknownError:
            raise
        except InputError as error:
            return _content(query, board, None, error=wrong or error)
        if wrong is not None:
            return _content(query, board, shown, error=wrong, acting=acting)
        if part == "figures":
            return contents.get((part, query.heeded, shown.version), lambda: _figures(shown))
        return contents.get(
            (query, shown.version, board.troubles), lambda: _content(query, board, shown, acting=acting)
        )

    return answer(request, await asyncio.to_thread(build))


def _content(
    query: Query, board: Board, page: Page | None, *, error: InputError | None = None, acting: bool = False
) -> Content:
    links = links_of(board.recipes, query)
    text = filled(
        "page.html.j2",
        query=query,
        links=links,
        views=VIEWS,
        page=page,
        parts=() if page is None else fragments(page.answer, links),
        lead=() if page is None else lead(page.answer),
        slider=None if page is None else slider(page.answer, query),
        tiles=() if page is None else tiles(page.answer, query),
        pager=None if page is None else pager(page.answer, query),
        troubles=board.troubles,
        at=_at(page),
        actions=None if not acting or page is None or query.view != "run" else offered(board, page),
        error="" if error is None else page_words(hidden(error.on_command_line)),
    )
    # a question that is wrong is answered without what is wrong in it, and says so
    return Content(text.encode(), "text/html; charset=utf-8", 200 if error is None or page is None else 400)


def _at(page: Page | None) -> str:
    """Return the compute at which the overview compares, to stand in its empty field."""
    at = None if page is None or page.query.view != "overview" else page.answer.document.get("at")
    return "a compute" if at is None else "inf" if isinstance(at, str) else quantity(float(at))


def _figures(page: Page) -> Content:
    return Content(dumps(figures(page.answer)).encode(), "application/json")


async def _bad(request: Request, error: Exception) -> Response:
    waits = isinstance(error, NothingYetError) or not isinstance(error, InputError)
    status = 404 if isinstance(error, UnknownError) else 503 if waits else 400
    message = error.on_command_line if isinstance(error, RlscaleError) else str(error)
    return _problem(request, status, hidden(message))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(request, error.status_code, "there is nothing here" if error.status_code == 404 else error.detail)


async def _defect(request: Request, error: Exception) -> Response:
    _LOG.error("%s: a defect of rlscale, please report it", type(error).__name__, exc_info=error)
    return _problem(request, 500, "this is a defect of rlscale; the server's log has the details")


def _problem(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/api/"):
        told = {"schema": 1, "error": message, **({"note": message} if status == 503 else {})}
        return JSONResponse(told, status_code=status)
    body = filled("problem.html.j2", status=status, message=message, views=VIEWS)
    return Response(body, status_code=status, media_type="text/html")


#: What becomes of errors.
HANDLERS: dict[Any, Any] = {RlscaleError: _bad, HTTPException: _http, Exception: _defect}
