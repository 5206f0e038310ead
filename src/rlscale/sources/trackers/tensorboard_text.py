"""The configuration a trainer leaves in event files: text summaries (JSON or a Markdown table) and HParams."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rlscale.sources.trackers.wire import BYTES, FIXED64, VARINT, double, fields, text

__all__ = ["configuration", "hparams", "is_configuration"]

_TAG = re.compile(r"(^|[/_])(args|cfg|config|configuration|hparams|hyper_?parameters)(/text_summary)?$", re.IGNORECASE)
_TABLE_ROW = re.compile(r"^\s*\|([^|]*)\|(.*)\|\s*$", re.MULTILINE)
_RULE = re.compile(r"[\s:|-]*")

#: Fields of a ``google.protobuf.Value``.
_NUMBER, _STRING, _BOOL = 2, 3, 4


def is_configuration(tag: str) -> bool:
    """Whether a text of this tag is a configuration: ``args/text_summary``, ``hyperparameters``, ..."""
    return len(tag) < 256 and _TAG.search(tag) is not None


def configuration(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of all texts in one mapping; those of the model yield to the trainer's."""
    found: dict[str, Any] = {}
    for tag in sorted(texts, key=lambda tag: "model" not in tag.lower()):
        found.update(_settings(texts[tag]))
    return found


def _settings(written: str) -> dict[str, Any]:
    """Return the settings of one text: a JSON object, bare or inside Markdown, or a table of names and values."""
    start, stop = written.find("{"), written.rfind("}")
    value = _json(written[start : stop + 1]) if 0 <= start < stop else None
    if isinstance(value, dict):
        return value
    rows = [(match[1].strip(), match[2].strip()) for match in _TABLE_ROW.finditer(written)]
    if len(rows) < 2 or not _RULE.fullmatch(rows[1][0] + rows[1][1]):
        return {}
    return {key: cell if (number := _json(cell)) is None else number for key, cell in rows[2:] if key}


def _json(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def hparams(data: bytes, at: int, stop: int) -> dict[str, Any]:
    """Return the hyperparameters of an HParams session's start, ``data[at:stop]`` being the plugin's own message."""
    found: dict[str, Any] = {}
    for number, kind, start, end in fields(data, at, stop):
        if number == 3 and kind == BYTES:
            for inner, inner_kind, inner_start, inner_end in fields(data, start, end):
                if inner == 1 and inner_kind == BYTES:
                    key, value = _entry(data, inner_start, inner_end)
                    found[key] = value
    return found


def _entry(data: bytes, at: int, stop: int) -> tuple[str, Any]:
    key = ""
    value: float | str | None = None
    for number, kind, start, end in fields(data, at, stop):
        if number == 1 and kind == BYTES:
            key = text(data, start, end)
        elif number == 2 and kind == BYTES:
            for inner, inner_kind, inner_start, inner_end in fields(data, start, end):
                if inner == _NUMBER and inner_kind == FIXED64:
                    value = double(data, inner_start)
                elif inner == _STRING and inner_kind == BYTES:
                    value = text(data, inner_start, inner_end)
                elif inner == _BOOL and inner_kind == VARINT:
                    value = bool(inner_start)
    return key, value
