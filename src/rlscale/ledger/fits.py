"""What runs were believed to reach as they grew: the ceiling over compute, and the place among all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select

from rlscale.ledger.database import Database
from rlscale.ledger.schema import fits, runs, settings
from rlscale.ledger.values import canonical, digest

__all__ = ["FitRow", "Fits", "fits_after", "keep_fits", "keep_settings"]

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
        On the reward at ``target``, on the asymptote where there is none.
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
    resolves_at : tuple of float, optional
        Quantiles of the compute at which the verdict should be ``resolved``; None where that cannot be said.
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
    resolves_at: Three | None = None

    @property
    def judged(self) -> Three | None:
        """Quantiles of what the verdict speaks of: the forecast at the target, the asymptote where there is none."""
        return self.A if self.target is None else self.forecast


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
        asked = select(*_COLUMNS).where(fits.c.place.is_(None)).order_by(fits.c.run_id, fits.c.compute, fits.c.seq)
        return self._database.read(lambda connection: tuple(map(_fit, connection.execute(asked))))

    def latest(self) -> tuple[FitRow, ...]:
        """Return of each run the fit of most of its points, the one made last where there are several of them."""
        last = select(fits.c.run_id, func.max(fits.c.seq).label("seq")).group_by(fits.c.run_id).subquery()
        same = and_(fits.c.run_id == last.c.run_id, fits.c.seq == last.c.seq)
        asked = select(*_COLUMNS).join(last, same).order_by(fits.c.run_id, fits.c.at)
        rows = self._database.read(lambda connection: connection.execute(asked).fetchall())
        return tuple({each.run_id: each for each in map(_fit, rows)}.values())

    def history(self, recipe: str | None = None) -> dict[str, dict[str, tuple[FitRow, ...]]]:
        """Return the fits of runs by recipe and name, compute increasing; of each those with its latest settings.

        Fits with several settings or versions do not compare; the latest of each run say what is believed now.

        Parameters
        ----------
        recipe : str, optional
            This one only.
        """
        asked = (
            select(runs.c.name, runs.c.recipe, *_COLUMNS)
            .join(runs, runs.c.id == fits.c.run_id)
            .order_by(runs.c.id, fits.c.compute, fits.c.seq)
        )
        if recipe is not None:
            asked = asked.where(runs.c.recipe == recipe)
        rows = self._database.read(lambda connection: connection.execute(asked).fetchall())
        by_run: dict[tuple[str, str], list[FitRow]] = {}
        for name, own, *told in rows:
            by_run.setdefault((own, name), []).append(_fit(told))
        found: dict[str, dict[str, tuple[FitRow, ...]]] = {}
        for (own, name), several in by_run.items():
            latest = max(several, key=lambda one: one.at)
            alike = tuple(one for one in several if (one.settings, one.version) == (latest.settings, latest.version))
            found.setdefault(own, {})[name] = alike
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


def fits_after(connection: Connection, run: int, hashed: str, seq: int, most: int) -> tuple[FitRow, ...]:
    """Return the fits of a run with these settings after a point, one a point: that of the latest version."""
    asked = (
        select(*_COLUMNS)
        .where(fits.c.run_id == run, fits.c.settings == hashed, fits.c.seq > seq)
        .order_by(fits.c.seq, fits.c.at)
        .limit(most)
    )
    return tuple({one.seq: one for one in map(_fit, connection.execute(asked))}.values())


def _once(connection: Connection, statement: Any) -> Any:
    """Return an insert that leaves rows alone that another process has added meanwhile."""
    if connection.dialect.name == "sqlite":
        return statement.prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert as server_insert

    return server_insert(statement.table).on_conflict_do_nothing()


def _columns(one: FitRow) -> dict[str, Any]:
    told = asdict(one)
    for prefix, three in (("a", told.pop("A")), ("f", told.pop("forecast")), ("r", told.pop("resolves_at"))):
        told.update(zip((f"{prefix}_q10", f"{prefix}_q50", f"{prefix}_q90"), three or (None,) * 3, strict=True))
    return {**{name: value for name, value in told.items() if name != "mean"}, "f_mean": one.mean}


def _fit(told: Sequence[Any]) -> FitRow:
    run, seq, settled, version, at, compute, verdict, *rest = told
    ceiling, target, ahead, (mean, p_best, place, contenders) = rest[:3], rest[3], rest[4:7], rest[7:11]
    return FitRow(
        run_id=run, seq=seq, settings=settled, version=version, at=at, compute=compute, verdict=verdict,
        A=_three(ceiling), target=target, forecast=_three(ahead), mean=mean, p_best=p_best, place=place,
        contenders=contenders, resolves_at=_three(rest[11:]),
    )  # fmt: skip


def _three(held: Sequence[float | None]) -> Three | None:
    low, middle, high = held
    return None if low is None or middle is None or high is None else (low, middle, high)


#: In the order in which :func:`_fit` takes them.
_COLUMNS = tuple(
    fits.c[name]
    for name in (
        "run_id", "seq", "settings", "version", "at", "compute", "verdict", "a_q10", "a_q50", "a_q90", "target",
        "f_q10", "f_q50", "f_q90", "f_mean", "p_best", "place", "contenders", "r_q10", "r_q50", "r_q90",
    )
)  # fmt: skip
