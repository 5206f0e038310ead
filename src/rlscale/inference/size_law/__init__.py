"""The law across model sizes: formulas, joint posterior, sizes without data, and the S-shaped rival."""

from rlscale.inference.size_law.law import LETTERINGS, Lettering, exponent, midpoint_slope, shifted_intercept, unreached
from rlscale.inference.size_law.posterior import SizePosterior, size_posterior, summary
from rlscale.inference.size_law.rewards import reward_draws
from rlscale.inference.size_law.s_shaped import SShaped, s_shaped
from rlscale.inference.size_law.trace import Trace, trace
from rlscale.inference.size_law.trend import SUBMODEL, NewSize, new_size

__all__ = [
    "LETTERINGS",
    "SUBMODEL",
    "Lettering",
    "NewSize",
    "SShaped",
    "SizePosterior",
    "Trace",
    "exponent",
    "midpoint_slope",
    "new_size",
    "reward_draws",
    "s_shaped",
    "shifted_intercept",
    "size_posterior",
    "summary",
    "trace",
    "unreached",
]
