"""The answer of ``gate``."""

from rlscale.answers.gate.answer import gate_answer
from rlscale.answers.gate.view import GateView, gate_view

__all__ = ["GateView", "gate_answer", "gate_view"]
