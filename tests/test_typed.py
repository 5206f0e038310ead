"""Numbers on the command line, as people type them and as the output prints them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rlscale.answers.numbers import quantity
from rlscale.cli import main
from rlscale.typed import number_of, suggestion


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4k", 4e3),
        ("2M", 2e6),
        ("2.5M", 2.5e6),
        ("1e6", 1e6),
        ("7B", 7e9),
        ("7G", 7e9),
        ("1.5T", 1.5e12),
        ("2.3k", 2300.0),
        ("1,500k", 1.5e6),
        (" 40 ", 40.0),
        ("4 k", 4e3),
    ],
)
def test_numbers_as_the_output_prints_them(text: str, value: float) -> None:
    assert number_of(text) == value


@given(st.floats(1e-3, 1e18))
def test_what_the_output_prints_is_read_back(value: float) -> None:
    assert number_of(quantity(value)) == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize("text", ["", "k", "4kk", "2,5M", "infk", "nank", "1,00k", "--", "4x", "4k tokens"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        number_of(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("4kk", "4k"), ("2,5M", "2.5M"), ("4k tokens", "4k"), ("3 Mio", "3M"), ("soon", ""), ("1,000,0", "")],
)
def test_what_a_typo_was_meant_to_be(text: str, meant: str) -> None:
    assert suggestion(text) == meant


def stderr(*args: str) -> str:
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("fit", "x", "--target", "4kk"),
            "'4kk' is not a compute; give a number, or inf for the asymptote; did you mean",
        ),
        (("gate", "x", "--budget", "2,5M"), "'2,5M' is not a compute; give a number; did you mean 2.5M?"),
        (("fit", "x", "--params", "seven"), "'seven' is not a number; 1000, 1e6, 4k, 2.5M, 7B and 1.5T are numbers"),
        (("fit", "x", "--price", "inf"), "'inf' is not a finite number"),
        (("replay", "x", "--tournaments", "1.5"), "'1.5' is not a whole number"),
        (("ledger", "add", "x", "--ledger", "y", "--looks", "2k"), "2k is out of range; give 1 to 1000"),
        (("fit", "x", "--bounds", "0", "1o"), "'1o' is not a reward; give --bounds LO HI, or --bounds open"),
    ],
)
def test_a_typo_says_what_would_be_right(args: tuple[str, ...], said: str) -> None:
    assert said in " ".join(stderr(*args).split())


def test_every_option_takes_them() -> None:
    asked = ("fit", "bundled", "--target", "2M", "--from", "0.1k", "--until", "1.8M", "--json")
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["options"]["targets"] == [2e6]
    assert (document["options"]["from"], document["options"]["until"]) == (100.0, 1.8e6)
