"""The answer of the page that people keep open: every recipe, who leads, what was decided, what is wrong."""

from rlscale.answers.overview.answer import overview_answer
from rlscale.answers.overview.view import BESIDE, CARDS, ROWS, SORTS, OverviewView, Told, shown_rows

__all__ = ["BESIDE", "CARDS", "ROWS", "SORTS", "OverviewView", "Told", "overview_answer", "shown_rows"]
