"""The answer of ``replay``."""

from rlscale.answers.replay.answer import replay_answer
from rlscale.answers.replay.view import ReplayView, replay_view

__all__ = ["ReplayView", "replay_answer", "replay_view"]
