"""What was read: runs, what was left out, and how runs were pooled into recipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rlscale.curves import Run
from rlscale.errors import KeptError, SourceError
from rlscale.left_out import LeftOut
from rlscale.sources.assemble import Named
from rlscale.sources.grouping import Grouping, grouping_of

__all__ = ["Reading", "left_out_of", "reading_of"]

#: Settings that commands compare runs by, beside the size: those that differ in one are no seeds of one another.
_COMPARED = ("generations", "difficulty")


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Parameters
    ----------
    runs : tuple of Run
        In order of the paths, then of the files, then of the rows.
    errors : tuple of SourceError
        The files, or runs of files, that could not be used.
    left_out : tuple of LeftOut
        What was named and is not among the runs: those, and copies that count once.
    grouping : Grouping
        How the runs were pooled into recipes.
    """

    runs: tuple[Run, ...]
    errors: tuple[SourceError, ...]
    left_out: tuple[LeftOut, ...] = ()
    grouping: Grouping = field(default_factory=lambda: grouping_of(()))

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)


def reading_of(
    runs: Sequence[Run],
    logs: Sequence[Named],
    errors: Sequence[SourceError],
    beside: Sequence[SourceError],
    copies: Sequence[LeftOut] = (),
) -> Reading:
    """Return what was read.

    Parameters
    ----------
    runs : sequence of Run
    logs : sequence of Named
        Those the runs were made of, and others.
    errors : sequence of SourceError
        What could not be used.
    beside : sequence of SourceError
        What stands beside the logs, and is none.
    copies : sequence of LeftOut
        Runs that count once with another.
    """
    known = {named.name: named.identity for named in logs}
    unlike = {run.name: (run.model_params, *(str(run.settings.get(name)) for name in _COMPARED)) for run in runs}
    return Reading(
        runs=tuple(runs),
        errors=(*errors, *beside),
        left_out=(*left_out_of(errors, beside), *copies),
        grouping=grouping_of([known[run.name] for run in runs if run.name in known], unlike),
    )


def left_out_of(errors: Iterable[SourceError], beside: Iterable[SourceError] = ()) -> Iterator[LeftOut]:
    """Yield what errors left out; ``beside`` stands beside logs and is none."""
    for error in errors:
        if isinstance(error, KeptError):
            continue
        for run in error.runs or (None,):
            yield LeftOut(run, error.path, error.why, error.counted)
    for error in beside:
        yield LeftOut(None, error.path, error.message, False)
