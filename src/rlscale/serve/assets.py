"""What a page loads: its own style and scripts, and the charting library that a package ships."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rlscale.render.html import stylesheet
from rlscale.serve.content import Content, Contents, answer

__all__ = ["STATIC", "plotly_file", "plotly_script", "style"]

STATIC = Path(__file__).with_name("static")


@cache
def plotly_file() -> Path | None:
    """Return the script of plotly; None where the package is missing. It is not imported."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return path if path.is_file() else None


async def plotly_script(request: Request) -> Response:
    """Answer with the charting library."""
    path = plotly_file()
    if path is None:
        raise HTTPException(404)
    contents: Contents = request.app.state.contents
    content = contents.get(path, lambda: Content(_without_styles(path.read_bytes()), "text/javascript; charset=utf-8"))
    return answer(request, content)


def _without_styles(script: bytes) -> bytes:
    """Return a script that takes its own style elements for there: the page forbids them, and has what it needs.

    The library leaves out those whose id the page has already.
    """
    ids = [b"plotly.js-style-global", *sorted(set(re.findall(rb'getElementById\("([0-9a-f]{64})"\)', script)))]
    marks = b"".join(
        b'document.head.append(Object.assign(document.createElement("meta"),{id:"%b",className:"no-inline-styles"}));'
        % each
        for each in ids
    )
    return marks + b"\n" + script


async def style(request: Request) -> Response:
    """Answer with the style: that of answers, which reports have too, and that of the frame around them."""
    contents: Contents = request.app.state.contents
    return answer(request, contents.get("style", _style))


def _style() -> Content:
    text = stylesheet() + (STATIC / "frame.css").read_text(encoding="utf-8")
    return Content(text.encode(), "text/css; charset=utf-8")
