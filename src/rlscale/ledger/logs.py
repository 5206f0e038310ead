"""What a run's log holds beside its evaluations, kept as it grows: an append holds what is new of all keys, packed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, insert, select, update

from rlscale.curves import Metric, Series, Source
from rlscale.curves.value import Value
from rlscale.ledger.packed import Key, Part, packed, unpacked
from rlscale.ledger.schema import logs, series
from rlscale.ledger.values import written

__all__ = ["Kept", "Logged", "extend", "keep", "logged"]

#: More runs than this are not named one by one in a question.
_MANY = 500
#: Kinds of keys: a quantity under the trainer's key; a canonical metric that is no such quantity as it stands.
SERIES, METRIC = "series", "metric"


@dataclass(frozen=True, eq=False, kw_only=True)
class Logged(Value):
    """What a log holds beside the evaluations.

    Parameters
    ----------
    config, series, metrics, source
        As in :class:`rlscale.curves.Run`.
    trainer : str, optional
        Where there is no source that says it.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    source: Source | None = None
    trainer: str | None = None


@dataclass(frozen=True, eq=False)
class Kept:
    """What a writer knows that a ledger holds of a run's log.

    Parameters
    ----------
    number : int
        Of the latest append, 0 before the first.
    about : tuple of (str, str or None)
        The columns of :data:`rlscale.ledger.schema.logs` that a writer states.
    parts : mapping of Key to Series
    """

    number: int
    about: tuple[tuple[str, str | None], ...]
    parts: Mapping[Key, Series]


def keep(connection: Connection, number: int, log: Logged, known: Kept | None) -> Kept:
    """Keep the whole log of a run, of which only what is new is written, and return what is kept now.

    Parameters
    ----------
    connection : Connection
        In a transaction that holds the run's row.
    number : int
        The run's.
    log : Logged
    known : Kept, optional
        What the writer kept last. Where somebody else has written since, the ledger is asked.
    """
    row = connection.execute(select(logs).where(logs.c.run_id == number)).first()
    held = 0 if row is None else int(row.last)
    if known is None or known.number != held:
        parts = {} if row is None else _parts(_rows(connection, [number])).get(number, {})
        known = Kept(held, () if row is None else _columns(row), parts)
    wanted, about = _by_key(log), _about(log)
    new = tuple(_changes(known.parts, wanted))
    if new:
        held += 1
    _write(connection, number, held, about if about != known.about else (), new, there=row is not None)
    return Kept(held, about, wanted)


def extend(connection: Connection, number: int, log: Logged, *, about: bool) -> None:
    """Append what a run logged since it last said so; from the first step of each key on the later values win.

    Parameters
    ----------
    connection, number
        As for :func:`keep`.
    log : Logged
        The new part of each series; metrics are those whose key is among the series of the run.
    about : bool
        Whether to keep its configuration, source and metrics too; metrics that were kept before stay.
    """
    row = connection.execute(select(logs).where(logs.c.run_id == number)).first()
    new = tuple(Part((SERIES, key), float(one.step[0]), one) for key, one in log.series.items() if one.step.size)
    held = (0 if row is None else int(row.last)) + bool(new)
    stated = dict(_about(log)) if about else {}
    if about and row is not None:
        if log.source is None:  # whoever reads its log too has said it
            del stated["source"]
        stated["metrics"] = written({**json.loads(row.metrics), **json.loads(stated["metrics"] or "{}")})
    _write(connection, number, held, tuple(stated.items()), new, there=row is not None)


def logged(connection: Connection, numbers: Iterable[int]) -> dict[int, Logged]:
    """Return the logs of runs by id; a run of which nothing is kept is left out."""
    wanted = list(numbers)
    parts = _parts(_rows(connection, wanted))
    asked = select(logs)
    if len(wanted) <= _MANY:
        asked = asked.where(logs.c.run_id.in_(wanted))
    chosen = frozenset(wanted)
    rows = [row for row in connection.execute(asked) if row.run_id in chosen]
    return {row.run_id: _log(row, parts.get(row.run_id, {})) for row in rows}


def _write(
    connection: Connection,
    number: int,
    last: int,
    about: tuple[tuple[str, str | None], ...],
    new: tuple[Part, ...],
    *,
    there: bool,
) -> None:
    stated = dict(about)
    if not there:
        stated = {**dict(_about(Logged())), **stated}
        connection.execute(insert(logs).values(run_id=number, last=last, **stated))
    elif stated or new:
        connection.execute(update(logs).where(logs.c.run_id == number).values(last=last, **stated))
    if new:
        header, data = packed(new)
        connection.execute(insert(series).values(run_id=number, number=last, at=time.time(), header=header, data=data))


