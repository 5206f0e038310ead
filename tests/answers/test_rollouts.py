"""The answer of ``rollouts``: its words, tables, charts and document, where the best number is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rlscale
from rlscale.answers.charts import Band, Line, Points, Whisker
from rlscale.answers.rollouts import RolloutsView, rollouts_answer, words
from rlscale.answers.rollouts.chart import rollouts_chart
from rlscale.answers.rollouts.document import rollouts_document
from rlscale.answers.rollouts.view import stops
from rlscale.curves import Run, Series
from rlscale.decisions.rollouts import PassCounts, Rollouts, rollouts
from rlscale.left_out import LeftOut
from rlscale.render.html import as_page
from rlscale.render.json import dumps
from tests.answers.shown import text_of
from tests.decisions.rollouts.projects import project, with_training

BUDGET = 1e6


def of_class(name: str, *numbers: int) -> list[Run]:
    return [
        replace(run, name=f"{name}-{run.name}", settings={**run.settings, "difficulty": name})
        for run in project(*numbers)
    ]


def counted(prompts: int = 60) -> PassCounts:
    right = np.random.default_rng(3).binomial(16, np.linspace(0.0, 1.0, prompts))
    return PassCounts(tuple(f"p{k}" for k in range(prompts)), right, np.full(prompts, 16))


@pytest.fixture(scope="module")
def answer() -> Rollouts:
    return rollouts(project(), budget=BUDGET)


@pytest.fixture(scope="module")
def classes() -> Rollouts:
    return rollouts([*of_class("easy", 8, 32, 128, 512), *of_class("hard", 8, 32)], budget=BUDGET)


@pytest.fixture(scope="module")
def prompts() -> Rollouts:
    return rollouts(counts=counted(), budget=400)


@pytest.fixture(scope="module")
def opposed() -> Rollouts:
    runs = [with_training(n, ceiling) for n, ceiling in ((8, 0.9), (32, 0.8), (128, 0.7))]
    passes = Series(np.linspace(0.0, 1e6, 31)[1:], np.linspace(1.0, 60.0, 30))
    return rollouts([replace(run, series={**run.series, "epoch": passes}) for run in runs])


def view_of(answer: Rollouts) -> RolloutsView:
    return RolloutsView(answer=answer, left_out=answer.left_out)


def document(answer: Rollouts) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dumps(rollouts_document(view_of(answer))))
    return found


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("name", ["answer", "classes", "prompts", "opposed"])
def test_text_fits(name: str, width: int, request: pytest.FixtureRequest) -> None:
    found = text_of(rollouts_answer(view_of(request.getfixturevalue(name))), width)
    assert max(map(len, found.splitlines())) <= width


def test_the_headline_answers(answer: Rollouts, classes: Rollouts, prompts: Rollouts) -> None:
    star = answer.classes[0].n_star
    assert star is not None
    said = words.headline(view_of(answer))
    ends = f"(80 %: {star.n.q10:.0f}–{star.n.q90:.0f})"
    assert said == f"At 1M samples a run, about {star.n.q50:.0f} rollouts per prompt are best {ends}."
    said = words.headline(view_of(classes))
    assert said.startswith("Best rollouts per prompt at 1M samples a run: easy about ")
    assert "and hard 32 of those tried at 1M samples (" in said
    assert words.headline(view_of(prompts)).startswith("400 rollouts over ")
    far = words.headline(view_of(rollouts(answer.fits, budget=3e6)))
    assert far.startswith("At 3M samples a run, which is beyond the 1M evaluated, about ")
    assert far.endswith(": by the law alone.")
    gone = LeftOut("x", "x.csv", "run 'x': is torn", True)
    assert words.headline(replace(view_of(answer), left_out=(gone,))).startswith(
        "1 of 6 runs left out: x (is torn). At"
    )


def test_the_lead_says_where_the_rise_ends_and_splits_the_budget(answer: Rollouts) -> None:
    ends, split = words.lead(view_of(answer))
    assert ends.startswith("Its rise ends at about 1")
    assert "has probability" in ends
    found = answer.allocation
    assert found is not None
    assert split.startswith(f"The budget is then {found.updates} updates ({found.updates_range[0]}–")
    assert split.endswith(f"of 32 problems with {found.rollouts} rollouts each.")


def test_overfitting_stands_in_the_lead(opposed: Rollouts) -> None:
    view = view_of(opposed)
    [beware] = [text for text in words.lead(view) if text.startswith("Beware")]
    assert beware.endswith("Best by training are 8, by validation 128; choose by validation.")
    joined = " ".join(text_of(rollouts_answer(view), 100).split())
    assert "They rank the rollouts oppositely (probability of opposite slopes >99 %)" in joined
    assert "The runs used each prompt up to 60.0 times." in joined
    assert "where a mild loss was measured (published: no significant loss up to 25 uses" in joined


def test_the_document_keeps_the_contract(answer: Rollouts, classes: Rollouts, prompts: Rollouts) -> None:
    keys = ["schema", "unit", "budget", "classes", "allocation", "prompts", "data_reuse", "best_at_k", "notes"]
    for each in (answer, classes, prompts):
        assert list(document(each))[: len(keys)] == keys
        assert {"grouping", "left_out", "errors", "options"} <= set(document(each))
    found = document(answer)
    assert (found["schema"], found["unit"], found["budget"]) == (1, "samples", BUDGET)
    [entry] = found["classes"]
    assert list(entry)[:6] == ["class", "n", "envelope", "n_star", "saturation", "supported"]
    assert entry["class"] is None
    assert list(entry["envelope"][0]) == ["n", "from", "to"]
    assert list(entry["n_star"]) == list(entry["saturation"]) == ["q10", "q50", "q90"]
    assert len(entry["supported"]) == 2
    assert list(found["allocation"])[:3] == ["problems_per_batch", "rollouts", "updates"]
    easy, hard = document(classes)["classes"]
    assert (easy["class"], hard["class"], hard["n_star"]) == ("easy", "hard", None)
    assert easy["allocation"]["rollouts"] == round(easy["n_star"]["q50"])
    assert document(classes)["allocation"] is None
    rows = document(prompts)["prompts"]
    assert list(rows[0])[:2] == ["prompt", "rollouts"]
    assert sum(row["rollouts"] for row in rows) == 400


def test_the_table_has_a_row_a_number_tried(answer: Rollouts, classes: Rollouts) -> None:
    names, rows = rollouts_answer(view_of(answer)).table.flat()
    assert names == (
        "class", "n", "runs", "verdict", "compute_last", "compared_at", "reward", "reward_q10", "reward_q90", "p_best",
    )  # fmt: skip
    assert [row[1] for row in rows] == [8, 32, 128, 512, 2048]
    reward = names.index("reward")
    assert rows[2][reward] == pytest.approx(0.69, abs=0.02)
    named = rollouts_answer(view_of(classes)).table
    assert [row[0] for row in named.rows] == ["easy"] * 4 + ["hard"] * 2


def test_the_table_of_prompts_has_all_and_people_see_kinds(prompts: Rollouts) -> None:
    found = rollouts_answer(view_of(prompts))
    assert len(found.table.rows) == 60
    rollouts_each = [row[found.table.place("rollouts")] for row in found.table.rows]
    assert rollouts_each == sorted(rollouts_each, reverse=True)
    [shown] = [table for table in found.tables if table.rows]
    assert shown.name == "kinds"
    assert sum(row[shown.place("prompts")] for row in shown.rows) == 60
    few = rollouts(counts=counted(12), budget=60)
    assert [table.name for table in rollouts_answer(view_of(few)).tables] == ["prompts"]


def test_stops_run_from_end_to_end_and_hold_the_budget(answer: Rollouts) -> None:
    ahead = rollouts(answer.fits, budget=2e6).classes[0]
    found = stops(ahead)
    assert [each.where for each in found] == ["supported"] * 5 + ["extrapolated"]
    assert found[0].compute == ahead.path[0].compute
    assert found[-1] is ahead.n_star


def test_the_chart_shows_the_envelope_and_the_best_number(answer: Rollouts) -> None:
    chart = rollouts_chart(view_of(answer))
    assert chart is not None
    rewards, best = chart.panels
    [entry] = answer.classes
    thick = [mark for mark in rewards.marks if isinstance(mark, Line) and mark.width > 3]
    assert [(mark.x[0], mark.x[-1]) for mark in thick] == [(piece.start, piece.end) for piece in entry.envelope]
    rings = [mark for mark in rewards.marks if isinstance(mark, Points) and mark.hollow]
    assert list(rings[0].y) == [record.reward for record in entry.records]
    assert len(rewards.ends) == 5
    [band] = [mark for mark in best.marks if isinstance(mark, Band)]
    assert list(band.low) == [each.n.q10 for each in entry.path]
    [whisker] = [mark for mark in best.marks if isinstance(mark, Whisker)]
    assert entry.n_star is not None
    assert (whisker.x, whisker.middle) == (BUDGET, entry.n_star.n.q50)
    assert [label for _, label in best.y.ticks] == ["8", "32", "128", "512", "2,048"]
    [end] = best.ends
    assert entry.saturation is not None
    assert end.interval == (entry.saturation.q10, entry.saturation.q90)
    assert all(0.0 <= best.y.position(value) <= 1.0 for value in (*band.low, *band.high, *end.interval))


def test_two_numbers_have_no_law_to_draw(classes: Rollouts, prompts: Rollouts) -> None:
    chart = rollouts_chart(view_of(classes))
    assert chart is not None
    assert [len(part.panels) for part in chart.parts] == [2, 1]
    drawn = rollouts_chart(view_of(prompts))
    assert drawn is not None
    [panel] = drawn.panels
    assert sum(len(mark.x) for mark in panel.marks if isinstance(mark, Points)) >= 17
    assert rollouts_chart(view_of(rollouts(project(8)))) is None


def test_a_page_has_all_of_it(answer: Rollouts, prompts: Rollouts) -> None:
    page = as_page(rollouts_answer(view_of(answer), charts=True))
    for said in ("Reward and its envelope", "Best number of rollouts n*", "The envelope", "leads from"):
        assert said in page, said
    assert "Rollouts over prompts" in as_page(rollouts_answer(view_of(prompts), charts=True))


def test_results_show_themselves(answer: Rollouts) -> None:
    assert repr(answer).startswith("Rollouts(all: n* 1")
    assert answer.summary().startswith("At 1M samples a run, about 1")
    assert answer.to_dict()["classes"][0]["n"] == [8, 32, 128, 512, 2048]
    assert answer.to_csv().startswith("class,n,runs,verdict")
    assert "Reward and its envelope" in answer._repr_html_()
    with pytest.raises(rlscale.InputError, match=r"^rollouts\(\) takes runs, and 'runs.csv' is a path; read it first"):
        rlscale.rollouts("runs.csv")
