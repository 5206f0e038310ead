"""Decisions as a ledger holds them, back as values of the gate: nothing is fitted or decided anew."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rlscale.curves import Run
from rlscale.decisions.gate import Action, Decision, GateAnswer
from rlscale.decisions.gate.answer import QUANTILES, Evidence
from rlscale.decisions.savings import Savings
from rlscale.inference import VerdictName
from rlscale.ledger import DecisionRow, LookRow
from rlscale.live.settings import WatchSettings

__all__ = ["answer_of", "decision_of"]


def decision_of(row: DecisionRow) -> Decision:
    """Return the decision that a row holds: its document has the hash of the row."""
    told: Mapping[str, Any] = row.evidence
    forecast = told["forecast"]
    evidence = Evidence(
        contender=told["contender"],
        spent=told["spent"],
        evaluations=told["evaluations"],
        reward=told["reward"],
        forecast=None if forecast is None else tuple(forecast[name] for name in QUANTILES),
        mean=None if forecast is None else forecast["mean"],
        h=told["h"],
        joint_risk=told["joint_risk"],
        guard=told["guard"],
        looks=told["looks_qualified"],
        drift=told["drift"],
        discrepancy=told["discrepancy"],
        collapsed=told["collapsed"],
        verdict=None if told["verdict"] is None else VerdictName(told["verdict"]),
    )
    return Decision(
        run=row.run, recipe=row.recipe, action=Action(row.action), code=row.code, reason=row.reason, evidence=evidence
    )


def answer_of(
    look: LookRow, decided: Sequence[DecisionRow], runs: Sequence[Run], saved: Savings, *, clock: str, metric: str
) -> GateAnswer:
    """Return the decisions in force after a look, each as it was made.

    Parameters
    ----------
    look : LookRow
        The latest.
    decided : sequence of DecisionRow
        The latest on each run.
    runs : sequence of Run
        For charts; may lack some.
    saved : Savings
    clock, metric : str
        Of the runs.
    """
    settings = WatchSettings.of(look.settings)
    recipes = {row.recipe for row in decided}
    seeded = len(recipes) < len(decided)
    shown = (0.0, 1.0) if not runs else runs[0].curve.shown_in
    tau = settings.seed_sd
    return GateAnswer(
        budget=settings.budget,
        horizon=settings.end,
        spent=saved.spent,
        unit=look.unit,
        clock=clock,
        metric=metric,
        bounds=shown,
        decisions=tuple(decision_of(row) for row in decided),
        risk=look.risk,
        leader=look.leader,
        policy=settings.policy,
        claim="recipes" if seeded or tau else "runs",
        seed_sd=math.nan if tau is None and seeded else tau or 0.0,  # learned then, and not kept
        notes=(),
        savings=saved,
        runs=tuple(runs),
    )
