"""Tables in memory: those of pandas, polars and Arrow, as columns; none of the three has to be installed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from rlscale.errors import EmptyError, InputError, SourceError
from rlscale.sources.tables.columns import Columns, Named, settled

__all__ = ["Frame", "from_frame", "is_frame", "with_frames"]

#: What such tables have in common.
_EXCHANGES = ("__arrow_c_stream__", "__dataframe__")


@dataclass(frozen=True, eq=False)
class Frame:
    """A table in memory under the name that stands for its path.

    Parameters
    ----------
    name : str
    table : pandas.DataFrame, polars.DataFrame or pyarrow.Table
    """

    name: str
    table: Any

    def __fspath__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


def is_frame(given: object) -> bool:
    """Whether this is a table of pandas, polars or Arrow."""
    return any(hasattr(given, name) for name in _EXCHANGES) and hasattr(given, "shape") and hasattr(given, "columns")


def with_frames(paths: Any) -> list[Any]:
    """Return what is to be read, one or several, as a list in which every table in memory is a :class:`Frame`.

    Raises
    ------
    InputError
        Something that is neither a path nor a table.
    """
    named: Counter[str] = Counter()
    found: list[Any] = []
    several = paths if isinstance(paths, Sequence | Iterator) and not isinstance(paths, str) else [paths]
    for one in several:
        kind = type(one).__name__
        if isinstance(one, Frame):
            found.append(one)
        elif is_frame(one):
            named[kind] += 1
            found.append(Frame(kind if named[kind] == 1 else f"{kind}-{named[kind]}", one))
        elif isinstance(one, str | os.PathLike):
            found.append(one)
        elif hasattr(one, "collect"):
            raise InputError(f"a {kind} is a table not computed yet; give its .collect()")
        else:
            raise InputError(
                f"{kind} {one!r:.40} cannot be read; give paths, addresses, or tables of pandas, polars or Arrow"
            )
    return found


def from_frame(frame: Frame, text: Named, required: Named) -> Columns:
    """Return the columns of a table in memory. Arguments and errors as for CSV; an index with a name is a column."""
    data = frame.table
    index = getattr(data, "index", None)
    if index is not None and any(name is not None for name in getattr(index, "names", ())):
        data = data.reset_index()
    keys = list(data.column_names if hasattr(type(data), "column_names") else data.columns)  # Arrow; pandas, polars
    names = ["/".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in keys]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise SourceError(frame.name, f"column {twice!r} appears twice; rename one of them")
    table = Columns(frame.name, rows=len(data))
    if not table.rows:
        raise EmptyError(frame.name, "holds columns and no rows; nothing was logged yet")
    for name, key in zip(names, keys, strict=True):
        values = np.asarray(data[key])
        if values.dtype.kind in "iuf" and not text(name):
            table.numbers[name] = values.astype(np.float64)
        else:
            cells = values.astype(str) if values.dtype.kind in "mM" else values  # times are no numbers
            settled(table, name, range(table.rows), [_plain(value) for value in cells.tolist()], text, required)
    return table


def _plain(value: Any) -> Any:
    """Return a cell as JSON would hold it; None where it is empty."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, Decimal | np.number):
        return float(value)
    return value if isinstance(value, bool | int | float | str | dict | list) else str(value)
