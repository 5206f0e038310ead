"""How good the answers are: forecasts made early, set beside what came true."""

from rlscale.trust.backtest import CUTS, backtest
from rlscale.trust.outcome import Backtest, Case, CutScores, Skipped

__all__ = ["CUTS", "Backtest", "Case", "CutScores", "Skipped", "backtest"]
