"""Text, JSON and chart of a replay, made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlscale.answers.charts import Line
from rlscale.answers.replay import ReplayView, replay_answer, words
from rlscale.answers.replay.chart import replay_chart
from rlscale.answers.replay.document import replay_document
from rlscale.render.figure import write_chart
from rlscale.render.json import dumps
from rlscale.trust.arena import Arena, Setting
from rlscale.trust.outcome import Skipped
from rlscale.trust.replay import PolicyScores, Replay
from tests.answers.shown import text_of


def scored(name: str, cost: float, kept: float, regret: float = 0.002) -> PolicyScores:
    return PolicyScores(
        policy=name, cost=cost, kept=(kept - 0.1, kept - 0.05, kept), regret=regret, wrong=1 - kept,
        wrong_low=max(0.0, 0.97 - kept), wrong_high=min(1.0, 1.04 - kept), resumes=2.0, rounds=24.0,
    )  # fmt: skip


POLICIES = (scored("hold", 0.55, 1.0, 0.0), scored("asha", 0.31, 0.75), scored("median", 0.7, 1.0, 0.0))


def view(policies: tuple[PolicyScores, ...] = POLICIES, frontier=None, **setting) -> ReplayView:
    arena = Arena(
        (), (), 240.0, "steps", "val_acc", 1.0, 1.0, (Skipped("short", None, "9 evaluations"),), ((None,),) * 8
    )
    result = Replay(
        arena=arena, setting=Setting(**setting), tournaments=200, size=8, looks=24, policies=policies,
        frontier=frontier or {},
    )  # fmt: skip
    return ReplayView(result=result)


def text(shown: ReplayView, width: int) -> str:
    return text_of(replay_answer(shown), width)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_text_fits_and_tells_everything(width: int) -> None:
    found = text(view(), width)
    assert max(map(len, found.splitlines())) <= width
    for word in ("hold", "asha", "median", "55.0", "short: 9 evaluations", "wrong"):
        assert word in found


def test_the_headline_speaks_of_the_gate_and_its_rivals() -> None:
    assert words.headline(view()).startswith("In 200 tournaments of 8 runs, hold used 55 % of the compute of running")
    assert words.rivals(view()) == (
        "No other policy keeps as much for less: the cheapest that does, median, uses 70 %."
    )
    assert words.rivals(view(POLICIES[:2])) == "No other policy keeps as much, at any compute."
    assert words.rivals(view((POLICIES[0], scored("margin", 0.4, 1.0)))) == (
        "margin keeps as much for less compute: 40 %."
    )
    assert words.rivals(view(POLICIES[:1])) == ""
    assert "8 recipes" in words.headline(view(recipes=True))


def test_a_small_regret_is_not_rounded_to_none() -> None:
    assert [view().regret(value) for value in (0.0, 4e-5, 0.0012)] == ["0.0000", "<0.0001", "0.0012"]


def test_notes_follow_the_setting() -> None:
    assert "cost nothing here" in " ".join(words.notes(view()))
    told = " ".join(words.notes(view(resume_cost=0.02, stagger=0.1)))
    assert "A restart costs 0.02 and a pause 0 of a run's horizon." in told
    assert "starts 0.1 of the horizon after" in told


def test_the_document_keeps_the_contract() -> None:
    found = json.loads(dumps(replay_document(view())))
    assert list(found)[:4] == ["schema", "tournaments", "k", "policies"]
    assert list(found["policies"][0])[:7] == ["policy", "cost", "kept", "regret", "wrong", "resumes", "rounds"]
    assert list(found["policies"][0]["kept"]) == ["0", "0.01", "0.02"]
    assert found["k"] == 8
    assert found["savings"] == found["policies"][0]["savings"]
    planned = 8 * 240.0
    assert (found["savings"]["planned"], found["savings"]["saved"]) == (planned, pytest.approx(0.45 * planned))


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_chart_is_drawn(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"replay.{ending}"
    several = {"hold": (scored("hold", 0.5, 0.98), scored("hold", 0.7, 1.0, 0.0)), "asha": (scored("asha", 0.4, 0.8),)}
    chart = replay_chart(view(frontier=several))
    write_chart(chart, path)
    regret, kept = chart.panels
    assert regret.y.scale == "root"
    assert regret.y.position(0.0) == 0.0
    lines = [mark for mark in kept.marks if isinstance(mark, Line)]
    assert lines[0].x == (50.0, 70.0) or 50.0 in lines[0].x
    assert kept.ends[0].text == "hold"
    # nothing lost anywhere: the scale still stands
    none_lost = replay_chart(view((scored("hold", 1.0, 1.0, 0.0),)))
    assert none_lost.panels[0].y.high > 0.0
    write_chart(none_lost, path)
