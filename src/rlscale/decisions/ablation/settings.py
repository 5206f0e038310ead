"""The knobs of runs: settings that differ between them, and what cannot be one."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlscale.curves import Run
from rlscale.errors import InputError

__all__ = ["Knob", "Knobs", "knobs_of", "worded"]

#: Settings that never are a knob of a recipe.
_NO_KNOBS = frozenset({"seed", "eval_generations"})
#: Words in the name of a column that says who or where a run is, not how it was trained; and such names.
_IDENTITY = frozenset(
    """
    seed id uuid host hostname node user owner date time timestamp started created dir path file url commit hash tag
    tags note notes comment job notebook entity
    """.split()  # noqa: SIM905  as a list it takes a screen
)
_IDENTITIES = frozenset({"name", "run", "run_name", "recipe", "group", "experiment", "experiment_name", "project"})
_MISSING = frozenset({"", "none", "null", "nan", "n/a", "na", "-"})


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
        Places of the runs that state all of them.
    lacking : tuple of (int, str)
        Places of the runs that do not, and the knob each lacks.
    notes : tuple of str
        Settings that differ and are no knob here, and why.
    """

    knobs: tuple[Knob, ...]
    kept: tuple[int, ...]
    lacking: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


def worded(value: Any) -> str | None:
    """Return a setting so that equal ones have equal words; None where it is not stated, or is no single value.

    Examples
    --------
    >>> worded(3e-4), worded("0.0003"), worded(True), worded("none"), worded([1])
    ('0.0003', '0.0003', 'true', None, None)
    """
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, Mapping | list | tuple | set):
        return None
    text = str(value).strip()
    if text.lower() in _MISSING:
        return None
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.8g}" if math.isfinite(number) else text


def knobs_of(runs: Sequence[Run], given: Mapping[str, Mapping[str, Any]], named: Sequence[str] = ()) -> Knobs:
    """Return the knobs of runs.

    Parameters
    ----------
    runs : sequence of Run
    given : mapping
        Settings by the name of a run or of a recipe, in place of those that were read.
    named : sequence of str
        Settings that have to be among them; also keys of a log's configuration.

    Raises
    ------
    InputError
        Names of no run or recipe, a knob that no run has or that is the same in all, no knob at all.
    """
    stated = [_stated(run, given, named) for run in runs]
    _check_given(runs, given)
    names = list(dict.fromkeys(name for own in stated for name in own))
    words = {name: [worded(own.get(name)) for own in stated] for name in names}
    differ = [name for name in names if len({value for value in words[name] if value is not None}) > 1]
    for name in named:
        _check_named(name, names, differ)
    chosen, notes = _chosen(differ, words, named)
    if not chosen:
        raise InputError(_nothing(runs, notes, given))
    lacking = [
        (k, next(name for name in chosen if words[name][k] is None))
        for k in range(len(runs))
        if any(words[name][k] is None for name in chosen)
    ]
    out = {k for k, _ in lacking}
    kept = tuple(k for k in range(len(runs)) if k not in out)
    left = [name for name in chosen if len({words[name][k] for k in kept}) > 1]
    if not left:
        raise InputError(_nothing([runs[k] for k in kept], notes, given))
    return Knobs(tuple(_knob(name, [str(words[name][k]) for k in kept]) for name in left), kept, tuple(lacking), notes)


def _stated(run: Run, given: Mapping[str, Mapping[str, Any]], named: Sequence[str]) -> dict[str, Any]:
    """Return what is known of the settings of a run."""
    own = {name: value for name, value in run.settings.items() if name not in _NO_KNOBS}
    if run.source is None or run.source.is_table:
        own = {**{name: value for name, value in run.config.items() if name not in _NO_KNOBS}, **own}
    else:  # the configuration of a log holds hundreds of keys, which have to be named
        own |= {name: value for name in named if (value := _key(run.config, name)) is not None and name not in own}
    if run.model_params is not None and "model_params" not in own:
        own["model_params"] = run.model_params
    return {**own, **given.get(run.recipe, {}), **given.get(run.name, {})}


def _key(config: Mapping[str, Any], name: str) -> Any:
    """Return a value of a nested configuration by its dotted key."""
    if name in config:
        return config[name]
    head, _, rest = name.partition(".")
    inner = config.get(head)
    return _key(inner, rest) if rest and isinstance(inner, Mapping) else None


def _check_given(runs: Sequence[Run], given: Mapping[str, Mapping[str, Any]]) -> None:
    known = list(dict.fromkeys([*(run.name for run in runs), *(run.recipe for run in runs)]))
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known[:6])}"
            raise InputError(f"--settings: {name!r} is no run and no recipe; {hint}", parameter="settings")


def _check_named(name: str, names: Sequence[str], differ: Sequence[str]) -> None:
    if name in differ:
        return
    if name in names:
        raise InputError(f"--knob {name!r} is the same in all runs, so its effect cannot be seen", parameter="knob")
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]}?" if close else f"the settings known are {', '.join(names) or 'none'}"
    raise InputError(f"--knob {name!r} is stated by no run; {hint}", parameter="knob")


def _chosen(
    differ: Sequence[str], words: Mapping[str, Sequence[str | None]], named: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the settings that are knobs, and what is said of the others."""
    chosen, notes = [], []
    for name in differ:
        values = words[name]
        stated = [value for value in values if value is not None]
        parts = set(re.split(r"[\W_]+", name.lower()))
        if name in named:
            chosen.append(name)
        elif parts & _IDENTITY or name.lower() in _IDENTITIES:
            continue
        elif len(stated) == len(values) > 3 and len(set(stated)) == len(values) and len(differ) > 1:
            notes.append(f"{name} has another value in every run: it tells runs apart and is no knob (--knob {name})")
        elif 2 * len(stated) < len(values):
            notes.append(f"{name} is stated by {len(stated)} of {len(values)} runs: it is no knob here (--knob {name})")
        else:
            chosen.append(name)
    return chosen, tuple(notes)


def _nothing(runs: Sequence[Run], notes: Sequence[str], given: Mapping[str, Any]) -> str:
    if len(runs) < 2:
        return "one run: an ablation compares runs that differ in a setting; give at least two"
    known = any(run.settings for run in runs) or given or any(run.config for run in runs)
    what = "no setting differs between the runs" if known else "no setting of the runs is known"
    more = f" ({'; '.join(notes)})" if notes else ""
    return (
        f"{what}{more}; give --settings F.csv with a column run or recipe and a column a knob, or a column a knob in "
        "the table"
    )


def _knob(name: str, values: Sequence[str]) -> Knob:
    try:
        numbers = tuple(float(value) for value in values)
    except ValueError:
        return Knob(name, tuple(values), None)
    return Knob(name, tuple(values), numbers if all(map(math.isfinite, numbers)) else None)
