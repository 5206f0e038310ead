"""Long tables: one row an evaluation, in CSV, Parquet or JSON lines.

Columns ``run, recipe, seed, model_params, compute, unit, reward, n_eval, sd``; ``run_id``, ``value`` and
``compute_unit`` are other names of ``run``, ``reward`` and ``unit``; ``metric`` names the reward of each row;
``gpu_hours, flops, tokens, samples, step`` are compute in that unit. Case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import UNITS, Series, canonical_unit
from rlscale.errors import CurveError, SourceError
from rlscale.sources.log import Log
from rlscale.sources.naming import named
from rlscale.sources.repair import tidy
from rlscale.sources.seed_marks import seed_mark
from rlscale.sources.tables.columns import Columns, TextColumn, from_json_lines, from_parquet
from rlscale.sources.tables.csv_table import from_csv
from rlscale.sources.tables.roles import ALIASES, REQUIRED, TEXT, UNIT_COLUMNS, is_csv, is_json_table
from rlscale.sources.text import plural, read_head

__all__ = ["NAME", "read", "sniff"]

NAME = "table"

#: A run takes some kilobytes, however few its rows are.
_MOST_RUNS = 250_000

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file is a table: by its ending, Parquet's magic bytes, its header, or a JSON row with its columns."""
    if path.suffix.lower() in {".csv", ".tsv", ".parquet"} or head.startswith(b"PAR1"):
        return True
    return is_csv(head) or is_json_table(head)


def read(path: Path) -> list[Log]:
    """Return the runs of a table.

    Rows are sorted by compute; of rows at one compute equal ones are dropped and of conflicting ones the later wins.

    Raises
    ------
    SourceError
        Whatever makes the file no table, a run that mixes units or recipes, a row without a run, negative compute.
    """
    head = read_head(path)
    if head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
        load = from_parquet
    elif path.suffix.lower() in {".csv", ".tsv"} or is_csv(head):
        load = from_csv
    else:
        load = from_json_lines
    logs = list(_Table(load(path, TEXT, REQUIRED)).logs())
    if logs and all(log.refused for log in logs):
        raise SourceError(str(path), logs[0].refused)
    return logs


@dataclass(frozen=True)
class _Axis:
    """The column the rows are placed by."""

    key: str | None
    word: str
    values: Floats


def _unused(column: str) -> tuple[str, ...]:
    return (f"column {column!r} has no unit and is not used (--compute {column} --unit U uses it)",)


