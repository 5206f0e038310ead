"""What a ledger holds beside the points of its runs, read anew where it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlscale.answers.decisions import Command, Word
from rlscale.answers.when import moment
from rlscale.errors import LedgerError
from rlscale.ledger import (
    ALARM,
    DRY_ALARM,
    WELL,
    DecisionRow,
    FitRow,
    Ledger,
    LookRow,
    Marks,
    Override,
    Replaced,
    RunRow,
)
from rlscale.live.alarms import Signal, alarm_events
from rlscale.live.troubles import open_troubles
from rlscale.serve.board.kept import MOST

__all__ = ["Facts", "FactsReader"]

#: Decisions, words of people and commands that are shown.
_DECISIONS, _WORDS, _COMMANDS = 100, 30, 30
#: Questions after which the stored fits of very many runs are read anew: they may come without new points.
_FITS_EVERY = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """What a ledger holds.

    Parameters
    ----------
    marks : Marks
    rows : tuple of RunRow
        The runs.
    look : LookRow, optional
        The latest.
    latest : mapping of int to DecisionRow
        The latest decision on each run, by its id.
    history : tuple of DecisionRow
        The latest, the last first.
    words : mapping of int to Override
        The latest word on each run.
    said : tuple of Word
    spoken : tuple of Override
        All words on all runs, in order.
    commands : tuple of Command
    troubles : tuple of str
    watcher : str, optional
    sent : tuple of Signal
        The alarms that a watcher has sent and that are not over, decisions apart.
    fits : tuple of FitRow
        The latest of each run, where they are too many to be fitted here.
    """

    marks: Marks
    rows: tuple[RunRow, ...]
    look: LookRow | None = None
    latest: Mapping[int, DecisionRow] = field(default_factory=dict)
    history: tuple[DecisionRow, ...] = ()
    words: Mapping[int, Override] = field(default_factory=dict)
    said: tuple[Word, ...] = ()
    spoken: tuple[Override, ...] = ()
    commands: tuple[Command, ...] = ()
    troubles: tuple[str, ...] = ()
    watcher: str | None = None
    sent: tuple[Signal, ...] = ()
    fits: tuple[FitRow, ...] = ()

    @property
    def many(self) -> bool:
        """Whether there are too many runs to fit them here."""
        return len(self.rows) > MOST


class FactsReader:
    """Reads a ledger; nothing in it is written.

    Parameters
    ----------
    where : str
        Its address.
    patience : float
        Seconds that a locked ledger is waited for.
    """

    def __init__(self, where: str, patience: float = 2.0) -> None:
        self._where, self._patience = where, patience
        self._ledger: Ledger | None = None
        self._facts: Facts | None = None
        self._asked = 0

    def _current(self) -> tuple[Ledger, Marks]:
        """Return the ledger that stands there now, opened, and its marks."""
        if self._ledger is not None:
            try:
                return self._ledger, self._ledger.marks()
            except Replaced:
                self.close()
        ledger = self._ledger = Ledger(self._where, patience=self._patience)
        return ledger, ledger.marks()

    def poll(self) -> Facts:
        """Return what it holds: the very object of the last call where nothing is new.

        Raises
        ------
        LedgerError
            It is gone, locked, of another release by now, or cannot be read.
        """
        try:
            ledger, marks = self._current()
            self._asked += 1
            known = self._facts
            late = known is not None and known.many and self._asked % _FITS_EVERY == 0
            if known is None or marks != known.marks or late:
                self._facts = self._read(ledger, marks, known, late=late)
            assert self._facts is not None
            return self._facts
        except LedgerError:
            self.close()
            raise

    def _read(self, ledger: Ledger, marks: Marks, known: Facts | None, *, late: bool) -> Facts:
        """Read what changed; two reads of a ledger that is written see two moments, which the next poll mends."""
        same_runs = known is not None and known.marks.of_runs == marks.of_runs
        if known is None or not known.many:
            rows = ledger.book.runs()
        else:
            rows = known.rows if same_runs else ledger.book.refreshed(known.rows)
        rulings = ledger.rulings
        look = rulings.last_look(acting=True) or rulings.last_look(acting=False)
        ruled = known is not None and known.marks.ruled == marks.ruled
        latest = known.latest if ruled and known is not None else {} if look is None else rulings.latest(look.acting)
        overrides = ledger.overrides.all()
        history = rulings.decisions(most=_DECISIONS)[::-1]
        many = len(rows) > MOST
        # fits come with looks; those that come without are looked for now and then
        looked = known is None or not known.many or known.marks.looks != marks.looks
        fits = () if not many else ledger.fits.latest() if looked or late or known is None else known.fits
        if known is not None and many and _alike(known.fits, fits):
            if known.marks == marks:
                return known
            fits = known.fits
        return Facts(
            marks=marks,
            rows=rows,
            look=look,
            latest=latest,
            history=history,
            words={word.run_id: word for word in overrides},
            said=tuple(map(_said, overrides[: -_WORDS - 1 : -1])),
            spoken=overrides,
            commands=_commands(ledger, history),
            troubles=tuple(f"{subject}: {message}" for subject, message in open_troubles(ledger).items()),
            watcher=ledger.watcher(acting=look is None or look.acting),
            sent=_sent(ledger, acting=look is None or look.acting),
            fits=fits,
        )

    def close(self) -> None:
        """Close its connections; :meth:`poll` opens them again."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _alike(one: tuple[FitRow, ...], other: tuple[FitRow, ...]) -> bool:
    return len(one) == len(other) and max((fit.at for fit in one), default=0.0) == max(
        (fit.at for fit in other), default=0.0
    )


def _sent(ledger: Ledger, *, acting: bool) -> tuple[Signal, ...]:
    """Return the alarms of runs that are not over; decisions and good news stand elsewhere."""
    latest = ledger.events.alarms(ALARM if acting else DRY_ALARM)
    signals = [each.signal for each in alarm_events(event for event in latest if event.message != WELL)]
    return tuple(each for each in signals if each.kind not in ("decision", "resolved") and each.severity != "note")


def _said(word: Override) -> Word:
    note = f": {word.note}" if word.note else ""
    action = {"hold": "hold", "lost": "stop"}.get(word.kind, "continue")
    return Word(word.run, action, f"{moment(word.at)}: {word.who} said {word.kind}{note}")


def _commands(ledger: Ledger, history: tuple[DecisionRow, ...]) -> tuple[Command, ...]:
    runs = {each.id: each for each in history}
    found = ledger.deliveries.of(list(runs))[: -_COMMANDS - 1 : -1] if runs else ()
    return tuple(
        Command(
            each.decision_id,
            f"{moment(each.at)}: the command for {runs[each.decision_id].action} "
            f"{runs[each.decision_id].run}, attempt {each.attempt}: {each.outcome}"
            + ("" if each.exit_code is None else f" (exit code {each.exit_code})")
            + (f": {each.said[-200:]}" if each.said and each.outcome != "done" else ""),
        )
        for each in found
    )
