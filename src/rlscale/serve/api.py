"""The documents of the pages as JSON: the same as those of the commands."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rlscale.render.json import dumps
from rlscale.serve.board import Board
from rlscale.serve.content import Content, Contents, answer
from rlscale.serve.query import Query

__all__ = ["alive", "document"]


async def document(request: Request) -> Response:
    """Answer with the document of a page."""
    board: Board = request.app.state.board
    contents: Contents = request.app.state.contents
    query = Query.of(request.query_params.multi_items(), view=request.path_params["view"])

    def build() -> Content:
        page = board.page(query)
        return contents.get(("json", query, page.version), lambda: Content(dumps(page.answer.document).encode(), JSON))

    return answer(request, await asyncio.to_thread(build))


async def alive(request: Request) -> Response:
    """Answer that the server lives."""
    return JSONResponse({"status": "ok", "version": request.app.state.board.version})


#: Media type of documents.
JSON = "application/json"
