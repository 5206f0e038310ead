"""The form that takes the token of a browser, and gives it a cookie."""

from __future__ import annotations

import asyncio
import hmac
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rlscale.serve.frame import filled
from rlscale.serve.guard import COOKIE, asking, shown_token
from rlscale.serve.options import ServeOptions

__all__ = ["enter", "form"]

#: Seconds that a wrong token costs, and for which a browser stays logged in.
_PAUSE, _STAY = 0.5, 30 * 86400


async def form(request: Request) -> Response:
    """Answer with the form; with the page itself to a browser that need not show the token."""
    options: ServeOptions = request.app.state.options
    if options.token is None or shown_token(request, options):
        return RedirectResponse(_page(request), 303)
    return _form(request)


async def enter(request: Request) -> Response:
    """Take the token; give the cookie and the page that was asked for, or the form again."""
    options: ServeOptions = request.app.state.options
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=4)
    token = fields.get("token", [""])[0].strip()
    if options.token is None or not hmac.compare_digest(token.encode(), options.token.encode()):
        await asyncio.sleep(_PAUSE)
        return _form(request, wrong=True)
    answer = RedirectResponse(_page(request), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, options.cookie, max_age=_STAY, httponly=True, samesite="strict", secure=secure)
    return answer


def _form(request: Request, *, wrong: bool = False) -> Response:
    text = filled("login.html.j2", wrong=wrong, action=asking(request))
    return Response(text, status_code=401 if wrong else 200, media_type="text/html")


def _page(request: Request) -> str:
    """Return the address of the page that was asked for: what follows the ``?`` is all of its state."""
    return f"/?{request.url.query}" if request.url.query else "/"
