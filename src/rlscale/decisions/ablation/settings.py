"""The knobs of runs: settings that differ between them, what cannot be one, and runs whose settings are not known.

A setting that a run does not state is unknown: never equal to one that is stated, and so never a reason to take the run
for a seed of another. Such runs are left out, named. Where most runs do not state a setting, those that do are left
out; the others may differ in it, so that nothing is claimed of what they are compared by (``Knobs.unstated``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlscale.curves import Run
from rlscale.decisions.ablation.stated import Stated, known_as, stated_by
from rlscale.errors import InputError

__all__ = ["Knob", "Knobs", "knobs_of"]

#: Words in the name of a column that says who or where a run is, not how it was trained; and such names.
_IDENTITY = frozenset(
    """
    seed id uuid host hostname node user owner date time timestamp started created dir path file url commit hash tag
    tags note notes comment job notebook entity
    """.split()  # noqa: SIM905  as a list it takes a screen
)
_IDENTITIES = frozenset({"name", "run", "run_name", "recipe", "group", "experiment", "experiment_name", "project"})
_ADD = "add it with --settings F.csv"


@dataclass(frozen=True)
class Knob:
    """One setting that differs between runs.

    Parameters
    ----------
    name : str
    values : tuple of str
        Of each run, written so that equal ones are equal.
    numbers : tuple of float, optional
        The same as numbers, where all are.
    """

    name: str
    values: tuple[str, ...]
    numbers: tuple[float, ...] | None


@dataclass(frozen=True)
class Knobs:
    """What differs between runs.

    Parameters
    ----------
    knobs : tuple of Knob
    kept : tuple of int
        Places of the runs whose settings are known.
    lacking : tuple of (int, str)
        Places of the others, and why each is left out.
    named : tuple of str
        The settings asked for, as the runs call them.
    notes : tuple of str
        Settings that differ and are no knob here, and why.
    unstated : tuple of str
        Settings that none of the runs kept states and others do: the runs kept may differ in them.
    """

    knobs: tuple[Knob, ...]
    kept: tuple[int, ...]
    lacking: tuple[tuple[int, str], ...]
    named: tuple[str, ...]
    notes: tuple[str, ...]
    unstated: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Chosen:
    """Settings that are knobs, those that only a few runs state, and what is said of others."""

    knobs: tuple[str, ...]
    rare: tuple[str, ...]
    notes: tuple[str, ...]


def knobs_of(runs: Sequence[Run], given: Mapping[str, Mapping[str, Any]], named: Sequence[str] = ()) -> Knobs:
    """Return the knobs of runs.

    Parameters
    ----------
    runs : sequence of Run
    given : mapping
        Settings by the name of a run or of a recipe, in place of those that were read.
    named : sequence of str
        Settings that have to be among them, or what they are also called; also keys of a log's configuration.

    Raises
    ------
    InputError
        Names of no run or recipe, a knob that no run has or that is the same in all, no knob at all, or none that two
        runs state.
    """
    stated, notes = stated_by(runs, given, named)
    names = list(dict.fromkeys(name for own in stated for name in own))
    named = tuple(dict.fromkeys(known_as(name, names) for name in named))
    varied = [name for name in names if len({own.get(name) for own in stated}) > 1]
    for name in named:
        if name not in varied:
            raise InputError(f"--knob {name!r} is the same in all runs, so its effect cannot be seen", parameter="knob")
    chosen = _chosen(varied, stated, named)
    notes = (*notes, *chosen.notes)
    unknown = {k: tuple(name for name in chosen.knobs if name not in own) for k, own in enumerate(stated)}
    rare = {k: tuple(name for name in chosen.rare if name in own) for k, own in enumerate(stated)}
    kept = tuple(k for k in range(len(runs)) if not unknown[k] and not rare[k])
    differ = [name for name in chosen.knobs if len({stated[k][name] for k in kept}) > 1]
    if not differ:
        if any(map(bool, (*unknown.values(), *rare.values()))):
            raise InputError(_unknown(runs, kept, unknown, rare))
        raise InputError(_equal(bool(given) or any(run.settings or run.config for run in runs), notes))
    lacking = tuple((k, _why(unknown[k], rare[k])) for k in range(len(runs)) if k not in set(kept))
    knobs = tuple(_knob(name, [stated[k][name] for k in kept]) for name in differ)
    return Knobs(knobs, kept, lacking, named, notes, chosen.rare)


def _chosen(varied: Sequence[str], stated: Sequence[Stated], named: Sequence[str]) -> _Chosen:
    """Sort settings that differ, or that some runs do not state."""
    chosen, rare, notes = [], [], []
    for name in varied:
        values = [own[name] for own in stated if name in own]
        parts = set(re.split(r"[\W_]+", name.lower()))
        share = f"{name} is stated by {len(values)} of {len(stated)} runs"
        if name in named:
            chosen.append(name)
        elif parts & _IDENTITY or name.lower() in _IDENTITIES:
            continue
        elif 3 < len(values) == len(set(values)) and len(varied) > 1:
            notes.append(f"{name} has another value in every run: it tells runs apart and is no knob (--knob {name})")
        elif 2 * len(values) < len(stated):
            rare.append(name)
            notes.append(f"{share}, left out; the others, which do not state it, may differ in it: no claims")
        else:
            chosen.append(name)
    return _Chosen(tuple(chosen), tuple(rare), tuple(notes))


def _why(unknown: Sequence[str], rare: Sequence[str]) -> str:
    """Return why a run is left out."""
    if unknown:
        return f"it states no {', no '.join(unknown)}; {_ADD}"
    return f"it states {', '.join(rare)}, which most runs do not; {_ADD} for all, or --knob {rare[0]}"


def _unknown(
    runs: Sequence[Run],
    kept: Sequence[int],
    unknown: Mapping[int, Sequence[str]],
    rare: Mapping[int, Sequence[str]],
) -> str:
    """Say that no two runs can be compared, and of which runs what is not known."""
    groups: dict[str, list[str]] = {}
    for k, run in enumerate(runs):
        if unknown[k]:
            groups.setdefault(f"no {', no '.join(unknown[k])}", []).append(run.name)
        elif rare[k]:
            groups.setdefault(f"{', '.join(rare[k])}, which the others do not", []).append(run.name)
    parts = [f"{_few(own)} {'states' if len(own) == 1 else 'state'} {what}" for what, own in groups.items()]
    same = f"; {_few([runs[k].name for k in kept])} do not differ" if len(kept) > 1 else ""
    return (
        f"nothing can be compared, as settings are not known: {'; '.join(parts)}{same}; state each knob for all runs, "
        "with --settings F.csv"
    )


def _equal(known: bool, notes: Sequence[str]) -> str:
    """Say that no setting differs."""
    what = "no setting differs between the runs" if known else "no setting of the runs is known"
    more = f" ({'; '.join(notes)})" if notes else ""
    return (
        f"{what}{more}; give --settings F.csv with a column run or recipe and a column a knob, or a column a knob in "
        "the table"
    )


def _few(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _knob(name: str, values: Sequence[str]) -> Knob:
    try:
        numbers = tuple(float(value) for value in values)
    except ValueError:
        return Knob(name, tuple(values), None)
    return Knob(name, tuple(values), numbers if all(map(math.isfinite, numbers)) else None)
