from __future__ import annotations

from dataclasses import replace

import pytest

from rlscale.answers.views import RankView, headline
from rlscale.decisions import Ranking, RecipeRank
from rlscale.inference import Interval, Verdict, VerdictName
from rlscale.inference.pool import SeedSpread
from tests.answers import made

FLAT = Verdict(VerdictName.NO_LEARNING, "A gain has probability 0.42.", "Check the reward signal.")
FULL = replace(FLAT, saturated=True)
FALLEN = Verdict(VerdictName.COLLAPSED, "The reward fell.", "Find the cause.")
B = Interval(1.0, 1.2, 1.5)


def row(name: str, verdict: Verdict, middle: float, p_best: float, group: int) -> RecipeRank:
    level = Interval(middle - 0.05, middle, middle + 0.05)
    return RecipeRank(name, (name,), verdict, p_best, group, level, B, level, 0.01)


def answer(*recipes: RecipeRank) -> RankView:
    runs = tuple(made.run_view(one.recipe, one.recipe, one.verdict, 0.7, 0.05) for one in recipes)
    ranking = Ranking(1600.0, "steps", recipes, (), SeedSpread(0.03, "default", 0), "recipes", ())
    return RankView(ranking=ranking, runs=runs)


SCARCE = replace(row("z", made.SCARCE, 0.5, 0.0, 1), p_best=None, group=None, A=None, B=None, forecast=None)
UP = row("a", made.RESOLVED, 0.7, 0.6, 1)


@pytest.mark.parametrize(
    ("recipes", "said"),
    [
        (
            (UP, SCARCE),
            "a is the only recipe that can be ranked: reward 0.700, 80 % interval 0.650–0.750.",
        ),
        (
            (row("a", made.EARLY, 0.7, 0.534, 1), row("b", FLAT, 0.68, 0.466, 1)),
            "a is ahead at 1.6k steps, best with probability 53 %, but cannot be told apart from b (no learning yet): "
            "no claim reaches 95 %.",
        ),
        (
            (row("a", made.EARLY, 0.6, 0.3, 1), row("b", FLAT, 0.68, 0.7, 1)),
            "a ranks first at 1.6k steps, best with probability 30 %, but cannot be told apart from "
            "b (no learning yet): no claim reaches 95 %.",
        ),
        (
            (row("a", made.RESOLVED, 0.97, 0.6, 1), row("b", FULL, 0.96, 0.4, 1)),
            "a is ahead at 1.6k steps, best with probability 60 %, but cannot be told apart from b (near its upper "
            "bound from the start): no claim reaches 95 %.",
        ),
        (
            (row("b", FULL, 0.97, 0.98, 1), row("a", made.RESOLVED, 0.7, 0.02, 2)),
            "b leads at 1.6k steps, best with probability 98 %: reward 0.970, 80 % interval 0.920–1.020.",
        ),
        (
            (UP, row("c", FALLEN, 0.68, 0.3, 1), row("b", FLAT, 0.4, 0.0, 2)),
            "a is ahead at 1.6k steps, best with probability 60 %, but cannot be told apart from c (collapsed): "
            "no claim reaches 95 %.",
        ),
        (
            (row("a", made.RESOLVED, 0.7, 0.98, 1), row("b", FLAT, 0.4, 0.02, 2)),
            "a leads at 1.6k steps, best with probability 98 %: reward 0.700, 80 % interval 0.650–0.750.",
        ),
        (
            (row("c", FALLEN, 0.7, 0.98, 1), row("a", made.RESOLVED, 0.4, 0.02, 2)),
            "c leads at 1.6k steps, best with probability 98 %, but it collapsed: its fit covers the part up to "
            "the peak (reward 0.700, 80 % interval 0.650–0.750).",
        ),
        (
            (row("c", FALLEN, 0.7, 0.6, 1), row("a", made.RESOLVED, 0.68, 0.4, 1)),
            "c is ahead at 1.6k steps, best with probability 60 %, but cannot be told apart from a: no claim reaches "
            "95 %; and it collapsed: its fit covers the part up to the peak.",
        ),
        (
            (row("c", FALLEN, 0.7, 1.0, 1), SCARCE),
            "c is the only recipe that can be ranked, but it collapsed: its fit covers the part up to the peak "
            "(reward 0.700, 80 % interval 0.650–0.750).",
        ),
        ((row("b", FLAT, 0.4, 1.0, 1), SCARCE), "No recipe shows learning yet: there is nothing to rank."),
    ],
)
def test_headline_of_a_ranking(recipes: tuple[RecipeRank, ...], said: str) -> None:
    assert headline(answer(*recipes)) == said
