"""A table's columns by what their names mean, and how a table is told from a trainer's log."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rlscale.curves import UNITS
from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.log import ReadOptions
from rlscale.sources.record import STEP_KEYS
from rlscale.sources.repair import number
from rlscale.sources.tables.columns import Columns, Named
from rlscale.sources.text import decoded_head, head_objects
from rlscale.sources.trainers.other import trainer_like

__all__ = ["UNIT_COLUMNS", "Roles", "is_csv", "is_json_table", "known_among", "required", "roles_of", "text_columns"]

_REQUIRED = frozenset({"reward", "value", "compute", "n_eval", "sd"})

#: Spellings of a compute column named after its unit.
UNIT_COLUMNS = {name: unit for unit in UNITS for name in (unit, unit.replace("-", "_"), unit.removesuffix("s")) if name}

_TEXT = names.IDENTITY | {"unit", "metric"}

_LONG = frozenset(
    {"run", "run_id", "recipe", "seed", "unit", "compute_unit", "metric", "reward", "value", "model_params"}
    | {"compute", "n_eval", "sd"}
)
_KNOWN = _LONG | UNIT_COLUMNS.keys()

_NAMES_A_RUN = frozenset({"run", "run_id", "recipe", "unit", "compute_unit"})
_TABLE_ONLY = frozenset({"value", "metric", "n_eval", "sd", "model_params"})
_NAME = re.compile(r"[^\W\d][\w ./@%()#+:-]{0,80}")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Columns by role, each of one role at most; None or empty where no column has it.

    Parameters
    ----------
    run, recipe, dataset : tuple of str
        Those that name a run, best first; that state the recipe, and the dataset, in the order of the file.
    apart : tuple of str
        Those that would state the recipe if ``--by`` did not name another one; they tell runs apart all the same.
    seed, unit, metric, value, compute, model_params, n_eval, sd : str, optional
        ``value`` is the reward of a table with a ``metric`` column, or of one without any reward by name.
    axes : mapping of str to str
        Numeric columns named after compute, best first, and their units.
    """

    run: tuple[str, ...]
    recipe: tuple[str, ...]
    apart: tuple[str, ...]
    dataset: tuple[str, ...]
    seed: str | None
    unit: str | None
    metric: str | None
    value: str | None
    compute: str | None
    model_params: str | None
    n_eval: str | None
    sd: str | None
    axes: dict[str, str]

    @property
    def special(self) -> frozenset[str]:
        """The columns that are no metrics."""
        single = (self.seed, self.unit, self.metric, self.compute, self.model_params, self.n_eval, self.sd)
        return frozenset(
            {*self.run, *self.recipe, *self.apart, *self.dataset, *self.axes, *(one for one in single if one)}
        )


def text_columns(by: str | None) -> Named:
    """Return whether a column is read as text: it names or tells apart runs, metrics or units, or is that of ``by``."""
    return lambda name: name == by or names.role_of(name) in _TEXT


def required(name: str) -> bool:
    """Whether a column must hold numbers."""
    return name.lower() in _REQUIRED


def roles_of(columns: Columns, options: ReadOptions) -> Roles:
    """Return the roles of a table's columns.

    Raises
    ------
    SourceError
        ``--by`` names no column.
    """
    by = options.by
    if by is not None and by not in columns.labels:
        message = f"holds no column {by!r} for --by; its columns are {', '.join((*columns.names, *columns.words))}"
        raise SourceError(columns.path, message)
    filled = [name for name, (_, texts) in columns.labels.items() if name != by and any(texts)]
    labels = {role: [name for name in filled if names.role_of(name) == role] for role in _TEXT}
    numbers = columns.numbers
    numeric = {role: _first(numbers, role) for role in ("model_params", "n_eval", "sd")}
    trials = [name for name in labels["trial"] if _several(columns, name)]
    axes = {name: names.axis_unit(name) or "" for name in sorted(numbers, key=names.axis_rank) if names.axis_unit(name)}
    return Roles(
        run=tuple(sorted(labels["run"], key=names.role_rank)) or tuple(trials),
        recipe=(by,) if by is not None else tuple(labels["recipe"]),
        apart=tuple(labels["recipe"]) if by is not None else (),
        dataset=_telling(columns, labels["dataset"]),
        seed=min(labels["seed"], key=names.role_rank, default=None),
        unit=min(labels["unit"], key=names.role_rank, default=None),
        metric=next(iter(labels["metric"]), None),
        value=_spelled(numbers, ("reward", "value")),
        compute=_spelled(numbers, ("compute",)),
        axes=axes,
        **numeric,
    )


def _first(numbers: Collection[str], role: str) -> str | None:
    return min((name for name in numbers if names.role_of(name) == role), key=names.role_rank, default=None)


def _spelled(numbers: Collection[str], wanted: Sequence[str]) -> str | None:
    lower = {name.lower(): name for name in numbers}
    return next((lower[name] for name in wanted if name in lower), None)


def _telling(columns: Columns, datasets: Sequence[str]) -> tuple[str, ...]:
    """Return the dataset columns with several values, else the first."""
    several = tuple(name for name in datasets if _several(columns, name))
    return several or tuple(datasets[:1])


def _several(columns: Columns, name: str) -> bool:
    return sum(map(bool, columns.labels[name][1])) > 1


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
    known = sum(cell.lower() in _KNOWN for cell in cells)
    return known > 1 or (bool(known_among(cells)) and bool(rest) and _numbers_in(rest[0], delimiter, len(cells)))


def _numbers_in(line: str, delimiter: str, width: int) -> bool:
    cells = line.split(delimiter)
    return len(cells) == width and any(cell.strip() and number(cell) is not None for cell in cells)


def known_among(cells: Collection[str]) -> set[str]:
    """Return the cells that name a column a table gives a meaning to."""
    return {cell for cell in cells if cell.lower() in _KNOWN or names.axis_unit(cell) or names.is_reward(cell)}
