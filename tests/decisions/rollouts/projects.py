"""Projects with a known best number of rollouts per prompt."""

import numpy as np

from rlscale.curves import Run, Series, Truth, simulate

#: Ceiling and midpoint, in samples, by rollouts per prompt: the envelope passes from 8 to 128 and ends there.
LEVELS = {8: (0.5, 1e4), 32: (0.62, 3e4), 128: (0.7, 9e4), 512: (0.66, 2.7e5), 2048: (0.5, 8e5)}


def truth(n, sigma=0.005):
    ceiling, midpoint = LEVELS[n]
    return Truth(0.1, ceiling, 1.6, midpoint, sigma, 0.2)


def run(n, seed=0, *, points=30, last=1e6, unit="samples", settings=None, name=None, **more):
    compute = np.linspace(0.0, last, points + 1)
    curve = simulate(truth(n), compute, rng=np.random.default_rng([n, seed]), unit=unit)
    stated = {"generations": n, "prompts_per_step": 32} if settings is None else settings
    return Run(name=name or f"n{n}-seed{seed}", recipe=f"n{n}", curve=curve, settings=stated, **more)


def project(*numbers, **more):
    return [run(n, **more) for n in numbers or LEVELS]


def with_training(n, ceiling):
    """Return a run whose training reward ends at ``ceiling``."""
    item = run(n)
    trained = Truth(0.1, ceiling, 1.6, 5e4, 0.01, 0.2)
    noise = trained.noise(item.curve.n_points, np.random.default_rng([7, n]))
    return run(n, series={"train_reward": Series(item.curve.compute, trained.reward(item.curve.compute) + noise)})
