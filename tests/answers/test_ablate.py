"""The answer of ``ablate``: its words, table, chart and document, on runs whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rlscale.answers.ablate import AblateView, ablate_answer
from rlscale.answers.ablate.chart import ablate_chart
from rlscale.answers.charts import Label, Points
from rlscale.decisions.ablation import Ablation, Says, ablate
from rlscale.left_out import LeftOut
from rlscale.render.html import as_page
from rlscale.render.json import dumps
from tests.answers.shown import text_of
from tests.decisions.ablation.simulated import runs_of

SETTINGS = (
    ({"loss": "dapo", "batch": 32, "warmup": 1e-4}, {}),
    ({"loss": "cispo", "batch": 32, "warmup": 1e-4}, {"A": 0.62}),
    ({"loss": "dapo", "batch": 64, "warmup": 1e-4}, {"C_mid": 100.0}),
    ({"loss": "dapo", "batch": 32, "warmup": 3e-4}, {}),
)


@pytest.fixture(scope="module")
def found() -> Ablation:
    return ablate(runs_of(SETTINGS, seeds=3))


@pytest.fixture(scope="module")
def view(found: Ablation) -> AblateView:
    return AblateView(result=found)


def test_the_headline_says_what_each_knob_does(view: AblateView) -> None:
    assert ablate_answer(view).headline == (
        "loss dapo → cispo (+0.132) raises the ceiling; batch 32 → 64 (1.53× the speed) is faster at a ceiling that "
        "cannot be told apart; of warmup no effect is resolved."
    )


def test_what_is_left_out_comes_first(view: AblateView) -> None:
    lost = replace(view, left_out=(LeftOut("x", "x.csv", "it states no warmup; add it", True),))
    assert ablate_answer(lost).headline.startswith("1 of 13 runs left out: x (it states no warmup). loss dapo")


def test_the_headline_says_what_could_not_be_compared(found: Ablation) -> None:
    alone = tuple(replace(each, ceiling=None) if each.knob == "warmup" else each for each in found.knobs)
    headline = ablate_answer(AblateView(result=replace(found, knobs=alone))).headline
    assert headline.endswith("; warmup 0.0001 → 0.0003 cannot be compared: no run of one side counts.")


@pytest.mark.parametrize("width", [80, 100])
def test_the_text_fits_a_terminal(view: AblateView, width: int) -> None:
    lines = text_of(ablate_answer(view), width).splitlines()
    assert max(map(len, lines)) <= width
    assert any("raises ceiling" in line for line in lines)


def test_the_table_has_a_row_a_comparison(view: AblateView, found: Ablation) -> None:
    table = ablate_answer(view).table
    names, rows = table.flat()
    first = dict(zip(names, rows[0], strict=True))
    effect = found.knobs[0].ceiling
    assert effect is not None
    assert (first["knob"], first["says"], first["ceiling"]) == ("loss", "raises_ceiling", effect.effect.q50)
    assert first["ceiling_q10"] < first["ceiling"] < first["ceiling_q90"]
    assert len(rows) == 3


def test_the_chart_draws_effects_where_they_are(view: AblateView, found: Ablation) -> None:
    chart = ablate_chart(view)
    assert chart is not None
    plane, ceilings, speeds = chart.panels
    points = [mark for mark in plane.marks if isinstance(mark, Points)]
    for each, point in zip(found.knobs, points, strict=True):
        assert each.ceiling is not None
        assert each.speed is not None
        assert (point.x[0], point.y[0]) == pytest.approx((each.speed.factor.q50, each.ceiling.effect.q50))
        assert point.hollow == (each.says is Says.UNRESOLVED,)
    assert [mark.text for mark in plane.marks if isinstance(mark, Label)] == [
        "loss → cispo",
        "batch → 64",
        "warmup → 0.0003",
    ]
    assert ceilings.ends[0].text == "loss → cispo  +0.132"
    assert all(end.text.endswith("×") for end in speeds.ends)
    assert [key.text for key in chart.keys] == ["raises ceiling", "faster", "not resolved"]


def test_the_document_is_json_without_nan(view: AblateView) -> None:
    document = json.loads(dumps(ablate_answer(view).document))
    assert document["schema"] == 1
    assert [each["says"] for each in document["knobs"]] == ["raises_ceiling", "faster", "unresolved"]
    assert "NaN" not in dumps(ablate_answer(view).document)
    given = ablate(runs_of(SETTINGS, seeds=1), seed_sd=0.02)
    tau = json.loads(dumps(ablate_answer(AblateView(result=given)).document))["tau"]
    assert (tau["value"], tau["from"], tau["freedom"]) == (pytest.approx(0.02), "given", None)


def test_a_page_holds_the_chart(view: AblateView) -> None:
    page = as_page(ablate_answer(view, charts=True))
    assert "Effect on the ceiling against effect on speed" in page
    assert "raises ceiling" in page
