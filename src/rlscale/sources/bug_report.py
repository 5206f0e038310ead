"""What a bug report needs to say of a file that cannot be read: what it looks like, never what it holds."""

from __future__ import annotations

import itertools
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from rlscale.errors import EmptyError, RlscaleError, SourceError
from rlscale.sources.discover import by_name
from rlscale.sources.files import console, refused
from rlscale.sources.files.console import ConsoleFold
from rlscale.sources.files.json_fold import numbers_of
from rlscale.sources.formats import of_file
from rlscale.sources.printable import clean
from rlscale.sources.text import decoded_head, head_objects, read_head
from rlscale.sources.trainers import trainer_of
from rlscale.sources.trainers.other import OTHER

__all__ = ["report_line"]

#: Keys that are named; of how many the trainer is told; the longest that is named.
_SHOWN, _LOOKED_AT, _LONGEST = 8, 400, 60

#: Keys of documents and of printed dictionaries, and of ``a/b:0.5``, ``a/b=0.5``, ``a/b: 0.5``, ``a/b │ 0.5``. Words
#: without a slash are none outside quotes: ``host:8080``.
_QUOTED = re.compile(r"""["']([A-Za-z_][\w/@.-]{0,200})["']\s*:""")
_PATHS = re.compile(r"(?<![\w/.@:-])([A-Za-z_][\w@-]*(?:/[\w@.-]+){1,8})(?:[:=]| *│)\s*(?:np\.\w+\()?[-+]?[\d.]")


def report_line(error: BaseException, version: str) -> str | None:
    """Return one line to paste into a bug report; None where the error is not of a file that cannot be read.

    The line holds the format and the trainer that are guessed, the names of the first keys, and versions: no values,
    and neither the name of the file nor its folder.

    Parameters
    ----------
    error : exception
        What reading raised.
    version : str
        ``rlscale.__version__``.
    """
    if not isinstance(error, SourceError) or isinstance(error, EmptyError):
        return None
    path = Path(error.path)
    try:
        if not path.is_file() or by_name(path) is not None:
            return None
        head = read_head(path)
        form, trainer, keys = _guessed(path, head)
    except (OSError, ValueError, RlscaleError):
        return None
    names = ", ".join(clean(key) for key in keys[:_SHOWN]) or "none"
    versions = f"rlscale {version}, Python {platform.python_version()}"
    return f"for a bug report: {versions}; format guessed: {form}; trainer guessed: {trainer}; first keys: {names}"


def _guessed(path: Path, head: bytes) -> tuple[str, str, list[str]]:
    """Return the format, the trainer and the first keys of a file by how it begins."""
    form = of_file(path, head)
    keys = list(itertools.islice(dict.fromkeys(_keys(head)), _LOOKED_AT))
    trainer = trainer_of(keys)
    known = trainer.name if trainer is not OTHER else ""
    if form is console.FORMAT:
        known = _printer(path, head) or known
    suffix = path.suffix.lower() if path.suffix.isascii() else ""
    return form.name if form is not None else suffix or "none", known or "none", keys


def _printer(path: Path, head: bytes) -> str:
    """Return the trainer whose lines a printed log begins with."""
    fold = ConsoleFold(str(path))
    printed = ""
    for number, line in enumerate(decoded_head(head).splitlines(keepends=True), start=1):
        try:
            fold.feed(number, line)
        except SourceError:
            break
        if fold.dialect is None and not printed:
            printer = refused.printer_of(line)
            printed = printer.trainer if printer is not None else ""
    return fold.dialect.trainer.name if fold.dialect is not None else printed


def _keys(head: bytes) -> Iterator[str]:
    """Yield the names of keys at the beginning of a file: of rows of JSON, of columns, of what is printed."""
    if b"\0" in head[:1024]:
        return  # no text
    rows = head_objects(head)
    if rows:
        yield from (key for row in rows for key in numbers_of(row) if len(key) <= _LONGEST)
        return
    text = decoded_head(head)
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    cells = re.split(r"[,;\t]", first)
    if len(cells) > 1 and all(re.fullmatch(r"\s*\"?[A-Za-z_][\w/@.() -]{0,60}\"?\s*", cell) for cell in cells):
        yield from (cell.strip().strip('"') for cell in cells)
        return
    for match in itertools.chain(_QUOTED.finditer(text), _PATHS.finditer(text)):
        if len(match[1]) <= _LONGEST and "//" not in match[1]:
            yield match[1]
