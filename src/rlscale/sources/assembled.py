"""Logs that were read of an address, as runs: for who reads a part of what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rlscale.errors import SourceError
from rlscale.sources.apart import assemble_runs
from rlscale.sources.collect import named_logs
from rlscale.sources.discover import Found
from rlscale.sources.log import Log, ReadOptions
from rlscale.sources.reading import Reading, reading_of

__all__ = ["assembled"]


def assembled(uri: str, logs: Sequence[Log], options: ReadOptions) -> Reading:
    """Return the runs of logs that were read of an address; what cannot be used is among the errors.

    Parameters
    ----------
    uri : str
    logs : sequence of Log
    options : ReadOptions

    Raises
    ------
    ChoiceError
        Several metrics or compute axes could be meant.
    InputError
        An option that cannot be.
    """
    errors: list[SourceError] = []
    found = Found(Path(uri), asked=True, given=Path(uri), uri=uri)
    named = named_logs([found], errors, replace(options, strict=False), lambda _: list(logs)) if logs else []
    with np.errstate(over="ignore", invalid="ignore"):
        runs, left_out = assemble_runs(named, options) if named else ([], [])
    errors.extend(left_out)
    return reading_of(runs, named, errors, ())
