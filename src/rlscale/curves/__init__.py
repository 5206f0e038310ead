"""What the rest is about: curves, runs, units, and simulated curves with known truth."""

from rlscale.curves.assumed import assumed
from rlscale.curves.bounds import BOUNDS_FROM, OpenBounds
from rlscale.curves.config import Config, KeyRemark
from rlscale.curves.curve import Curve
from rlscale.curves.run import ADDED, COMPUTE, NON_FINITE, Metric, Run, Series, Source
from rlscale.curves.simulate import Truth, simulate, simulated_runs
from rlscale.curves.units import UNITS, canonical_unit

__all__ = [
    "ADDED",
    "BOUNDS_FROM",
    "COMPUTE",
    "NON_FINITE",
    "UNITS",
    "Config",
    "Curve",
    "KeyRemark",
    "Metric",
    "OpenBounds",
    "Run",
    "Series",
    "Source",
    "Truth",
    "assumed",
    "canonical_unit",
    "simulate",
    "simulated_runs",
]
