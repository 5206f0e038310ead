"""What the value of a key may be, as the tables of keys state it, and what is wrong with one that is not so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from rlscale.sources.configs.written import shown

__all__ = ["ANY", "Kind", "fault", "kind_of"]

_LIMIT = re.compile(r"(>=|<=|>|<)(-?[\d.]+)")
#: Texts that programs take for numbers which no run can start with.
_NO_NUMBERS = re.compile(r"[-+]?(nan|inf|infinity)", re.IGNORECASE)
#: Nothing that is counted in a run comes to more.
_LARGEST = 1e12
#: Separators between thousands; ``8,16`` is two numbers.
_SEPARATED = re.compile(r"[-+]?\d{1,3}(?:[,_]\d{3})+(\.\d*)?")
_POWER = re.compile(r"[-+]?[\d_]+(\.\d*)?([eE][-+]?\d{1,3})?")


@dataclass(frozen=True)
class Kind:
    """What a value may be.

    Parameters
    ----------
    what : str
        ``number``, ``whole``, ``interval`` (a whole number, or a share below 1), ``flag``, ``word`` (one of several),
        ``some`` (of several, with spaces between), ``numbers`` (a list), ``name`` (text and no number), ``text`` or
        ``any``.
    limits : tuple of (str, float)
        ``(">=", 0.0)``, for example.
    words : tuple of str
        Of ``word`` and ``some``: those that the trainer knows.
    since : tuple of (str, str)
        Words that came later than the key, with the first version that has them.
    own : bool
        Whether code of the user's may add words.
    length : int
        Of ``numbers``: how many; 0 for any number of them.
    also : frozenset of str
        Words that are taken beside: ``null``, ``auto``.
    """

    what: str
    limits: tuple[tuple[str, float], ...] = ()
    words: tuple[str, ...] = ()
    since: tuple[tuple[str, str], ...] = ()
    own: bool = False
    length: int = 0
    also: frozenset[str] = frozenset()

    @property
    def wanted(self) -> str:
        """What it must be, in words.

        Examples
        --------
        >>> kind_of("whole >=2").wanted, kind_of("number >0 <=1").wanted, kind_of("numbers 2 >=0").wanted
        ('a whole number of 2 or more', 'a number above 0 and up to 1', 'a list of 2 numbers of 0 or more')
        """
        if self.what == "flag":
            return "true or false"
        if self.what in ("word", "some"):
            return f"{'one' if self.what == 'word' else 'some'} of {', '.join(self.words)}"
        bounds = " and ".join(_bound(sign, limit) for sign, limit in self.limits)
        also = "".join(f", or {word}" for word in sorted(self.also))
        if self.what == "numbers":
            many = f"{self.length} numbers" if self.length else "numbers"
            return f"a list of {many}{f' {bounds}' if bounds else ''}{also}"
        noun = {
            "whole": "a whole number", "number": "a number", "name": "a name",
            "interval": "a whole number of steps, or a share of all steps",
        }.get(self.what, "one text")  # fmt: skip
        return f"{noun}{f' {bounds}' if bounds else ''}{also}"

    def allows(self, number: float) -> bool:
        """Whether a number is within the limits."""
        return all(
            {">=": number >= limit, ">": number > limit, "<=": number <= limit, "<": number < limit}[sign]
            for sign, limit in self.limits
        )


ANY = Kind("any")


def _bound(sign: str, limit: float) -> str:
    return {">=": f"of {limit:g} or more", ">": f"above {limit:g}", "<=": f"up to {limit:g}", "<": f"below {limit:g}"}[
        sign
    ]


@cache
def kind_of(text: str) -> Kind:
    """Return what a line of a table says behind its ``|``.

    Raises
    ------
    ValueError
        It says nothing that is known.

    Examples
    --------
    >>> kind_of("number >=0 <=1, null").limits
    (('>=', 0.0), ('<=', 1.0))
    >>> kind_of("one of token sequence, or own").words
    ('token', 'sequence')
    """
    first, *rest = [part.strip() for part in text.split(",")]
    also = frozenset(word for word in rest if word != "or own")
    if first.startswith(("one of ", "some of ")):
        what = "word" if first.startswith("one") else "some"
        pairs_of_words = [word.partition("@") for word in first.split()[2:]]
        words = tuple(word for word, _, _ in pairs_of_words)
        since = tuple((word, version) for word, _, version in pairs_of_words if version)
        return Kind(what, words=words, since=since, own="or own" in rest, also=also)
    what, *limits = first.split()
    if what not in ("number", "whole", "interval", "flag", "numbers", "name", "text", "any"):
        raise ValueError(f"{text!r} is no kind of value")
    length = int(limits.pop(0)) if limits and limits[0].isdigit() else 0
    pairs = [match.groups() for match in map(_LIMIT.fullmatch, limits) if match is not None]
    if len(pairs) != len(limits):
        raise ValueError(f"{text!r} has a limit that is none")
    return Kind(what, tuple((sign, float(limit)) for sign, limit in pairs), length=length, also=also)


def fault(kind: Kind, value: Any) -> str:
    """Return what is wrong with a value, and what it must be; empty where it is right.

    Examples
    --------
    >>> fault(kind_of("whole >=2"), 8.5), fault(kind_of("number >0"), float("nan"))
    ('it must be a whole number of 2 or more; give 8 or 9', 'it must be a number above 0, and nan is no number')
    >>> fault(kind_of("one of grpo dapo"), "grop"), fault(kind_of("flag"), True)
    ('it must be one of grpo, dapo; did you mean grpo?', '')
    """
    if kind.what == "any" or (value is None and ("null" in kind.also or kind.what == "text")):
        return ""
    if isinstance(value, str) and value in kind.also:
        return ""
    if value is None:
        return f"it must be {kind.wanted}, and it is empty"
    several = isinstance(value, list | tuple | Mapping) or value in ("a list", "{}")
    if kind.what == "numbers":
        return _of_numbers(kind, value)
    if kind.what == "some":
        return _of_words(kind, value)
    if several:
        noun = "a mapping" if isinstance(value, Mapping) or value == "{}" else "a list"
        return f"it must be {kind.wanted}, not {noun}"
    if kind.what == "text":
        return ""
    if kind.what == "name":
        return "" if isinstance(value, str) else f"it must be {kind.wanted}, not {shown(value)}"
    if kind.what == "flag":
        return "" if isinstance(value, bool) or value in (0, 1) else f"it must be {kind.wanted}"
    return _of_word(kind, value) if kind.what == "word" else _of_number(kind, value)


def _of_numbers(kind: Kind, value: Any) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    if value in ("a list", "{}") or isinstance(value, Mapping):
        return f"it must be {kind.wanted}"
    wrong = any(_of_number(Kind("number", kind.limits), part) for part in parts)
    return f"it must be {kind.wanted}" if wrong or (kind.length and len(parts) != kind.length) else ""


def _of_words(kind: Kind, value: Any) -> str:
    if isinstance(value, bool) or value == "{}":
        return ""
    parts = value if isinstance(value, list | tuple) else str(value).split()
    return "" if all(part in kind.words for part in parts) else f"it must be {kind.wanted}"


def _of_word(kind: Kind, value: Any) -> str:
    word = str(value).lower() if isinstance(value, bool) else str(value)
    if word in kind.words:
        return ""
    if isinstance(value, bool) and not value and "no" in kind.words:
        return 'YAML takes the word no for false, which is refused; write "no" in quotes'
    meant = _meant(word, [each for each in kind.words if not kind.own or _slip(word, each)], 0.7 if kind.own else 0.5)
    few = f"one of {', '.join(kind.words)}" if len(kind.words) <= 16 else "a word that the trainer knows"
    return f"it must be {few}{f'; did you mean {meant}?' if meant else ''}"


def _meant(word: str, words: list[str], cutoff: float) -> str:
    by_letters = {each.lower(): each for each in words}
    near = get_close_matches(word.lower(), by_letters, n=1, cutoff=cutoff)
    return by_letters[near[0]] if near else ""


def _slip(word: str, known: str) -> bool:
    """Whether a word is as long as a known one, and has its digits; ``grpo_v2`` is a name of its own."""
    return abs(len(word) - len(known)) <= 1 and re.sub(r"\D", "", word) == re.sub(r"\D", "", known)


def _of_number(kind: Kind, value: Any) -> str:
    if isinstance(value, bool):
        return f"it must be {kind.wanted}, not {shown(value)}"
    if isinstance(value, str) and _NO_NUMBERS.fullmatch(value):
        value = float(value)
    if not isinstance(value, int | float):
        return f"it must be {kind.wanted}{_digits(kind, value)}"
    if isinstance(value, float) and not math.isfinite(value) and not (value > 0 and "inf" in kind.also):
        return f"it must be {kind.wanted}, and {value} is no number"
    if kind.what == "whole" and abs(value) > _LARGEST:
        return f"it must be {kind.wanted}, and this is larger than any run"
    if kind.what == "whole" and isinstance(value, float):
        near = sorted({each for each in (math.floor(value), math.ceil(value)) if kind.allows(each)})
        if len(near) == 1 and near[0] == value:
            return f"it must be written as a whole number, without a point or an exponent: {near[0]}"
        advice = f"; give {' or '.join(map(str, near))}" if near else ""
        return f"it must be {kind.wanted}{advice}"
    if kind.what == "interval" and value > 1 and value != int(value):
        return f"it must be {kind.wanted}; give {int(value)} or {int(value) + 1}"
    return "" if kind.allows(value) else f"it must be {kind.wanted}"


def _digits(kind: Kind, value: Any) -> str:
    """Return how a number is to be written that has separators or a unit; empty where nobody can tell."""
    text = str(value).replace(",", "").replace("_", "")
    if not isinstance(value, str) or _SEPARATED.fullmatch(value) is None or _POWER.fullmatch(text) is None:
        return ""
    number = float(text)
    return f"; write {int(number) if kind.what == 'whole' and number.is_integer() else text}"
