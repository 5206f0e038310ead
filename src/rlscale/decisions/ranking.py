"""The answer of a ranking: recipes from best to worst, and what was said of each pair."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlscale.curves.value import Value
from rlscale.decisions.pairs import Pair
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.inference.pool import SeedSpread
from rlscale.inference.verdict import Verdict
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["Ranking", "RecipeRank"]


@dataclass(frozen=True)
class RecipeRank(Value):
    """One recipe's place.

    Parameters
    ----------
    recipe : str
    runs : tuple of str
    verdict : Verdict
        Of its middle run, where there are several.
    p_best : float, optional
        Probability of the highest level at the common compute; None where nothing was fitted.
    group : int, optional
        1 for what cannot be told apart from the leader, 2 for the next, ...
    A, B, forecast : Interval, optional
        Pooled ceiling, efficiency exponent, and level at the common compute.
    expected_regret : float, optional
        ``E[max over recipes - this]``, in reward.
    """

    recipe: str
    runs: tuple[str, ...]
    verdict: Verdict
    p_best: float | None
    group: int | None
    A: Interval | None
    B: Interval | None
    forecast: Interval | None
    expected_regret: float | None

    @property
    def ceiling(self) -> Interval | None:
        """The ceiling that is printed: ``A``, that of all families averaged; None where nothing was fitted."""
        return self.A


@dataclass(frozen=True, repr=False)
class Ranking(Result, Value):
    """Recipes from best to worst.

    Parameters
    ----------
    at : float
        The common compute; ``inf`` for the asymptote.
    unit : str
    recipes : tuple of RecipeRank
    pairs : tuple of Pair
    seed_sd : SeedSpread
    claim : str
        ``recipes`` where the run-to-run sd is included, ``runs`` where it is not (``seed_sd`` 0).
    notes : tuple of str
    fits : tuple of Fit
        What was ranked, for charts; of ``rank_runs`` none.
    left_out : tuple of LeftOut
        What was named and could not be read.
    """

    at: float
    unit: str
    recipes: tuple[RecipeRank, ...]
    pairs: tuple[Pair, ...]
    seed_sd: SeedSpread
    claim: str
    notes: tuple[str, ...]
    fits: tuple[Fit, ...] = field(default=(), compare=False)
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        first = self.recipes[0]
        lead = f"{first.recipe!r} first" + ("" if first.p_best is None else f", P(best) {first.p_best:.2f}")
        return f"Ranking({len(self.recipes)} recipes at {self.at:g} {self.unit}: {lead})"
