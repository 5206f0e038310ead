"""Bounds of the runs read together: stated, known by the metric's name and scale, assumed from the values, or open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rlscale.curves import Curve, OpenBounds, assumed
from rlscale.curves.assumed import STRAY, is_one_assumption, opened
from rlscale.errors import ChoiceError
from rlscale.sources.log import Log

__all__ = ["OPEN", "Scaled", "bounded", "is_share", "kept_bounds", "provisional", "several_rewards", "without_outliers"]

Floats = NDArray[np.float64]

#: What ``--bounds`` takes in place of two numbers.
OPEN: Literal["open"] = "open"
#: A share above this is in percent; a run whose values all lie under the second one says nothing of its scale.
PERCENT, SILENT = 1.5, 0.02
#: Under open bounds a value so many ranges from the median of the 5 around it is no evaluation; at most this share.
OUTLIER, MOST = 20.0, 0.02

_PARTS = re.compile(r"[^a-z0-9]+")
_SHARE = frozenset({"accuracy", "acc", "accuracies", "success", "correct", "solved", "winrate", "passrate"})
_RATE = frozenset({"rate", "fraction", "frac", "share", "ratio", "prob", "probability", "percent", "pct"})
_OF = frozenset({"pass", "win", "solve", "success", "correct", "accuracy", "acc"})
_NOT_SHARE = frozenset({"reward", "rewards", "score", "scores", "return", "loss", "length", "count", "num", "time"})
#: ``rewards/format/mean`` and the like: one reward function among several.
_FUNCTION = re.compile(r"(?:eval[_/]|train/)?rewards?/(?P<function>[^/]+)(?:/mean)?")
_NO_FUNCTION = frozenset({"mean", "std", "min", "max", "sum", "total", "avg", "average", "chosen", "rejected"})
#: Parts of names of statistics of one reward (SkyRL's ``avg_pass_at_8``, ``mean_positive_reward``).
_STATISTIC = frozenset({"mean", "std", "min", "max", "avg", "average", "median", "pass"})
#: Beside these, the others are environments or terms of a mean (prime-rl, EasyR1), and no summands.
_OVERALL = frozenset({"all", "overall"})


def is_share(metric: str) -> bool:
    """Whether a metric is a share by its name: an accuracy, a pass, success or win rate, pass@k.

    Examples
    --------
    >>> is_share("val-core/math/acc/mean@8"), is_share("eval/pass@1"), is_share("rewards/correct_reward")
    (True, True, False)
    """
    parts = [part for part in _PARTS.split(metric.lower()) if part not in ("", "at")]
    words = set(parts)
    if words & _NOT_SHARE:
        return False
    at_k = any(part == "pass" and (k + 1 == len(parts) or parts[k + 1].isdigit()) for k, part in enumerate(parts))
    return bool(words & _SHARE) or at_k or bool(words & _RATE and words & _OF)


def several_rewards(keys: Iterable[str], metric: str) -> bool:
    """Whether there are several reward functions among the keys of a log, beside a metric that is their sum.

    Examples
    --------
    >>> several_rewards(["rewards/accuracy/mean", "rewards/format/mean"], "reward")
    True
    >>> several_rewards(["reward/avg_raw_reward", "reward/avg_pass_at_8"], "eval/all/avg_score")
    False
    """
    if _FUNCTION.fullmatch(metric) or is_share(metric):
        return False
    named = (_FUNCTION.fullmatch(key) for key in keys)
    functions = {match["function"] for match in named if match} - _NO_FUNCTION
    if functions & _OVERALL:
        return False
    return sum(_STATISTIC.isdisjoint(_PARTS.split(name.lower())) for name in functions) > 1


def provisional(log: Log, metric: str, *, asked: bool = False) -> OpenBounds:
    """Return why a curve may be open, until all runs are decided together; ``asked``: ``--bounds open``."""
    because = "asked" if asked else "rewards" if several_rewards(log.quantities, metric) else log.open_because
    return _unseen(because)


@cache
def _unseen(because: str) -> OpenBounds:
    return OpenBounds(lowest=0.0, highest=0.0, range=0.0, because=because)


@dataclass(frozen=True, eq=False)
class Scaled:
    """A run whose bounds nobody states: its curve as kept, and all values of its log, whatever stretch is kept.

    Parameters
    ----------
    name, path : str
    curve : Curve
    values : array, shape (n,)
    column : (float, float), optional
        Lowest and highest value of the column of a table that the values are of, whichever of its runs are read.
    """

    name: str
    path: str
    curve: Curve
    values: Floats
    column: tuple[float, float] | None = None

    @property
    def extent(self) -> tuple[float, float]:
        """Lowest and highest value that tell the scale."""
        return self.column or (float(self.values.min()), float(self.values.max()))


def bounded(runs: Sequence[Scaled]) -> list[Curve]:
    """Return the curves of one command with their bounds, decided together.

    A share by its name has [0, 1] or, where a value of its file passes 1.5 and all stay in [0, 100], [0, 100]; other
    rewards what :func:`rlscale.curves.assumed` says.

    Raises
    ------
    ChoiceError
        Shares of which one file is in percent, and another as well may be a fraction.
    """
    if not runs:
        return []
    asked = any(run.curve.open is not None and run.curve.open.because == "asked" for run in runs)
    if asked or not is_share(runs[0].curve.metric):
        return assumed([run.curve for run in runs])
    by_path: dict[str, list[Scaled]] = {}
    for run in runs:
        by_path.setdefault(run.path, []).append(run)
    scales = {path: _scale(group) for path, group in by_path.items()}
    percent = [path for path, scale in scales.items() if scale == "percent"]
    fractions = [path for path, scale in scales.items() if scale == "fraction"]
    if percent and fractions:
        names = [run.name for run in runs if run.path in fractions][:3]
        raise ChoiceError(
            f"some runs log {runs[0].curve.metric!r} in percent, and these have values up to "
            f"{max(run.extent[1] for run in runs if run.path in fractions):.3g}; give --bounds 0 100 if they "
            "are in percent too, or read them apart",
            names,
        )
    silent = "percent" if percent else "fraction"
    return _in_scale(runs, {path: silent if scale == "silent" else scale for path, scale in scales.items()})


def kept_bounds(curves: Sequence[Curve]) -> list[Curve]:
    """Return the curves of a ledger with the bounds kept of them, decided anew where a value leaves them.

    Anew, too, where runs that were added one after the other have several: a ledger is one log.
    """
    if is_one_assumption(curves):
        return list(curves)
    free = [curve for curve in curves if curve.bounds_from != "option"]
    decided = iter(bounded([Scaled("", "", curve, curve.reward) for curve in free]))
    return [curve if curve.bounds_from == "option" else next(decided) for curve in curves]


def _scale(group: Sequence[Scaled]) -> str:
    """Return the scale of a share in one file: fraction, percent, silent (zeros), or neither."""
    extents = [run.extent for run in group]
    low, high = min(low for low, _ in extents), max(high for _, high in extents)
    if high > PERCENT:
        return "percent" if low >= 0.0 and high <= 100.0 else "neither"
    if low < -STRAY or high > 1.0 + STRAY:
        return "neither"
    return "fraction" if high > SILENT else "silent"


def _in_scale(runs: Sequence[Scaled], scales: Mapping[str, str]) -> list[Curve]:
    """Return the curves, those of no scale open."""
    if "neither" in scales.values():  # one command, one unit of tolerance
        return opened([run.curve for run in runs], because="share")
    known = {"percent": ((0.0, 100.0), "percent"), "fraction": ((0.0, 1.0), "metric")}
    return [run.curve.with_bounds(*known[scales[run.path]]) for run in runs]


def without_outliers(curve: Curve) -> tuple[Curve, tuple[str, ...]]:
    """Return a curve with open bounds without values that are no evaluations, and what was left out.

    A value further than 20 ranges from the median of the 5 around it, itself included (at the ends, of the first and of
    the last 5); at most 2 % of a run, at least one, the furthest first.
    """
    if curve.open is None or not curve.open.range or curve.n_points < 5:
        return curve, ()
    around = np.pad(np.median(sliding_window_view(curve.reward, 5), axis=1), 2, mode="edge")
    away = np.abs(curve.reward - around)
    far = np.flatnonzero(away > OUTLIER * curve.open.range)
    if not far.size:
        return curve, ()
    far = np.sort(far[np.argsort(-away[far], kind="stable")][: max(1, int(MOST * curve.n_points))])
    kept = np.ones(curve.n_points, dtype=bool)
    kept[far] = False
    said = tuple(
        f"{curve.reward[k]:.6g} at {curve.compute[k]:.6g} {curve.unit} is left out: more than {OUTLIER:g} ranges of "
        f"the rewards ({curve.open.range:.3g}) from those around it"
        for k in far
    )
    return curve.select(kept), said
