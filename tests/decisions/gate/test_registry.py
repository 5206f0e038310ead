import re
from dataclasses import replace

import pytest

from rlscale.decisions.gate import HOLD, KILL, POLICIES, Gate, Policy, numbers, policy_from, policy_named
from rlscale.decisions.gate.registry import frontier
from rlscale.errors import InputError


@pytest.mark.parametrize("name", POLICIES)
def test_every_number_has_a_reason_and_comes_back_from_a_mapping(name):
    told = numbers(POLICIES[name])
    assert told
    assert all(len(why) > 15 for _, _, why in told)
    assert policy_from({"policy": name, **{key: value for key, value, _ in told}}) == POLICIES[name]


def test_a_policy_may_have_a_name_of_its_own():
    mine = policy_from({"name": "mine", "alpha": 0.03})
    assert mine == Gate(replace(HOLD, name="mine", alpha=0.03))
    assert policy_from({}) == Gate(HOLD)
    assert policy_named("successive_halving").name == "successive-halving"
    assert policy_from({"policy": "kill", "patience": 1}) == Gate(replace(KILL, patience=1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"policy": "holt"}, "unknown policy 'holt'; give one of hold, kill, asha"),
        ({"policy": 3}, "policy = 3 is not a name"),
        ({"alhpa": 0.1}, "policy 'hold' has no number 'alhpa'; it has mode, alpha"),
        ({"alpha": 0}, "alpha = 0 is not a number strictly between 0 and 1"),
        ({"alpha": True}, "alpha = True is not a number"),
        ({"alpha": "0.1"}, "alpha = '0.1' is not a number"),
        ({"alpha": float("nan")}, "alpha = nan is not a number"),
        ({"patience": 2.5}, "patience = 2.5 is not a whole number of at least 1"),
        ({"looks": 3, "patience": 3}, "patience = 3 looks leaves none of looks = 3"),
        ({"mode": "pause"}, "mode = 'pause' is not hold or kill"),
        ({"seeds": "some"}, "seeds = 'some' is not all or staged"),
        ({"discrepancy": -0.1}, "discrepancy = -0.1 is not a number from 0 to 1"),
        ({"name": 4}, "name = 4 is not a text"),
        ({"policy": "margin", "eta": 2.0}, "policy 'margin' has no number 'eta'"),
    ],
)
def test_what_cannot_be_is_named(given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        policy_from(given)


def test_the_frontier_has_other_numbers_of_every_policy():
    found = frontier()
    assert set(found) == set(POLICIES)
    assert all(len(several) >= 3 for several in found.values())
    assert all(one.name == name for name, several in found.items() for one in several)


def test_policies_are_frozen():
    with pytest.raises(AttributeError):
        HOLD.alpha = 0.2  # type: ignore[misc]
    assert isinstance(HOLD, Policy)
