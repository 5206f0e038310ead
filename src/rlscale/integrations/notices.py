"""What a trainer's callback says once, where a watcher of the ledger or a reader of the log would see it otherwise."""

from __future__ import annotations

import logging
from typing import Any

from rlscale.curves.curve import OUTSIDE_TOLERANCE
from rlscale.ledger import Stated

__all__ = ["Notices"]

_LOG = logging.getLogger("rlscale")
#: Key under which TRL logs the tokens so far.
_TOKENS = "num_tokens"


class Notices:
    """Looks at what is logged, and says once what does not fit to how the run is recorded.

    Parameters
    ----------
    metric : str
        The reward.
    bounds : (float, float) or "open", optional
        As they were given.
    axis_given : bool
        Whether the unit of compute was chosen.
    """

    def __init__(self, metric: str, bounds: Stated, *, axis_given: bool) -> None:
        self._metric, self._axis_given = metric, axis_given
        self._bounds = None if bounds is None or bounds == "open" else bounds
        self._said: set[str] = set()

    def look(self, values: dict[str, Any]) -> None:
        """Look at a row of the log."""
        if _TOKENS in values and not self._axis_given:
            self._say(
                "axis", "the log of this run counts tokens and is read on them, this ledger counts steps; give "
                "unit='tokens' here, or read the log with unit='steps' (--unit steps)",
            )  # fmt: skip
        reward = values.get(self._metric)
        if self._bounds is None or not isinstance(reward, int | float):
            return
        low, high = self._bounds
        slack = OUTSIDE_TOLERANCE * (high - low)
        if not low - slack <= reward <= high + slack:
            self._say(
                "bounds", f"{self._metric} {reward:g} is outside the bounds [{low:g}, {high:g}] given: no decision can "
                "be made on this run; give bounds=(LO, HI) that it can reach, or bounds='open'",
            )  # fmt: skip

    def _say(self, subject: str, message: str) -> None:
        if subject not in self._said:
            self._said.add(subject)
            _LOG.warning("rlscale: %s", message)
