"""A budget of rollouts over prompts makes as many mixed groups as any split of it."""

import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from rlscale.decisions.rollouts import PassCounts, allocate
from rlscale.errors import InputError


def table(*counts):
    correct, graded = zip(*counts, strict=True)
    return PassCounts(tuple(f"p{k}" for k in range(len(counts))), np.array(correct), np.array(graded))


def mixed(result, place, n):
    """Expected share of mixed groups of size ``n``, by quadrature."""
    share = result.prompts[place]
    a, b = result.prior.a + share.correct, result.prior.b + share.graded - share.correct
    if n < 2:
        return 0.0
    return share.p_learnable * quad(lambda p: (1.0 - p**n - (1.0 - p) ** n) * beta.pdf(p, a, b), 0.0, 1.0)[0]


@pytest.mark.parametrize("budget", [2, 3, 5, 8, 11])
def test_no_other_split_is_better(budget):
    result = allocate(table((4, 8), (1, 8), (7, 8)), budget, most=6, worth=0.0)
    splits = [each for each in product((0, 2, 3, 4, 5, 6), repeat=3) if sum(each) <= budget]
    best = max(sum(mixed(result, k, n) for k, n in enumerate(each)) for each in splits)
    mine = [share.rollouts for share in result.prompts]
    assert result.used == sum(mine) <= budget
    assert sum(mixed(result, k, n) for k, n in enumerate(mine)) == pytest.approx(best, abs=1e-6)
    assert result.mixed.q50 == pytest.approx(best, abs=1e-6)


def test_prompts_where_nothing_can_be_learned_get_nothing():
    result = allocate(table((512, 512), (0, 512), (8, 16), (3, 16)), 64, most=32)
    assert [share.rollouts > 0 for share in result.prompts] == [False, False, True, True]
    assert result.left_out == 2
    assert result.notes[0] == (
        "2 prompts without rollouts: even a group of 32 would hardly hold right and wrong answers"
    )


def test_what_cannot_be_used_is_said():
    result = allocate(table((8, 16), (512, 512)), 100, most=32)
    assert result.used == 32
    assert "68 of 100 rollouts are left over" in " ".join(result.notes)


def test_a_prompt_without_samples_has_the_prior_of_the_others():
    result = allocate(table((2, 16), (3, 16), (1, 16), (0, 0)), 40)
    unseen = result.prompts[3].pass_rate
    assert unseen.q10 < 2 / 16 < unseen.q90
    assert unseen.width > result.prompts[0].pass_rate.width


def test_a_rarely_solved_prompt_needs_the_larger_group():
    result = allocate(table((8, 16), (1, 16)), 40)
    assert result.prompts[1].rollouts > result.prompts[0].rollouts


def test_more_groups_are_mixed_than_by_an_even_spread():
    rng = np.random.default_rng(4)
    p = np.where(rng.random(300) < 0.4, 0.0, rng.beta(0.6, 0.8, 300))
    result = allocate(PassCounts(tuple(map(str, range(300))), rng.binomial(16, p), np.full(300, 16)), 2400)
    sizes = np.array([share.rollouts for share in result.prompts])
    true = np.where(sizes < 2, 0.0, 1.0 - p**sizes - (1.0 - p) ** sizes).sum()
    assert true > np.sum(1.0 - p**8 - (1.0 - p) ** 8) + 5
    assert result.mixed.q10 - 10 < true < result.mixed.q90 + 10
    assert result.mixed.q50 > result.even
    groups = np.count_nonzero(sizes)
    assert result.mixed_share.q50 == pytest.approx(result.mixed.q50 / groups)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=30), st.integers(2, 300))
def test_any_table_keeps_the_rules(pairs, budget):
    result = allocate(table(*((right, right + wrong) for right, wrong in pairs)), budget, most=16)
    sizes = [share.rollouts for share in result.prompts]
    assert result.used == sum(sizes) <= budget
    assert all(size == 0 or 2 <= size <= 16 for size in sizes)
    assert all(0.0 <= share.p_mixed <= 1.0 for share in result.prompts)
    assert result.mixed.q10 <= result.mixed.q50 <= result.mixed.q90
    assert pickle.loads(pickle.dumps(result)) == result


FEW = "is no number of rollouts for groups of at least 2; give a whole number from 2 on"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, f"budget=0 {FEW}"),
        ({"budget": 1}, f"budget=1 {FEW}"),
        ({"budget": 2.5}, f"budget=2.5 {FEW}"),
        ({"budget": 8, "most": 1}, "most=1 is no size of a group; give 2 or more"),
        ({"budget": 8, "worth": 1.0}, "worth = 1 is no probability below 1"),
    ],
)  # fmt: skip
def test_budgets_that_cannot_be(options, message):
    with pytest.raises(InputError) as error:
        allocate(table((1, 4)), **options)
    assert str(error.value) == message


def test_what_is_left_is_spread_although_the_next_rollouts_of_many_prompts_tie():
    pairs = [*[(1, 16)] * 22, *[(8, 16)] * 40, *[(0, 16)] * 40]
    assert allocate(table(*pairs), 210, most=4).used == 210
