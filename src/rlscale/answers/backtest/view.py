"""The view of a backtest, and what its methods are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rlscale.answers.numbers import error
from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import BadFile, Settings, bad_files
from rlscale.answers.view import View
from rlscale.curves import Run
from rlscale.sources import Reading
from rlscale.trust.outcome import Backtest

__all__ = ["METHOD_WORDS", "BacktestView", "backtest_view"]

#: Every method in words, in the order they are shown.
METHOD_WORDS = MappingProxyType(
    {
        "rlscale": "rlscale",
        "last_value": "last value",
        "last3_mean": "mean of last 3",
        "least_squares": "least squares",
        "linearised_grid": "linearised grid",
        "scalerl_grid": "published grid",
    }
)


@dataclass(frozen=True, kw_only=True)
class BacktestView(View):
    """The answer of ``backtest``; ``input`` is what was repaired, or is to be known, of the ``runs`` read."""

    result: Backtest
    input: tuple[Remark, ...] = ()
    runs: int = 0

    def error(self, value: float | None) -> str:
        """Return an error as text: one decimal more than a reward has."""
        return error(value, self.result.bounds)

    @property
    def tolerance(self) -> float:
        """Half-width of an acceptable answer, in reward."""
        low, high = self.result.bounds
        return self.result.options.tolerance * (high - low)


def backtest_view(
    result: Backtest,
    runs: Sequence[Run] = (),
    errors: Sequence[BadFile] = (),
    settings: Settings | None = None,
    reading: Reading | None = None,
) -> BacktestView:
    """Return the view of a backtest of ``runs``; what was read with them comes from ``reading``."""
    return BacktestView(
        result=result,
        input=read_remarks(runs),
        errors=tuple(errors) if reading is None else bad_files(reading.errors),
        settings=settings or Settings(),
        grouping=None if reading is None else reading.grouping,
        left_out=result.left_out,
        runs=len(runs),
    )
