"""Trainers that print a dictionary on one line: OpenRLHF's ``Global step N: {...}``, slime's ``perf N: {...}``."""

from __future__ import annotations

import re
from typing import ClassVar

from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.files.literal import numbers_of
from rlscale.sources.limits import LINE_CAP
from rlscale.sources.trainers.openrlhf import OPENRLHF, as_tracked
from rlscale.sources.trainers.slime import SLIME

__all__ = ["OpenRlhfLog", "SlimeLog"]


#: Lines over which one dictionary is broken at most, by a terminal or by whoever printed it.
_BROKEN = 200

#: How the lines of a dictionary do not begin, but those of programs do: a time, a level, a process, a sentence.
_OTHER = re.compile(r"\s*(?:[(\[<#]|\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|[A-Z]{4,}\b|\w+ \w+ \w)")


class _PrintedDict(Dialect):
    """Rows of a step and a dictionary: the pattern's one group that matches is the step, and it ends at the brace.

    A dictionary may be broken over lines, wherever the width of a terminal fell.
    """

    pattern: ClassVar[re.Pattern[str]]

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._open: list[str] = []  # the lines of the dictionary whose end is still to come
        self._step, self._size = 0.0, 0

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        match = self.pattern.search(line) if ": {" in line else None
        if self.torn is not None and (match is not None or not self._goes_on(line)):
            self.refuse_torn(line)
        elif self._open:
            self._take(position, unframed(line))
            return
        if match is not None:
            self._step, self._size = float(match[match.lastindex or 0]), 0
            self._take(position, line[match.end() :])

    def _goes_on(self, line: str) -> bool:
        """Whether a line may be part of the dictionary that is open."""
        text = unframed(line)
        short = 0 < len(self._open) < _BROKEN and self._size < LINE_CAP
        return short and bool(text.strip()) and _OTHER.match(text) is None

    def _take(self, position: int, text: str) -> None:
        """Take what is printed of a dictionary, from its brace or from where the line before it broke off."""
        self._size += len(text)
        # only a brace can end it, and what grows is not read again at each of its lines
        values, end = numbers_of("".join((*self._open, text))) if "}" in text or not self._open else ({}, -1)
        if end < 0:
            self.keys.check(values.keys())
            self._open.append(text.rstrip("\r\n"))
            self.tear(self.torn[0] if self.torn else position, self._step, "its dictionary has no closing brace")
            return
        self._open, self.torn = [], None
        if values:
            self.add(self._step, {self.renamed(key): value for key, value in values.items()})

    def seal(self) -> None:
        """Take the end of a file; a dictionary that has none there is left out."""
        super().seal()
        self._open = []

    def renamed(self, key: str) -> str:
        """Return the name under which the trackers hold a printed key."""
        return key


class OpenRlhfLog(_PrintedDict):
    """OpenRLHF's own log: a train row, and a validation row, for each global step."""

    name = "openrlhf-console"
    trainer = OPENRLHF
    pattern = re.compile(r"(?:Global step (\d{1,15}): |global_step (\d{1,15}), eval_metrics: )(?=\{')")

    def renamed(self, key: str) -> str:
        """Return ``train/reward`` for ``reward``."""
        return as_tracked(key)


class SlimeLog(_PrintedDict):
    """slime's own log; rows of the optimizer's steps follow the rollout they train on."""

    name = "slime-console"
    trainer = SLIME
    pattern = re.compile(
        r"(?<![\w/-])(?:(?:perf|rollout) (\d{1,15}): (?=\{')|eval (\d{1,15}): (?=\{'eval/)"
        r"|step (\d{1,15}): (?=\{'train/))"
    )
