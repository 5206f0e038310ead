"""Answers as text and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console

from rlscale.answers import Answer
from rlscale.answers.fit import fit_answer
from rlscale.answers.rank import rank_answer
from rlscale.answers.views import FitView, RankView
from rlscale.inference import Fit
from rlscale.render.html import as_page
from rlscale.render.terminal import print_answer


def answer_of(view: FitView | RankView, fits: Sequence[Fit] | None = None) -> Answer:
    return rank_answer(view, fits) if isinstance(view, RankView) else fit_answer(view, fits)


def text_of(answer: Answer, width: int, colour: bool = False) -> str:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, emoji=False, markup=False)
    print_answer(answer, console)
    return out.getvalue()


def page_of(view: FitView | RankView, fits: Sequence[Fit]) -> str:
    return as_page(answer_of(view, fits))
