"""Which recipe each run belongs to, and which seed it is: decided here, over all runs of a command together.

Recipe: ``--recipe``; else the columns that state it; else the name without its seed mark; else each run is its own.
Where settings are logged, runs of one recipe that differ in a knob are different recipes. Seed: the column that states
it, the seed mark, the logged seed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from rlscale.errors import InputError
from rlscale.sources.format import Kind
from rlscale.sources.formats import is_table, kind_of
from rlscale.sources.knobs import parted
from rlscale.sources.log import Log
from rlscale.sources.naming import Place
from rlscale.sources.pooling import apart, pooling
from rlscale.sources.printable import clean
from rlscale.sources.seed_marks import Mark, seed_mark, weak_mark

__all__ = [
    "Grouping",
    "Identity",
    "Member",
    "grouping_of",
    "identities",
    "named_recipe",
    "pattern_of",
    "stored_grouping",
]

#: What a recipe can rest on, from what goes first to what goes last.
_ORDER = ("option", "settings", "column", "seed_mark", "none")
#: Tells recipes apart: what they rest on, and the text that their runs share.
_Key = tuple[str, str]


@dataclass(frozen=True)
class Grouping:
    """How runs were pooled into recipes.

    Parameters
    ----------
    by : str
        ``option``, ``settings``, ``column``, ``seed_mark`` or ``none``; the first of these where it differs by run.
    recipes : int
    note : str
        One line that says so, with the ``--recipe`` that would pool otherwise.
    """

    by: str
    recipes: int
    note: str


@dataclass(frozen=True, eq=False)
class Member:
    """A run before it has a recipe.

    Parameters
    ----------
    name : str
        Unique among the runs, without ``#2``.
    run : str
        Unique among the runs.
    bare : str
        What the log itself calls the run, without ``#2``; empty where its path is the name.
    place : Place
    log : Log
    """

    name: str
    run: str
    bare: str
    place: Place
    log: Log


@dataclass(frozen=True)
class Identity:
    """The recipe and the seed of a run, and what they rest on.

    Parameters
    ----------
    run : str
        Unique among the runs.
    name : str
        What ``--recipe`` is searched in.
    recipe : str
    seed : int, optional
    by : str
        As in :class:`Grouping`.
    how, seed_how : str
        The same in words, and for the seed; empty for a seed that is not known.
    knobs : tuple of str
        Settings that set its recipe apart from others of the same name.
    """

    run: str
    name: str
    recipe: str
    seed: int | None
    by: str
    how: str
    seed_how: str
    knobs: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Recipe and seed, and what they rest on."""
        how = {"none": "its own, no seed mark"}.get(self.by, self.how)
        how += f", set apart by {' and '.join(self.knobs)}" if self.knobs else ""
        seed = f"; seed {self.seed} ({self.seed_how})" if self.seed is not None else ""
        return f"recipe {self.recipe} ({how}){seed}"


