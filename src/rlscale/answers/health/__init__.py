"""The answer of ``health``."""

from rlscale.answers.health.answer import health_answer
from rlscale.answers.health.view import HealthView, health_view

__all__ = ["HealthView", "health_answer", "health_view"]
