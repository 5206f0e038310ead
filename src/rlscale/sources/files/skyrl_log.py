"""SkyRL's console logger: ``Step N:`` and, on the lines after it, the printed dictionary with four decimals."""

from __future__ import annotations

import re

from rlscale.errors import SourceError
from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.files.literal import numbers_of
from rlscale.sources.history import History
from rlscale.sources.limits import LINE_CAP
from rlscale.sources.trainers.skyrl import SKYRL

__all__ = ["SkyRlLog"]

_STEP = re.compile(r"(?<![\w/])Step (\d{1,15}):\s*(?:(\{')|$)")

#: Lines of other processes that may stand between a step and its dictionary.
_PATIENCE = 50


class SkyRlLog(Dialect):
    """The rows of SkyRL's console logger; lines that other processes print among theirs are passed over."""

    name = "skyrl-console"
    trainer = SKYRL

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._step: float | None = None  # of the row whose dictionary is being read
        self._from = 0
        self._text: list[str] = []
        self._size = 0

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if self._step is None and "Step " not in line:
            return
        match = _STEP.search(unframed(line)) if "Step " in line else None
        if match is not None:
            self._begin(position, match)
            if match[2] is None:
                return
            line = unframed(line)[match.start(2) :]
        if self._step is not None:
            self._take(position, line)

    def _begin(self, position: int, match: re.Match[str]) -> None:
        if self._text:
            raise SourceError(self.path, f"{self._torn()}; repair or remove its lines")
        self._step, self._from = float(match[1]), position

    def _take(self, position: int, line: str) -> None:
        text = unframed(line).rstrip()
        if not self._text and not text.startswith("{'"):
            if position - self._from > _PATIENCE:
                self._step = None
            return
        if self._text and not text.startswith((" ", "'", '"')):
            return
        self._text.append(text)
        self._size += len(text)
        if self._size > LINE_CAP:
            raise SourceError(self.path, f"{self._torn()}; is this a log?")
        if text.endswith("}"):
            values, end = numbers_of(" ".join(self._text))
            self.keys.check(values.keys())
            if end >= 0 and self._step is not None:
                if values:
                    self.add(self._step, values)
                self._step, self._text, self._size = None, [], 0

    def _torn(self) -> str:
        return f"line {self._from} (step {self._step:g}) is torn: its dictionary has no closing brace"

    def seal(self) -> None:
        """Take the end of a file; a dictionary that has none there is left out."""
        self._tear_open()
        super().seal()
        self._step, self._text, self._size = None, [], 0

    def _tear_open(self) -> None:
        if self._text and self._step is not None:
            self.tear(self._from, self._step, "its dictionary has no closing brace")

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows; a last dictionary without end is left out."""
        self._tear_open()
        return super().histories(form)
