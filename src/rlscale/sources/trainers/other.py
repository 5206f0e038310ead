"""Whatever no known trainer wrote: rewards recognised by their names, counters by their units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rlscale.curves import Series
from rlscale.sources import names
from rlscale.sources.clocks import timers
from rlscale.sources.history import History
from rlscale.sources.keys import is_evaluation
from rlscale.sources.trainers.base import Measured, Trainer, plain, steps_of
from rlscale.sources.trainers.canonical import OWN_LOOP, Key
from rlscale.sources.trainers.rows_from_zero import (
    BASELINE,
    FROM_ZERO,
    counts_from_zero,
    shifted,
)

__all__ = ["OTHER", "trainer_like"]

#: Validation rewards that only the whole name tells.
_VALIDATION = re.compile(
    r"(?:test|eval|val|valid|validation)[_/](?:.*[_/])?(?:scores|solve_rate|(?:avg|mean)@\d+)(?:/(?:mean|avg|total))?"
)

#: Groups in order of preference where the log holds the same reward under several names.
_TRAIN = (
    (r"reward(?:/mean)?", r"mean_reward", r"reward_mean", r"train[_/]reward(?:[_/]mean)?", r"train[_/]mean_reward"),
    (r"rollout/(?:reward|reward_mean|raw_reward)", r"reward/avg_raw_reward", r"env/all/reward/total"),
    (r"critic/score/mean", r"scores?", r"objective/verifiable_reward", r"reward/total", r"rl/reward"),
    (r"train/agg/(?:all|effective)/.+/reward/mean",),
)

#: What trainers log of a train batch.
_TRAINER = re.compile(
    r"(?:time|timing_s|progress|env|optim|actor|critic|perf|train|training|rollout|objective|policy|loss)/.+"
    r"|(?:.+[/_])?(?:loss|lr|learning_rate|entropy|kl|grad_norm|clip_?frac|clip_ratio|num_tokens|step_time)(?:[/_].+)?"
    r"|(?:completions?|response)s?(?:[/_]mean)?[/_]length.*"
)

#: Cumulative counters of some trainers, before those that their whole names tell.
_COUNTERS = ("num_tokens", "progress/total_tokens", "total_tokens", "time/total_timesteps")


def trainer_like(keys: Iterable[str]) -> bool:
    """Whether any key is one that only a trainer logs beside its reward, on the train batch."""
    return any(_TRAINER.fullmatch(key) is not None and not is_evaluation(key) for key in keys)


class _Other(Trainer):
    """Recognises rewards by their names."""

    def validation(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the keys whose names say validation; a step and a reward alone are evaluations."""
        known = tuple(keys)
        found = super().validation(known) or tuple(key for key in known if _VALIDATION.fullmatch(key))
        if found:
            return found
        train = self.train(known)
        if trainer_like(key for key in known if key not in train):
            return ()
        bare = (key for key in names.rewards_among(known) if "/" not in key)
        return tuple(key for key in dict.fromkeys((*train, *bare)) if "train" not in key)

    def train(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the train rewards: those of the first group that any key matches."""
        known = tuple(keys)
        for group in _TRAIN:
            found = tuple(key for key in known if any(re.fullmatch(pattern, key) for pattern in group))
            if found:
                return found
        return tuple(key for key in names.rewards_among(known) if not is_evaluation(key))


def _measure(trainer: Trainer, history: History, config: Mapping[str, Any]) -> Measured:
    """Return compute: ``steps``, and any counter named after a unit.

    Rows are train batches where the steps are 0, 1, 2, ... and something that only trainers log stands beside the
    reward; then row ``k`` is update ``k + 1``, so that no train batch passes for a baseline at compute 0. Others are
    evaluations, and their step 0 is the baseline.
    """
    train = trainer.train(history.series)
    batches = trainer_like(key for key in history.series if key not in train)
    from_zero = counts_from_zero(history.series, train, batches)
    series = shifted(history.series) if from_zero else dict(history.series)
    steps = steps_of(series)
    totals = _counters(series)
    units = {key: names.axis_unit(key) or "" for key in totals}
    said = {key: FROM_ZERO for key in series if not is_evaluation(key)} if from_zero else {}
    if not from_zero:
        said = {key: BASELINE for key in train if series[key].step.size and series[key].step[0] == 0.0}
    return Measured(
        axes={"steps": Series(steps, steps), **{units[key]: total for key, total in reversed(totals.items())}},
        axis_keys=totals,
        axis_units=units,
        clocks=timers(series, ("step_time", "time/step", "timing/step"), ("time/eval", "timing/eval")),
        series=series,
        metric_repairs=said,
    )


def _counters(series: Mapping[str, Series]) -> dict[str, Series]:
    """Return the counters a log holds, by key, the best first: numbers that rise from 0 or above and never fall."""
    totals: dict[str, Series] = {}
    named = sorted((key for key in series if "/" not in key), key=names.axis_rank)
    for key in dict.fromkeys((*_COUNTERS, *named)):
        if key not in series or names.axis_unit(key) in (None, "steps", "dollars"):
            continue
        logged = series[key]
        keep = np.isfinite(logged.value)
        value = logged.value[keep]
        if value.size and value[0] >= 0 and np.all(np.diff(value) >= 0) and (value.size < 2 or value[-1] > value[0]):
            totals[key] = Series(logged.step[keep], value)
    return totals


OTHER = _Other(
    name="other",
    title="any other",
    snapshot="",
    marks=(),
    keys=(
        Key("step", "step"),
        *OWN_LOOP,
    ),
    native=plain,
    measure=_measure,
    files="a metrics.jsonl with one flat object a step, or any tracker",
)
