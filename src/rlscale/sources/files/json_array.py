"""One JSON array of rows, as ``json.dump(trainer.state.log_history, file)`` writes it: read like a metrics.jsonl."""

from __future__ import annotations

import re
from pathlib import Path

from rlscale.errors import SourceError
from rlscale.sources.files.jsonl import NAME as ROWS
from rlscale.sources.files.jsonl import STEP_KEY, MetricsFold
from rlscale.sources.format import Entry, Format
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.text import decoded_head, head_is, whole_json

__all__ = ["FORMAT", "NAME", "read", "sniff"]

NAME = "json-array"

_OPENS = re.compile(r"\s*\[\s*\{")
_OPENS_BYTES = re.compile(rb"\s*\[\s*\{")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file begins as an array of objects."""
    return _OPENS.match(decoded_head(head)) is not None


def read(path: Path, options: ReadOptions | None = None) -> list[Log]:
    """Return the runs of an array of rows.

    Raises
    ------
    FormatError
        No row has a step.
    SourceError
        The document is torn, or holds something other than rows.
    """
    rows = whole_json(path)
    fold = MetricsFold(str(path), options)
    for position, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise SourceError(str(path), f"entry {position} is {row!r:.40}, not a row; remove it")
        fold.take(position, row)
    return fold.done()


def _holds_rows(head: bytes) -> bool:
    return _OPENS_BYTES.match(head) is not None and STEP_KEY.search(head) is not None


FORMAT: Format = Format(
    name=NAME,
    entries=(Entry(ROWS, "a JSON array of rows", "log_history.json, as json.dump writes it"),),
    sniff=sniff,
    read=read,
    heeds_options=True,
    unsure=(".json",),
    looks_like=lambda path: head_is(path, _holds_rows),
)
