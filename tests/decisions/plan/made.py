"""Runs with a known truth, for the tests of plans."""

import numpy as np

from rlscale.curves import Run, Truth, simulate
from rlscale.inference import FitOptions
from rlscale.inference.families import SIGMOID
from rlscale.inference.posterior import posterior

#: The sigmoid alone without model error: what is asked is that of the law.
PURE = FitOptions(families=(SIGMOID,), model_error=0.0)
LAW = {"R0": 0.1, "A": 0.7, "B": 1.6, "C_mid": 100.0, "sigma": 0.008}


def law(**changes):
    return Truth(**{**LAW, **changes})


def run(name="a", recipe=None, *, last=200.0, n=41, seed=0, unit="gpu-hours", **changes):
    curve = simulate(law(**changes), np.linspace(0.0, last, n), rng=np.random.default_rng(seed), unit=unit)
    return Run(name=name, recipe=recipe or name, curve=curve)


def fitted(options=None, **changes):
    options = options or FitOptions()
    return posterior(run(**changes).curve, families=options.families, model_error=options.model_error)


def reached(truth, reward):
    return truth.C_mid * ((reward - truth.R0) / (truth.A - reward)) ** (1.0 / truth.B)
