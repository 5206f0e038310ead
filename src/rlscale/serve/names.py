"""Where the names on a page lead to: a run to its page, a recipe to the comparison of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rlscale.answers.overview import BESIDE, SORTS
from rlscale.render.html import Links
from rlscale.serve.query import Query

__all__ = ["Addresses", "links_of"]


class Addresses(Mapping[str, str]):
    """Addresses of runs and recipes, each put together when it is asked for: a ledger has thousands.

    Parameters
    ----------
    recipes : mapping of str to tuple of str
        Recipe to its runs.
    query : Query
        The page that the names stand on; its target is kept.
    """

    def __init__(self, recipes: Mapping[str, tuple[str, ...]], query: Query) -> None:
        self._recipes, self._query = recipes, query
        self._runs = frozenset(run for runs in recipes.values() for run in runs)

    def __getitem__(self, name: str) -> str:
        if name in self._runs:
            return Query(view="run", name=name, target=self._query.target).url()
        if self._query.view == "decisions" and name[:1] == "#" and name[1:].isascii() and name[1:].isdigit():
            return Query(view="decisions", again=int(name[1:])).url()  # a decision, made again
        runs = self._recipes[name]
        if len(runs) == 1:
            return self[runs[0]]
        return Query(view="compare", runs=runs, target=self._query.target).url()

    def __iter__(self) -> Iterator[str]:
        yield from self._runs
        yield from (recipe for recipe in self._recipes if recipe not in self._runs)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def links_of(recipes: Mapping[str, tuple[str, ...]], query: Query) -> Links:
    """Return what the names on a page lead to; those of the overview can be chosen, and its rows sorted."""
    addresses = Addresses(recipes, query)
    if query.view != "overview":
        return Links(addresses)
    order = {key: query.url(sort=_next(query.sort, key), offset=0) for key in (*SORTS, *BESIDE)}
    return Links(addresses, frozenset(query.runs), order, query.sort)


def _next(sort: str, key: str) -> str:
    """Return the order that a click on a heading asks for: the larger first, the smaller first, then by rank again."""
    first, second = (key, f"-{key}") if key in ("recipe", "verdict") else (f"-{key}", key)
    return second if sort == first else "" if sort == second else first
