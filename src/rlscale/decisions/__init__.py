"""From posteriors to answers: pure functions, no files, no plots."""

from rlscale.decisions.rank import Pair, PublishedCheck, Ranking, RecipeRank, rank

__all__ = ["Pair", "PublishedCheck", "Ranking", "RecipeRank", "rank"]
