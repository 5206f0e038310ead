"""Trainers that print a dictionary on one line: OpenRLHF's ``Global step N: {...}``, slime's ``perf N: {...}``."""

from __future__ import annotations

import re
from typing import ClassVar

from rlscale.sources.files.dialect import Dialect
from rlscale.sources.files.literal import numbers_of
from rlscale.sources.trainers.openrlhf import OPENRLHF, as_tracked
from rlscale.sources.trainers.slime import SLIME

__all__ = ["OpenRlhfLog", "SlimeLog"]


class _PrintedDict(Dialect):
    """Rows of a step and a dictionary: the pattern's one group that matches is the step, and it ends at the brace."""

    pattern: ClassVar[re.Pattern[str]]

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if self.torn is not None:
            self.refuse_torn(line)
        if ": {" not in line:
            return
        match = self.pattern.search(line)
        if match is None:
            return
        step = float(match[match.lastindex or 0])
        values, end = numbers_of(line, match.end())
        if end < 0:
            self.keys.check(values.keys())
            self.tear(position, step, "its dictionary has no closing brace")
        elif values:
            self.add(step, {self.renamed(key): value for key, value in values.items()})

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
