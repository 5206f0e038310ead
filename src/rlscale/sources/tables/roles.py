"""A long table's columns: their names, and how a table is told from a trainer's log."""

from __future__ import annotations

import re
from collections.abc import Collection

from rlscale.curves import UNITS
from rlscale.sources.record import STEP_KEYS
from rlscale.sources.repair import number
from rlscale.sources.text import decoded_head, head_objects
from rlscale.sources.trainers.other import trainer_like

__all__ = ["ALIASES", "REQUIRED", "TEXT", "UNIT_COLUMNS", "is_csv", "is_json_table", "known_among"]

ALIASES = {
    "run": ("run", "run_id"),
    "recipe": ("recipe",),
    "seed": ("seed",),
    "unit": ("unit", "compute_unit"),
    "metric": ("metric",),
    "reward": ("reward", "value"),
    "model_params": ("model_params",),
    "compute": ("compute",),
    "n_eval": ("n_eval",),
    "sd": ("sd",),
}
TEXT = frozenset(name for role in ("run", "recipe", "seed", "unit", "metric") for name in ALIASES[role])
REQUIRED = frozenset({"reward", "value", "compute", "n_eval", "sd", "model_params"})

#: Spellings of a compute column named after its unit.
UNIT_COLUMNS = {name: unit for unit in UNITS for name in (unit, unit.replace("-", "_"), unit.removesuffix("s")) if name}

_KNOWN = frozenset(name for names in ALIASES.values() for name in names) | frozenset(UNIT_COLUMNS)

_NAMES_A_RUN = frozenset({"run", "run_id", "recipe", "unit", "compute_unit"})
_TABLE_ONLY = frozenset({"value", "metric", "n_eval", "sd", "model_params"})
_NAME = re.compile(r"[^\W\d][\w ./@%()#+:-]{0,80}")


def is_json_table(head: bytes) -> bool:
    """Whether JSON lines are a long table and not a trainer's log.

    A row that names its run, recipe, seed or unit is a table's. Without them a step and a reward may as well be a log
    (which may hold a resume), so a column that only tables have, or compute without a step, decides.
    """
    rows = head_objects(head)
    if not rows:
        return False
    keys = {key.lower() for key in rows[0]}
    if "compute" in keys:
        return True
    if not keys & (UNIT_COLUMNS.keys() | {"reward", "value", "metric"}):
        return False
    if keys & _NAMES_A_RUN:
        return True
    if any(trainer_like(row) for row in rows):
        return False
    if "seed" in keys:
        return True
    rewarded = bool(keys & {"reward", "value"}) and bool(keys & UNIT_COLUMNS.keys())
    return rewarded and (bool(keys & _TABLE_ONLY) or not rows[0].keys() & set(STEP_KEYS))


def is_csv(head: bytes) -> bool:
    """Whether the first line is the header of a long table in CSV, whatever the file is called."""
    text = decoded_head(head)
    first, *rest = re.split(r"[\r\n]+", text.strip(), maxsplit=2)
    delimiter = max(",;\t", key=first.count)
    cells = [cell.strip().strip("\"'").strip() for cell in first.split(delimiter)]
    if len(cells) < 2 or not all(_NAME.fullmatch(cell) for cell in cells if cell):
        return False
    known = len(known_among(cells))
    return known > 1 or (known == 1 and bool(rest) and _numbers_in(rest[0], delimiter, len(cells)))


def _numbers_in(line: str, delimiter: str, width: int) -> bool:
    cells = line.split(delimiter)
    return len(cells) == width and any(cell.strip() and number(cell) is not None for cell in cells)


def known_among(cells: Collection[str]) -> set[str]:
    """Return the cells that name a column a table gives a meaning to."""
    return {cell for cell in cells if cell.lower() in _KNOWN}
