"""Which rows of a table are of one run: by a column that names runs, else by recipe and seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources.naming import named
from rlscale.sources.seed_marks import seed_mark
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.roles import Roles
from rlscale.sources.text import plural

__all__ = ["Coded", "joined", "label_of", "name_of", "runs_of", "seed_from", "texts_of"]

Rows = NDArray[np.intp]

#: A code for each row and the text of each code.
Coded = tuple[Rows, list[str]]


def joined(parts: Sequence[Coded]) -> Coded:
    """Return the combination of several columns of text, joined by ``/``; empty cells say nothing."""
    if len(parts) == 1:
        return parts[0]
    codes, texts = parts[0]
    for more, others in parts[1:]:
        both = codes * len(others) + more
        pairs, first, place = np.unique(both, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        texts = [
            "/".join(filter(None, (texts[pair // len(others)], others[pair % len(others)]))) for pair in pairs[order]
        ]
        codes = np.argsort(order, kind="stable")[place.ravel()]
    return codes, texts


def runs_of(columns: Columns, roles: Roles) -> Coded:
    """Return a code for each row and the name of each run, in order of first row; empty is the file's own name.

    Raises
    ------
    SourceError
        A row that no run can be told of.
    """
    codes, texts = _named_runs(columns, roles.run) if roles.run else _formed(columns, roles)
    used, first = np.unique(codes, return_index=True)
    order = used[np.argsort(first, kind="stable")]
    place = np.zeros(len(texts), dtype=np.intp)
    place[order] = np.arange(order.size)
    return place[codes], [texts[code] for code in order]


def _named_runs(columns: Columns, naming: Sequence[str]) -> Coded:
    """Return the runs by the first column that tells all of them apart, else by all such columns together."""
    parts = [columns.labels[name] for name in naming]
    both = joined(parts)
    most = np.unique(both[0]).size
    chosen = next((part for part in parts if np.unique(part[0]).size == most), both)
    if "" in chosen[1]:
        empty = int(np.count_nonzero(chosen[0] == chosen[1].index("")))
        if empty:
            raise SourceError(columns.path, f"{plural(empty, 'row')} without a run; fill the column {naming[0]!r}")
    return chosen


def _formed(columns: Columns, roles: Roles) -> Coded:
    own = name_of(columns, "")
    telling = (*roles.recipe, *roles.apart)
    labels = {"recipe": joined([columns.labels[name] for name in telling])} if telling else {}
    if roles.seed is not None:
        labels["seed"] = columns.labels[roles.seed]
    one_of_file = "seed" not in labels and seed_mark(own) is not None
    if not any(len(texts) > 1 for _, texts in labels.values()) and ("recipe" not in labels or one_of_file):
        return np.zeros(columns.rows, dtype=np.intp), [""]
    for role, (codes, texts) in labels.items():
        empty = int(np.count_nonzero(codes == texts.index(""))) if "" in texts else 0
        if empty:
            what = f"{plural(empty, 'row')} without a {role} and no run column"
            column = telling[0] if role == "recipe" else roles.seed
            raise SourceError(columns.path, f"{what}; fill the column {column!r}")
    nothing = np.zeros(columns.rows, dtype=np.intp)
    return joined([labels.get("recipe", (nothing, [own])), labels.get("seed", (nothing, [""]))])


def name_of(columns: Columns, run: str) -> str:
    """Return what messages call a run: by its name, that of the file where it is empty."""
    return run or named(Path(columns.path), Path(columns.path).absolute().parent).name


def texts_of(coded: Coded, rows: Rows) -> list[str]:
    """Return the different texts of some rows, without the empty one."""
    codes, texts = coded
    of = codes[rows]
    several = np.unique(of).tolist() if (of != of[0]).any() else [of[0]]
    return [texts[code] for code in several if texts[code]]


def label_of(columns: Columns, names: Sequence[str], run: str, rows: Rows) -> str | None:
    """Return what the columns of a role say of a run, joined by ``/``; None where they are empty.

    Raises
    ------
    SourceError
        One of them has several values in the run.
    """
    said = []
    for name in names:
        values = texts_of(columns.labels[name], rows)
        if len(values) > 1:
            message = (
                f"run {name_of(columns, run)!r} has {len(values)} values in column {name!r} ({', '.join(values[:3])})"
            )
            raise SourceError(columns.path, f"{message}; give each job its own run name")
        said.extend(values)
    return "/".join(said) or None


def seed_from(columns: Columns, text: str | None, run: str) -> int | None:
    """Return the seed that a cell states.

    Raises
    ------
    SourceError
        It is no whole number.
    """
    if text is None or text.lower() in {"nan", "none", "null"}:
        return None
    match = re.fullmatch(r"(?:s|seed)?[-_ ]?(\d{1,18})(?:\.0*)?", text, re.IGNORECASE)
    if match is None:
        message = f"run {name_of(columns, run)!r}: seed {text!r} is not a whole number; mend it or leave it empty"
        raise SourceError(columns.path, message)
    return int(match[1])
