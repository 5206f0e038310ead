"""A document as JSON text: NaN and infinity never appear."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["dumps", "written"]

#: A list of more items than this has each of them on a line of its own, not laid out.
_LONG = 200
#: What JSON may hold as it is and a terminal obeys or cannot show: DEL and C1 controls, ends of lines, what turns the
#: direction of text, halves of characters.
_STEERING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def dumps(document: Mapping[str, Any]) -> str:
    """Return the document as text; a number that is not finite becomes ``null``."""
    return "".join(written(document))


def written(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of :func:`dumps` in pieces: that of thousands of runs is large, and has one of them a line."""
    lists = {key: value for key, value in document.items() if isinstance(value, list) and value}
    yield "{"
    for place, (key, value) in enumerate(document.items()):
        yield f"{',' if place else ''}\n  {_text(key)}: "
        if key not in lists:
            yield _text(value).replace("\n", "\n  ")
            continue
        for k, item in enumerate(value):
            yield f"{',' if k else '['}\n    "
            yield _line(item) if len(value) > _LONG else _text(item).replace("\n", "\n    ")
        yield "\n  ]"
    yield "\n}" if document else "}"


def _text(value: Any) -> str:
    # a line end inside a string is written as \\n, so those of the text are its layout
    return _escaped(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def _line(value: Any) -> str:
    try:  # the fast encoder of the library lays nothing out, and refuses what is not finite
        return _escaped(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except ValueError:
        return _escaped(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False))


def _escaped(text: str) -> str:
    r"""Return JSON with what steers a terminal as ``\u009b``: the same values to who reads it."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _STEERING.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _finite(value: Any) -> Any:
    """Return plain JSON values all the way down, ``None`` for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
