"""A look made again from what the ledger holds of it: the points, states, words and settings of then."""

from __future__ import annotations

from rlscale.ledger import Ledger, LookRow, Read
from rlscale.live.settings import WatchSettings
from rlscale.live.sight import Looker, Sight, as_looked_at, run_of, seen

__all__ = ["Again"]


class Again:
    """Makes looks again, one after the other; what is fitted once is not fitted again while settings stay.

    Parameters
    ----------
    ledger : Ledger
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._looker: Looker | None = None

    def sight(self, look: LookRow, saw: tuple[Read, ...]) -> Sight:
        """Return what a look saw and decided.

        Raises
        ------
        InputError
            The ledger does not hold what it was made of.
        KeyError
            A run that it saw is no longer there.
        """
        settings = WatchSettings.of(look.settings)
        if self._looker is None or self._looker.settings.hash != settings.hash:
            self._looker = Looker(settings)
        ledger = self._ledger
        rows = {row.id: row for row in ledger.book.runs()}
        words = {word.id: word for word in ledger.overrides.all()}
        read = {one.run_id: one for one in saw}
        points = ledger.book.points([rows[key] for key in read], upto={one.run_id: one.seq for one in saw})
        logs = ledger.book.logs([rows[key] for key in read]) if settings.options.health else {}
        field = [
            seen(
                row,
                as_looked_at(row, run_of(row, points[key], logs.get(key))),
                None,
                words.get(one.override_id or 0),
                at=one,
            )
            for key, one in read.items()
            for row in [rows[key].as_assumed(one.bounds)]
        ]
        return self._looker.look(field, look.risk_spent)
