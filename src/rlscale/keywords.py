"""Unknown keywords of public functions: an error that names the one that was probably meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

from rlscale.errors import KeywordError

__all__ = ["checked_keywords", "known_keywords"]

P = ParamSpec("P")
T = TypeVar("T")


def known_keywords(function: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a keyword that a function does not take.

    Raises
    ------
    KeywordError
        It names the closest keyword, else all of them.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
            raise KeywordError(f"{function}() takes no {name!r}; {advice}", parameter=name)


def checked_keywords(function: Callable[P, T]) -> Callable[P, T]:
    """Return a public function that refuses an unknown keyword by :func:`known_keywords`."""
    known = [name for name, one in inspect.signature(function).parameters.items() if one.kind != one.POSITIONAL_ONLY]

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        if not kwargs.keys() <= set(known):
            known_keywords(function.__name__, kwargs, known)
        return function(*args, **kwargs)

    return called
