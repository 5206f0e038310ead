"""The named policies, and policies from a mapping such as a file holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from types import MappingProxyType
from typing import Any

from rlscale.decisions.gate.hold import Gate
from rlscale.decisions.gate.policy import HOLD, KILL, Policy
from rlscale.decisions.gate.rivals import Asha, Halving, Hyperband, Margin, Median
from rlscale.decisions.gate.standing import Decider
from rlscale.errors import InputError

__all__ = ["POLICIES", "Numbers", "frontier", "numbers", "policy_from", "policy_named"]

#: Every policy by its name, with the numbers it has by default; the default one first.
POLICIES: Mapping[str, Decider] = MappingProxyType(
    {one.name: one for one in (Gate(HOLD), Gate(KILL), Asha(), Halving(), Hyperband(), Median(), Margin())}
)
#: Risks at which the frontier shows the gates.
_ALPHAS = (0.02, 0.05, 0.1, 0.3)
#: Name, value and reason of each number of a policy.
Numbers = tuple[tuple[str, Any, str], ...]


def policy_named(name: str) -> Decider:
    """Return a policy by its name.

    Raises
    ------
    InputError
        There is none of that name.
    """
    found = POLICIES.get(name.replace("_", "-"))
    if found is None:
        raise InputError(
            f"unknown policy {name!r}; give one of {', '.join(POLICIES)}, or a .toml or .json file of numbers"
        )
    return found


def frontier() -> dict[str, tuple[Decider, ...]]:
    """Return further settings of every named policy, by its name: how each trades compute for regret."""
    found: dict[str, tuple[Decider, ...]] = {
        one.name: tuple(Gate(replace(one, alpha=alpha)) for alpha in _ALPHAS) for one in (HOLD, KILL)
    }
    found["asha"] = tuple(Asha(eta=eta, first=first) for eta in (2.0, 3.0, 4.0) for first in (0.125, 0.25))
    found["successive-halving"] = tuple(
        Halving(eta=eta, first=first) for eta in (2.0, 3.0) for first in (0.125, 0.25, 0.5)
    )
    found["hyperband"] = tuple(Hyperband(eta=eta, brackets=count) for eta in (2.0, 3.0, 4.0) for count in (2, 3))
    found["median"] = tuple(Median(grace=grace) for grace in (0.0, 0.1, 0.25, 0.5))
    found["margin"] = tuple(Margin(margin=margin) for margin in (0.02, 0.04, 0.06, 0.1, 0.15, 0.2))
    return found


def policy_from(given: Mapping[str, Any]) -> Decider:
    """Return the policy of a mapping: ``policy`` names one, every other key is one of its numbers.

    Raises
    ------
    InputError
        A policy or a number that is not known, or numbers that contradict each other.
    """
    base = given.get("policy", HOLD.name)
    if not isinstance(base, str):
        raise InputError(f"policy = {base!r} is not a name; give one of {', '.join(POLICIES)}")
    found = policy_named(base)
    told = {key: value for key, value in given.items() if key != "policy"}
    known = {name: value for name, value, _ in numbers(found)}
    unknown = [key for key in told if key not in known and key != "name"]
    if unknown:
        raise InputError(f"policy {base!r} has no number {', '.join(map(repr, unknown))}; it has {', '.join(known)}")
    if not isinstance(told.get("name", ""), str):
        raise InputError(f"name = {told['name']!r} is not a text; give a name for the policy")
    kept = {"name": found.name, **known, **told}
    if isinstance(found, Gate):
        return Gate(Policy(**kept))
    make: Callable[..., Decider] = type(found)
    return make(**kept)


def numbers(policy: Decider) -> Numbers:
    """Return the numbers of a policy with their reasons, its name aside."""
    held: Any = policy.policy if isinstance(policy, Gate) else policy
    values = asdict(held)
    return tuple((one.name, values[one.name], str(one.metadata["why"])) for one in fields(held) if one.name != "name")
