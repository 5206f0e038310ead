"""Compute written as words: ``step_0100``, ``checkpoint-500``, ``ckpt_3``, ``10k``, ``1,000``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.log import ReadOptions
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.roles import Roles

__all__ = ["names_checkpoints", "numbered", "step_words", "without_checkpoints"]

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: A number after the word for what it counts; what stands before is the same in every row, but for other numbers what
#: stands behind.
_STEP = re.compile(
    r"(?<![a-z])(?:global[-_ ]?)?(?:step|checkpoint|ckpt|iter|iteration|update|epoch|episode)s?[-_ =:.]*"
    r"(?P<number>\d+(?:\.\d+)?)(?P<times>[kmb]?)(?![a-z0-9])",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?P<times>[kmb]?)", re.IGNORECASE)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}


def names_checkpoints(texts: Sequence[str]) -> bool:
    """Whether texts are the checkpoints of one run (``qwen/checkpoint-100``, ``qwen/checkpoint-200``, ...)."""
    filled = [text for text in texts if text]
    found = [_STEP.search(text) for text in filled]
    around = {
        (text[: match.start()], re.sub(r"\d+", "0", text[match.end() :])) if match is not None else None
        for text, match in zip(filled, found, strict=True)
    }
    return len(filled) > 1 and len(around) == 1 and None not in around


def numbered(columns: Columns, name: str, under: str | None = None) -> None:
    """Turn a column of words into numbers, under another name where it is given, and say so.

    Raises
    ------
    SourceError
        A cell holds no such number, or what stands around the numbers is not the same in all rows.
    """
    codes, texts = columns.labels.pop(name)
    values, around = np.full(len(texts), np.nan), set()
    example = ""
    for code, text in enumerate(texts):
        if not text or text.lower() in {"nan", "none", "null"}:
            continue
        match = _PLAIN.fullmatch(text) or _STEP.search(text)
        if match is None:
            message = f"{name} {text!r:.60} is no number of a step such as step_100; mend it or leave it empty"
            raise SourceError(columns.path, message)
        values[code] = float(match["number"].replace(",", "")) * _TIMES[match["times"].lower()]
        around.add((text[: match.start()], re.sub(r"\d+", "0", text[match.end() :])))
        example = example or text
    if len(around) > 1:
        ends = " and ".join(sorted(f"{before}...{behind}" for before, behind in around)[:2])
        message = f"the column {name!r} holds more than steps ({ends}); put the numbers of the steps in a column step"
        raise SourceError(columns.path, message)
    columns.numbers[under or name] = values[codes]
    columns.words.pop(name, None)
    value = next((value for text, value in zip(texts, values, strict=True) if text == example), math.nan)
    columns.repairs.append(f"the column {name!r} is read by the numbers in it: {example!r} as {value:g}")


def without_checkpoints(columns: Columns, options: ReadOptions) -> None:
    """Read a column of models as compute, or leave it out, where it names the checkpoints of one run."""
    for name in [name for name in columns.labels if names.role_of(name) == "recipe" and name != options.by]:
        codes, texts = columns.labels[name]
        if not names_checkpoints(texts):
            continue
        axis = min(filter(names.axis_unit, columns.numbers), key=names.axis_rank, default=None)
        if axis is None:
            numbered(columns, name, "step")
        elif _once_each(codes, columns.numbers[axis]):
            del columns.labels[name]
            columns.repairs.append(f"the column {name!r} names the checkpoints of {axis!r}, and is no recipe")


def _once_each(codes: Rows, place: Floats) -> bool:
    """Whether each text stands at one compute."""
    order = np.argsort(codes, kind="stable")
    same = np.diff(codes[order]) == 0
    return not bool(np.any(np.diff(place[order])[same] != 0))


def step_words(columns: Columns, roles: Roles, options: ReadOptions) -> str | None:
    """Return the column of words that is to be read as compute: of ``--compute``, else where no other names any."""
    if options.compute in columns.words:
        return options.compute
    if roles.axes or roles.compute or options.compute is not None:
        return None
    return min((name for name in columns.words if names.axis_unit(name)), key=names.axis_rank, default=None)
