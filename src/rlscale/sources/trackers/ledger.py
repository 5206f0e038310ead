"""A ledger as a source: ``ledger:runs.db`` or ``ledger:postgresql://...``; its runs state their own compute."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from rlscale.curves import Series
from rlscale.errors import EmptyError, LedgerError, SourceError, hidden
from rlscale.ledger import PATIENCE, Ledger, Logged, Points, Replaced, RunRow
from rlscale.sources.log import Log
from rlscale.sources.trackers.ledger_address import NAME

__all__ = ["LedgerTail", "logs_of", "read"]


def read(uri: str) -> list[Log]:
    """Return the runs of a ledger.

    Raises
    ------
    SourceError
        It cannot be opened, or holds no run with points.
    """
    tail = LedgerTail(uri, patience=PATIENCE)
    try:
        return tail.look()
    finally:
        tail.close()


class LedgerTail:
    """A ledger that is read again and again: of what it holds only what is new.

    Parameters
    ----------
    uri : str
    patience : float
        Seconds that a locked ledger, or one that cannot be reached, is waited for.
    """

    def __init__(self, uri: str, patience: float = 5.0) -> None:
        self._uri, self._patience = uri, patience
        self._ledger: Ledger | None = None
        self._marks: tuple[float, ...] | None = None
        self._held: dict[int, tuple[tuple[RunRow, int], Log | None]] = {}
        self._logs: list[Log] = []

    def look(self) -> list[Log]:
        """Return the runs as they stand: the very list of the last call where nothing is new.

        Raises
        ------
        SourceError
            It cannot be opened, or holds no run with points.
        """
        where = hidden(self._uri)
        try:
            ledger, marks = self._current()
            if marks != self._marks:
                self._logs = self._read(ledger, where)
                self._marks = marks
        except LedgerError as error:
            self.close()
            raise SourceError(where, error.on_command_line.removeprefix(f"{where.removeprefix('ledger:')}: ")) from None
        if not self._logs:
            raise EmptyError(where, "holds no run with evaluations yet; rlscale ledger add PATH --ledger puts some in")
        return self._logs

    def _current(self) -> tuple[Ledger, tuple[float, ...]]:
        """Return the ledger that stands there now, opened, and its marks."""
        if self._ledger is not None:
            try:
                return self._ledger, self._ledger.marks().of_runs
            except Replaced:
                self.close()
        ledger = self._ledger = Ledger(self._uri, patience=self._patience)
        weakref.finalize(self, ledger.close)
        return ledger, ledger.marks().of_runs

    def _read(self, ledger: Ledger, where: str) -> list[Log]:
        book = ledger.book
        rows, appends = book.runs(), book.appends()
        stands = {row.id: (row, appends.get(row.id, 0)) for row in rows}
        new = [row for row in rows if self._held.get(row.id, (None,))[0] != stands[row.id]]
        read = logs_of(ledger, new, where)
        self._held |= {row.id: (stands[row.id], read.get(row.id)) for row in new}
        self._held = {row.id: self._held[row.id] for row in rows}
        return [log for _, log in self._held.values() if log is not None]

    def close(self) -> None:
        """Close its connections; :meth:`look` opens them again."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = self._marks = None


def logs_of(ledger: Ledger, rows: Sequence[RunRow], where: str) -> dict[int, Log]:
    """Return what a ledger holds of runs, by their ids; one without evaluations is left out.

    Parameters
    ----------
    ledger : Ledger
    rows : sequence of RunRow
    where : str
        What the logs say that they are from.
    """
    if not rows:
        return {}
    book = ledger.book
    own, logs = book.points(rows), book.logs(rows)
    others = [metric for metric in book.metrics(rows) if any(metric != row.metric for row in rows)]
    beside = {metric: book.points(rows, metric=metric) for metric in others}
    return {
        row.id: _log(row, own[row.id], {metric: held[row.id] for metric, held in beside.items() if row.id in held},
                     logs.get(row.id, Logged()), where)
        for row in rows
        if row.id in own
    }  # fmt: skip


def _log(row: RunRow, own: Points, beside: dict[str, Points], log: Logged, where: str) -> Log:
    held = {**beside, row.metric: own}
    placed = {metric: Series(points.compute, points.value) for metric, points in held.items()}
    by_step = {key: one for key, one in log.series.items() if key != row.metric}
    counts_steps = row.unit == "steps"  # then a step is its compute
    if counts_steps:
        placed = {**by_step, **placed}
    everywhere = np.unique(np.concatenate([series.step for series in placed.values()]))
    return Log(
        name=row.name,
        path=where,
        format=NAME,
        rows=row.last_seq,
        series=placed,
        unplaced={} if counts_steps else by_step,
        origin=log.source,
        validation=(row.metric,),
        train=(),
        axes={row.unit: Series(everywhere, everywhere)},
        n_eval={} if own.n_eval is None else {row.metric: Series(own.compute, own.n_eval)},
        sd={} if own.sd is None else {row.metric: Series(own.compute, own.sd)},
        bounds=row.bounds if row.bounds_from == "option" else None,
        bounds_from=row.bounds_from,
        open_because=row.open.because if row.open is not None else "values",
        stated_clock=row.clock,
        recipe=row.recipe,
        seed=row.seed,
        model_params=row.model_params,
        config=log.config,
        metrics=log.metrics,
        settings=row.settings,
        trainer=log.trainer,
    )
