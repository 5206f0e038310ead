"""The health and the progress of runs that are followed, judged anew only where their logs have grown."""

from __future__ import annotations

from collections.abc import Iterable

from rlscale.curves import Run
from rlscale.health import Limits, RunHealth, run_health
from rlscale.health.scale import of_run, scales_of
from rlscale.live.alarms.present import health_signals, unjudged
from rlscale.live.alarms.signal import Key, Progress, Signal

__all__ = ["Judge", "mark_of", "progress_of"]


def progress_of(runs: Iterable[Run]) -> dict[str, Progress]:
    """Return how far runs have come, and recipes of several runs: all of their runs together."""
    found: dict[str, Progress] = {}
    recipes: dict[str, list[Progress]] = {}
    for run in runs:
        rows = max((each.step.size for each in run.series.values()), default=0)
        own = Progress(max(rows, run.curve.n_points), run.curve.n_points)
        found[run.name] = own
        recipes.setdefault(run.recipe, []).append(own)
    for recipe, several in recipes.items():
        together = Progress(sum(each.rows for each in several), sum(each.evaluations for each in several))
        found.setdefault(recipe, together)
    return found


def mark_of(run: Run) -> tuple[int, int, float]:
    """Return what changes when the log of a run grows."""
    return sum(each.step.size for each in run.series.values()), run.curve.n_points, run.curve.compute_last


class Judge:
    """Judges runs by all monitors.

    Parameters
    ----------
    limits : Limits, optional
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._known: dict[str, tuple[object, RunHealth]] = {}

    def health(self, runs: Iterable[Run]) -> list[RunHealth]:
        """Return the health of runs as they stand; how shares are written is decided from all of them."""
        found, several = [], list(runs)
        scales = scales_of(several)
        for run in several:
            mark = mark_of(run), of_run(run, scales)
            known = self._known.get(run.name)
            if known is None or known[0] != mark:
                known = self._known[run.name] = (mark, run_health(run, self._limits, scales=scales))
            found.append(known[1])
        return found

    def judged(self, runs: Iterable[Run]) -> tuple[list[Signal], set[Key]]:
        """Return what the monitors say of runs now, and what they cannot say; whether runs stall is not asked."""
        signals: list[Signal] = []
        blind: set[Key] = set()
        for health in self.health(runs):
            signals += health_signals(health)
            blind |= {key for key in unjudged(health) if key[1] != "stalled"}
        return signals, blind
