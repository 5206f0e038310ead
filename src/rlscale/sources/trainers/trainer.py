"""What a trainer is to a reader: its keys, its counters, its timers and its configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from rlscale.curves import Metric, Series
from rlscale.curves.validation_keys import validation_keys
from rlscale.sources.clocks import Clock
from rlscale.sources.history import History
from rlscale.sources.repair import Replaced, Row, number
from rlscale.sources.stopwatch import Wall
from rlscale.sources.trainers.canonical import CANONICAL, OWN_LOOP, SETTINGS, Key, compiled

__all__ = ["Count", "Measured", "Trainer", "product"]

_UNIT = {one.name: one.unit for one in CANONICAL}
#: A number of GPUs is a fact of a run (``Log.gpus``), read from other keys: none of them is one.
_NOT_SERIES = frozenset({"step", "validation", "n_eval", "gpus"})


@dataclass(frozen=True)
class Count:
    """A counter of compute: the unit, the key, and whether a value counts one step or everything so far.

    ``times`` names another key that each value is multiplied by (samples of a step and their mean length).
    """

    unit: str
    key: str
    per: Literal["step", "total"]
    times: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """What a trainer's rows say of compute.

    Parameters
    ----------
    axes : mapping of str to Series
        Cumulative compute by unit against the step, ``steps`` among them.
    clocks : mapping of str to Clock
        ``train`` and ``train+eval``, where the trainer times its steps.
    lost : sequence of (Replaced, float)
        What each resume threw away, and its seconds.
    gpus : float, optional
        GPUs of the run.
    gpus_said : str
        How they are known, for the sentence of the axis.
    absent : mapping of str to str
        Why a unit cannot be had, and what to do.
    sd : mapping of str to Series
        Relative noise of each value of a reward.
    n_eval : mapping of str to Series
        Graded samples behind each value of a validation key.
    logp_passes, sample_length : float, optional
        As in :class:`rlscale.sources.log.Log`.
    series : mapping of str to Series, optional
        The series, where the trainer moves them to other steps.
    wall : Wall, optional
        The seconds by the rows' own times, where the trainer moves them to other steps.
    axis_keys, axis_units
        As in :class:`rlscale.sources.log.Log`.
    repairs, warnings : tuple of str
        One sentence each.
    axis_warnings, metric_repairs : mapping of str to tuple of str
        Sentences that matter only with this unit (metric).
    """

    axes: Mapping[str, Series]
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    lost: tuple[tuple[Replaced, float], ...] = ()
    gpus: float | None = None
    gpus_said: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    sd: Mapping[str, Series] = field(default_factory=dict)
    n_eval: Mapping[str, Series] = field(default_factory=dict)
    logp_passes: float | None = None
    sample_length: float | None = None
    series: Mapping[str, Series] | None = None
    wall: Wall | None = None
    axis_keys: Mapping[str, Series] = field(default_factory=dict)
    axis_units: Mapping[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    axis_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metric_repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """One trainer.

    Parameters
    ----------
    name, title : str
        In JSON, and in sentences.
    snapshot : str
        The version whose source and logs were read.
    marks : tuple of str
        Keys (as in :class:`Key`) that no other trainer logs; the trainer with most of them is the one.
    keys : tuple of Key
        Its keys, best first for each canonical quantity.
    counts : tuple of Count
        Its counters of compute, best first for each unit.
    step_timers, eval_timers : tuple of str
        Keys of the seconds of one step, and of its validation.
    eval_inside : bool
        Whether the step's timer runs on through a validation.
    overlaps : bool
        Whether generation and training run side by side: then the time that passed, where the rows hold it, counts,
        and not the timers.
    gpus : tuple of tuple of str
        Configuration keys whose product is the number of GPUs; the tuples add up. A tuple does not count where the
        key after a ``not`` among them is set (two jobs on the same GPUs).
    samples : tuple of str
        Configuration keys whose product is the samples of one step.
    settings : mapping of str to tuple of str
        Configuration keys (dots between levels) of the names in ``SETTINGS``, best first.
    no_validation : tuple of str
        What keys of its train batch begin with that look like a validation.
    native : callable
        Turns a key as a tracker stores it into the trainer's own.
    measure : callable, optional
        Replaces the reading by ``counts`` and timers.
    rows : callable, optional
        What must be done to the rows of a file before those of one step are merged.
    files : str
        Where its logs are, for the docs page.
    traps : tuple of str
        What a reader must know, for the docs page.
    """

    name: str
    title: str
    snapshot: str
    marks: tuple[str, ...]
    keys: tuple[Key, ...]
    counts: tuple[Count, ...] = ()
    step_timers: tuple[str, ...] = ()
    eval_timers: tuple[str, ...] = ()
    eval_inside: bool = False
    overlaps: bool = False
    gpus: tuple[tuple[str, ...], ...] = ()
    samples: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_validation: tuple[str, ...] = ()
    native: Callable[[str], str] = str
    measure: Callable[[Trainer, History, Mapping[str, Any]], Measured] | None = None
    rows: Callable[[Iterable[Row]], Iterable[Row]] | None = None
    files: str = ""
    traps: tuple[str, ...] = ()

    def score(self, keys: Collection[str]) -> int:
        """Return how many of the marks are among ``keys`` (native)."""
        known = keys if isinstance(keys, set | frozenset | dict) else frozenset(keys)
        return sum(_any(mark, known) if "{" in mark else mark in known for mark in self.marks)

    def found(self, name: str, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the keys that log a canonical quantity: all that match the first pattern any key matches."""
        known = tuple(keys)
        for one in self.keys:
            if one.name == name:
                matched = tuple(key for key in known if one.matches(key))
                if matched:
                    return matched
        return ()

    def validation(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the primary validation keys: the trainer's own, else those whose names say so."""
        known = tuple(keys)
        return self.found("validation", known) or validation_keys(known, without=self.no_validation)

    def train(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the train rewards."""
        return self.found("train_reward", keys)

    def metrics(self, series: Mapping[str, Series]) -> dict[str, Metric]:
        """Return the canonical quantities of a run that a single key logs.

        What the trainer does not log itself may stand under the name that a loop of one's own would give it.
        """
        found: dict[str, Metric] = {}
        own = {one.name for one in self.keys}
        for one in (*self.keys, *(each for each in OWN_LOOP if each.name not in own)):
            if one.name in _NOT_SERIES or one.name in found:
                continue
            names = [one.key] if one.literal else series
            matched = [key for key in names if key in series and one.matches(key)]
            metric = _metric(one, matched[0], series) if len(matched) == 1 else None
            if metric is not None:
                found[one.name] = metric
        return found

    def settings_of(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a flat configuration says of the recipe, by the names of ``SETTINGS``."""
        found = {}
        for name in SETTINGS:
            value = next((config[key] for key in self.settings.get(name, ()) if config.get(key) is not None), None)
            if value is not None:
                found[name] = value
        return found

    def gpus_of(self, config: Mapping[str, Any]) -> float | None:
        """Return the GPUs that a flat configuration states; None where it states none."""
        total = 0.0
        for factors in self.gpus:
            shared = any(_is_set(config.get(one[4:])) for one in factors if one.startswith("not "))
            count = None if shared else product(config, [one for one in factors if not one.startswith("not ")])
            total += count or 0.0
        return total if 0 < total < 1e7 else None

    def samples_of(self, config: Mapping[str, Any]) -> float | None:
        """Return the samples of one step that a flat configuration states; None where it states none."""
        return product(config, self.samples) if self.samples else None


def _any(mark: str, keys: Collection[str]) -> bool:
    """Whether any key fits a mark; its longest fixed part is looked for first, which is much faster."""
    fixed = max(re.split(r"\{[^{}]*\}", mark), key=len)
    fits = compiled(mark).fullmatch
    return any(fixed in key and fits(key) is not None for key in keys)


def product(config: Mapping[str, Any], keys: Iterable[str]) -> float | None:
    """Return the product of settings, None where one is missing or no number above 0; MLflow holds them as text."""
    total = 1.0
    for key in keys:
        value = number(config.get(key, "")) if not isinstance(config.get(key), bool) else None
        if value is None or not 0 < value < 1e12:
            return None
        total *= value
    return total


def _is_set(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _metric(key: Key, logged: str, series: Mapping[str, Series]) -> Metric | None:
    """Return the quantity, None where another key that it needs is missing."""
    one, name = series[logged], logged
    if key.complement:
        one, name = Series(one.step, 1.0 - one.value), f"1 - {logged}"
    for sign, beside in ((1.0, logged.replace(*key.plus) if key.plus[0] else ""), (-1.0, key.minus)):
        if not beside:
            continue
        other = series.get(beside)
        if other is None or not np.array_equal(other.step, one.step):
            return None
        one, name = Series(one.step, one.value + sign * other.value), f"{name} {'+' if sign > 0 else '-'} {beside}"
    return Metric(key=name, unit=key.unit or _UNIT[key.name], series=one)
