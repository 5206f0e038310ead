"""The answer of ``health``."""

from rlscale.answers.health.answer import health_answer
from rlscale.answers.health.marks import health_marks
from rlscale.answers.health.view import HealthView, health_view

__all__ = ["HealthView", "health_answer", "health_marks", "health_view"]
