"""CSV to columns, without a Python float for each cell."""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.limits import MOST_KEYS
from rlscale.sources.names import role_of
from rlscale.sources.repair import number
from rlscale.sources.tables.columns import Columns, Named, TextColumn, settle_numbers
from rlscale.sources.tables.lost import WRITTEN_NAN
from rlscale.sources.tables.roles import known_among
from rlscale.sources.text import line_blocks, opened, plural, shown, were

__all__ = ["from_csv", "header_of"]

Floats = NDArray[np.float64]

#: Rows, and cells, held as Python strings at a time.
_CHUNK, _CELLS = 1 << 13, 1 << 20

_DROPPED = "the percent signs of the column {!r} were dropped"
#: What a cell without a value looks like.
_MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "-", "nat", "<na>"})


def from_csv(path: Path, text: Named, required: Named) -> Columns:
    """Read a CSV file (comma, semicolon or tab, whichever its header holds most of).

    Parameters
    ----------
    path : Path
        The file; its first line that does not begin with ``#`` names the columns, or the last that does, where the
        next holds numbers alone.
    text : callable
        Whether a column, by its name, is read as text whatever it holds.
    required : callable
        Whether every cell of a column must be a number or empty; of another column a few words are left out, and a
        column of words is left out whole.

    Raises
    ------
    SourceError
        Empty, no header, header only, a row (other than the last) with more or fewer cells than the header, a word
        in a required column, or anything :func:`rlscale.sources.text.lines` raises.
    """
    table = Columns(str(path))
    reader, header, skipped = _opened_csv(path)
    if skipped:
        table.repairs.append(f"{were(skipped, 'comment line')} skipped before the header")
    texts = {name: TextColumn() for name in header if name and text(name)}
    numeric: dict[str, list[Floats]] = {name: [] for name in header if name and name not in texts}
    words: dict[str, list[tuple[int, str]]] = {}
    checked = [k for k, name in enumerate(header) if name and required(name)]
    labelled = header[-1] in texts and role_of(header[-1]) != "seed"
    chunks = _csv_chunks(path, reader, len(header), skipped, table)
    for numbers, rows in _without_torn_end(chunks, table, checked, labelled):
        table.rows += len(rows)
        for name, cells in zip(header, zip(*rows, strict=True), strict=True):
            if name in texts:
                texts[name].add(cells)
            elif name in numeric:
                values = _floats(cells)
                if values is None and (values := _percents(cells)) is not None and not numeric[name]:
                    table.repairs.append(_DROPPED.format(name))
                if values is None and required(name):
                    raise _not_a_number(table, name, cells, numbers)
                if values is None:
                    if _signed(cells) and not numeric[name]:
                        table.repairs.append(_DROPPED.format(name))
                    values = _among_words(cells, words.setdefault(name, []), numbers)
                numeric[name].append(values)
                if len(words.get(name, ())) > table.rows / 2:  # a column of words: the rest need not be read
                    del numeric[name]
                    table.words[name] = words[name][0]
    if not table.rows:
        raise EmptyError(str(path), "holds a header and no rows; nothing was logged yet")
    for name, parts in numeric.items():
        settle_numbers(table, name, np.concatenate(parts), words.get(name, ()))
    table.labels = {name: column.done() for name, column in texts.items()}
    return table


def header_of(path: Path) -> list[str]:
    """Return the names of the columns of a CSV file; errors as for :func:`from_csv`."""
    return _opened_csv(path)[1]


