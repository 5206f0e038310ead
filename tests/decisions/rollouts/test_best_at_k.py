"""best@k and worst@k are the mean over all draws, and unbiased."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.decisions.rollouts import PassCounts, best_and_worst, best_at_k, worst_at_k
from rlscale.errors import InputError


@pytest.mark.parametrize("n", range(1, 9))
def test_they_are_the_share_of_all_draws(n):
    for c in range(n + 1):
        for k in range(1, n + 1):
            right = [sum(place < c for place in draw) for draw in combinations(range(n), k)]
            assert float(best_at_k(n, c, k)) == pytest.approx(np.mean([r > 0 for r in right]), abs=1e-12)
            assert float(worst_at_k(n, c, k)) == pytest.approx(np.mean([r == k for r in right]), abs=1e-12)


@given(st.integers(1, 5000), st.data())
def test_large_counts_are_those_of_exact_integers(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, min(n, 64)))
    exact = comb(n, k)
    assert float(worst_at_k(n, c, k)) == pytest.approx(comb(c, k) / exact, rel=1e-10, abs=1e-300)
    assert float(best_at_k(n, c, k)) == pytest.approx((exact - comb(n - c, k)) / exact, abs=1e-12)


@given(st.integers(1, 40), st.data())
def test_one_is_the_other_of_the_wrong_answers(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    assert float(best_at_k(n, c, k)) == pytest.approx(1.0 - float(worst_at_k(n, n - c, k)), abs=1e-12)


def test_they_are_unbiased_and_the_plain_power_is_not():
    p, n, k = 0.3, 6, 4
    weight = np.array([comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)])
    right = np.arange(n + 1)
    assert weight @ best_at_k(n, right, k) == pytest.approx(1.0 - (1.0 - p) ** k, abs=1e-12)
    assert weight @ worst_at_k(n, right, k) == pytest.approx(p**k, abs=1e-12)
    assert abs(weight @ (1.0 - (1.0 - right / n) ** k) - (1.0 - (1.0 - p) ** k)) > 0.05


def test_arrays_broadcast():
    assert best_at_k(16, np.arange(17)[:, None], 4).shape == (17, 1)


def test_prompts_with_too_few_samples_are_counted_out():
    result = best_and_worst(PassCounts(("a", "b", "c"), np.array([0, 8, 1]), np.array([8, 8, 2])), 4)
    assert (result.prompts, result.left_out) == (2, 1)
    assert (result.best.q50, result.worst.q50) == (0.5, 0.5)
    assert 0.0 <= result.best.q10 < 0.5 < result.best.q90 <= 1.0


def test_one_prompt_says_nothing_of_others():
    result = best_and_worst(PassCounts(("a",), np.array([4]), np.array([8])), 4)
    assert (result.best.q10, result.best.q90) == (0.0, 1.0)


def test_no_prompt_with_k_samples_gives_nothing():
    assert best_and_worst(PassCounts(("a",), np.array([1]), np.array([2])), 4) is None


@pytest.mark.parametrize(
    ("n", "c", "k", "message"),
    [
        (4, 2, 0, "k = 0 is not a number of samples; give 1 or more"),
        (4, 5, 2, "c = 5 right ones of n = 4 graded cannot be; give 0 <= c <= n"),
        (4, -1, 2, "c = -1 right ones of n = 4 graded cannot be; give 0 <= c <= n"),
        (4, 2.5, 2, "samples are counted: n and c must be whole numbers"),
        (4, 2, 5, "n = 4 graded samples say nothing of k = 5; give a k of at most 4"),
    ],
)
def test_counts_that_cannot_be(n, c, k, message):
    with pytest.raises(InputError) as error:
        best_at_k(n, c, k)
    assert str(error.value) == message


WHOLE = "give whole numbers with 0 <= correct <= graded"


@pytest.mark.parametrize(
    ("prompt", "correct", "graded", "message"),
    [
        ((), (), (), "no prompts were given; give one row for each, with prompt, correct and graded"),
        (("a",), (1, 2), (4,), "1 prompts have 2 counts of right samples and 1 of graded ones"),
        (("a", "b", "a"), (1, 1, 1), (4, 4, 4),
         "prompt 'a' stands in several rows; add up its counts and give one row"),
        (("a",), (5,), (4,), f"prompt 'a' has 5 right of 4 graded; {WHOLE}"),
        (("a",), (np.nan,), (4,), f"prompt 'a' has no number right of 4 graded; {WHOLE}"),
        (("a",), (0.5,), (4,), f"prompt 'a' has 0.5 right of 4 graded; {WHOLE}"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be(prompt, correct, graded, message):
    with pytest.raises(InputError) as error:
        PassCounts(prompt, np.array(correct), np.array(graded))
    assert str(error.value) == message
