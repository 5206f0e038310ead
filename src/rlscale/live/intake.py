"""Runs that were read go into a ledger: only what it has not got yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rlscale.curves import Run
from rlscale.errors import LedgerError
from rlscale.ledger import Heading, Ledger, Points, RunRow, Unreachable, points_of

__all__ = ["Intake", "Taken", "heading_of"]


#: Formats in which a number after a name is a part of it, and not the second run of one log.
_STATED = ("table", "ledger")
#: So many evaluations may differ: a run that was resumed made them again.
_FEW = 2


def heading_of(run: Run, budget: float | None = None) -> Heading:
    """Return what is said of a run once."""
    curve = run.curve
    return Heading(
        name=run.name, recipe=run.recipe, unit=curve.unit, clock=curve.clock, metric=curve.metric,
        bounds=curve.bounds, bounds_from=curve.bounds_from, open=curve.open, seed=run.seed,
        model_params=run.model_params, budget=budget,
        settings=_plain(run.settings), source="" if run.source is None else run.source.path,
    )  # fmt: skip


def _plain(held: object) -> dict[str, object]:
    """Return the settings that are plain values; others say nothing that is asked for later."""
    if not hasattr(held, "items"):
        return {}
    kinds = (str, int, float, bool, type(None))
    return {
        str(key): value
        for key, value in held.items()
        if isinstance(value, kinds) and not (isinstance(value, float) and not np.isfinite(value))
    }


@dataclass(frozen=True)
class Taken:
    """What was taken in.

    Parameters
    ----------
    runs : tuple of RunRow
        All runs that were given.
    points : int
        New ones.
    refused : mapping of str to str
        Why runs were left out, by name.
    """

    runs: tuple[RunRow, ...]
    points: int
    refused: dict[str, str] = field(default_factory=dict)


class Intake:
    """Takes runs into a ledger, again and again.

    Parameters
    ----------
    ledger : Ledger
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: dict[str, RunRow] = {}
        self._sent: dict[str, Run] = {}

    def take(self, runs: Sequence[Run], budget: float | None = None) -> Taken:
        """Take in the evaluations of runs that are not there yet; a run that contradicts the ledger is left out.

        Raises
        ------
        LedgerError
            The ledger cannot be written; nothing is then counted as taken in.
        """
        points, refused, kept = 0, {}, []
        for run in runs:
            before = self._sent.get(run.name)
            if before is not None and before.curve is run.curve:
                kept.append(self._rows[run.name])
                continue
            try:
                if run.name not in self._rows:
                    self._rows[run.name] = self._ledger.book.enlist(heading_of(run, budget))
                    if run.source is not None and run.source.format not in _STATED:
                        self._ledger.begun_anew(run.name)
                row = self._rows[run.name]
                if before is None and row.last_seq:
                    self._check(row, run)
                source = None if run.source is None else run.source.path
                new = _new(before, run)
                if len(new):
                    points += self._ledger.book.append({row.id: {run.curve.metric: new}}, source)
            except Unreachable:  # as it will be for the other runs
                raise
            except LedgerError as error:
                refused[run.name] = error.on_command_line
                continue
            self._sent[run.name] = run
            kept.append(row)
        return Taken(tuple(kept), points, refused)

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
