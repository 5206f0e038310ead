"""Names as they can be shown."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "clean_lines"]

#: Control characters, halves of characters, ends of lines; and what turns the direction of the text around it.
_STEER = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURN = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})


def clean(text: str) -> str:
    r"""Return a name that can be shown: characters that steer a terminal, or are none, as ``\x1b``, ``\n``, ...

    Names in trackers are free text, and those of files hold bytes that are no text.
    """
    if text.isprintable():
        return text
    return "".join(_shown(one) for one in text)


def clean_lines(text: str) -> str:
    r"""Return a text of several lines that can be shown: :func:`clean` of each.

    Examples
    --------
    >>> clean_lines("base\x1b[2J\nlong")
    'base\\x1b[2J\nlong'
    """
    return "\n".join(map(clean, text.split("\n")))


def _shown(one: str) -> str:
    steers = unicodedata.category(one) in _STEER or unicodedata.bidirectional(one) in _TURN
    return one.encode("unicode_escape").decode() if steers else one
