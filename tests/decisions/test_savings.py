"""What deciding saves: against counts by hand, and the same in the answers of every command."""

import json

import pytest

from rlscale.answers.savings import savings_words
from rlscale.decisions.savings import Outlay, check_price, savings
from rlscale.errors import InputError
from tests.test_cli import invoke

HELD, STOPPED = Outlay(20.0, paused=True, comeback=0.25), Outlay(30.0, paused=True, comeback=0.0)
FURTHEST, ENDED = Outlay(60.0), Outlay(10.0, over=True)


def test_savings_are_those_counted_by_hand() -> None:
    told = savings([FURTHEST, HELD, STOPPED, ENDED], 100.0, "gpu-hours")
    assert told.spent == 120.0
    assert told.saved == 40.0 + 30.0  # up to the furthest run
    assert told.expected == 0.75 * 80.0 + 70.0  # up to the budget, the held run as likely as it stays held
    assert told.planned == 310.0  # the run that ended asks for no more
    assert told.money is None
    priced = told.at(2.5).document()
    assert priced["money"] == {"spent": 300.0, "saved": 175.0, "expected": 325.0, "planned": 775.0}
    assert priced["price"] == 2.5


def test_nothing_is_saved_before_anything_is_paused_nor_beyond_the_budget() -> None:
    assert savings([FURTHEST, Outlay(20.0)], 100.0, "steps").saved == 0.0
    beyond = savings([Outlay(150.0), Outlay(120.0, paused=True, comeback=0.0)], 100.0, "steps")
    assert (beyond.saved, beyond.expected, beyond.planned) == (0.0, 0.0, 270.0)
    nothing = savings([], 100.0, "steps")
    assert (nothing.spent, nothing.planned) == (0.0, 0.0)
    assert "expected in the end 0." in savings_words(nothing)


def test_dollars_are_money_already() -> None:
    told = savings([FURTHEST], 100.0, "dollars").at(None)
    assert told.document()["money"]["spent"] == 60.0
    assert savings_words(told).count("dollars") == 1


@pytest.mark.parametrize(
    ("price", "unit", "said"),
    [
        (0.0, "gpu-hours", "price=0 is no price of a GPU-hour; give a number above 0"),
        (float("nan"), "gpu-hours", "price=nan is no price of a GPU-hour; give a number above 0"),
        (
            2.0,
            "tokens",
            "price=2 is for GPU-hours and compute is in tokens; leave it out, or read the runs in GPU-hours",
        ),
    ],
)
def test_a_price_that_says_nothing_is_refused(price, unit, said) -> None:
    with pytest.raises(InputError) as error:
        check_price(price, unit)
    assert str(error.value) == said


@pytest.fixture
def hours(tmp_path):
    """Return a table of runs in GPU-hours; the shapes are far apart, so that three of four are held."""
    path = tmp_path / "hours.csv"
    lines = ["run,gpu_hours,reward"]
    for name, ceiling in (("a", 0.8), ("b", 0.5), ("c", 0.45), ("d", 0.62)):
        lines += [f"{name},{4 * k},{0.1 + (ceiling - 0.1) * k / (k + 2) + 0.004 * (-1) ** k:.4f}" for k in range(15)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def told_by(*args):
    result = invoke(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["savings"]


def test_gate_and_replay_tell_what_was_saved_in_money(hours) -> None:
    now = told_by("gate", hours, "--budget", 100)
    assert (now["spent"], now["planned"], now["saved"]) == (224.0, 400.0, 0.0)
    assert 131.0 < now["expected"] < 132.0 + 1e-9
    assert (now["unit"], now["price"], now["money"]) == ("gpu-hours", None, None)
    priced = told_by("gate", hours, "--budget", 100, "--unit", "gpu-hours", "--price", 2, "--held", "b")
    assert priced["money"]["spent"] == 448.0
    dollars = told_by("gate", hours, "--budget", 200, "--price", 2)
    assert (dollars["unit"], dollars["price"], dollars["money"]["spent"]) == ("dollars", 2.0, 448.0)
    ended = told_by("gate", hours, "--budget", 100, "--ended", "b")
    assert ended["planned"] == 356.0
    shown = invoke("gate", hours, "--budget", 100).stdout
    assert "Spent 224 of the 400 gpu-hours of running all to the budget; saved so far 0" in shown
    over = told_by("replay", hours, "--policy", "hold", "--unit", "gpu-hours", "--price", 2)
    assert over["saved"] == over["expected"] == pytest.approx(over["planned"] - over["spent"])
    assert over["planned"] == 4 * 56.0
    assert over["money"]["saved"] == pytest.approx(2 * over["saved"])
    refused = invoke("gate", hours, "--budget", 100, "--unit", "gpu-hours", "--price", -1)
    assert refused.exit_code == 2
    assert "--price -1 is no price of a GPU-hour" in refused.stderr


def test_watch_and_the_ledger_tell_the_same(hours, tmp_path) -> None:
    where = tmp_path / "runs.db"
    args = ("watch", hours, "--ledger", where, "--budget", 100, "--act", "--once")
    watched = told_by(*args)
    assert told_by("ledger", "list", "--ledger", where)["expected"] == pytest.approx(watched["expected"])
    with hours.open("a", encoding="utf-8") as more:
        more.write("a,60,0.72\n")
    again = told_by(*args)
    listed = told_by("ledger", "list", "--ledger", where, "--price", 3)
    assert again["saved"] == listed["saved"] == 3 * 4.0
    assert listed["money"]["saved"] == 36.0
    assert "of running all to the budget; saved so far 12" in invoke("ledger", "list", "--ledger", where).stdout
    assert "savings" in json.loads(invoke("ledger", "list", "--ledger", where, "--run", "a", "--json").stdout)
