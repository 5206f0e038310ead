"""Figures of plotly: the numbers of the panel, in its places, and nothing that a name could smuggle in."""

from __future__ import annotations

import json
import math

import pytest

from rlscale.answers.charts.spec import Axis, Band, End, Label, Line, Panel, Points, Whisker
from rlscale.render.json import dumps
from rlscale.render.plotly import figure

TICKS = ((0.0, "0"), (10.0, "10"), (1000.0, "1k"))
LOG = Axis("compute (tokens, log)", 10.0, 1000.0, TICKS, "log", zero=True)
UP = Axis("reward", 0.0, 1.0, ((0.0, "0.0"), (1.0, "1.0")))


def panel(*marks, x: Axis = LOG, y: Axis = UP, **more) -> Panel:
    return Panel(description="d", x=x, y=y, marks=marks, **more)


def share(axis: dict, value: float) -> float:
    """Return where plotly puts a value along an axis."""
    low, high = axis["range"]
    at = math.log10(value) if axis["type"] == "log" else value
    return (at - low) / (high - low)


@pytest.mark.parametrize(
    "axis",
    [LOG, Axis("c", 10.0, 1000.0, (), "log"), Axis("c", -1.0, 3.0, ((0.0, "0"),)), Axis("c", 0.0, 4.0, (), "root")],
)
def test_points_stand_where_the_panel_puts_them(axis):
    values = (
        (0.0, 10.0, 40.0, 1000.0) if axis.zero else (10.0, 40.0, 1000.0) if axis.scale == "log" else (0.0, 1.5, 3.0)
    )
    made = figure(panel(Points(values, tuple(0.2 for _ in values), "ink"), x=axis), 1040, 420)
    for value, shown in zip(values, made["data"][0]["x"], strict=True):
        assert share(made["layout"]["xaxis"], shown) == pytest.approx(axis.position(value), abs=1e-6)


def test_ticks_are_those_of_the_panel():
    axis = figure(panel(), 1040, 420)["layout"]["xaxis"]
    assert axis["ticktext"] == ["0", "10", "1k"]
    assert [share(axis, value) for value in axis["tickvals"]] == pytest.approx([LOG.position(v) for v, _ in TICKS])
    assert figure(panel(), 1040, 420)["layout"]["shapes"][0]["name"] == "break"


def test_marks_become_traces_in_their_order_and_colours():
    x, low, high = (10.0, 100.0), (0.1, 0.2), (0.3, 0.5)
    made = figure(
        panel(
            Band(x, low, high, "s1", 0.2, "80 %"),
            Line(x, (0.2, 0.4), "s1", 2.0, "dashed", name="median"),
            Points(x, (0.2, 0.4), "ink", hollow=(True, False), tips=("first", "second")),
            Whisker(1000.0, 0.3, 0.4, 0.6, "s1", "there"),
            Label(100.0, 1.0, "now"),
            ends=(End(0.5, "ceiling 0.500", "s1", (0.4, 0.6), bar=True),),
        ),
        1040,
        420,
    )
    band, line, points, whisker = made["data"]
    assert (band["fillcolor"], band["opacity"], band["y"]) == ("var(--s1)", 0.2, [0.3, 0.5, 0.2, 0.1])
    assert (line["line"]["color"], line["line"]["dash"]) == ("var(--s1)", "5px,3px")
    assert line["text"] == [
        "median: 0.200 at 10 tokens<br>80 %: 0.100–0.300",
        "median: 0.400 at 100 tokens<br>80 %: 0.200–0.500",
    ]
    assert points["text"] == ["first", "second"]
    assert points["marker"]["color"] == ["var(--card)", "var(--ink)"]
    assert (whisker["y"], whisker["text"]) == ([0.3, 0.4, 0.6], ["", "there", ""])
    texts = [each["text"] for each in made["layout"]["annotations"]]
    assert texts == ["now", "<b>ceiling 0.500</b>"]
    assert [shape["y0"] for shape in made["layout"]["shapes"] if shape.get("opacity") == 0.35] == [0.4]
    assert json.loads(dumps(made)) == made


def test_a_line_without_a_name_is_not_read():
    made = figure(panel(Line((10.0, 100.0), (0.2, 0.4), "ink")), 1040, 420)
    assert made["data"][0]["hoverinfo"] == "skip"


def test_names_are_text():
    name = "<a href='javascript:x'>&amp;</a>"
    made = figure(
        panel(Line((10.0, 100.0), (0.2, 0.4), "s0", name=name), ends=(End(0.4, name, "s0"),), corner=name), 1040, 420
    )
    told = [made["data"][0]["text"][0], *(each["text"] for each in made["layout"]["annotations"])]
    assert all("<a" not in text and "&lt;a" in text for text in told)


def test_long_lines_are_thinned_to_what_a_screen_shows_and_keep_their_extremes():
    x = tuple(10.0 * 100.0 ** (k / 99_999) for k in range(100_000))
    y = tuple(0.01 if k == 50_000 else 0.9 if k == 99_999 else 0.5 + 0.001 * (k % 7) for k in range(100_000))
    made = figure(panel(Line(x, y, "s0"), Points(x, y, "s0")), 1040, 420)
    line, points = made["data"]
    assert len(line["x"]) < 8 * 1040
    assert (min(line["y"]), max(line["y"])) == (0.01, 0.9)
    assert line["x"][0] == pytest.approx(10.0)
    assert line["x"][-1] == pytest.approx(1000.0)
    assert len(points["x"]) < 30_000


def test_ends_that_would_overlap_are_kept_apart():
    made = figure(panel(ends=(End(0.5, "a", "s0"), End(0.5, "b", "s1"))), 1040, 420)
    first, second = (each["yshift"] for each in made["layout"]["annotations"])
    assert abs(first - second) == pytest.approx(17.0)
