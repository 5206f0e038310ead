"""Seed marks: what in the name of a run says that it is one seed of several.

The word ``seed`` and a number say so anywhere in a part of a path (``seed3``, ``seed_3``, ``a-seed3-b``, ``seed=3``).
``s3`` and ``rep3`` say so only beside others, so they are weaker. A number alone never does: it may be a learning rate,
a batch size, a date, or the id of a job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Mark", "seed_mark", "weak_mark"]

#: ``seed`` as a word (``gridseed3`` and ``seeds3`` are none; ``baseSeed3`` is), then a whole number.
_STRONG = re.compile(r"(?:(?<![^\W\d_])[Ss][Ee][Ee][Dd]|(?<=[a-z0-9])Seed)[-_=:., ]{0,2}([0-9]+)(?![^\W_])(?!\.[0-9])")
_WEAK = re.compile(r"(?:(.*)[-_.])?((s|rep)([0-9]{1,18}))", re.IGNORECASE)
_BETWEEN = "-_=:., "
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
#: A seed of more digits is no number that a ledger can keep.
_DIGITS = 18


@dataclass(frozen=True)
class Mark:
    """A seed mark of a name.

    Parameters
    ----------
    text : str
        As written: ``seed3``.
    number : int, optional
        The seed; None where it has more than 18 digits.
    rest : str
        The name without it; empty where nothing is left.
    template : str
        The name with a placeholder for the number: equal for names that differ in the number alone.
    strong : bool
        Whether it is the word ``seed``.
    """

    text: str
    number: int | None
    rest: str
    template: str
    strong: bool


def seed_mark(name: str) -> Mark | None:
    """Return the mark by the word ``seed`` in a name, None without one; of several the last one's number is the seed.

    Examples
    --------
    >>> seed_mark("grpo-seed3-long").rest
    'grpo-long'
    """
    found = list(_STRONG.finditer(name))
    if not found:
        return None
    rest = "/".join(filter(None, map(_without, name.split("/"))))
    digits = found[-1][1]
    number = int(digits) if len(digits) <= _DIGITS else None
    return Mark(found[-1][0], number, rest, _STRONG.sub("\0", name), True)


def _without(part: str) -> str:
    """Return a part of a path without its marks, and without the separators and brackets that stood around them."""
    while (found := _STRONG.search(part)) is not None:
        left, right = part[: found.start()], part[found.end() :]
        if left and right and _BRACKETS.get(left[-1]) == right[0]:
            left, right = left[:-1], right[1:]
        left = left.rstrip(_BETWEEN)
        part = left + right if left else right.lstrip(_BETWEEN)
    return part


def weak_mark(name: str) -> Mark | None:
    """Return the mark ``s3`` or ``rep3`` that is a part of a path, or ends one; of several the last, None without one.

    Whether it stands for a seed is known only beside the other names with its template.
    """
    parts = name.split("/")
    for place in reversed(range(len(parts))):
        found = _WEAK.fullmatch(parts[place])
        if found is not None:
            start = found.start(2)
            rest = "/".join(filter(None, (*parts[:place], found[1] or "", *parts[place + 1 :])))
            template = "/".join((*parts[:place], f"{parts[place][:start]}\0{found[3].lower()}", *parts[place + 1 :]))
            return Mark(found[2], int(found[4]), rest, template, False)
    return None
