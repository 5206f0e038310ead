"""Runs and their points: taken in once, whoever brings them how often, and read as they stood at any time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from rlscale.errors import LedgerError
from rlscale.ledger.database import Database
from rlscale.ledger.logs import Kept, Logged, extend, keep, logged
from rlscale.ledger.schema import logs, points, runs, series
from rlscale.ledger.values import Heading, Points, RunRow, open_bounds_of, open_bounds_text, restated, written

__all__ = ["Book"]

#: What is read of a point.
_ROW: np.dtype[np.void] = np.dtype(
    [("run_id", "i8"), ("seq", "i8"), ("compute", "f8"), ("value", "f8"), ("n_eval", "f8"), ("sd", "f8")]
)
#: More runs than this are not named one by one in a question.
_MANY = 500
#: What a run keeps from its first heading on; another value means another run.
_FIXED = ("unit", "clock", "metric")


class Book:
    """The runs of a ledger.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def enlist(self, heading: Heading) -> RunRow:
        """Return the run of a heading, which is added where it is new.

        Raises
        ------
        LedgerError
            A run of that name has another unit, clock, metric or range.
        """

        def work(connection: Connection) -> RunRow:
            row = connection.execute(select(runs).where(runs.c.name == heading.name)).first()
            if row is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(runs).values(**_columns(heading)))
                except IntegrityError:  # somebody else was quicker
                    pass
                row = connection.execute(select(runs).where(runs.c.name == heading.name)).one()
            return _checked(_run(row), heading, str(self._database.where))

        return self._database.write(work)

    def rebound(self, rows: Sequence[RunRow]) -> None:
        """Keep the bounds that are assumed of runs now."""
        if not rows:
            return

        def work(connection: Connection) -> None:
            for row in rows:
                low, high = row.bounds
                values = {"low": low, "high": high, "bounds_from": row.bounds_from, "open": open_bounds_text(row.open)}
                connection.execute(update(runs).where(runs.c.id == row.id).values(**values))

        self._database.write(work)

    def append(self, taken: Mapping[int, Mapping[str, Points]], source: str | None = None) -> int:
        """Take in points of runs, and return how many were new.

        A point that is there (same run, metric, compute and value) is left alone. Of two values at one compute the
        later wins; the earlier stays for those who saw it.

        Parameters
        ----------
        taken : mapping of int to mapping of str to Points
            By the run's id, then by metric.
        source : str, optional
            Where they come from. Values that contradict those of another source are refused.

        Raises
        ------
        LedgerError
            A run that is not there, or two runs under one name.
        """
        return self._database.write(
            lambda connection: sum(
                self._append(connection, number, taken[number], source) for number in sorted(taken)
            )  # in one order, so that two writers never wait for each other
        )

    def _append(self, connection: Connection, number: int, metrics: Mapping[str, Points], source: str | None) -> int:
        asked = select(runs.c.last_seq, runs.c.name, runs.c.source).where(runs.c.id == number).with_for_update()
        held = connection.execute(asked).first()
        if held is None:
            raise LedgerError(f"{self._database.where}: no run number {number}; add it first")
        seq, now = int(held.last_seq), time.time()
        rows: list[dict[str, Any]] = []
        known = self._known(connection, number, metrics)
        contradicted = source is not None and source != held.source
        for metric, new in metrics.items():
            for place, value, n_eval, sd in _numbers(new):
                before = known.get((metric, place))
                if before == value:
                    continue
                if before is not None and contradicted:
                    raise LedgerError(
                        f"{source}: run {held.name!r} has {metric} = {value:g} at compute {place:g}, and the ledger "
                        f"{before:g} from {held.source}: two runs under one name; give one another name or folder"
                    )
                known[metric, place] = value
                seq += 1
                rows.append(
                    {"run_id": number, "seq": seq, "metric": metric, "compute": place, "value": value,
                     "n_eval": n_eval, "sd": sd, "at": now}
                )  # fmt: skip
        if rows:
            connection.execute(insert(points), rows)
            connection.execute(update(runs).where(runs.c.id == number).values(last_seq=seq))
        return len(rows)

    @staticmethod
    def _known(connection: Connection, number: int, taken: Mapping[str, Points]) -> dict[tuple[str, float], float]:
        """Return the latest values of each metric at the computes that new points may stand at."""
        own = {metric: new for metric, new in taken.items() if len(new)}
        if not own:
            return {}
        asked = (
            select(points.c.metric, points.c.compute, points.c.value)
            .where(
                points.c.run_id == number, points.c.metric.in_(own),
                points.c.compute >= min(float(new.compute.min()) for new in own.values()),
                points.c.compute <= max(float(new.compute.max()) for new in own.values()),
            )
            .order_by(points.c.seq)
        )  # fmt: skip
        return {(row.metric, row.compute): row.value for row in connection.execute(asked)}

    def take(
        self, row: RunRow, heading: Heading, new: Points, log: Logged, known: Kept | None = None
    ) -> tuple[int, Kept]:
        """Take in what is new of a run and of its whole log, and return how many points were new and what is kept.

        Parameters
        ----------
        row : RunRow
        heading : Heading
            As its log states it now: seed, model and settings are kept anew where they differ.
        new : Points
        log : Logged
            The whole of it, of which only what is new is written.
        known : Kept, optional
            What this returned the last time.

        Raises
        ------
        LedgerError
            As for :meth:`append`.
        """

        def work(connection: Connection) -> tuple[int, Kept]:
            count = self._append(connection, row.id, {heading.metric: new}, heading.source or None)
            if restated(row, heading) != row:
                values = {"seed": heading.seed, "model_params": heading.model_params,
                          "settings": written(heading.settings)}  # fmt: skip
                connection.execute(update(runs).where(runs.c.id == row.id).values(**values))
            return count, keep(connection, row.id, log, known)

        return self._database.write(work)

    def extend(self, number: int, new: Mapping[str, Points], log: Logged, *, about: bool) -> int:
        """Take in what a run that records itself has logged since the last time; return how many points were new.

        Parameters
        ----------
        number : int
        new : mapping of str to Points
            By metric.
        log : Logged
            The new part of each series, which takes the place of what was kept from its first step on.
        about : bool
            Whether configuration and metrics are to be kept too.
        """

        def work(connection: Connection) -> int:
            count = self._append(connection, number, new, None)
            extend(connection, number, log, about=about)
            return count

        return self._database.write(work)

    def logs(self, of: Sequence[RunRow]) -> dict[int, Logged]:
        """Return what the logs of runs hold beside their evaluations, by id; a run without any is left out."""
        return self._database.read(lambda connection: logged(connection, [row.id for row in of]))

    def appends(self) -> dict[int, int]:
        """Return how often something was appended to the log of each run, by id; a run without a log is left out."""
        asked = select(logs.c.run_id, logs.c.last)
        return self._database.read(lambda connection: {row.run_id: row.last for row in connection.execute(asked)})

    def arrivals(self, number: int, count: int) -> tuple[float, ...]:
        """Return the Unix times of the latest appends to the log of a run, oldest first."""
        asked = select(series.c.at).where(series.c.run_id == number).order_by(series.c.number.desc()).limit(count)
        return self._database.read(lambda connection: tuple(connection.execute(asked).scalars()))[::-1]

    def end(self, number: int) -> None:
        """Note that a run's trainer is done with it: nothing more will come."""
        self._database.write(
            lambda connection: connection.execute(update(runs).where(runs.c.id == number).values(ended=time.time()))
        )

    def reopen(self, number: int) -> None:
        """Note that a run goes on, whatever was said before."""
        self._database.write(
            lambda connection: connection.execute(update(runs).where(runs.c.id == number).values(ended=None))
        )

    def runs(self, names: Collection[str] | None = None, recipe: str | None = None) -> tuple[RunRow, ...]:
        """Return the runs, those called ``names`` and those of a recipe where it is given, in the order of arrival."""

        def work(connection: Connection) -> tuple[RunRow, ...]:
            asked = select(runs).order_by(runs.c.id)
            if recipe is not None:
                asked = asked.where(runs.c.recipe == recipe)
            if names is not None:
                asked = asked.where(runs.c.name.in_(list(names)))
            return tuple(map(_run, connection.execute(asked)))

        return self._database.read(work)

    def refreshed(self, rows: Sequence[RunRow]) -> tuple[RunRow, ...]:
        """Return the runs as they stand, given as they stood: those with new points, ends or bounds are read anew."""
        stood = {row.id: row for row in rows}
        asked = select(runs.c.id, runs.c.last_seq, runs.c.ended, runs.c.low, runs.c.high).order_by(runs.c.id)

        def work(connection: Connection) -> tuple[RunRow, ...]:
            marks = {number: tuple(rest) for number, *rest in connection.execute(asked)}
            new = [number for number, mark in marks.items() if number not in stood or mark != _mark(stood[number])]
            again = select(runs)
            if len(new) <= _MANY:
                again = again.where(runs.c.id.in_(new))
            fresh = {row.id: row for row in map(_run, connection.execute(again))} if new else {}
            return tuple(fresh.get(number) or stood[number] for number in marks)

        return self._database.read(work)

    def run(self, name: str) -> RunRow:
        """Return the run called ``name``.

        Raises
        ------
        LedgerError
            There is none.
        """
        found = self.runs([name])
        if not found:
            known = ", ".join(one.name for one in self.runs()[:20]) or "none yet"
            raise LedgerError(f"{self._database.where}: no run {name!r}; its runs are {known}")
        return found[0]

    def called(self, name: str, *, fresh: bool) -> str:
        """Return what a run is called that is started afresh or goes on: ``name``, or ``name#2`` for a second start."""
        own = re.compile(rf"{re.escape(name)}(?:#(\d+))?")
        started = {int(found[1] or 1): row for row in self.runs() if (found := own.fullmatch(row.name))}
        if not started:
            return name
        last = max(started)
        return f"{name}#{last + 1}" if fresh and started[last].last_seq else started[last].name

    def points(
        self, of: Sequence[RunRow], *, upto: Mapping[int, int] | None = None, metric: str | None = None
    ) -> dict[int, Points]:
        """Return the points of runs by id, computes increasing; a run without any is left out.

        Parameters
        ----------
        of : sequence of RunRow
        upto : mapping of int to int, optional
            As each stood when its latest point had this number; a run that is not in it had none.
        metric : str, optional
            In place of the run's own.
        """
        if not of:
            return {}

        def work(connection: Connection) -> NDArray[np.void]:
            # straight from the driver: rows that know their columns cost a second for a million points
            found: Any = connection.execute(_asked(of, metric)).cursor
            return np.fromiter(found, dtype=_ROW)  # None becomes NaN

        return _split(self._database.read(work), upto)

    def metrics(self, of: Sequence[RunRow] | None = None) -> tuple[str, ...]:
        """Return the metrics that there are points of, in these runs or in any: those they are judged by and others."""
        asked = select(points.c.metric).distinct().order_by(points.c.metric)
        if of is not None and len(of) <= _MANY:
            asked = asked.where(points.c.run_id.in_([row.id for row in of]))
        return self._database.read(lambda connection: tuple(row.metric for row in connection.execute(asked)))


