"""The answer of a plan: sentences, tables, the document, the charts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import rlscale
from rlscale.answers import Answer
from rlscale.answers.charts.spec import Line, Panel, Points
from rlscale.answers.plan import plan_answer, plan_view
from rlscale.answers.plan.words import headline, recipe_words, split_words
from rlscale.curves import Curve, Run
from rlscale.decisions.plan import Plan, lr_for, plan
from rlscale.inference import Fit, fit
from rlscale.render.json import dumps
from tests.answers.shown import text_of
from tests.decisions.plan.made import run

#: Two recipes that cross, a third that is not fitted.
FITS = [fit(one) for one in (run("slow", A=0.75, C_mid=160.0, seed=1), run("quick", A=0.55, C_mid=50.0, seed=2))]
NEW = fit(Run(name="new", recipe="new", curve=Curve(compute=[0, 5, 10], reward=[0.1, 0.1, 0.2], unit="gpu-hours")))
LONG = "qwen2.5-3b/a-name-of-forty-characters-[bold]"


@pytest.fixture(scope="module")
def full() -> Plan:
    return plan([*FITS, NEW], reward=0.6, budget=1200.0, price=2.0, pretraining=1e6, lr_anchor=(1e-6, 1024), batch=8192)


def answered(result: Plan, *, charts: bool = False) -> Answer:
    return plan_answer(plan_view(result), charts=charts)


def document(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dumps(answered(result).document))
    return found


def test_the_headline_answers_with_the_compute(full: Plan) -> None:
    compute = full.recipes[0].reach.compute
    said = headline(plan_view(full))
    assert said.startswith(f"slow reaches 0.600 at {compute.q50:.0f} gpu-hours (80 %: ")
    assert said.endswith("quick probably does not.")
    assert "by the budget" in said


def test_the_headline_without_a_reward_is_about_the_next_doubling() -> None:
    said = headline(plan_view(plan(FITS)))
    assert said.startswith("The next doubling of slow, to 400 gpu-hours, gains ")
    assert "a further one gains less than 0.010" in said


def test_the_headline_where_nobody_gets_there_or_all_are_there() -> None:
    assert headline(plan_view(plan(FITS, reward=0.97))).startswith(
        "No recipe is likely to reach 0.970: the best chance is that of "
    )
    assert headline(plan_view(plan(FITS[1:], reward=0.97))).startswith("quick is not likely to reach 0.970: it has")
    early = plan_view(plan(FITS, reward=0.3))
    assert headline(early).startswith("quick has probably reached 0.300 already, at ")
    assert "Later: slow at " in headline(early)
    assert recipe_words(early)[0] == "0.300 has probably been reached already: slow and quick."


def test_a_reward_that_the_first_evaluation_has() -> None:
    said = headline(plan_view(plan([run("high", R0=0.5)], reward=0.2)))
    assert said == "high probably stands at 0.200 or above from its first evaluation on."


def test_the_headline_of_what_cannot_be_planned() -> None:
    assert headline(plan_view(plan([NEW]))) == (
        "No recipe could be fitted yet: nothing is known of what more compute brings."
    )
    assert headline(plan_view(plan([NEW], reward=0.5))).startswith("No recipe could be fitted yet: nothing is known")
    assert answered(plan([NEW]), charts=True).chart is None
    noise = 0.3 + 0.01 * np.random.default_rng(0).standard_normal(41)
    flat = Curve(compute=np.linspace(0.0, 200.0, 41), reward=noise, unit="gpu-hours")
    still = plan_view(plan([Run(name="flat", recipe="flat", curve=flat)]))
    assert headline(still) == "No recipe shows learning yet: what more compute brings rests on the priors."
    assert [each.text for each in recipe_words(still)] == [
        "No learning shows: the numbers for more compute rest on the priors.",
        "Already the next doubling probably gains less than is worth it.",
    ]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_text_fits_and_tells_everything(full: Plan, width: int) -> None:
    named = [Fit(**{**vars(one), "run": Run(name=LONG, recipe=LONG, curve=one.run.curve)}) for one in FITS[:1]]
    for result in (full, plan([*named, *FITS[1:]], reward=0.6, budget=1200.0, price=2.0)):
        text = text_of(answered(result), width)
        assert max(map(len, text.splitlines())) <= width
        for word in ("P(ever)", "P(by 1.2k)", "worth it", "GPU-hours", "dollars", "Notes"):
            assert word in text
    text = " ".join(text_of(answered(full), width).split())
    assert "new: Not fitted. Only 2 evaluations after the start" in text
    assert "Learning rate 2.828e-06 for a total batch of 8,192, from 1e-06 at 1,024" in text
    assert "DeepSeek-R1-Zero" in text
    assert "is 0.12 % of the compute of pretraining (1M gpu-hours)" in text


def test_the_document_keeps_the_contract(full: Plan) -> None:
    found = document(full)
    assert list(found)[:9] == [
        "schema", "reward", "budget", "unit", "recipes", "crossings", "split", "pretraining", "lr",
    ]  # fmt: skip
    slow, quick, new = found["recipes"]
    assert list(slow)[:6] == ["recipe", "verdict", "reach", "next_doubling", "worth_until", "forecast"]
    assert list(slow["reach"])[:4] == ["reward", "p", "p_by_budget", "compute"]
    assert list(slow["reach"]["compute"]) == list(slow["forecast"]) == ["q10", "q50", "q90"]
    assert quick["reach"]["p"] < 0.5
    assert quick["reach"]["compute"] is None
    assert list(slow["next_doubling"])[:4] == ["from", "to", "gain", "cost"]
    assert (slow["next_doubling"]["from"], slow["next_doubling"]["to"]) == (200.0, 400.0)
    assert slow["next_doubling"]["cost"]["unit"] == "dollars"
    cost = 200.0 / slow["next_doubling"]["gain"]["q50"]
    assert slow["next_doubling"]["cost_gpu_hours"]["q50"] == pytest.approx(cost)
    assert slow["next_doubling"]["cost"]["q50"] == pytest.approx(2.0 * cost)
    assert new["verdict"] == "too_few_points"
    assert new["reach"] is new["next_doubling"] is new["worth_until"] is new["forecast"] is None
    assert all(list(each) == ["a", "b", "compute", "p"] for each in found["crossings"])
    assert list(found["split"])[:3] == ["explore_each", "commit", "p_right"]
    assert list(found["pretraining"])[:2] == ["share", "references"]
    assert list(found["lr"])[:3] == ["value", "rule", "limits"]
    assert all(each["bounds"] == [0.0, 1.0] for each in found["runs"])
    assert [each["run"] for each in found["left_out"]] == ["new"]


def test_what_was_not_asked_is_null() -> None:
    found = document(plan([run("a", unit="tokens")]))
    assert found["reward"] is found["budget"] is found["split"] is found["pretraining"] is found["lr"] is None
    (only,) = found["recipes"]
    assert only["reach"] is only["next_doubling"]["cost"] is None
    assert only["next_doubling"]["gain"] is not None


def test_the_table_has_every_number(full: Plan) -> None:
    names, rows = answered(full).table.flat()
    first = dict(zip(names, rows[0], strict=True))
    row = full.recipes[0]
    assert (first["recipe"], first["p"], first["compute"]) == ("slow", row.reach.p, row.reach.compute.q50)
    assert (first["gain_q10"], first["gain_q90"]) == (row.next_doubling.gain.q10, row.next_doubling.gain.q90)
    assert (first["cost_q10"], first["cost_dollars"]) == (
        row.next_doubling.cost.q10, row.next_doubling.cost_in_money.q50,
    )  # fmt: skip
    assert first["at"] == 1200.0
    assert set(rows[2][2:4]) == {None}
    assert full.to_frame().shape == (3, len(names))
    assert full.to_csv().splitlines()[0] == ",".join(names)


def panels(result: Plan) -> dict[str, Panel]:
    chart = answered(result, charts=True).chart
    assert chart is not None
    return {panel.title: panel for panel in chart.panels}


def test_the_charts_draw_the_numbers(full: Plan) -> None:
    found = panels(full)
    assert list(found) == [
        "Compute to reach 0.600", "Chance of having reached 0.600", "What a doubling costs, and gains",
        "Median curves to 1.2k gpu-hours", "RL's share of the compute of pretraining",
    ]  # fmt: skip
    row, other = full.recipes[0], full.recipes[1]
    reach = found["Compute to reach 0.600"]
    thick = [mark for mark in reach.marks if isinstance(mark, Line) and mark.width > 3.0]
    assert [mark.x for mark in thick] == [(row.reach.compute.q10, row.reach.compute.q90)]
    dotted = [mark for mark in reach.marks if isinstance(mark, Line) and mark.dash == "dotted"]
    assert [mark.x for mark in dotted] == [(200.0, other.reach.horizon)]
    assert [end.text.split("  ")[0] for end in reach.ends] == ["slow", "quick"]
    chance = [mark for mark in found["Chance of having reached 0.600"].marks if isinstance(mark, Line)]
    assert chance[-1].y == tuple(p for _, p in row.reach.chances)
    gain = found["What a doubling costs, and gains"]
    assert gain.x.label == "dollars of the doubling (log)"
    line = [mark for mark in gain.marks if isinstance(mark, Points)][-1]
    assert (line.x[0], line.y[0]) == (row.next_doubling.price, row.next_doubling.gain.q50)
    rings = [mark for mark in found["Median curves to 1.2k gpu-hours"].marks if isinstance(mark, Points)]
    assert [mark.x for mark in rings] == [(full.crossings[0].compute.q50,)]
    for panel in found.values():
        assert all(
            panel.x.low * (1 - 1e-9) <= x <= panel.x.high * (1 + 1e-9)
            for mark in panel.marks
            if isinstance(mark, Line)
            for x in mark.x
        )


def test_the_share_of_pretraining_stands_among_published_ones(full: Plan) -> None:
    answer = answered(full, charts=True)
    (panel,) = [panel for panel in answer.chart.panels if panel.title.startswith("RL's share of")]
    assert [end.text for end in panel.ends][:2] == ["this plan  0.12 %", "josancamon19/rl-scaling-laws  0.003 % · S"]
    assert len(panel.ends) == 1 + sum(each.share is not None for each in full.pretraining.references)
    (table,) = [table for table in answer.tables if table.name == "references"]
    assert table.rows[0][:3] == ("this plan", "0.12 %", 1200.0)
    assert len(table.rows) == 1 + len(full.pretraining.references)


def test_charts_of_many_recipes_say_what_they_leave_out() -> None:
    many = [run(f"r{k}", A=0.5 + 0.01 * k, seed=k) for k in range(14)]
    found = panels(plan(many, reward=0.55, options=rlscale.FitOptions(model_error=0.0)))
    said = [panel.subtitle.partition("; ")[2].rpartition("; ")[2] for panel in found.values()]
    assert [text.endswith("not drawn") for text in said] == [True] * 4
    assert len(found["Compute to reach 0.550"].ends) == 12


def test_the_split_stands_beside_its_rivals(full: Plan) -> None:
    said = split_words(plan_view(full))
    assert said[0].startswith("Advised: ")
    assert any(
        text.startswith("Exploring to the end, a further 500 gpu-hours for each: right with P ") for text in said
    )
    spent = answered(plan(FITS, budget=150.0))
    assert spent.lead == ("The budget is not split: the budget, 150, is spent: a run has got to 200 already.",)


def test_a_plan_and_a_rate_show_themselves(full: Plan) -> None:
    assert full.summary().startswith("slow reaches 0.600 at ")
    assert full.to_dict()["reward"] == 0.6
    assert "<svg" in full._repr_html_()
    rate = lr_for(8192, anchor_lr=1e-6, anchor_batch=1024)
    assert rate.summary().startswith("Learning rate 2.828e-06 for a total batch of 8,192")
    assert "not a fitted law" in " ".join(rate.summary().split())
    assert f"{rate.to_dict()['lr']['value']:.3e}" == "2.828e-06"
    assert rate.to_dict()["recipes"] == []
    assert "<svg" in rate._repr_html_()


def test_only_some_recipes_may_be_shown(full: Plan) -> None:
    view = plan_view(full, shown=["quick"])
    assert [row.recipe for row in view.rows] == ["quick"]
    assert view.place("quick") == 1  # its colour stays
    assert headline(view).startswith("quick is not likely to reach 0.600")
    assert [each["recipe"] for each in json.loads(dumps(plan_answer(view).document))["recipes"]] == ["quick"]
    assert headline(plan_view(full, shown=["gone"])) == "None of the runs to show is in the plan."


def test_a_reward_below_every_start_gives_all_one_headline_and_a_whole_compute() -> None:
    found = plan([run("a", A=0.8), run("b", A=0.6, seed=1)], reward=0.05)
    assert headline(plan_view(found)) == "a and b probably stand at 0.050 or above from their first evaluation on."
    assert {row.reach.compute.q50 for row in found.recipes if row.reach and row.reach.compute} == {5.0}


def test_the_headline_of_a_collapsed_run_begins_with_the_collapse() -> None:
    base = run("c", A=0.9, last=400.0).curve
    fallen = Curve(compute=base.compute, reward=np.where(base.compute > 290.0, 0.1, base.reward), unit="gpu-hours")
    for wanted in (None, 0.5):
        said = headline(plan_view(plan([Run(name="c", recipe="c", curve=fallen)], reward=wanted)))
        assert said.startswith("c has collapsed. The reward fell from"), said
