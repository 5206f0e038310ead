"""The rows of a history in a table, one key a column: what W&B, Trackio and trainers' own rows look like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.keys import is_bookkeeping
from rlscale.sources.limits import EXPORT_COLUMNS, MOST_KEYS
from rlscale.sources.log import ReadOptions
from rlscale.sources.record import STEP_KEYS, Column, Record, RowColumns
from rlscale.sources.tables.columns import Columns, Named
from rlscale.sources.tables.contradictions import Measure, Part, Rival, parts_of
from rlscale.sources.tables.identity import Coded, joined, label_of, runs_of, seed_from
from rlscale.sources.tables.others import unexplained
from rlscale.sources.tables.roles import Roles, roles_of, text_columns
from rlscale.sources.text import plural, were
from rlscale.sources.trainers import trainer_of

__all__ = ["NAME", "TEXT", "column_of", "named_runs", "record_of", "runs_of_rows", "times_of"]

NAME = "tracker-export"

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

#: Columns that name a run and tell runs apart, best first; lower case.
NAMES, IDS = ("run_name", "display_name", "run", "name"), ("run_id", "run_uuid")
_TIME = "timestamp"
TEXT = frozenset({*NAMES, *IDS, "key", _TIME})

#: Rows that are filled into columns at a time.
_CHUNK = 4096

#: Unix times after the year 5000 are milliseconds.
_LATEST = 1e11

#: The trainer's own step (W&B's ``_step`` counts log calls).
_STEPS = tuple(key for key in STEP_KEYS if key != "_step")


def column_of(table: Columns, wanted: Sequence[str]) -> str | None:
    """Return the first of ``wanted`` (lower case) that is a column, as the table writes it."""
    lower = {name.lower(): name for name in table.names}
    return next((lower[name] for name in wanted if name in lower), None)


def _labels(table: Columns, name: str) -> Coded:
    if name in table.labels:
        return table.labels[name]
    values, codes = np.unique(table.numbers[name], return_inverse=True)
    return codes.ravel(), ["" if math.isnan(one) else f"{one:.15g}" for one in values.tolist()]


def times_of(table: Columns) -> Floats:
    """Return the Unix time of each row, NaN where none is known; text is ISO 8601, in UTC where no zone is given."""
    numbered = column_of(table, ("_timestamp", _TIME, "wall time"))
    if numbered is None:
        return np.full(table.rows, np.nan)
    if numbered in table.labels:
        codes, texts = table.labels[numbered]
        time = np.array([_moment(text) for text in texts], dtype=np.float64)[codes]
    else:
        time = table.numbers[numbered]
    return np.where(np.abs(time) > _LATEST, time / 1000, time)


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def named_runs(table: Columns, keys: int) -> tuple[Codes, list[tuple[str, str | None]]] | None:
    """Return a code for each row, and the name and id of each code, in order of first row; None without such a column.

    Raises
    ------
    SourceError
        Rows without a run, or more runs than any export.
    """
    found = [column_of(table, wanted) for wanted in (NAMES, IDS)]
    if not any(found):
        return None
    columns = [_labels(table, one) if one is not None else None for one in found]
    both = np.stack([one[0] if one is not None else np.zeros(table.rows, dtype=np.intp) for one in columns])
    pairs, first, codes = np.unique(both, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(first)
    _check_many(table, order.size, keys, found[1] or found[0])
    labels, ids = columns
    runs: list[tuple[str, str | None]] = []
    for place in order:
        name = labels[1][pairs[0, place]] if labels is not None else ""
        own = ids[1][pairs[1, place]] if ids is not None else ""
        if not name and not own:
            empty = int(np.count_nonzero(codes.ravel() == place))
            message = f"{plural(empty, 'row')} without a run; fill the column {found[0] or found[1]!r}"
            raise SourceError(table.path, message)
        runs.append((name or own, own or None))
    return np.argsort(order)[codes.ravel()], runs


def _check_many(table: Columns, runs: int, keys: int, column: str | None) -> None:
    if runs * max(keys, 1) > EXPORT_COLUMNS:
        what = f"holds {plural(runs, 'run')} of {plural(keys, 'column')}"
        raise SourceError(table.path, f"{what}, more than any export; is {column!r} the name of the run?")


def record_of(
    path: Path,
    name: str,
    rows: int,
    columns: dict[str, Column],
    repairs: Sequence[str],
    *,
    run_id: str | None = None,
    warnings: Sequence[str] = (),
) -> Record:
    """Return a record of an export."""
    return Record(
        name=name,
        path=str(path),
        format=NAME,
        rows=rows,
        columns=columns,
        run_id=run_id,
        repairs=tuple(repairs),
        warnings=tuple(warnings),
    )


def runs_of_rows(path: Path, load: Callable[[Named], Columns], options: ReadOptions) -> list[Record]:
    """Return the runs of rows whose columns are the keys.

    Parameters
    ----------
    path : Path
        The file.
    load : callable
        Reads it, given which columns are text.
    options : ReadOptions
        ``by`` and ``metric``.

    Raises
    ------
    SourceError
        As :func:`rlscale.sources.tables.tracker_export.read_records`.
    """

    def loaded(also: frozenset[str]) -> Columns:
        known = text_columns(options.by)
        return load(lambda name: name in also or name.lower() in TEXT or known(name))

    table = loaded(frozenset())
    return _Rows(path, table, roles_of(table, options), options, loaded).records()


class _Rows:
    """The rows of a table whose columns are keys, and the records made of them."""

    def __init__(
        self, path: Path, table: Columns, roles: Roles, options: ReadOptions,
        loaded: Callable[[frozenset[str]], Columns],
    ) -> None:  # fmt: skip
        self.path, self.table, self.roles, self.options, self.loaded = path, table, roles, options, loaded
        lower = {name.lower() for name in table.names}
        counts_calls = {"run_name", _TIME, "step"} <= lower  # Trackio's step
        self.keys = [
            name for name in table.numbers
            if name.lower() not in TEXT and not (counts_calls and name == "step")
        ]  # fmt: skip
        several = [one for one in roles.dataset if sum(map(bool, table.labels[one][1])) > 1]
        self.split = joined([table.labels[one] for one in several]) if several else None
        self.time = times_of(table)

    def records(self) -> list[Record]:
        """Return one record a run, in order of first row."""
        named = named_runs(self.table, len(self.keys))
        if named is not None:
            codes, runs = named
        else:
            codes, texts = runs_of(self.table, self.roles)
            _check_many(self.table, len(texts), len(self.keys), next(iter(self.roles.recipe), self.roles.seed))
            runs = [(text, None) for text in texts]
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(runs) + 1))
        found = []
        for code, (name, run_id) in enumerate(runs):
            rows = order[bounds[code] : bounds[code + 1]]
            empty = Record(name=name, path=str(self.path), format=NAME, rows=0, columns={}, run_id=run_id)
            stated = self._stated(empty, name, rows)
            for k, part in enumerate(self._parts(name, rows), start=1):
                found.append(self._record(replace(stated, name=name + ("" if k == 1 else f"#{k}")), part))
        return found

    def _stated(self, record: Record, name: str, rows: Codes) -> Record:
        """Return a record with what the columns say of the recipe and the seed of the run."""
        recipe = label_of(self.table, self.roles.recipe, name, rows)
        seeds = (self.roles.seed,) if self.roles.seed is not None else ()
        seed = seed_from(self.table, label_of(self.table, seeds, name, rows), name)
        return replace(
            record,
            group=recipe,
            recipe_by=self.roles.recipe if recipe is not None else (),
            seed=seed,
            seed_by=seeds if seed is not None else (),
            dataset_by=self.roles.dataset if self.split is not None else (),
        )

    def _parts(self, name: str, rows: Codes) -> list[Part]:
        """Return the runs among the rows of one name; rows with times were logged one after the other, as a log's."""
        if np.isfinite(self.time[rows]).any():
            return [Part(rows)]
        step = np.full(rows.size, np.nan)
        for key in _STEPS:
            if key in self.table.numbers:
                step = np.where(np.isfinite(step), step, self.table.numbers[key][rows])
        measures = [
            Measure(rows[of], step[of], self.table.numbers[key][rows[of]])
            for key in self._rewards() for of in self._of_datasets(rows)
        ]  # fmt: skip
        word = next((key for key in _STEPS if key in self.table.numbers), "step")
        epoch = next((key for key in self.table.numbers if names.normal(key) == "epoch"), None)
        beside = {*self.keys} if trainer_of(self.keys).marks else {*self.roles.special, *self._rewards()}
        rival = Rival(
            path=str(self.path),
            who=f"run {name!r}: " if name else "",
            word=word,
            others=lambda: unexplained(self.table, self.loaded, beside),
            epoch=(epoch, self.table.numbers[epoch]) if epoch is not None else None,
        )
        return parts_of(rows, measures, rival)

    def _rewards(self) -> list[str]:
        """Return the columns of rewards, that of ``--metric`` where it is given."""
        trainer = trainer_of(self.keys)
        native = {key: trainer.native(key) for key in self.keys}
        asked = self.options.metric
        if asked is not None:
            return [key for key, own in native.items() if asked in (key, own)]
        rewards = trainer.validation(native.values()) or trainer.train(native.values())
        return [key for key, own in native.items() if own in rewards]

    def _of_datasets(self, rows: Codes) -> Iterator[NDArray[np.bool_]]:
        if self.split is None:
            yield np.ones(rows.size, dtype=bool)
        else:
            of = self.split[0][rows]
            yield from (of == code for code in np.unique(of))

    def _record(self, stated: Record, part: Part) -> Record:
        table, keys = self.table, self.keys
        grown = RowColumns()
        counter = column_of(table, ("_step", "step"))
        own = table.numbers.get(counter or "", np.arange(table.rows, dtype=np.float64))
        for since in range(0, part.rows.size, _CHUNK):
            rows = part.rows[since : since + _CHUNK]
            cells = np.stack([table.numbers[key][rows] for key in keys], axis=1) if keys else np.empty((rows.size, 0))
            for row, values, logged in zip(rows.tolist(), cells, np.isfinite(cells), strict=True):
                named = {self._key(keys[k], row): float(values[k]) for k in np.flatnonzero(logged)}
                grown.add(named, float(own[row]) if np.isfinite(own[row]) else float(row), float(self.time[row]))
        said = [f"{were(grown.left_out, 'value')} left out: more than {MOST_KEYS} keys"] if grown.left_out else []
        repairs = (*table.repairs, *said, *part.repairs)
        return replace(stated, rows=len(grown), columns=grown.done(), repairs=repairs)

    def _key(self, key: str, row: int) -> str:
        """Return the key of a value, with the dataset behind it where there are several."""
        if self.split is None or is_bookkeeping(key):
            return key
        text = self.split[1][self.split[0][row]]
        return f"{key}@{text}" if text else key
