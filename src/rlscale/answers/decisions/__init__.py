"""The answer about decisions: what is in force, what was decided when and why, and one of them made again."""

from rlscale.answers.decisions.answer import decisions_answer, undecided_answer
from rlscale.answers.decisions.view import Again, Command, DecisionsView, Word

__all__ = ["Again", "Command", "DecisionsView", "Word", "decisions_answer", "undecided_answer"]
