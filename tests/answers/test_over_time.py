from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlscale.answers.charts import Line, Points
from rlscale.answers.charts.growth import Trace, growth_chart, trace, trace_limits
from rlscale.answers.charts.runs import short
from rlscale.answers.documents import fit_document
from rlscale.answers.over_time import compute_labels, growth_sentences, verdict_changes, verdict_since
from rlscale.answers.views import FitView, fit_view
from rlscale.curves import Curve
from rlscale.inference import Fit, Interval, Look, OverTime, fit, over_times
from rlscale.render.figure import write_chart
from rlscale.render.json import dumps
from tests.answers import made
from tests.answers.shown import page_of
from tests.answers.test_report import parsed
from tests.answers.test_text import shown


@pytest.fixture(scope="module")
def grown_fits(odd_fits: tuple[Fit, ...]) -> FitView:
    return fit_view(odd_fits, over_time=tuple(over_times(odd_fits)))


@pytest.mark.parametrize("width", [80, 100])
def test_golden_text(width: int, golden: Callable[[str, str], None]) -> None:
    one, several = made.runs()[:1], made.runs()
    golden(f"over-time-one-{width}.txt", shown(made.grown_answer(one), width))
    golden(f"over-time-one-target-{width}.txt", shown(made.grown_answer(one, 1600.0), width))
    golden(f"over-time-several-{width}.txt", shown(made.grown_answer(several, 1600.0), width))


def test_golden_document(golden: Callable[[str, str], None]) -> None:
    golden("over-time.json", dumps(fit_document(made.grown_answer(made.runs()[::3], 1600.0))) + "\n")


def test_nothing_is_wider_than_the_terminal_or_cut(grown_fits: FitView) -> None:
    for width in (80, 100, 140):
        for view in (grown_fits, *(replace(grown_fits, runs=(run,)) for run in grown_fits.runs)):
            text = shown(view, width)
            assert max(map(len, text.splitlines())) <= width
            assert "…" not in text


def test_the_document_has_a_forecast_only_with_a_target(grown_fits: FitView) -> None:
    for view, keys in (
        (grown_fits, ["compute", "verdict", "ceiling"]),
        (made.grown_answer(made.runs(), 1600.0), ["compute", "verdict", "ceiling", "forecast"]),
    ):
        for run in json.loads(dumps(fit_document(view)))["runs"]:
            assert all(list(look) == keys for look in run["over_time"])
            assert run["over_time"][-1]["ceiling"] == run["ceiling"]
            assert run["over_time"][-1]["verdict"] == run["verdict"]
            computes = [look["compute"] for look in run["over_time"]]
            assert computes == sorted(set(computes))


def grown_as(*names: str, target: float | None = None) -> OverTime:
    """A run with one verdict a look, its ceiling always the same."""
    verdicts = {"resolved": made.RESOLVED, "pre": made.EARLY, "few": made.SCARCE}
    looks = (
        Look(
            compute=100.0 * (k + 1),
            n_points=k + 5,
            verdict=verdicts[name],
            ceiling=None if name == "few" else Interval(0.5, 0.6, 0.7),
            forecast=None,
        )
        for k, name in enumerate(names)
    )
    return OverTime(run="r", unit="steps", target=target, looks=tuple(looks))


@pytest.mark.parametrize(
    ("names", "changes", "since"),
    [
        (("few",), "", "too few points"),
        (("pre", "pre"), "pre-inflection at every look", "pre-inflection since 100 steps"),
        (("pre", "resolved"), "pre-inflection from 100, resolved from 200 steps", "resolved since 200 steps"),
        (
            ("resolved", "pre") * 2 + ("resolved", "pre", "resolved"),
            "changed 6 times, at last pre-inflection from 400, resolved from 500, pre-inflection from 600, resolved "
            "from 700 steps; first resolved at 100",
            "resolved since 700 steps",
        ),
    ],
)
def test_changes_of_the_verdict_in_words(names: tuple[str, ...], changes: str, since: str) -> None:
    assert verdict_changes(grown_as(*names)) == changes
    assert verdict_since(grown_as(*names)) == since


