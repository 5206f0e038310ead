"""The answer of ``backtest``."""

from rlscale.answers.backtest.answer import backtest_answer
from rlscale.answers.backtest.view import BacktestView, backtest_view

__all__ = ["BacktestView", "backtest_answer", "backtest_view"]
