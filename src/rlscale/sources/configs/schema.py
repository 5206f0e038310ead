"""Which keys each trainer's configuration has, by version, from its released packages; what a misspelt one may mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from rlscale.curves import KeyRemark
from rlscale.errors import InputError
from rlscale.sources.configs.kinds import ANY, Kind, fault, kind_of
from rlscale.sources.configs.written import Written, shown

__all__ = [
    "TRAINERS",
    "Schema",
    "checked_version",
    "identified",
    "key_remarks",
    "schema_of",
    "sound_values",
    "unseen_version",
]

#: Trainers whose configurations are read, with the name people know.
TRAINERS = {"trl": "TRL", "verl": "verl", "openrlhf": "OpenRLHF", "nemo-rl": "NeMo-RL"}
#: Keys of Hydra itself, and of the file that a NeMo-RL configuration builds on.
_NOT_OURS = ("hydra", "defaults")
#: Unknown keys that are told one by one.
_MOST_UNKNOWN = 50


@dataclass(frozen=True)
class Schema:
    """Keys of a trainer.

    Parameters
    ----------
    versions : tuple of str
        Those looked at, oldest first.
    keys : mapping of str to (str, str)
        The first and the last of them that has the key.
    open : frozenset of str
        Keys under which anything may stand.
    kinds : mapping of str to Kind
        What the value of a key may be.
    """

    versions: tuple[str, ...]
    keys: Mapping[str, tuple[str, str]]
    open: frozenset[str]
    kinds: Mapping[str, Kind]

    def known(self, key: str) -> str | None:
        """Return the key, or the open one above it; None where there is neither."""
        if key in self.keys:
            return key
        parts = key.split(".")
        above = (".".join(parts[:k]) for k in range(len(parts) - 1, 0, -1))
        return next((candidate for candidate in above if candidate in self.open), None)


@cache
def schema_of(trainer: str) -> Schema:
    """Return the keys of a trainer.

    Raises
    ------
    InputError
        A trainer whose configurations are not read.
    """
    if trainer not in TRAINERS:
        near = get_close_matches(trainer.lower().replace("_", "-"), TRAINERS, n=1)
        advice = f"did you mean {near[0]}?" if near else f"give one of {', '.join(TRAINERS)}"
        raise InputError(f"--for {trainer}: configurations of this trainer are not known; {advice}")
    versions: tuple[str, ...] = ()
    keys: dict[str, tuple[str, str]] = {}
    star: set[str] = set()
    kinds: dict[str, Kind] = {}
    text = files("rlscale.sources.configs").joinpath("keys", f"{trainer}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            words = line[1:].split()
            versions = tuple(words) if all(word[0].isdigit() for word in words) else versions
            continue
        line, _, kind = line.partition(" | ")
        key, *rest = line.split()
        if rest and rest[0] == "*":
            star.add(key)
            rest = rest[1:]
        first, last = rest or ("-", "-")
        kinds[key] = kind_of(kind) if kind else ANY
        keys[key] = (versions[0] if first == "-" else first, versions[-1] if last == "-" else last)
    return Schema(versions, keys, frozenset(star), kinds)


def identified(keys: Iterable[str]) -> str | None:
    """Return the trainer that knows most of the keys; None where none knows any."""
    known = list(keys)
    scores = {name: sum(schema_of(name).known(key) is not None for key in known) for name in TRAINERS}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else None


def key_remarks(trainer: str, written: Written, version: str | None) -> list[KeyRemark]:
    """Return what is wrong with the keys: unknown ones, with what was perhaps meant, and those of other versions.

    Parameters
    ----------
    trainer : str
    written : Written
    version : str, optional
        The version that the configuration is for; the newest that was looked at where not given.
    """
    schema = schema_of(trainer)
    remarks = []
    unknown = 0
    for key, value in written.values.items():
        known = schema.known(key)
        if key.split(".")[0] in _NOT_OURS:
            continue
        if known is None and key not in written.added:
            unknown += 1
            if unknown <= _MOST_UNKNOWN:
                remarks.append(_unknown(trainer, schema, key, shown(value)))
        elif known is not None and known in schema.keys:
            says = _wrong_version(trainer, schema, known, version)
            if says:
                remarks.append(KeyRemark(key, shown(value), "version", says, refused="may lack" not in says))
    if unknown > _MOST_UNKNOWN:
        more = f"{unknown - _MOST_UNKNOWN:,} more keys"
        says = f"{TRAINERS[trainer]} has none of these either; is this the configuration of another program?"
        remarks.append(KeyRemark(more, "", "unknown", says, refused=True))
    return remarks


#: Words that a parser of flags takes for true and false.
_YES, _NO = frozenset({"yes", "y", "t", "true", "1"}), frozenset({"no", "n", "f", "false", "0"})


def sound_values(
    trainer: str, values: Mapping[str, Any], *, version: str | None = None, valued: frozenset[str] = frozenset()
) -> tuple[dict[str, Any], list[KeyRemark]]:
    """Return the values that the trainer can start with, and what is wrong with the others.

    Parameters
    ----------
    trainer : str
    values : mapping of str to Any
        Flat, as written.
    version : str, optional
        Of the trainer: words that it may lack are told.
    valued : frozenset of str
        Flags that a command line gives a value: a switch of OpenRLHF takes none.

    Examples
    --------
    >>> sound, wrong = sound_values("trl", {"learning_rate": -1e-6, "num_generations": 8})
    >>> sound, wrong[0].says
    ({'num_generations': 8}, 'it must be a number above 0')
    """
    schema = schema_of(trainer)
    sound: dict[str, Any] = {}
    remarks: list[KeyRemark] = []
    for key, value in values.items():
        kind = schema.kinds.get(key, ANY)
        if trainer == "trl" and kind.what == "flag" and isinstance(value, str):
            word = value.lower()
            value = True if word in _YES else False if word in _NO else value
        elif kind.what == "flag" and isinstance(value, int) and value in (0, 1):
            value = bool(value)
        says = fault(kind, value)
        if trainer == "openrlhf" and kind.what == "flag" and key in valued:
            says = f"it is a switch that takes no value: write --{key} alone to turn it on, or leave it out"
        if not says:
            sound[key] = value
            since = dict(kind.since).get(str(value))
            lacks = "" if since is None else _lacking(trainer, schema, since, schema.versions[-1], version)
            if lacks:
                remarks.append(KeyRemark(key, shown(value), "version", lacks, refused="may lack" not in lacks))
        elif kind.own and isinstance(value, str) and "did you mean" not in says:
            says = f"it is none of {TRAINERS[trainer]}'s own; your code must add it under this name"
            remarks.append(KeyRemark(key, shown(value), "value", says))
            sound[key] = value
        else:
            remarks.append(KeyRemark(key, shown(value), "value", says, refused=True))
    return sound, remarks


def _unknown(trainer: str, schema: Schema, key: str, value: str) -> KeyRemark:
    title, newest = TRAINERS[trainer], schema.versions[-1]
    near = _meant(schema, key)
    advice = f"did you mean {near}?" if near else "leave it out, or check its spelling"
    refused = trainer in ("trl", "openrlhf", "verl")
    if trainer == "nemo-rl":
        return KeyRemark(key, value, "unknown", f"it stands in none of {title}'s examples; {advice}")
    more = " (Hydra adds a new key only as +key=value)" if trainer == "verl" else ""
    return KeyRemark(key, value, "unknown", f"{title} up to {newest} has no such key{more}; {advice}", refused)


def _meant(schema: Schema, key: str) -> str | None:
    """Return the key that was perhaps meant: one with the same end elsewhere, else one that is spelt alike."""
    last = key.rpartition(".")[2]
    same_end = [candidate for candidate in schema.keys if candidate.rpartition(".")[2] == last]
    alike = [
        candidate for candidate in schema.keys if get_close_matches(last, [candidate.rpartition(".")[2]], cutoff=0.75)
    ]
    near = get_close_matches(key, same_end, n=1, cutoff=0.5) or get_close_matches(key, alike, n=1, cutoff=0.6)
    return near[0] if near else None


def _wrong_version(trainer: str, schema: Schema, key: str, version: str | None) -> str:
    """Say that a version lacks a key; empty where it has it, as far as the versions looked at tell."""
    return _lacking(trainer, schema, *schema.keys[key], version)


def _lacking(trainer: str, schema: Schema, first: str, last: str, version: str | None) -> str:
    wanted = version or schema.versions[-1]
    beside = " with transformers 5.23.0" if (trainer, wanted) == ("trl", "1.16.0") else ""
    lacks = f"{TRAINERS[trainer]} {wanted}{beside} {'does not have it' if wanted in schema.versions else 'may lack it'}"
    if _number(wanted) < _number(first):
        return f"{lacks}: of the versions looked at, {first} is the first that has it"
    if last != schema.versions[-1] and _number(wanted) > _number(last):
        return f"{lacks}: of the versions looked at, {last} is the last that has it"
    return ""


def unseen_version(trainer: str, version: str | None) -> list[KeyRemark]:
    """Return that a version lies outside those that were looked at; nothing where it does not, or none is stated.

    Examples
    --------
    >>> [remark.says for remark in unseen_version("trl", "9.9")]
    ['TRL 9.9 was never looked at: keys and defaults are those of 1.16.0, the newest known']
    """
    known = schema_of(trainer).versions
    if version is None or version in known or _number(known[0]) <= _number(version) <= _number(known[-1]):
        return []
    newer = _number(version) > _number(known[-1])
    nearest = f"{known[-1]}, the newest known" if newer else f"{known[0]} and later, the oldest known"
    says = f"{TRAINERS[trainer]} {version} was never looked at: keys and defaults are those of {nearest}"
    return [KeyRemark("trainer version", version, "unseen", says)]


_VERSION = re.compile(
    r"v?\d{1,9}(\.\d{1,9}){0,5}([-_.]?(a|b|c|rc|alpha|beta|pre|post|dev)[-_.]?\d{0,9})*(\+[\w.]{1,40})?", re.IGNORECASE
)


def checked_version(version: str) -> str:
    """Return a version of a trainer, without the v before it.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> checked_version("v0.19.1")
    '0.19.1'
    """
    if _VERSION.fullmatch(version.strip()) is None:
        raise InputError(f"--trainer-version {version!r} is no version; give one like 0.19.1", parameter="version")
    return version.strip().lstrip("vV")


def _number(version: str) -> tuple[int, ...]:
    """Return a version as numbers that compare: ``0.16.1`` is before ``1.2``."""
    parts = version.strip().lstrip("vV").split(".")
    return tuple(int("".join(each for each in part if each.isdigit()) or 0) for part in parts[:3])
