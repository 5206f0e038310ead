"""Planning compute: what it takes to reach a reward, what the next doubling buys, how to split a budget.

``reach``, ``doubling``, ``crossings`` and ``split`` each answer one question from posteriors; ``plan`` asks all of them
of the recipes of a ranking, and ``answer`` is what it returns.
"""

from rlscale.decisions.plan.answer import Cost, Crossing, Doubling, Plan, Reach, RecipePlan, Split, SplitPoint
from rlscale.decisions.plan.learning_rate import Evidence, LearningRate, lr_for
from rlscale.decisions.plan.plan import plan
from rlscale.decisions.plan.spends import PretrainingShare, Reference

__all__ = [
    "Cost",
    "Crossing",
    "Doubling",
    "Evidence",
    "LearningRate",
    "Plan",
    "PretrainingShare",
    "Reach",
    "RecipePlan",
    "Reference",
    "Split",
    "SplitPoint",
    "lr_for",
    "plan",
]
