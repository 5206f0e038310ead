"""Validation silence: training goes on, evaluations do not."""

from __future__ import annotations

import numpy as np

from rlscale.health.detect import Span
from rlscale.health.limits import Limits
from rlscale.health.monitor import Finding, Judgement, Monitor, lacks
from rlscale.health.vitals import Vitals

__all__ = ["VALIDATION_SILENCE"]

_LEAST = 3


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    held_out = vitals.validation
    if held_out is None:
        return lacks("no validation is logged (the curve is the train reward): log one as eval/accuracy")
    if held_out.size < _LEAST:
        what = f"{held_out.key} has {held_out.size} value{'' if held_out.size == 1 else 's'}"
        return lacks(f"{what}, and {_LEAST} are needed to know how often it comes: it is judged from there on")
    if not vitals.channels and vitals.reward is None:
        return lacks("nothing beside the validation is logged: log the train reward as reward")
    usual = float(np.median(np.diff(held_out.step)))
    since = vitals.step_last - float(held_out.step[-1])
    if usual <= 0.0 or since < limits.silence * usual:
        return Judgement()
    others = [*vitals.channels.values(), *([vitals.reward] if vitals.reward is not None else [])]
    latest = max((each for each in others if each.size), key=lambda each: float(each.step[-1]))
    begun = int(np.searchsorted(latest.step, held_out.step[-1] + usual))
    raised = int(np.searchsorted(latest.step, held_out.step[-1] + limits.silence * usual))
    span = Span(min(begun, raised, latest.size - 1), min(raised, latest.size - 1), None)
    message = f"no evaluation for {since / usual:.3g} times the usual interval of {usual:g} steps, and training goes on"
    return Judgement((Finding("warn", latest, span, since / usual, limits.silence, message, unit="times"),))


VALIDATION_SILENCE = Monitor(
    name="validation_silence",
    title="silence",
    needs=("a validation, and any train series",),
    rule="steps since the last evaluation ≥ 3 times the median interval between evaluations",
    source="a rule; an evaluation that is skipped once is none",
    advice="see whether evaluations fail; without them the curve ends here",
    judge=_judge,
)
