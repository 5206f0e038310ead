"""One look at all runs of a ledger: what the gate says of them as they stand, and everything that is kept of it.

A look is a pure function of the points, the states, what people said, and the settings. Made again later from the same
it gives the same decisions, bit for bit; ``explain`` does so.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from rlscale.curves import Run, Source
from rlscale.decisions.gate import Action, Decision, GateAnswer, Known, decided_savings, gate
from rlscale.inference import Fit
from rlscale.ledger import DecisionRow, FitRow, Logged, LookRow, Override, Points, Read, Ruled, RunRow, digest, forced
from rlscale.live.engine import engine
from rlscale.live.settings import WatchSettings
from rlscale.sources.bounds import without_outliers

__all__ = ["OVER", "Looker", "Seen", "Sight", "as_looked_at", "run_of", "seen", "stand"]

#: Reasons of decisions on runs that have finished or were stopped for good.
OVER = ("finished", "best_finished", "stopped")
#: What a decision is called that a person took.
_BY_HAND = {"hold": "held_by_hand", "pin": "pinned", "resume": "resumed_by_hand"}
#: Model error of the ceilings that are kept beside the decisions of the gate.
CEILING_ERROR = 0.01
_LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, eq=False)
class Seen:
    """A run as a look sees it.

    Parameters
    ----------
    row : RunRow
    run : Run
    seq : int
        Number of its latest point.
    state : str
        ``running``, ``held``, ``finished`` or ``stopped``.
    word : Override, optional
        The latest that a person said of it.
    forced : str, optional
        What that demands now: ``hold`` or ``continue``.
    """

    row: RunRow
    run: Run
    seq: int
    state: str
    word: Override | None = None
    forced: str | None = None

    @property
    def read(self) -> Read:
        """What is kept of it with the look."""
        word = None if self.word is None else self.word.id
        return Read(self.row.id, self.seq, self.state, word, self.forced, self.row.assumed)

    @property
    def fingerprint(self) -> list[Any]:
        """All of it that decisions depend on, as JSON values."""
        curve = self.run.curve
        columns = (curve.compute, curve.reward, curve.n_eval, curve.sd)
        held = b"".join(b"-" if one is None else one.astype("<f8").tobytes() for one in columns)
        return [self.row.name, self.row.recipe, self.state, self.forced, curve.unit, curve.clock, curve.metric,
                list(curve.bounds) if curve.open is None else self.row.assumed, sha256(held).hexdigest()]  # fmt: skip


def run_of(row: RunRow, points: Points, log: Logged | None = None) -> Run:
    """Return the run that kept points make, with the series of its log where monitors are to judge them.

    Raises
    ------
    CurveError
        They are no curve.
    """
    run = Run(
        name=row.name, recipe=row.recipe, curve=row.curve(points), seed=row.seed, model_params=row.model_params,
        settings=row.settings,
    )  # fmt: skip
    if log is None:
        return run
    # of what no log says the steps are not its compute, as they would be in a table
    source = log.source or Source("ledger", "ledger", row.last_seq)
    return replace(run, series=log.series, metrics=log.metrics, source=source)


def as_looked_at(row: RunRow, run: Run) -> Run:
    """Return a run with the bounds kept of it, without what is no evaluation where they are open."""
    return replace(run, curve=without_outliers(row.in_bounds(run.curve))[0])


def seen(row: RunRow, run: Run, last: str | None, word: Override | None = None, *, at: Read | None = None) -> Seen:
    """Return a run as it stands.

    Parameters
    ----------
    row : RunRow
    run : Run
        As its points make it.
    last : str, optional
        The action of the latest decision on it.
    word : Override, optional
        The latest that a person said of it.
    at : Read, optional
        As an earlier look saw it, in place of what is known now.
    """
    if at is not None:
        return Seen(row, run, at.seq, at.state, word, at.forced)
    demanded = forced(word, run.curve.n_points)
    if (last == Action.STOP.value and demanded != "continue") or (word is not None and word.kind == "lost"):
        state = "stopped"  # what is lost would be a rival with its forecast, and the others would be stopped for it
    elif row.ended is not None or (word is not None and word.kind == "end"):
        state = "finished"
    elif demanded == "hold" or (last in (Action.HOLD.value, Action.STOP.value) and demanded is None):
        state = "held"
    else:
        state = "running"
    return Seen(row, run, row.last_seq, state, word, demanded)


def stand(
    held: Iterable[tuple[RunRow, Run]], latest: Mapping[int, DecisionRow], words: Mapping[int, Override]
) -> list[Seen]:
    """Return runs as they stand, given the latest decision and the latest word on each by the run's id."""
    found = []
    for row, run in held:
        last = latest.get(row.id)
        found.append(seen(row, run, None if last is None else last.action, words.get(row.id)))
    return found


