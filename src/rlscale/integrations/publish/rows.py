"""Fits and decisions of a run as the rows that a tracker is told: numbers, and the same in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from rlscale.curves import ADDED
from rlscale.decisions.gate import Action
from rlscale.inference.verdict import VerdictName
from rlscale.integrations.publish.contract import Row
from rlscale.ledger import Backlog, DecisionRow, FitRow, digest

__all__ = ["DECISIONS", "VERDICTS", "rows_of"]

#: Trackers chart numbers: the verdicts from the least to the most that a curve supports, the decisions by what goes on.
VERDICTS = {name.value: code for code, name in enumerate(VerdictName)}
DECISIONS = {Action.STOP.value: 0, Action.HOLD.value: 1, Action.CONTINUE.value: 2, Action.COMMIT.value: 3}

_LEVELS = ("q10", "q50", "q90")


def rows_of(backlog: Backlog, step_of: Callable[[float], int]) -> tuple[Row, ...]:
    """Return what is new of a run as rows, in the order of compute.

    A decision that came with an evaluation stands in its row; one that came later, with evaluations of other runs, has
    a row of its own at the same step.

    Parameters
    ----------
    backlog : Backlog
    step_of : callable
        Returns the step at a compute.
    """
    places: list[tuple[float, int, int, FitRow | DecisionRow]] = [
        *((one.compute, 0, one.seq, one) for one in backlog.fits),
        *((float(one.evidence["spent"]), 1, one.id, one) for one in backlog.decisions),
    ]
    rows: list[Row] = []
    latest, fresh = backlog.before, -math.inf  # the decision in force; the compute of a fit without one of its own
    for compute, _, _, one in sorted(places, key=lambda place: place[:3]):
        if isinstance(one, FitRow):
            rows.append(_fitted(one, step_of(compute), latest))
            fresh = compute
            continue
        latest = one
        if compute == fresh:
            last, fresh = rows[-1], -math.inf
            rows[-1] = replace(
                last, key=_key(last.key, one), metrics={**last.metrics, **_number(one)},
                texts={**last.texts, **_words(one), f"{ADDED}reason": one.reason},
            )  # fmt: skip
        else:
            metrics = {f"{ADDED}compute": compute, **_number(one)}
            rows.append(
                Row(_key("", one), step_of(compute), one.at, metrics, {**_words(one), f"{ADDED}reason": one.reason})
            )
    return tuple(rows)


def _key(before: str, one: DecisionRow) -> str:
    return digest([before, one.id, one.hash])


def _fitted(fit: FitRow, step: int, decision: DecisionRow | None) -> Row:
    numbers: dict[str, float | None] = {"compute": fit.compute, "target": fit.target, "p_best": fit.p_best}
    for name, three in (("ceiling", fit.A), ("forecast", fit.forecast), ("resolves_at", fit.resolves_at)):
        numbers |= {f"{name}_{level}": value for level, value in zip(_LEVELS, three or (), strict=False)}
    numbers["verdict"] = VERDICTS.get(fit.verdict)
    metrics = {f"{ADDED}{name}": float(value) for name, value in numbers.items()
               if value is not None and math.isfinite(value)}  # fmt: skip
    if decision is not None:
        metrics |= _number(decision)
    texts = {f"{ADDED}verdict_text": fit.verdict, **({} if decision is None else _words(decision))}
    return Row(digest([fit.run_id, fit.seq, fit.settings]), step, fit.at, metrics, texts)


def _number(one: DecisionRow) -> dict[str, float]:
    return {f"{ADDED}decision": float(DECISIONS[one.action])}


def _words(one: DecisionRow) -> dict[str, str]:
    return {f"{ADDED}decision_text": one.action}
