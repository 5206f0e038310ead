"""Runs that nobody compares: each is read with its own metric, and with its own compute axis where none is common."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.curves import Run
from rlscale.errors import InputError, SourceError
from rlscale.sources.assemble import Named, assemble
from rlscale.sources.log import ReadOptions

__all__ = ["assemble_runs"]


def assemble_runs(logs: Sequence[Named], options: ReadOptions) -> tuple[list[Run], list[SourceError]]:
    """Return the runs and, for those that are left out, errors: as the options say, comparable or each for itself.

    With ``options.apart`` runs of one metric still share a compute axis and the decision on bounds where they can.

    Raises
    ------
    ChoiceError, InputError
        As :func:`rlscale.sources.assemble.assemble`; with ``options.apart`` only where no run is left.
    """
    if not options.apart or options.metric is not None or len(logs) < 2:
        return assemble(logs, options)
    groups: dict[tuple[str, ...], list[Named]] = {}
    for named in logs:
        groups.setdefault(_measured_by(named), []).append(named)
    runs: list[Run] = []
    errors: list[SourceError] = []
    refused: list[InputError] = []
    for group in groups.values():
        try:
            own, lost = assemble(group, options)
        except InputError as error:
            own, lost = _one_by_one(group, options, refused) if len(group) > 1 else ([], [_left_out(group[0], error)])
            refused.append(error)
        runs += own
        errors += lost
    if not runs and refused:
        raise refused[0]
    place = {named.name: k for k, named in enumerate(logs)}
    return sorted(runs, key=lambda run: place[run.name]), errors


def _measured_by(named: Named) -> tuple[str, ...]:
    """Return what a log is judged by; the same of logs that may be read together."""
    log = named.log
    return ("validation", *log.validation) if log.validation else ("train", *log.train)


def _one_by_one(
    group: Sequence[Named], options: ReadOptions, refused: list[InputError]
) -> tuple[list[Run], list[SourceError]]:
    """Return the runs of logs that cannot be read together, each read alone."""
    runs: list[Run] = []
    errors: list[SourceError] = []
    for named in group:
        try:
            own, lost = assemble([named], options)
        except InputError as error:
            own, lost = [], [_left_out(named, error)]
            refused.append(error)
        runs += own
        errors += lost
    return runs, errors


def _left_out(named: Named, error: InputError) -> SourceError:
    return SourceError(named.log.path, error.on_command_line, [named.name])
