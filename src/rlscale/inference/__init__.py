"""From a curve to what it supports: families, noise, posterior, forecast, verdict."""

from rlscale.inference.correction import Correction
from rlscale.inference.entry import fit
from rlscale.inference.fit import Fit, FitOptions, fits
from rlscale.inference.forecast import Forecast, Interval, forecast
from rlscale.inference.over_time import Look, OverTime, over_time, over_times
from rlscale.inference.posterior import Posterior, posterior, posteriors
from rlscale.inference.refits import Refits
from rlscale.inference.siblings import Siblings, siblings_of
from rlscale.inference.verdict import Verdict, VerdictName

__all__ = [
    "Correction",
    "Fit",
    "FitOptions",
    "Forecast",
    "Interval",
    "Look",
    "OverTime",
    "Posterior",
    "Refits",
    "Siblings",
    "Verdict",
    "VerdictName",
    "fit",
    "fits",
    "forecast",
    "over_time",
    "over_times",
    "posterior",
    "posteriors",
    "siblings_of",
]
