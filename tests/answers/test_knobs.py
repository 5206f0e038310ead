"""What people and programs are shown of knobs: text of 80 columns, tables, documents with the promised keys."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rlscale
from rlscale.answers.charts.spec import Band, Line, Points
from rlscale.answers.knobs import KnobsView, catalogue_answer, check_answer, diff_answer, emit_answer
from rlscale.decisions.knobs import PUBLISHED
from rlscale.render.json import dumps
from rlscale.render.results import answer_of
from tests.answers.shown import text_of

EXAMPLES = Path(__file__).parents[1] / "sources" / "configs" / "examples"
CONFIGS = ("trl.yaml", "trl.py", "verl.sh", "verl.yaml", "openrlhf.sh", "nemo_rl.yaml")


def results():
    trl, verl = (rlscale.read_config(EXAMPLES / name) for name in ("trl.yaml", "verl.sh"))
    return {
        "catalogue": rlscale.knob_catalogue(),
        "one": rlscale.knob_catalogue("kl"),
        "check": rlscale.check_config([trl, verl], difficulty="mixed"),
        "difficulty": rlscale.check_config(difficulty="easy"),
        "diff": rlscale.diff_configs(trl, verl),
        "emit": rlscale.emit_config("scalerl", trainer="verl"),
    }


@pytest.mark.parametrize("name", results())
@pytest.mark.parametrize("width", [80, 100])
def test_text_fits(name: str, width: int) -> None:
    text = text_of(answer_of(results()[name]), width)
    long = [line for line in text.splitlines() if len(line.rstrip()) > width and " " in line.strip()]
    assert not long
    assert text.splitlines()[0]


@pytest.mark.parametrize("name", results())
def test_results_show_themselves(name: str) -> None:
    result = results()[name]
    assert result.summary()
    assert result.to_csv().count("\n") >= 1
    assert "<" in result._repr_html_()
    json.dumps(result.to_dict(), allow_nan=False)


def test_document_of_the_catalogue() -> None:
    document = json.loads(dumps(catalogue_answer(KnobsView(rlscale.knob_catalogue())).document))
    assert document["schema"] == 1
    for knob in document["knobs"]:
        assert {"name", "moves", "evidence", "contradictions"} <= set(knob)
        assert set(knob["moves"]) <= {"ceiling", "speed", "stability"}
        assert all(set(study) == {"source", "grade", "baseline", "effect"} for study in knob["evidence"])


@pytest.mark.parametrize("name", CONFIGS)
def test_every_example_is_commented_on(name: str) -> None:
    check = rlscale.check_config(rlscale.read_config(EXAMPLES / name))
    document = json.loads(dumps(check_answer(KnobsView(check)).document))
    assert {"schema", "findings", "advice"} <= set(document)
    assert len(document["findings"]) >= 6
    for found in document["findings"]:
        assert {"setting", "value", "severity", "says", "source"} <= set(found)
        assert found["severity"] in ("error", "warning", "note", "agrees")
    for advice in document["advice"]:
        assert {"difficulty", "says", "source"} <= set(advice)
    assert {advice["difficulty"] for advice in document["advice"]} == {"easy", "hard", "mixed", "any"}


def test_the_headline_counts() -> None:
    check = rlscale.check_config(rlscale.read_config({"learning_rte": 1.0, "beta": 0.0}, name="grpo.yaml"))
    answer = check_answer(KnobsView(check))
    assert answer.headline.startswith("grpo.yaml (TRL): 1 error, 2 warnings")
    assert answer.lead[0].startswith("Look first at learning_rte")
    severity = answer.table.place("severity")
    assert [row[severity] for row in answer.table.rows] == [one.severity for one in check.findings]


def test_a_difference_tells_of_wrong_keys() -> None:
    wrong = rlscale.read_config({"beta": -1, "num_generations": 8}, name="wrong")
    right = rlscale.read_config({"beta": 0.0, "num_generations": 8}, name="right")
    assert diff_answer(KnobsView(rlscale.diff_configs(wrong, right))).lead == (
        "wrong has 1 wrong setting; rlscale knobs --check wrong says what is wrong.",
    )
    assert diff_answer(KnobsView(rlscale.diff_configs(right, right))).lead == ()


def test_the_headline_of_a_difference() -> None:
    a, b = (rlscale.read_config({"num_generations": n, "beta": 0.0}, name=f"{n}") for n in (8, 16))
    assert diff_answer(KnobsView(rlscale.diff_configs(a, b))).headline == (
        "8 and 16 differ in 1 setting; of these generations may move the ceiling."
    )
    assert diff_answer(KnobsView(rlscale.diff_configs(a, a))).headline.startswith("8 and 8 say the same of the recipe")


def test_the_chart_shows_the_published_table() -> None:
    chart = catalogue_answer(KnobsView(rlscale.knob_catalogue()), charts=True).chart
    assert chart is not None
    ceilings, gains = chart.panels
    points = [mark for mark in ceilings.marks if isinstance(mark, Points)]
    assert {(point.x[0], point.y[0]) for point in points} == {(fit.C_mid, fit.A) for fit in PUBLISHED}
    band = next(mark for mark in ceilings.marks if isinstance(mark, Band))
    assert (band.low[0], band.high[0]) == pytest.approx((0.59, 0.63))
    first = next(mark for mark in gains.marks if isinstance(mark, Line))
    at_midpoint = np.interp(np.log(PUBLISHED[0].C_mid), np.log(first.x), first.y)
    assert at_midpoint == pytest.approx(0.5, abs=0.01)
    assert all(ceilings.y.low < point.y[0] < ceilings.y.high for point in points)


def test_a_knob_without_a_published_curve_has_no_chart() -> None:
    assert catalogue_answer(KnobsView(rlscale.knob_catalogue("kl")), charts=True).chart is None
    one = catalogue_answer(KnobsView(rlscale.knob_catalogue("generations")), charts=True).chart
    assert one is not None
    assert len(one.panels[1].ends) == 4


def test_what_is_missing_is_shown() -> None:
    answer = emit_answer(KnobsView(rlscale.emit_config("scalerl", trainer="openrlhf")))
    titles = [section.title for section in answer.sections]
    assert "What the trainer cannot express" in titles
    assert "6 parts cannot be expressed" in answer.headline
