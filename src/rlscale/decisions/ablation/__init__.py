"""Ablations: which knob moved the ceiling, and which only the speed."""

from rlscale.decisions.ablation.ablate import ablate
from rlscale.decisions.ablation.answer import (
    Ablation,
    Effect,
    Interaction,
    KnobEffect,
    Needs,
    Recipe,
    Says,
    Speed,
    Spread,
    Trend,
)
from rlscale.decisions.ablation.design import DesignKind

__all__ = [
    "Ablation",
    "DesignKind",
    "Effect",
    "Interaction",
    "KnobEffect",
    "Needs",
    "Recipe",
    "Says",
    "Speed",
    "Spread",
    "Trend",
    "ablate",
]
