"""Policies as files: TOML with the reason of every number beside it, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rlscale.answers.documents import SCHEMA
from rlscale.decisions.gate.hold import Gate
from rlscale.decisions.gate.registry import POLICIES, numbers
from rlscale.decisions.gate.standing import Decider

__all__ = ["policies_document", "policy_toml"]


def policy_toml(policy: Decider) -> str:
    """Return a policy as TOML, which ``--policy FILE`` reads."""
    lines = [f"policy = {_value(_base(policy))}", "\n# how answers call it", f"name = {_value(policy.name)}"]
    for name, value, why in numbers(policy):
        lines += [f"\n# {why}", f"{name} = {_value(value)}"]
    return "\n".join(lines) + "\n"


def _base(policy: Decider) -> str:
    """Return the name under which the policy's kind is known: a file may call its own policy anything."""
    if isinstance(policy, Gate):
        return policy.policy.mode
    return next(name for name, one in POLICIES.items() if type(one) is type(policy))


def _value(value: Any) -> str:
    return json.dumps(value)  # text, whole and decimal numbers are written alike in both


def policies_document(policies: Sequence[Decider]) -> dict[str, Any]:
    """Return the document of ``policy --json``."""
    return {
        "schema": SCHEMA,
        "policies": [
            {
                "policy": one.name,
                "numbers": [{"name": name, "value": value, "why": why} for name, value, why in numbers(one)],
            }
            for one in policies
        ],
    }
