"""AReaL's ``main.log``: after ``Train step N/M done.`` one boxed table a step, or several for its minibatches.

A table has the keys and values of one or more pairs of columns, values with five digits.
"""

from __future__ import annotations

import calendar
import re

from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.files.fold import forked
from rlscale.sources.files.same_step import SameStep
from rlscale.sources.history import History
from rlscale.sources.limits import LONGEST_KEY
from rlscale.sources.repair import number
from rlscale.sources.trainers.areal import AREAL

__all__ = ["ArealLog"]

_DONE = re.compile(r"(?<!\w)Train step (\d{1,15})/\d{1,15} done")
_STAMP = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)-(\d\d):(\d\d):(\d\d)(?!\d)")
_SIDE, _TOP, _BOTTOM = "│", "╒", "╘"


class ArealLog(Dialect):
    """The tables of AReaL's logger; lines that other processes print among theirs are passed over."""

    name = "areal-log"
    trainer = AREAL

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._step: float | None = None
        self._time: float | None = None
        self._table: dict[str, float] | None = None  # that is being printed
        self._from = 0
        self._same = SameStep()
        self._endless = 0  # tables whose end is missing
        self._stepless = 0

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if _SIDE in line:
            if self._table is not None:
                pairs = _pairs(unframed(line))
                self.keys.check(pairs.keys())
                self._table.update(pairs)
        elif _BOTTOM in line:
            self._close()
        elif _TOP in line:
            self._lose()
            self._table, self._from = {}, position
        elif "Train step " in line and (match := _DONE.search(line)) is not None:
            self._lose()
            self._step, self._time = float(match[1]), _time_of(line)
            self._same.begin()

    def _lose(self) -> None:
        """Leave out a table whose end never came."""
        self._endless += bool(self._table)
        self._table = None

    def _close(self) -> None:
        values, self._table = self._table, None
        if not values:
            return
        if self._step is None:
            self._stepless += 1
            return
        if self._time is not None:
            values["timestamp"] = self._time
        self._same.add(self.rows, self._step, values)

    def fork(self) -> ArealLog:
        """Return a copy that is fed on its own."""
        twin = super().fork()
        twin._same = forked(self._same)
        return twin

    def seal(self) -> None:
        """Take the end of a file; a table that has none there is left out."""
        self._tear_open()
        super().seal()
        self._table = None

    def _tear_open(self) -> None:
        if self._table and self._step is not None and self.rows:
            self.tear(self._from, self._step, "its table has no end")

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows; a last table without end is left out."""
        self._tear_open()
        self.sealed.extend(self._same.repairs())
        for count, why in ((self._endless, "its end is missing"), (self._stepless, "no step is printed before it")):
            if count:
                self.sealed.append(f"{count} of the tables left out: {why}")
        return super().histories(form)


def _pairs(line: str) -> dict[str, float]:
    """Return the keys and values of a row of the table, however many pairs it holds."""
    cells = [cell.strip() for cell in line.split(_SIDE)[1:-1]]
    values = {}
    for key, shown in zip(cells[::2], cells[1::2], strict=False):
        value = number(shown) if shown else None
        if value is not None and key and len(key) <= LONGEST_KEY:
            values[key] = value
    return values


def _time_of(line: str) -> float | None:
    """Return the time before a line in Unix seconds, as if its clock showed UTC."""
    match = _STAMP.search(line)
    try:
        return None if match is None else float(calendar.timegm(tuple(int(part) for part in match.groups())))
    except ValueError:  # no date
        return None
