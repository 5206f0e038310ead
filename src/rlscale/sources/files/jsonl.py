"""``metrics.jsonl``: one object a step, as tinker-cookbook, prime-rl and many loops of one's own write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rlscale.errors import FormatError, SourceError
from rlscale.sources.files.dialect import Keys
from rlscale.sources.files.fold import forked, read_lines
from rlscale.sources.files.json_fold import JsonFold
from rlscale.sources.files.labels import Group, Labels
from rlscale.sources.format import Entry, Format
from rlscale.sources.history import History, of_rows
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.names import axis_rank, axis_unit
from rlscale.sources.record import STEP_KEYS
from rlscale.sources.repair import Row
from rlscale.sources.text import decoded_head, first_object, head_is, read_head, were, whole_json
from rlscale.sources.trainers import Trainer, log_of, trainer_of
from rlscale.sources.trainers.datasets import with_datasets
from rlscale.sources.trainers.other import OTHER

__all__ = ["FORMAT", "NAME", "STEP_KEY", "MetricsFold", "read", "sniff"]

NAME = "jsonl"

#: ``--compute row`` counts the rows; the key of an epoch.
_ROW, _EPOCH = "row", "epoch"

#: Units of the keys that place a row where no trainer's step does, best first.
_COUNTED = ("steps", "samples")
#: A level of a row that is no part of its keys; a document's list of rows has the same name.
_WRAPPER = "metrics"
_DOCUMENT = re.compile(r'\s*\{\s*"metrics"\s*:\s*\[')
_DOCUMENT_HEAD = 1 << 10
#: Where the step of a row stands in a ``.json`` file, most of which are settings.
STEP_KEY = re.compile(rb'"(?:[\w/]*step|current_steps|[\w/]*iteration|timesteps_total|[\w/]*timesteps)"\s*:\s*[0-9]')

#: W&B's ``_step`` counts log calls.
_OTHERS = tuple(key for key in STEP_KEYS if key != "_step")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is a JSON object (the table and verl's file logger are tried before)."""
    return first_object(head) is not None or path.suffix.lower() in {".jsonl", ".ndjson"} or _is_document(head)


def _is_document(head: bytes) -> bool:
    """Whether a file is one JSON document, ``{"metrics": [row, row, ...]}``, on one line or on several."""
    return _DOCUMENT.match(decoded_head(head)) is not None


def read(path: Path, options: ReadOptions | None = None) -> list[Log]:
    """Return the runs of a ``metrics.jsonl``; the trainer is told by its keys.

    Raises
    ------
    FormatError
        No row has a step.
    SourceError
        A torn line that is not the last, or a torn document; rows without the run that others name; a step that counts
        within an epoch.
    """
    head = read_head(path)
    if first_object(head) is not None or not _is_document(head):
        return read_lines(path, partial(MetricsFold, options=options))
    fold = MetricsFold(str(path), options)
    fold.take(1, whole_json(path))
    return fold.done()


