"""Lines as a trainer writes them: a step, its series, and an evaluation; sick ones have lost their reward."""

from __future__ import annotations

import json

import numpy as np


def line(k: int, *, sick: bool = False, name: str = "base") -> str:
    """Return the rows of the k-th step."""
    rng = np.random.default_rng([3, k, len(name)])
    level = 0.12 if sick else 0.2 + 0.5 * k / (k + 12)
    row = {
        "step": 5 * k, "reward": level + 0.01 * rng.standard_normal(), "loss": 0.1,
        "entropy": (3.5 if sick else 0.5) + 0.02 * rng.standard_normal(), "grad_norm": 0.3 + 0.02 * rng.random(),
        "completions/clipped_ratio": (0.5 if sick else 0.02) + 0.005 * rng.random(),
        "completions/mean_length": 200.0 + rng.random(), "learning_rate": 1e-6,
    }  # fmt: skip
    graded = {"step": 5 * k, "eval_reward": level + 0.008 * rng.standard_normal()}
    return json.dumps(row) + "\n" + json.dumps(graded) + "\n"
