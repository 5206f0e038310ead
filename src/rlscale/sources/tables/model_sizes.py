"""The sizes of models in a table as people write them: ``7e9``, ``7B``, ``500M``, ``7,000,000,000``."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.others import Loads

__all__ = ["size_of", "with_model_sizes"]

#: The one name of the role that can mean nothing else: words in it are an error, in the others no size.
_CERTAIN = "model_params"
_SIZE = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d*)?|\.\d+)(?P<power>e[+-]?\d+)?\s*(?P<times>[kmbt]?)", re.IGNORECASE
)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_EMPTY = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "nat", "<na>"})


def size_of(text: str) -> float | None:
    """Return the parameters that a text states, None where it states none.

    Examples
    --------
    >>> size_of("7B"), size_of("0.5b"), size_of("7e9"), size_of("7"), size_of("large")
    (7000000000.0, 500000000.0, 7000000000.0, 7.0, None)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    number = float(match["number"].replace(",", "") + (match["power"] or ""))
    return float(f"{number * _TIMES[match['times'].lower()]:.15g}")  # 1.7B is 1700000000, not 1700000000.0000002


def with_model_sizes(columns: Columns, loaded: Loads) -> Columns:
    """Return a table in which sizes of models that are written as words are numbers.

    Parameters
    ----------
    columns : Columns
    loaded : callable
        Reads the table with more columns as text: words are left out as long as nobody asks for them.

    Raises
    ------
    SourceError
        No cell of ``model_params`` is a size.
    """
    worded = [name for name in columns.words if names.role_of(name) == "model_params"]
    texts = loaded(frozenset(worded)).labels if worded else {}
    for name, labels in {**columns.labels, **texts}.items():
        if names.role_of(name) != "model_params":
            continue
        sizes, word = _sizes(*labels)
        certain = names.normal(name) == _CERTAIN
        if word is not None and certain and not np.isnan(sizes).all():
            columns.repairs.append(f"{name} {word!r:.40} is no size of a model: where it stands none is known")
        if word is None or (certain and not np.isnan(sizes).all()):
            columns.numbers[name] = sizes
            columns.words.pop(name, None)
        elif certain:
            raise SourceError(columns.path, f"{name} {word!r:.40} is no size of a model; write 7e9 or 7B")
    return columns


def _sizes(codes: NDArray[np.intp], texts: list[str]) -> tuple[NDArray[np.float64], str | None]:
    """Return the size of each row, and the first text that is none."""
    values, word = np.full(len(texts), np.nan), None
    for code, text in enumerate(texts):
        if text.lower() in _EMPTY:
            continue
        size = size_of(text)
        if size is None:
            word = text if word is None else word
        else:
            values[code] = size
    return values[codes], word
