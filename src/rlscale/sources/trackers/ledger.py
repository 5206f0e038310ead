"""A ledger as a source: ``ledger:runs.db`` or ``ledger:postgresql://...``; its runs state their own compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rlscale.curves import Series
from rlscale.errors import EmptyError, LedgerError, SourceError, hidden
from rlscale.sources.format import Address, Entry, Format, Kind
from rlscale.sources.log import Log

if TYPE_CHECKING:
    from rlscale.ledger import Logged, Points, RunRow

__all__ = ["FORMAT", "NAME", "read"]

NAME = "ledger"


def read(uri: str) -> list[Log]:
    """Return the runs of a ledger.

    Raises
    ------
    SourceError
        It cannot be opened, or holds no run with points.
    """
    from rlscale.ledger import Ledger, Logged

    where = hidden(uri)
    try:
        with Ledger(uri) as ledger:
            rows = ledger.book.runs()
            own = ledger.book.points(rows)
            logs = ledger.book.logs(rows)
            beside = {
                metric: ledger.book.points(rows, metric=metric)
                for metric in ledger.book.metrics()
                if any(metric != row.metric for row in rows)
            }
    except LedgerError as error:
        raise SourceError(where, error.on_command_line.removeprefix(f"{where.removeprefix('ledger:')}: ")) from None
    found = [
        _log(row, own[row.id], {metric: held[row.id] for metric, held in beside.items() if row.id in held},
             logs.get(row.id, Logged()), where)
        for row in rows
        if row.id in own
    ]  # fmt: skip
    if not found:
        raise EmptyError(where, "holds no run with evaluations yet; rlscale ledger add PATH --ledger puts some in")
    return found


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


FORMAT: Format = Format(
    name=NAME,
    kind=Kind.LEDGER,
    entries=(
        Entry(NAME, "a ledger in SQLite", "ledger:FILE", note="what rlscale ledger add and rlscale watch keep"),
        Entry(
            NAME, "a ledger in PostgreSQL", "ledger:postgresql://USER@HOST/DATABASE", "postgres", "a real server",
            "a password in PGPASSWORD or ~/.pgpass",
        ),
    ),
    address=Address((NAME,), "ledger:FILE", read, bare=True),
)  # fmt: skip
