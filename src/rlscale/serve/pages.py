"""The page: an answer in its frame, and what is shown where there is none."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rlscale.errors import InputError, RlscaleError, hidden
from rlscale.render.html import Fragment, fragments, lead
from rlscale.render.json import dumps
from rlscale.render.plotly import figures
from rlscale.serve.api import tagged
from rlscale.serve.board import Board, Page
from rlscale.serve.names import links_of
from rlscale.serve.query import VIEWS, Query, UnknownError

__all__ = ["HANDLERS", "page"]


async def page(request: Request) -> Response:
    """Answer with a page; with ``part=figures`` with the figures of its drawings, for who points at them."""
    board: Board = request.app.state.board
    query = Query.of(request.query_params.multi_items())
    template = "page.html.j2"
    try:
        found = await asyncio.to_thread(board.page, query)
        if request.query_params.get("part") == "figures":
            return tagged(request, await asyncio.to_thread(lambda: dumps(figures(found.answer))), "application/json")
        body = await asyncio.to_thread(_filled, template, query, board, found)
    except UnknownError:
        raise
    except InputError as error:
        body = _filled(template, query, board, None, error)
    return tagged(request, body, "text/html")


def _filled(template: str, query: Query, board: Board, page: Page | None, error: InputError | None = None) -> str:
    parts: tuple[Fragment, ...] = () if page is None else fragments(page.answer, links_of(board.recipes, query))
    return str(
        _environment().get_template(template).render(
            query=query, views=VIEWS, page=page, parts=parts, troubles=board.troubles,
            lead=() if page is None else lead(page.answer),
            error="" if error is None else error.on_command_line,
        )
    )  # fmt: skip


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("rlscale.serve"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


async def _bad(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, UnknownError) else 400 if isinstance(error, InputError) else 503
    message = error.on_command_line if isinstance(error, RlscaleError) else "not available now"
    return _problem(request, status, hidden(message))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(request, error.status_code, "there is nothing here" if error.status_code == 404 else error.detail)


def _problem(request: Request, status: int, message: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"schema": 1, "error": message}, status_code=status)
    body = _environment().get_template("problem.html.j2").render(status=status, message=message, views=VIEWS)
    return Response(body, status_code=status, media_type="text/html")


#: What becomes of errors.
HANDLERS: dict[Any, Any] = {RlscaleError: _bad, HTTPException: _http}
