from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rlscale.answers.backtest import BacktestView, backtest_answer, words
from rlscale.answers.backtest.chart import backtest_chart
from rlscale.answers.backtest.document import backtest_document
from rlscale.errors import InputError
from rlscale.render.figure import write_chart
from rlscale.render.html import as_page
from rlscale.render.json import dumps
from rlscale.trust.backtest import cut_scores
from tests.answers.shown import text_of
from tests.answers.test_report import parsed
from tests.trust.made import answer, case

METHODS = ("rlscale", "last_value", "last3_mean", "linearised_grid", "scalerl_grid", "least_squares")
SCORES = ("median_abs_error", "mean_abs_error", "p90_abs_error", "coverage80", "coverage50", "crps", "kendall_tau",
          "pairwise_accuracy", "top1_regret")  # fmt: skip


def shown(view: BacktestView, width: int) -> str:
    return text_of(backtest_answer(view), width)


def backtest_page(view: BacktestView) -> str:
    return as_page(backtest_answer(view, charts=True))


@pytest.mark.parametrize("width", [80, 100])
def test_text(width: int, golden: Callable[[str, str], None]) -> None:
    text = shown(answer(), width)
    golden(f"backtest-{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width


def test_document(golden: Callable[[str, str], None]) -> None:
    golden("backtest.json", dumps(backtest_document(answer())) + "\n")


def test_document_keeps_the_contract() -> None:
    text = dumps(backtest_document(answer(cuts=(0.25, 0.5, 0.75))))
    assert not re.search(r"NaN|Infinity", text)
    document = json.loads(text)
    assert document["schema"] == 1
    assert [cut["cut"] for cut in document["cuts"]] == [0.25, 0.5, 0.75]
    for cut in document["cuts"]:
        assert cut["runs"] == 8
        assert set(cut["methods"]) == set(METHODS)
        for name, scores in cut["methods"].items():
            assert tuple(scores)[: len(SCORES)] == SCORES
            assert (scores["coverage80"] is None) == (name != "rlscale")
    assert len(document["runs"]) == 24
    assert list(document["runs"][0])[:7] == ["run", "cut", "truth", "q10", "q50", "q90", "last_value"]
    assert document["skipped"][0] == {"run": "short", "cut": None, "reason": "9 evaluations; a backtest needs 12"}


def test_undefined_scores_are_null() -> None:
    view = answer(count=1, cuts=(0.5,))
    empty = replace(view.result, cuts=(*view.result.cuts, cut_scores(0.9, [])))
    document = json.loads(dumps(backtest_document(replace(view, result=empty))))
    one, none = (cut["methods"]["rlscale"] for cut in document["cuts"])
    assert one["mean_abs_error"] == pytest.approx(0.01)
    assert [one[name] for name in ("kendall_tau", "pairwise_accuracy", "top1_regret", "excess_error")] == [None] * 4
    assert set(none.values()) == {None}
    assert document["cuts"][1]["target_noise"] is None


def test_headline_of_several_and_of_one() -> None:
    assert words.headline(answer()) == (
        "Made at 25 and 50 % of its compute, the forecast of a run's end missed by 0.0213 and 0.0213 on average; "
        "14 of 16 intervals of 80 % held what came true."
    )
    assert words.headline(answer(count=1, cuts=(0.5,))) == (
        "Made at 50 % of its compute, the forecast of wide-clip/seed0's end missed by 0.0100; its 80 % interval held "
        "what came true."
    )


def test_says_who_beats_whom() -> None:
    view = answer()
    said = words.cut_sentences(view, view.result.cuts[0])
    beaten = "least squares and linearised grid"
    assert said[0] == (
        f"By mean error rlscale beats {beaten}; it cannot be told from last value, mean of last 3 and published grid."
    )


def test_says_where_it_is_first() -> None:
    view = answer()
    assert words.lead(view) == "Of 6 methods rlscale has neither the lowest mean error nor CRPS at any cut."

    def apart(error: dict[float, float]) -> BacktestView:
        """The published grid is off by so much at each cut."""
        scored = []
        for cut, off in error.items():
            here = [one for one in view.result.cases if one.cut == cut]
            moved = [replace(one, forecasts={**one.forecasts, "scalerl_grid": one.truth + off}) for one in here]
            scored.append(cut_scores(cut, moved))
        return replace(view, result=replace(view.result, cuts=tuple(scored)))

    said = words.lead(apart({0.25: 0.2, 0.5: 0.2}))
    assert said == "Of 6 methods rlscale has the lowest mean error and the lowest mean CRPS at every cut."
    said = words.lead(apart({0.25: 0.02, 0.5: 0.2}))
    assert said == "Of 6 methods rlscale has the lowest mean error at 50 % and the lowest mean CRPS at every cut."


def test_too_few_runs_say_so() -> None:
    view = answer(count=3, cuts=(0.5,))
    text = " ".join(shown(view, 100).split())
    assert "3 runs cannot tell methods apart: it takes 6 or more." in text
    assert "The 80 % interval held 2 of 3 truths: too few to say whether it is honest." in text
    assert words.lead(view) == ""


@pytest.mark.parametrize(
    ("held", "said"), [(30, "it is wider than it need be"), (24, "no sign that"), (15, "it is too narrow")]
)
def test_coverage_is_judged_by_its_binomial_interval(held: int, said: str) -> None:
    given = [case(f"r{k}", 0.5, 0.5, 0.51 if k < held else 0.9, 0.05) for k in range(30)]
    assert said in words.coverage(given)


def test_report_opens_offline_and_is_whole() -> None:
    html = backtest_page(answer())
    tags = parsed(html)
    assert not {"script", "link", "img"} & set(tags.seen)
    assert not re.search(r"url\(|https?://|<b>x", html)
    for title in ("Against simpler methods", "Do the intervals hold as often as they say?", "Forecast and truth",
                  "Do narrow intervals go with small errors?", "By verdict at the cut, all cuts", "Runs", "Skipped",
                  "Left out", "About the fits", "About the input", "How these numbers were made"):  # fmt: skip
        assert f"<h2>{title}</h2>" in html
    assert html.count('<svg class="panel"') == 3 + 3 + 2  # all cuts and each; the truths of each
    drawn = " ".join(re.findall(r'(?:points|cx|cy|x|y)="([^"]*)"', html))
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert "came true, below" in html.replace("\u00a0", " ")
    assert backtest_page(answer()) == html


@pytest.mark.parametrize("count", [1, 2])
def test_report_of_hardly_any_runs(count: int) -> None:
    html = backtest_page(answer(count=count, cuts=(0.5,)))
    parsed(html)
    assert html.count('<svg class="panel"') == 3


def test_report_of_perfect_forecasts_has_an_axis() -> None:
    perfect = [case(f"r{k}", 0.5, 0.5, 0.5, 0.0) for k in range(6)]
    perfect = [replace(one, forecasts=dict.fromkeys(one.forecasts, 0.5)) for one in perfect]
    view = answer(cuts=(0.5,))
    html = backtest_page(replace(view, result=replace(view.result, cuts=(cut_scores(0.5, perfect),))))
    assert "nan" not in " ".join(re.findall(r'(?:points|cx|cy|x|y)="([^"]*)"', html))


@pytest.mark.parametrize(
    ("suffix", "cuts"), [("png", (0.25, 0.5)), ("svg", (0.5,)), ("svg", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6))]
)
def test_plot(suffix: str, cuts: tuple[float, ...], tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    chart = backtest_chart(answer(cuts=cuts))
    write_chart(chart, first)
    write_chart(backtest_chart(answer(cuts=cuts)), second)
    assert first.read_bytes() == second.read_bytes()
    held, kept = chart.panels
    assert len(held.keys) == (len(cuts) + 1 if 1 < len(cuts) <= 5 else 1)
    assert kept.ends[0].text == "rlscale"
    assert kept.y.low == 0.0
    assert kept.y.high >= max(end.y for end in kept.ends)
    with pytest.raises(InputError, match=r"\.pdf is not a chart"):
        write_chart(chart, tmp_path / "c.pdf")