@dataclass(frozen=True, eq=False)
class Sight:
    """What one look found.

    Parameters
    ----------
    field : tuple of Seen
    answer : GateAnswer
        With what people said put in the gate's place.
    inputs : str
        Hash of everything that went in.
    planned : float
        Compute of all runs once what goes on has reached the budget.
    fits : tuple of FitRow
        Of the runs that have new evaluations.
    """

    field: tuple[Seen, ...]
    answer: GateAnswer
    inputs: str
    planned: float
    fits: tuple[FitRow, ...]

    @property
    def at_rest(self) -> bool:
        """Whether every run is over or paused."""
        return all(one.code in OVER or one.action in (Action.HOLD, Action.STOP) for one in self.answer.decisions)

    def ruled(self, before: dict[int, str]) -> list[Ruled]:
        """Return the decisions that change what was decided before, by the run's id, and the first on each run."""
        found = []
        for one, decision in zip(self.field, self.answer.decisions, strict=True):
            last = before.get(one.row.id)
            if last != decision.action.value:
                document = decision.document()
                found.append(
                    Ruled(
                        run_id=one.row.id, action=decision.action.value, code=decision.code, reason=decision.reason,
                        evidence=document["evidence"], hash=digest(document), before=last,
                    )
                )  # fmt: skip
        return found

    def row(self, number: int, settings: WatchSettings, risk_spent: float, *, acting: bool) -> LookRow:
        """Return what is kept of the look itself."""
        answer = self.answer
        return LookRow(
            number=number, acting=acting, settings=settings.document(), version=engine(), unit=answer.unit,
            spent=answer.spent, planned=self.planned, risk=answer.risk, risk_spent=risk_spent, leader=answer.leader,
            inputs=self.inputs,
        )  # fmt: skip


