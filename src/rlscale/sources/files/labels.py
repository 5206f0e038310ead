"""Rows of JSON that say in words what they belong to: a run, a recipe, a seed, a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.keys import is_bookkeeping
from rlscale.sources.repair import Row
from rlscale.sources.text import plural

__all__ = ["Group", "Labels"]

#: What a row belongs to, by key.
_Said = dict[str, str]


@dataclass(frozen=True)
class Group:
    """The rows of one run, and what they say of it.

    Parameters
    ----------
    rows : list of Row
        In the order of the file.
    name : str
        Empty where the file is the run.
    recipe : str, optional
        What its rows call their recipe; ``recipe_by`` are the keys.
    seed : int, optional
        Their seed; ``seed_by`` is the key.
    """

    rows: list[Row]
    name: str = ""
    recipe: str | None = None
    recipe_by: tuple[str, ...] = ()
    seed: int | None = None
    seed_by: tuple[str, ...] = ()


@dataclass
class Labels:
    """What the rows so far say they belong to.

    Words alone count: a number under ``group`` or ``task`` may be measured. A seed is a whole number.
    """

    by: str | None = None  #: The key that means the recipe, by ``--by``.
    keys: dict[str, str] = field(default_factory=dict)  #: The keys with such a role, in order of first sight.
    said: list[_Said] = field(default_factory=list)  #: Of each row since the first that said anything.
    seen: set[str] = field(default_factory=set)

    def take(self, row: Mapping[str, Any]) -> _Said | None:
        """Return what a row says; None while no row has said anything."""
        if not self.seen.issuperset(row):
            for key in row.keys() - self.seen:
                role = names.role_of(key)
                if key == self.by:
                    self.keys[key] = "recipe"
                elif role in names.IDENTITY:
                    self.keys[key] = "apart" if role == "recipe" and self.by is not None else str(role)
            self.seen.update(row)
        if not self.keys:
            return None
        return {key: text for key, role in self.keys.items() if (text := _text(row.get(key), role, key == self.by))}

    def fork(self) -> Labels:
        """Return a copy that is fed on its own."""
        return Labels(self.by, dict(self.keys), list(self.said), set(self.seen))

    def groups(self, rows: list[Row], path: str) -> list[Group]:
        """Return the rows of each run.

        They are told apart by the keys that name runs and have several values, else by those of recipe and seed.

        Raises
        ------
        SourceError
            A row without such a key.
        """
        if self.by is not None and self.by not in self.keys:
            raise SourceError(path, f"holds no key {self.by!r} for --by; give one that its rows hold")
        if not self.keys:
            return [Group(rows)]
        said = [*([{}] * (len(rows) - len(self.said))), *self.said]
        telling = {key: role for key, role in self.keys.items() if len({one[key] for one in said if key in one}) > 1}
        by = {role: [key for key, of in telling.items() if of == role] for role in (*names.IDENTITY, "apart")}
        naming = by["run"][:1] or by["trial"][:1] or [*by["recipe"], *by["apart"], *by["seed"]]
        for key in naming:
            bare = sum(key not in one for one in said)
            if bare:
                raise SourceError(path, f"{plural(bare, 'row')} without a {telling[key]}; write {key!r} into each row")
        grown: dict[tuple[str, ...], list[int]] = {}
        for place, one in enumerate(said):
            grown.setdefault(tuple(one[key] for key in naming), []).append(place)
        split = [key for key, role in telling.items() if role == "dataset"]
        return [_group(key, [(rows[k], said[k]) for k in places], by, split, path) for key, places in grown.items()]

    def datasets(self) -> tuple[str, ...]:
        """Return the keys of datasets with several values."""
        return tuple(
            key for key, role in self.keys.items()
            if role == "dataset" and len({one[key] for one in self.said if key in one}) > 1
        )  # fmt: skip


def _text(value: Any, role: str, asked: bool) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not (asked or (role == "seed" and isinstance(value, int))):
        return ""
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _group(
    name: Sequence[str], pairs: Sequence[tuple[Row, _Said]], by: dict[str, list[str]], split: list[str], path: str
) -> Group:
    """Return the group of rows that share what names them."""
    text = "/".join(name)

    def only(keys: Sequence[str]) -> str | None:
        found: list[str] = []
        for key in keys:
            values = dict.fromkeys(said[key] for _, said in pairs if key in said)
            if len(values) > 1:
                message = f"run {text!r} has {len(values)} values of {key!r} ({', '.join(list(values)[:3])})"
                raise SourceError(path, f"{message}; give each job its own run name")
            found.extend(values)
        return "/".join(found) or None

    recipe, seed = only(by["recipe"]), only(by["seed"])
    return Group(
        rows=list(_by_dataset(pairs, split)) if split else [row for row, _ in pairs],
        name=text,
        recipe=recipe,
        recipe_by=tuple(by["recipe"]) if recipe else (),
        seed=int(seed) if seed is not None and seed.isdecimal() and len(seed) < 19 else None,
        seed_by=tuple(by["seed"]) if seed is not None else (),
    )


def _by_dataset(pairs: Sequence[tuple[Row, _Said]], split: Sequence[str]) -> Iterator[Row]:
    """Yield the rows with the dataset of each behind its keys: ``accuracy@math``."""
    for (step, values), said in pairs:
        text = "/".join(said[key] for key in split if key in said)
        if text:
            yield step, {key if is_bookkeeping(key) else f"{key}@{text}": value for key, value in values.items()}
        else:
            yield step, values
