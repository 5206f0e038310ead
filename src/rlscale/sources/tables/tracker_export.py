"""Tables that trackers export, told from long tables by their columns.

- the rows of a history: W&B's data frame (``_step, _timestamp, train/global_step, eval/reward, ...``), Trackio's, a
  trainer's own rows with its keys as columns; in CSV, Parquet or JSON lines, several runs by a run column;
- a W&B chart: ``Step, "run - key", "run - key__MIN", "run - key__MAX", ...``;
- points of MLflow: ``run_id, key, value, step, timestamp``;
- a TensorBoard chart: ``Wall time, Step, Value`` in ``run-NAME-tag-KEY.csv``.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.record import MOST_KEYS, STEP_KEYS, Column, Record, RowColumns
from rlscale.sources.record import Columns as Grown
from rlscale.sources.tables.columns import Columns, from_json_lines, from_parquet
from rlscale.sources.tables.csv_table import from_csv
from rlscale.sources.tables.parquet import Sheet
from rlscale.sources.text import decoded_head, head_objects, plural, read_head, were
from rlscale.sources.trainers import TRAINERS, trainer_of

__all__ = ["NAME", "read_records", "sniff"]

NAME = "tracker-export"

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

#: Columns that name a run and tell runs apart, best first; lower case.
_NAMES, _IDS = ("run_name", "display_name", "run", "name"), ("run_id", "run_uuid")
_TIME = "timestamp"
_TEXT = frozenset({*_NAMES, *_IDS, "key", _TIME})

_WANDB = frozenset({"_step", "_timestamp", "_runtime"})
_POINTS = frozenset({"key", "value", "step", "timestamp"})
_TENSORBOARD = ["Wall time", "Step", "Value"]
_TAG = re.compile(r"run-(.+?)-tag-(.+)\.csv", re.IGNORECASE)

#: Tables of one row a run: its last values, not its history.
_SUMMARIES = (
    frozenset({"Name", "State", "Created"}),
    frozenset({"Start Time", "Run ID", "Status"}),
    frozenset({"run_id", "experiment_id", "artifact_uri"}),
)

#: Columns of a long table; lower case.
_LONG = frozenset({"compute", "unit", "compute_unit", "metric", "value", "n_eval", "sd", "model_params", "recipe"})

#: Of a trainer's own keys so many must be there where nothing else tells.
_MARKS = 2

_MIN, _MAX, _BETWEEN, _GROUP = "__MIN", "__MAX", " - ", "Group: "

#: Rows at a time; runs times keys, each of which takes some hundred bytes however few its values are.
_CHUNK, _MOST_COLUMNS = 4096, 1 << 21

#: Unix times after the year 5000 are milliseconds.
_LATEST = 1e11


def sniff(path: Path, head: bytes) -> bool:
    """Whether the columns are those of a tracker's export and not a long table's."""
    return bool(_kind(path, head))


def read_records(path: Path) -> list[Record]:
    """Return the runs of an export, in order of first row.

    An empty cell is a value that was not logged. The step of a row is found as in a W&B history: in
    ``train/global_step`` and its like, before the tracker's own count.

    Raises
    ------
    FormatError
        Parquet without pyarrow.
    SourceError
        One row a run (no history), a chart against time, rows without a run, more runs than any export, or what
        reading a table raises.
    """
    head = read_head(path)
    kind = _kind(path, head)
    if kind == "summary":
        message = "each row is the last values of a run, not its history; export the history of the runs or a chart"
        raise SourceError(str(path), message)
    table = _loaded(path, head)
    make: Callable[[Columns, Path], list[Record]] = {
        "chart": _chart, "points": _points, "tag": _tag
    }.get(kind, _rows)  # fmt: skip
    return make(table, path)


def _kind(path: Path, head: bytes) -> str:
    """Return ``rows``, ``chart``, ``points``, ``tag`` or ``summary``; empty for no export of a tracker."""
    names = _header(path, head)
    lower = {name.lower() for name in names}
    if names == _TENSORBOARD:
        return "tag" if _known_tag(path) else ""
    if lower >= _POINTS:
        return "points"
    if any(name.endswith(_MIN) and _BETWEEN in name and name[: -len(_MIN)] + _MAX in names for name in names):
        return "chart"
    if any(one <= set(names) for one in _SUMMARIES):
        return "summary"
    return "rows" if _has_rows(names, lower, json=head.lstrip().startswith(b"{")) else ""


def _has_rows(names: Sequence[str], lower: set[str], *, json: bool) -> bool:
    """Whether the columns are keys of a tracker or a trainer. JSON lines without a run are a log of their own."""
    with_run = bool(lower & {*_NAMES, *_IDS})
    with_step = any("/" in name and name in STEP_KEYS for name in names)
    if lower & _LONG or ("seed" in lower and not with_run):
        return False
    if json and not with_run:
        return "_step" in names and (len(_WANDB.intersection(names)) > 1 or with_step)
    if _WANDB.intersection(names) or with_step:
        return True
    if not any("/" in name for name in names):
        return False
    if any(one.score({one.native(name) for name in names}) >= _MARKS for one in TRAINERS):
        return True
    trainer = trainer_of(names)
    keys = [trainer.native(name) for name in names if not re.search(r"\s", name)]  # a log's first line has spaces
    return "reward" not in lower and any("/" in key for key in trainer.validation(keys))


def _header(path: Path, head: bytes) -> list[str]:
    if head.startswith(b"PAR1"):
        return list(Sheet(path).kinds)
    if head.lstrip().startswith(b"{"):
        return list(dict.fromkeys(key for row in head_objects(head) for key in row))
    first = re.split(r"[\r\n]", decoded_head(head).lstrip(), maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        cells = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [name.strip() for name in cells] if 1 < len(cells) <= MOST_KEYS else []


def _loaded(path: Path, head: bytes) -> Columns:
    if head.startswith(b"PAR1"):
        from pyarrow import types

        texts = [
            name for name, kind in Sheet(path).kinds.items() if types.is_string(kind) or types.is_large_string(kind)
        ]
        return from_parquet(path, _TEXT & {name.lower() for name in texts}, frozenset())
    if head.lstrip().startswith(b"{"):
        return from_json_lines(path, _TEXT, frozenset())
    return from_csv(path, _TEXT, frozenset())


def _column(table: Columns, names: Sequence[str]) -> str | None:
    """Return the first of ``names`` (lower case) that is a column, as the table writes it."""
    lower = {name.lower(): name for name in (*table.numbers, *table.labels)}
    return next((lower[name] for name in names if name in lower), None)


def _labels(table: Columns, name: str) -> tuple[Codes, list[str]]:
    if name in table.labels:
        return table.labels[name]
    values, codes = np.unique(table.numbers[name], return_inverse=True)
    return codes, ["" if math.isnan(one) else f"{one:.15g}" for one in values.tolist()]


def _times(table: Columns) -> Floats:
    """Return the Unix time of each row, NaN where none is known; text is ISO 8601, in UTC where no zone is given."""
    numbered = _column(table, ("_timestamp", _TIME, "wall time"))
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


def _runs(table: Columns, keys: int) -> tuple[Codes, list[tuple[str, str | None]]]:
    """Return a code for each row, and the name and id of each code, in order of first row.

    Raises
    ------
    SourceError
        Rows without a run, or more runs than any export.
    """
    found = [_column(table, names) for names in (_NAMES, _IDS)]
    if not any(found):
        return np.zeros(table.rows, dtype=np.intp), [("", None)]
    columns = [_labels(table, one) if one is not None else None for one in found]
    both = np.stack([one[0] if one is not None else np.zeros(table.rows, dtype=np.intp) for one in columns])
    pairs, first, codes = np.unique(both, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(first)
    if order.size * max(keys, 1) > _MOST_COLUMNS:
        what = f"holds {plural(order.size, 'run')} of {plural(keys, 'column')}"
        raise SourceError(table.path, f"{what}, more than any export; is {found[1] or found[0]!r} the name of the run?")
    names, ids = columns
    runs: list[tuple[str, str | None]] = []
    for place in order:
        name = names[1][pairs[0, place]] if names is not None else ""
        own = ids[1][pairs[1, place]] if ids is not None else ""
        if not name and not own:
            empty = int(np.count_nonzero(codes.ravel() == place))
            message = f"{plural(empty, 'row')} without a run; fill the column {found[0] or found[1]!r}"
            raise SourceError(table.path, message)
        runs.append((name or own, own or None))
    return np.argsort(order)[codes.ravel()], runs


def _record(
    path: Path,
    name: str,
    rows: int,
    columns: dict[str, Column],
    repairs: Sequence[str],
    *,
    run_id: str | None = None,
    warnings: Sequence[str] = (),
) -> Record:
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


def _rows(table: Columns, path: Path) -> list[Record]:
    """Return the runs of rows whose columns are the keys."""
    counter = _column(table, ("_step", "step"))
    own = table.numbers.get(counter or "", np.arange(table.rows, dtype=np.float64))
    lower = {name.lower() for name in (*table.numbers, *table.labels)}
    counts_calls = {"run_name", _TIME, "step"} <= lower  # Trackio's step
    names = [
        name for name in table.numbers
        if name.lower() not in _TEXT and not (counts_calls and name == "step")
    ]  # fmt: skip
    codes, runs = _runs(table, len(names))
    grown = [RowColumns() for _ in runs]
    time = _times(table)
    for since in range(0, table.rows, _CHUNK):
        span = slice(since, since + _CHUNK)
        cells = np.stack([table.numbers[name][span] for name in names], axis=1) if names else np.empty((0, 0))
        for row, logged in enumerate(np.isfinite(cells), start=since):
            values = {names[k]: float(cells[row - since, k]) for k in np.flatnonzero(logged)}
            grown[codes[row]].add(values, float(own[row]) if np.isfinite(own[row]) else float(row), float(time[row]))
    found = []
    for (name, run_id), one in zip(runs, grown, strict=True):
        said = [f"{were(one.left_out, 'value')} left out: more than {MOST_KEYS} keys"] if one.left_out else []
        found.append(_record(path, name, len(one), one.done(), [*table.repairs, *said], run_id=run_id))
    return found


def _points(table: Columns, path: Path) -> list[Record]:
    """Return the runs of a table of key, value and step."""
    key, value, step = (_column(table, (name,)) for name in ("key", "value", "step"))
    if key not in table.labels or value not in table.numbers or step not in table.numbers:
        raise SourceError(str(path), "a column of key, value and step holds something else; export it again")
    keys, texts = table.labels[str(key)]
    codes, runs = _runs(table, len(texts))
    grown = [Grown() for _ in runs]
    rows = zip(codes.tolist(), keys.tolist(), table.numbers[step].tolist(), table.numbers[value].tolist(),
               _times(table).tolist(), strict=True)  # fmt: skip
    for run, place, at, logged, time in rows:
        grown[run].add(texts[place], at, logged, time)
    return [
        _record(path, name, len(one), one.done(), table.repairs, run_id=run_id)
        for (name, run_id), one in zip(runs, grown, strict=True)
    ]


def _chart(table: Columns, path: Path) -> list[Record]:
    """Return the runs of a W&B chart; its least and greatest values, and W&B's own counters, are no metrics."""
    axis = next((name for name in table.numbers if _BETWEEN not in name), None)
    if axis is None or "time" in axis.lower():
        message = f"a chart against {axis or 'time'!r} holds no steps; export it with a step as the X axis"
        raise SourceError(str(path), message)
    steps = table.numbers[axis]
    runs: dict[str, dict[str, Column]] = {}
    for name, values in table.numbers.items():
        run, between, key = name.rpartition(_BETWEEN)
        if not between or key.endswith((_MIN, _MAX)) or key.startswith("_"):
            continue
        keep = np.isfinite(values) & np.isfinite(steps)
        if keep.any():
            runs.setdefault(run, {})[key] = Column(steps[keep], values[keep], np.full(int(keep.sum()), np.nan))
    if not runs:
        raise EmptyError(str(path), "the chart holds no point; nothing was logged yet")
    told = tuple(_about_axis(axis))
    found = []
    for run, columns in runs.items():
        name = run.removeprefix(_GROUP)
        said = told if name == run else (*told, f"{name!r} is a group of the chart: its rewards are means over runs")
        rows = max(one.step.size for one in columns.values())
        found.append(_record(path, name, rows, columns, table.repairs, warnings=said))
    return found


