"""Across model sizes: the law, sizes without data, and the best size for a budget."""

from rlscale.decisions.sizes.answer import (
    Band,
    Belief,
    BestSize,
    Crossing,
    FormName,
    FormScore,
    HeldOut,
    Missed,
    PredictionKind,
    SizeChance,
    SizeLaw,
    SizePrediction,
    SizeRow,
    Widening,
)
from rlscale.decisions.sizes.law import size_law

__all__ = [
    "Band",
    "Belief",
    "BestSize",
    "Crossing",
    "FormName",
    "FormScore",
    "HeldOut",
    "Missed",
    "PredictionKind",
    "SizeChance",
    "SizeLaw",
    "SizePrediction",
    "SizeRow",
    "Widening",
    "size_law",
]
