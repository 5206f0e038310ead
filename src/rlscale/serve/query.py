"""What a page is asked for: its state, all of which stands in the URL."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import click

from rlscale.errors import InputError
from rlscale.typed import Amount, Compute

__all__ = ["FIELDS", "VIEWS", "NothingYetError", "Query", "UnknownError"]

#: What of a question each page heeds, beside the page.
_HEEDED: Mapping[str, tuple[str, ...]] = {
    "overview": ("target", "search", "offset", "sort"),
    "run": ("name", "target"),
    "compare": ("runs", "target"),
    "decisions": ("again", "offset"),
    "plan": ("reward", "search", "offset"),
    "ablation": ("search",),
    "health": ("name", "search", "offset"),
}

#: The pages, in the order of the navigation, with the titles that people see.
VIEWS: Mapping[str, str] = {
    "overview": "Overview",
    "run": "Run",
    "compare": "Compare",
    "decisions": "Decisions",
    "plan": "Plan",
    "ablation": "Ablation",
    "health": "Health",
}


#: What a page calls the numbers of a question.
FIELDS: Mapping[str, str] = {
    "target": "Compare at", "reward": "Reward to reach", "offset": "The first row", "again": "The number of a decision",
}  # fmt: skip
#: Beyond this no compute is: numbers near the ends of what floats hold would overflow.
_LARGEST, _SMALLEST = 1e60, 1e-60


class UnknownError(InputError):
    """A page or a run that is not there."""


class NothingYetError(InputError):
    """No run can be shown yet; the question is a good one."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """The state of a page.

    Parameters
    ----------
    view : str
        One of :data:`VIEWS`.
    name : str, optional
        The run of the page ``run``.
    runs : tuple of str
        The runs of the page ``compare``.
    target : float, optional
        Compute of the forecasts, in the unit of the runs; infinite for the asymptote.
    reward : float, optional
        The reward that a plan is to reach.
    search : str
        Part of the names of the runs that are shown.
    offset : int
        The first row that is shown.
    sort : str
        Column by which the rows are sorted, ``-`` before it where the largest comes first; empty for their rank.
    again : int, optional
        The number of a decision that is to be made again.
    """

    view: str = "overview"
    name: str | None = None
    runs: tuple[str, ...] = ()
    target: float | None = None
    reward: float | None = None
    search: str = ""
    offset: int = 0
    sort: str = ""
    again: int | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], view: str | None = None) -> Query:
        """Return the state that a query string gives.

        Parameters
        ----------
        pairs : iterable of (str, str)
            The parameters, in order; ``run`` may be there several times.
        view : str, optional
            In place of the parameter ``view``.

        Raises
        ------
        UnknownError
            No such page.
        InputError
            A value that cannot be read; it names the parameter.
        """
        query, wrong = cls.read(pairs, view)
        if wrong is not None:  # who asks without the page knows the parameter, not what the page calls it
            key = wrong.parameter or ""
            message = wrong.on_command_line.removeprefix(f"{FIELDS.get(key, key)}: ")
            raise InputError(f"{key}={message}", parameter=key)
        return query

    @classmethod
    def read(cls, pairs: Iterable[tuple[str, str]], view: str | None = None) -> tuple[Query, InputError | None]:
        """Return the state that a query string gives without what cannot be read of it, and why that cannot.

        Arguments and errors as of :meth:`of`.
        """
        given = list(pairs)
        last = dict(given)
        view = view or last.get("view", "overview")
        if view not in VIEWS:
            raise UnknownError(f"there is no page {view[:80]!r}; there are {', '.join(VIEWS)}")
        numbers: dict[str, float | int | None] = {}
        wrong = None
        for key, read in _READ.items():
            try:
                numbers[key] = read(last, key)
            except InputError as error:
                numbers[key], wrong = None, wrong or error
        query = cls(
            view=view,
            name=last.get("name") or None,
            runs=tuple(dict.fromkeys(value for key, value in given if key == "run" and value)),
            target=numbers["target"],
            reward=numbers["reward"],
            search=last.get("search", "")[:200],
            offset=int(numbers["offset"] or 0),
            sort=last.get("sort", "")[:40],
            again=None if numbers["again"] is None else int(numbers["again"]),
        )
        return query, wrong

    @property
    def heeded(self) -> Query:
        """The question without what its page does not heed: two of them have the same answer."""
        return Query(view=self.view, **{name: getattr(self, name) for name in _HEEDED[self.view]})

    def url(self, **changes: Any) -> str:
        """Return the address of this state, or of one with changes."""
        state = replace(self, **changes)
        pairs: list[tuple[str, str]] = [] if state.view == "overview" else [("view", state.view)]
        pairs += [("name", state.name)] if state.name else []
        pairs += [("run", run) for run in state.runs]
        numbers = {"target": state.target, "reward": state.reward, "offset": state.offset or None, "again": state.again}
        pairs += [(key, _digits(value)) for key, value in numbers.items() if value is not None]
        pairs += [("search", state.search)] if state.search else []
        pairs += [("sort", state.sort)] if state.sort else []
        return "/?" + urlencode(pairs) if pairs else "/"


def _digits(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.12g}"


def _whole(given: Mapping[str, str], key: str) -> int | None:
    value = _number(given, key)
    if value is not None and not 0 <= value < 1e15:
        raise InputError(f"{FIELDS[key]}: {given[key][:40]!r} is no count; give 0 or more", parameter=key)
    return None if value is None else int(value)


def _compute(given: Mapping[str, str], key: str) -> float | None:
    value = _number(given, key, Compute())
    if value is not None and not (_SMALLEST < value < _LARGEST or value == math.inf):
        raise InputError(
            f"{FIELDS[key]}: {given[key][:40]!r} is not a compute above 0; write 4000, 4k or 2.5M, or inf for the "
            "asymptote",
            parameter=key,
        )
    return value


def _reward(given: Mapping[str, str], key: str) -> float | None:
    value = _number(given, key)
    if value is not None and not abs(value) < _LARGEST:
        raise InputError(f"{FIELDS[key]}: {given[key][:40]!r} is no reward; write .8 or 12", parameter=key)
    return value


def _number(given: Mapping[str, str], key: str, kind: Any = None) -> float | None:
    text = given.get(key, "").strip()
    if not text:
        return None
    try:
        return float((kind or Amount()).convert(text, None, None))
    except (click.ClickException, ValueError, OverflowError) as error:
        raise InputError(
            f"{FIELDS[key]}: {text[:40]!r} is not a number; write 4000, 4k or 2.5M", parameter=key
        ) from error


#: How each number of a question is read.
_READ: Mapping[str, Callable[[Mapping[str, str], str], float | int | None]] = {
    "target": _compute, "reward": _reward, "offset": _whole, "again": _whole,
}  # fmt: skip
