"""What is known of finished runs at each look of a replay: forecasts made once, whatever the policies then do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.decisions.gate.outlook import Outlook, outlook
from rlscale.decisions.gate.policy import Policy
from rlscale.decisions.gate.prospect import Prospect, prospect
from rlscale.inference.fit import FitOptions, fits
from rlscale.inference.verdict import VerdictName

__all__ = ["Looks", "look_at"]

Floats = NDArray[np.float64]
Watch = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Looks:
    """One finished run as it stood at looks 1 to ``n`` of a replay, evenly spaced in compute up to the horizon.

    Parameters
    ----------
    run : Run
    compute : array, shape (m,)
        Of its evaluations up to the horizon, as shares of it.
    reward : array, shape (m,)
        In shares of the metric's range.
    seen : tuple of int
        Evaluations seen at each look.
    outlooks : tuple of Outlook or None
        Forecast of the reward at the horizon from each look.
    fallen : tuple of float or None
        Mean of the last 3 evaluations where the run has collapsed by then.
    """

    run: Run
    compute: Floats
    reward: Floats
    seen: tuple[int, ...]
    outlooks: tuple[Outlook | None, ...]
    fallen: tuple[float | None, ...]

    @property
    def count(self) -> int:
        """Number of looks."""
        return len(self.seen)

    def prospects(self, policy: Policy) -> tuple[Prospect | None, ...]:
        """Return what a policy believes at each look."""
        found = []
        for k in range(self.count):
            history = [one for one in self.outlooks[: k + 1] if one is not None]
            if self.fallen[k] is None and self.outlooks[k] is None:
                found.append(None)
            else:
                found.append(prospect(history, (k + 1) / self.count, policy, self.fallen[k]))
        return tuple(found)


def look_at(
    runs: Sequence[Run], horizon: float, looks: int, options: FitOptions | None = None, watch: Watch | None = None
) -> list[Looks]:
    """Forecast the reward at ``horizon`` of each run from every look.

    Parameters
    ----------
    runs : sequence of Run
        Each with a last compute of at least ``horizon``.
    horizon : float
        In the runs' unit.
    looks : int
    options : FitOptions, optional
        Its model error is not used: the discrepancy of the gate takes its place.
    watch : callable, optional
        Called with the forecasts made and their total.
    """
    options = replace(options or FitOptions(), model_error=0.0)
    edges = horizon * np.arange(1, looks + 1) / looks
    curves = [run.curve.until(horizon * (1 + 1e-9)) for run in runs]
    asked = [
        Run(name=run.name, recipe=run.recipe, curve=curve.until(float(edge) * (1 + 1e-9)))
        for run, curve in zip(runs, curves, strict=True)
        for edge in edges
        if curve.compute[0] <= edge
    ]
    made = fits(asked, [horizon], options)
    found = []
    for place, (run, curve) in enumerate(zip(runs, curves, strict=True)):
        low, size = curve.bounds[0], curve.range
        seen, outlooks, fallen = [], [], []
        for edge in edges:
            count = int(np.count_nonzero(curve.compute <= edge * (1 + 1e-9)))
            seen.append(count)
            if not count:
                outlooks.append(None)
                fallen.append(None)
                continue
            fit = next(made)
            outlooks.append(outlook(fit, horizon))
            fell = fit.verdict.name is VerdictName.COLLAPSED
            fallen.append((float(fit.run.curve.reward[-3:].mean()) - low) / size if fell else None)
        reward = (curve.reward - low) / size
        found.append(Looks(run, curve.compute / horizon, reward, tuple(seen), tuple(outlooks), tuple(fallen)))
        if watch is not None:
            watch(place + 1, len(runs))
    return found
