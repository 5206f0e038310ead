"""The gate against every stopper at equal compute, with an interval over runs: tournaments share runs.

The bootstrap resamples runs, not tournaments. To first order a mean over tournaments of ``K`` among ``n`` runs moves
by ``K / n sum_k (w_k - 1) (g_k - g)`` when run ``k`` is drawn ``w_k`` times, with ``g_k`` the mean over the tournaments
that ``k`` is in and ``g`` that over all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report
from benchmarks.pools import POOLS
from rlscale.decisions.gate import HOLD, Gate
from rlscale.decisions.gate.policy import scaled
from rlscale.decisions.gate.registry import POLICIES, frontier
from rlscale.decisions.gate.standing import Decider
from rlscale.trust.arena import Arena
from rlscale.trust.replay import draws
from rlscale.trust.tournament import Entrant, Played, play

__all__ = ["Outcome", "better", "equal_compute", "interval_over_runs", "outcome"]

Floats = NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of each tournament: ``kept`` says whether a run within .02 of the best finished; regret in reward."""

    cost: Floats
    kept: Floats
    regret: Floats
    played: tuple[Played, ...]


def outcome(held: Arena, policy: Decider, places: Sequence[Sequence[int]]) -> Outcome:
    """Play a policy in tournaments among the runs at ``places``."""
    unit = held.unit_of_frame
    numbers = scaled(policy.policy, unit) if isinstance(policy, Gate) else HOLD
    decider: Decider = Gate(numbers) if isinstance(policy, Gate) else scaled(policy, unit)
    blind = (None,) * len(held.contenders[0].looks)
    beliefs = [one.prospects(numbers) if isinstance(policy, Gate) else blind for one in held.contenders]
    played = tuple(
        play([Entrant(held.contenders[k], beliefs[k], held.truths[k]) for k in drawn], decider) for drawn in places
    )
    return Outcome(
        np.array([one.cost for one in played]),
        np.array([one.shortfall <= 0.02 * unit + 1e-12 for one in played], dtype=np.float64),
        held.size * np.array([one.regret for one in played]),
        played,
    )


def interval_over_runs(values: Floats, places: Sequence[Sequence[int]], count: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of ``values``, one a tournament, over ``count`` runs."""
    inside = np.zeros((count, len(places)))
    for column, drawn in enumerate(places):
        inside[list(drawn), column] = 1.0
    often = inside.sum(axis=1)
    mean = float(values.mean())
    own = np.where(often > 0.0, inside @ values / np.maximum(often, 1.0), mean) - mean
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES) - 1.0
    moved = mean + len(places[0]) / count * (weights @ own)
    low, high = np.quantile(moved, [0.025, 0.975])
    return float(low), float(high)


def better(
    gate: Outcome, rivals: Mapping[str, Iterable[Outcome]], places: Sequence[Sequence[int]], count: int
) -> dict[str, tuple[Outcome, tuple[float, float], tuple[float, float]] | None]:
    """Return of each family the setting of least regret at the gate's cost + .005, and by how much it is better.

    The intervals are of the rival's share kept less the gate's, and of the gate's regret less the rival's: the rival
    is better beyond them where both ends are above 0. None of a family that costs more.
    """
    found: dict[str, tuple[Outcome, tuple[float, float], tuple[float, float]] | None] = {}
    for family, tried in rivals.items():
        fair = [one for one in tried if one.cost.mean() <= gate.cost.mean() + 0.005]
        best = min(fair, key=lambda one: (float(one.regret.mean()), -float(one.kept.mean())), default=None)
        found[family] = None if best is None else (
            best,
            interval_over_runs(best.kept - gate.kept, places, count),
            interval_over_runs(gate.regret - best.regret, places, count),
        )  # fmt: skip
    return found


def equal_compute(report: Report, arenas: dict[str, Arena], most: int) -> None:
    """Compare with the best setting, chosen in hindsight, of every family that costs no more than the gate + .005."""
    table = report.table(
        "regret (kept .02) of the best setting of each family that costs at most as the gate does, + .005",
        ["source", "gate's cost", *POLICIES],
    )
    over = report.table(
        "archives: by how much the best setting of each family is better than the gate at its compute, 95 % over runs",
        ["source, family", "kept .02", "95 %", "regret less by", "95 %  "],
    )
    behind, less = [], []
    for source, held in arenas.items():
        places = list(draws(len(held.contenders), 8, most if source not in POOLS else max(most // 2, 20)))
        ours = outcome(held, Gate(HOLD), places)
        rivals = {
            name: [outcome(held, one, places) for one in (POLICIES[name], *settings)]
            for name, settings in frontier().items()
            if name != "hold"
        }
        cells = [f"{ours.regret.mean():.4f} ({ours.kept.mean():.2f})"]
        for name, one in better(ours, rivals, places, len(held.contenders)).items():
            if one is None:
                cells.append("costs more")
                continue
            best, kept, regret = one
            cells.append(f"{best.regret.mean():.4f} ({best.kept.mean():.2f})")
            if best.regret.mean() < ours.regret.mean() and best.kept.mean() >= ours.kept.mean():
                less.append(f"{name} on {source}")
            if source in POOLS:
                continue
            over.add(
                f"{source}, {name}", f"{np.mean(best.kept - ours.kept):+.3f}", f"{kept[0]:+.3f} to {kept[1]:+.3f}",
                f"{np.mean(ours.regret - best.regret):+.4f}", f"{regret[0]:+.4f} to {regret[1]:+.4f}",
            )  # fmt: skip
            if kept[0] > 0.0 or (regret[0] > 0.0 and kept[1] >= 0.0):
                behind.append(f"{name} on {source}")
        table.add(source, f"{ours.cost.mean():.3f}", *cells)
    report.check(
        "families with less regret at the gate's compute, as many kept", ", ".join(less) or "none", "none", not less
    )
    report.check(
        "archives: families better at the gate's compute beyond the interval over runs",
        ", ".join(behind) or "none", "none", not behind,
    )  # fmt: skip
