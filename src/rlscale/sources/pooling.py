"""The ``--recipe`` that would pool runs otherwise, ready to be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

__all__ = ["apart", "pooling"]

#: A word, what joins it, and the number that ends a name: ``_bs_256`` and ``-lr256``.
_WORD = re.compile(r".([-_.])([A-Za-z]{1,20})[-_.=]?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?$")
#: What joins the whole number that ends a name.
_JOINT = re.compile(r".(?<![0-9]e)([-_])[0-9]+$")
#: All that a name ends in that is a number; names without one are kept whole.
_NUMBER = r"^(.*[^0-9.])[0-9]+[0-9.e-]*$"
_FOLDER = r"^(.+)/"
#: More names than this are counted and not told.
_FEW = 3
#: Nobody trains more seeds of a recipe: numbers up to more of them merely count the runs.
_SEEDS = 32


def pooling(names: Sequence[str], runs: Sequence[str], unlike: Sequence[Hashable] = ()) -> str:
    """Return a clause with a pattern that pools some of these runs; empty where no simple one does.

    Parameters
    ----------
    names : sequence of str
        What ``--recipe`` is searched in, of each run.
    runs : sequence of str
        The names to tell.
    unlike : sequence, optional
        What sets each run apart from those of another value: no pattern that would pool such runs is offered.
    """
    if len(set(names)) < len(names):
        return ""  # restarts within one file are not offered as seeds
    for pattern in _patterns(names):
        recipes = _recipes(pattern, names)
        if recipes is None:
            continue
        counts = Counter(recipes)
        if max(counts.values()) > _SEEDS:
            continue
        if unlike and len(set(zip(recipes, unlike, strict=True))) > len(counts):
            continue
        pooled = [recipe for recipe in recipes if counts[recipe] > 1]
        if pooled:
            alike = [run for run, recipe in zip(runs, recipes, strict=True) if recipe == pooled[0]]
            told = (
                _listed(alike) if len(alike) == len(pooled) else f"the {len(names):,} runs into {len(counts):,} recipes"
            )
            return f"--recipe {shlex.quote(pattern)} would pool {told}"
    return ""


def apart(names: Sequence[str]) -> str:
    """Return a clause with the pattern that keeps each run apart; empty where it would not."""
    pattern = "(.+)"
    recipes = _recipes(pattern, names)
    if len(names) < 2 or recipes is None or len(set(recipes)) < len(names):
        return ""
    return f"--recipe {shlex.quote(pattern)} would keep each run apart"


def _patterns(names: Sequence[str]) -> Iterator[str]:
    words = {found.groups() if (found := _WORD.search(name)) is not None else None for name in names}
    only = words.pop() if len(words) == 1 else None
    if only is not None:
        joint, word = only
        yield f"^(.*){re.escape(joint) if joint == '.' else joint}{word}"
    joints = {found[1] if (found := _JOINT.search(name)) is not None else "" for name in names}
    if all(joints):
        yield f"^(.*){joints.pop()}" if len(joints) == 1 else f"^(.*)[{''.join(sorted(joints))}]"
    yield _NUMBER
    yield _FOLDER


def _recipes(pattern: str, names: Sequence[str]) -> list[str] | None:
    """Return the recipe of each name by a pattern, None where it does not find one in all."""
    found = [match[1] if (match := re.search(pattern, name)) is not None else "" for name in names]
    return found if all(found) else None


def _listed(names: Sequence[str]) -> str:
    if len(names) > _FEW:
        return f"{', '.join(names[: _FEW - 1])} and {len(names) - _FEW + 1} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"
