"""What a configuration file says, flat: keys with dots between levels, values as plain Python, and what is odd."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rlscale.curves import KeyRemark
from rlscale.errors import SourceError
from rlscale.sources.limits import CONFIG_DEPTH, CONFIG_KEYS

__all__ = ["Written", "flat_keys", "literal", "masked", "shown"]

#: Elements of a list that is kept, and characters of a value that is shown.
_LONGEST, _SHOWN = 64, 60
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
#: Keys whose value is nobody's business.
_SECRET = re.compile(r"(^|[._-])(hub_token|token|api_?key|password|secret|wandb\.key|use_wandb)$", re.IGNORECASE)
_WORDS = {"true": True, "false": False, "null": None, "none": None, "~": None, "": None}


@dataclass
class Written:
    """Keys and values in the order of the file, and remarks on how they are written.

    Parameters
    ----------
    values : dict of str to Any
    remarks : list of KeyRemark
    added : set of str
        Keys that Hydra was told to add (``+key=value``): they need not be known.
    valued : set of str
        Flags of a command line that are followed by a value.
    """

    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[KeyRemark] = field(default_factory=list)
    added: set[str] = field(default_factory=set)
    valued: set[str] = field(default_factory=set)

    def put(self, key: str, value: Any) -> None:
        """Take a value: the last one counts, and another one before it is told."""
        value = masked(key, value)
        if key in self.values and self.values[key] != value:
            before = self.values[key]
            says = f"it is written twice, with {shown(before)} and {shown(value)}: the last one counts; keep one"
            self.remarks.append(KeyRemark(key, shown(value), "twice", says))
        self.values[key] = value

    def unread(self, key: str, text: str, why: str = "it is not written out") -> None:
        """Remember a value that is no literal."""
        says = f"{why}: its value is known only when the trainer starts, and is not judged"
        self.remarks.append(KeyRemark(key, _cut(text), "unread", says))


def literal(text: str) -> Any:
    """Return what a word means as a value: a number, a truth value, None, else the text.

    Examples
    --------
    >>> literal("1e-6"), literal("16"), literal("True"), literal("null"), literal("cispo")
    (1e-06, 16, True, None, 'cispo')
    """
    word = text.strip()
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if _INTEGER.fullmatch(word):
        return int(word)
    if len(word) < 40 and _FLOAT.fullmatch(word):
        return float(word)
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1]
    return word


def shown(value: Any) -> str:
    """Return a value as people read it, never long.

    Examples
    --------
    >>> shown(5e-07), shown(True), shown(None), shown([0.9, 0.95])
    ('5e-07', 'true', 'null', '[0.9, 0.95]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return _cut(f"[{', '.join(shown(part) for part in value[:_LONGEST])}]")
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def masked(key: str, value: Any) -> Any:
    """Return the value of a key, ``***`` in place of a token, a password, or the key of a service.

    Examples
    --------
    >>> masked("hub_token", "hf_abc"), masked("env.WANDB_API_KEY", 123), masked("data.prompt_key", "prompt")
    ('***', '***', 'prompt')
    """
    hides = isinstance(value, str | int | float) and not isinstance(value, bool) and value not in ("", "a list", "{}")
    return "***" if hides and _SECRET.search(key) else value


def flat_keys(path: str, mapping: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a nested mapping with dots between levels; an empty mapping and a long list are no values.

    Raises
    ------
    SourceError
        It contains itself, is too deep or has too many settings.
    """
    flat: dict[str, Any] = {}
    for key, value in _leaves(path, mapping, "", (), 0):
        flat[key] = masked(key, value)
        if len(flat) > CONFIG_KEYS:
            raise SourceError(path, f"it has more than {CONFIG_KEYS:,} settings; give the file of one configuration")
    return flat


def _leaves(path: str, mapping: Mapping[Any, Any], prefix: str, above: tuple[int, ...], depth: int) -> Iterator[Any]:
    if id(mapping) in above:
        raise SourceError(path, f"{prefix or 'it'} contains itself; write the settings out")
    if depth > CONFIG_DEPTH:
        raise SourceError(
            path, f"it is nested more than {CONFIG_DEPTH} levels deep; give the file of one configuration"
        )
    for name, value in mapping.items():
        key = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping) and value:
            yield from _leaves(path, value, key, (*above, id(mapping)), depth + 1)
        else:
            yield key, _plain(value)


def _plain(value: Any) -> Any:
    """Return a value that is safe to show: text as what it means, lists of plain values only."""
    if isinstance(value, str):
        return literal(value) if len(value) <= 1000 else value[:1000]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return "a number of more than 18 digits"
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple):
        if len(value) <= _LONGEST and not any(isinstance(part, list | tuple | set | Mapping) for part in value):
            return [_plain(part) for part in value]
        return "a list"
    if isinstance(value, set | bytes):
        return "a list"
    return "{}" if isinstance(value, Mapping) else literal(str(value)[:1000])
