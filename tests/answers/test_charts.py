from __future__ import annotations

import builtins
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from rlscale.answers.charts import Axis, Band, Chart, End, Key, Label, Line, Panel, Part, Points, Whisker
from rlscale.answers.charts.axes import compute_axis
from rlscale.answers.charts.recipes import rank_chart
from rlscale.answers.charts.runs import fan, fan_chart, fan_limits, fan_panel, near
from rlscale.answers.gate.chart import COLOURS, gate_chart
from rlscale.answers.gate.view import GateView
from rlscale.answers.views import RankView
from rlscale.curves import Curve
from rlscale.decisions.gate import gate
from rlscale.errors import InputError
from rlscale.inference import Fit, VerdictName, fit
from rlscale.render.figure import check_figure, write_chart
from rlscale.render.svg import panel_svg
from rlscale.sources import bundled, read
from tests.health.runs import healthy_series, run_with, steps


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_ranking_is_drawn(ending: str, tmp_path: Path, odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> None:
    path = tmp_path / f"f.{ending}"
    chart = rank_chart(odd_ranking, odd_fits)
    write_chart(chart, path)
    assert path.exists()
    overlay, *runs = chart.panels
    rows = [row for row in odd_ranking.ranking.recipes if row.forecast is not None]
    assert [(end.y, end.interval) for end in overlay.ends] == [
        (row.forecast.q50, (row.forecast.q10, row.forecast.q90)) for row in rows if row.forecast is not None
    ]
    assert [end.colour for end in overlay.ends] == [f"s{k}" for k in range(len(rows))]
    assert len(runs) == len(odd_fits)
    assert len({panel.y for panel in runs}) == 1  # one reward axis for all


def test_a_fan_shows_the_evaluations_the_bands_and_the_ceiling(odd_fits: tuple[Fit, ...]) -> None:
    found = odd_fits[0]
    chart = fan(found)
    panel = fan_panel(chart, (0.0, 1.0), "s3")
    bands = [mark for mark in panel.marks if isinstance(mark, Band)]
    assert [(band.low, band.high) for band in bands] == [(chart.q10, chart.q90), (chart.q25, chart.q75)]
    (points,) = (mark for mark in panel.marks if isinstance(mark, Points))
    assert points.x == tuple(found.run.curve.compute)
    assert points.y == tuple(found.run.curve.reward)
    whiskers = [mark for mark in panel.marks if isinstance(mark, Whisker)]
    assert [mark.middle for mark in whiskers] == [item.q50 for item in chart.targets]
    assert chart.asymptote is not None
    assert panel.ends[0].interval == (chart.asymptote.q10, chart.asymptote.q90)
    assert {band.colour for band in bands} == {panel.ends[0].colour} == {"s3"}


def test_evaluations_left_out_are_grey_rings_with_a_key() -> None:
    series = healthy_series()
    sick = (steps() > 60) & (steps() < 80)
    found = fit(
        run_with(truncation=np.where(sick, 0.95, 0.02), train_reward=np.where(sick, 0.1, series["train_reward"]))
    )
    chart = fan_chart([found])
    (panel,) = chart.panels
    dots, rings = (mark for mark in panel.marks if isinstance(mark, Points))
    assert (dots.colour, dots.hollow) == ("ink", ())
    assert rings.colour == "muted"
    assert all(rings.hollow)
    assert set(rings.x) == set(found.masked)
    assert all("left out of the fit" in tip for tip in rings.tips)
    keys = [(key.shape, key.colour, key.text) for key in chart.keys]
    assert keys == [("dot", "ink", "evaluation"), ("ring", "muted", "left out: sickness"), ("ring", "s0", "forecast")]
    assert {mark.colour for mark in panel.marks if isinstance(mark, Whisker)} == {"s0"}


def test_a_fit_of_all_evaluations_needs_no_key(odd_fits: tuple[Fit, ...]) -> None:
    assert fan_chart(odd_fits[:1]).keys == ()


def test_an_interval_under_open_bounds_does_not_squeeze_the_evaluations(tmp_path: Path) -> None:
    compute = np.arange(1.0, 31.0)
    reward = 1.0 + 0.02 * compute + 0.02 * np.random.default_rng(3).normal(size=30)
    found = fit(compute, reward, bounds="open")
    chart = fan(found)
    full, limits = fan_limits([chart]), near([chart])
    span = float(np.ptp(found.run.curve.reward))
    assert full[1] - full[0] > 4.0 * span
    assert limits[1] - limits[0] <= 4.0 * span + 1e-9
    panel = fan_panel(chart, limits)
    values = [y for m in panel.marks if isinstance(m, Band) for y in (*m.low, *m.high)]
    values += [y for m in panel.marks if isinstance(m, Line) for y in m.y]
    values += [y for m in panel.marks if isinstance(m, Whisker) for y in (m.low, m.middle, m.high)]
    values += [y for end in panel.ends for y in (end.y, *(end.interval or ()))]
    assert limits[0] <= min(values) <= max(values) <= limits[1]
    assert chart.asymptote is not None
    assert f"↑{chart.asymptote.q90:.2g}" in panel.ends[0].text
    assert "↑" in [m.text for m in panel.marks if isinstance(m, Label)]
    whole = fan_chart([found])
    assert whole.note == "An arrow says how far an interval goes past the axis"
    write_chart(whole, tmp_path / "f.png")
    assert near([fan(fit(compute, reward - 1.0))]) == fan_limits([fan(fit(compute, reward - 1.0))])  # bounds [0, 1]


def test_single_and_many_fits_are_drawn(tmp_path: Path, odd_fits: tuple[Fit, ...]) -> None:
    for count in (1, 14):
        chart = fan_chart((odd_fits[0],) * count)
        path = tmp_path / f"{count}.png"
        write_chart(chart, path)
        assert path.read_bytes().startswith(b"\x89PNG")
        assert len(chart.panels) == min(count, 12)
    assert chart.note == "2 more runs in --report"


def test_both_renderers_draw_every_kind_of_mark(tmp_path: Path) -> None:
    marks = (
        Band((1.0, 2.0), (0.1, 0.2), (0.3, 0.4), "s1"),
        Line((1.0, 2.0), (0.2, 0.3), "s1", dash="dotted", steps=True, strength=0.5),
        Points((1.0,), (0.2,), "resolved", hollow=(True,), tips=("<b>&",)),
        Whisker(2.0, 0.1, 0.2, 0.3, "ink"),
        Label(1.0, 0.4, "<now>"),
    )
    ends = (
        End(0.2, "a", "s0", (0.1, 0.3), bar=True),
        End(0.2, "b", "s1", (0.1, 0.3)),
        End(0.2, "c", "muted", marker="D"),
    )
    y = Axis("reward", 0.0, 0.5, ((0.0, "0"), (0.25, "0.25")), "root")
    panel = Panel(description='says "so"', x=compute_axis(1.0, 2.0, "steps", zero=True), y=y, marks=marks, ends=ends,
                  title="t", subtitle="s", corner="c", keys=(Key("band", "s1", "k"),))  # fmt: skip
    page = panel_svg(panel)
    parsed = ElementTree.fromstring(page)
    assert "<b>&" not in page
    tags = [element.tag for element in parsed.iter()]
    assert tags.count("polygon") == 3  # the break of the axis, the band, the bar
    assert tags.count("circle") == 3  # the points, the whisker, the end
    heights = [float(text.attrib["y"]) for text in parsed.iter("text") if text.text in ("a", "b", "c")]
    assert min(abs(a - b) for a, b in pairwise(sorted(heights))) >= 16.9  # kept apart
    write_chart(Chart((Part((panel,), 1, (4.0, 3.0)),), "note", (Key("dotted", "s0", "today"),)), tmp_path / "f.svg")
    assert (tmp_path / "f.svg").read_bytes().startswith(b"<?xml")


def test_a_gate_is_drawn(tmp_path: Path) -> None:
    runs = read(bundled())
    answer = gate(runs, 1.84e6)
    curves = {run.name: run.curve for run in runs}
    view = GateView(answer=answer, calibration="", shown=answer.decisions, curves=curves)
    chart = gate_chart(view)
    write_chart(chart, tmp_path / "f.png")
    (panel,) = chart.panels
    best = max(answer.decisions, key=lambda decision: decision.evidence.mean or 0.0)
    assert best.evidence.interval is not None
    assert panel.ends[0].y == best.evidence.interval.q50
    assert panel.ends[0].text.startswith(best.run)
    assert {mark.colour for mark in panel.marks if isinstance(mark, Line)} == {
        COLOURS[decision.action] for decision in answer.decisions
    }


def test_svg_is_the_same_every_time(tmp_path: Path, odd_fits: tuple[Fit, ...]) -> None:
    for name in ("a.svg", "b.svg"):
        write_chart(fan_chart(odd_fits[:1]), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_other_endings_are_refused() -> None:
    with pytest.raises(InputError, match=r"\.pdf is not a chart; end the name in \.png or \.svg"):
        check_figure(Path("f.pdf"))


def test_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'rlscale\[plot\]'"):
        check_figure(Path("f.png"))


def test_a_fan_begins_where_the_current_regime_does() -> None:
    compute = 10.0 * np.arange(41)
    wiggle = 0.004 * np.sin(np.arange(41.0) ** 2)
    jumped = fit(Curve(compute=compute, reward=np.where(compute < 200.0, 0.2, 0.6) + wiggle))
    assert jumped.verdict.name == VerdictName.REGIME_CHANGE
    drawn = fan(jumped)
    assert drawn.grid[0] == pytest.approx(200.0)
    assert drawn.first == 10.0
    assert drawn.used == tuple(compute >= 200.0)
