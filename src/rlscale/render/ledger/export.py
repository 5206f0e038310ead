"""``ledger export``: what a ledger holds as flat tables; the points are a table that every command reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from rlscale.answers.when import moment
from rlscale.ledger import Ledger, canonical
from rlscale.sources.printable import clean

__all__ = ["TABLES", "rows_of", "write_csv"]

Row = dict[str, Any]


def _points(ledger: Ledger) -> Iterator[Row]:
    rows = ledger.book.runs()
    held = ledger.book.points(rows)
    for row in rows:
        points = held.get(row.id)
        if points is None:
            continue
        for k in range(len(points)):
            yield {
                "run": row.name, "recipe": row.recipe, "seed": row.seed, "compute": float(points.compute[k]),
                "unit": row.unit, "metric": row.metric, "reward": float(points.value[k]),
                "n_eval": _known(points.n_eval, k), "sd": _known(points.sd, k), "model_params": row.model_params,
            }  # fmt: skip


def _known(column: Any, k: int) -> float | None:
    return None if column is None or column[k] != column[k] else float(column[k])


def _fits(ledger: Ledger) -> Iterator[Row]:
    for recipe, runs in ledger.fits.history().items():
        for name, fits in runs.items():
            for fit in fits:
                low, middle, high = fit.A or (None,) * 3
                ahead = fit.forecast or (None,) * 3
                yield {
                    "run": name, "recipe": recipe, "compute": fit.compute, "verdict": fit.verdict, "A_q10": low,
                    "A_q50": middle, "A_q90": high, "target": fit.target, "forecast_q10": ahead[0],
                    "forecast_q50": ahead[1], "forecast_q90": ahead[2], "p_best": fit.p_best, "place": fit.place,
                    "contenders": fit.contenders, "at": moment(fit.at), "version": fit.version,
                    "settings": fit.settings,
                }  # fmt: skip


def _decisions(ledger: Ledger) -> Iterator[Row]:
    for one in ledger.rulings.decisions():
        yield {
            "id": one.id, "look": one.look_id, "at": moment(one.at), "run": one.run, "recipe": one.recipe,
            "before": one.before, "decision": one.action, "reason_code": one.code, "reason": one.reason,
            "acting": one.acting, "hash": one.hash, "evidence": canonical(dict(one.evidence)),
        }  # fmt: skip


def _overrides(ledger: Ledger) -> Iterator[Row]:
    for one in ledger.overrides.all():
        yield {"id": one.id, "at": moment(one.at), "run": one.run, "kind": one.kind, "who": one.who, "note": one.note}


def _events(ledger: Ledger) -> Iterator[Row]:
    for one in ledger.events.last(1_000_000):
        yield {"id": one.id, "at": moment(one.at), "kind": one.kind, "subject": one.subject, "message": one.message}


TABLES = {"points": _points, "fits": _fits, "decisions": _decisions, "overrides": _overrides, "events": _events}


def rows_of(ledger: Ledger, table: str) -> Iterator[Row]:
    """Yield the rows of a table, one of :data:`TABLES`."""
    return TABLES[table](ledger)


def write_csv(rows: Iterator[Row], to: TextIO) -> int:
    """Write rows as CSV, and return how many they are; nothing where there are none."""
    writer: csv.DictWriter[str] | None = None
    number = 0
    for row in rows:
        number += 1
        if writer is None:
            writer = csv.DictWriter(to, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: clean(value) if isinstance(value, str) else value for key, value in row.items()})
    return number
