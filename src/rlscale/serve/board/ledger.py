"""A board of a ledger: its runs, and what watchers decided on them. It only reads."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from rlscale.answers import Answer
from rlscale.answers.gate import GateView
from rlscale.answers.remarks import read_remarks
from rlscale.answers.settings import Settings
from rlscale.curves import Run
from rlscale.decisions.gate import Known
from rlscale.decisions.gate.contenders import learned_tau
from rlscale.decisions.runs import by_recipe
from rlscale.errors import InputError, LedgerError, hidden
from rlscale.inference import FitOptions
from rlscale.ledger import Ledger, RunRow
from rlscale.live import Explanation, Following, answer_of, explain, saved_by
from rlscale.live.settings import WatchSettings
from rlscale.live.sight import seen
from rlscale.serve.board.answering import Answering
from rlscale.serve.board.facts import Facts, FactsReader
from rlscale.serve.board.live import LiveBoard
from rlscale.serve.board.logs import Gating, troubles_of
from rlscale.serve.board.state import Decided, State, Stored
from rlscale.serve.board.stored import Loader, stored_of
from rlscale.serve.query import Query
from rlscale.sources import Reading, ReadOptions

__all__ = ["LedgerBoard"]


class LedgerBoard(LiveBoard):
    """Answers on the runs of a ledger, with the decisions that it holds; nothing in it is written.

    Of up to 400 runs everything is computed here, as of logs. Of more the overview is made of the fits that the ledger
    keeps, and runs are read when somebody looks at them.

    Parameters
    ----------
    where : str
        The address, ``ledger:runs.db`` or ``ledger:postgresql://USER@HOST/DATABASE``.
    reading, options, budget, seed_sd, price
        As for :class:`rlscale.serve.LogBoard`; the budget is that of the latest look where a watcher has looked.

    Raises
    ------
    InputError
        The ledger or the options cannot be used.
    """

    def __init__(
        self,
        where: str,
        reading: ReadOptions | None = None,
        options: FitOptions | None = None,
        *,
        budget: float | None = None,
        seed_sd: float | None = None,
        price: float | None = None,
    ) -> None:
        super().__init__()
        self._where, self._budget, self._price = where, budget, price
        self._reading_options = reading or ReadOptions()
        self._answers = Answering(options or FitOptions(), seed_sd=seed_sd, price=price)
        self._gating = None if budget is None else Gating(budget, seed_sd, price)
        self._facts_reader = FactsReader(where)
        self._following = Following([where], self._reading_options, once=True)
        self._loader = Loader(where, self._reading_options)
        self._facts: Facts | None = None
        self._known: Known | None = None
        found = self._read(self._state)
        assert found is not None
        awaited = f"a run with an evaluation in {hidden(where)}, where rlscale watch writes them"
        self._state = replace(found, version=1, awaited=awaited)

    @property
    def ledger(self) -> str | None:
        """Address of the ledger, as it was given."""
        return self._where

    def _read(self, before: State) -> State | None:
        facts = self._facts_reader.poll()
        reading = None if facts.many else self._following.poll()
        if reading is not None and not reading.runs and before.reading is not None and before.reading.runs:
            raise LedgerError("; ".join(troubles_of(reading)) or f"{hidden(self._where)}: its runs cannot be read now")
        gating, first = self._gating, facts is not self._facts or reading is not before.reading
        decided = before.decided
        if first and (facts.look is not None or gating is None):
            decided = self._decided(facts, reading)
        elif facts.look is None and gating is not None and reading is not None and (not first or gating.warm):
            decided = gating.decided(reading, _options_of(_states(facts, reading)))
        troubles = (*facts.troubles, *(() if reading is None else troubles_of(reading)))
        if not first and decided is before.decided and troubles == before.troubles:
            return None
        stored = before.stored
        if facts is not self._facts:
            stored = self._stored(facts, before.stored) if facts.many else None
        self._facts = facts
        look = facts.look
        return replace(
            before, at=time.time() if first else before.at, reading=reading, stored=stored, decided=decided,
            troubles=troubles, budget=self._budget if look is None else float(look.settings["budget"]),
        )  # fmt: skip

    def _stored(self, facts: Facts, before: Stored | None) -> Stored:
        load, known = partial(self._loader.load, facts), self._facts
        if before is not None and known is not None and facts.fits is known.fits and len(facts.rows) == len(known.rows):
            return replace(before, load=load)  # new points alone change no stored fit
        return stored_of(facts, self._reading_options, load)

    def _decided(self, facts: Facts, reading: Reading | None) -> Decided:
        """Return the decisions that the ledger holds."""
        held = Decided(
            history=facts.history, more=max(facts.marks.decisions - len(facts.history), 0), words=facts.said,
            spoken=facts.spoken, commands=facts.commands, watcher=facts.watcher,
            looked_at=None if facts.look is None else facts.look.at,
            sent=facts.sent, explain=self._explain,
        )  # fmt: skip
        if facts.look is None:
            watched = f"{facts.watcher} watches and has not looked yet" if facts.watcher else "no watcher has looked"
            return replace(held, note=f"Nothing is decided yet: {watched} at this ledger.")
        try:
            return replace(held, gate=self._gate(facts, reading))
        except (InputError, KeyError) as error:
            why = error.on_command_line if isinstance(error, InputError) else str(error)
            return replace(held, note=f"The decisions of this ledger cannot be shown: {why}")

    def _gate(self, facts: Facts, reading: Reading | None) -> GateView:
        """Return the decisions in force; of very many runs those of before, where new points are all that is new."""
        known, before = self._facts, self._state.decided.gate
        if reading is None and known is not None and before is not None and facts.fits is known.fits:
            now, then = facts.marks, known.marks
            if (now.ruled, now.words, now.ended) == (then.ruled, then.words, then.ended):
                return before
        return _gate_view(facts, reading, self._price)

    def _explain(self, number: int) -> Explanation:
        with Ledger(self._where, patience=2.0) as ledger:
            return explain(ledger, number)

    def _answer(self, state: State, query: Query) -> Answer:
        if query.view == "decisions":
            state = self._with_spread(state)
        return self._answers.answer(state, query)

    def _with_spread(self, state: State) -> State:
        """Return a version whose decisions have the run-to-run sd, learned now: a look keeps none."""
        gate, facts, reading = state.decided.gate, self._facts, state.reading
        look = None if facts is None else facts.look
        if gate is None or look is None or reading is None or not math.isnan(gate.answer.seed_sd):
            return state
        settings = WatchSettings.of(look.settings)
        if self._known is None or (self._known.budget, self._known.options) != (settings.budget, settings.options):
            self._known = Known(settings.budget, settings.options)
        runs = reading.runs
        spread = learned_tau(runs, by_recipe(runs), None, True, settings.options, self._known)
        answer = replace(gate.answer, seed_sd=spread)
        return replace(state, decided=replace(state.decided, gate=replace(gate, answer=answer)))

    def _prepare(self, state: State, until: float) -> None:
        self._answers.prepare(state, until)

    def close(self) -> None:
        """Close its connections."""
        self._facts_reader.close()
        self._following.close()
        self._loader.close()


def _gate_view(facts: Facts, reading: Reading | None, price: float | None) -> GateView:
    """Return the decisions in force as the gate shows them."""
    look = facts.look
    assert look is not None
    rows = {row.id: row for row in facts.rows}
    watched = [rows[number] for number in facts.latest if number in rows]
    runs = {} if reading is None else {run.name: run for run in reading.runs}
    if reading is None:  # as far as each was fitted
        spent = {fit.run_id: fit.compute for fit in facts.fits}
        states = {row.name: _state(facts, row) for row in watched}
    else:
        spent = {row.id: runs[row.name].curve.compute_last for row in watched if row.name in runs}
        states = _states(facts, reading)
        watched = [row for row in watched if row.name in states]
    saved = saved_by(look, watched, spent, states, facts.latest, facts.words)
    first = watched[0] if watched else None
    answer = answer_of(
        look, [facts.latest[row.id] for row in watched], [runs[row.name] for row in watched if row.name in runs], saved,
        clock="" if first is None else first.clock, metric="" if first is None else first.metric,
    )  # fmt: skip
    settings = WatchSettings.of(look.settings)
    return GateView(
        answer=answer,
        calibration=settings.calibration,
        shown=answer.decisions,
        input=() if reading is None else read_remarks(reading.runs),
        settings=Settings(options={"budget": settings.budget, "horizon": settings.end}),
        grouping=None if reading is None else reading.grouping,
        curves={name: run.curve for name, run in runs.items()},
        price=price if look.unit in ("gpu-hours", "dollars") else None,
    )


def _states(facts: Facts, reading: Reading) -> dict[str, str]:
    """Return what each run does now, by its name."""
    runs: Mapping[str, Run] = {run.name: run for run in reading.runs}
    acting = facts.look is not None and facts.look.acting
    found = {}
    for row in facts.rows:
        run = runs.get(row.name)
        if run is not None:
            last = facts.latest.get(row.id) if acting else None
            found[row.name] = seen(row, run, None if last is None else last.action, facts.words.get(row.id)).state
    return found


def _state(facts: Facts, row: RunRow) -> str:
    """Return what a run of very many does now, by the latest decision on it."""
    if row.ended is not None:
        return "finished"
    acting = facts.look is not None and facts.look.acting
    action = facts.latest[row.id].action if acting else ""
    return {"hold": "held", "stop": "stopped"}.get(action, "running")


def _options_of(states: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the runs that are held, ended and stopped, as the gate takes them."""
    names = {"held": "held", "ended": "finished", "stopped": "stopped"}
    return {option: [run for run, state in states.items() if state == name] for option, name in names.items()}
