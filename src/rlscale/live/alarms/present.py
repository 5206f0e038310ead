"""What runs show now, of each kind of alarm, from their health, fits and ranking and from the gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rlscale.curves import Curve
from rlscale.decisions import Pair, Ranking
from rlscale.decisions.gate import Action, Decision
from rlscale.decisions.pairs import TRAP
from rlscale.health import SEVERITIES, Alarm, RunHealth
from rlscale.inference import Fit, VerdictName
from rlscale.inference.examine import examine
from rlscale.inference.regimes import Break
from rlscale.live.alarms.signal import Key, Signal
from rlscale.numerals import quantity

__all__ = ["decision_signals", "health_signals", "trap_signals", "unjudged", "verdict_signals", "worth"]

_VERDICT, _RANKING, _GATE = "the verdict on its curve", "the forecasts of all recipes", "the gate"
_ACTED = {
    Action.STOP: "it will not be resumed",
    Action.HOLD: "resume it by hand with rlscale gate resume, or leave it to the gate",
    Action.COMMIT: "put the compute of the others into it",
}


def worth(signals: Iterable[Signal], level: str) -> list[Signal]:
    """Return what is as grave as ``level``, or graver."""
    least = SEVERITIES.index(level)
    return [signal for signal in signals if SEVERITIES.index(signal.severity) >= least]


def health_signals(health: RunHealth) -> list[Signal]:
    """Return what the monitors say of a run as it stands: of each, the gravest alarm that lasts."""
    gravest: dict[str, Alarm] = {}
    for alarm in health.alarms:
        known = gravest.get(alarm.monitor)
        if alarm.lasts and (known is None or SEVERITIES.index(alarm.severity) > SEVERITIES.index(known.severity)):
            gravest[alarm.monitor] = alarm
    return [
        Signal(
            kind=name, run=health.run, recipe=health.recipe, severity=alarm.severity, since=alarm.since,
            value=alarm.value, threshold=alarm.threshold, unit=alarm.compute_unit, source=alarm.source,
            message=f"{_sentence(alarm.message)} To do: {alarm.advice}.", false_alarms=alarm.false_alarms,
        )
        for name, alarm in gravest.items()
    ]  # fmt: skip


def unjudged(health: RunHealth) -> set[Key]:
    """Return what cannot be judged of a run as it stands: that is never the same as healthy."""
    return {(health.run, missing.monitor) for missing in health.not_measurable}


def verdict_signals(fit: Fit) -> list[Signal]:
    """Return that a run has collapsed, or that its curve is resolved."""
    run, curve, verdict = fit.run, fit.run.curve, fit.verdict
    if verdict.name is VerdictName.COLLAPSED:
        fall = examine(curve).found
        since, value, threshold = (None,) * 3 if fall is None else (_fell(fall, curve), fall.now, fall.before)
        severity, kind = "stop", "collapse"
    elif verdict.name is VerdictName.RESOLVED:
        asked = next((each for each in fit.forecasts if each.compute == fit.question), fit.asymptote)
        value = None if asked is None else 0.5 * (asked.q90 - asked.q10)
        since, threshold = curve.compute_last, fit.options.tolerance * curve.range
        severity, kind = "warn", "resolved"
    else:
        return []
    return [
        Signal(
            kind=kind, run=run.name, recipe=run.recipe, severity=severity, since=since, value=value,
            threshold=threshold, message=verdict.reason, source=_VERDICT, unit=curve.unit,
        )
    ]  # fmt: skip


def decision_signals(decisions: Sequence[Decision], unit: str, *, acting: bool) -> list[Signal]:
    """Return that the gate stops, holds or commits to runs, as they stand."""
    dry = "" if acting else " This is a dry run: nothing is carried out."
    return [
        Signal(
            kind="decision", run=each.run, recipe=each.recipe, severity="warn", since=each.evidence.spent,
            value=each.evidence.h, threshold=None, source=_GATE, unit=unit, state=each.action.value,
            message=f"{_sentence(each.reason)} To do: {_ACTED[each.action]}.{dry}",
        )
        for each in decisions
        if each.action in _ACTED
    ]  # fmt: skip


def trap_signals(ranking: Ranking) -> list[Signal]:
    """Return that the recipe that led early loses to the best one: at most one, of those that do the highest placed.

    One that has collapsed leads nobody on.
    """
    if not ranking.recipes:
        return []
    best = ranking.recipes[0].recipe
    places = {each.recipe: place for place, each in enumerate(ranking.recipes)}
    fallen = {each.recipe for each in ranking.recipes if each.verdict.name is VerdictName.COLLAPSED}
    pairs = [
        pair
        for pair in ranking.pairs
        if pair.trap and best in (pair.a, pair.b) and pair.early_leader not in (best, *fallen)
    ]
    if not pairs:
        return []
    pair = min(pairs, key=lambda each: places[each.early_leader])
    loser = ranking.recipes[places[pair.early_leader]]
    name = loser.runs[0] if len(loser.runs) == 1 else loser.recipe
    p = _p_loses(pair)
    return [
        Signal(
            kind="trap", run=name, recipe=loser.recipe, severity="warn", since=None, value=p, threshold=TRAP,
            source=_RANKING, unit=ranking.unit,
            message=f"{loser.recipe} leads {best} early and loses to it at {_at(ranking)} with probability {p:.2f}. "
            f"To do: do not stop {best} for being behind now.",
        )
    ]  # fmt: skip


def _fell(fall: Break, curve: Curve) -> float:
    """Return the compute of the first evaluation after the peak that lies nearer to where the run fell to."""
    below = (curve.compute > fall.until) & (curve.reward < 0.5 * (fall.before + fall.now))
    return float(curve.compute[int(np.argmax(below))]) if below.any() else fall.since


def _p_loses(pair: Pair) -> float:
    return 1.0 - pair.p_a_better if pair.early_leader == pair.a else pair.p_a_better


def _at(ranking: Ranking) -> str:
    return quantity(ranking.at, ranking.unit)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
