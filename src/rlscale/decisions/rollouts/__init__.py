"""Rollouts: how many per prompt at which budget, what is left for problems and updates, and on which prompts.

``tried`` sorts runs by their rollouts, ``levels`` draws what their curves say, ``optimum`` finds the best number at
each compute, ``law`` how it rises and ends; ``prompts`` and ``best_at_k`` answer from pass counts, ``reuse`` and
``training`` look for overfitting; ``rollouts`` asks all of them.
"""

from rlscale.decisions.rollouts.answer import ClassRollouts, LawConstants, Optimum, Record, Rollouts, TriedN
from rlscale.decisions.rollouts.best_at_k import BestAtK, best_and_worst, best_at_k, worst_at_k
from rlscale.decisions.rollouts.budget import Allocation
from rlscale.decisions.rollouts.counts import PassCounts
from rlscale.decisions.rollouts.envelope import Piece, record_breaking
from rlscale.decisions.rollouts.pass_rates import PromptPrior
from rlscale.decisions.rollouts.prompts import PromptAllocation, PromptShare, allocate
from rlscale.decisions.rollouts.reuse import DataReuse, RunReuse, data_reuse
from rlscale.decisions.rollouts.rollouts import rollouts
from rlscale.decisions.rollouts.training import TrainingContrast

__all__ = [
    "Allocation",
    "BestAtK",
    "ClassRollouts",
    "DataReuse",
    "LawConstants",
    "Optimum",
    "PassCounts",
    "Piece",
    "PromptAllocation",
    "PromptPrior",
    "PromptShare",
    "Record",
    "Rollouts",
    "RunReuse",
    "TrainingContrast",
    "TriedN",
    "allocate",
    "best_and_worst",
    "best_at_k",
    "data_reuse",
    "record_breaking",
    "rollouts",
    "worst_at_k",
]