def test_how_many_earlier_intervals_hold_the_median_of_today() -> None:
    assert growth_sentences(grown_as("few"), (0.0, 1.0)) == []
    assert growth_sentences(grown_as("pre", "pre"), (0.0, 1.0))[1:] == [
        "Of 1 earlier 80 % interval of the ceiling, 1 holds today's median, 0.600."
    ]
    assert growth_sentences(grown_as("pre", "pre", "pre"), (0.0, 1.0))[1:] == [
        "Of 2 earlier 80 % intervals of the ceiling, 2 hold today's median, 0.600."
    ]


def test_computes_that_differ_read_differently() -> None:
    assert compute_labels([10.0, 1234.0]) == ["10", "1.23k"]
    assert compute_labels([12310.0, 12340.0]) == ["12.31k", "12.34k"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_panel_for_each_run(ending: str, grown_fits: FitView, odd_fits: tuple[Fit, ...], tmp_path: Path) -> None:
    path = tmp_path / f"f.{ending}"
    chart = growth_chart(grown_fits, odd_fits)
    write_chart(chart, path)
    assert path.exists()
    assert [panel.title for panel in chart.panels] == [short(run.run) for run in grown_fits.runs]
    for panel, run in zip(chart.panels, grown_fits.runs, strict=True):
        answered = [look for look in run.over_time.looks if look.ceiling is not None]
        lines = [mark for mark in panel.marks if isinstance(mark, Line) and not mark.dash]
        assert [line.y for line in lines] == ([tuple(look.ceiling.q50 for look in answered)] if answered else [])
    assert [key.text for key in chart.keys[-3:]] == ["80 % interval", "today's median", "evaluations"]


def test_one_run_of_which_nothing_was_fitted_is_drawn(tmp_path: Path) -> None:
    found = fit(Curve(compute=[0.0, 1.0], reward=[0.1, 0.2]))
    view = fit_view([found], over_time=tuple(over_times([found])))
    chart = growth_chart(view, [found])
    write_chart(chart, tmp_path / "f.png")
    assert [type(mark) for mark in chart.panels[0].marks] == [Points]
    # the curve and how it grew, each for large and for small screens
    assert parsed(page_of(view, [found])).seen.count("svg") == 4


def test_many_runs_and_a_target_are_drawn(odd_fits: tuple[Fit, ...], tmp_path: Path) -> None:
    found = fit(odd_fits[0].run, 2000.0)
    grown = next(over_times([found], 2000.0))
    view = fit_view([found] * 14, over_time=(grown,) * 14)
    chart = growth_chart(view, [found] * 14)
    write_chart(chart, tmp_path / "f.png")
    assert len(chart.panels) == 12
    assert chart.note == "2 more runs in --report"
    assert [end.text.split()[0] for end in chart.panels[0].ends] == ["ceiling", "at"]


def test_the_report_has_a_section_with_a_chart_for_each_run(grown_fits: FitView, odd_fits: tuple[Fit, ...]) -> None:
    page = page_of(grown_fits, odd_fits)
    parsed(page)
    section = page[page.index("As the runs grew") :]
    assert section.count("<svg") == len(odd_fits)
    assert section.count("--c:var(--collapsed)") >= 1
    assert "As the runs grew" not in page_of(fit_view(odd_fits), odd_fits)


def test_a_vast_early_interval_leaves_the_rest_readable(odd_fits: tuple[Fit, ...]) -> None:
    view = fit_view(odd_fits[:1], over_time=tuple(over_times(odd_fits[:1]))).runs[0]
    assert view.over_time is not None
    first, *rest = view.over_time.looks
    vast = replace(first, ceiling=Interval(-90.0, 0.5, 100.0))
    view = replace(view, bounds=(-100.0, 100.0))
    drawn: Trace = trace(view, replace(view.over_time, looks=(vast, *rest)), odd_fits[0].run.curve)
    low, high = trace_limits([drawn])
    assert -1.0 < low < 0.1
    assert 0.75 < high < 2.0
    assert np.isfinite([low, high]).all()
