"""What each run states of its settings, under the names of the one vocabulary."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rlscale.curves import Run
from rlscale.curves.vocabulary import SYNONYMS, normal, setting_of
from rlscale.errors import InputError

__all__ = ["Stated", "known_as", "stated_by", "worded"]

#: The settings of one run in words, those that it does not state left out.
Stated = dict[str, str]
_Given = Mapping[str, Mapping[str, Any]]

#: Settings that never are a knob of a recipe.
_NO_KNOBS = frozenset({"seed", "eval_generations"})
_MISSING = frozenset({"", "none", "null", "nan", "n/a", "na", "-"})
_ENDLESS = {"inf": "inf", "+inf": "inf", "infinity": "inf", "-inf": "-inf", "-infinity": "-inf"}


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
    if text.lower() in _ENDLESS:
        return _ENDLESS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.8g}" if math.isfinite(number) else text


def stated_by(runs: Sequence[Run], given: _Given, named: Sequence[str]) -> tuple[list[Stated], tuple[str, ...]]:
    """Return what each run states, and what is to be said of it.

    Parameters
    ----------
    runs : sequence of Run
    given : mapping
        Settings by the name of a run or of a recipe, in place of those that were read.
    named : sequence of str
        Keys of a log's configuration that are settings too.

    Raises
    ------
    InputError
        Names of no run or recipe, or a setting of which two things are said.
    """
    _check_names(runs, given)
    canonical = {name: _canonical(own, name) for name, own in given.items()}
    stated, notes = [], []
    for run in runs:
        own = _read(run, named)
        by_recipe, by_run = canonical.get(run.recipe, {}), canonical.get(run.name, {})
        for name in by_recipe.keys() & by_run.keys():
            if by_recipe[name] != by_run[name]:
                raise InputError(
                    f"--settings says two things of {name} of {run.name!r}: {by_run[name]}, and {by_recipe[name]} of "
                    f"its recipe {run.recipe!r}; keep one",
                    parameter="settings",
                )
        by_hand = {**by_recipe, **by_run}
        notes += [
            f"{name} of {run.name} is {value}, as given; its log says {own[name]}"
            for name, value in by_hand.items()
            if own.get(name, value) != value
        ]
        stated.append({**own, **by_hand})
    return stated, tuple(notes)


def _read(run: Run, named: Sequence[str]) -> Stated:
    """Return what was read of the settings of a run."""
    own: dict[str, Any] = {}
    if run.source is None or run.source.is_table:
        own |= run.config
    own |= {setting_of(name) or name: value for name, value in run.settings.items()}
    if run.source is not None and not run.source.is_table:  # a log holds hundreds of keys, which have to be named
        found = {name: _key(run.config, name) for name in named if setting_of(name) not in own and name not in own}
        own |= found
    if run.model_params is not None:
        own.setdefault("model_params", run.model_params)
    words = {name: worded(value) for name, value in own.items() if name not in _NO_KNOBS}
    return {name: word for name, word in words.items() if word is not None}


def _key(config: Mapping[str, Any], name: str) -> Any:
    """Return a value of a nested configuration by its dotted key."""
    if name in config:
        return config[name]
    head, _, rest = name.partition(".")
    inner = config.get(head)
    return _key(inner, rest) if rest and isinstance(inner, Mapping) else None


def _canonical(own: Mapping[str, Any], of: str) -> Stated:
    """Return settings that were given, by their canonical names."""
    words: Stated = {}
    for name, value in own.items():
        word, known = worded(value), setting_of(name) or name
        if word is None:
            continue
        if words.setdefault(known, word) != word:
            raise InputError(
                f"--settings says two things of {known} of {of!r}: {words[known]} and {word}; keep one",
                parameter="settings",
            )
    return words


def _check_names(runs: Sequence[Run], given: _Given) -> None:
    known = list(dict.fromkeys([*(run.name for run in runs), *(run.recipe for run in runs)]))
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known[:6])}"
            raise InputError(f"--settings: {name!r} is no run and no recipe; {hint}", parameter="settings")


def known_as(name: str, names: Sequence[str]) -> str:
    """Return a setting that was asked for by the name that runs state it under; aliases of the vocabulary work.

    Raises
    ------
    InputError
        No run states it; the nearest name is suggested.

    Examples
    --------
    >>> known_as("lr", ["learning_rate", "loss"]), known_as("Loss", ["learning_rate", "loss"])
    ('learning_rate', 'loss')
    """
    if name in names:
        return name
    for known in names:
        if known == setting_of(name) or normal(known) == normal(name):
            return known
    called = {normal(known): known for known in names}
    called |= {alias: known for alias, known in SYNONYMS.items() if known in names}
    close = difflib.get_close_matches(normal(name), called, 1)
    hint = f"did you mean {called[close[0]]}?" if close else f"the settings known are {', '.join(names) or 'none'}"
    raise InputError(f"--knob {name!r} is stated by no run; {hint}", parameter="knob")
