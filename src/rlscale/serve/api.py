"""The documents of the pages as JSON: the same as those of the commands."""

from __future__ import annotations

import asyncio
import hashlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rlscale.render.json import dumps
from rlscale.serve.board import Board
from rlscale.serve.query import Query

__all__ = ["alive", "document", "tagged"]


async def document(request: Request) -> Response:
    """Answer with the document of a page."""
    board: Board = request.app.state.board
    query = Query.of(request.query_params.multi_items(), view=request.path_params["view"])
    page = await asyncio.to_thread(board.page, query)
    body = await asyncio.to_thread(lambda: dumps(page.answer.document))
    return tagged(request, body, "application/json")


async def alive(request: Request) -> Response:
    """Answer that the server lives."""
    return JSONResponse({"status": "ok", "version": request.app.state.board.version})


def tagged(request: Request, body: str, kind: str) -> Response:
    """Return a text with a tag of its content; nothing but 304 where the client has it."""
    content = body.encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
