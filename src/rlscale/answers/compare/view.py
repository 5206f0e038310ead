"""The view of a comparison of runs: each stands for itself, as if it were a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.answers.palette import SERIES
from rlscale.answers.run import setting_text
from rlscale.answers.views import RankView
from rlscale.inference import Fit

__all__ = ["MOST", "CompareView"]

#: Runs that are compared at most: as many as there are colours.
MOST = len(SERIES)


@dataclass(frozen=True, kw_only=True)
class CompareView:
    """Several runs side by side.

    Parameters
    ----------
    ranked : RankView
        The runs ranked among themselves, each as a recipe of its own name.
    fits : tuple of Fit
        Behind it, in its order.
    lead : str
        Which runs these are, in a sentence, where nobody chose them one by one.
    """

    ranked: RankView
    fits: tuple[Fit, ...]
    lead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The runs, the best first."""
        return tuple(row.recipe for row in self.ranked.ranking.recipes)

    @property
    def ordered(self) -> tuple[Fit, ...]:
        """The fits, the best first."""
        by_name = {fit.run.name: fit for fit in self.fits}
        return tuple(by_name[name] for name in self.names)

    @property
    def differing(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Settings in which the runs differ, with the text of each run in the order of :attr:`names`."""
        fits = self.ordered
        every = sorted({name for fit in fits for name in fit.run.settings})
        told = [(name, tuple(_text(fit, name) for fit in fits)) for name in every]
        return tuple((name, texts) for name, texts in told if len(set(texts)) > 1)


def _text(fit: Fit, name: str) -> str:
    return setting_text(fit.run.settings[name]) if name in fit.run.settings else ""
