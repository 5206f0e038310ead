"""How a run's answer came about, as sentences: shared by the text output, the chart and the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlscale.answers.numbers import count, quantity, reward
from rlscale.answers.palette import verdict_words
from rlscale.answers.views import Bounds
from rlscale.inference import OverTime

__all__ = ["compute_labels", "growth_sentences", "has_forecasts", "target_heading", "verdict_changes", "verdict_since"]

#: Changes of a verdict that are told; of more the latest.
_CHANGES = 4


def verdict_changes(grown: OverTime) -> str:
    """Say from where on a run had which verdict, ``bending from 1.2k, resolved from 2.4k steps``; empty of one look."""
    if len(grown.looks) == 1:
        return ""
    changes = grown.changes
    latest = verdict_words(grown.latest.verdict.name)
    if len(changes) == 1:
        return f"{latest} at every look"
    told = changes[-_CHANGES:]
    labels = compute_labels([look.compute for look in told])
    parts = [f"{verdict_words(look.verdict.name)} from {label}" for look, label in zip(told, labels, strict=True)]
    sentence = f"{', '.join(parts)} {grown.unit}"
    if len(told) < len(changes):
        again = f"; first {latest} at {quantity(grown.first_seen)}" if grown.first_seen < told[0].compute else ""
        return f"changed {count(len(changes) - 1, 'time')}, at last {sentence}{again}"
    return sentence


def verdict_since(grown: OverTime) -> str:
    """Say what the verdict is and from where on it has been that, ``resolved since 2.4k steps``."""
    latest = verdict_words(grown.latest.verdict.name)
    return latest if len(grown.looks) == 1 else f"{latest} since {quantity(grown.since, grown.unit)}"


def growth_sentences(grown: OverTime, bounds: Bounds) -> list[str]:
    """Return how the verdict changed and what became of earlier intervals; nothing where there was one look."""
    changes = verdict_changes(grown)
    return [f"Verdict: {changes}.", *_holding(grown, bounds)] if changes else []


def _holding(grown: OverTime, bounds: Bounds) -> list[str]:
    """Say of each answer how many earlier intervals hold its median of today; nothing where there are none."""
    answers = [("ceiling", "of the ceiling"), ("forecast", f"of the reward {target_heading(grown)}")]
    said = []
    for of, what in answers if has_forecasts(grown) else answers[:1]:
        held, earlier = grown.holding(of)  # type: ignore[arg-type]
        now = getattr(grown.latest, of)
        if earlier and now is not None:
            hold = "holds" if held == 1 else "hold"
            median = f"today's median, {reward(now.q50, bounds)}"
            said.append(f"Of {count(earlier, 'earlier 80 % interval')} {what}, {held} {hold} {median}.")
    return said


def has_forecasts(grown: OverTime) -> bool:
    """Whether there are forecasts that differ from the ceiling."""
    return grown.target is not None and not math.isinf(grown.target)


def target_heading(grown: OverTime) -> str:
    """Return the heading of the forecasts; empty where there is no target."""
    return "" if grown.target is None else f"at {quantity(grown.target)}"


def compute_labels(computes: Sequence[float]) -> list[str]:
    """Return computes with as many digits as it takes to tell them apart."""
    for digits in range(3, 7):
        labels = [quantity(compute, digits=digits) for compute in computes]
        if len(set(labels)) == len(set(computes)):
            break
    return labels
