"""Tables: one row an evaluation, in CSV, Parquet or JSON lines; or one column a run.

Columns are known by their names (:mod:`rlscale.sources.names`), whatever their order; what no name says is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import UNITS, Series, canonical_unit
from rlscale.errors import CurveError, SourceError
from rlscale.sources import names
from rlscale.sources.limits import TABLE_RUNS
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.repair import tidy
from rlscale.sources.tables.axis_column import ROW, axis_column
from rlscale.sources.tables.columns import Columns, Named
from rlscale.sources.tables.contradictions import Measure, Part, Rival, parts_of
from rlscale.sources.tables.extents import extents
from rlscale.sources.tables.identity import joined, label_of, name_of, runs_of, seed_from, texts_of
from rlscale.sources.tables.knob_columns import knob_columns
from rlscale.sources.tables.lost import lost_of
from rlscale.sources.tables.model_sizes import with_model_sizes
from rlscale.sources.tables.others import Loads, unexplained, unread_metrics, unused_words
from rlscale.sources.tables.rewards import Rewards, rewards_of
from rlscale.sources.tables.roles import UNIT_COLUMNS, Roles, required, roles_of, text_columns
from rlscale.sources.tables.settings import Held, held_by, settings_columns
from rlscale.sources.tables.step_words import numbered, step_words, without_checkpoints
from rlscale.sources.tables.wide import advice, in_long_form, is_wide
from rlscale.sources.trainers.other import OTHER

__all__ = ["NAME", "logs_of"]

NAME = "table"


Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def logs_of(path: Any, load: Callable[[Any, Named, Named], Columns], options: ReadOptions | None) -> list[Log]:
    """Return the runs of a table that ``load`` reads."""
    given = options or ReadOptions()

    def loaded(also: frozenset[str]) -> Columns:
        known = text_columns(given.by)
        return load(path, lambda name: name in also or known(name), required)

    logs = list(_table(loaded, given).logs())
    if logs and all(log.refused for log in logs):
        raise SourceError(str(path), logs[0].refused)
    return logs


def _refused(name: str, path: str, rows: Rows, error: SourceError) -> Log:
    """Return a run that is left out alone, with the reason."""
    return Log(
        name=name, path=path, format=NAME, rows=int(rows.size), series={}, validation=(), train=(), axes={},
        refused=error.message,
    )  # fmt: skip


def _table(loaded: Loads, options: ReadOptions) -> _Table:
    """Return the table with its columns by role: steps written as words are numbers, a wide one is long."""
    columns = with_model_sizes(loaded(frozenset()), loaded)
    without_checkpoints(columns, options)
    roles = roles_of(columns, options)
    worded = step_words(columns, roles, options)
    if worded is not None:
        columns = with_model_sizes(loaded(frozenset({worded})), loaded)
        numbered(columns, worded)
        roles = roles_of(columns, options)
    if is_wide(columns, roles, options):
        if not roles.axes and roles.compute is None and options.compute == ROW:
            columns.numbers[ROW] = np.arange(1.0, columns.rows + 1)
        columns = in_long_form(columns, roles, options)
        roles = roles_of(columns, options)
    return _Table(columns, roles, options, loaded)


def _unused(column: str) -> tuple[str, ...]:
    return (f"column {column!r} has no unit and is not used (--compute {column} --unit U uses it)",)


class _Table:
    """A table's columns by role, and the logs made of them."""

    def __init__(self, columns: Columns, roles: Roles, options: ReadOptions, loaded: Loads) -> None:
        self.columns = columns
        self.path = columns.path
        self.roles = roles
        self.options = options
        self.loaded = loaded
        self.runs = runs_of(columns, roles)
        if len(self.runs[1]) > TABLE_RUNS:
            what = f"holds {len(self.runs[1]):,} runs, more than {TABLE_RUNS:,}"
            naming = (*roles.run, *roles.recipe, roles.seed)[0]
            raise SourceError(self.path, f"{what}; is {naming!r} the name of the run?")
        self.absent = dict.fromkeys(UNITS, f"its columns are {', '.join(columns.names)}")
        self.axis = axis_column(columns, roles, options, self.runs)
        self.rewards: Rewards = rewards_of(columns, roles, self.axis.key)
        special = roles.special
        beside = {*special, self.axis.key, options.metric, *self.rewards.validation, *self.rewards.train}
        self.settings, self.stating = settings_columns(columns, self.runs, loaded, beside)
        self.knobs = knob_columns(columns, self.runs, loaded, {*beside, *self.stating})
        self.plain = [name for name in columns.numbers if name not in special and name not in self.stating]
        self.split = joined([columns.labels[name] for name in roles.dataset]) if roles.dataset else None
        self.extents = extents(columns, roles, self.plain, self.split)
        self.warnings = (*unused_words(columns, roles, loaded, self.stating), *unread_metrics(columns))
        self.known = OTHER.metrics({name: Series(np.empty(0), np.empty(0)) for name in columns.numbers})

    def logs(self) -> Iterator[Log]:
        """Yield one log a run, in order of first row."""
        codes, texts = self.runs
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(texts) + 1))
        for code, name in enumerate(texts):
            rows = order[bounds[code] : bounds[code + 1]]
            parts = self._parts(name, rows)
            try:
                stated, settings = self._stated(name, rows), self._settings(code)
                logs = [
                    self._log(name, part, "" if k == 1 else f"#{k}", stated, settings)
                    for k, part in enumerate(parts, 1)
                ]
            except SourceError as error:  # the other runs are none the worse
                yield _refused(name, self.path, rows, error)
            else:
                yield from logs

    def _stated(self, name: str, rows: Rows) -> tuple[str | None, int | None]:
        """Return the recipe and the seed that the columns state of a run."""
        seeds = (self.roles.seed,) if self.roles.seed is not None else ()
        seed = seed_from(self.columns, label_of(self.columns, seeds, name, rows), name)
        return label_of(self.columns, self.roles.recipe, name, rows), seed

    def _settings(self, code: int) -> Held:
        return held_by(self.settings, code), held_by(self.knobs, code)

    def _parts(self, name: str, rows: Rows) -> list[Part]:
        """Return the runs among the rows of one name: one, unless the rows contradict each other."""
        place = self.axis.values[rows]
        if place.size < 2 or bool((place[1:] > place[:-1]).all()):
            return [Part(rows)]
        if names.normal(self.axis.key or "") == "epoch" and self.roles.axes:
            within = self.columns.numbers[next(iter(self.roles.axes))][rows]
            return [Part(rows[np.lexsort((within, place))])]
        metrics = self._metrics(rows)
        used = [key for key in metrics if self._means_reward(key, metrics[key][0])]
        numbers = self.columns.numbers
        measures = [
            Measure(chosen, self.axis.values[chosen], numbers[column][chosen])
            for column, chosen in map(metrics.__getitem__, used)
        ]
        return parts_of(rows, measures, self._rival(name))

    def _means_reward(self, key: str, column: str) -> bool:
        """Whether the rows of a metric may contradict each other: that of ``--metric``, else the rewards."""
        asked = self.options.metric
        if asked is not None:
            return asked in (key, column, *key.split("@"))
        return self.roles.metric is not None or column in (self.rewards.validation or self.rewards.train)

    def _rival(self, name: str) -> Rival:
        numbers = self.columns.numbers
        epoch = next((one for one in numbers if names.normal(one) == "epoch" and one != self.axis.key), None)
        return Rival(
            path=self.path,
            who=f"run {name!r}: " if name else "",
            word=self.axis.word,
            others=self._others,
            epoch=(epoch, numbers[epoch]) if epoch is not None else None,
        )

    def _others(self) -> Iterator[tuple[str, Rows]]:
        """Yield the columns that may tell rows apart."""
        beside = {*self.roles.special, self.axis.key, *self.rewards.validation, *self.rewards.train}
        return unexplained(self.columns, self.loaded, {name for name in beside if name is not None})

    def _log(self, name: str, part: Part, suffix: str, stated: tuple[str | None, int | None], held: Held) -> Log:
        numbers, rows = self.columns.numbers, part.rows
        self._check_compute(name, rows)
        metrics = self._metrics(rows)
        series, kept, said = {}, {}, {}
        for metric, (column, chosen) in metrics.items():
            place, value = self.axis.values[chosen], numbers[column][chosen]
            order, said[metric] = tidy(place, value, self.axis.word)
            series[metric] = Series(place[order], value[order])
            kept[metric] = chosen[order]
        axes, axis_keys, axis_units, undeclared = self._axes(name, rows)
        recipe, seed = stated
        return Log(
            name=name + suffix,
            path=self.path,
            format=NAME,
            rows=int(rows.size),
            series=series,
            validation=self._keys(metrics, self.rewards.validation),
            train=self._keys(metrics, self.rewards.train) if self.roles.metric is None else (),
            axes=axes,
            axis_keys=axis_keys,
            axis_units=axis_units,
            undeclared=undeclared,
            absent=self.absent,
            n_eval=self._beside(lambda column: self.roles.n_eval, metrics, kept),
            sd=self._beside(self._sd_of, metrics, kept),
            non_finite=lost_of(metrics, self.axis.values, numbers, stated=self.roles.metric is not None),
            recipe=recipe,
            recipe_by=self.roles.recipe if recipe is not None else (),
            seed=seed,
            seed_by=(self.roles.seed,) if self.roles.seed is not None and seed is not None else (),
            dataset_by=self.roles.dataset,
            model_params=self._number(self.roles.model_params, rows),
            extents=self.extents,
            metrics={
                one: replace(metric, series=series[metric.key])
                for one, metric in self.known.items()
                if metric.key in series
            },
            settings=held[0],
            config=held[1],
            repairs=(*self.columns.repairs, *self.rewards.repairs, *part.repairs),
            warnings=self.warnings,
            metric_repairs=said,
            metric_advice=advice(self.plain, self.options),
            axis_warnings={unit: _unused(undeclared) for unit in axes} if undeclared and axes else {},
        )

    def _check_compute(self, name: str, rows: Rows) -> None:
        for column in {self.axis.key, *self.roles.axes} - {None, ROW}:
            values = self.columns.numbers[str(column)][rows]
            bad = values[values < 0]
            if bad.size and (column == self.axis.key or str(column).lower() in UNIT_COLUMNS):
                who = f"run {name!r}: " if name else ""
                raise SourceError(self.path, f"{who}negative {column} {bad.min():g}; compute counts up from 0")

    def _metrics(self, rows: Rows) -> dict[str, tuple[str, Rows]]:
        """Return (column, rows) of each metric.

        By the ``metric`` column, else every numeric column by its name; each for each dataset, ``accuracy@math``.
        """
        roles = self.roles
        if roles.metric is not None and roles.value is not None:
            codes, texts = self.columns.labels[roles.metric]
            found = {text or "reward": (roles.value, chosen) for text, chosen in _by_code(codes, texts, rows)}
        else:
            found = {one: (one, rows) for one in self.plain}
        if self.split is None:
            return found
        return {
            f"{metric}@{text}" if text else metric: (column, chosen)
            for metric, (column, of) in found.items()
            for text, chosen in _by_code(*self.split, of)
        }

    def _keys(self, metrics: Mapping[str, tuple[str, Rows]], rewards: tuple[str, ...]) -> tuple[str, ...]:
        if self.roles.metric is not None:
            return tuple(metrics)
        return tuple(key for key, (column, _) in metrics.items() if column in rewards)

    def _axes(self, name: str, rows: Rows) -> tuple[dict[str, Series], dict[str, Series], dict[str, str], str | None]:
        place = self.axis.values[rows]
        order, _ = tidy(place, place)
        step = place[order]
        keys: dict[str, Series] = {}
        units: dict[str, str] = {}
        full: dict[str, Series] = {}
        partial: dict[str, Series] = {}
        candidates = dict(self.roles.axes)
        undeclared = None
        if self.roles.compute is not None:
            unit = self._unit(name, rows)
            undeclared = self.roles.compute if unit is None else None
            candidates = {self.roles.compute: unit or "", **candidates}
        for column, unit in candidates.items():
            values = self.columns.numbers[column][rows][order]
            keys[column] = Series(step, values)
            if unit:
                units[column] = unit
                finite = np.isfinite(values)
                some = full if finite.all() else partial
                if finite.any() and (column == self.roles.compute or self._counts(column, values[finite])):
                    some.setdefault(unit, keys[column])
        if self.axis.key == ROW and ROW not in keys:
            keys[ROW] = Series(step, step)
        return (full or partial), keys, units, undeclared

    def _counts(self, column: str, values: Floats) -> bool:
        """Whether a column counts up along a run; one with the name of a unit does."""
        if column.lower() in UNIT_COLUMNS or values.size < 2:
            return True
        return bool((values[1:] >= values[:-1]).all()) and bool(values[-1] > values[0])

    def _unit(self, name: str, rows: Rows) -> str | None:
        if self.roles.unit is None:
            return None
        found = texts_of(self.columns.labels[self.roles.unit], rows)
        try:
            units = sorted({canonical_unit(text) for text in found})
        except CurveError as error:
            raise SourceError(self.path, f"run {name_of(self.columns, name)!r}: {error.on_command_line}") from error
        if len(units) > 1:
            message = (
                f"run {name_of(self.columns, name)!r} mixes the units {' and '.join(units)}; keep one unit for each run"
            )
            raise SourceError(self.path, message)
        return units[0] if units else None

    @cached_property
    def _spreads(self) -> dict[str, str]:
        """The columns that hold the standard error of another one, ``acc_stderr`` of ``acc``, by that."""
        lower = {names.normal(name): name for name in self.columns.numbers}
        ends = [f"{between}{end}" for between in "_/," for end in ("stderr", "sem")]
        return {
            name: lower[names.normal(name) + end]
            for name in self.columns.numbers for end in ends if names.normal(name) + end in lower
        }  # fmt: skip

    def _sd_of(self, column: str) -> str | None:
        return self.roles.sd or self._spreads.get(column)

    def _beside(
        self, of: Callable[[str], str | None], metrics: Mapping[str, tuple[str, Rows]], kept: Mapping[str, Rows]
    ) -> dict[str, Series]:
        """Return the column that goes with each metric (its n_eval, its sd) at the rows kept of it."""
        found = {}
        for metric, rows in kept.items():
            column = of(metrics[metric][0])
            if column is not None:
                found[metric] = Series(self.axis.values[rows], self.columns.numbers[column][rows])
        return found

    def _number(self, column: str | None, rows: Rows) -> float | None:
        if column is None:
            return None
        values = self.columns.numbers[column][rows]
        values = values[np.isfinite(values)]
        return float(values[0]) if values.size else None


def _by_code(codes: Rows, texts: list[str], rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of each text, in the order of the texts."""
    of = codes[rows]
    for code in np.flatnonzero(np.bincount(of, minlength=len(texts))):
        yield texts[code], rows[of == code]
