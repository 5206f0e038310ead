"""The answers of ``plan``: of runs, and of a learning rate alone."""

from rlscale.answers.plan.answer import plan_answer
from rlscale.answers.plan.rate import RateView, rate_answer
from rlscale.answers.plan.view import PlanView, plan_view

__all__ = ["PlanView", "RateView", "plan_answer", "plan_view", "rate_answer"]
