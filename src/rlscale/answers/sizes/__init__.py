"""The answer of ``sizes``: view, words, table, chart, JSON."""

from rlscale.answers.sizes.answer import sizes_answer
from rlscale.answers.sizes.view import SizesView, sizes_view

__all__ = ["SizesView", "sizes_answer", "sizes_view"]