def _about(log: Logged) -> tuple[tuple[str, str | None], ...]:
    """Return what is said of a log once, in the order of the columns."""
    source = None if log.source is None else written(asdict(log.source))
    refers = {
        name: {"key": metric.key, "unit": metric.unit, "of": metric.key if _is_series(metric, log) else None}
        for name, metric in log.metrics.items()
    }
    trainer = log.trainer if log.source is None else log.source.trainer
    return ("config", written(log.config)), ("metrics", written(refers)), ("source", source), ("trainer", trainer)


def _columns(row: Row[Any]) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, row._mapping[name]) for name in ("config", "metrics", "source", "trainer"))


def _is_series(metric: Metric, log: Logged) -> bool:
    """Whether a metric is a series as it stands: it is then kept once."""
    one, other = log.series.get(metric.key), metric.series
    return one is not None and (one is other or _alike(one, other) == one.step.size == other.step.size)


def _by_key(log: Logged) -> dict[Key, Series]:
    own = {(METRIC, name): metric.series for name, metric in log.metrics.items() if not _is_series(metric, log)}
    return {**{(SERIES, key): one for key, one in log.series.items()}, **own}


def _log(row: Row[Any], parts: Mapping[Key, Series]) -> Logged:
    quantities = {key: one for (kind, key), one in parts.items() if kind == SERIES}
    metrics = {
        name: Metric(refers["key"], refers["unit"], _of(refers["of"], name, parts))
        for name, refers in json.loads(row.metrics).items()
    }
    stated = None if row.source is None else json.loads(row.source)
    source = None if stated is None else Source(**{**stated, "repairs": tuple(stated["repairs"])})
    return Logged(config=json.loads(row.config), series=quantities, metrics=metrics, source=source, trainer=row.trainer)


def _of(key: str | None, name: str, parts: Mapping[Key, Series]) -> Series:
    found = parts.get((METRIC, name) if key is None else (SERIES, key))
    return Series(np.empty(0), np.empty(0)) if found is None else found


def _rows(connection: Connection, numbers: list[int]) -> Iterator[tuple[int, str, bytes]]:
    asked = select(series.c.run_id, series.c.header, series.c.data).order_by(series.c.run_id, series.c.number)
    if len(numbers) <= _MANY:
        asked = asked.where(series.c.run_id.in_(numbers))
    for row in connection.execute(asked):
        yield row.run_id, row.header, row.data


def _parts(rows: Iterable[tuple[int, str, bytes]]) -> dict[int, dict[Key, Series]]:
    """Return the series of each run, made of its appends in their order."""
    pieces: dict[int, dict[Key, list[Series]]] = {}
    for run, header, data in rows:
        of_run = pieces.setdefault(run, {})
        for part in unpacked(header, data):
            if part.series is None:
                of_run.pop(part.key, None)
            else:
                before = of_run.setdefault(part.key, [])
                _cut(before, part.since)
                before.append(part.series)
    return {run: {key: _joined(several) for key, several in of_run.items()} for run, of_run in pieces.items()}


def _cut(pieces: list[Series], since: float) -> None:
    """Leave out what lies at a step or beyond it."""
    while pieces:
        last = pieces[-1]
        stays = last.step < since
        if stays.all() and last.step.size:
            return
        pieces.pop()
        if stays.any():
            pieces.append(Series(last.step[stays], last.value[stays]))
            return


def _joined(pieces: list[Series]) -> Series:
    if len(pieces) == 1:
        return pieces[0]
    return Series(np.concatenate([one.step for one in pieces]), np.concatenate([one.value for one in pieces]))


def _changes(before: Mapping[Key, Series], now: Mapping[Key, Series]) -> Iterator[Part]:
    """Yield what must be appended to make ``before`` what is there ``now``."""
    for key, new in now.items():
        old = before.get(key)
        if old is None or not (_rises(old.step) and _rises(new.step)):
            if old is None or not _alike(old, new) == old.step.size == new.step.size:
                yield Part(key, -np.inf, new)
            continue
        if new.step.size:  # a log that lost its beginning takes nothing away from what is kept of it
            lost = old.step < new.step[0]
            old = Series(old.step[~lost], old.value[~lost]) if lost.any() else old
        count = _alike(old, new)
        first = [one.step[count] for one in (old, new) if one.step.size > count]
        if first:
            yield Part(key, float(min(first)), Series(new.step[count:], new.value[count:]))
    for key in before:
        if key not in now:
            yield Part(key, -np.inf, None)


def _rises(step: NDArray[np.float64]) -> bool:
    return bool(np.all(step[1:] > step[:-1]))


def _alike(one: Series, other: Series) -> int:
    """Return how many values two series begin with alike, bit for bit."""
    count = min(one.step.size, other.step.size)
    if one is other:
        return count
    same = np.ones(count, dtype=bool)
    for mine, its in ((one.step, other.step), (one.value, other.value)):
        same &= mine[:count].view(np.int64) == its[:count].view(np.int64)
    return count if same.all() else int(np.argmin(same))
