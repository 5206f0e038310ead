"""A board of logs that are followed."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

from rlscale.answers import Answer
from rlscale.answers.gate import GateView, gate_view
from rlscale.answers.settings import Settings
from rlscale.decisions.gate import HOLD, Known, gate
from rlscale.decisions.gate.outlook import GATE_FIT
from rlscale.errors import InputError, KeptError, SourceError, hidden
from rlscale.inference import FitOptions
from rlscale.live import Following
from rlscale.serve.board.answering import Answering
from rlscale.serve.board.kept import MOST
from rlscale.serve.board.live import LiveBoard
from rlscale.serve.board.state import Decided, State
from rlscale.serve.query import Query
from rlscale.sources import Reading, ReadOptions
from rlscale.sources.discover import NO_LOG
from rlscale.trust.discrepancy import UNCALIBRATED

__all__ = ["Gating", "LogBoard", "troubles_of"]

#: Troubles that are told one by one.
_TOLD = 6


class LogBoard(LiveBoard):
    """Answers on logs that are followed.

    Parameters
    ----------
    paths : sequence of str or Path
    reading : ReadOptions
    options : FitOptions
    budget : float, optional
        Compute that one run may get: decisions need it.
    seed_sd : float, optional
        Run-to-run sd as a share of the range.
    price : float, optional
        Dollars for a GPU-hour: what was spent is told in money, too.

    Raises
    ------
    InputError
        The paths or the options cannot be used.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        reading: ReadOptions | None = None,
        options: FitOptions | None = None,
        *,
        budget: float | None = None,
        seed_sd: float | None = None,
        price: float | None = None,
    ) -> None:
        super().__init__()
        self._source = Following(paths, reading or ReadOptions(), once=True)
        self._answers = Answering(options or FitOptions(), seed_sd=seed_sd, price=price)
        self._gating = None if budget is None else Gating(budget, seed_sd, price)
        first = self._source.poll()
        where = " or ".join(hidden(str(path)) for path in paths[:3])
        awaited = f"a trainer's log, a tracker's export or a table, with a step and a reward, in {where}"
        self._state = State(
            version=1, at=time.time(), reading=first, troubles=troubles_of(first), budget=budget, awaited=awaited,
        )  # fmt: skip

    def _read(self, before: State) -> State | None:
        reading = self._source.poll()
        gating, decided = self._gating, before.decided
        new = reading is not before.reading
        if gating is not None and (not new or gating.warm):  # the first look takes a while: the page is shown without
            decided = gating.decided(reading)
        troubles = troubles_of(reading)
        if not new and decided is before.decided and troubles == before.troubles:
            return None
        at = time.time() if new else before.at
        return replace(before, at=at, reading=reading, decided=decided, troubles=troubles)

    def _answer(self, state: State, query: Query) -> Answer:
        return self._answers.answer(state, query)

    def _prepare(self, state: State, until: float) -> None:
        self._answers.prepare(state, until)

    def close(self) -> None:
        """Close the files that are kept open."""
        self._source.close()


class Gating:
    """The decisions on runs as they stand, made anew where they changed.

    Parameters
    ----------
    budget : float
    seed_sd, price : float, optional

    Raises
    ------
    InputError
        The budget is no compute above 0.
    """

    def __init__(self, budget: float, seed_sd: float | None, price: float | None) -> None:
        if not 0.0 < budget < inf:
            raise InputError(f"--budget {budget:g} is not a compute above 0; give it in the runs' unit, for one run")
        self.budget, self._seed_sd, self._price = budget, seed_sd, price
        self._known = Known(budget, GATE_FIT)
        self._of: tuple[Reading, Mapping[str, Collection[str]]] | None = None
        self._decided = Decided()

    @property
    def warm(self) -> bool:
        """Whether a first look was made: the next ones are quick."""
        return self._of is not None

    def decided(self, reading: Reading, states: Mapping[str, Collection[str]] | None = None) -> Decided:
        """Return the decisions on the runs that were read; ``states`` names those held, ended and stopped."""
        told = states or {}
        if self._of is None or self._of[0] is not reading or self._of[1] != told:
            self._decided = self._made(reading, told)
            self._of = (reading, told)
        return self._decided

    def _made(self, reading: Reading, states: Mapping[str, Collection[str]]) -> Decided:
        if not reading.runs:
            return Decided(note="Nothing is decided yet: no run could be read.")
        if len(reading.runs) > MOST:
            return Decided(
                note=f"Nothing is decided here: {len(reading.runs):,} runs are more than the {MOST} that are judged "
                "while a page is open. rlscale watch judges them into a ledger, and rlscale gate once."
            )
        try:
            answer = gate(
                reading, self.budget, policy=HOLD, seed_sd=self._seed_sd, known=self._known,
                held=states.get("held", ()), ended=states.get("ended", ()), stopped=states.get("stopped", ()),
            )  # fmt: skip
        except InputError as error:
            return Decided(note=f"Nothing is decided: {error.on_command_line}")
        settings = Settings(options={"budget": self.budget})
        view: GateView = gate_view(answer, reading, UNCALIBRATED, settings, price=self._price)
        return Decided(gate=view)


def troubles_of(reading: Reading) -> tuple[str, ...]:
    """Return what is wrong with what was read, one sentence a source; files that are no logs are no trouble."""
    wrong: dict[str, list[SourceError]] = {}
    for error in reading.errors:
        if not reading.runs and error.message.startswith(NO_LOG):
            continue  # nothing is wrong with a folder that waits for its first log
        if error.counted or isinstance(error, KeptError):
            wrong.setdefault(error.path, []).append(error)
    told = []
    for errors in list(wrong.values())[:_TOLD]:
        more = f" ({len(errors) - 1} more of this source)" if len(errors) > 1 else ""
        told.append(f"{errors[-1].on_command_line}{more}")
    return (*told, *([f"{len(wrong) - _TOLD} more logs cannot be used."] if len(wrong) > _TOLD else []))
