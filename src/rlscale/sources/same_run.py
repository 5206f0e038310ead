"""One run logged in several places below one folder: read once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from rlscale.curves import Series
from rlscale.sources.clocks import Clock
from rlscale.sources.discover import Found
from rlscale.sources.format import Kind, Rounding
from rlscale.sources.formats import is_rounded, is_table, kind_of, rank_of, rounding_of
from rlscale.sources.log import Log
from rlscale.sources.naming import Place, home_of
from rlscale.sources.text import plural

__all__ = ["once"]

#: What a tracker's copy may lose: TensorBoard keeps single precision.
_SINGLE = Rounding().relative

_FEWEST = 3

#: Runs looked at closely, of those that share most with a log; rewards of few levels coincide by chance.
_CLOSEST = 16

#: Rewards at either end of a log by which copies are found: one may hold the start (a killed run) or the end alone.
_AT_AN_END = 128

#: Logs whose rows have times.
_TIMED = (Kind.TRACKER, Kind.EXPORT)

Placed = tuple[Found, Place, Log]

#: A key, and the steps and rounded values of three evaluations in a row.
_Mark = tuple[str, tuple[float, ...], tuple[str, str, str]]


def once(logs: Sequence[Placed]) -> list[Placed]:
    """Return the logs without copies of one run: a trainer that logs to a tracker leaves two in its folder.

    Two logs are of one run if the folder of one holds the other and every reward they both hold (at least three, not
    all equal) is the same to single precision; a table that is one run alone counts as a log. The one that goes
    furthest is kept, and says what was left out.
    """
    if len({log.format for _, _, log in logs}) < 2:
        return list(logs)
    rounded = any(is_rounded(log.format) for _, _, log in logs)
    kept: list[tuple[Placed, list[Log]]] = []
    homes: list[str] = []
    holding: dict[_Mark, list[int]] = {}  # which of those kept hold three rewards in a row
    for item in logs:
        home = os.path.join(home_of(Path(item[2].path)), "")
        shared = Counter(k for mark in _all_marks(item[2], rounded, around=True) for k in holding.get(mark, ()))
        near = (k for k, _ in shared.most_common() if homes[k].startswith(home) or home.startswith(homes[k]))
        k = next((k for k, _ in zip(near, range(_CLOSEST), strict=False) if _same(kept[k][0], item)), len(kept))
        if k < len(kept):
            other, copies = kept[k]
            best, left = (item, other) if _rank(item[2]) > _rank(other[2]) else (other, item)
            kept[k] = (best, [*copies, left[2]])
            homes[k] = max(homes[k], home, key=len)  # a store above many runs does not make them one
        else:
            kept.append((item, []))
            homes.append(home)
        for mark in _all_marks(item[2], rounded):
            holding.setdefault(mark, []).append(k)
    return [_told(item, copies) for item, copies in kept]


def _all_marks(log: Log, rounded: bool, *, around: bool = False) -> Iterator[_Mark]:
    """Yield the marks of a log; where others print rounded values, under names of their own, also such marks."""
    for key in (*log.validation, *log.train):
        yield from _marks(key, log.series[key], around)
    if rounded:
        for role, keys in (("~validation", log.validation), ("~train", log.train)):
            if len(keys) == 1:
                yield from _marks(role, log.series[keys[0]], around, 2, Rounding(absolute=6e-5, relative=6e-5))


def _marks(key: str, series: Series, around: bool, digits: int = 4, lost: Rounding | None = None) -> Iterator[_Mark]:
    """Yield what a log shares with a copy of it; with ``around``, also as a copy may have rounded it."""
    lost = lost or Rounding(relative=2 * _SINGLE)
    keep = np.isfinite(series.value)
    steps, values = series.step[keep].tolist(), series.value[keep].tolist()
    rounded = [{f"{value:.{digits}e}"} for value in values]
    if around:
        for texts, value in zip(rounded, values, strict=True):
            most = max(lost.absolute, lost.relative * abs(value))
            texts |= {f"{value - most:.{digits}e}", f"{value + most:.{digits}e}"}
    last = len(values) - _FEWEST + 1
    for i in (*range(min(last, _AT_AN_END)), *range(max(_AT_AN_END, last - _AT_AN_END), last)):
        three = slice(i, i + _FEWEST)
        if len(set(values[three])) > 1:
            for one, two, last_one in product(*rounded[three]):
                yield key, tuple(steps[three]), (one, two, last_one)


def _told(item: Placed, copies: Sequence[Log]) -> Placed:
    if not copies:
        return item
    found, place, log = item
    where = ", ".join(f"{Path(copy.path).name} ({copy.format})" for copy in copies[:3])
    number = (
        "a copy of this run beside it was" if len(copies) == 1 else f"{len(copies)} copies of this run beside it were"
    )
    said = f"{number} not read twice: {where}"
    lacking = [one for one in (_lacking(log, copy) for copy in copies) if one]
    for copy in copies:
        log = _completed(log, copy)
    return found, place, replace(log, repairs=(*log.repairs, said), warnings=(*log.warnings, *lacking))


def _lacking(log: Log, copy: Log) -> str:
    """Return a sentence where a copy that was left out begins before the log does; empty where it does not."""
    keys = [key for key in (log.validation or log.train) if key in copy.series and log.series[key].step.size]
    if not keys:
        return ""
    first = min(float(log.series[key].step[0]) for key in keys)
    lost = sum(int(np.count_nonzero(copy.series[key].step < first)) for key in keys)
    name = Path(copy.path).name
    only = "is" if lost == 1 else "are"
    return f"{plural(lost, 'reward')} before step {first:g} {only} only in {name}, which was left out" if lost else ""


def _completed(log: Log, copy: Log) -> Log:
    """Return the log with what only its copy holds: configuration, seed, GPUs, times, graded samples."""
    graded = "generations" in copy.settings and "generations" not in log.settings
    clocks = {name: clock for name, clock in copy.clocks.items() if _reaches(clock, log)}
    timed = kind_of(copy.format) in _TIMED and kind_of(log.format) not in _TIMED and "elapsed" in clocks
    return replace(
        log,
        config={**copy.config, **log.config},
        settings={**copy.settings, **log.settings},
        gpus=log.gpus or copy.gpus,
        gpus_said=log.gpus_said if log.gpus else copy.gpus_said,
        model_params=log.model_params or copy.model_params,
        seed=log.seed if log.seed is not None else copy.seed,
        clocks={**clocks, **log.clocks, **({"elapsed": clocks["elapsed"]} if timed else {})},
        n_eval={**log.n_eval, **copy.n_eval} if graded else log.n_eval,
        metric_repairs={**log.metric_repairs, **copy.metric_repairs} if graded else log.metric_repairs,
    )


def _reaches(clock: Clock, log: Log) -> bool:
    """Whether a clock goes on to the last reward; that of a copy which stopped before it says nothing of the rest."""
    rewards = [log.series[key].step for key in log.validation or log.train]
    last = max((float(step[-1]) for step in rewards if step.size), default=0.0)
    return bool(clock.seconds.step.size) and float(clock.seconds.step[-1]) >= last


def _rank(log: Log) -> tuple[float, int, int]:
    last = max((float(one.step[-1]) for one in log.series.values() if one.step.size), default=0.0)
    precision, place = rank_of(log.format)
    return last, -precision - is_rounded(log.format), -place


def _same(one: Placed, other: Placed) -> bool:
    first, second = one[2], other[2]
    if first.format == second.format or one[0].uri or other[0].uri:
        return False
    if any(is_table(log.format) and log.name for log in (first, second)):  # results put together by hand
        return False
    pairs = [_both(first.series[one], second.series[two]) for one, two in _shared(first, second)]
    here, there = np.hstack(pairs) if pairs else np.empty((2, 0))
    if here.size < _FEWEST or np.ptp(here) == 0:
        return False
    roundings = [rounding_of(log.format) for log in (first, second)]
    relative = max(one.relative for one in roundings) * np.maximum(np.abs(here), np.abs(there))
    return bool(np.all(np.abs(here - there) <= np.maximum(relative, max(one.absolute for one in roundings))))


def _shared(first: Log, second: Log) -> list[tuple[str, str]]:
    """Return the keys of rewards that both hold; what trainers print may have another name there."""
    others = (*second.validation, *second.train)
    keys = [(key, key) for key in (*first.validation, *first.train) if key in others]
    if not (is_rounded(first.format) or is_rounded(second.format)) or first.trainer != second.trainer:
        return keys
    roles = ((first.validation, second.validation), (first.train, second.train))
    return list(dict.fromkeys([*keys, *((a[0], b[0]) for a, b in roles if len(a) == len(b) == 1)]))


def _both(one: Series, other: Series) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the values at the steps that both hold, shape (2, n)."""
    _, here, there = np.intersect1d(one.step, other.step, return_indices=True)
    found = np.stack([one.value[here], other.value[there]])
    return found[:, np.isfinite(found).all(axis=0)]
