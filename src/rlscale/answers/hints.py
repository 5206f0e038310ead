"""What headings mean, in a sentence each: told on a page to who points at one."""

from __future__ import annotations

__all__ = ["BECAUSE", "FORECAST", "GROUP", "P_BEST", "P_BETTER", "REGRET", "RESOLVED_BY", "REWARD_NOW", "SPENT"]

GROUP = "Recipes of one group cannot be told apart from the best of it with 95 % probability"
P_BEST = "Probability that it has the highest reward of all that are compared, at the compute of the comparison"
P_BETTER = "Probability that it is better at the budget than every other by more than ε, a difference worth having"
FORECAST = "Median forecast of the noise-free reward, with its 80 % interval"
REGRET = "Reward given up, on average, by choosing this recipe"
RESOLVED_BY = (
    "Compute of one run at which its forecast should be narrow enough to act on: median, with its 80 % interval"
)
REWARD_NOW = "Mean of the last 3 evaluations of the recipe, its runs together"
SPENT = "Compute of all its runs together"
BECAUSE = "The rule of the gate that decided; the sentence stands below"
