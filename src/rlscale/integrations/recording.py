"""What a TRL run that records itself has logged since the ledger last took it, as the reader of its log has it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np

from rlscale.curves import Series
from rlscale.ledger import Logged, Points, points_of
from rlscale.sources.trainers.base import flat, parameters_of
from rlscale.sources.trainers.trl import NOT_SERIES, TRL, averaged

__all__ = ["Recording", "stated"]


def stated(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a heading says of the recipe and the model, by the configuration of a trainer and its model."""
    flat_config = flat(config)
    return {"settings": TRL.settings_of(flat_config), "model_params": parameters_of(flat_config)}


class Recording:
    """Rows as a trainer logs them, until they are kept.

    Parameters
    ----------
    metric : str
        Key of the reward, which is kept by compute and not by step.
    config : mapping
        Of the trainer and its model.
    step : float
        At which the trainer begins.
    """

    def __init__(self, metric: str, config: Mapping[str, Any], step: float) -> None:
        self._metric, self._config = metric, config
        self._start = self._end = step  # the steps that the latest train row averages lie after one, up to the other
        self._evaluations: dict[float, float] = {}
        self._values: dict[str, dict[float, float]] = {}
        self._known: set[str] | None = None  # keys whose metrics are kept; None before the first time

    def evaluate(self, compute: float, values: Mapping[str, Any]) -> None:
        """Note an evaluation; a reward that is not finite is none."""
        value = values.get(self._metric, math.nan)
        if _is_number(value) and math.isfinite(value):
            self._evaluations[compute] = float(value)

    def log(self, step: float, values: Mapping[str, Any]) -> None:
        """Note a row; the means of train rows stand in the middle of the steps that they average."""
        if ("loss" in values or "grad_norm" in values) and step > self._end:
            self._start, self._end = self._end, step
        middle = (self._start + 1.0 + self._end) / 2.0 if step == self._end > self._start else step
        for key, value in values.items():
            if key not in NOT_SERIES and key != self._metric and _is_number(value):
                place = middle if averaged(key) else step
                self._values.setdefault(key, {})[place] = float(value) if math.isfinite(value) else math.nan

    def new(self) -> tuple[dict[str, Points], Logged, bool]:
        """Return the new evaluations, the new part of the log, and whether something new is said of it as a whole."""
        points = {self._metric: _points(self._evaluations)} if self._evaluations else {}
        series = {key: Series(*_columns(values)) for key, values in self._values.items()}
        log = Logged(config=self._config, series=series, metrics=TRL.metrics(series), trainer=TRL.name)
        return points, log, self._known is None or not self._known.issuperset(series)

    def kept(self) -> None:
        """Forget what was new: the ledger has it."""
        self._known = {*(self._known or ()), *self._values}
        self._evaluations.clear()
        self._values.clear()


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _columns(values: Mapping[float, float]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    steps = sorted(values)
    return np.array(steps), np.array([values[step] for step in steps])


def _points(values: Mapping[float, float]) -> Points:
    return points_of(*_columns(values))
