from __future__ import annotations

import math

import pytest

from rlscale.answers.numbers import count, number, probability, quantities, quantity, reward, span
from rlscale.inference import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1"), (12.5, "12.5"), (999.0, "999"), (999.6, "1k"), (1000.0, "1k"), (12_345.0, "12.3k"),
        (999_999.0, "1M"), (7_360_000.0, "7.36M"), (2.5e9, "2.5G"), (3e12, "3T"), (1.234e21, "1.23e21"), (1e15, "1e15"),
        (9.996e14, "1e15"), (9.994e14, "999T"),
        (0.05, "0.05"), (2e-5, "2e-5"), (0.001234, "0.00123"),
    ],
)  # fmt: skip
def test_compute_is_compact(value: float, text: str) -> None:
    assert quantity(value) == text


def test_two_computes_are_written_alike() -> None:
    assert quantities(9.58e14, 2.23e19, " to ") == "9.58e14 to 2.23e19"
    assert quantities(1e3, 2.5e6) == "1k–2.5M"
    assert quantities(0.0, 2e19) == "0–2e19"


def test_compute_carries_its_unit() -> None:
    assert quantity(12_300.0, "tokens") == "12.3k tokens"
    assert quantity(math.inf, "tokens") == "the asymptote"
    assert quantity(None) == "–"


@pytest.mark.parametrize(
    ("bounds", "text"), [((0.0, 1.0), "0.500"), ((-1.0, 1.0), "0.500"), ((0.0, 100.0), "0.5"), ((0.0, 0.1), "0.5000")]
)
def test_reward_decimals_follow_the_range(bounds: tuple[float, float], text: str) -> None:
    assert reward(0.5, bounds) == text


def test_unknown_numbers_are_a_dash() -> None:
    assert reward(None) == reward(math.nan) == span(None) == number(None) == probability(None) == "–"


def test_probability_is_never_rounded_to_certainty() -> None:
    assert [probability(p) for p in (0.0, 0.004, 0.006, 0.5, 0.994, 0.996, 1.0)] == [
        "<1 %", "<1 %", "1 %", "50 %", "99 %", ">99 %", ">99 %",
    ]  # fmt: skip


def test_span_and_count() -> None:
    assert span(Interval(0.1, 0.2, 0.3)) == "0.100–0.300"
    assert (count(1, "run"), count(1200, "run")) == ("1 run", "1,200 runs")