def _asked(of: Sequence[RunRow], metric: str | None) -> Select[Any]:
    """Return the question for the points of some runs, and one metric of each, in the order of :data:`_ROW`."""
    asked = select(*(points.c[name] for name in _ROW.names or ()))
    if metric is not None:
        asked = asked.where(points.c.metric == metric)
    else:
        asked = asked.join(runs, and_(points.c.run_id == runs.c.id, points.c.metric == runs.c.metric))
    if len(of) <= _MANY:
        asked = asked.where(points.c.run_id.in_([one.id for one in of]))
    return asked.order_by(points.c.run_id, points.c.seq)


def _split(rows: NDArray[np.void], upto: Mapping[int, int] | None) -> dict[int, Points]:
    """Return the points of each run, as they stood."""
    run, number, place, height, *beside = (np.ascontiguousarray(rows[name]) for name in _ROW.names or ())
    found = {}
    for part in np.split(np.arange(run.size), np.flatnonzero(np.diff(run)) + 1):
        key = int(run[part[0]]) if part.size else 0
        seen = part if upto is None else part[number[part] <= upto.get(key, 0)]
        if seen.size:
            kept = seen[_latest(place[seen])]
            graded, scatter = (None if np.isnan(column[kept]).all() else column[kept] for column in beside)
            found[key] = Points(place[kept], height[kept], graded, scatter, number[kept])
    return found