def _opened_csv(path: Path) -> tuple[Any, list[str], int]:
    """Return the rows, the names of the columns, and how many lines of comment stand before the rows."""
    source: Iterator[str] = itertools.chain.from_iterable(_narrow(path))
    first, source, skipped = _without_comments(next(source, ""), source)
    if "\x00" in first:
        raise SourceError(str(path), "line 1 holds NUL characters; save the file as UTF-8 text")
    if "\r" in first.rstrip("\r\n") and not first.endswith("\n"):  # one line: \r alone ends the lines
        source = iter(io.StringIO(first.replace("\r", "\n")))
        first = next(source)
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(itertools.chain([first], source), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise SourceError(str(path), f"line 1 is not CSV ({error}); is this a table?") from error
    if not any(header) or (any(name and number(name) is not None for name in header) and not known_among(header)):
        example = "run,compute,unit,reward"
        raise SourceError(
            str(path), f"has no header row (line 1 is {shown(first)}); name the columns, for example {example}"
        )
    twice = next((name for name, count in Counter(header).items() if name and count > 1), None)
    if twice is not None:
        raise SourceError(str(path), f"column {twice!r} appears twice in the header; rename one of them")
    return reader, header, skipped


def _without_comments(first: str, source: Iterator[str]) -> tuple[str, Iterator[str], int]:
    """Return the header, the lines after it, and how many lines that begin with ``#`` were skipped.

    ``numpy.savetxt`` writes the header itself as a comment: then the line after it holds numbers alone.
    """
    skipped, comment = 0, ""
    while first.lstrip().startswith("#"):
        following = next(source, "")
        if not following:
            break
        skipped, comment, first = skipped + 1, first, following
    bare = comment.lstrip().lstrip("#").lstrip()
    delimiter = max(",;\t", key=first.count)
    cells = first.strip().split(delimiter)
    alone = len(cells) > 1 and len(bare.split(delimiter)) == len(cells)
    if alone and all(number(cell) is not None for cell in cells):
        return bare, itertools.chain([first], source), skipped - 1
    return first, source, skipped


def _narrow(path: Path) -> Iterator[list[str]]:
    """Yield the lines; one of 16 MiB could hold as many cells, and thousands of lines are held at a time."""
    number_ = 0
    for block in line_blocks(path):
        if max(map(len, block), default=0) >= MOST_KEYS:
            for place, line in enumerate(block, start=number_ + 1):
                if max(map(line.count, ",;\t")) >= MOST_KEYS:
                    what = f"line {place} holds more than {MOST_KEYS:,} cells"
                    raise SourceError(str(path), f"{what}; is this a table of runs?")
        number_ += len(block)
        yield block


def _csv_chunks(
    path: Path, reader: Any, width: int, skipped: int, table: Columns
) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield (line numbers, rows) in chunks; a torn last row is left out and stated."""
    torn: tuple[int, list[str]] | None = None
    chunk = max(1, min(_CHUNK, _CELLS // width))
    while True:
        before = int(reader.line_num)
        try:
            rows: list[list[str]] = list(itertools.islice(reader, chunk))
        except csv.Error as error:
            line = skipped + reader.line_num
            raise SourceError(str(path), f"line {line} is not CSV ({error}); repair the line") from error
        if not rows:
            break
        if torn is not None and any(rows):
            raise _wrong_width(path, *torn, width)
        begin = skipped + before + 1
        numbers = list(range(begin, begin + len(rows)))
        if reader.line_num - before == len(rows) and set(map(len, rows)) == {width}:
            yield numbers, rows
            continue
        if reader.line_num - before != len(rows):  # cells with line ends in them
            spans = [1 + sum(cell.count("\n") for cell in row) for row in rows]
            numbers = [begin + within for within in itertools.accumulate(spans[:-1], initial=0)]
        filled = [(line, row) for line, row in zip(numbers, rows, strict=True) if row]
        odd = next((k for k, (_, row) in enumerate(filled) if len(row) != width), None)
        if odd is not None:
            torn = filled[odd]
            if odd < len(filled) - 1 or any("\n" in cell for cell in torn[1]):  # an open quote swallows the rest
                raise _wrong_width(path, *torn, width)
            del filled[odd]
        if filled:
            yield [line for line, _ in filled], [row for _, row in filled]
    if torn is not None:
        table.repairs.append(f"the last row (line {torn[0]}) is torn and was left out")


def _without_torn_end(
    chunks: Iterator[tuple[list[int], list[list[str]]]], table: Columns, checked: Sequence[int], labelled: bool
) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield the chunks without a last row that was cut inside a cell; such a row has no line end."""
    if not _without_end(Path(table.path)):
        yield from chunks
        return
    ends = _Ends()
    held: tuple[list[int], list[list[str]]] | None = None
    for chunk in chunks:
        if held is not None:
            yield held
            ends.add(held[1])
        held = chunk
    if held is None:
        return
    numbers, rows = held
    last = rows[-1]
    ends.add(rows[:-1])
    bad = any(_floats([last[k]]) is None for k in checked)
    if bad or (not table.repairs and (ends.cut_label(last[-1]) if labelled else ends.cut_number(last[-1]))):
        table.repairs.append(f"the last row (line {numbers[-1]}) is torn and was left out")
        del numbers[-1], rows[-1]
    if rows:
        yield numbers, rows


@dataclass
class _Ends:
    """The last cells of all rows but the last: what a whole cell there looks like."""

    count: int = 0
    least: int = sys.maxsize
    most: int = 0
    points: bool = True
    seen: set[str] = field(default_factory=set)

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Take rows in; cells that are empty say nothing."""
        cells = [cell for cell in (row[-1].strip() for row in rows) if cell]
        self.count += len(cells)
        self.least = min(self.least, min(map(len, cells), default=self.least))
        self.most = max(self.most, max(map(len, cells), default=0))
        self.points = self.points and all("." in cell for cell in cells)
        if len(self.seen) < _CHUNK:
            self.seen.update(cells)

    def cut_number(self, cell: str) -> bool:
        """Whether a last cell is a number cut short.

        Beside an ending that no number has, only its width tells: two characters below every other, or one where
        twenty others share one width. Whole numbers have any width, and so has a reward of 1.
        """
        text = cell.strip()
        if re.fullmatch(r"[-+]?\d*(?:\.|[-+]|\.?\d+[eE][-+]?)", text):
            return text[-1] != "." or not any(other.endswith(".") for other in self.seen)
        if number(text) is None or not self.points or text == "1":
            return False
        fixed = self.least == self.most and self.count >= 20
        return self.count >= 3 and 0 < len(text) <= self.least - (1 if fixed else 2)

    def cut_label(self, cell: str) -> bool:
        """Whether a last cell is the start of a text that other rows hold whole."""
        text = cell.strip()
        return bool(text) and text not in self.seen and any(other.startswith(text) for other in self.seen)


def _without_end(path: Path) -> bool:
    """Whether the last line of a file has no end."""
    with opened(path) as file:
        file.seek(-1, 2)
        return file.read(1) not in b"\r\n\x00"


def _wrong_width(path: Path, line: int, row: list[str], width: int) -> SourceError:
    what = f"line {line} has {plural(len(row), 'cell')} where the header names {width}"
    return SourceError(str(path), f"{what}: {shown(','.join(row))}; repair or remove the line")


def _floats(cells: Sequence[str]) -> Floats | None:
    """Return cells as numbers, NaN where empty and :data:`WRITTEN_NAN` where that stands there; None for a word."""
    try:
        found = np.array(cells, dtype=np.float64)
    except ValueError:
        try:
            return np.array([_float(cell.strip().lower()) for cell in cells], dtype=np.float64)
        except ValueError:
            return None
    found[np.isnan(found)] = WRITTEN_NAN
    return found


def _float(cell: str) -> float:
    if cell == "nan":
        return WRITTEN_NAN
    return np.nan if cell in _MISSING else float(cell)


def _percents(cells: Sequence[str]) -> Floats | None:
    """Return cells of which each that is not empty ends in a percent sign; None where they do not."""
    stripped = [cell.strip() for cell in cells]
    if not all(cell.endswith("%") or cell.lower() in _MISSING for cell in stripped):
        return None
    return _floats([cell.removesuffix("%") for cell in stripped])


def _signed(cells: Sequence[str]) -> bool:
    """Whether most cells end in a percent sign."""
    return 2 * sum(cell.rstrip().endswith("%") for cell in cells) > len(cells)


def _among_words(cells: Sequence[str], words: list[tuple[int, str]], numbers: list[int]) -> Floats:
    """Return cells as numbers, NaN where a word stands; the words are added to ``words`` with their lines."""
    values = np.full(len(cells), np.nan)
    percents = _signed(cells)
    for place, cell in enumerate(cells):
        text = cell.strip().lower()
        try:
            values[place] = _float(text.removesuffix("%") if percents else text)
        except ValueError:
            words.append((numbers[place], cell))
    return values


def _not_a_number(table: Columns, name: str, cells: Sequence[str], numbers: list[int]) -> SourceError:
    words: list[tuple[int, str]] = []
    _among_words(cells, words, numbers)
    line, cell = words[0]
    return SourceError(
        table.path, f"line {line}: {name} {shown(cell)} is not a number; repair the cell or leave it empty"
    )
