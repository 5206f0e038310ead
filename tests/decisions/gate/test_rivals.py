import pytest

from rlscale.decisions.gate.rivals import Asha, Halving, Hyperband, Margin, Median, rungs
from rlscale.decisions.gate.standing import State
from rlscale.errors import InputError
from tests.decisions.gate.scenes import played, standing

ALL = (Asha(), Halving(), Hyperband(), Median(), Margin())


def field(spent, count=8, **more):
    return [standing(f"r{k}", spent=spent, recent=0.3 + 0.05 * k, **more) for k in range(count)]


def stopped(decider, *some):
    return {one.name for one in played(decider, *some).rulings if one.action.value == "stop"}


def test_rungs_grow_by_eta_below_the_horizon():
    assert rungs(0.125, 2.0) == (0.125, 0.25, 0.5)
    assert rungs(1 / 9, 3.0) == pytest.approx((1 / 9, 1 / 3))


@pytest.mark.parametrize("decider", ALL, ids=lambda one: one.name)
def test_nothing_is_stopped_before_the_first_comparison_and_never_the_best(decider):
    assert stopped(decider, *field(2 / 24)) == set()
    for spent in (3 / 24, 6 / 24, 12 / 24, 18 / 24):
        assert "r7" not in stopped(decider, *field(spent))


@pytest.mark.parametrize("decider", ALL, ids=lambda one: one.name)
def test_finished_and_stopped_stay_so(decider):
    some = [standing("done", spent=1.0, recent=0.1, state=State.FINISHED), *field(12 / 24)[1:]]
    some[1] = standing("gone", spent=6 / 24, recent=0.9, state=State.STOPPED)
    ruled = {one.name: one.action.value for one in played(decider, *some).rulings}
    assert ruled["done"] == "continue"
    assert ruled["gone"] == "stop"


def test_asha_and_halving_cut_to_the_best_half_at_a_rung():
    assert stopped(Asha(), *field(6 / 24)) == set()  # each that comes is better than those before
    assert stopped(Asha(), *field(6 / 24)[::-1]) == {f"r{k}" for k in range(7)}
    assert stopped(Halving(), *field(6 / 24)) == {"r0", "r1", "r2", "r3"}
    assert stopped(Halving(), *field(7 / 24)) == set()  # between rungs
    late = [standing("r8", spent=12 / 24, recent=0.65), *field(6 / 24)[:4], standing("r7", spent=3 / 24, recent=0.65)]
    assert stopped(Halving(), *late) == set()  # not all have come
    assert stopped(Asha(), *late) == {"r0"}  # .3 is below the .375 that r8 had there; .35 is above the median


def test_hyperband_deals_brackets():
    at_first = stopped(Hyperband(), *field(3 / 24))
    assert at_first < {"r0", "r3", "r6"}  # the most eager bracket
    assert at_first


def test_median_and_margin():
    assert stopped(Median(), *field(8 / 24)) <= {"r0", "r1", "r2", "r3"}
    assert stopped(Margin(margin=0.12), *field(8 / 24)) == {"r0", "r1", "r2", "r3", "r4"}
    assert stopped(Margin(margin=0.12, grace=0.5), *field(8 / 24)) == set()


@pytest.mark.parametrize(
    ("make", "numbers"),
    [(Asha, {"eta": 1.0}), (Halving, {"first": 0.0}), (Median, {"grace": -1}), (Margin, {"margin": "x"}),
     (Hyperband, {"brackets": 0}), (Asha, {"eta": True})],
)  # fmt: skip
def test_numbers_that_cannot_be(make, numbers):
    ((name, value),) = numbers.items()
    with pytest.raises(InputError, match=f"{name} = {value!r} is not a number"):
        make(**numbers)
