"""The answer of ``gate``: view, JSON, text."""

from rlscale.present.gate.view import GateView, gate_view

__all__ = ["GateView", "gate_view"]
