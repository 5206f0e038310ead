"""``metrics.jsonl``: one object a step, as tinker-cookbook, prime-rl and many loops of one's own write it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import FormatError
from rlscale.sources.files.dialect import Keys
from rlscale.sources.files.fold import forked, read_lines
from rlscale.sources.files.json_fold import JsonFold, numbers_of
from rlscale.sources.history import of_rows
from rlscale.sources.log import Log
from rlscale.sources.record import STEP_KEYS
from rlscale.sources.text import decoded_head, first_object, read_head, were, whole_json
from rlscale.sources.trainers import log_of, trainer_of
from rlscale.sources.trainers.other import OTHER

__all__ = ["NAME", "MetricsFold", "is_document", "read", "sniff"]

NAME = "jsonl"

#: A level of a row that is no part of its keys; a document's list of rows has the same name.
_WRAPPER = "metrics"
_DOCUMENT = re.compile(r'\s*\{\s*"metrics"\s*:\s*\[')

#: W&B's ``_step`` counts log calls.
_OTHERS = tuple(key for key in STEP_KEYS if key != "_step")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is a JSON object (the table and verl's file logger are tried before)."""
    return first_object(head) is not None or path.suffix.lower() in {".jsonl", ".ndjson"} or is_document(head)


def is_document(head: bytes) -> bool:
    """Whether a file is one JSON document, ``{"metrics": [row, row, ...]}``, on one line or on several."""
    return _DOCUMENT.match(decoded_head(head)) is not None


def read(path: Path) -> list[Log]:
    """Return the runs of a ``metrics.jsonl``; the trainer is told by its keys.

    Raises
    ------
    FormatError
        No row has a step.
    SourceError
        A torn line that is not the last, or a document that is.
    """
    head = read_head(path)
    if first_object(head) is not None or not is_document(head):
        return read_lines(path, MetricsFold)
    fold = MetricsFold(str(path))
    fold.take(1, whole_json(path))
    return fold.done()


class MetricsFold(JsonFold):
    """The rows of a ``metrics.jsonl`` so far."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._key: str | None = None
        self._without_step = 0
        self._keys = Keys(path)
        self._names: dict[str, str] = {}  # every key once, however many rows repeat it

    def fork(self) -> MetricsFold:
        """Return a copy that is fed on its own."""
        twin = super().fork()
        twin._keys = forked(self._keys)
        return twin

    def take(self, number: int, row: dict[str, Any]) -> None:
        """Take a row, or a document that is a list of rows under ``metrics``."""
        values = numbers_of(row, without=_WRAPPER)
        inside = row.get(_WRAPPER)
        if values or not isinstance(inside, list):
            self._add(values)
            return
        for inner in inside:
            self._add(numbers_of(inner) if isinstance(inner, dict) else {})

    def _add(self, values: dict[str, float]) -> None:
        self._keys.check(values.keys())
        if self._key is None:
            self._key = next((name for name in STEP_KEYS if np.isfinite(values.get(name, np.nan))), None)
        key = self._key
        step = values.get(key, np.nan) if key is not None else np.nan
        if not np.isfinite(step):  # validation may have a step key of its own
            step = next((values[name] for name in _OTHERS if np.isfinite(values.get(name, np.nan))), np.nan)
        if not np.isfinite(step):
            self._without_step += 1
            return
        once = self._names.setdefault
        self.rows.append((step, {once(name, name): value for name, value in values.items() if name != key}))

    def done(self) -> list[Log]:
        """Return the runs of the rows."""
        repairs = self.repairs()
        if self._without_step and self._key is not None:
            repairs.append(f"{were(self._without_step, 'row')} left out: no {self._key}")
        rows = self.rows
        trainer = trainer_of(self._names)
        found = of_rows(trainer.rows(rows) if trainer.rows else rows, self.path, NAME, repairs=repairs)
        if not found:
            message = f"no row has a step; a metrics.jsonl needs one of the keys {', '.join(STEP_KEYS[:3])}, ..."
            raise FormatError(self.path, message)
        form = NAME if trainer is OTHER else trainer.name
        return [log_of(trainer, replace(one, format=form)) for one in found]
