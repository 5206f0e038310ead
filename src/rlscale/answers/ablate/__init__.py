"""The answer of ``ablate``: view, words, table, chart, JSON."""

from rlscale.answers.ablate.answer import ablate_answer
from rlscale.answers.ablate.view import AblateView, ablate_view

__all__ = ["AblateView", "ablate_answer", "ablate_view"]
