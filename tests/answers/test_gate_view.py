"""Text and JSON of a gate's answer, made by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rlscale.answers.gate import GateView, gate_answer
from rlscale.answers.gate.document import gate_document
from rlscale.answers.gate.reasons import TOGETHER, reasons
from rlscale.answers.gate.view import headline, risk_words
from rlscale.answers.settings import BadFile, Settings
from rlscale.decisions.gate import HOLD, KILL, Action, Decision, Evidence, GateAnswer
from rlscale.decisions.savings import Outlay, savings
from rlscale.inference import VerdictName
from rlscale.render.json import dumps
from tests.answers.shown import text_of


def decision(run: str, action: Action, code: str, mean: float | None = 0.6) -> Decision:
    forecast = None if mean is None else tuple(mean + 0.01 * k for k in range(-3, 4))
    evidence = Evidence(
        contender=run, spent=5e5, evaluations=20, reward=0.5, forecast=forecast, mean=mean, h=0.01, joint_risk=0.03,
        guard=None, looks=1, drift=1.0, discrepancy=0.02, collapsed=False, verdict=VerdictName.BENDING,
    )  # fmt: skip
    return Decision(run=run, recipe=run, action=action, code=code, reason=f"It is {code}.", evidence=evidence)


LONG = "qwen2.5-3b/a-name-of-forty-characters-[bold]"
DECISIONS = (
    decision("low", Action.HOLD, "unlikely_best", 0.4),
    decision(LONG, Action.CONTINUE, "leader", 0.8),
    decision("new", Action.CONTINUE, "unfitted", None),
    decision("gone", Action.STOP, "stopped", 0.3),
)


def view(decisions: tuple[Decision, ...] = DECISIONS, policy=HOLD, risk: float | None = 0.03, **more) -> GateView:
    answer = GateAnswer(
        budget=2e6, horizon=1e6, spent=2e6, unit="gpu-hours", clock="train", metric="acc", bounds=(0.0, 1.0),
        decisions=decisions, risk=risk, leader=LONG, policy=policy, claim="runs", seed_sd=0.0, notes=("A note.",),
        savings=savings([Outlay(5e5) for _ in decisions], 2e6, "gpu-hours"),
    )  # fmt: skip
    told = {"calibration": "Uncalibrated: not measured.", "shown": decisions, "errors": (BadFile("x.csv", "torn"),)}
    return GateView(answer=answer, settings=Settings(options={"budget": 2e6}), **{**told, **more})


def text(shown: GateView, width: int) -> str:
    return text_of(gate_answer(shown), width)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_text_fits_and_tells_everything(width: int) -> None:
    found = text(view(), width)
    assert max(map(len, found.splitlines())) <= width
    for word in ("hold", "continue", "stop", "low", "A note.", "Uncalibrated", "It is leader.", "0.800"):
        assert word in " ".join(found.split())
    assert found.count("guarantee") == 1
    rows = [line for line in found.splitlines() if line and line[0] in "✔▶‖■"]
    assert [row.split()[1] for row in rows[:4]] == ["continue", "continue", "hold", "stop"]


def test_a_reason_that_many_share_is_one_sentence() -> None:
    many = [decision(f"run{k}", Action.HOLD, "unlikely_best", 0.1 + 0.01 * k) for k in range(9)]
    own = [replace(one, reason=f"Its forecast is {one.evidence.mean}.") for one in many]
    told = (*own, decision("new", Action.CONTINUE, "minimum"), decision("top", Action.COMMIT, "only_one_left"))
    why = reasons(told, view(told).answer)
    assert [(one.action, len(one.runs)) for one in why] == [(Action.HOLD, 9), (Action.CONTINUE, 1), (Action.COMMIT, 1)]
    assert why[0].text.startswith("Each is hardly better than all others by more than 0.020 at 2M gpu-hours")
    assert why[1].text == "It is minimum."
    found = " ".join(text(view(told), 100).split())
    assert "run8, run7, run6, run5, run4, run3 and 3 more: Each is hardly better" in found
    assert "Its forecast is" not in found
    assert [one["reason"] for one in gate_document(view(told))["decisions"]] == [one.reason for one in told]


def test_reasons_with_words_of_people_are_told_one_by_one() -> None:
    said = [replace(decision(f"run{k}", Action.HOLD, "held_by_hand"), reason=f"ana said hold ({k}).") for k in range(2)]
    assert [one.text for one in reasons(said, view().answer)] == ["ana said hold (0).", "ana said hold (1)."]


@pytest.mark.parametrize("policy", [HOLD, KILL])
@pytest.mark.parametrize("code", TOGETHER)
def test_each_shared_sentence_is_whole(code, policy) -> None:
    pair = [replace(decision(f"run{k}", Action.HOLD, code), reason=str(k)) for k in range(2)]
    (found,) = reasons(pair, view(policy=policy).answer)
    assert found.runs == ("run0", "run1")
    assert found.text.endswith(".")
    assert "None" not in found.text


def test_the_document_keeps_the_contract() -> None:
    found = json.loads(dumps(gate_document(view())))
    assert list(found)[:4] == ["schema", "budget", "spent", "decisions"]
    first = found["decisions"][0]
    assert list(first) == ["run", "recipe", "decision", "reason_code", "reason", "evidence"]
    assert (first["decision"], first["reason_code"]) == ("hold", "unlikely_best")
    assert list(first["evidence"]["forecast"]) == ["q05", "q10", "q25", "q50", "q75", "q90", "q95", "mean"]
    assert found["decisions"][2]["evidence"]["forecast"] is None
    assert found["policy"]["alpha"] == HOLD.alpha
    assert found["model_based_risk"] == 0.03
    assert found["clock"] == "train"


def test_one_run_may_be_shown_alone() -> None:
    found = view(shown=DECISIONS[:1])
    assert len(gate_document(found)["decisions"]) == 1
    assert "It is leader." not in text(found, 100)


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([Action.CONTINUE], "The run goes on."),
        ([Action.CONTINUE] * 3, "All 3 runs go on: nothing is paused."),
        ([Action.HOLD, Action.CONTINUE], "Of 2 runs: continue 1 and hold 1."),
        ([Action.COMMIT, Action.HOLD, Action.HOLD], "Of 3 runs: commit 1 (r0) and hold 2."),
        ([Action.COMMIT, Action.STOP], "Of 2 runs: commit 1 (r0) and stop 1."),
    ],
)
def test_the_headline_counts(actions: list[Action], said: str) -> None:
    made = tuple(decision(f"r{k}", action, "x") for k, action in enumerate(actions))
    assert headline(view(made)).startswith(said)


def test_the_headline_says_why_nothing_is_decided() -> None:
    still = tuple(decision(f"r{k}", Action.CONTINUE, "no_learning") for k in range(2))
    assert headline(view(still)) == "No run shows learning yet: nothing is decided, what runs goes on."


def test_the_risk_is_named_for_what_it_is() -> None:
    assert "more than 0.020: 3.0 %; at most 15 % is allowed." in risk_words(view())
    assert "under 0.1 %" in risk_words(view(risk=1e-5))
    assert risk_words(view(policy=KILL)) == "Model-based risk spent on stops: 3.0 %; at most 5 % is allowed."
    assert risk_words(view(risk=None)) == ""
