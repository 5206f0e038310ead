from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

from rlscale.answers.documents import fit_document, rank_document
from rlscale.answers.settings import Settings
from rlscale.answers.views import RankView, fit_view, rank_view
from rlscale.decisions import rank
from rlscale.inference import Fit, FitOptions, fit
from rlscale.render.json import dumps
from tests.answers import made

FIT_KEYS = [
    "run", "recipe", "seed", "unit", "metric", "n_points", "compute_last", "reward_last", "family", "verdict", "reason",
    "resolves_at", "R0", "A", "B", "C_mid", "rho", "sigma", "p_past_midpoint", "forecast", "warnings", "source",
]  # fmt: skip
FORECAST_KEYS = ["compute", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "mean", "resolved"]
RECIPE_KEYS = ["recipe", "runs", "verdict", "p_best", "group", "A", "B", "forecast", "expected_regret"]
PAIR_KEYS = ["a", "b", "p_a_better", "crossing", "early_leader", "trap"]


def test_fit_has_the_keys_of_the_contract_in_order() -> None:
    document = json.loads(dumps(fit_document(made.fit_answer())))
    assert list(document)[:2] == ["schema", "runs"]
    assert document["schema"] == 1
    run = document["runs"][0]
    assert list(run)[: len(FIT_KEYS)] == FIT_KEYS
    assert list(run)[len(FIT_KEYS) :] == [
        "clock",
        "level_sd",
        "model_params",
        "bounds",
        "bounds_from",
        "asymptote",
        "A_average",
        "weights",
        "ceiling",
        "siblings",
    ]
    assert run["ceiling"] == run["A_average"]
    assert [list(item) for item in run["forecast"]] == [FORECAST_KEYS] * 2
    assert list(run["A"]) == ["q10", "q50", "q90"]
    assert list(run["source"]) == ["path", "format", "rows", "repairs", "trainer"]
    assert "over_time" not in run
    assert document["errors"] == [{"path": "torn.csv", "message": "line 3 is torn"}]


def test_a_run_that_was_not_fitted_has_nulls() -> None:
    run = json.loads(dumps(fit_document(made.fit_answer())))["runs"][-1]
    assert all(
        run[name] is None for name in ("R0", "A", "B", "C_mid", "rho", "sigma", "p_past_midpoint", "source", "seed")
    )
    assert run["forecast"] == []
    assert run["verdict"] == "too_few_points"


def test_rank_has_the_keys_of_the_contract_in_order() -> None:
    document = json.loads(dumps(rank_document(made.rank_answer())))
    assert list(document)[:4] == ["schema", "at", "recipes", "pairs"]
    assert document["at"] == 1600.0
    assert list(document["recipes"][0])[: len(RECIPE_KEYS)] == RECIPE_KEYS
    assert all(row["ceiling"] == row["A"] for row in document["recipes"])
    assert list(document["pairs"][0])[: len(PAIR_KEYS)] == PAIR_KEYS
    assert set(document["pairs"][0]["published"]) == {"A_a", "A_b", "tie", "B_a", "B_b"}
    assert document["seed_sd"] == {"value": 0.021, "source": "replicates", "replicates": 1}
    assert (document["claim"], document["unit"], document["notes"]) == ("recipes", "steps", ["a note"])


def test_a_pair_without_the_published_rules_has_null() -> None:
    view = made.rank_answer()
    pairs = tuple(replace(pair, published=None) for pair in view.ranking.pairs)
    document = rank_document(replace(view, ranking=replace(view.ranking, pairs=pairs)))
    assert [pair["published"] for pair in json.loads(dumps(document))["pairs"]] == [None]


def test_golden_documents(golden: Callable[[str, str], None]) -> None:
    golden("fit.json", dumps(fit_document(made.fit_answer())) + "\n")
    golden("rank.json", dumps(rank_document(made.rank_answer())) + "\n")


def test_the_asymptote_has_a_name_and_no_number_is_infinite(odd_fits: tuple[Fit, ...]) -> None:
    asked = [fit(item.run, (1e3, math.inf), FitOptions(at_least=0.5)) for item in odd_fits]
    settings = Settings(options={"targets": [1e3, math.inf], "at_least": 0.5})
    text = dumps(fit_document(fit_view(asked, settings=settings)))
    assert "NaN" not in text
    assert "Infinity" not in text
    document = json.loads(text)
    run = document["runs"][0]
    assert [item["compute"] for item in run["forecast"]] == [1000.0, "asymptote"]
    assert all(0 <= item["p_at_least"] <= 1 for item in run["forecast"])
    assert document["options"]["targets"] == [1000.0, "asymptote"]


def test_rank_by_the_asymptote(odd_fits: tuple[Fit, ...]) -> None:
    ranking = rank(odd_fits, target=math.inf)
    view = rank_view(ranking, odd_fits, settings=Settings(options={"target": math.inf}))
    document = json.loads(dumps(rank_document(view)))
    assert document["at"] == document["options"]["target"] == "asymptote"


def test_what_is_not_finite_becomes_null() -> None:
    assert json.loads(dumps({"a": [math.nan, math.inf, 1.5], "b": (None, True, "x")})) == {
        "a": [None, None, 1.5],
        "b": [None, True, "x"],
    }


def test_odd_runs_are_written(odd_ranking: RankView) -> None:
    document = json.loads(dumps(rank_document(odd_ranking)))
    assert {row["recipe"] for row in document["recipes"]} >= {"学习-flat", "one-row", '<b>x</b> & "y"'}
    assert {run["verdict"] for run in document["runs"]} >= {"no_learning", "collapsed", "too_few_points"}
