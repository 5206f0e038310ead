"""The answer of ``rollouts``."""

from rlscale.answers.rollouts.answer import rollouts_answer
from rlscale.answers.rollouts.view import RolloutsView, rollouts_view

__all__ = ["RolloutsView", "rollouts_answer", "rollouts_view"]
