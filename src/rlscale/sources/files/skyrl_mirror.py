"""Lines in which forks of SkyRL repeat what W&B gets: ``WANDB_MIRROR kind=train step=N metrics={...}``, in JSON."""

from __future__ import annotations

import json
import re

from rlscale.sources.files.dialect import Dialect
from rlscale.sources.files.json_fold import numbers_of
from rlscale.sources.trainers.skyrl import SKYRL

__all__ = ["SkyRlMirror"]

_MARK = re.compile(r"WANDB_MIRROR kind=\w{1,40} step=(\d{1,15}) metrics=(?=\{)")


class SkyRlMirror(Dialect):
    """The rows of such lines, train and validation, in full precision."""

    name = "skyrl-mirror"
    trainer = SKYRL

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        if self.torn is not None:
            self.refuse_torn(line)
        match = _MARK.search(line) if "WANDB_MIRROR" in line else None
        if match is None:
            return
        step = float(match[1])
        try:
            row, _ = json.JSONDecoder().raw_decode(line, match.end())
        except (ValueError, RecursionError):
            self.tear(position, step, "its JSON has no end")
            return
        values = numbers_of(row)
        if values:
            self.add(step, values)
