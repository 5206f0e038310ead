"""The gate: pause what can hardly win, keep what may, commit when one is left; and the stoppers it is compared with.

``outlook`` is what a curve says, ``prospect`` what the gate believes of it, ``risk`` what pausing a set would cost,
``guards`` what must not be paused yet, ``hold`` the rule; ``gate`` asks all of them on logs as they stand.
"""

from rlscale.decisions.gate.answer import Decision, Evidence, GateAnswer, comeback, decided_savings
from rlscale.decisions.gate.gate import gate
from rlscale.decisions.gate.hold import Gate
from rlscale.decisions.gate.known import Known
from rlscale.decisions.gate.policy import HOLD, KILL, Policy
from rlscale.decisions.gate.registry import POLICIES, numbers, policy_from, policy_named
from rlscale.decisions.gate.standing import Action, Decider, State

__all__ = [
    "HOLD",
    "KILL",
    "POLICIES",
    "Action",
    "Decider",
    "Decision",
    "Evidence",
    "Gate",
    "GateAnswer",
    "Known",
    "Policy",
    "State",
    "comeback",
    "decided_savings",
    "gate",
    "numbers",
    "policy_from",
    "policy_named",
]
