"""Trackers' records to logs: the sessions of a run joined, the trainer told by its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlscale.errors import EmptyError
from rlscale.sources import formats
from rlscale.sources.files.console import histories_of_lines
from rlscale.sources.history import measured, of_record
from rlscale.sources.log import Log
from rlscale.sources.record import Record, followed
from rlscale.sources.trainers import log_of, trainer_of
from rlscale.sources.trainers.base import flat
from rlscale.sources.trainers.datasets import bare_key, with_datasets

__all__ = ["logs_of", "sessions_joined"]


def sessions_joined(records: Sequence[Record]) -> list[Record]:
    """Return the records with the sessions of one run made one; the order is that of the first session of each."""
    place: dict[tuple[str, str | None, str], int] = {}
    for k, record in enumerate(records):
        place.setdefault(_known_as(record), k)
    joins = {one.name: one.joined for one in formats.FORMATS if one.joined is not None}
    joined = [record for record in records if record.format not in joins]
    for name, join in joins.items():
        some = [record for record in records if record.format == name]
        joined.extend(join(some) if len(some) > 1 else some)
    alike: dict[tuple[str, str, str | None], list[Record]] = {}
    for record in joined:
        alike.setdefault((record.name, record.format, record.group), []).append(record)
    runs = [run for (name, *_), some in alike.items() for run in (_resumed(some) if name and len(some) > 1 else some)]
    return sorted(runs, key=lambda record: place[_known_as(record)])


def _known_as(record: Record) -> tuple[str, str | None, str]:
    """Return what the first session of a run leaves to the joined record."""
    return record.path, record.run_id, record.name


@dataclass(frozen=True, eq=False)
class _Span:
    """Where a session stands.

    Its first and last step and the usual distance between steps, its first and last Unix time, its seed.
    """

    record: Record
    first: float
    last: float
    usual: float
    began: float
    ended: float
    seed: Any


def _span(record: Record) -> _Span:
    columns = list(measured(record.columns).values())
    steps = [one.step[np.isfinite(one.step)] for one in columns]
    times = [one.time[np.isfinite(one.time)] for one in columns]
    time = np.concatenate([np.asarray(record.starts), *times])
    step = np.unique(np.concatenate(steps)) if steps else np.empty(0)
    seed = next((value for key, value in flat(record.config).items() if key.rpartition(".")[2] == "seed"), None)
    return _Span(
        record=record,
        first=float(step[0]) if step.size else -np.inf,
        last=float(step[-1]) if step.size else -np.inf,
        usual=float(np.median(np.diff(step))) if step.size > 1 else 0.0,
        began=float(time.min()) if time.size else np.inf,
        ended=float(time.max()) if time.size else -np.inf,
        seed=seed,
    )


def _resumed(records: Sequence[Record]) -> list[Record]:
    """Return records of one name, with a run that was resumed under a new id made one.

    A record goes on where another stopped if it began when that had ended, has no other seed, and begins in the middle:
    its first step lies above its own usual distance between steps, above the other's first step, and not beyond the
    other's last. Where it could go on from several it is left alone.
    """
    found: list[_Span] = []
    for later in sorted(map(_span, records), key=lambda one: one.began):
        middle = later.first > later.usual
        before = [k for k, first in enumerate(found) if _goes_on(first, later)] if middle else []
        if len(before) == 1:
            first = found[before[0]].record
            at = f"step {later.first:g}"
            said = f"a second run {first.name!r} goes on at {at} where the first stopped: joined as one run"
            found[before[0]] = _span(followed(first, later.record, said))
            continue
        if before:
            said = (
                f"starts at step {later.first:g}, where any of {len(before)} runs of its name may have stopped; "
                "read as a run of its own"
            )
            later = replace(later, record=replace(later.record, warnings=(*later.record.warnings, said)))
        found.append(later)
    return [one.record for one in found]


def _goes_on(first: _Span, later: _Span) -> bool:
    if first.seed != later.seed or not first.ended <= later.began < np.inf:
        return False
    return max(first.first, later.usual or first.usual) < later.first <= first.last + first.usual


def logs_of(record: Record) -> list[Log]:
    """Return the runs of a record.

    Raises
    ------
    SourceError
        It holds nothing that was measured.
    """
    histories = [one for one in of_record(record) if one.series]
    if not histories and record.console:  # a killed W&B run keeps its console
        said = (*record.repairs, "the file holds no history; the metrics are those the run printed")
        histories = [
            replace(
                one, name=record.name + one.name, config=record.config, gpus=one.gpus or record.gpus,
                group=record.group, repairs=(*said, *one.repairs), warnings=record.warnings,
            )
            for one in histories_of_lines(record.console, record.path, record.format)
        ]  # fmt: skip
    if not histories:
        raise EmptyError(record.path, f"run {record.name or record.path!r} holds no metric; nothing was logged yet")
    datasets = record.dataset_by
    trainer = trainer_of(bare_key(key, datasets) for one in histories for key in one.series)
    return [_with_columns(with_datasets(trainer, log_of(trainer, one), datasets), record) for one in histories]


def _with_columns(log: Log, record: Record) -> Log:
    """Return the log with what the record says of its recipe and seed, and who says it."""
    group = ("group",) if record.group and log.recipe == record.group else ()
    return replace(
        log,
        recipe_by=record.recipe_by or group,
        seed=record.seed if record.seed is not None else log.seed,
        seed_by=record.seed_by,
    )
