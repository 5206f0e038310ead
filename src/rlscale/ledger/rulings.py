"""Looks, what they saw, and what they decided: added, never changed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from rlscale.errors import LedgerError
from rlscale.ledger.database import Database, inserted
from rlscale.ledger.fits import FitRow, keep_fits, keep_settings
from rlscale.ledger.lease import Lease, hold
from rlscale.ledger.overrides import Override, evaluations_of, forced, spoken
from rlscale.ledger.schema import decisions, looks, overrides, reads, runs, settings
from rlscale.ledger.values import RunRow, canonical

__all__ = ["DecisionRow", "LookRow", "Read", "Ruled", "Rulings", "decisions_on"]


@dataclass(frozen=True)
class Read:
    """A run as a look saw it.

    Parameters
    ----------
    run_id, seq : int
        The run, and the number of its latest point.
    state : str
        ``running``, ``held``, ``finished`` or ``stopped``.
    override_id : int, optional
        The latest word of a person on it.
    forced : str, optional
        What that word asks for: ``hold`` or ``continue``; None where the gate is free.
    bounds : str, optional
        What was assumed of its bounds then, as :attr:`rlscale.ledger.RunRow.assumed` writes it; None where they
        are stated.
    """

    run_id: int
    seq: int
    state: str
    override_id: int | None = None
    forced: str | None = None
    bounds: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """A new decision on a run, before it has a number."""

    run_id: int
    action: str
    code: str
    reason: str
    evidence: Mapping[str, Any]
    hash: str
    before: str | None = None


@dataclass(frozen=True, kw_only=True)
class LookRow:
    """A look at all runs.

    Parameters
    ----------
    number : int
        Counts the looks of one epoch.
    acting : bool
        Whether its decisions are to be carried out.
    settings : mapping
        All that the decisions depend on besides the points and the states.
    version : str
        Of the package.
    unit : str
    spent, planned : float
        Compute of all runs so far, and that of all that goes on at the budget.
    risk, risk_spent : float
        As the gate says, and what stops had spent before.
    leader : str, optional
    inputs : str
        Hash of everything that went in.
    id, at, epoch
        As kept.
    """

    number: int
    acting: bool
    settings: Mapping[str, Any]
    version: str
    unit: str
    spent: float
    planned: float | None
    risk: float | None
    risk_spent: float
    leader: str | None
    inputs: str
    id: int = 0
    at: float = 0.0
    epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """A decision as it is kept.

    Parameters
    ----------
    id, look_id : int
    run, recipe : str
    at : float
    before : str, optional
        The decision that it replaces; None for the first on a run.
    action, code, reason, evidence
        As the gate answers.
    hash : str
        Of the decision's own document.
    acting : bool
    """

    id: int
    look_id: int
    run: str
    recipe: str
    at: float
    before: str | None
    action: str
    code: str
    reason: str
    hash: str
    acting: bool
    evidence: Mapping[str, Any] = field(repr=False)


class Rulings:
    """The looks and decisions of a ledger, and what is in force with what people said.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, lease: Lease, look: LookRow, saw: Sequence[Read], ruled: Sequence[Ruled], fits: Sequence[FitRow] = ()
    ) -> tuple[DecisionRow, ...]:
        """Keep a look with all that belongs to it, or nothing of it; return its decisions.

        A look that is there already (same epoch and number) is not written again.

        Raises
        ------
        LeaseLost
            Another watcher has taken over.
        """

        def work(connection: Connection) -> tuple[DecisionRow, ...]:
            hold(connection, lease)
            asked = select(looks.c.id).where(
                looks.c.acting == int(look.acting), looks.c.epoch == lease.epoch, looks.c.number == look.number
            )
            there = connection.execute(asked).scalar()
            if there is None:
                there = self._add(connection, lease, look, saw, ruled, fits)
            return _decisions(connection, _named().where(decisions.c.look_id == there).order_by(decisions.c.id))

        return self._database.write(work)

    @staticmethod
    def _add(
        connection: Connection, lease: Lease, look: LookRow, saw: Sequence[Read], ruled: Sequence[Ruled],
        fits: Sequence[FitRow],
    ) -> int:  # fmt: skip
        now = time.time()
        hashed = keep_settings(connection, look.settings)
        told = {name: getattr(look, name) for name in ("number", "version", "unit", "spent", "planned", "risk",
                "risk_spent", "leader", "inputs")}  # fmt: skip
        made = connection.execute(
            insert(looks).values(at=now, acting=int(look.acting), epoch=lease.epoch, settings=hashed, **told)
        )
        number = inserted(made)
        if saw:
            connection.execute(insert(reads), [{"look_id": number, **vars(one)} for one in saw])
        keep_fits(connection, fits)
        for one in ruled:
            row = {**vars(one), "evidence": canonical(dict(one.evidence))}
            connection.execute(insert(decisions).values(look_id=number, at=now, **row))
        return number

    def decisions(self, *, run: str | None = None, most: int | None = None) -> tuple[DecisionRow, ...]:
        """Return the decisions in their order, on one run where it is named, the latest where ``most`` are wanted."""
        asked = _named().order_by(decisions.c.id.desc()).limit(most)
        if run is not None:
            asked = asked.where(runs.c.name == run)
        return self._database.read(lambda connection: _decisions(connection, asked))[::-1]

    def decision(self, number: int) -> DecisionRow:
        """Return one decision.

        Raises
        ------
        LedgerError
            There is none of that number.
        """
        found = self._database.read(lambda connection: _decisions(connection, _named().where(decisions.c.id == number)))
        if not found:
            raise LedgerError(f"{self._database.where}: no decision number {number}; rlscale ledger list shows them")
        return found[0]

    def latest(self, acting: bool) -> dict[int, DecisionRow]:
        """Return the latest decision on each run, by the run's id."""
        last = (
            select(func.max(decisions.c.id))
            .join(looks, looks.c.id == decisions.c.look_id)
            .where(looks.c.acting == int(acting))
            .group_by(decisions.c.run_id)
        )
        asked = _named().where(decisions.c.id.in_(last))

        def work(connection: Connection) -> dict[int, DecisionRow]:
            return {row.run_id: _decision(row) for row in connection.execute(asked)}

        return self._database.read(work)

    def look(self, number: int) -> tuple[LookRow, tuple[Read, ...]]:
        """Return a look, and every run as it saw it."""

        def work(connection: Connection) -> tuple[LookRow, tuple[Read, ...]]:
            row = connection.execute(
                select(looks, settings.c.document)
                .join(settings, settings.c.hash == looks.c.settings)
                .where(looks.c.id == number)
            ).one()
            # each epoch begins with all runs; a look adds what changed since the one before
            asked = (
                select(reads)
                .join(looks, looks.c.id == reads.c.look_id)
                .where(looks.c.acting == row.acting, looks.c.epoch == row.epoch, reads.c.look_id <= number)
                .order_by(reads.c.look_id)
            )
            saw = {
                one.run_id: Read(one.run_id, one.seq, one.state, one.override_id, one.forced, one.bounds)
                for one in connection.execute(asked)
            }
            return _look(row), tuple(saw[run] for run in sorted(saw))

        return self._database.read(work)

    def last_look(self, acting: bool) -> LookRow | None:
        """Return the latest look."""
        asked = (
            select(looks, settings.c.document)
            .join(settings, settings.c.hash == looks.c.settings)
            .where(looks.c.acting == int(acting))
            .order_by(looks.c.id.desc())
            .limit(1)
        )
        row = self._database.read(lambda connection: connection.execute(asked).first())
        return None if row is None else _look(row)

    def in_force(self, run: RunRow) -> tuple[str, str]:
        """Return what a run is to do now, and why: what a person said, else the latest decision that is carried out."""

        def work(connection: Connection) -> tuple[str, str]:
            said = connection.execute(
                spoken()
                .where(overrides.c.run_id == run.id, overrides.c.kind.not_in(["end", "lost"]))
                .order_by(overrides.c.id.desc())
                .limit(1)
            ).first()
            if said is not None:
                word = Override(**said._mapping)
                demanded = forced(word, evaluations_of(connection, run))
                if demanded is not None:
                    return demanded, f"{word.who} said {word.kind}{f': {word.note}' if word.note else ''}"
            asked = _named().where(decisions.c.run_id == run.id, looks.c.acting == 1)
            found = _decisions(connection, asked.order_by(decisions.c.id.desc()).limit(1))
            return (found[0].action, found[0].reason) if found else ("continue", "nothing is decided yet")

        return self._database.read(work)


