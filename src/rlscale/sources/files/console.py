"""What trainers print: the dialect of a text log is that of the first line any dialect knows, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rlscale.errors import FormatError
from rlscale.sources.files import trl_stdout
from rlscale.sources.files.dialect import Dialect
from rlscale.sources.files.printed_dicts import OpenRlhfLog, SlimeLog
from rlscale.sources.files.roll_stdout import RollStdout
from rlscale.sources.files.skyrl_log import SkyRlLog
from rlscale.sources.files.verl_console import VerlConsole
from rlscale.sources.history import History
from rlscale.sources.log import Log
from rlscale.sources.text import decoded_head, lines
from rlscale.sources.trainers.base import log_of

__all__ = ["DIALECTS", "NAME", "histories_of_lines", "read", "sniff"]

NAME = "console"

#: In the order in which a line is offered to them.
DIALECTS: tuple[type[Dialect], ...] = (VerlConsole, RollStdout, OpenRlhfLog, SlimeLog, SkyRlLog)

_SUFFIXES = frozenset({".log", ".txt", ".out", ".err", ""})

#: What NeMo-RL prints before its rounded results.
_NEMO = "Training Results:"


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file may be a printed log; :func:`read` says so if it holds no metrics.

    The first row may come megabytes after the start, so the ending of the file name is enough.
    """
    text = decoded_head(head)
    if path.suffix.lower() in _SUFFIXES and "\x00" not in text:
        return True
    found, _ = _scanned(text.splitlines(keepends=True), str(path), most=1)
    return found is not None


def read(path: Path) -> list[Log]:
    """Return the runs of a printed log, in the keys of the trainer that printed it.

    Raises
    ------
    FormatError
        No dialect knows a line; where a trainer printed rounded rows, the message names the better file.
    SourceError
        A row that is not the last is torn, or the rows hold more keys than any run logs.
    """
    found, rounded = _scanned(lines(path), str(path))
    histories = found.histories(found.name) if found is not None else []
    if found is None or not histories:
        raise _unknown(path, rounded)
    return [log_of(found.trainer, one) for one in histories]


def histories_of_lines(printed: Iterable[str], path: str, form: str) -> list[History]:
    """Return the runs of lines that a tracker kept of the console; none where no dialect knows one.

    Parameters
    ----------
    printed : iterable of str
        In order, with or without line ends; one may hold several lines.
    path, form : str
        The tracker's file and its container.

    Raises
    ------
    SourceError
        As :func:`read`.
    """
    found, _ = _scanned(_split(printed), path)
    return found.histories(form) if found is not None else []


def _split(printed: Iterable[str]) -> Iterator[str]:
    for text in printed:
        for line in text.split("\n"):
            yield line + "\n"


def _scanned(text: Iterable[str], path: str, most: int = 0) -> tuple[Dialect | None, str]:
    """Return the dialect with its rows (all, or the first ``most``), and who else printed rounded rows.

    All dialects get every line until one has started: some read the configuration that is printed before.
    """
    waiting = [dialect(path) for dialect in DIALECTS]
    numbered = enumerate(text, start=1)
    rounded = ""
    for position, line in numbered:
        for dialect in waiting:
            dialect.feed(position, line)
            if dialect.started:
                if not most:
                    feed = dialect.feed
                    for later, rest in numbered:
                        feed(later, rest)
                return dialect, rounded
        if not rounded and ("{'" in line or _NEMO in line):
            rounded = "trl" if trl_stdout.is_row(line) else "nemo-rl" if _NEMO in line and "📊" in line else ""
    return None, rounded


def _unknown(path: Path, rounded: str) -> FormatError:
    if rounded == "trl":
        return trl_stdout.better_file(path)
    if rounded == "nemo-rl":
        message = (
            "what NeMo-RL prints is rounded; switch a tracker on (logger.tensorboard_enabled, logger.wandb_enabled)"
        )
        return FormatError(str(path), f"{message} and give its files")
    known = "'step:N - key:value' (verl), 'Global step N: {...}' (OpenRLHF), 'perf N: {...}' (slime)"
    message = (
        f"holds no line {known}, 'Step N:' (SkyRL) or 'metrics_tag: {{...}}' (ROLL); give the trainer's metrics log"
    )
    return FormatError(str(path), message)