class _Table:
    """A table's columns by role, and the logs made of them."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.path = columns.path
        lower = {name.lower(): name for name in (*columns.numbers, *columns.labels)}
        self.role = {
            role: lower[next(name for name in names if name in lower)]
            for role, names in ALIASES.items()
            if any(name in lower for name in names)
        }
        self.unit_columns = {
            name: UNIT_COLUMNS[name.lower()] for name in columns.numbers if name.lower() in UNIT_COLUMNS
        }
        self.absent = dict.fromkeys(UNITS, f"its columns are {', '.join((*columns.labels, *columns.numbers))}")
        self.axis = self._axis()

    def _axis(self) -> _Axis:
        """Choose the column that places the rows: ``compute``, else the fullest column named after a unit."""
        numbers = self.columns.numbers
        if "compute" in self.role:
            return _Axis(self.role["compute"], "compute", numbers[self.role["compute"]])
        if self.unit_columns:
            filled = {name: int(np.isfinite(numbers[name]).sum()) for name in self.unit_columns}
            best = max(self.unit_columns, key=lambda name: (filled[name], self.unit_columns[name] == "steps"))
            return _Axis(best, best, numbers[best])
        return _Axis(None, "row", np.arange(1.0, self.columns.rows + 1))

    def logs(self) -> Iterator[Log]:
        """Yield one log a run, in order of first row."""
        labels = self.columns.labels
        codes, names = labels[self.role["run"]] if "run" in self.role else self._formed()
        if len(names) > _MOST_RUNS:
            what = f"holds {len(names):,} runs, more than {_MOST_RUNS:,}"
            raise SourceError(self.path, f"{what}; is {self.role.get('run', 'seed')!r} the name of the run?")
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
        for code, name in enumerate(names):
            rows = order[bounds[code] : bounds[code + 1]]
            if not name and "run" in self.role:
                raise SourceError(
                    self.path, f"{plural(rows.size, 'row')} without a run; fill the column {self.role['run']!r}"
                )
            try:
                yield self._log(name, rows)
            except SourceError as error:  # the other runs are none the worse
                yield Log(
                    name=name, path=self.path, format=NAME, rows=int(rows.size), series={}, validation=(), train=(),
                    axes={}, refused=error.message,
                )  # fmt: skip

    def _formed(self) -> tuple[Rows, list[str]]:
        """Return a code for each row and the name of each code, formed of recipe and seed; empty is the file's own."""
        rows = self.columns.rows
        labels = {role: self.columns.labels[self.role[role]] for role in ("recipe", "seed") if role in self.role}
        labels = {role: label for role, label in labels.items() if any(label[1])}
        own = named(Path(self.path), Path(self.path).absolute().parent).name
        one_of_file = "seed" not in labels and seed_mark(own) is not None
        if not any(len(names) > 1 for _, names in labels.values()) and ("recipe" not in labels or one_of_file):
            return np.zeros(rows, dtype=np.intp), [""]
        recipe = labels.get("recipe", (np.zeros(rows, dtype=np.intp), [own]))
        seed = labels.get("seed", (np.zeros(rows, dtype=np.intp), [""]))
        for role, (codes, names) in labels.items():
            empty = int(np.count_nonzero(codes == names.index(""))) if "" in names else 0
            if empty:
                what = f"{plural(empty, 'row')} without a {role} and no run column"
                raise SourceError(self.path, f"{what}; fill the column {self.role[role]!r}")
        grown = TextColumn()
        grown.add(["/".join(filter(None, (recipe[1][r], seed[1][s]))) for r, s in zip(recipe[0], seed[0], strict=True)])
        return grown.done()

    def _log(self, name: str, rows: Rows) -> Log:
        numbers = self.columns.numbers
        self._check_compute(name, rows)
        metrics = self._metrics(rows)
        series, kept, said = {}, {}, {}
        for metric, (column, chosen) in metrics.items():
            place, value = self.axis.values[chosen], numbers[column][chosen]
            order, said[metric] = tidy(place, value, self.axis.word)
            series[metric] = Series(place[order], value[order])
            kept[metric] = chosen[order]
        axes, axis_keys, axis_units, undeclared = self._axes(name, rows)
        return Log(
            name=name,
            path=self.path,
            format=NAME,
            rows=int(rows.size),
            series=series,
            validation=self._primary(metrics),
            train=(),
            axes=axes,
            axis_keys=axis_keys,
            axis_units=axis_units,
            undeclared=undeclared,
            absent=self.absent,
            n_eval=self._beside("n_eval", kept),
            sd=self._beside("sd", kept),
            recipe=self._label("recipe", name, rows),
            recipe_by=(self.role["recipe"],) if "recipe" in self.role else (),
            seed=self._seed(name, rows),
            seed_by=(self.role["seed"],) if "seed" in self.role else (),
            model_params=self._number("model_params", rows),
            repairs=tuple(self.columns.repairs),
            metric_repairs=said,
            axis_warnings={unit: _unused(undeclared) for unit in axes} if undeclared and axes else {},
        )

    def _check_compute(self, name: str, rows: Rows) -> None:
        for column in {self.axis.key, *self.unit_columns} - {None}:
            values = self.columns.numbers[str(column)][rows]
            bad = values[values < 0]
            if bad.size:
                who = f"run {name!r}: " if name else ""
                raise SourceError(self.path, f"{who}negative {column} {bad.min():g}; compute counts up from 0")

    def _metrics(self, rows: Rows) -> dict[str, tuple[str, Rows]]:
        """Return (column, rows) of each metric: by the ``metric`` column, else every numeric column by its name."""
        if "metric" in self.role and "reward" in self.role:
            codes, names = self.columns.labels[self.role["metric"]]
            found = codes[rows]
            present = np.flatnonzero(np.bincount(found, minlength=len(names)))
            return {names[code] or "reward": (self.role["reward"], rows[found == code]) for code in present}
        special = {self.role.get(key) for key in ("compute", "n_eval", "sd", "model_params")}
        names = [name for name in self.columns.numbers if name not in special and name not in self.unit_columns]
        return {name: (name, rows) for name in names}

    def _primary(self, metrics: Mapping[str, object]) -> tuple[str, ...]:
        if "metric" in self.role:
            return tuple(metrics)
        return (self.role["reward"],) if "reward" in self.role else ()

    def _axes(self, name: str, rows: Rows) -> tuple[dict[str, Series], dict[str, Series], dict[str, str], str | None]:
        place = self.axis.values[rows]
        order, _ = tidy(place, place)
        step = place[order]
        keys: dict[str, Series] = {}
        units: dict[str, str] = {}
        full: dict[str, Series] = {}
        partial: dict[str, Series] = {}
        candidates = dict(self.unit_columns)
        undeclared = None
        if "compute" in self.role:
            unit = self._unit(name, rows)
            undeclared = self.role["compute"] if unit is None else None
            candidates = {self.role["compute"]: unit or "", **candidates}
        for column, unit in candidates.items():
            values = self.columns.numbers[column][rows][order]
            keys[column] = Series(step, values)
            if unit:
                units[column] = unit
                some = full if np.isfinite(values).all() else partial
                if np.isfinite(values).any():
                    some.setdefault(unit, keys[column])
        return (full or partial), keys, units, undeclared

    def _unit(self, name: str, rows: Rows) -> str | None:
        if "unit" not in self.role:
            return None
        codes, names = self.columns.labels[self.role["unit"]]
        found = [names[code] for code in np.unique(codes[rows]) if names[code]]
        try:
            units = sorted({canonical_unit(text) for text in found})
        except CurveError as error:
            raise SourceError(self.path, f"run {name!r}: {error}") from error
        if len(units) > 1:
            message = f"run {name!r} mixes the units {' and '.join(units)}; keep one unit for each run"
            raise SourceError(self.path, message)
        return units[0] if units else None

    def _beside(self, role: str, kept: Mapping[str, Rows]) -> dict[str, Series]:
        """Return the column of a role (n_eval, sd) at the rows kept of each metric."""
        if role not in self.role:
            return {}
        values = self.columns.numbers[self.role[role]]
        return {metric: Series(self.axis.values[rows], values[rows]) for metric, rows in kept.items()}

    def _label(self, role: str, name: str, rows: Rows) -> str | None:
        if role not in self.role:
            return None
        codes, names = self.columns.labels[self.role[role]]
        found = [names[code] for code in np.unique(codes[rows]) if names[code]]
        if len(found) > 1:
            message = f"run {name!r} has {len(found)} values in column {role!r} ({', '.join(found[:3])})"
            message += "; give each job its own run name"
            raise SourceError(self.path, message)
        return found[0] if found else None

    def _seed(self, name: str, rows: Rows) -> int | None:
        text = self._label("seed", name, rows)
        if text is None or text.lower() in {"nan", "none", "null"}:
            return None
        match = re.fullmatch(r"(?:s|seed)?[-_ ]?(\d{1,18})(?:\.0*)?", text, re.IGNORECASE)
        if match is None:
            message = f"run {name!r}: seed {text!r} is not a whole number; mend it or leave it empty"
            raise SourceError(self.path, message)
        return int(match[1])

    def _number(self, role: str, rows: Rows) -> float | None:
        if role not in self.role:
            return None
        values = self.columns.numbers[self.role[role]][rows]
        values = values[np.isfinite(values)]
        return float(values[0]) if values.size else None
