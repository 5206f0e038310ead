"""Rewards that a trainer printed rounded, in a log that is refused for a better file: whether that file was read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlscale.sources.format import Kind
from rlscale.sources.formats import kind_of
from rlscale.sources.log import Log

__all__ = ["is_lost"]

#: A reward in a row that TRL printed.
_REWARD = re.compile(rb"'(eval_reward|reward)': '?(-?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)\b")
#: NeMo-RL's heading of printed results.
_NEMO = re.compile("📊 (?:Training|Validation) Results:".encode())
#: Fewest rewards by which two logs are known to be of one run; they must not be all equal.
_FEWEST = 3


def is_lost(path: Path, logs: Sequence[Log]) -> bool:
    """Whether a refused file holds rewards that no log has in full.

    Parameters
    ----------
    path : Path
    logs : sequence of Log
        All that was read.
    """
    printed: dict[str, list[float]] = {}
    nemo = False
    try:
        with path.open("rb") as file:
            for line in file:
                nemo = nemo or _NEMO.search(line) is not None
                for key, value in _REWARD.findall(line):
                    printed.setdefault(key.decode(), []).append(float(value))
    except (IsADirectoryError, ValueError):
        return False  # a folder of another kind
    except OSError:
        return True  # what it holds is not known
    if printed:
        return not any(
            _alike(values, log.series[key].value.tolist())
            for key, values in printed.items()
            for log in logs
            if key in log.series
        )
    if not nemo:
        return False
    return not any(kind_of(log.format) is Kind.TRACKER and Path(log.path).is_relative_to(path.parent) for log in logs)


def _alike(printed: Sequence[float], full: Sequence[float]) -> bool:
    """Whether rewards and rounded ones are of one run: equal wherever both go on, one may begin or end earlier."""
    for skipped, start in _offsets(printed, full):
        both = list(zip(printed[skipped:], full[start:], strict=False))
        if len(both) >= _FEWEST and len({value for value, _ in both}) > 1 and all(_rounds(a, b) for a, b in both):
            return True
    return False


def _offsets(printed: Sequence[float], full: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Yield the places at which both may meet: where one begins in the other."""
    if printed and full:
        yield from ((0, k) for k, value in enumerate(full) if _rounds(printed[0], value))
        yield from ((k, 0) for k, value in enumerate(printed) if _rounds(value, full[0]))


def _rounds(printed: float, full: float) -> bool:
    """Whether a printed value is another to four digits, or to four decimals."""
    digit = 10.0 ** (math.floor(math.log10(abs(printed))) - 3) if printed else 0.0
    return abs(printed - full) <= 0.501 * max(digit, 1e-4)
