"""From posteriors to answers: pure functions, no files, no plots."""

from rlscale.decisions.contender import Outcome
from rlscale.decisions.pairs import Pair, PublishedCheck
from rlscale.decisions.rank import Ranking, RecipeRank, rank, rank_best, rank_runs

__all__ = ["Outcome", "Pair", "PublishedCheck", "Ranking", "RecipeRank", "rank", "rank_best", "rank_runs"]
