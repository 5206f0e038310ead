"""The answer of ``health``: table, sentences, chart and document of made-up runs."""

import json
import re

import numpy as np
import pytest

from rlscale.answers.health import health_answer, health_view
from rlscale.errors import InputError
from rlscale.health import MONITORS, check_health
from rlscale.render.json import dumps
from tests.answers.shown import text_of
from tests.health.runs import noise, run_with, steps

LATE = steps() > 60


def view(explain=None):
    runs = [
        run_with("well"),
        run_with("noise", entropy=np.where(LATE, 6.0, 0.5) + noise(1, sd=0.01)),
        run_with("cut", truncation=np.where(LATE & (steps() < 80), 0.9, 0.02)),
        run_with("all", entropy=np.where(LATE, 6.0, 0.5), truncation=np.where(LATE, 0.9, 0.0),
             kl=np.where(LATE, 500.0, 0.02), grad_norm=np.where(LATE, 1e4, 1.0) * np.exp(noise(1, sd=0.1)),
             loss=np.where(LATE, np.nan, 0.1), response_length=np.where(LATE, 9.0, 300.0) + noise(2, sd=0.5),
             staleness=np.where(LATE, 12.0, 1.0)),
    ]  # fmt: skip
    return health_view(check_health(runs), explain=explain)


def test_the_matrix_holds_runs_against_the_monitors_that_fired():
    table = health_answer(view()).tables[0]
    assert [row[0] for row in table.rows] == ["well", "noise", "cut", "all"]
    cells = {row[0]: {c.key: cell for c, cell in zip(table.columns, row, strict=True)} for row in table.rows}
    assert cells["well"]["now"] is None
    assert cells["noise"]["now"] == "severity_stop"
    assert (cells["cut"]["truncation"], cells["well"]["truncation"], cells["all"]["truncation"]) == (
        "(stop)",
        "ok",
        "stop",
    )
    assert "train_inference_mismatch" not in cells["well"]


def test_the_flat_table_holds_an_alarm_a_row():
    found = view()
    names, rows = health_answer(found).table.flat()
    assert names[:5] == ("run", "recipe", "monitor", "severity", "since")
    assert len(rows) == sum(len(run.alarms) for run in found.runs)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_text_fits(width):
    for explain in (None, "all"):
        text = text_of(health_answer(view(explain)), width)
        assert max(map(len, text.splitlines())) <= width


def test_the_headline_counts_those_that_are_sick_now():
    assert health_answer(view()).headline.startswith(
        "2 of 4 runs are sick now: noise and all; first noise, entropy high"
    )
    well = health_answer(health_view(check_health([run_with("well")]))).headline
    assert well == "No warning in 1 run: what is not measured is not thereby healthy."
    over = run_with("cut", truncation=np.where(LATE & (steps() < 80), 0.9, 0.02))
    assert health_answer(health_view(check_health([over]))).headline == (
        "No alarm is on now; cut had some and recovered."
    )


def test_the_chart_lines_series_up_and_marks_the_onset():
    chart = health_answer(view("noise"), charts=True).chart
    panels = chart.panels
    assert [panel.title for panel in panels[:2]] == ["noise", "entropy"]
    assert len({(panel.x.low, panel.x.high) for panel in panels}) == 1
    assert panels[-1].x.label == "compute (steps)"
    bands = [mark for mark in panels[1].marks if type(mark).__name__ == "Band"]
    assert min(band.x[0] for band in bands) == 62.0
    assert max(band.x[1] for band in bands) == panels[1].x.high
    assert panels[1].subtitle.startswith("stop: since step 62")


def test_names_of_alarms_stand_above_the_lines_of_their_onsets():
    late = np.where(LATE, 3.0, 0.5)
    run = run_with("many", truncation=np.where(LATE, 0.9, 0.02), entropy=late, zero_variance=np.where(LATE, 1.0, 0.3))
    panel = health_answer(health_view(check_health([run])), charts=True).chart.panels[0]
    names = [mark for mark in panel.marks if type(mark).__name__ == "Label"]
    lines = [mark for mark in panel.marks if type(mark).__name__ == "Line" and mark.dash == "dashed"]
    assert len(names) >= 2
    assert len(lines) >= 2
    apart = (panel.y.high - max(max(line.y) for line in lines)) / len({mark.y for mark in names})
    assert min(mark.y for mark in names) - apart >= max(max(line.y) for line in lines) - 1e-9


def test_without_a_name_the_gravest_run_is_drawn():
    assert health_answer(view(), charts=True).chart.panels[0].title == "all"


def test_explain_tells_every_monitor_that_is_blind():
    answer = health_answer(view("well"))
    (section,) = [one for one in answer.sections if one.title == "Not measurable in well"]
    assert {sentence.subject for sentence in section.sentences} == {"hacking", "reuse", "silence"}


def test_a_name_that_is_none_or_several_is_refused():
    with pytest.raises(InputError, match=r"^explain='x' is no run that was read; give one of well, noise, cut, all$"):
        view("x")


def test_the_document_is_json_without_nan():
    document = json.loads(dumps(health_answer(view()).document))
    assert {run["run"] for run in document["runs"]} == {"well", "noise", "cut", "all"}
    names = {each.name for each in MONITORS}
    for run in document["runs"]:
        assert {alarm["monitor"] for alarm in run["alarms"]} <= names
        missing = {one["monitor"] for one in run["not_measurable"]}
        assert missing | set(run["quiet"]) | {alarm["monitor"] for alarm in run["alarms"]} == names
    assert not re.search(r": (NaN|-?Infinity)", dumps(health_answer(view()).document))
