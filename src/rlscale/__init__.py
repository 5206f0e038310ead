"""Know where an RL run will top out before you pay for it.

``read`` logs, ``fit`` each run, ``rank`` recipes::

    import rlscale

    runs = rlscale.read("runs/")
    fits = rlscale.fit(runs)
    ranking = rlscale.rank(fits)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rlscale.curves import Config, Curve, Run, Series, Source, Truth, simulate
    from rlscale.decisions import Ranking, rank
    from rlscale.decisions.ablation import Ablation, ablate
    from rlscale.decisions.gate import GateAnswer, Policy, gate
    from rlscale.decisions.knobs import (
        Catalogue,
        Check,
        Diff,
        EmittedConfig,
        check_config,
        diff_configs,
        emit_config,
        knob_catalogue,
    )
    from rlscale.decisions.plan import LearningRate, Plan, lr_for, plan
    from rlscale.decisions.rollouts import PassCounts, Rollouts, best_at_k, rollouts, worst_at_k
    from rlscale.decisions.sizes import SizeLaw, size_law
    from rlscale.errors import (
        ChoiceError,
        CurveError,
        EmptyError,
        FormatError,
        InputError,
        KeywordError,
        LedgerError,
        RlscaleError,
        SourceError,
        StoreError,
    )
    from rlscale.health import Alarm, Health, RunHealth, check_health
    from rlscale.inference import (
        Fit,
        FitOptions,
        Forecast,
        Interval,
        Look,
        OverTime,
        Posterior,
        Verdict,
        VerdictName,
        fit,
        fits,
        forecast,
        over_time,
        posterior,
    )
    from rlscale.ledger import Ledger
    from rlscale.left_out import LeftOut, Listing
    from rlscale.sources import Grouping, Reading, ReadOptions, collect, read
    from rlscale.sources.configs import read_config
    from rlscale.trust import Backtest, Calibration, Replay, backtest, calibrate, replay

_HOMES = {
    "rlscale.curves": ("Config", "Curve", "Run", "Series", "Source", "Truth", "simulate"),
    "rlscale.decisions": ("Ranking", "rank"),
    "rlscale.decisions.ablation": ("Ablation", "ablate"),
    "rlscale.decisions.gate": ("GateAnswer", "Policy", "gate"),
    "rlscale.decisions.plan": ("LearningRate", "Plan", "lr_for", "plan"),
    "rlscale.decisions.knobs": (
        "Catalogue",
        "Check",
        "Diff",
        "EmittedConfig",
        "check_config",
        "diff_configs",
        "emit_config",
        "knob_catalogue",
    ),
    "rlscale.decisions.rollouts": ("PassCounts", "Rollouts", "best_at_k", "rollouts", "worst_at_k"),
    "rlscale.decisions.sizes": ("SizeLaw", "size_law"),
    "rlscale.errors": (
        "ChoiceError",
        "CurveError",
        "EmptyError",
        "FormatError",
        "InputError",
        "KeywordError",
        "LedgerError",
        "RlscaleError",
        "SourceError",
        "StoreError",
    ),
    "rlscale.health": ("Alarm", "Health", "RunHealth", "check_health"),
    "rlscale.inference": (
        "Fit",
        "FitOptions",
        "Forecast",
        "Interval",
        "Look",
        "OverTime",
        "Posterior",
        "Verdict",
        "VerdictName",
        "fit",
        "fits",
        "forecast",
        "over_time",
        "posterior",
    ),
    "rlscale.ledger": ("Ledger",),
    "rlscale.left_out": ("LeftOut", "Listing"),
    "rlscale.sources": ("Grouping", "ReadOptions", "Reading", "collect", "read"),
    "rlscale.sources.configs": ("read_config",),
    "rlscale.trust": ("Backtest", "Calibration", "Replay", "backtest", "calibrate", "replay"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Ablation",
    "Alarm",
    "Backtest",
    "Calibration",
    "Catalogue",
    "Check",
    "ChoiceError",
    "Config",
    "Curve",
    "CurveError",
    "Diff",
    "EmittedConfig",
    "EmptyError",
    "Fit",
    "FitOptions",
    "Forecast",
    "FormatError",
    "GateAnswer",
    "Grouping",
    "Health",
    "InputError",
    "Interval",
    "KeywordError",
    "LearningRate",
    "Ledger",
    "LedgerError",
    "LeftOut",
    "Listing",
    "Look",
    "OverTime",
    "PassCounts",
    "Plan",
    "Policy",
    "Posterior",
    "Ranking",
    "ReadOptions",
    "Reading",
    "Replay",
    "RlscaleError",
    "Rollouts",
    "Run",
    "RunHealth",
    "Series",
    "SizeLaw",
    "Source",
    "SourceError",
    "StoreError",
    "Truth",
    "Verdict",
    "VerdictName",
    "ablate",
    "backtest",
    "best_at_k",
    "calibrate",
    "check_config",
    "check_health",
    "collect",
    "diff_configs",
    "emit_config",
    "fit",
    "fits",
    "forecast",
    "gate",
    "knob_catalogue",
    "lr_for",
    "over_time",
    "plan",
    "posterior",
    "rank",
    "read",
    "read_config",
    "replay",
    "rollouts",
    "simulate",
    "size_law",
    "worst_at_k",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that ``import rlscale`` stays fast."""
    if name not in _HOME:
        raise AttributeError(f"module 'rlscale' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
