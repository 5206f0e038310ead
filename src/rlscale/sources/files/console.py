"""What trainers print: the dialect of a text log is that of the first line any dialect knows, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from rlscale.sources.files import refused
from rlscale.sources.files.areal_log import ArealLog
from rlscale.sources.files.dialect import Dialect
from rlscale.sources.files.fold import Fold, forked
from rlscale.sources.files.prime_rl_log import PrimeRlLog
from rlscale.sources.files.printed_dicts import OpenRlhfLog, SlimeLog
from rlscale.sources.files.roll_stdout import RollStdout
from rlscale.sources.files.skyrl_log import SkyRlLog
from rlscale.sources.files.skyrl_mirror import SkyRlMirror
from rlscale.sources.files.torchforge_log import TorchforgeLog
from rlscale.sources.files.trl_console import TrlConsole
from rlscale.sources.files.verl_console import VerlConsole
from rlscale.sources.format import Entry, Format, Precision, Rounding
from rlscale.sources.history import History
from rlscale.sources.log import Log
from rlscale.sources.text import HEAD_BYTES, decoded_head
from rlscale.sources.trainers.base import log_of

__all__ = ["DIALECTS", "FORMAT", "NAME", "ConsoleFold", "histories_of_lines", "sniff"]

NAME = "console"

#: In the order in which a line is offered to them.
DIALECTS: tuple[type[Dialect], ...] = (
    VerlConsole,
    RollStdout,
    OpenRlhfLog,
    SlimeLog,
    SkyRlMirror,
    SkyRlLog,
    ArealLog,
    PrimeRlLog,
    TorchforgeLog,
    TrlConsole,
)

_SUFFIXES = frozenset({".log", ".txt", ".out", ".err", ""})

#: A line that a trainer prints at every step, or one with its metrics.
_STEP = re.compile(
    rb"(?<![\w/])step:\d+ - |Global step \d+: \{|(?:perf|eval|rollout|step) \d+: \{'|metrics_tag: \{|Step \d+: *\n?\{"
    rb"|Train step \d+/\d+ done|(?i:step) \d+ \|[^\n]*\| Reward|METRICS STEP \d+ ===|WANDB_MIRROR kind="
)


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file may be a printed log; :meth:`ConsoleFold.done` says so if it holds no metrics.

    The first row may come megabytes after the start, so the ending of the file name is enough.
    """
    text = decoded_head(head)
    if path.suffix.lower() in _SUFFIXES and "\x00" not in text:
        return True
    fold = ConsoleFold(str(path))
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        fold.feed(number, line)
        if fold.dialect is not None:
            return True
    return False


class ConsoleFold(Fold):
    """What the lines of a printed log have told so far.

    All dialects get every line until one has started: some read the configuration that is printed before.

    Parameters
    ----------
    path : str
        The log.
    """

    def __init__(self, path: str) -> None:
        self.dialect: Dialect | None = None
        self._path = path
        self._waiting = [dialect(path) for dialect in DIALECTS]
        self._printer: refused.Printed | None = None  # who printed rows that are not read

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.dialect is not None:
            self.dialect.feed(number, line)
            return
        for dialect in self._waiting:
            dialect.feed(number, line)
            if dialect.rows or dialect.torn is not None:  # not the property: this is asked of each line, ten times
                self.dialect, self._waiting = dialect, []
                return
        if self._printer is None:
            self._printer = refused.printer_of(line)

    def done(self) -> list[Log]:
        """Return the runs of the lines, in the keys of the trainer that printed them.

        Raises
        ------
        FormatError
            No dialect knows a line; where a trainer printed rounded rows, the message names the better file.
        SourceError
            A row that is not the last is torn, or the rows hold more keys than any run logs.
        """
        found = self.dialect
        histories = found.histories(found.name) if found is not None else []
        if found is None or not histories:
            raise refused.unknown(self._path, self._printer)
        return [log_of(found.trainer, one) for one in histories]

    def fork(self) -> ConsoleFold:
        """Return a copy that is fed on its own."""
        twin = forked(self)
        twin.dialect = self.dialect.fork() if self.dialect is not None else None
        twin._waiting = [one.fork() for one in self._waiting]
        return twin

    def seal(self, rest: str) -> None:
        """Take the end of a file; a printed line without end is no row."""
        for dialect in (self.dialect, *self._waiting):
            if dialect is not None:
                dialect.seal()


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
        As :meth:`ConsoleFold.done`.
    """
    fold = ConsoleFold(path)
    for number, line in enumerate(_split(printed), start=1):
        fold.feed(number, line)
    return fold.dialect.histories(form) if fold.dialect is not None else []


def _split(printed: Iterable[str]) -> Iterator[str]:
    for text in printed:
        for line in text.split("\n"):
            yield line + "\n"


def _holds_a_step(path: Path) -> bool:
    """Whether a text file, whose ending says nothing, holds a trainer's step."""
    try:
        with path.open("rb") as file:
            rest = b""
            while block := file.read(HEAD_BYTES):
                if _STEP.search(rest + block):
                    return True
                rest = (rest + block)[-64:]
    except OSError:
        return True  # reading it says why it cannot be read
    return False


_PRINTED = "files written as the source prints them"

FORMAT: Format = Format(
    name=NAME,
    entries=(
        Entry("trl-console", "TRL's output", "the text log with its progress bars", note="unless it is rounded"),
        Entry(
            "verl-console", "verl's console", "the text log", note="from 0.2 on, behind Ray's prefixes",
            precision=Precision.PRINTED,
        ),
        Entry(
            NAME, "other trainers' consoles", "the text log", checked=_PRINTED,
            note="ROLL, OpenRLHF, slime, SkyRL, torchforge; rows may be broken over lines",
        ),
        Entry("areal-log", "AReaL's main.log", "the text log with its tables", checked=_PRINTED),
        Entry(
            "prime-rl-log", "prime-rl's orchestrator", "the text log", checked=_PRINTED,
            note="of all versions; four decimals",
        ),
    ),
    sniff=sniff,
    fold=ConsoleFold,
    endings=(".log", ".out"),
    unsure=(".txt", ".err"),
    looks_like=_holds_a_step,
    roundings={
        "prime-rl-log": Rounding(absolute=5.1e-5), "skyrl-console": Rounding(absolute=5.1e-5),
        "areal-log": Rounding(relative=5.1e-5),
    },
)  # fmt: skip
