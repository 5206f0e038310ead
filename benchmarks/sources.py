"""The cases that settings are chosen on, by source, and what every method forecasts of them.

A *group* is one metric of one archive (``archives.SOURCES``) or one simulated shape (``designs.finished``, 40 runs); a
*source* is the folder of an archive, with all its metrics, or a shape. Runs are cut as ``rlscale backtest`` cuts them,
and our forecasts are the ones it makes. All scores are shares of the range.

From a script, to compare settings quickly::

    from benchmarks.sources import read, scored
    groups = read(count=10, simulated=10)
    for name, scores in scored(FitOptions(), groups).items():
        print(name, np.nanmean(scores.crps))
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import forecasters
from benchmarks.archives import SOURCES
from benchmarks.candidates import CANDIDATES
from benchmarks.designs import FALTERING, finished
from rlscale.curves import Run
from rlscale.inference import FitOptions
from rlscale.trust import CUTS
from rlscale.trust.backtest import Task, cut_runs, forecast_tasks
from rlscale.trust.baselines import METHODS
from rlscale.trust.outcome import Case, Skipped

__all__ = [
    "MADE",
    "POINTS",
    "SHAPES",
    "TRAIN",
    "VALIDATION",
    "Group",
    "Scores",
    "candidates_scored",
    "read",
    "rivals_scored",
    "scored",
]

Floats = NDArray[np.float64]
#: Error, CRPS, whether the 80 % and the 50 % interval hold the truth, and the verdict.
Row = tuple[float, float, float, float, str]

#: Simulated shapes, each a source of its own.
SHAPES = ("sigmoid", *FALTERING, "two rises", "late take-off")
SIMULATED = 40
VALIDATION, TRAIN, MADE = "validation", "train", "simulated"
#: What is in use today; ``minos`` has intervals too.
POINTS = {
    "last_value": "last value",
    "last3_mean": "mean of last 3",
    "least_squares": "least squares",
    "linearised_grid": "linearised grid",
    "scalerl_grid": "published grid",
    "minos": "iminuit MINOS",
}
#: Tasks one process takes at a time where the slow methods are computed.
_TOGETHER = 24


@dataclass(frozen=True, eq=False)
class Group:
    """The cases of one metric, or of one simulated shape.

    Parameters
    ----------
    name, source : str
    kind : str
        ``validation``, ``train`` or ``simulated``.
    tasks : tuple of Task
    span : float
        Width of the bounds, in reward.
    """

    name: str
    source: str
    kind: str
    tasks: tuple[Task, ...]
    span: float

    @property
    def real(self) -> bool:
        """Whether the runs are somebody's, and not simulated."""
        return self.kind != MADE

    def at(self, cut: float | None) -> NDArray[np.bool_]:
        """Which cases are at a cut, all of them without one: shape (n,)."""
        return np.array([cut is None or task.cut == cut for task in self.tasks], dtype=bool)


@dataclass(frozen=True, eq=False)
class Scores:
    """What one method scored on the cases of a group, arrays of shape (n,), NaN where it has no forecast.

    Parameters
    ----------
    error, crps : array
        Of the median, and of the distribution; shares of the range.
    in80, in50 : array
        1 where the interval holds the truth, 0 where it does not, NaN for a method without intervals.
    verdict : array of str
        Empty for other methods than ours.
    """

    error: Floats
    crps: Floats
    in80: Floats
    in50: Floats
    verdict: NDArray[np.str_]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scores:
        """Put the scores of single cases together."""
        numbers = np.array([row[:4] for row in rows], dtype=np.float64).reshape(len(rows), 4)
        return cls(*numbers.T, verdict=np.array([row[4] for row in rows], dtype=np.str_))

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Scores:
        """Put the scores of several groups together."""
        names = ("error", "crps", "in80", "in50", "verdict")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def __getitem__(self, chosen: Any) -> Scores:
        return Scores(self.error[chosen], self.crps[chosen], self.in80[chosen], self.in50[chosen], self.verdict[chosen])


