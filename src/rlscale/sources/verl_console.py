"""verl's console log, in its dialects.

A step is one line ``step:N - key:value - key:value``: with ``:.3f`` values up to 0.4.1, bare floats or
``np.float64(...)`` later; behind Ray's ``(TaskRunner pid=...)``, with or without colours, and with whatever Ray wrote
next glued to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rlscale.errors import FormatError, SourceError
from rlscale.sources import trl_stdout
from rlscale.sources.log import Log
from rlscale.sources.repair import Row, number
from rlscale.sources.text import decoded_head, lines
from rlscale.sources.verl_keys import logs_of
from rlscale.sources.verl_torn import NUMBER, StepLine, cut_end, torn_lines

__all__ = ["NAME", "read", "sniff"]

NAME = "verl-console"

_SUFFIXES = frozenset({".log", ".txt", ".out", ".err", ""})
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STEP = re.compile(r"(?<![\w/])step:(\d+) - ")
_FIELD = re.compile(rf"(?P<key>\S.*?):(?:np\.\w+\()?(?P<value>{NUMBER})(?![\w/@.])")
_GRADED = re.compile(r"len reward_extra_infos_dict\['reward'\]: (\d+)")
_NODES = re.compile(r"'(n_gpus_per_node|nnodes)': (\d+)")
_FLAG = re.compile(r"(?<![\w.])trainer\.(n_gpus_per_node|nnodes)=(\d+)")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the file may be a console log; :func:`read` says so if it holds no step.

    A step line may come megabytes after the start, so the ending of the file name is enough.
    """
    text = decoded_head(head)
    return _STEP.search(text) is not None or (path.suffix.lower() in _SUFFIXES and "\x00" not in text)


def read(path: Path) -> list[Log]:
    """Return the runs of a console log; see :func:`rlscale.sources.verl_keys.logs_of` for the compute axes.

    Raises
    ------
    FormatError
        No step line; where TRL's printed rows are found instead, the message names ``trainer_state.json``.
    """
    scan = _Scan()
    rows = list(scan.rows(path))
    for index, how in torn_lines(scan.lines):
        line = scan.lines[index]
        if line.position < scan.last:
            message = f"line {line.position} (step {line.step:g}) is torn: {how}; repair or remove the line"
            raise SourceError(str(path), message)
        if not scan.torn and line.keys:  # torn, and its line end came later
            scan.torn = line.position
            rows[index] = (line.step, {key: value for key, value in rows[index][1].items() if key != line.keys[-1]})
    if not rows:
        if scan.printed_by_trl:
            raise trl_stdout.better_file(path)
        raise FormatError(
            str(path), "holds no line 'step:N - key:value', as verl prints; give the trainer's metrics log"
        )
    repairs = []
    if scan.torn:
        repairs.append(f"the last line (line {scan.torn}) has no end; its last value was left out")
    return logs_of(rows, str(path), NAME, repairs, scan.gpus, scan.graded)


@dataclass
class _Scan:
    """What one pass over a console log finds beside its steps."""

    gpus: float | None = None
    graded: dict[float, float] = field(default_factory=dict)
    torn: int = 0
    last: int = 0
    lines: list[StepLine] = field(default_factory=list)
    printed_by_trl: bool = False
    _sizes: dict[str, float] = field(default_factory=dict)
    _keys: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    _in_trainer: bool = False
    _pending: float | None = None

    def rows(self, path: Path) -> Iterator[Row]:
        """Yield the step lines as (step, values)."""
        for position, raw in enumerate(lines(path), start=1):
            line = _COLOUR.sub("", raw)
            self.last = position if line.strip() else self.last
            marks = list(_STEP.finditer(line)) if "step:" in line else []
            if not marks:
                self._look(line)
                continue
            for mark, after in zip(marks, [*marks[1:], None], strict=True):
                text = line[mark.end() : after.start() if after else None]
                fields = text.split(" - ")
                cut = cut_end(fields)
                if after is None and not raw.endswith("\n"):
                    self.torn = position
                    fields = fields[:-1]
                step, values = float(mark[1]), _values(fields)
                self.lines.append(StepLine(position, step, self._shared(tuple(values)), cut))
                if self._pending is not None and any(key.startswith("val") for key in values):
                    self.graded[step], self._pending = self._pending, None
                yield step, values

    def _shared(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the same tuple for the same keys: a log has few sets of them and many lines."""
        return self._keys.setdefault(keys, keys)

    def _look(self, line: str) -> None:
        """Note the GPU count, the size of a validation, and rows printed by TRL."""
        graded = _GRADED.search(line)
        if graded is not None and int(graded[1]) > 0:
            self._pending = float(graded[1])
        if "'trainer': {" in line:  # other pools print their own n_gpus_per_node, often 0
            self._in_trainer = True
            line = line.split("'trainer': {", 1)[1]
        sizes = _FLAG.findall(line) + (_NODES.findall(line) if self._in_trainer else [])
        for key, value in sizes:
            self._sizes[key] = float(value)
        if self._in_trainer and "}" in line:
            self._in_trainer = False
        if sizes and len(self._sizes) == 2:
            self.gpus = self._sizes["n_gpus_per_node"] * self._sizes["nnodes"] or None
        self.printed_by_trl = self.printed_by_trl or trl_stdout.is_row(line)


def _values(fields: list[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in fields:
        match = _FIELD.match(text)
        if match is None or (" " in match["key"] and not match["key"].startswith("val")):
            continue
        value = number(match["value"])
        if value is not None:
            values[match["key"]] = value
    return values
