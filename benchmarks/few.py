"""Narrow answers of few evaluations: how often they come true, and so how many an answer needs to be acted on.

``python -m benchmarks.few``. On the cases of real runs in ``sources`` (runs cut as ``rlscale backtest`` cuts them), all
rules of ``resolved`` but the number of evaluations: the 80 % interval of the reward at the end of the run no wider than
twice the tolerance, ``P(gain) >= .9``, ``P(C_mid < C_last) >= .5``, no break. Counted is how often the end lies within
the tolerance of the median, by evaluations seen. ``rlscale.inference.grounds.FEWEST`` was chosen here: each source left
out in turn, by the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.common import Report, Table, main
from benchmarks.sources import Group, read
from rlscale.curves import Run
from rlscale.inference import fits
from rlscale.inference.forecast import TOLERANCE
from rlscale.inference.grounds import FEWEST, SURE, grounds
from rlscale.inference.verdict import VerdictName
from rlscale.trust.scores import binomial_interval

#: Evaluations tried as the fewest.
TRIED = (0, 6, 8, 10, 12, 16, 20)
#: What came true of those that are called resolved has to reach this share.
WANTED = 0.9
OPEN = (VerdictName.RESOLVED, VerdictName.BENDING, VerdictName.PRE_INFLECTION)


@dataclass(frozen=True)
class Answer:
    """A narrow answer: where, of how many evaluations, and whether it came true."""

    source: str
    count: int
    right: bool


def answers(group: Group) -> Iterator[Answer]:
    """Yield the narrow answers of a group of real runs."""
    tasks = group.tasks
    runs = (Run(name=task.run, recipe=task.recipe, curve=task.seen) for task in tasks)
    for task, fit in zip(tasks, fits(runs, own_targets=(float(task.ahead[-1]) for task in tasks)), strict=True):
        if fit.posterior is None or fit.verdict.name not in OPEN or fit.smoothing is not None:
            continue
        curve, forecast = fit.posterior.curve, fit.forecasts[0]
        shown = grounds(fit.posterior, fit.posterior.expected([curve.compute_last])[:, 0])
        narrow = forecast.interval.width <= 2.0 * TOLERANCE * curve.range
        if narrow and shown.p_gain >= SURE and shown.p_past_midpoint >= 0.5:
            yield Answer(group.source, curve.n_points, abs(forecast.q50 - task.truth) <= TOLERANCE * curve.range)


def share(some: Sequence[Answer]) -> str:
    """Return how many came true of how many, and the lower one-sided 90 % bound."""
    hits = sum(answer.right for answer in some)
    if not some:
        return "none"
    return f"{hits} of {len(some)} ({hits / len(some):.0%}, bound {binomial_interval(hits, len(some), 0.8)[0]:.0%})"


def fewest(some: Sequence[Answer]) -> int:
    """Return the smallest number tried from which on what is left comes true often enough, by the lower bound."""
    for least in TRIED:
        left = [answer for answer in some if answer.count >= least]
        hits = sum(answer.right for answer in left)
        if left and binomial_interval(hits, len(left), 0.8)[0] >= WANTED:
            return least
    return TRIED[-1]


def by_count(table: Table, some: Sequence[Answer]) -> None:
    """Show how often answers came true by the evaluations behind them, and of at least so many."""
    for low, high in zip(TRIED, (*TRIED[1:], 10**9), strict=True):
        between = [answer for answer in some if low <= answer.count < high]
        from_on = [answer for answer in some if answer.count >= low]
        words = f"{low} to {high - 1}" if high < 10**9 else f"{low} or more"
        table.add(words, share(between), share(from_on))


def measure(quick: bool = False) -> Report:
    """Count narrow answers that came true."""
    report = Report("few", "How many evaluations does an answer need to be acted on?")
    groups = [group for group in (read(2, 1) if quick else read(None, 1)) if group.real]
    if not groups:
        report.skipped = "the public archives are not here; set RLSCALE_CURVES to their folder"
        return report
    some = [answer for group in groups for answer in answers(group)]
    columns = ["evaluations", "of so many", "of at least so many"]
    by_count(report.table("narrow answers within the tolerance of what came true", columns), some)
    table = report.table("fewest evaluations, chosen without a source", ["source left out", "chosen", "on the source"])
    for source in dict.fromkeys(answer.source for answer in some):
        least = fewest([answer for answer in some if answer.source != source])
        own = [answer for answer in some if answer.source == source and answer.count >= least]
        table.add(source, str(least), share(own))
    kept = [answer for answer in some if answer.count >= FEWEST]
    hits = sum(answer.right for answer in kept)
    passed = None if quick or not kept else hits >= WANTED * len(kept)
    report.check(f"of at least {FEWEST} evaluations, within the tolerance", share(kept), ">= 90 %", passed)
    return report


if __name__ == "__main__":
    main(measure)
