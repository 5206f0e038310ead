"""One run's history: its series after repair, and the wall clock behind them, whatever the container was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.errors import SourceError
from rlscale.sources.limits import LOG_RUNS
from rlscale.sources.record import STEP_KEYS, Column, Record
from rlscale.sources.repair import Replaced, Row, Segment, segments, series_of
from rlscale.sources.restarts import begins_of, last_written, numbered, resumed
from rlscale.sources.stopwatch import Wall, wall_clock
from rlscale.sources.text import plural, were

__all__ = ["History", "measured", "of_record", "of_rows"]

Floats = NDArray[np.float64]

#: Where a row holds its Unix time, best first.
_TIMES = ("_timestamp", "timestamp", "time", "wall_time")

#: Rows that say nothing of where a run stands: W&B gives TRL's profiling rows the step of the row before, 0 in a
#: resumed process.
_BESIDE = re.compile(r"profiling/|system[./]|_(?:step|runtime|timestamp|wandb)|(?:.*/)?(?:global_step|epoch)$|ray/")


#: Unix times before 2001 are seconds since something else.
_EARLIEST = 1e9

#: Unix times after the year 5000 are no seconds.
_LATEST = 1e11

#: A log in which more than this share of the steps of a key stands twice was written by two runs at once.
_TWICE = 0.5

#: Fewer steps than this say nothing of it.
_ENOUGH = 4

#: A key of which more than this share repeats a step is logged several times a step; it does not tell of resumes.
_OFTEN = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """One run, in the words of its container.

    Parameters
    ----------
    name : str
        Name of the run within its file; ``#2`` for the second of several appended into one; empty for the file's own.
    path, format : str
        The file and its container.
    rows : int
        Rows that belong to this run.
    series : mapping of str to Series
        Every numeric quantity, steps strictly increasing.
    replaced : tuple of Replaced
        What resumes overwrote; its compute was spent all the same.
    wall : Wall, optional
        Seconds elapsed by the rows' own times.
    config : mapping
        The configuration as logged.
    gpus : float, optional
        GPUs by the container (not by the trainer's configuration).
    group : str, optional
        The tracker's group.
    graded : mapping of float to float
        Graded samples of the validation at a step, where the file prints them.
    repairs, warnings : tuple of str
        One sentence each.
    """

    name: str
    path: str
    format: str
    rows: int
    series: Mapping[str, Series]
    replaced: tuple[Replaced, ...] = ()
    wall: Wall | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    gpus: float | None = None
    group: str | None = None
    graded: Mapping[float, float] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def of_rows(
    rows: Iterable[Row],
    path: str,
    form: str,
    *,
    repairs: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    gpus: float | None = None,
    graded: Mapping[float, float] | None = None,
    restart_on_repeat: bool = True,
) -> list[History]:
    """Return the runs of rows ``(step, values)`` in the order of the file; see :func:`rlscale.sources.repair.segments`.

    Empty where there are no rows.

    Raises
    ------
    SourceError
        The steps start over more often than a trainer is started.
    """
    parts = segments(rows, restart_on_repeat=restart_on_repeat)
    if len(parts) > LOG_RUNS:
        raise SourceError(path, f"holds {len(parts):,} runs one after the other; is this a log?")
    return [
        History(
            name="" if k == 0 else f"#{k + 1}",
            path=path,
            format=form,
            rows=part.count,
            series=series_of(part.rows),
            replaced=tuple(part.replaced),
            wall=_wall_of(part),
            config=config or {},
            gpus=gpus,
            graded=graded or {},
            repairs=(*repairs, *part.repairs),
        )
        for k, part in enumerate(parts)
        if part.rows
    ]


def _wall_of(part: Segment) -> Wall | None:
    """Return the clock of rows that hold their time; it counts what resumes replaced as well."""
    key = next((k for k in _TIMES if any(row.get(k, 0.0) > _EARLIEST for row in part.rows.values())), None)
    if key is None:
        return None
    written = [(s, row[key]) for old in part.replaced for s, row in old.rows.items() if key in row]
    written += [(s, row[key]) for s, row in part.rows.items() if key in row]
    step, time = np.array([(s, t) for s, t in written if t > _EARLIEST]).T
    while np.median(time) > _LATEST:  # milliseconds, microseconds, ...
        time = time / 1000
    order = np.argsort(time, kind="stable")
    return wall_clock(step[order], time[order])


def of_record(record: Record) -> list[History]:
    """Return the runs of a record: one, unless its steps go back to the first step or below.

    Of values at one step the last written is kept; a key whose step goes back drops its values from there on, and
    their time still counts in the wall clock. Evaluations that merely come late are put in their order.
    """
    spans, at_once = _spans(record)
    if len(spans) > LOG_RUNS:
        raise SourceError(record.path, f"holds {len(spans):,} runs one after the other; is this a log?")
    found = []
    for number, (since, until) in enumerate(spans):
        columns = record.columns if len(spans) == 1 else _between(record.columns, since, until)
        series, repairs, warnings = _merged(columns)
        if len(spans) > 1:
            repairs.append(numbered("the log", len(spans), number + 1))
        if at_once:
            warnings.append(_AT_ONCE)
        starts = tuple(one for one in record.starts if since <= one < until)
        found.append(
            History(
                name=record.name + ("" if number == 0 else f"#{number + 1}"),
                path=record.path,
                format=record.format,
                rows=record.rows if len(spans) == 1 else max((one.step.size for one in columns.values()), default=0),
                series=series,
                wall=None if at_once else _wall_of_columns(columns, starts),
                config=record.config,
                gpus=record.gpus,
                group=record.group,
                repairs=(*record.repairs, *repairs),
                warnings=(*record.warnings, *dict.fromkeys(warnings)),
            )
        )
    return found


_AT_ONCE = (
    "two runs seem to have logged here at the same time, and only the values written last are kept; "
    "give each run a name or a folder of its own"
)


def _merged(columns: Mapping[str, Column]) -> tuple[dict[str, Series], list[str], list[str]]:
    """Return the series of one run, and what was repaired in them; a warning where two runs are mixed in them."""
    fullest = _fullest(columns)
    went_back = fullest is None or bool(np.any(np.diff(fullest.step) <= 0))
    series: dict[str, Series] = {}
    overwritten: list[_Overwritten] = []
    late = 0
    for key, column in columns.items():
        moved = None if went_back else _in_order(column)
        series[key], gone = _kept(column if moved is None else moved[0])
        if _beside(key):
            continue
        late = max(late, 0 if moved is None else moved[1])
        if gone is not None:
            overwritten.append(gone)
    repairs = _told(overwritten)
    if late:
        repairs.append(f"{were(late, 'value')} logged after those of later steps; they were put in their order")
    return series, repairs, [_AT_ONCE] if _mixed(columns, overwritten) else []


def _mixed(columns: Mapping[str, Column], overwritten: Sequence[_Overwritten]) -> bool:
    """Whether two runs logged in turns: most steps of every key stand twice, and none ever goes back."""
    often = [one for one in overwritten if one.steps > _TWICE * one.left and one.left >= _ENOUGH]
    keys = sum(np.unique(column.step).size >= _ENOUGH for column in measured(columns).values())
    return len(often) == keys and any(one.changed and not np.isfinite(one.back_to) for one in often)


def _in_order(column: Column) -> tuple[Column, int] | None:
    """Return a column sorted by step, and how many values came late; None unless its steps go back without repeats."""
    finite = np.isfinite(column.step)
    step = column.step[finite]
    late = int(np.count_nonzero(step < np.maximum.accumulate(step))) if step.size else 0
    if not late or np.unique(step).size < step.size:
        return None
    order = np.argsort(step)
    return Column(step[order], column.value[finite][order], column.time[finite][order]), late


@dataclass(frozen=True)
class _Overwritten:
    """What later values of a key replaced.

    Its steps, those of them with another value, where the step first went back, and the steps that are left.
    """

    steps: int
    changed: int
    back_to: float
    left: int


def _kept(column: Column) -> tuple[Series, _Overwritten | None]:
    """Return the series without what later values replace, and what that was."""
    finite = np.isfinite(column.step)
    step, value = column.step[finite], column.value[finite]
    if step.size < 2 or bool(np.all(np.diff(step) > 0)):
        return Series(step, value), None
    keep = last_written(step)
    series = Series(step[keep], value[keep])
    falls = np.flatnonzero(np.diff(step) < 0)
    old, place = step[~keep], np.searchsorted(series.step, step[~keep])
    new = series.value[np.minimum(place, series.step.size - 1)]
    here = (place < series.step.size) & (series.step[np.minimum(place, series.step.size - 1)] == old)
    changed = int(np.count_nonzero(here & (new != value[~keep]) & np.isfinite(new)))
    back = float(step[falls[0] + 1]) if falls.size else np.inf
    return series, _Overwritten(int(np.unique(old).size), changed, back, series.step.size)


def _told(overwritten: Sequence[_Overwritten]) -> list[str]:
    """Return the sentences for what was overwritten, of all keys together."""
    gone_back = [one for one in overwritten if np.isfinite(one.back_to)]
    if gone_back:
        step, count = min(one.back_to for one in gone_back), max(one.steps for one in overwritten)
        return [resumed(f"step {step:g}", "values", plural(count, "step"), clocked=True)]
    changed = max((one.changed for one in overwritten), default=0)
    return [f"{plural(changed, 'step')} logged again with another value; the later one won"] if changed else []


def _fullest(columns: Mapping[str, Column]) -> Column | None:
    known = measured(columns)
    return max(known.values(), key=lambda one: one.step.size) if known else None


def _spans(record: Record) -> tuple[list[tuple[float, float]], bool]:
    """Return (since, until) in Unix time of each run in a record: a new one where the fullest key starts over.

    Also whether one began before the other stopped: then time does not tell them apart.
    """
    whole = [(-np.inf, np.inf)]
    column = _fullest(record.columns)
    if column is None:
        return whole, False
    finite = np.isfinite(column.step) & np.isfinite(column.time)
    step, time = column.step[finite], column.time[finite]
    again = begins_of(step, np.flatnonzero(np.diff(step) < 0) + 1)[1:] if step.size else []
    if not again:
        return whole, False
    if any(time[k] < time[k - 1] for k in again):
        return whole, True
    # between the last value of one run and the first of the next; the start of a session is nearer the truth
    edges = [_edge(float(time[k - 1]), float(time[k]), record.starts) for k in again]
    return list(zip([-np.inf, *edges], [*edges, np.inf], strict=True)), False


def measured(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Return the columns that say where a run stands: not profiling, system metrics, or W&B's own counters."""
    return {key: column for key, column in columns.items() if not _beside(key)}


def _beside(key: str) -> bool:
    return key in STEP_KEYS or _BESIDE.match(key) is not None


def _edge(last: float, first: float, starts: Sequence[float]) -> float:
    return next((one for one in starts if last < one <= first), first)


def _between(columns: Mapping[str, Column], since: float, until: float) -> dict[str, Column]:
    found = {}
    for key, column in columns.items():
        time = _filled(column.time)
        keep = (time >= since) & (time < until)
        if keep.any():
            found[key] = Column(column.step[keep], column.value[keep], column.time[keep])
    return found


def _filled(time: Floats) -> Floats:
    """Return times with that of the value before where one is unknown."""
    last = np.maximum.accumulate(np.where(np.isfinite(time), np.arange(time.size), -1))
    return np.where(last >= 0, time[last], -np.inf)


def _wall_of_columns(columns: Mapping[str, Column], starts: Sequence[float]) -> Wall | None:
    parts = [column for column in measured(columns).values() if np.isfinite(column.time).any()]
    if not parts:
        return None
    step = np.concatenate([column.step for column in parts])
    time = np.concatenate([column.time for column in parts])
    keep = np.isfinite(step) & np.isfinite(time)
    order = np.argsort(time[keep], kind="stable")
    again = sorted({float(t) for one in parts for t in _repeats(one) if np.isfinite(t)})
    return wall_clock(step[keep][order], time[keep][order], starts, again)


def _repeats(column: Column) -> Floats:
    """Return when a key was logged at a step it had been logged at; none of a key that often is."""
    again = np.diff(column.step) <= 0
    often = np.count_nonzero(again) > _OFTEN * column.step.size
    return np.empty(0) if often else column.time[1:][again]
