"""Commands that plan: plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rlscale.cli.base import answered, output, settings, shown_runs, watched
from rlscale.errors import InputError
from rlscale.options import FITTING, OUTPUT, PARTIAL, READING, example, fit_options, priced_options, with_options
from rlscale.typed import Amount, Compute

if TYPE_CHECKING:
    from rlscale.inference import Fit
    from rlscale.left_out import Listing
    from rlscale.sources import Reading

__all__ = ["plan"]


@click.command(epilog=example("rlscale plan runs/ --reward 0.7 --budget 2e6"))
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option("--reward", type=Amount(), metavar="R", help="The reward to reach: its chance, and the compute it takes.")
@click.option(
    "--budget",
    type=Compute(endless=False),
    metavar="C",
    help="Compute that the furthest run would have if it got all that is left; it is split, and forecasts are there.",
)
@click.option(
    "--pretraining", type=Compute(endless=False), metavar="C", help="Compute of pretraining: RL's share of it."
)
@click.option("--worth", type=Amount(), metavar="W", help="Share of the range that a doubling has to gain; .01.")
@click.option(
    "--lr-anchor",
    type=(Amount(), Amount()),
    metavar="LR BATCH",
    help="A learning rate that works, and its total batch; with --batch.",
)
@click.option("--batch", type=Amount(), metavar="B", help="The total batch that a learning rate is wanted for.")
@click.option(
    "--run", "shown", multiple=True, metavar="GLOB", help="Show only recipes of these runs; all are compared; repeat."
)
@with_options(READING, PARTIAL, FITTING, OUTPUT)
def plan(paths: tuple[str, ...], shown: tuple[str, ...], **given: Any) -> None:
    """Plan compute: what it takes to a reward, what a doubling gains and costs, crossings, how to split a budget.

    PATH is a log or a folder of logs. Seeds of a recipe are pooled. Beside --unit gpu-hours, --price tells costs in
    dollars too. A learning rate alone (--lr-anchor, --batch) needs no PATH.
    """
    if not paths:
        _rate(given)
        return
    from rlscale.answers.plan import plan_answer, plan_view
    from rlscale.decisions.plan import plan as planned
    from rlscale.sources import collect

    to = output(given)
    with watched("reading", None):
        reading = collect(paths, priced_options(given))
    visible = shown_runs(shown, reading)
    answer = planned(_fitted(reading, given), seed_sd=given["seed_sd"], price=_price(reading, given), **_asked(given))
    asked = settings(given, worth=answer.worth, runs=[*shown])
    view = plan_view(answer, reading, asked, visible)
    to.put(lambda charts: plan_answer(view, charts=charts))
    answered(reading.left_out, given)


def _fitted(reading: Reading, given: dict[str, Any]) -> Listing[Fit]:
    """Fit the runs, with a progress bar on long work."""
    from rlscale.inference import fits
    from rlscale.left_out import Listing

    found: Listing[Fit] = Listing(left_out=reading.left_out)
    with watched("fitting", len(reading.runs)) as watch:
        for fit in fits(reading.runs, (), fit_options(None, given)):
            found.append(fit)
            watch(len(found), len(reading.runs))
    return found


def _price(reading: Reading, given: dict[str, Any]) -> float | None:
    """Return the price of a GPU-hour; none where reading has turned compute into dollars by it."""
    return given["price"] if reading.runs[0].curve.unit == "gpu-hours" else None


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked of the plan, as the parameters that these are in Python."""
    names = ("reward", "budget", "pretraining", "worth", "lr_anchor", "batch")
    return {name: given[name] for name in names if given[name] is not None}


def _rate(given: dict[str, Any]) -> None:
    """Answer with a learning rate alone."""
    from rlscale.answers.plan import RateView, rate_answer
    from rlscale.decisions.plan.learning_rate import learning_rate

    if given["lr_anchor"] is None and given["batch"] is None:
        raise InputError("no path is given; give a log or a folder of logs, or --lr-anchor LR BATCH --batch B alone")
    needs = next((name for name in ("reward", "budget", "pretraining") if given[name] is not None), None)
    if needs is not None:
        raise InputError(f"--{needs} {given[needs]:g} needs runs; give a log or a folder of logs")
    to = output(given)
    rate = learning_rate(given["lr_anchor"], given["batch"])
    assert rate is not None
    view = RateView(rate, settings(given))
    to.put(lambda charts: rate_answer(view, charts=charts))
