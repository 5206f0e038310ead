"""Patterns of names of runs (``*``, ``?``), as ``--run`` and ``--exclude`` take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from rlscale.errors import InputError

__all__ = ["check_patterns", "matches", "patterns_of"]

#: Names of runs told in an error.
_SHOWN = 20


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of these, or matches one of these patterns.

    Examples
    --------
    >>> matches("base/seed0", ["base*"]), matches("a[1]", ["a[1]"]), matches("base", [])
    (True, True, False)
    """
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def patterns_of(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return patterns as a tuple: one alone may be given as text."""
    return (given,) if isinstance(given, str) else tuple(given or ())


def check_patterns(names: Sequence[str], options: Mapping[str, Sequence[str]]) -> None:
    """Refuse a pattern that matches no run.

    Parameters
    ----------
    names : sequence of str
        Of all runs; where there are none, nothing is refused.
    options : mapping of str to sequence of str
        The patterns by the option that has them, ``--run``.

    Raises
    ------
    InputError
        A pattern without a match.
    """
    for option, patterns in options.items():
        for pattern in patterns:
            if not names or any(matches(name, (pattern,)) for name in names):
                continue
            near = get_close_matches(pattern, names, n=1, cutoff=0.75)
            meant = f"; did you mean {near[0]}?" if near else ""
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise InputError(f"{option} {pattern!r} matches no run; they are {', '.join(names[:_SHOWN])}{more}{meant}")
