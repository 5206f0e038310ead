"""The answer of ``replay``: view, sentences, JSON, text, chart."""

from rlscale.present.replay.view import ReplayView, replay_view

__all__ = ["ReplayView", "replay_view"]
