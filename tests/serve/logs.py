"""Logs that grow: a CSV a run, in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

__all__ = ["CEILINGS", "grow", "reward"]

CEILINGS = {"best": 0.8, "good": 0.62, "low": 0.5}


def reward(name: str, step: float) -> float:
    noise = np.random.default_rng([list(CEILINGS).index(name), int(step)]).standard_normal()
    return float(0.1 + (CEILINGS[name] - 0.1) * step / (step + 20.0) + 0.01 * noise)


def grow(folder: Path, steps: Iterable[float], names: Iterable[str] = tuple(CEILINGS)) -> None:
    """Append evaluations to the logs of runs, which are made where they are not there."""
    for name in names:
        path = folder / f"{name}.csv"
        if not path.exists():
            path.write_text("step,reward\n")
        with path.open("a") as log:
            log.writelines(f"{step},{reward(name, step):.6f}\n" for step in steps)