def read(count: int | None = None, simulated: int = SIMULATED) -> list[Group]:
    """Return the groups whose archives are here, at most ``count`` runs of each, and those simulated."""
    groups = []
    for one in SOURCES:
        if one.present:
            tasks = cut_runs(_spread(one.runs(), count), CUTS, one.least)[0]
            kind = VALIDATION if one.validation else TRAIN
            groups.append(Group(one.name, one.folder, kind, tuple(tasks), one.bounds[1] - one.bounds[0]))
    for place, shape in enumerate(SHAPES):
        rng = np.random.default_rng([83, place])
        runs = [Run(name=f"{k}", recipe=shape, curve=finished(shape, rng)) for k in range(simulated)]
        groups.append(Group(f"simulated {shape}", f"simulated {shape}", MADE, tuple(cut_runs(runs, CUTS)[0]), 1.0))
    return [group for group in groups if group.tasks]


def _spread(runs: Sequence[Run], count: int | None) -> Sequence[Run]:
    """Return at most ``count`` of the runs, from all parts of the archive."""
    return runs if count is None else runs[:: max(1, -(-len(runs) // count))]


def scored(options: FitOptions, groups: Sequence[Group]) -> dict[str, Scores]:
    """Forecast every case as ``rlscale backtest`` does with these options, and score it: by the group's name."""
    return {group.name: _ours(options, group) for group in groups}


def _ours(options: FitOptions, group: Group) -> Scores:
    return Scores.of([_row(found, group.span) for found in forecast_tasks(group.tasks, options, methods=())])


def _row(found: Case | Skipped, span: float) -> Row:
    if isinstance(found, Skipped):
        return (np.nan, np.nan, np.nan, np.nan, "")
    return found.error() / span, found.crps / span, found.covers(0.8), found.covers(0.5), found.verdict.name.value


def candidates_scored(groups: Sequence[Group], jobs: int = 1) -> dict[str, dict[str, Scores]]:
    """Return :func:`scored` of every candidate, by its name, in ``jobs`` processes."""
    work = [(name, group) for name in CANDIDATES for group in groups]
    names, every = [name for name, _ in work], [group for _, group in work]
    with _pool(jobs) as pool:
        scores = list((pool.map if pool else map)(_candidate, names, every))
    found: dict[str, dict[str, Scores]] = {name: {} for name in CANDIDATES}
    for (name, group), one in zip(work, scores, strict=True):
        found[name][group.name] = one
    return found


def _candidate(name: str, group: Group) -> Scores:
    return _ours(CANDIDATES[name], group)


def rivals_scored(groups: Sequence[Group], jobs: int = 1) -> dict[str, dict[str, Scores]]:
    """Return the scores of the methods in use today, by their names in tables and the group's."""
    parts = [(group, group.tasks[k : k + _TOGETHER]) for group in groups for k in range(0, len(group.tasks), _TOGETHER)]
    spans, tasks = [group.span for group, _ in parts], [some for _, some in parts]
    with _pool(jobs) as pool:
        found = list((pool.map if pool else map)(_rivals, tasks, spans))
    rows: dict[str, dict[str, list[Row]]] = {key: {group.name: [] for group in groups} for key in found[0]}
    for (group, _), some in zip(parts, found, strict=True):
        for key, scores in some.items():
            rows[key][group.name] += scores
    return {POINTS[key]: {name: Scores.of(own) for name, own in each.items()} for key, each in rows.items()}


def _rivals(tasks: Sequence[Task], span: float) -> dict[str, list[Row]]:
    rows = {}
    for key, method in METHODS.items():
        errors = [abs(method(task.seen, task.ahead) - task.truth) / span for task in tasks]
        rows[key] = [(error, error, np.nan, np.nan, "") for error in errors]
    if importlib.util.find_spec("iminuit") is None:
        return rows
    found = [forecasters.score(forecasters.profiled(task), task.truth) for task in tasks]
    rows["minos"] = [(s.error / span, s.crps / span, float(bool(s.in80)), float(bool(s.in50)), "") for s in found]
    return rows


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor | None]:
    """Give processes that start as fresh interpreters, or None where one does all."""
    if jobs <= 1:
        yield None
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield pool