def decisions_on(connection: Connection, run: int, acting: bool) -> tuple[DecisionRow, ...]:
    """Return the decisions on a run that are carried out, or those of dry runs, in their order."""
    asked = _named().where(decisions.c.run_id == run, looks.c.acting == int(acting))
    return _decisions(connection, asked.order_by(decisions.c.id))


def _named() -> Select[Any]:
    return (
        select(decisions, runs.c.name, runs.c.recipe, looks.c.acting)
        .join(runs, runs.c.id == decisions.c.run_id)
        .join(looks, looks.c.id == decisions.c.look_id)
    )


def _decisions(connection: Connection, asked: Select[Any]) -> tuple[DecisionRow, ...]:
    return tuple(map(_decision, connection.execute(asked)))


def _decision(row: Row[Any]) -> DecisionRow:
    names = ("id", "look_id", "recipe", "at", "before", "action", "code", "reason", "hash")
    told = row._mapping
    return DecisionRow(
        **{name: told[name] for name in names}, run=told["name"], acting=bool(told["acting"]),
        evidence=json.loads(told["evidence"]),
    )  # fmt: skip


def _look(row: Row[Any]) -> LookRow:
    told = dict(row._mapping)
    document = json.loads(told.pop("document"))
    return LookRow(**{**told, "settings": document, "acting": bool(told["acting"])})
