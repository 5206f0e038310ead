"""Rows of one run that contradict each other: the same compute, another reward.

The order of a table's rows means nothing until then. What tells the rows apart is looked for in a fixed order; where
nothing does, the table is refused.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources.restarts import begins_of, last_written, numbered, resumed
from rlscale.sources.text import plural

__all__ = ["Measure", "Part", "Rival", "parts_of"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: So many computes, and this share of them, may repeat with another reward: a doubled final evaluation.
_FEW, _SHARE = 2, 0.05

#: A stretch of rows that is a run, or what a resume goes on from, has at least so many.
_STRETCH = 4


@dataclass(frozen=True, eq=False)
class Measure:
    """A reward of one run, in the order of the file.

    Parameters
    ----------
    rows : array of int, shape (n,)
        Rows of the table.
    place, value : array, shape (n,)
        Compute and reward of each.
    """

    rows: Rows
    place: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class Part:
    """One run among the rows that had one name: its rows, and what was done."""

    rows: Rows
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rival:
    """What the rows of a table are to be told apart by, and how messages call it.

    Parameters
    ----------
    path : str
        The table.
    who : str
        ``"run 'a': "``, or empty where the file is one run.
    word : str
        The column of the compute.
    others : callable
        Returns (name, a code for each row of the table) of each column that is neither compute, time nor measured.
    epoch : (str, array), optional
        The column of the epoch, for each row of the table.
    """

    path: str
    who: str
    word: str
    others: Callable[[], Iterable[tuple[str, Rows]]]
    epoch: tuple[str, Floats] | None = None


def parts_of(rows: Rows, measures: Sequence[Measure], rival: Rival) -> list[Part]:
    """Return the runs that the rows of one name are: one, unless they contradict each other.

    In this order: at most 2 computes, and 5 % of them, repeat with another reward (the last wins); another column
    tells the rows apart; an epoch goes on while the step starts again; ascending stretches are runs or resumes.

    Parameters
    ----------
    rows : array of int
        Rows of the table, ascending.
    measures : sequence of Measure
        The rewards among them.
    rival : Rival
        What may tell the rows apart.

    Raises
    ------
    SourceError
        Another column, or the epoch, tells them apart, and the user must say so; or nothing does.
    """
    finite = [_finite(one) for one in measures]
    against = [(one, _repeated(one.place, one.value)) for one in finite]
    against = [(one, places) for one, places in against if places.size]
    if not against or all(_is_slip(one, places) for one, places in against):
        return [Part(rows)]
    what = _what(*against[0], rival)
    _refuse_other_columns(rows, finite, rival, what)
    _refuse_epoch(against[0][0], rival, what)
    return _stretches(rows, finite, against[0][0], rival, what)


def _finite(one: Measure) -> Measure:
    keep = np.isfinite(one.place) & np.isfinite(one.value)
    return one if keep.all() else Measure(one.rows[keep], one.place[keep], one.value[keep])


def _repeated(place: Floats, value: Floats) -> Floats:
    """Return the computes that hold several rewards."""
    if place.size < 2 or bool(np.all(np.diff(place) > 0)):
        return np.empty(0)
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    return np.unique(place[1:][(np.diff(place) == 0) & (np.diff(value) != 0)])


def _is_slip(one: Measure, places: Floats) -> bool:
    return places.size <= _FEW and places.size <= _SHARE * np.unique(one.place).size


def _what(one: Measure, places: Floats, rival: Rival) -> str:
    """Say where rows contradict each other, with the first two rewards that do."""
    values = one.value[one.place == places[0]]
    other = values[values != values[0]][0]
    where = f"{rival.word} {places[0]:g}"
    more = f" and at {plural(places.size - 1, 'more value')} of {rival.word}" if places.size > 1 else ""
    return f"{rival.who}rows at {where} hold different rewards ({values[0]:g} and {other:g}){more}"


def _refuse_other_columns(rows: Rows, measures: Sequence[Measure], rival: Rival, what: str) -> None:
    most = max(2.0, rows.size / 4)
    telling = [name for name, codes in rival.others() if _tells(codes, rows, measures, most)]
    if not telling:
        return
    which = f"column {telling[0]!r} tells" if len(telling) == 1 else f"columns {_listed(telling)} each tell"
    message = f"{what}, and the {which} them apart: give --by {telling[0]} if that means the recipe"
    raise SourceError(rival.path, f"{message}; rename it to run or seed if it means that")


def _tells(codes: Rows, rows: Rows, measures: Sequence[Measure], most: float) -> bool:
    if not 2 <= np.unique(codes[rows]).size <= most:
        return False
    for one in measures:
        of = codes[one.rows]
        for code in np.unique(of):
            if _repeated(one.place[of == code], one.value[of == code]).size:
                return False
    return True


def _listed(found: Sequence[str], most: int = 3) -> str:
    return ", ".join(map(repr, found[:most])) + (f" and {len(found) - most} more" if len(found) > most else "")


def _refuse_epoch(one: Measure, rival: Rival, what: str) -> None:
    if rival.epoch is None:
        return
    name, epochs = rival.epoch
    epoch, falls = epochs[one.rows], np.diff(one.place) <= 0
    rises = np.diff(epoch)
    if falls.any() and bool(np.all(rises >= 0)) and bool(np.all(rises[falls] > 0)):
        message = f"{what}: {rival.word!r} starts again while {name!r} goes on rising, so it counts within the epoch"
        raise SourceError(rival.path, f"{message}; give --compute {name}")


def _counts_within(measures: Sequence[Measure], epochs: Floats) -> bool:
    """Whether an epoch holds several rows, and its step tells them apart, in whatever order they stand."""
    for one in measures:
        of = epochs[one.rows]
        known = np.unique(of)
        if not np.isfinite(of).all() or not 2 <= known.size <= of.size / 2:
            return False
        if any(_repeated(one.place[of == epoch], one.value[of == epoch]).size for epoch in known):
            return False
    return True


def _stretches(rows: Rows, measures: Sequence[Measure], one: Measure, rival: Rival, what: str) -> list[Part]:
    """Return the runs by the order of the rows.

    Raises
    ------
    SourceError
        The order tells nothing either.
    """
    new = np.append(True, (np.diff(one.place) != 0) | (np.diff(one.value) != 0))
    order, place = one.rows[new], one.place[new]
    starts = np.append(0, np.flatnonzero(np.diff(place) <= 0) + 1)
    nothing = _nothing(measures, rival, what)
    if np.any(np.diff(starts) < _STRETCH):
        raise nothing
    runs = list(
        _runs(rows, one, np.searchsorted(one.rows, order[starts[1:]]), rival.who.removesuffix(": ") or "the file")
    )
    for part in runs:
        for measure in measures:
            of = np.isin(measure.rows, part.rows)
            if _repeated(measure.place[of], measure.value[of]).size:
                raise nothing
    return runs


def _nothing(measures: Sequence[Measure], rival: Rival, what: str) -> SourceError:
    """Return the refusal of rows whose order tells nothing; shuffled ones may count their step within an epoch."""
    if rival.epoch is None or not _counts_within(measures, rival.epoch[1]):
        return SourceError(rival.path, f"{what}, and no column tells them apart; add a column run, recipe or seed")
    name = rival.epoch[0]
    message = f"{what}: {name!r} tells them apart, so {rival.word!r} counts within the epoch"
    return SourceError(rival.path, f"{message}; give --compute {name}")


def _runs(rows: Rows, one: Measure, back: Rows, who: str) -> Iterator[Part]:
    """Yield the runs of the rows, whose rewards go back at ``back``."""
    begins = begins_of(one.place, back)
    edges = [int(rows[0]), *one.rows[begins[1:]].tolist(), int(rows[-1]) + 1]
    for number, (since, until) in enumerate(pairwise([*begins, one.place.size]), start=1):
        said = [numbered(who, len(begins), number)] if len(begins) > 1 else []
        place, again = one.place[since:until], back[(back > since) & (back < until)] - since
        left: list[float] = []
        for stretch in np.split(place, again):
            lost = left[bisect_left(left, stretch[0]) :]
            if lost:
                at = f"{stretch[0]:g} after {lost[-1]:g}"
                said.append(resumed(at, "rows", plural(len(lost), "row")))
                del left[-len(lost) :]
            left.extend(stretch.tolist())
        gone = one.rows[since:until][~last_written(place, again)]
        here = rows[(rows >= edges[number - 1]) & (rows < edges[number])]
        yield Part(np.setdiff1d(here, gone), tuple(said))
