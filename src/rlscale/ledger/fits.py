"""What runs were believed to reach as they grew: the ceiling over compute, and the place among all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from rlscale.ledger.database import Database
from rlscale.ledger.schema import fits, runs, settings
from rlscale.ledger.values import canonical, digest

__all__ = ["FitRow", "Fits", "keep_fits", "keep_settings"]

#: 10 %, 50 % and 90 % quantile.
Three = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class FitRow:
    """One fit of a run.

    Parameters
    ----------
    run_id, seq : int
        The run, and the number of its latest point then.
    settings : str
        Hash of how it was fitted.
    version : str
        Of the package.
    at : float
        When it was made.
    compute : float
        Of the latest evaluation.
    verdict : str
    A : tuple of float, optional
        Quantiles of the asymptote, model error included; None where nothing was fitted.
    target : float, optional
        Compute of the forecast.
    forecast : tuple of float, optional
        Quantiles of the reward there.
    mean, p_best : float, optional
        Its mean, and the probability that it beats all others by more than epsilon.
    place, contenders : int, optional
        Place by mean forecast among all that were compared then, 1 the best, and their number.
    """

    run_id: int
    seq: int
    settings: str
    version: str
    at: float
    compute: float
    verdict: str
    A: Three | None = None
    target: float | None = None
    forecast: Three | None = None
    mean: float | None = None
    p_best: float | None = None
    place: int | None = None
    contenders: int | None = None


class Fits:
    """The fits of a ledger.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, rows: Sequence[FitRow], document: Any) -> int:
        """Keep fits made with the settings of ``document``; those that are there already are left alone."""

        def work(connection: Connection) -> int:
            keep_settings(connection, document)
            return keep_fits(connection, rows)

        return self._database.write(work)

    def settings(self, document: Any) -> str:
        """Return the hash that settings are kept under."""
        return digest(document)

    def known(self, numbers: Iterable[int], hashed: str, version: str) -> set[tuple[int, int]]:
        """Return (run, seq) of the fits of some runs that were made with these settings and this version."""
        wanted = set(numbers)
        asked = select(fits.c.run_id, fits.c.seq).where(fits.c.settings == hashed, fits.c.version == version)
        if len(wanted) <= 500:
            asked = asked.where(fits.c.run_id.in_(wanted))
        return self._database.read(
            lambda connection: {(row.run_id, row.seq) for row in connection.execute(asked) if row.run_id in wanted}
        )

    def ranked(self) -> tuple[FitRow, ...]:
        """Return the fits of all runs that were kept without a place, compute increasing."""
        asked = select(fits).where(fits.c.place.is_(None)).order_by(fits.c.run_id, fits.c.compute, fits.c.seq)
        return self._database.read(lambda connection: tuple(map(_fit, connection.execute(asked))))

    def history(self, recipe: str) -> dict[str, tuple[FitRow, ...]]:
        """Return the fits of the runs of a recipe by name, compute increasing; of each those with its latest settings.

        Fits with several settings or versions do not compare; the latest of each run say what is believed now.
        """
        asked = (
            select(runs.c.name, fits)
            .join(runs, runs.c.id == fits.c.run_id)
            .where(runs.c.recipe == recipe)
            .order_by(runs.c.id, fits.c.compute, fits.c.seq)
        )
        rows = self._database.read(lambda connection: connection.execute(asked).fetchall())
        by_run: dict[str, list[Row[Any]]] = {}
        for row in rows:
            by_run.setdefault(row.name, []).append(row)
        found = {}
        for name, own in by_run.items():
            latest = max(own, key=lambda row: row.at)
            alike = [row for row in own if (row.settings, row.version) == (latest.settings, latest.version)]
            found[name] = tuple(map(_fit, alike))
        return found


def keep_settings(connection: Connection, document: Any) -> str:
    """Keep settings under their hash, once."""
    hashed = digest(document)
    if connection.execute(select(settings.c.hash).where(settings.c.hash == hashed)).first() is None:
        connection.execute(_once(connection, insert(settings)).values(hash=hashed, document=canonical(document)))
    return hashed


def keep_fits(connection: Connection, rows: Sequence[FitRow]) -> int:
    """Keep fits, and return how many were new."""
    if not rows:
        return 0
    before = {
        (row.run_id, row.seq)
        for row in connection.execute(
            select(fits.c.run_id, fits.c.seq).where(
                fits.c.run_id.in_({one.run_id for one in rows}),
                fits.c.settings == rows[0].settings, fits.c.version == rows[0].version,
            )
        )
    }  # fmt: skip
    new = {(one.run_id, one.seq): one for one in rows if (one.run_id, one.seq) not in before}
    if new:
        connection.execute(_once(connection, insert(fits)), list(map(_columns, new.values())))
    return len(new)


def _once(connection: Connection, statement: Any) -> Any:
    """Return an insert that leaves rows alone that another process has added meanwhile."""
    if connection.dialect.name == "sqlite":
        return statement.prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert as server_insert

    return server_insert(statement.table).on_conflict_do_nothing()


def _columns(one: FitRow) -> dict[str, Any]:
    told = asdict(one)
    for prefix, three in (("a", told.pop("A")), ("f", told.pop("forecast"))):
        told.update(zip((f"{prefix}_q10", f"{prefix}_q50", f"{prefix}_q90"), three or (None,) * 3, strict=True))
    return {**{name: value for name, value in told.items() if name != "mean"}, "f_mean": one.mean}


def _fit(row: Row[Any]) -> FitRow:
    told = row._mapping
    names = ("run_id", "seq", "settings", "version", "at", "compute", "verdict", "target", "p_best", "place",
             "contenders")  # fmt: skip
    return FitRow(
        **{name: told[name] for name in names}, A=_three(told, "a"), forecast=_three(told, "f"), mean=told["f_mean"]
    )


def _three(told: Any, prefix: str) -> Three | None:
    low, middle, high = (told[f"{prefix}_{q}"] for q in ("q10", "q50", "q90"))
    return None if middle is None else (low, middle, high)
