"""How good the answers are: forecasts made early, set beside what came true."""

from rlscale.trust.archive import Archive, archive
from rlscale.trust.arena import Setting
from rlscale.trust.backtest import CUTS, backtest
from rlscale.trust.discrepancy import Calibration, calibrate
from rlscale.trust.outcome import Backtest, Case, CutScores, Skipped
from rlscale.trust.replay import Replay, replay

__all__ = [
    "CUTS",
    "Archive",
    "Backtest",
    "Calibration",
    "Case",
    "CutScores",
    "Replay",
    "Setting",
    "Skipped",
    "archive",
    "backtest",
    "calibrate",
    "replay",
]
