"""Runs of several sizes with a known law, for the tests here and of the decisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.inference.size_law import exponent, unreached

K_MAX, N0 = 0.14, 13e9
SIZES = (0.5e9, 1.5e9, 3e9, 7e9, 14e9, 32e9, 72e9)
COMPUTE = 512.0 * np.arange(1, 51)
REFERENCE = float(COMPUTE[-1])
#: ``log L`` at the last compute: a straight line in ``log N``.
LEVELS = {size: -0.05 - 0.17 * float(np.log(size / SIZES[0])) for size in SIZES}


def intercept(size):
    """``E`` of a size, natural logarithm."""
    return LEVELS[size] + float(exponent(size, K_MAX, N0)) * np.log(REFERENCE)


def true_reward(size, compute):
    return 1.0 - unreached(compute, exponent(size, K_MAX, N0), intercept(size))


def runs_of_sizes(
    sizes=SIZES[:6], *, sd=0.0, rho=0.0, level_sd=0.0, per_size=1, compute=COMPUTE, unit="samples", seed=0
):
    """Runs on the law, with AR(1) noise of the reward and run-to-run noise of ``log L``."""
    rng, found = np.random.default_rng(seed), []
    for size in sizes:
        for k in range(per_size):
            noise = sd * rng.standard_normal(compute.size)
            for t in range(1, compute.size):
                noise[t] = rho * noise[t - 1] + np.sqrt(1.0 - rho**2) * noise[t]
            reward = 1.0 - (1.0 - true_reward(size, compute)) * np.exp(level_sd * rng.standard_normal()) + noise
            curve = Curve(compute=compute, reward=np.clip(reward, -0.09, 1.09), unit=unit)
            found.append(Run(name=f"{size:g}-{k}", recipe=f"{size:g}", seed=k, model_params=size, curve=curve))
    return found


def with_curve(run, **changed):
    return replace(run, curve=replace(run.curve, **changed))
