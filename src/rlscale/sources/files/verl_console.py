"""verl's console log, in its dialects.

A step is one line ``step:N - key:value - key:value``: with ``:.3f`` values up to 0.4.1, bare floats or
``np.float64(...)`` later; behind Ray's ``(TaskRunner pid=...)``, with or without colours, and with whatever Ray wrote
next glued to its end.
"""

from __future__ import annotations

import math
import re

from rlscale.errors import SourceError
from rlscale.sources.files.dialect import Dialect, unframed
from rlscale.sources.files.verl_torn import NUMBER, StepLine, cut_end, joined, maybe_joined, torn_lines
from rlscale.sources.history import History, of_rows
from rlscale.sources.limits import LONGEST_KEY, MOST_KEYS
from rlscale.sources.repair import Row, number
from rlscale.sources.trainers.verl import VERL

__all__ = ["VerlConsole"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STEP = re.compile(r"(?<![\w/])step:(\d{1,300}) - ")
_FIELD = re.compile(rf"(?P<key>\S.*?):(?:np\.\w+\()?(?P<value>{NUMBER})(?![\w/@.])")
_GRADED = re.compile(r"len reward_extra_infos_dict\['reward'\]: (\d{1,15})(?!\d)")
_NODES = re.compile(r"'(n_gpus_per_node|nnodes)': (\d{1,9})(?!\d)")
_FLAG = re.compile(r"(?<![\w.])trainer\.(n_gpus_per_node|nnodes)=(\d{1,9})(?!\d)")

#: A line this short may hold nothing but colours.
_SHORT = 32


class VerlConsole(Dialect):
    """verl's step lines, and what it prints beside them: its GPUs and the size of a validation."""

    name = "verl-console"
    trainer = VERL

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.gpus: float | None = None
        self.graded: dict[float, float] = {}
        self._lines: list[StepLine] = []
        self._last = 0  # the last line that is not blank
        self._endless = 0  # the line without an end
        self._sizes: dict[str, float] = {}
        self._names: dict[str, str] = {}  # every key once, however many lines repeat it
        self._sets: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._in_trainer = False
        self._pending: float | None = None
        self._before: tuple[float, str, int] | None = None  # the step line that this one may go on with, and its width
        self._widths: set[int] = set()  # at which a terminal broke lines
        self._maybe: list[tuple[int, int, float, str]] = []  # rows that a line may go on with: place, width, step, text

    def feed(self, position: int, line: str) -> None:
        """Take the next line."""
        ended = line.endswith("\n")
        has_step = "step:" in line
        width = len(line) - ended
        if "\x1b" in line and (has_step or len(line) < _SHORT):
            line = _COLOUR.sub("", line)
        if line and not line.isspace():
            self._last = position
        marks = _marks(line) if has_step else []
        if not marks:
            if self._before is None or not self._goes_on(position, line, ended, width):
                self._before = None
                self._look(line)
            return
        for mark, after in zip(marks, [*marks[1:], None], strict=True):
            text = line[mark.end() : after.start() if after else None]
            self._add_step(position, float(mark[1]), text, ended or after is not None)
            self._before = float(mark[1]), text, width

    def _goes_on(self, position: int, line: str, ended: bool, width: int) -> bool:
        """Take a line that goes on with the step line before it, which a terminal broke; say whether it does.

        Of a line that may be the rest of a number the width decides, once another line was broken there.
        """
        step, text, before = self._before or (0.0, "", 0)
        line, text = unframed(line).rstrip("\r\n"), text.rstrip("\r\n")
        whole = joined(text, line)
        if whole is None:
            whole = maybe_joined(text, line)
            if whole is not None:
                self._maybe.append((len(self.rows) - 1, before, step, whole))
            return False
        self.rows.pop()
        self._lines.pop()
        self._add_step(position, step, whole, ended)
        self._widths.add(before)
        self._before = step, whole, width
        return True

    def _add_step(self, position: int, step: float, text: str, ended: bool) -> None:
        if text.count(" - ") > MOST_KEYS:
            raise SourceError(self.path, f"line {position} holds more than {MOST_KEYS:,} values; is this a log?")
        fields = text.split(" - ")
        cut = cut_end(fields)
        if not ended:
            self._endless = position
            fields = fields[:-1]
        values = self._values(fields)
        keys = tuple(values)
        self._lines.append(StepLine(position, step, self._sets.setdefault(keys, keys), cut))
        if self._pending is not None and any(key.startswith("val") for key in values):
            self.graded[step], self._pending = self._pending, None
        self.add(step, values)

    def _values(self, fields: list[str]) -> dict[str, float]:
        """Return the numbers of the fields.

        A log repeats its keys line for line: what stands before the last colon is looked up first, and only what is
        not yet known, or is no plain number, is matched.
        """
        values: dict[str, float] = {}
        names = self._names
        for text in fields:
            before, _, shown = text.rpartition(":")
            value: float | None
            key = names.get(before)
            if key is not None:
                if shown[:3] == "np.":  # np.float64(0.5)
                    shown = shown[shown.find("(") + 1 : shown.rfind(")")]
                try:
                    value = float(shown)
                except ValueError:
                    value = None
                if value is not None and "_" not in shown:
                    values[key] = value if math.isfinite(value) else math.nan
                    continue
            match = _FIELD.match(text)
            if match is None or len(match["key"]) > LONGEST_KEY:
                continue
            key, value = match["key"], number(match["value"])
            if value is not None and (" " not in key or key.startswith("val")):
                values[names.setdefault(key, key)] = value
        return values

    def _look(self, line: str) -> None:
        """Note the GPU count and the size of a validation."""
        if "reward_extra_infos_dict" in line:
            graded = _GRADED.search(line)
            if graded is not None and int(graded[1]) > 0:
                self._pending = float(graded[1])
        if "'trainer': {" in line:  # other pools print their own n_gpus_per_node, often 0
            self._in_trainer = True
            line = line.split("'trainer': {", 1)[1]
        sizes = _FLAG.findall(line) if "trainer.n" in line else []
        if self._in_trainer:
            sizes += _NODES.findall(line)
            self._in_trainer = "}" not in line
        for key, value in sizes:
            self._sizes[key] = float(value)
        if sizes and len(self._sizes) == 2:
            self.gpus = self._sizes["n_gpus_per_node"] * self._sizes["nnodes"] or None

    def seal(self) -> None:
        """Take the end of a file; a step line that is cut there is left out."""
        for index, _ in torn_lines(self._lines):
            if self._lines[index].position >= self._last:
                self.sealed.append(f"the last line (line {self._last}) is torn and was left out")
                del self._lines[index], self.rows[index]
                break

    def histories(self, form: str) -> list[History]:
        """Return the runs of the rows.

        Raises
        ------
        SourceError
            A step line that is not the last is torn.
        """
        rows: list[Row] = self.rows
        for place, width, step, text in self._maybe:
            if width in self._widths and place < len(rows) and rows[place][0] == step:
                rows[place] = (step, self._values(text.split(" - ")))
        for index, how in torn_lines(self._lines):
            line = self._lines[index]
            if line.position < self._last:
                message = f"line {line.position} (step {line.step:g}) is torn: {how}; repair or remove the line"
                raise SourceError(self.path, message)
            if not self._endless and line.keys:  # torn, and its line end came later
                self._endless = line.position
                rows[index] = (line.step, {key: value for key, value in rows[index][1].items() if key != line.keys[-1]})
        repairs = list(self.sealed)
        if self._endless:
            repairs.append(f"the last line (line {self._endless}) has no end; its last value was left out")
        return of_rows(rows, self.path, form, repairs=repairs, gpus=self.gpus, graded=self.graded)


def _marks(line: str) -> list[re.Match[str]]:
    """Return where steps begin; searching for the bare word first is much faster than the pattern on long lines."""
    found = []
    place = line.find("step:")
    while place >= 0:
        match = _STEP.match(line, place)
        if match is not None:
            found.append(match)
        place = line.find("step:", place + 5)
    return found
