"""The answer of ``sizes``: its words, table, chart and document, on runs whose law is known."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import rlscale
from rlscale.answers.charts import Band, Label, Line, Points, Whisker
from rlscale.answers.sizes import SizesView, sizes_answer, words
from rlscale.answers.sizes.chart import sizes_chart
from rlscale.answers.sizes.document import sizes_document
from rlscale.decisions.sizes import SizeLaw
from rlscale.left_out import LeftOut
from rlscale.render.html import as_page
from rlscale.render.json import dumps
from tests.answers.shown import text_of
from tests.inference.size_law.projects import COMPUTE, K_MAX, SIZES, runs_of_sizes, true_reward

BUDGET = 4e4


@pytest.fixture(scope="module")
def law() -> SizeLaw:
    return rlscale.size_law(runs_of_sizes(sd=0.004, per_size=2), predict=(72e9, 32e9), budget=BUDGET)


@pytest.fixture(scope="module")
def plain() -> SizeLaw:
    return rlscale.size_law(runs_of_sizes(SIZES[:4], sd=0.004), compare=False)


@pytest.fixture(scope="module")
def flat() -> SizeLaw:
    rng = np.random.default_rng(4)
    runs = [
        replace(run, curve=replace(run.curve, reward=0.1 + 0.01 * rng.standard_normal(COMPUTE.size)))
        for run in runs_of_sizes(SIZES[:3])
    ]
    return rlscale.size_law(runs, predict=72e9, budget=BUDGET)


def document(law: SizeLaw) -> dict:
    return json.loads(dumps(sizes_document(SizesView(law=law))))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_text_fits_and_tells_everything(law: SizeLaw, width: int) -> None:
    found = text_of(sizes_answer(SizesView(law=law)), width)
    assert max(map(len, found.splitlines())) <= width
    joined = " ".join(found.split())
    for said in (
        "K_max = 0.1", "N0 = 1", "P(best)", "nothing of this size", "its first quarter", "first quarter of all",
        "Believe the power law", "A sigmoid is of one run: it says nothing of 32B before it has run",
        "L = K(N) X^(-E(N)): exponent E(N) there = k(N) here, intercept K(N) there = exp(E(N)) here",
        "equal samples are equal data, not equal compute", "L = 1 - R/R_max with R_max = 1; X in samples",
        "One, two and three steps beyond the sizes seen",
    ):  # fmt: skip
        assert said in joined, said


def test_the_headline_answers_what_was_asked(law: SizeLaw, plain: SizeLaw, flat: SizeLaw) -> None:
    assert words.headline(SizesView(law=law)).startswith(
        "At 40k samples a run, 72B, of which there are no runs, reaches"
    )
    predicted = replace(law, budget=None)
    said = words.headline(SizesView(law=predicted))
    assert said.startswith("72B should reach 0.")
    assert "; 32B was to reach 0." in said
    assert "and reached 0." in said
    assert words.headline(SizesView(law=plain)).startswith("The exponent k(N) is 0.00")
    assert words.headline(SizesView(law=flat)).startswith("No size shows a gain")
    gone = (LeftOut("7B", "a.csv", "run '7B': is torn", True), LeftOut("3B", "a.csv", "Only 2 evaluations", False))
    told = SizesView(law=plain, left_out=gone)
    assert words.headline(told).startswith("1 of 5 runs left out: 7B (is torn). The exponent")
    assert words.unused(told) == ("3B: Only 2 evaluations.",)
    assert "Not used\n· 3B: Only 2 evaluations." in text_of(sizes_answer(told), 80)


def test_the_document_keeps_the_contract(law: SizeLaw, plain: SizeLaw) -> None:
    found = document(law)
    assert list(found)[:8] == ["schema", "K_max", "N0", "sizes", "predictions", "compare", "believe", "budget"]
    quantiles = ["q10", "q50", "q90"]
    assert list(found["K_max"]) == list(found["N0"]) == quantiles
    assert [row["model_params"] for row in found["sizes"]] == list(SIZES)
    assert [row["in_sample"] for row in found["sizes"]] == [True] * 6 + [False]
    assert all(list(row["k"]) == list(row["E"]) == quantiles for row in found["sizes"])
    assert {each["kind"] for each in found["predictions"]} == {"unseen", "refitted", "within_run"}
    assert {"model_params", "compute", "reward", "kind"} <= set(found["predictions"][0])
    assert {each["form"] for each in found["compare"]} == {"power", "sigmoid", "s_shaped"}
    assert {"form", "held_out", "crps", "mean_abs_error"} <= set(found["compare"][0])
    assert {"form", "why"} <= set(found["believe"])
    assert {"compute", "best", "p_best", "crossings"} <= set(found["budget"])
    assert sum(each["p"] for each in found["budget"]["p_best"]) == pytest.approx(1.0)
    assert all({"small", "large", "compute"} <= set(each) for each in found["budget"]["crossings"])
    assert len(found["budget"]["crossings"]) == 21
    assert {"grouping", "left_out", "errors", "options"} <= set(found)
    less = document(plain)
    assert (less["budget"], less["believe"], less["compare"]) == (None, None, [])


def test_the_table_has_a_row_a_size(law: SizeLaw) -> None:
    names, rows = sizes_answer(SizesView(law=law)).table.flat()
    assert names[:2] == ("model_params", "in_sample")
    assert {"k", "k_q10", "k_q90", "E", "reward", "at", "p_best"} <= set(names)
    assert [row[0] for row in rows] == list(SIZES)
    k, low, high = (names.index(name) for name in ("k", "k_q10", "k_q90"))
    assert all(row[low] < row[k] < row[high] < K_MAX for row in rows)
    at, reward = names.index("at"), names.index("reward")
    assert {row[at] for row in rows} == {BUDGET}
    for size, row in zip(SIZES[:6], rows, strict=False):
        assert row[reward] == pytest.approx(true_reward(size, BUDGET), abs=0.01)


def test_the_reward_of_the_table_is_that_at_the_budget(law: SizeLaw) -> None:
    view = SizesView(law=law)
    assert law.budget is not None
    for row, chance in zip(law.sizes, law.budget.p_best, strict=True):
        assert view.reward(row) == chance.reward
        assert view.p_best(row) == chance.p


def test_the_chart_shows_the_law_the_runs_and_the_budget(law: SizeLaw) -> None:
    exponents, rewards, budget = sizes_chart(SizesView(law=law)).panels
    assert [label for _, label in exponents.x.ticks] == ["500M", "1.5B", "3B", "7B", "14B", "32B", "72B"]
    own = [mark for mark in exponents.marks if isinstance(mark, Whisker)]
    assert [mark.x for mark in own] == list(SIZES)
    assert [mark.middle for mark in own] == [row.k.q50 for row in law.sizes]
    band = next(mark for mark in exponents.marks if isinstance(mark, Band))
    assert all(low < high for low, high in zip(band.low, band.high, strict=True))
    assert exponents.y.high > max(band.high)
    assert [end.text.split()[0] for end in rewards.ends] == ["72B", "32B", "14B", "7B", "3B", "1.5B", "500M"]
    assert sum(isinstance(mark, Points) for mark in rewards.marks) == 12
    lines = [mark for mark in rewards.marks if isinstance(mark, Line)]
    assert sum(line.dash == "dashed" for line in lines) == 7
    assert all(min(line.y) >= 0.0 for line in lines)
    chances = [mark.text for mark in budget.marks if isinstance(mark, Label)]
    assert len(chances) == 7
    assert budget.title == "Reward at 40k samples a run"


def test_without_a_budget_there_are_two_panels(plain: SizeLaw) -> None:
    exponents, rewards = sizes_chart(SizesView(law=plain)).panels
    assert len(rewards.ends) == 4
    assert not any(isinstance(mark, Line) and mark.dash == "dashed" for mark in rewards.marks)
    # N0, 13B, lies beyond the sizes that are drawn
    assert "N0" not in [mark.text for mark in exponents.marks if isinstance(mark, Label)]


def test_a_page_has_it_all(law: SizeLaw) -> None:
    page = as_page(sizes_answer(SizesView(law=law), charts=True))
    for said in ("Exponent k(N)", "Reward at 40k samples a run", "Which form to believe", "P(best)"):
        assert said in page
    assert page.count("<svg") > 3


def test_crossings_are_told_where_there_are_data(law: SizeLaw) -> None:
    said = words.crossings(SizesView(law=law))
    assert words.crossings(SizesView(law=replace(law, budget=None))) == ()
    told = " ".join(said)
    assert "at all these computes." in told or "overtakes" in told
    assert not any("throughout" in each for each in said)


def test_nothing_learned_is_said_first_and_stays_in_the_bounds(flat: SizeLaw) -> None:
    found = document(flat)
    assert found["verdict"] == "no_learning"
    assert all(row["reward"]["q10"] >= 0.0 for row in (*found["sizes"], *found["predictions"]))
    assert all(each["reward"]["q10"] >= 0.0 for each in found["budget"]["p_best"])
    assert "The law: no learning." in text_of(sizes_answer(SizesView(law=flat)), 100)
    sizes_chart(SizesView(law=flat))


def test_a_law_shows_itself_and_travels(law: SizeLaw) -> None:
    assert law.summary().startswith("At 40k samples a run, 72B")
    assert law.to_dict()["schema"] == 1
    assert law.to_frame().shape == (7, 16)
    assert "<svg" in law._repr_html_()
    assert repr(law).startswith("SizeLaw(6 sizes: K_max 0.1")
    again = pickle.loads(pickle.dumps(law))
    assert again == law
    assert again.to_csv() == law.to_csv()
