"""The page: an answer in its frame, and what is shown where there is none."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rlscale.errors import InputError, RlscaleError, hidden
from rlscale.render.html import Fragment, fragments, lead
from rlscale.serve.board import Board, Page
from rlscale.serve.content import Content, Contents, answer
from rlscale.serve.frame import filled
from rlscale.serve.names import links_of
from rlscale.serve.query import VIEWS, Query, UnknownError

__all__ = ["HANDLERS", "page"]

_LOG = logging.getLogger("rlscale")


async def page(request: Request) -> Response:
    """Answer with a page; with ``part=main`` only with what changes in it."""
    board: Board = request.app.state.board
    contents: Contents = request.app.state.contents
    query = Query.of(request.query_params.multi_items())
    template = "main.html.j2" if request.query_params.get("part") == "main" else "page.html.j2"

    def build() -> Content:
        try:
            shown = board.page(query)
        except UnknownError:
            raise
        except InputError as error:
            return _content(template, query, board, None, error)
        key = (template, query, shown.version, board.troubles)
        return contents.get(key, lambda: _content(template, query, board, shown))

    return answer(request, await asyncio.to_thread(build))


def _content(template: str, query: Query, board: Board, page: Page | None, error: InputError | None = None) -> Content:
    parts: tuple[Fragment, ...] = () if page is None else fragments(page.answer, links_of(board.recipes, query))
    text = filled(
        template, query=query, views=VIEWS, page=page, parts=parts, troubles=board.troubles,
        lead=() if page is None else lead(page.answer), error="" if error is None else hidden(error.on_command_line),
    )  # fmt: skip
    return Content(text.encode(), "text/html; charset=utf-8")


async def _bad(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, UnknownError) else 400 if isinstance(error, InputError) else 503
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
        return JSONResponse({"schema": 1, "error": message}, status_code=status)
    body = filled("problem.html.j2", status=status, message=message, views=VIEWS)
    return Response(body, status_code=status, media_type="text/html")


#: What becomes of errors.
HANDLERS: dict[Any, Any] = {RlscaleError: _bad, HTTPException: _http, Exception: _defect}
