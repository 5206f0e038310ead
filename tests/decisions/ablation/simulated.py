"""Simulated ablations whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rlscale.curves import Run, Truth, simulate

BASE = Truth(R0=0.1, A=0.5, B=1.9, C_mid=150.0, sigma=0.006, rho=0.2)


def runs_of(
    recipes: Sequence[tuple[Mapping[str, Any], Mapping[str, float]]],
    *,
    seeds: int = 2,
    tau: float = 0.01,
    last: float = 1000.0,
    seed: int = 5,
) -> list[Run]:
    """Return runs of recipes: their settings, and what of :data:`BASE` each changes."""
    rng = np.random.default_rng(seed)
    runs = []
    for k, (settings, changed) in enumerate(recipes):
        for number in range(seeds):
            truth = Truth(**{**vars(BASE), **changed})
            own = Truth(**{**vars(truth), "A": truth.A + tau * float(rng.standard_normal())})
            curve = simulate(own, np.arange(0.0, last + 1.0, 25.0), rng=rng)
            runs.append(Run(name=f"r{k}-seed{number}", recipe=f"r{k}", curve=curve, settings=settings))
    return runs