class MetricsFold(JsonFold):
    """The rows of a ``metrics.jsonl`` so far.

    Parameters
    ----------
    path : str
        The file, for messages.
    options : ReadOptions, optional
        ``compute`` names the step of rows that have none by name, or is ``row``.
    """

    def __init__(self, path: str, options: ReadOptions | None = None) -> None:
        super().__init__(path)
        self._asked = options.compute if options is not None else None
        self._key: str | None = None
        self._without_step = 0
        self._keys = Keys(path)
        self._names: dict[str, str] = {}  # every key once, however many rows repeat it
        self._labels = Labels(options.by if options is not None else None)

    def fork(self) -> MetricsFold:
        """Return a copy that is fed on its own."""
        twin = super().fork()
        twin._keys = forked(self._keys)
        twin._labels = self._labels.fork()
        return twin

    def take(self, number: int, row: dict[str, Any]) -> None:
        """Take a row, or a document that is a list of rows under ``metrics``."""
        values = self.numbers(number, row, without=_WRAPPER)
        inside = row.get(_WRAPPER)
        if values or not isinstance(inside, list):
            self._add(values, row)
            return
        for inner in inside:
            whole = inner if isinstance(inner, dict) else {}
            self._add(self.numbers(number, whole), whole)

    def _add(self, values: dict[str, float], row: Mapping[str, Any]) -> None:
        self._keys.check(values.keys())
        said = self._labels.take(row)
        if self._key not in STEP_KEYS:
            self._choose(values)
        key = self._key
        step = values.get(key, np.nan) if key is not None else np.nan
        if not np.isfinite(step):  # validation may have a step key of its own
            step = next((values[name] for name in _OTHERS if np.isfinite(values.get(name, np.nan))), np.nan)
        if self._asked == _ROW and key not in STEP_KEYS:
            step = len(self.rows) + 1.0
        if not np.isfinite(step):
            self._without_step += 1
            return
        once = self._names.setdefault
        self.rows.append((step, {once(name, name): value for name, value in values.items() if name != key}))
        if said is not None:
            self._labels.said.append(said)

    def _choose(self, values: Mapping[str, float]) -> None:
        """Choose the key of the step: a trainer's, else that of ``--compute``, else one whose name means compute."""
        usual = next((name for name in STEP_KEYS if np.isfinite(values.get(name, np.nan))), None)
        if usual is not None:
            if self._key is not None and self.rows:  # the rows so far had no step
                self._without_step += len(self.rows)
                self.rows.clear()
                self._labels.said.clear()
            self._key = usual
        elif self._key is None and self._asked != _ROW:
            finite = [name for name, value in values.items() if np.isfinite(value)]
            meant = [name for name in finite if axis_unit(name) in _COUNTED]
            asked = [name for name in finite if name == self._asked]
            self._key = next(iter(asked), None) or min(meant, key=_by_unit, default=None)

    def done(self) -> list[Log]:
        """Return the runs of the rows."""
        repairs = self.repairs()
        if self._without_step and self._key is not None:
            repairs.append(f"{were(self._without_step, 'row')} left out: no {self._key}")
        trainer = trainer_of(self._names)
        found: list[Log] = []
        for group in self._labels.groups(self.rows, self.path):
            rows = self._within_epochs(group.rows)
            key = self._key if rows is group.rows else _EPOCH
            rows = list(trainer.rows(rows)) if trainer.rows else rows
            histories = of_rows(rows, self.path, NAME, repairs=repairs, restart_on_repeat=key != _EPOCH)
            found.extend(self._log(trainer, one, group, key) for one in histories)
        if not found:
            message = f"no row has a step; a metrics.jsonl needs one of the keys {', '.join(STEP_KEYS[:3])}, ..."
            raise FormatError(self.path, f"{message}, or --compute KEY; --compute row counts rows")
        return found

    def _within_epochs(self, rows: list[Row]) -> list[Row]:
        """Return the rows, each at its epoch where the step counts within the epoch and ``--compute epoch`` says so.

        Raises
        ------
        SourceError
            The step starts again while the epoch goes on rising, and nothing is said of it.
        """
        if _EPOCH not in self._names or self._key is None:
            return rows
        step = np.array([at for at, _ in rows])
        epoch = np.array([values.get(_EPOCH, np.nan) for _, values in rows])
        falls, rises = np.diff(step) < 0, np.diff(epoch)
        if not falls.any() or not np.all(rises >= 0) or not np.all(rises[falls] > 0):
            return rows
        if self._asked == _EPOCH:
            return [
                (row[_EPOCH], {self._key: at, **{key: one for key, one in row.items() if key != _EPOCH}})
                for at, row in rows
            ]
        message = f"{self._key!r} starts again while {_EPOCH!r} goes on rising, so it counts within the epoch"
        raise SourceError(self.path, f"{message}; give --compute {_EPOCH}")

    def _log(self, trainer: Trainer, one: History, group: Group, key: str | None) -> Log:
        """Return the log of a run, in the words of its rows, which stand at ``key``."""
        log = log_of(trainer, replace(one, format=NAME if trainer is OTHER else trainer.name))
        axes = dict(log.axes)
        keys, units = dict(log.axis_keys), dict(log.axis_units)
        steps = axes.get("steps")
        if steps is not None and key not in keys:
            keys[key or _ROW] = steps
            if key is not None and key != _EPOCH:
                units[key] = axis_unit(key) or "steps"
                if units[key] != "steps":  # timesteps of an environment, not updates
                    axes = {units[key]: axes.pop("steps"), **axes}
        return replace(
            with_datasets(trainer, log, self._labels.datasets()),
            name=group.name + log.name,
            axes=axes,
            axis_keys=keys,
            axis_units=units,
            recipe=group.recipe or log.recipe,
            recipe_by=group.recipe_by,
            seed=group.seed if group.seed is not None else log.seed,
            seed_by=group.seed_by,
        )


def _by_unit(name: str) -> tuple[int, int]:
    return _COUNTED.index(axis_unit(name) or ""), axis_rank(name)


def _holds_rows(head: bytes) -> bool:
    """Whether a file begins with rows: a document of them, or lines."""
    if _is_document(head[:_DOCUMENT_HEAD]):
        return True
    first, _, rest = head.lstrip().partition(b"\n")
    return first.startswith(b"{") and rest.startswith(b"{") and STEP_KEY.search(first) is not None


FORMAT: Format = Format(
    name=NAME,
    entries=(
        Entry("tinker", "tinker-cookbook", "metrics.jsonl"),
        Entry(
            "prime-rl", "prime-rl", "metrics.jsonl", checked="files written as the source writes them",
            note="trainer and orchestrator in one file",
        ),
        Entry(NAME, "any metrics.jsonl", "one flat JSON object a step"),
    ),
    sniff=sniff,
    read=read,
    heeds_options=True,
    fold=MetricsFold,
    endings=(".jsonl", ".ndjson"),
    unsure=(".json",),
    looks_like=lambda path: head_is(path, _holds_rows),
)  # fmt: skip
