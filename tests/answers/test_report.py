from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from rlscale.answers.views import RankView, fit_view, rank_view
from rlscale.curves import UNITS, Curve, Truth, simulated_runs
from rlscale.decisions import rank
from rlscale.inference import Fit, fit
from rlscale.sources.clocks import CLOCKS
from tests.answers.made import simulated
from tests.answers.shown import page_of

VOID = {"meta", "wbr", "br", "circle", "polyline", "polygon"}


class Tags(HTMLParser):
    """Collects tags and attributes, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID or tag == "circle":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


@pytest.fixture(scope="module")
def html(odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> str:
    return page_of(odd_ranking, odd_fits)


def test_opens_offline(html: str) -> None:
    tags = parsed(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(tags.seen)
    assert not {name for name, _ in tags.attributes} & {"src", "href", "xlink:href", "onclick", "onload"}
    assert "@import" not in html
    assert not re.search(r"url\(|https?://", html)


def test_names_are_escaped(html: str) -> None:
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html
    assert "<script>" not in html
    assert "学习-flat" in html


def test_says_everything_once_asked_for(html: str) -> None:
    for field in ("Form", "Data", "Compute", "Fit", "Noise", "Priors", "Intervals", "Bounds hit", "Held out"):
        assert f"<dt>{field}</dt>" in html
    for part in ("All recipes", "Runs", "Left out", "How these numbers were made"):
        assert f"<h2>{part}</h2>" in html
    for badge in ("too few points", "collapsed", "no learning"):
        assert badge in html
    assert "torn &amp; lost" in html
    assert "nan" not in re.findall(r'points="([^"]*)"', html)


def test_no_number_is_missing_from_the_drawings(html: str) -> None:
    drawn = " ".join(re.findall(r'(?:points|cx|cy|x|y)="([^"]*)"', html))
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_same_input_same_report(html: str, odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> None:
    assert page_of(odd_ranking, odd_fits) == html


def test_report_of_fits_alone(odd_fits: tuple[Fit, ...]) -> None:
    html = page_of(fit_view(odd_fits), odd_fits)
    parsed(html)
    assert "All recipes" not in html
    assert html.count('<svg class="fan"') == len(odd_fits)


def test_report_of_many_runs_stays_small() -> None:
    found = fit(simulated("r", Truth(R0=0.1, A=0.7, B=1.6, C_mid=60.0, sigma=0.01), 60))
    fits = tuple(found for _ in range(23))
    html = page_of(fit_view(fits), fits)
    assert len(html.encode()) < 2_000_000


def test_groups_out_of_order_are_explained(odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> None:
    note = "a wide forecast may stay in a better group than its place"
    rows = odd_ranking.ranking.recipes
    for groups, told in (((1, 1, 2, 3, None), False), ((1, 2, 1, 3, None), True)):
        given = tuple(replace(row, group=group) for row, group in zip(rows, groups, strict=True))
        ranking = replace(odd_ranking.ranking, recipes=given)
        assert (note in page_of(replace(odd_ranking, ranking=ranking), odd_fits)) is told


def test_no_published_check_is_no_section(html: str, odd_fits: tuple[Fit, ...], odd_ranking: RankView) -> None:
    section = "<h2>Cross-check by the published rules (A within .02 is a tie, then B)</h2>"
    assert section in html
    pairs = tuple(replace(pair, published=None) for pair in odd_ranking.ranking.pairs)
    bare = replace(odd_ranking, ranking=replace(odd_ranking.ranking, pairs=pairs))
    assert section not in page_of(bare, odd_fits)


def test_computes_near_the_largest_number_are_drawn() -> None:
    run = simulated("r", Truth(R0=0.1, A=0.7, B=1.6, C_mid=60.0, sigma=0.01))
    compute = run.curve.compute * (sys.float_info.max / 300)
    far = Curve(compute=compute, reward=run.curve.reward, metric="reward")
    found = (fit(replace(run, curve=far)),)
    html = page_of(fit_view(found), found)
    assert html.count('<svg class="fan wide"') == html.count('<svg class="fan narrow"') == 1
    assert "nan" not in " ".join(re.findall(r'(?:points|cx|cy|x|y)="([^"]*)"', html))


def test_nothing_fitted_still_reports(odd_fits: tuple[Fit, ...]) -> None:
    alone = tuple(item for item in odd_fits if item.run.name == "one-row")
    html = page_of(rank_view(rank(alone), alone), alone)
    parsed(html)
    assert "No recipe shows learning yet" in html


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("clock", ["", *CLOCKS])
def test_every_axis_has_a_report(unit: str, clock: str) -> None:
    made_run = simulated_runs(1, 1, 12, 0, unit="steps")[0][0]
    run = replace(made_run, curve=replace(made_run.curve, unit=unit, clock=clock))
    html = page_of(fit_view([fit(run)]), [fit(run)])
    assert unit in html