def _latest(compute: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of the latest point at each compute, computes increasing."""
    order = np.argsort(compute, kind="stable")
    placed = compute[order]
    last = np.append(placed[1:] != placed[:-1], True)
    return np.asarray(order[last])


def _numbers(new: Points) -> Iterable[tuple[float, float, float | None, float | None]]:
    columns = [new.compute.tolist(), new.value.tolist()]
    for beside in (new.n_eval, new.sd):
        told = [None] * len(new) if beside is None else [None if x != x else x for x in beside.tolist()]
        columns.append(told)
    return zip(*columns, strict=True)


def _mark(row: RunRow) -> tuple[Any, ...]:
    return row.last_seq, row.ended, *row.bounds


def _columns(heading: Heading) -> dict[str, Any]:
    low, high = heading.bounds
    return {
        "name": heading.name, "recipe": heading.recipe, "seed": heading.seed, "unit": heading.unit,
        "clock": heading.clock, "metric": heading.metric, "low": low, "high": high,
        "bounds_from": heading.bounds_from, "open": open_bounds_text(heading.open),
        "model_params": heading.model_params, "budget": heading.budget, "settings": written(heading.settings),
        "source": heading.source, "last_seq": 0, "created": time.time(),
    }  # fmt: skip


def _run(row: Row[Any]) -> RunRow:
    told = dict(row._mapping)
    bounds = (told.pop("low"), told.pop("high"))
    return RunRow(
        **{**told, "bounds": bounds, "open": open_bounds_of(told["open"]), "settings": json.loads(told["settings"])}
    )


def _checked(found: RunRow, heading: Heading, where: str) -> RunRow:
    stated = {found.bounds_from, heading.bounds_from} == {"option"}
    for field in (*_FIXED, "bounds") if stated else _FIXED:
        held, given = getattr(found, field), getattr(heading, field)
        if held != given:
            raise LedgerError(
                f"{where}: run {heading.name!r} is kept with {field} {held or 'none'!r}, and now comes with "
                f"{given or 'none'!r}; give it another name, or read it as before"
            )
    return found
