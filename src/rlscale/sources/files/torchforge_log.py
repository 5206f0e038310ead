"""torchforge's console: ``=== [...] - METRICS STEP N ===``, then ``key: value`` lines up to a line of ``=``."""

from __future__ import annotations

import re

from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.files.fold import forked
from rlscale.sources.files.same_step import SameStep
from rlscale.sources.history import History
from rlscale.sources.limits import LONGEST_KEY
from rlscale.sources.repair import number
from rlscale.sources.trainers.torchforge import TORCHFORGE

__all__ = ["TorchforgeLog"]

#: The process that prints is named in brackets; the first versions name none.
_HEAD = re.compile(r"=== \[(?:([^\]\n]{0,200})\] - )?METRICS STEP (\d{1,15}) ===")
_ROW = re.compile(r"(?:\[[^\]\n]{0,200}\] ?)*\s*([^\s:]+): (\S+)\s*")
_END = re.compile(r"={20,}\s*$")


class TorchforgeLog(Dialect):
    """The blocks of torchforge's console; where several processes print one for a step, the row is their mean."""

    name = "torchforge-console"
    trainer = TORCHFORGE

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._step: float | None = None  # of the block that is being printed
        self._from = 0
        self._values: dict[str, float] = {}
        self._same = SameStep()
        self._writers: set[str] = set()  # of the blocks of this step
        self._endless = 0

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if "METRICS STEP" in line and (match := _HEAD.search(line)) is not None:
            self._endless += self._step is not None
            self._begin(position, float(match[2]), match[1] or "")
        elif self._step is not None:
            self._take(unframed(line))

    def _begin(self, position: int, step: float, writer: str) -> None:
        if writer in self._writers or not self.rows or self.rows[-1][0] != step:
            self._same.begin()
            self._writers = set()
        self._writers.add(writer)
        self._step, self._from, self._values = step, position, {}

    def _take(self, line: str) -> None:
        match = _ROW.fullmatch(line)
        value = number(match[2]) if match is not None else None
        if match is not None and value is not None and len(match[1]) <= LONGEST_KEY:
            self._values[match[1]] = value
            self.keys.check((match[1],))
        elif match is None and _END.search(line) is not None:
            if self._values and self._step is not None:
                self._same.add(self.rows, self._step, self._values)
            self._step = None

    def fork(self) -> TorchforgeLog:
        """Return a copy that is fed on its own."""
        twin = super().fork()
        twin._same = forked(self._same)
        return twin

    def seal(self) -> None:
        """Take the end of a file; a block that has none there is left out."""
        self._tear_open()
        super().seal()
        self._step = None

    def _tear_open(self) -> None:
        if self._step is not None and self._values and self.rows:
            self.tear(self._from, self._step, "its block has no end")

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows; a last block without end is left out."""
        self._tear_open()
        self.sealed.extend(self._same.repairs())
        if self._endless:
            self.sealed.append(f"{self._endless} of the blocks left out: their end is missing")
        return super().histories(form)