def _about_axis(axis: str) -> Iterator[str]:
    if axis.lower() in {"step", "_step"}:
        yield (
            "the chart's steps are those of W&B, which may count log calls and not the trainer's steps; "
            "export it with the trainer's step (train/global_step, ...) as the X axis"
        )
    elif axis not in STEP_KEYS:
        yield f"the chart's X axis {axis!r} is taken as steps"


def _known_tag(path: Path) -> str | None:
    """Return the key of a TensorBoard chart by its file's name, None where that tells no reward.

    The name has ``_`` for each ``/`` of a tag.
    """
    match = _TAG.fullmatch(path.name)
    if match is None:
        return None
    literal = (key.key for one in TRAINERS for key in one.keys if key.literal)
    found = next((key for key in literal if key.replace("/", "_") == match[2]), match[2])
    trainer = trainer_of([found])
    native = [trainer.native(found)]
    return found if trainer.validation(native) or trainer.train(native) else None


def _tag(table: Columns, path: Path) -> list[Record]:
    """Return the run of a TensorBoard chart."""
    match, key = _TAG.fullmatch(path.name), _known_tag(path)
    assert match is not None
    assert key is not None
    if not {"Step", "Value"} <= table.numbers.keys():
        raise SourceError(str(path), "a column Step or Value holds words; export it again")
    column = Column(table.numbers["Step"], table.numbers["Value"], _times(table))
    return [_record(path, "" if match[1] == "." else match[1], table.rows, {key: column}, table.repairs)]
