"""One job: who it is, its validation curve, and everything else its log holds."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves.curve import Curve
from rlscale.curves.value import Value
from rlscale.errors import CurveError

__all__ = ["ADDED", "COMPUTE", "NON_FINITE", "Metric", "Run", "Series", "Source"]

#: What the keys of series begin with that readers add to those of the log.
ADDED = "rlscale/"
#: Key of the series that holds the run's compute, in its curve's unit, at the trainer's steps; where a step is its own
#: compute there is none.
COMPUTE = f"{ADDED}compute"
#: What the keys of such series begin with that hold 1 at each step at which the quantity of the rest of the key was
#: logged and not finite, where readers took those rows out of it. Elsewhere the quantity itself is NaN there.
NON_FINITE = f"{ADDED}non_finite/"


@dataclass(frozen=True, eq=False, repr=False)
class Series(Value):
    """A logged quantity against the trainer's step.

    Parameters
    ----------
    step : array, shape (n,)
        Trainer step of each value, increasing.
    value : array, shape (n,)
        The quantity, in the unit the trainer logs it in; NaN where the trainer logged none.
    """

    step: NDArray[np.float64]
    value: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Series({self.value.size} values)"

    def __post_init__(self) -> None:
        for name in ("step", "value"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.step.shape != self.value.shape or self.step.ndim != 1:
            raise CurveError(f"a series needs one value a step, got shapes {self.step.shape} and {self.value.shape}")


@dataclass(frozen=True, eq=False)
class Metric(Value):
    """A quantity under its canonical name, whichever trainer logged it.

    Parameters
    ----------
    key : str
        What the trainer calls it.
    unit : str
        Its unit; trainers differ (a mismatch in probabilities is not one in log-probabilities).
    series : Series
        Its values.
    """

    key: str
    unit: str
    series: Series


@dataclass(frozen=True)
class Source(Value):
    """Where a run was read from.

    Parameters
    ----------
    path : str
        The file, as the user named it.
    format : str
        The reader, for example ``trl`` or ``table``.
    rows : int
        Rows of the file that belong to this run.
    repairs : tuple of str
        Every repair made while reading, one sentence each.
    trainer : str, optional
        The trainer that logged it, where its keys tell.
    """

    path: str
    format: str
    rows: int
    repairs: tuple[str, ...] = ()
    trainer: str | None = None

    @property
    def is_table(self) -> bool:
        """Whether it is a table, whose columns stand at the compute of the evaluations."""
        return self.format == "table"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Run(Value):
    """One job, with its validation curve.

    Parameters
    ----------
    name : str
        Unique among the runs read together.
    recipe : str
        The named configuration the run is one seed of.
    curve : Curve
        Validation reward against compute.
    seed : int, optional
        None where the log names none.
    model_params : float, optional
        Parameters of the policy (a count, not billions).
    config : mapping, optional
        The trainer's configuration, where the log holds it.
    series : mapping of str to Series, optional
        The other logged quantities, under the trainer's own keys; under :data:`COMPUTE` and :data:`NON_FINITE` what
        readers add to them.
    metrics : mapping of str to Metric, optional
        Those among them that every trainer logs in some way, under their canonical names: ``entropy``, ``kl``,
        ``clip_fraction``, ... (``rlscale sources --metrics`` lists them).
    settings : mapping of str to Any, optional
        What the configuration says of the recipe, under canonical names: ``loss_type``, ``generations``, ...
    source : Source, optional
        Where it was read from; None for a run made in memory.
    warnings : tuple of str, optional
        What a reader of the result must know.

    Raises
    ------
    CurveError
        The name or the recipe is empty.
    """

    name: str
    recipe: str
    curve: Curve
    seed: int | None = None
    model_params: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        content = f"{len(self.metrics)} metrics, {len(self.series)} series, {len(self.settings)} settings"
        return f"Run({self.name!r} of recipe {self.recipe!r}: {self.curve!r}, {content})"

    def with_curve(self, curve: Curve, *, source: Source | None, warnings: tuple[str, ...]) -> Run:
        """Return the run with another curve, and what is said of it; all else is shared."""
        other = copy(self)
        for attribute, value in (("curve", curve), ("source", source), ("warnings", warnings)):
            object.__setattr__(other, attribute, value)
        return other

    def __post_init__(self) -> None:
        for attribute in ("name", "recipe"):
            if not getattr(self, attribute):
                raise CurveError(f"a run needs a {attribute}; got {getattr(self, attribute)!r}")
        for attribute in ("config", "series", "metrics", "settings"):
            object.__setattr__(self, attribute, MappingProxyType(dict(getattr(self, attribute))))
