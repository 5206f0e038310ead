"""The form that takes the token of a browser, and gives it a cookie."""

from __future__ import annotations

import asyncio
import hmac
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rlscale.serve.frame import filled
from rlscale.serve.guard import COOKIE
from rlscale.serve.options import ServeOptions

__all__ = ["enter", "form"]

#: Seconds that a wrong token costs, and for which a browser stays logged in.
_PAUSE, _STAY = 0.5, 30 * 86400


async def form(request: Request) -> Response:
    """Answer with the form."""
    return Response(filled("login.html.j2", wrong=False), media_type="text/html")


async def enter(request: Request) -> Response:
    """Take the token; give the cookie, or the form again."""
    options: ServeOptions = request.app.state.options
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=4)
    token = fields.get("token", [""])[0].strip()
    if options.token is None or not hmac.compare_digest(token.encode(), options.token.encode()):
        await asyncio.sleep(_PAUSE)
        return Response(filled("login.html.j2", wrong=True), status_code=401, media_type="text/html")
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, options.cookie, max_age=_STAY, httponly=True, samesite="strict", secure=secure)
    return answer
