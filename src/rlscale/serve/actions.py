"""What people say of a run from the page: hold, resume, pin. Only where that was allowed, and with a token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rlscale.errors import InputError
from rlscale.ledger import Ledger
from rlscale.ledger.overrides import visible
from rlscale.serve.board import Board, Page
from rlscale.serve.guard import shown_token
from rlscale.serve.options import ServeOptions
from rlscale.serve.query import Query, UnknownError

__all__ = ["ACTIONS", "Offered", "act", "offered"]

#: What can be said from the page.
ACTIONS = ("hold", "resume", "pin")


@dataclass(frozen=True)
class Offered:
    """What can be said of a run, and what was said of it last."""

    run: str
    last: str
    kinds: tuple[str, ...] = ACTIONS


def offered(board: Board, page: Page) -> Offered:
    """Return what can be said of the run of a page."""
    run = page.answer.document["runs"][0]["run"]
    return Offered(run, board.word(run))


async def act(request: Request) -> Response:
    """Take what a person says of a run, keep it in the ledger, and show the run again."""
    options: ServeOptions = request.app.state.options
    board: Board = request.app.state.board
    if not options.actions or not shown_token(request, options):
        raise HTTPException(403, "this page only shows; start rlscale serve with --allow-actions and a token")
    if request.headers.get("origin") is None:
        raise HTTPException(403, "an action must come from the page itself")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=8)
    kind, name, note, who = (fields.get(key, [""])[0] for key in ("action", "name", "note", "who"))
    if kind not in ACTIONS:
        raise InputError(f"action {kind[:40]!r} is none of {', '.join(ACTIONS)}", parameter="action")
    if await asyncio.to_thread(_say, board, name, kind, visible(note)[:500], visible(who)[:80] or "page"):
        request.app.state.changes.put(board.version)
    return RedirectResponse(Query(view="run", name=name).url(), 303)


def _say(board: Board, name: str, kind: str, note: str, who: str) -> bool:
    """Keep a word, and read it back, so that the page shows it; say whether that is new."""
    if board.ledger is None:
        raise InputError("logs take no decisions; serve ledger:URL of a watched ledger to act from the page")
    with Ledger(board.ledger) as ledger:
        rows = {row.name: row for row in ledger.book.runs()}
        if name not in rows:
            raise UnknownError(f"there is no run {name[:200]!r}")
        ledger.overrides.add(rows[name], kind, note, who)
    return board.refresh()
