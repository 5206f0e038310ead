"""Tables that trackers export, told from long tables by their columns.

- the rows of a history: W&B's data frame (``_step, _timestamp, train/global_step, eval/reward, ...``), Trackio's, a
  trainer's own rows with its keys as columns; in CSV, Parquet or JSON lines, several runs by a run column;
- a W&B chart: ``Step, "run - key", "run - key__MIN", "run - key__MAX", ...``;
- points of MLflow: ``run_id, key, value, step, timestamp``;
- a TensorBoard chart: ``Wall time, Step, Value`` in ``run-NAME-tag-KEY.csv``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.format import Entry, Format, Kind
from rlscale.sources.limits import MOST_KEYS
from rlscale.sources.log import ReadOptions
from rlscale.sources.record import STEP_KEYS, Column, Record
from rlscale.sources.record import Columns as Grown
from rlscale.sources.tables.columns import Columns, Named, from_json_lines, from_parquet
from rlscale.sources.tables.csv_table import from_csv
from rlscale.sources.tables.export_rows import (
    IDS,
    NAME,
    NAMES,
    TEXT,
    column_of,
    named_runs,
    record_of,
    runs_of_rows,
    times_of,
)
from rlscale.sources.tables.parquet import Sheet
from rlscale.sources.text import decoded_head, head_objects, read_head
from rlscale.sources.trainers import TRAINERS, trainer_of
from rlscale.sources.trainers.other import OTHER

__all__ = ["FORMAT", "NAME", "read_records", "sniff"]

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


def sniff(path: Path, head: bytes) -> bool:
    """Whether the columns are those of a tracker's export and not a long table's."""
    return bool(_kind(path, head))


def read_records(path: Path, options: ReadOptions | None = None) -> list[Record]:
    """Return the runs of an export, in order of first row.

    An empty cell is a value that was not logged. The step of a row is found as in a W&B history: in
    ``train/global_step`` and its like, before the tracker's own count.

    Parameters
    ----------
    path : Path
        The export.
    options : ReadOptions, optional
        ``by`` and ``metric`` say what the names of the columns do not.

    Raises
    ------
    FormatError
        Parquet without pyarrow.
    SourceError
        One row a run (no history), a chart against time, rows without a run or that contradict each other, more runs
        than any export, or what reading a table raises.
    """
    head = read_head(path)
    kind = _kind(path, head)
    if kind == "summary":
        message = "each row is the last values of a run, not its history; export the history of the runs or a chart"
        raise SourceError(str(path), message)
    if kind == "rows":
        return runs_of_rows(path, partial(_loaded, path, head), options or ReadOptions())
    table = _loaded(path, head, lambda name: name.lower() in TEXT)
    make: Callable[[Columns, Path], list[Record]] = {"chart": _chart, "points": _points}.get(kind, _tag)
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
    with_run = bool(lower & {*NAMES, *IDS})
    with_step = any("/" in name and name in STEP_KEYS for name in names)
    if lower & _LONG or ("seed" in lower and not with_run):
        return False
    if json and not with_run:
        return "_step" in names and (len(_WANDB.intersection(names)) > 1 or with_step)
    if not any(name in STEP_KEYS or name.lower() == "step" for name in names):
        return False
    if _WANDB.intersection(names) or with_step:
        return True
    if not any("/" in name for name in names):
        return False
    if any(one.score({one.native(name) for name in names}) >= _MARKS for one in TRAINERS):
        return True
    trainer = trainer_of(names)
    if trainer is OTHER or "reward" in lower:
        return False
    keys = [trainer.native(name) for name in names if not re.search(r"\s", name)]  # a log's first line has spaces
    return any("/" in key for key in trainer.validation(keys))


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


def _loaded(path: Path, head: bytes, text: Named) -> Columns:
    """Return the columns of the file, those of words among ``text`` as words."""
    if head.startswith(b"PAR1"):
        from pyarrow import types

        texts = {
            name for name, kind in Sheet(path).kinds.items() if types.is_string(kind) or types.is_large_string(kind)
        }
        return from_parquet(path, lambda name: name in texts and text(name), _none)
    return (from_json_lines if head.lstrip().startswith(b"{") else from_csv)(path, text, _none)


def _none(name: str) -> bool:
    return False


def _points(table: Columns, path: Path) -> list[Record]:
    """Return the runs of a table of key, value and step."""
    key, value, step = (column_of(table, (name,)) for name in ("key", "value", "step"))
    if key not in table.labels or value not in table.numbers or step not in table.numbers:
        raise SourceError(str(path), "a column of key, value and step holds something else; export it again")
    keys, texts = table.labels[str(key)]
    codes, runs = named_runs(table, len(texts)) or (np.zeros(table.rows, dtype=np.intp), [("", None)])
    grown = [Grown() for _ in runs]
    rows = zip(codes.tolist(), keys.tolist(), table.numbers[step].tolist(), table.numbers[value].tolist(),
               times_of(table).tolist(), strict=True)  # fmt: skip
    for run, place, at, logged, time in rows:
        grown[run].add(texts[place], at, logged, time)
    return [
        record_of(path, name, len(one), one.done(), table.repairs, run_id=run_id)
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
        found.append(record_of(path, name, rows, columns, table.repairs, warnings=said))
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
    column = Column(table.numbers["Step"], table.numbers["Value"], times_of(table))
    return [record_of(path, "" if match[1] == "." else match[1], table.rows, {key: column}, table.repairs)]


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.EXPORT,
    entries=(
        Entry(
            NAME, "trackers' exports", "CSV or JSON lines of W&B, Trackio, MLflow, TensorBoard", "",
            "files made from a real history", "a history's rows, several runs by a column, or a chart's points",
        ),
        Entry(
            NAME, "trackers' exports in Parquet", "a data frame of a history", "parquet",
            "files made from a real history",
        ),
    ),
    sniff=sniff,
    read=read_records,
    heeds_options=True,
    endings=(".csv", ".tsv", ".parquet", ".jsonl", ".ndjson"),
)  # fmt: skip
