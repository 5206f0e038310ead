"""From posteriors to answers: pure functions, no files, no plots."""

from rlscale.decisions.pairs import Pair, PublishedCheck
from rlscale.decisions.rank import Ranking, RecipeRank, rank

__all__ = ["Pair", "PublishedCheck", "Ranking", "RecipeRank", "rank"]
