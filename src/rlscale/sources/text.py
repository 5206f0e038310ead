"""Bytes to lines and JSON: encodings, byte-order marks, lines without end, torn last lines."""

from __future__ import annotations

import codecs
import io
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from rlscale.errors import EmptyError, SourceError
from rlscale.sources.limits import DOCUMENT_CAP, DOCUMENT_VALUES, LINE_CAP

__all__ = [
    "HEAD_BYTES",
    "JsonLines",
    "Utf8Lines",
    "decoded_head",
    "encoding_of",
    "first_object",
    "head_is",
    "head_objects",
    "json_rows",
    "line_blocks",
    "lines",
    "opened",
    "plural",
    "read_head",
    "shown",
    "were",
    "whole_json",
]

#: What ``sniff`` may look at.
HEAD_BYTES = 1 << 18


_BLOCK = 1 << 20


_WIDE = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"))
_MARKS = (*_WIDE, (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


def plural(count: int, noun: str) -> str:
    """Return ``1 row``, ``3 rows``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def were(count: int, noun: str) -> str:
    """Return ``1 row was``, ``3 rows were``."""
    return f"{plural(count, noun)} {'was' if count == 1 else 'were'}"


def encoding_of(head: bytes) -> str:
    """Return the encoding that the byte-order mark names, ``utf-8`` without one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def opened(path: Path) -> BinaryIO:
    """Open ``path`` for reading bytes.

    Raises
    ------
    SourceError
        The system refuses.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(str(path), f"cannot be opened ({error.strerror}); check the path and its rights") from error


def read_head(path: Path) -> bytes:
    """Return the first ``HEAD_BYTES`` bytes of a file."""
    with opened(path) as file:
        return file.read(HEAD_BYTES)


def head_is(path: Path, look: Callable[[bytes], bool]) -> bool:
    """Whether ``look`` says so of the first ``HEAD_BYTES`` bytes; true where reading the file says why it cannot be."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return True
    return bool(head) and look(head)


def decoded_head(head: bytes) -> str:
    """Return the head as text, whatever its bytes are."""
    return head.decode(encoding_of(head), errors="replace").removeprefix("\ufeff")


def lines(path: Path) -> Iterator[str]:
    r"""Return the lines of a text file, split at ``\n``, line ends kept; raises as :func:`line_blocks`."""
    return itertools.chain.from_iterable(line_blocks(path))


def line_blocks(path: Path) -> Iterator[list[str]]:
    r"""Yield the lines of a text file some at a time, split at ``\n``, line ends kept.

    Raises
    ------
    SourceError
        The file is empty, not text in the encoding its byte-order mark names (UTF-8 without one), or has a line
        longer than ``LINE_CAP``.
    """
    with opened(path) as file:
        head = file.read(4)
        if not head:
            raise EmptyError(str(path), "the file is empty; nothing was logged yet")
        encoding = encoding_of(head)
        if encoding.startswith("utf-8"):
            file.seek(0)
            yield from _narrow_lines(file, str(path))
            return
    wide = _wide_lines(path, encoding)
    while block := list(itertools.islice(wide, 256)):
        yield block


def _narrow_lines(file: BinaryIO, path: str) -> Iterator[list[str]]:
    """Decode whole blocks: a call for each of a million lines would cost seconds."""
    found = Utf8Lines(path)
    while block := file.read(_BLOCK):
        yield found.feed(block)
    yield found.rest()


class Utf8Lines:
    r"""Blocks of bytes to the lines that are whole so far, split at ``\n``, line ends kept.

    Parameters
    ----------
    path : str
        The file, for messages.
    """

    def __init__(self, path: str) -> None:
        self.number = 0  #: Lines given so far.
        self._path = path
        self._offset = 0  # of what is left in the file
        self._left = b""
        self._begun = False

    def feed(self, block: bytes) -> list[str]:
        """Take the next bytes; return the lines that end in them.

        Raises
        ------
        SourceError
            They are not UTF-8, or a line is longer than ``LINE_CAP``.
        """
        data = self._left + block
        if not self._begun and not codecs.BOM_UTF8.startswith(data):
            self._begun = True
            if data.startswith(codecs.BOM_UTF8):
                data, self._offset = data[len(codecs.BOM_UTF8) :], len(codecs.BOM_UTF8)
        cut = data.rfind(b"\n") + 1
        _check_length(data.find(b"\n") if cut else len(data), self.number + 1, self._path)
        found = self._decoded(data[:cut])
        self.number += len(found)
        self._offset += cut
        self._left = data[cut:]
        return found

    def rest(self) -> list[str]:
        """Return the line that has no end yet, none where the last one ended; :meth:`feed` can go on.

        A character whose last bytes are not written yet is left out.

        Raises
        ------
        SourceError
            Its bytes are not UTF-8.
        """
        left = self._left.removeprefix(b"" if self._begun else codecs.BOM_UTF8)
        return self._decoded(left[: len(left) - _unfinished(left)])

    def _decoded(self, data: bytes) -> list[str]:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self.number + data.count(b"\n", 0, error.start) + 1
            what = f"line {line} is not UTF-8 text"
            where = f"byte 0x{data[error.start]:02x} at offset {self._offset + error.start}"
            raise SourceError(self._path, f"{what} ({where}); save the file as UTF-8") from error
        return list(io.StringIO(text, newline="\n"))


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a character of UTF-8 that is not whole."""
    for back in range(1, min(3, len(data)) + 1):
        lead = data[-back]
        if lead & 0xC0 != 0x80:
            return back if 0xC2 <= lead <= 0xF4 and back < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4) else 0
    return 0


def _wide_lines(path: Path, encoding: str) -> Iterator[str]:
    number = 0
    with path.open(encoding=encoding, newline="\n") as text:
        while True:
            number += 1
            try:
                line = text.readline(LINE_CAP + 1)
            except UnicodeError as error:
                what = f"line {number} is not {encoding.upper()} text as the file's first bytes say"
                raise SourceError(str(path), f"{what}; save it as UTF-8") from error
            if not line:
                return
            _check_length(len(line), number, str(path))
            yield line


def _check_length(length: int, number: int, path: str) -> None:
    if length > LINE_CAP:
        raise SourceError(path, f"line {number} is longer than {LINE_CAP >> 20} MiB; is this a log?")


def json_rows(path: Path, repairs: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, object)`` of a JSON-lines file; blank lines are skipped.

    Parameters
    ----------
    path : Path
        The file.
    repairs : list of str
        Receives a sentence where the last line is torn and left out.

    Raises
    ------
    SourceError
        A line other than the last is not a JSON object, or anything :func:`lines` raises.
    """
    parser = JsonLines(str(path))
    for number, line in enumerate(lines(path), start=1):
        value = parser.parsed(number, line)
        if value is not None:
            yield number, value
    repairs.extend(parser.repairs())


class JsonLines:
    """The lines of a JSON-lines file, one by one: each holds an object, only the last may be torn.

    Parameters
    ----------
    path : str
        The file, for messages.
    """

    def __init__(self, path: str) -> None:
        self.torn: SourceError | None = None  #: What is wrong with the last line that is not blank.
        self.last = 0  #: The number of the last line.
        self._path = path

    def parsed(self, number: int, line: str) -> dict[str, Any] | None:
        """Return the object of line ``number`` (from 1); None where it is blank or torn.

        Raises
        ------
        SourceError
            A line before it is no JSON object.
        """
        self.last = number
        if not line.strip():
            return None
        if self.torn is not None:
            raise self.torn
        try:
            value = json.loads(line.rstrip("\r\n"))
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "numbers or nesting beyond reason"
            message = f"line {number} is not JSON ({reason}): {shown(line)}; repair or remove the line"
            self.torn = SourceError(self._path, message)
            return None
        if isinstance(value, dict):
            return value
        self.torn = SourceError(self._path, f"line {number} is not a JSON object: {shown(line)}; remove the line")
        return None

    def repairs(self) -> list[str]:
        """Return a sentence where the last line is torn, else nothing."""
        return [] if self.torn is None else [f"the last line (line {self.last}) is torn and was left out"]


def shown(line: str, width: int = 40) -> str:
    """Return the start of a line, quoted, for a message."""
    text = line.strip()
    return repr(text if len(text) <= width else text[:width] + "...")


def whole_json(path: Path) -> Any:
    """Return the value of a JSON document; literal ``NaN`` and ``Infinity`` are read.

    Raises
    ------
    SourceError
        The document is torn, not JSON, not text, larger than ``DOCUMENT_CAP``, or of too many values.
    """
    with opened(path) as file:
        raw = file.read(DOCUMENT_CAP + 1)
    if len(raw) > DOCUMENT_CAP:
        raise SourceError(str(path), f"the document is larger than {DOCUMENT_CAP >> 20} MiB; is this a log?")
    if sum(map(raw.count, (b",", b"[", b"{"))) > DOCUMENT_VALUES:
        raise SourceError(str(path), f"the document holds more than {DOCUMENT_VALUES:,} values; is this a log?")
    if not raw.strip():
        raise EmptyError(str(path), "the file is empty; nothing was logged yet")
    encoding = encoding_of(raw[:4])
    try:
        return json.loads(raw.decode(encoding))
    except UnicodeDecodeError as error:
        message = f"not {encoding.removesuffix('-sig').upper()} text at byte {error.start}; save the file as UTF-8"
        raise SourceError(str(path), message) from error
    except json.JSONDecodeError as error:
        message = f"not complete JSON ({error.msg} at line {error.lineno}); copy the file again once it is written"
        raise SourceError(str(path), message) from error
    except (ValueError, RecursionError) as error:
        raise SourceError(str(path), "the JSON holds numbers or nesting beyond reason; is this a log?") from error
    except MemoryError as error:
        raise SourceError(str(path), "the document needs more memory than there is; give a shorter log") from error


def head_objects(head: bytes, most: int = 64) -> list[dict[str, Any]]:
    """Return the JSON objects on the first lines, up to ``most``; none where the first line is none."""
    found: list[dict[str, Any]] = []
    for line in itertools.islice((line for line in decoded_head(head).split("\n") if line.strip()), most):
        value = first_object(line.encode("utf-8", "replace"))
        if value is None:
            break
        found.append(value)
    return found


def first_object(head: bytes) -> dict[str, Any] | None:
    """Return the JSON object that is the first line, None where it is none or longer than the head."""
    first = next((line for line in decoded_head(head).split("\n") if line.strip()), "")
    if not first.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
