"""The answer about several runs side by side."""

from rlscale.answers.compare.answer import compare_answer
from rlscale.answers.compare.view import MOST, CompareView

__all__ = ["MOST", "CompareView", "compare_answer"]
