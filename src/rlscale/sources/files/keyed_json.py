"""One JSON document of series: ``{key: {step: value}}``, as scripts dump TensorBoard; or ``{step: {key: value}}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import FormatError
from rlscale.sources.files.jsonl import MetricsFold
from rlscale.sources.format import Entry, Format
from rlscale.sources.limits import LONGEST_KEY
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.repair import number
from rlscale.sources.text import decoded_head, first_object, head_is, whole_json

__all__ = ["FORMAT", "NAME", "is_keyed", "read", "sniff"]

NAME = "keyed-json"

_STEP = r'"[0-9]{1,15}(?:\.0{1,9})?"\s*:\s*'
_BY_KEY = re.compile(
    r'\s*(?:\{\s*"[^"\\]{1,500}"\s*:\s*){1,8}\{\s*' + _STEP + r'(?:-?[0-9]|null|NaN|-?Infinity|"-?[0-9])'
)
_BY_STEP = re.compile(r"\s*\{\s*" + _STEP + r'\{\s*"')
_WHOLE = re.compile(r"[0-9]{1,15}(?:\.0{1,9})?")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file begins as such a document, and is no JSON lines."""
    return path.suffix.lower() not in {".jsonl", ".ndjson"} and is_keyed(head)


def is_keyed(head: bytes) -> bool:
    """Whether a file begins as a document of series, and not with a line that is one of many rows."""
    text = decoded_head(head)
    if _BY_KEY.match(text) is None and _BY_STEP.match(text) is None:
        return False
    first, _, rest = text.lstrip().partition("\n")
    return not rest.strip() or first_object(first.encode("utf-8", "replace")) is None


def read(path: Path, options: ReadOptions | None = None) -> list[Log]:
    """Return the run of a document of series; the trainer is told by the keys.

    Raises
    ------
    FormatError
        Nothing in it is a series.
    SourceError
        The document is torn.
    """
    document = whole_json(path)
    rows: dict[float, dict[str, float]] = {}
    left: list[str] = []
    for key, step, value in _points(document, left) if isinstance(document, dict) else ():
        rows.setdefault(step, {})[key] = value
    if not rows:
        raise FormatError(str(path), "holds no series {step: value}; give a metrics.jsonl or a table")
    fold = MetricsFold(str(path), options)
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        fold.note(f"what is no number by step was left out: {', '.join(left[:3])}{more}")
    for position, step in enumerate(sorted(rows), start=1):
        fold.take(position, {"step": step, **rows[step]})
    return fold.done()


def _points(document: Mapping[str, Any], left: list[str]) -> Iterator[tuple[str, float, float]]:
    """Yield key, step and value; ``left`` receives the names of what is none."""
    levels: list[tuple[str, float | None, Iterator[tuple[str, Any]]]] = [("", None, iter(document.items()))]
    while levels:
        prefix, step, items = levels[-1]
        for key, inside in items:
            at = float(key) if step is None and _WHOLE.fullmatch(key) else None
            name = prefix if at is not None else f"{prefix}/{key}" if prefix else key
            if isinstance(inside, dict) and len(name) <= LONGEST_KEY:
                levels.append((name, step if at is None else at, iter(inside.items())))
                break
            value = number(inside)
            here = step if at is None else at
            if value is None or here is None or not name or len(name) > LONGEST_KEY or not np.isfinite(here):
                left.append(name[:40])
            else:
                yield name, here, value
        else:
            levels.pop()


FORMAT: Format = Format(
    name=NAME,
    entries=(
        Entry(
            NAME, "a JSON document of series", "{key: {step: value}}, or {step: {key: value}}",
            checked="files written as the source writes them",
            note="as scripts dump TensorBoard",
        ),
    ),
    sniff=sniff,
    read=read,
    heeds_options=True,
    unsure=(".json",),
    looks_like=lambda path: head_is(path, is_keyed),
)  # fmt: skip
