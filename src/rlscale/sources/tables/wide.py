"""Wide tables: a column of compute, and one column of rewards for each run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.log import ReadOptions
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.roles import Roles
from rlscale.sources.trainers.other import OTHER, trainer_like

__all__ = ["advice", "in_long_form", "is_wide", "noise_columns"]

#: What the rewards are called, since no name of a column says it.
_REWARD = "reward"

#: Ends of names under which the spread of a mean stands.
_SPREADS = ("std", "sd", "sem", "stderr")


def is_wide(columns: Columns, roles: Roles, options: ReadOptions) -> bool:
    """Whether each numeric column beside the compute is a run.

    Either ``--wide`` says so, or there are at least two of them, none of which has the name of a metric, a setting or
    compute or that of a spread, and no other column.
    """
    if options.wide:
        return True
    if options.metric is not None or options.by is not None or columns.words or columns.labels or not roles.axes:
        return False
    runs = _runs(columns, roles, options)
    if len(runs) < 2 or roles.n_eval or roles.sd or roles.model_params:
        return False
    if roles.value or OTHER.validation(runs) or OTHER.train(runs) or names.rewards_among(runs):
        return False
    return not any(
        names.measures(name) or names.is_setting(name) or names.is_time(name) or names.is_spread(name)
        or trainer_like([name]) for name in runs
    )  # fmt: skip


def advice(columns: Sequence[str], options: ReadOptions) -> str:
    """Return the advice to give ``--wide``, for a message that asks for a metric; empty where it is given."""
    if options.wide:
        return ""
    noise = noise_columns(columns, columns)
    beside = f" ({', '.join(noise)} are then their noise)" if noise else ""
    return f", or --wide if each column is a run{beside}"


def _runs(columns: Columns, roles: Roles, options: ReadOptions) -> list[str]:
    axes = {*roles.axes, roles.compute, options.compute, roles.seed}
    return [name for name in columns.numbers if name not in axes and not names.is_index(name)]


def in_long_form(columns: Columns, roles: Roles, options: ReadOptions) -> Columns:
    """Return a wide table as a long one: its columns one below the other, in a column of rewards and one of runs.

    A column that ends in ``std`` or ``sem`` beside one of the same name, or of that name with ``mean``, is its sd.

    Raises
    ------
    SourceError
        There are no two columns to be runs.
    """
    numeric = _runs(columns, roles, options)
    spreads = [name for name in numeric if names.is_spread(name)]
    runs = [name for name in numeric if name not in spreads]
    if not runs:
        what = f"holds no numeric column that could be a run; its columns are {', '.join(columns.names)}"
        raise SourceError(columns.path, f"{what}; leave --wide out")
    place = [name for name in columns.numbers if name in roles.axes or name in (roles.compute, options.compute)]
    values = np.stack([columns.numbers[name] for name in runs])
    logged = np.isfinite(values).ravel()
    codes = np.repeat(np.arange(len(runs), dtype=np.intp), columns.rows)
    numbers = {name: np.tile(columns.numbers[name], len(runs))[logged] for name in place}
    sds = np.stack([_sd_of(name, spreads, columns) for name in runs]).ravel()[logged]
    if np.isfinite(sds).any():
        numbers["sd"] = sds
    said = [f"each of {_listed(runs)} is read as a run: the table is wide"]
    noise = noise_columns(runs, spreads)
    if noise:
        said.append(f"read as the noise of the column of rewards with their name: {', '.join(noise)}")
    others = [name for name in spreads if name not in noise]
    if others:
        said.append(f"columns of spreads and limits are no runs: {', '.join(others)}")
    return Columns(
        columns.path,
        rows=int(logged.sum()),
        numbers={**numbers, _REWARD: values.ravel()[logged]},
        labels={"run": (codes[logged], list(runs))},
        repairs=[*columns.repairs, *said],
    )


def noise_columns(runs: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the columns that hold the spread of another one: ``A_std`` beside ``A`` or ``A_mean``.

    Examples
    --------
    >>> noise_columns(["A_mean", "B"], ["A_std", "B_sem", "C_std", "A_max"])
    ['A_std', 'B_sem']
    """
    spreads = [name for name in columns if names.is_spread(name)]
    return [found for run in runs if (found := _spread_of(run, spreads)) is not None]


def _spread_of(run: str, spreads: Sequence[str]) -> str | None:
    stem = names.normal(run).removesuffix("_mean").removesuffix("/mean")
    wanted = {f"{stem}{between}{end}" for between in "_/." for end in _SPREADS}
    return next((name for name in spreads if names.normal(name) in wanted), None)


def _sd_of(run: str, spreads: Sequence[str], columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = _spread_of(run, spreads)
    values = columns.numbers[found] if found is not None else np.full(columns.rows, np.nan)
    return np.where(values > 0, values, np.nan)


def _listed(runs: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(map(repr, runs[:most]))
    return f"the columns {shown}" + (f" and {len(runs) - most} more" if len(runs) > most else "")