def pattern_of(text: str) -> re.Pattern[str]:
    """Return ``--recipe`` compiled.

    Raises
    ------
    InputError
        It is not a regular expression, or has no group.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(f"--recipe {text!r} is not a regular expression ({error}); mend it") from error
    if not pattern.groups:
        raise InputError(
            f"--recipe {text!r} has no group; put the recipe in parentheses, for example '([a-z]+)-s[0-9]'"
        )
    return pattern


def named_recipe(name: str) -> tuple[str, int | None]:
    """Return recipe and seed of a run that is known by its name alone: what the word ``seed`` in it says.

    Examples
    --------
    >>> named_recipe("grpo-seed3"), named_recipe("grpo-lr1e-5")
    (('grpo', 3), ('grpo-lr1e-5', None))
    """
    mark = seed_mark(name)
    return (name, None) if mark is None else (mark.rest or name, mark.number)


def identities(members: Sequence[Member], option: str | None = None) -> list[Identity]:
    """Return recipe and seed of each run.

    Parameters
    ----------
    members : sequence of Member
        All runs of a command: whether ``s3`` is a seed depends on the others.
    option : str, optional
        ``--recipe``.

    Raises
    ------
    InputError
        ``option`` is no pattern with a group, or does not find a recipe in a name.
    """
    pattern = None if option is None else pattern_of(option)
    marks = _marks([member.bare or member.name for member in members])
    claimed = [_claim(member, mark, pattern) for member, mark in zip(members, marks, strict=True)]
    found, keys = [one for one, _ in claimed], [key for _, key in claimed]
    keys = _by_file(members, keys, found)
    split = [one.by in ("column", "seed_mark") and kind_of(member.log.format) is not Kind.LEDGER
             for one, member in zip(found, members, strict=True)]  # fmt: skip
    told = parted([key if may else None for key, may in zip(keys, split, strict=True)],
                  [member.log.settings for member in members])  # fmt: skip
    for k, (knobs, words) in told.items():
        found[k] = replace(found[k], recipe=f"{found[k].recipe} ({words})", by="settings", knobs=knobs)
        keys[k] = ("settings", f"{keys[k]} {words}")
    return _told_apart(found, keys)


def _marks(names: Sequence[str]) -> list[Mark | None]:
    """Return the seed mark of each name; a weak one counts where the numbers run from 0 or 1 without a gap."""
    marks = [seed_mark(name) for name in names]
    weak = [None if mark is not None else weak_mark(name) for name, mark in zip(names, marks, strict=True)]
    numbers: dict[str, set[int]] = {}
    for mark in weak:
        if mark is not None and mark.number is not None:
            numbers.setdefault(mark.template, set()).add(mark.number)
    runs_on = {template for template, held in numbers.items() if min(held) <= 1 and max(held) - min(held) < len(held)}
    return [
        strong or (mark if mark is not None and mark.template in runs_on else None)
        for strong, mark in zip(marks, weak, strict=True)
    ]


def _claim(member: Member, mark: Mark | None, pattern: re.Pattern[str] | None) -> tuple[Identity, _Key]:
    """Return what a run says of itself, and what runs of its recipe share."""
    log, name = member.log, member.name
    seed, seed_how = _seed(log, mark)

    def claimed(recipe: str, by: str, how: str, kind: str = "") -> tuple[Identity, _Key]:
        return Identity(member.run, name, clean(recipe), seed, by, how, seed_how), (kind, recipe)

    if pattern is not None:
        return claimed(_matched(pattern, name), "option", f"by --recipe {shlex.quote(pattern.pattern)}")
    if log.recipe:
        return claimed(log.recipe, "column", _stated(log))
    if log.seed_by and _is_file_and_seed(member):
        return claimed(member.place.name, "column", "by file")
    if mark is not None:
        rest = mark.rest or (member.place.name if member.bare else member.place.around) or name
        rest += member.run.removeprefix(member.name) if member.run.startswith(f"{member.name}#") else ""  # a restart
        return claimed(rest, "seed_mark", f"by seed mark (`{mark.text}`)", "" if mark.strong else mark.template)
    return claimed(member.run, "none", "each run its own: no seed marks", "run")


def _is_file_and_seed(member: Member) -> bool:
    """Whether a run is one of a table without names, which its seed column alone tells apart."""
    file, _, seed = member.bare.rpartition("/")
    digits = re.search(r"([0-9]+)(?:\.0*)?$", seed)
    same = digits is not None and member.log.seed == int(digits[1][:18])
    return same and file == member.place.name.rpartition("/")[2]


def _matched(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.search(name)
    if found is None or not found[1]:
        raise InputError(f"--recipe {pattern.pattern!r} finds no recipe in the run {name!r}; widen the pattern")
    return found[1]


def _stated(log: Log) -> str:
    if kind_of(log.format) is Kind.LEDGER:
        return "as the ledger keeps them"
    if not is_table(log.format) and log.recipe_by in ((), ("group",)):
        return f"by the group in {log.format}"
    columns = [f"`{clean(one)}`" for one in log.recipe_by or ("recipe",)]
    return f"by column{'s' if len(columns) > 1 else ''} {' and '.join(columns)}"


def _seed(log: Log, mark: Mark | None) -> tuple[int | None, str]:
    """Return the seed and how it is known: by a column, the mark, or what the trainer logged."""
    if kind_of(log.format) is Kind.LEDGER:
        return log.seed, "as the ledger keeps them" if log.seed is not None else ""
    if log.seed is not None and (log.seed_by or is_table(log.format)):
        return log.seed, f"by column {' and '.join(f'`{clean(one)}`' for one in log.seed_by or ('seed',))}"
    if mark is not None and mark.number is not None:
        return mark.number, f"by seed mark (`{mark.text}`)"
    return log.seed, "as logged" if log.seed is not None else ""


def _by_file(members: Sequence[Member], keys: Sequence[_Key], found: list[Identity]) -> list[_Key]:
    """Keep the runs of files apart that give the same names: seed 0 of one table is not a second seed 0 of another."""
    files: dict[tuple[_Key, str], set[str]] = {}
    inside = [member.bare != "" and one.by == "seed_mark" for member, one in zip(members, found, strict=True)]
    for member, key, several in zip(members, keys, inside, strict=True):
        if several:
            files.setdefault((key, member.bare), set()).add(member.place.file)
    twice = {key for (key, _), places in files.items() if len(places) > 1}
    result = list(keys)
    for k, (member, key) in enumerate(zip(members, keys, strict=True)):
        if inside[k] and key in twice:
            file = member.place.file
            result[k] = (key[0], f"{file}/{key[1]}")
            found[k] = replace(found[k], recipe=f"{file.rpartition('.')[0] or file}/{found[k].recipe}")
    return result


def _told_apart(found: Sequence[Identity], keys: Sequence[_Key]) -> list[Identity]:
    """Give recipes that rest on different things different names."""
    held: dict[str, set[_Key]] = {}
    for one, key in zip(found, keys, strict=True):
        held.setdefault(one.recipe, set()).add(key)
    names = set(held)
    new: dict[tuple[str, _Key], str] = {}
    for name, several in held.items():
        ordered = sorted(several, key=lambda key: (key[0] == "run", key))
        for key in ordered[1:]:
            why = "no seed mark" if key[0] == "run" else "other seed marks"
            other, count = f"{name} ({why})", 2
            while other in names:
                other, count = f"{name} ({why}, {count})", count + 1
            names.add(other)
            new[name, key] = other
    if not new:
        return list(found)
    return [replace(one, recipe=new.get((one.recipe, key), one.recipe)) for one, key in zip(found, keys, strict=True)]


def grouping_of(found: Sequence[Identity], unlike: Mapping[str, Hashable] | None = None) -> Grouping:
    """Return how runs were pooled, in one line.

    Parameters
    ----------
    found : sequence of Identity
        Of the runs that the answer is of.
    unlike : mapping of str, optional
        By run, what sets it apart from those of another value: to pool such runs is not advised.
    """
    recipes = list(dict.fromkeys(one.recipe for one in found))
    by = min((one.by for one in found), key=_ORDER.index, default="none")
    ways: dict[str, tuple[str, set[str]]] = {}
    for one in found:
        kind = "seed_mark" if one.how.startswith("by seed mark") else one.how  # one mark stands for all
        ways.setdefault(kind, (one.how, set()))[1].add(one.recipe)
    if len(found) == 1 and by == "none":
        return Grouping(by, 1, "Recipes: 1, of one run: no seed mark")
    parts = [how if len(ways) == 1 else f"{len(held):,} {how}" for how, held in ways.values()]
    said = [f"Recipes: {len(recipes):,}, {', '.join(parts)}", *_seeds(found, pooled=len(recipes) < len(found))]
    said += _knobs(found)
    names = [one.name for one in found]
    own = [one for one in found if one.by == "none"]
    values = [unlike.get(one.run) for one in own] if unlike else ()
    hint = pooling([one.name for one in own], [one.run for one in own], values) if own else apart(names)
    return Grouping(by, len(recipes), "; ".join([*said, *([hint] if hint else [])]))


def _seeds(found: Sequence[Identity], *, pooled: bool) -> list[str]:
    """Return how seeds are known, where that is not what told the recipes."""
    ways: dict[str, str] = {}
    for one in found:
        if one.seed_how and not (one.how.startswith("by seed mark") and one.seed_how.startswith("by seed mark")):
            ways.setdefault("seed_mark" if one.seed_how.startswith("by seed mark") else one.seed_how, one.seed_how)
    logged = [how for how in ways.values() if pooled or how != "as logged"]
    kept = [how for how in logged if how != "as the ledger keeps them"]
    return [f"seeds {' or '.join(kept)}"] if kept else []


def _knobs(found: Sequence[Identity]) -> list[str]:
    knobs = dict.fromkeys(name for one in found for name in one.knobs)
    return [f"recipes of one name differ in {', '.join(knobs)}"] if knobs else []


def stored_grouping(recipes: Sequence[str]) -> Grouping:
    """Return the grouping of runs whose recipes a ledger keeps."""
    count = len(set(recipes))
    return Grouping("column", count, f"Recipes: {count:,}, as the ledger keeps them")
