"""Projects of a few recipes whose runs go on when they are paid for, and ways to split a budget over them.

Recipes off the prior (``designs.off_prior``), their midpoints log-uniform over .5 to 4 times 1000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.common import Report, noisy
from benchmarks.designs import C_MID, CORRELATIONS, off_prior
from rlscale.curves import Run
from rlscale.decisions.plan import plan
from rlscale.inference import Fit, FitOptions
from rlscale.inference.fit import fits

__all__ = ["BUDGET", "RECIPES", "Project", "budgets"]

#: Recipes of a project, the compute that one run could get, and that between two evaluations.
RECIPES, BUDGET, STEP = 4, 4000.0, 25.0
#: What has been run of each recipe when a budget is to be split.
SEEN = (300.0, 1000.0)
POLICIES = ("plan's split", "explore to the end", "commit at once", "equal thirds")


class Project:
    """Recipes whose runs go on when they are paid for.

    Parameters
    ----------
    rng : numpy.random.Generator
    seen : float
        Compute of each at the start.
    """

    def __init__(self, rng: np.random.Generator, seen: float) -> None:
        self.seen, self.left = seen, BUDGET - seen
        self.truths, self.curves = [], []
        for _ in range(RECIPES):
            truth = off_prior(rng, float(rng.choice(CORRELATIONS)))
            truth = replace(truth, C_mid=C_MID * float(np.exp(rng.uniform(np.log(0.5), np.log(4.0)))))
            self.truths.append(truth)
            self.curves.append(noisy(truth, np.arange(0.0, BUDGET + 1.0, STEP), rng))

    def fitted(self, upto: float, recipes: Sequence[int]) -> list[Fit]:
        """Fit what some recipes show up to a compute."""
        runs = [Run(name=f"r{k}", recipe=f"r{k}", curve=self.curves[k].until(upto)) for k in recipes]
        return list(fits(runs, options=FitOptions()))

    def best(self, upto: float, end: float, recipes: Sequence[int], count: int = 1) -> list[int]:
        """Return the recipes with the highest forecast of the reward at ``end``, from what they show by ``upto``."""
        means = [
            -np.inf
            if fit.posterior is None
            else float(fit.posterior.mean(fit.posterior.reward([end], model_error=True))[0])
            for fit in self.fitted(upto, recipes)
        ]
        return [recipes[place] for place in np.argsort(means)[::-1][:count]]

    def end(self, recipe: int, compute: float) -> float:
        """Return the true reward of a recipe."""
        return float(self.truths[recipe].reward(compute))

    def committed(self, explore: float, recipes: Sequence[int]) -> tuple[int, float]:
        """Explore some recipes by so much each, then give the rest to one: the one, and where it ends."""
        explore = STEP * np.floor(explore / STEP)
        end = self.seen + self.left - (len(recipes) - 1) * explore
        (chosen,) = self.best(self.seen + explore, end, recipes)
        return chosen, end

    def thirds(self) -> tuple[int, float]:
        """Spend a third of what is left on all, one on the best two, one on the best: that, and where it ends."""
        third, everyone = self.left / 3.0, list(range(RECIPES))
        first = self.seen + third / RECIPES
        second = first + third / 2.0
        last = second + third
        (chosen,) = self.best(second, last, self.best(first, last, everyone, 2))
        return chosen, last


def budgets(report: Report, quick: bool) -> None:
    """Measure the regret of ways to split a budget."""
    table = report.table(
        "regret of a split, .001 of the range",
        ["seen: policy", "projects", "regret", "+-", "right, %", "said right, %"],
    )
    totals: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    for seen in SEEN:
        rng = np.random.default_rng([29, int(seen)])
        regrets: dict[str, list[float]] = {policy: [] for policy in POLICIES}
        right: dict[str, list[bool]] = {policy: [] for policy in POLICIES}
        stated: list[float] = []
        for _ in range(12 if quick else 400):
            project = Project(rng, seen)
            everyone = list(range(RECIPES))
            advice = plan(project.fitted(seen, everyone), budget=BUDGET, seed_sd=0.0).split
            assert advice is not None
            stated.append(advice.p_right)
            outcomes = dict(
                zip(
                    POLICIES,
                    (
                        project.committed(advice.explore_each, sorted(int(name[1:]) for name in advice.recipes)),
                        project.committed(project.left / RECIPES, everyone),
                        project.committed(0.0, everyone),
                        project.thirds(),
                    ),
                    strict=True,
                )
            )
            best = max(project.end(k, BUDGET) for k in everyone)
            for policy, (chosen, compute) in outcomes.items():
                ends = [project.end(k, compute) for k in everyone]
                regrets[policy].append(best - ends[chosen])
                right[policy].append(chosen == int(np.argmax(ends)))
        for policy in POLICIES:
            mean, error = np.mean(regrets[policy]), np.std(regrets[policy]) / np.sqrt(len(regrets[policy]))
            said = f"{100 * np.mean(stated):.0f}" if policy == POLICIES[0] else ""
            table.add(
                f"{seen:g}: {policy}", f"{len(stated)}", f"{1000 * mean:.1f}", f"{1000 * error:.1f}",
                f"{100 * np.mean(right[policy]):.0f}", said,
            )  # fmt: skip
            totals[policy] += regrets[policy]
    means = {policy: 1000.0 * float(np.mean(values)) for policy, values in totals.items()}
    others = min(means[policy] for policy in POLICIES[1:])
    report.check(
        "regret of plan's split, .001, beside the best of the three others",
        f"{means[POLICIES[0]]:.1f}, {others:.1f}",
        "not above it",
        means[POLICIES[0]] <= others,
    )