class Looker:
    """Looks at runs with one set of settings; fits what it has not seen before, each curve once.

    Parameters
    ----------
    settings : WatchSettings
    """

    def __init__(self, settings: WatchSettings) -> None:
        self.settings = settings
        self._known = Known(settings.budget, settings.options)
        self._hash = settings.hash
        self._fitted: dict[int, tuple[int, int]] = {}

    def look(self, field: Sequence[Seen], risk_spent: float = 0.0) -> Sight:
        """Return what the gate says of runs as they stand.

        Raises
        ------
        InputError
            Runs that cannot be compared, or nothing left to decide.
        """
        ordered = tuple(sorted(field, key=lambda one: one.row.id))
        states = {name: [one.row.name for one in ordered if one.state == name]
                  for name in ("held", "finished", "stopped")}  # fmt: skip
        settings = self.settings
        answer = gate(
            [one.run for one in ordered], settings.budget, horizon=settings.end, policy=settings.policy,
            options=settings.options, seed_sd=settings.seed_sd, held=states["held"], ended=states["finished"],
            stopped=states["stopped"], risk_spent=risk_spent, known=self._known,
        )  # fmt: skip
        decided = tuple(_by_hand(one, seen) for one, seen in zip(answer.decisions, ordered, strict=True))
        lost = {one.row.name for one in ordered if one.word is not None and one.word.kind == "lost"}
        saved = decided_savings(
            decided, settings.budget, answer.unit, paused={*states["held"], *states["stopped"]},
            over={*states["finished"], *lost},
        )  # fmt: skip
        answer = replace(answer, decisions=decided, savings=saved)
        went_in: dict[str, Any] = {
            "settings": self._hash, "risk_spent": risk_spent, "runs": [one.fingerprint for one in ordered]
        }  # fmt: skip
        alarms = [[one.run, told.monitor, told.since] for one in decided if (told := one.evidence.alarm) is not None]
        went_in |= {"alarms": alarms} if alarms else {}
        ahead = sum(
            max(settings.budget - seen.run.curve.compute_last, 0.0)
            for one, seen in zip(decided, ordered, strict=True)
            if one.action in (Action.CONTINUE, Action.COMMIT) and seen.state != "finished"
        )
        return Sight(ordered, answer, digest(went_in), answer.spent + ahead, self._fits(ordered, decided))

    def _fits(self, field: Sequence[Seen], decided: Sequence[Decision]) -> tuple[FitRow, ...]:
        """Return the fits of runs with evaluations that were not there at the look before."""
        means = {one.evidence.contender: one.evidence.mean for one in decided if one.evidence.mean is not None}
        order = {name: place for place, name in enumerate(sorted(means, key=lambda name: -means[name]), start=1)}
        now, found = time.time(), []
        for one, decision in zip(field, decided, strict=True):
            stands = (one.seq, one.run.curve.n_points)
            if self._fitted.get(one.row.id) == stands:
                continue
            told = decision.evidence
            around = told.interval
            middle = None if around is None else (around.q10, around.q50, around.q90)
            made = self._known.fit(one.run)
            when = made.resolves_at
            found.append(
                FitRow(
                    run_id=one.row.id, seq=one.seq, settings=self._hash, version=engine(), at=now,
                    compute=one.run.curve.compute_last, verdict=made.verdict.name.value,
                    A=self._ceiling(one.run), target=self.settings.budget, forecast=middle, mean=told.mean,
                    p_best=told.h, place=order.get(told.contender), contenders=len(order) or None,
                    resolves_at=None if when is None else (when.q10, when.q50, when.q90),
                )
            )  # fmt: skip
        return tuple(found)

    def fits(self, sight: Sight) -> tuple[Fit, ...]:
        """Return the fits of the runs of a look that was made here; what the gate has fitted is not fitted again."""
        return tuple(self._known.fit(each.run) for each in sight.field)

    def kept(self, sight: Sight) -> None:
        """Note that a look and its fits were kept: they are not given again."""
        self._fitted |= {one.row.id: (one.seq, one.run.curve.n_points) for one in sight.field}

    def _ceiling(self, run: Run) -> tuple[float, float, float] | None:
        """Return quantiles of A, with the model error that the gate's own forecasts leave to the discrepancy."""
        found = self._known.fit(run).posterior
        if found is None:
            return None
        whole = replace(found, model_error=CEILING_ERROR)
        low, middle, high = whole.quantiles(whole.reward([np.inf], model_error=True)[:, 0], _LEVELS).tolist()
        return low, middle, high


def _by_hand(one: Decision, seen: Seen) -> Decision:
    """Put what a person said in the place of what the gate says."""
    word, demanded = seen.word, seen.forced
    if word is None or demanded is None:
        return one
    goes_on = one.action in (Action.CONTINUE, Action.COMMIT)
    action = Action.HOLD if demanded == "hold" else Action.CONTINUE
    if one.action is action or one.code in OVER or (demanded == "continue" and goes_on):
        return one
    said = f"{word.who} said {word.kind}{f' ({word.note})' if word.note else ''}"
    return replace(
        one, action=action, code=_BY_HAND[word.kind],
        reason=f"{said}; by itself the gate would say {one.action.value}: {one.reason}",
    )  # fmt: skip
