"""Errors name the option on the command line and the parameter in Python, from one text."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner

import rlscale
from rlscale.cli import main
from rlscale.curves import simulated_runs
from rlscale.errors import CurveError, InputError, KeywordError
from rlscale.parameters import _FLAGS, _NAMES, _VALUED, in_python, parameter_of

RUNS = [run for run, _ in simulated_runs(2, 1, 20, 0)]


@pytest.mark.parametrize(
    ("typed", "python"),
    [
        ("--bounds 0 0 are none; give --bounds LO HI or open", "bounds=(0, 0) are none; give bounds=(LO, HI) or open"),
        ("the values look like percent: give --bounds 0 100", "the values look like percent: give bounds=(0, 100)"),
        ("give --bounds LO HI, or --bounds open", 'give bounds=(LO, HI), or bounds="open"'),
        ("--from 3 lies after --until 2; give an earlier --from", "since=3 lies after until=2; give an earlier since"),
        ("--clock 'wall' is none", "clock='wall' is none"),
        ("--run 'a b*' matches no run", "run='a b*' matches no run"),
        ("or --wide if each column is a run", "or wide=True if each column is a run"),
        ("--no-health keeps them in", "health=False keeps them in"),
        ("give --unit tokens or steps", 'give unit="tokens" or steps'),
        ("--clock is for gpu-hours", "clock is for gpu-hours"),
        ("--seed-sd -1 is not a size", "seed_sd=-1 is not a size"),
        ("(rlscale backtest --calibrate)", "(rlscale backtest --calibrate)"),
        ("rlscale ledger add PATH --ledger runs.db makes one", "rlscale ledger add PATH --ledger runs.db makes one"),
        ("compare them with rlscale rank --target 5", "compare them with rlscale rank --target 5"),
        ("--report x.txt: a report is an .html file", "--report x.txt: a report is an .html file"),
        ("--lr-anchor 1e-06 0 is none; give --batch B", "lr_anchor=(1e-06, 0) is none; give batch=B"),
        ("--reward 2 lies above 1", "reward=2 lies above 1"),
        ("nothing to rename -- or here", "nothing to rename -- or here"),
    ],
)
def test_options_become_parameters(typed: str, python: str) -> None:
    assert in_python(typed) == python


@pytest.mark.parametrize(
    ("call", "parameter", "said"),
    [
        (lambda: rlscale.read("bundled", bounds=(1, 0)), "bounds", "bounds=(1, 0) are not two finite numbers"),
        (lambda: rlscale.read("bundled", since=3, until=2), "since", "since=3 lies after until=2"),
        (lambda: rlscale.read("bundled", price=-1), "price", "price=-1 is no price of a GPU-hour"),
        (lambda: rlscale.read("bundled", exclude="x*"), "exclude", "exclude='x*' matches no run"),
        (lambda: rlscale.fit(RUNS[0], -1), "targets", "target=-1 is not a compute above 0"),
        (lambda: rlscale.rank(RUNS, seed_sd=-1), "seed_sd", "seed_sd=-1 is not a size"),
        (lambda: rlscale.gate(RUNS, 0), "budget", "budget=0 is not a compute above 0"),
        (lambda: rlscale.gate(RUNS, 1e3, held=["x"]), "held", "held='x' is none of the runs"),
        (lambda: rlscale.backtest(RUNS, cuts=2), "cuts", "cuts=2 is not between 0 and 1"),
        (lambda: rlscale.FitOptions(model_error=-1), "model_error", "model_error=-1 is not a size; give 0 or more"),
        (lambda: rlscale.Curve(compute=[1], reward=[7]), "bounds", "give bounds=(LO, HI) with the lowest and highest"),
        (lambda: rlscale.Curve(compute=[1], reward=[0.5], unit="miles"), None, "unknown compute unit 'miles'"),
        (lambda: rlscale.fit(RUNS[0], taget=5), "taget", "fit() takes no 'taget'; did you mean targets?"),
    ],
)
def test_an_error_of_python_speaks_of_parameters(call: Callable[[], Any], parameter: str | None, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as raised:
        call()
    assert raised.value.parameter == parameter
    assert "--" not in str(raised.value)


def test_the_command_line_speaks_of_options() -> None:
    for args, said in (
        (("fit", "bundled", "--bounds", "1", "0"), "error: --bounds 1 0 are not two finite numbers, lowest first"),
        (("fit", "bundled", "--from", "3", "--until", "2"), "error: --from 3 lies after --until 2"),
        (("gate", "bundled", "--budget", "0"), "error: --budget 0 is not a compute above 0"),
    ):
        result = CliRunner().invoke(main, args)
        assert result.exit_code == 2
        assert result.stderr.startswith(said)


def test_errors_are_sent_between_processes() -> None:
    for error in (
        InputError("--gpus 0 is none"),
        CurveError("--x"),
        KeywordError("no 'x'", parameter="x"),
        InputError("a", parameter="b"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.parameter) == (str(error), error.parameter)


def test_every_option_that_is_a_parameter_is_an_option() -> None:
    known = {
        name.removeprefix("--")
        for command in main.commands.values()
        for each in [command, *getattr(command, "commands", {}).values()]
        for option in each.params
        if isinstance(option, click.Option)
        for name in option.opts
    }
    assert _VALUED | _FLAGS <= known
    assert set(_NAMES) <= _VALUED
    assert parameter_of("nothing here") is None
