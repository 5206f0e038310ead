"""The answer of ``backtest``: view, sentences, JSON, text, charts and report."""

from rlscale.present.backtest.view import BacktestView, backtest_view

__all__ = ["BacktestView", "backtest_view"]
