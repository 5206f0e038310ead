"""Which columns of a table are its rewards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.errors import SourceError
from rlscale.sources import names
from rlscale.sources.keys import is_evaluation
from rlscale.sources.tables.columns import Columns
from rlscale.sources.tables.roles import Roles
from rlscale.sources.text import shown
from rlscale.sources.trainers import trainer_of
from rlscale.sources.trainers.other import OTHER, trainer_like

__all__ = ["Rewards", "rewards_of"]


@dataclass(frozen=True)
class Rewards:
    """The columns of validation rewards, else of train rewards, and how they were told where no name says it."""

    validation: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


def rewards_of(columns: Columns, roles: Roles, axis: str | None) -> Rewards:
    """Return the rewards of a table: by their names, else the only numeric column that can be one.

    Parameters
    ----------
    columns : Columns
    roles : Roles
    axis : str, optional
        The column that places the rows.

    Raises
    ------
    SourceError
        The only column with the name of a reward holds words.
    """
    if roles.metric is not None:
        return Rewards((roles.value,) if roles.value is not None else ())
    known = [
        name for name in columns.numbers
        if name not in roles.special and name != axis and not names.is_setting(name) and not names.is_index(name)
    ]  # fmt: skip
    validation = trainer_of(known).found("validation", known) or OTHER.validation(known)
    train = () if validation else OTHER.train(known)
    if validation or train:
        return _sorted_out(Rewards(validation, train))
    if roles.value is not None:
        return Rewards((roles.value,))
    for name in names.rewards_among(columns.words):
        line, cell = columns.words[name]
        message = f"line {line}: {name} {shown(cell)} is not a number; repair the cell or leave it empty"
        raise SourceError(columns.path, message)
    left = [name for name in known if _is_measured(name, columns.numbers[name])]
    if len(left) != 1 or names.is_spread(left[0]) or names.is_other_measure(left[0]) or trainer_like(left):
        return Rewards()
    said = f"the column {left[0]!r} is taken as the reward: the only numeric one beside compute, identity and settings"
    return _sorted_out(Rewards((left[0],), (), (said,)))


def _sorted_out(rewards: Rewards) -> Rewards:
    """Return the rewards as train rewards where all names say that they are, as in a log."""
    validation = rewards.validation
    if not validation or not all(names.is_train(name) and not is_evaluation(name) for name in validation):
        return rewards
    return Rewards((), validation, rewards.repairs)


def _is_measured(name: str, values: NDArray[np.float64]) -> bool:
    """Whether a column of numbers is measured: no time, and no setting, which does not change."""
    finite = values[np.isfinite(values)]
    return not names.is_time(name) and (finite.size == 1 or (finite.size > 1 and float(np.ptp(finite)) > 0))
