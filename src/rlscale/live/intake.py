"""Runs that were read go into a ledger: only what it has not got yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rlscale.curves import Run
from rlscale.curves.value import equal
from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Kept, Ledger, Logged, Points, RunRow, Unreachable, points_of, restated
from rlscale.sources.formats import states_compute

__all__ = ["Intake", "Taken", "heading_of"]


#: So many evaluations may differ: a run that was resumed made them again.
_FEW = 2


def heading_of(run: Run, budget: float | None = None) -> Heading:
    """Return what is said of a run once."""
    curve = run.curve
    return Heading(
        name=run.name, recipe=run.recipe, unit=curve.unit, clock=curve.clock, metric=curve.metric,
        bounds=curve.bounds, bounds_from=curve.bounds_from, open=curve.open, seed=run.seed,
        model_params=run.model_params, budget=budget,
        settings=dict(run.settings), source="" if run.source is None else run.source.path,
    )  # fmt: skip


def _log_of(run: Run) -> Logged:
    """Return what a run's log holds beside its evaluations."""
    return Logged(config=run.config, series=run.series, metrics=run.metrics, source=run.source)


@dataclass(frozen=True)
class Taken:
    """What was taken in.

    Parameters
    ----------
    runs : tuple of RunRow
        All runs that were given.
    points : int
        New evaluations.
    refused : mapping of str to str
        Why runs were left out, by name.
    """

    runs: tuple[RunRow, ...]
    points: int
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Sent:
    """A run as it was taken in, and what the ledger holds of its log since."""

    run: Run
    row: RunRow
    log: Logged
    kept: Kept

    def holds(self, run: Run, log: Logged) -> bool:
        """Whether nothing of the run has changed but, perhaps, its evaluations."""
        ours, its = ((one.seed, one.model_params, one.settings) for one in (self.run, run))
        return equal(ours, its) and self.log == log


class Intake:
    """Takes runs into a ledger, again and again.

    Parameters
    ----------
    ledger : Ledger
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: dict[str, RunRow] = {}
        self._sent: dict[str, _Sent] = {}

    def take(self, runs: Sequence[Run], budget: float | None = None) -> Taken:
        """Take in what is not there yet of runs and their logs; a run that contradicts the ledger is left out.

        Raises
        ------
        LedgerError
            The ledger cannot be written; nothing is then counted as taken in.
        """
        points, refused, rows = 0, {}, []
        for run in runs:
            try:
                points += self._taken(run, budget)
            except Unreachable:  # as it will be for the other runs
                raise
            except LedgerError as error:
                refused[run.name] = error.on_command_line
                continue
            rows.append(self._sent[run.name].row)
        return Taken(tuple(rows), points, refused)

    def _taken(self, run: Run, budget: float | None) -> int:
        """Take in what is new of one run; return the number of its new evaluations."""
        sent, log = self._sent.get(run.name), _log_of(run)
        new = _new(None if sent is None else sent.run, run)
        if sent is not None and not len(new) and sent.holds(run, log):
            return 0
        heading = heading_of(run, budget)
        row = self._row(run, heading) if sent is None else sent.row
        count, kept = self._ledger.book.take(row, heading, new, log, None if sent is None else sent.kept)
        self._sent[run.name] = _Sent(run, restated(row, heading), log, kept)
        return count

    def _row(self, run: Run, heading: Heading) -> RunRow:
        """Return the run of the ledger that a run is, which is added where it is new.

        Raises
        ------
        LedgerError
            The ledger holds another one of that name.
        """
        if run.name not in self._rows:
            self._rows[run.name] = self._ledger.book.enlist(heading)
            if run.source is not None and not states_compute(run.source.format):
                # a number after the name is no part of it but the second run of one log
                self._ledger.begun_anew(run.name)
        row = self._rows[run.name]
        if row.last_seq:
            self._check(row, run)
        return row

    def _check(self, row: RunRow, run: Run) -> None:
        """Refuse a run that is another than the one that the ledger holds under its name.

        Most of its evaluations contradict those kept: its log was begun anew, or lost its beginning and with it the
        compute spent there, while nobody followed it.
        """
        held = self._ledger.book.points([row]).get(row.id)
        known = {} if held is None else dict(zip(held.compute.tolist(), held.value.tolist(), strict=True))
        last = max(known, default=-1.0)
        pairs = zip(run.curve.compute.tolist(), run.curve.reward.tolist(), strict=True)
        again = [(place, value) for place, value in pairs if place <= last]
        wrong = [(place, value) for place, value in again if known.get(place) != value]
        if len(wrong) > max(len(again) / 2, _FEW):
            raise LedgerError(
                f"run {run.name!r}: {len(wrong)} of {len(again)} evaluations up to compute {last:g} are not those that "
                "the ledger holds: this is another run, or its log lost its beginning; give it another name or folder"
            )


def _new(before: Run | None, run: Run) -> Points:
    """Return the points of a run that were not sent: those after what it begins with as before."""
    curve = run.curve
    whole = points_of(curve.compute, curve.reward, curve.n_eval, curve.sd)
    if before is None:
        return whole
    old = before.curve
    count = min(old.n_points, curve.n_points)
    same = (old.compute[:count] == curve.compute[:count]) & (old.reward[:count] == curve.reward[:count])
    return whole.after(int(np.argmin(same)) if not same.all() else count)
