"""Settings that stand beside the logs: a CSV with a column ``run`` or ``recipe`` and a column a knob."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from rlscale.curves.vocabulary import setting_of
from rlscale.errors import SourceError
from rlscale.sources.limits import SETTINGS_FILE_CAP

__all__ = ["SETTINGS_FILE", "settings_file"]

#: A file of this name in a folder of logs is no log: it says how its runs were trained.
SETTINGS_FILE = "settings.csv"


def settings_file(path: str | Path) -> dict[str, dict[str, str]]:
    """Return the settings of runs or recipes by their names; columns that mean a canonical setting have its name.

    Parameters
    ----------
    path : str or Path
        CSV with commas, semicolons or tabs; an empty cell states nothing.

    Raises
    ------
    SourceError
        A file that cannot be read, has no column ``run`` or ``recipe`` or both, no other column, a number that is not
        finite, or contradicts itself.
    """
    rows = _rows(Path(path))
    header = [cell.strip() for cell in rows[0]] if rows else []
    lower = [cell.lower() for cell in header]
    if {"run", "recipe"} <= set(lower):
        raise SourceError(str(path), "has a column run and a column recipe; keep that which its rows are about")
    key = next((lower.index(name) for name in ("run", "recipe") if name in lower), None)
    if key is None:
        raise SourceError(str(path), f"has no column run or recipe; its columns are {', '.join(header) or 'none'}")
    knobs = [(k, setting_of(name) or name) for k, name in enumerate(header) if lower[k] not in ("run", "recipe", "")]
    if not knobs:
        raise SourceError(str(path), f"has no column beside {header[key]}; give one a knob")
    repeated = {name for _, name in knobs if [other for _, other in knobs].count(name) > 1}
    if repeated:
        raise SourceError(str(path), f"has several columns for {', '.join(sorted(repeated))}; keep one")
    by_name: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise SourceError(str(path), f"line {line} has {len(row)} cells, the header {len(header)}")
        name = row[key].strip()
        own = {knob: row[k].strip() for k, knob in knobs if row[k].strip()}
        if endless := [knob for knob, value in own.items() if _is_endless(value)]:
            raise SourceError(
                str(path),
                f"line {line}: {endless[0]} is {own[endless[0]]!r}, which is no finite number; give a number, or a "
                "word such as unlimited",
            )
        if not name:
            raise SourceError(str(path), f"line {line} names no {header[key]}")
        if by_name.setdefault(name, own) != own:
            raise SourceError(str(path), f"says two things of {header[key]} {name!r} (line {line}); keep one row")
    if not by_name:
        raise SourceError(str(path), "has a header and no row")
    return by_name


def _is_endless(value: str) -> bool:
    try:
        return math.isinf(float(value))
    except ValueError:
        return False


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > SETTINGS_FILE_CAP:
            raise SourceError(str(path), "is larger than 16 MiB: these are no settings of runs")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(str(path), f"cannot be read: {error.strerror}; give a CSV of settings") from error
    except UnicodeDecodeError as error:
        raise SourceError(str(path), "is no text in UTF-8; give a CSV of settings") from error
    if "\0" in text:
        raise SourceError(str(path), "holds a NUL byte: it is no text; give a CSV of settings")
    first = text.partition("\n")[0]
    try:
        return list(csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise SourceError(str(path), f"is no CSV: {error}") from error
