"""Commands that forecast: fit, rank, backtest, demo."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlscale.cli.base import answered, output, settings, watched
from rlscale.options import (
    CALIBRATION,
    FITTING,
    OUTPUT,
    PARTIAL,
    PATHS,
    READING,
    RUNS,
    SIBLINGS,
    calibration_file,
    example,
    fit_options,
    gate_fit_options,
    read_options,
    with_options,
)
from rlscale.typed import Amount, Compute, Count

if TYPE_CHECKING:
    from rlscale.inference import Fit, OverTime
    from rlscale.render.output import Output
    from rlscale.sources import Reading
    from rlscale.trust import Calibration

__all__ = ["backtest", "demo", "fit", "rank"]

#: More runs than this are ranked by two processes.
_MANY = 200


@click.command(epilog=example("rlscale fit runs/ --target 2e6 --target inf --at-least 0.8"))
@with_options(PATHS)
@click.option(
    "--target", "targets", type=Compute(), multiple=True, help="Forecast here; inf for the asymptote; repeat."
)
@click.option("--at-least", type=Amount(), metavar="R", help="Also the probability of a reward of at least R.")
@click.option("--over-time", is_flag=True, help="Also the ceiling and the verdict as each run grew, at up to 24 looks.")
@with_options(RUNS, READING, FITTING, SIBLINGS, CALIBRATION[:1], OUTPUT)
def fit(
    paths: tuple[str, ...], targets: tuple[float, ...], at_least: float | None, over_time: bool, **given: Any
) -> None:
    """Posterior, verdict and forecast of each run.

    PATH is a log or a folder of logs. Without --target the verdict speaks of the asymptote and the forecasts are at 2
    and 4 times the last compute. --over-time implies --siblings off.
    """
    from rlscale.answers.fit import fit_answer
    from rlscale.answers.views import fit_view

    to = output(given)
    if over_time:
        given["siblings"] = "off"  # of how the others grew nothing is known at each look
    fits, reading, calibration = _fitted(paths, targets, at_least, given)
    asked = settings(given, targets=[*targets], at_least=at_least, calibration=_named(given))
    grown = _grown(fits, targets) if over_time else ()
    view = fit_view(fits, settings=asked, reading=reading, over_time=grown, calibration=calibration)
    to.put(lambda charts: fit_answer(view, fits if charts else None))


@click.command(epilog=example("rlscale rank runs/ --target 1e7 --report report.html"))
@with_options(PATHS)
@click.option("--target", type=Compute(), help="Common compute; inf ranks by ceiling. Default: 4 x the longest run.")
@click.option(
    "--pairs", type=click.Choice(["auto", "all"]), default="auto", help="auto: each against the best past 50."
)
@click.option(
    "--jobs", type=Count(), metavar="N", help="Processes; by default 2 for many runs. The numbers stay the same."
)
@with_options(RUNS, READING, PARTIAL, FITTING, CALIBRATION[:1], OUTPUT)
def rank(paths: tuple[str, ...], target: float | None, pairs: str, jobs: int | None, **given: Any) -> None:
    """Recipes by ceiling: P(best), groups that cannot be told apart, early-leader traps, crossings.

    PATH is a log or a folder of logs. Seeds of a recipe are pooled.
    """
    _ranked(paths, target, given, output(given), all_pairs=pairs == "all", jobs=jobs)


@click.command(epilog=example("rlscale backtest runs/ --cut 0.3 --cut 0.6 --report report.html"))
@with_options(PATHS)
@click.option(
    "--cut", "cuts", type=float, multiple=True, metavar="F",
    help="Share of each run's compute to forecast from; repeat. Default: 0.25, 0.5 and 0.75.",
)  # fmt: skip
@click.option("--calibrate", is_flag=True, help="Also how wide intervals must be: of the gate, and of fit and rank.")
@click.option("--out", type=click.Path(path_type=Path), metavar="F.json", help="Write the calibration here.")
@click.option(
    "--jobs", type=Count(), default=1, show_default=True, metavar="N", help="Processes; the numbers stay the same."
)
@with_options(RUNS, READING, PARTIAL, FITTING[:4], SIBLINGS, OUTPUT)
def backtest(
    paths: tuple[str, ...], cuts: tuple[float, ...], calibrate: bool, out: Path | None, jobs: int, **given: Any
) -> None:
    """How forecasts made early would have done on finished runs: error, coverage, ranking, against simpler methods.

    PATH is a log or a folder of logs. Each run is cut at shares of its compute, the mean of its last evaluations is
    forecast from there, and compared with what came true. --calibrate --out FILE prepares a file for --calibration of
    gate, fit and rank.
    """
    from rlscale.answers.backtest import backtest_answer, backtest_view
    from rlscale.answers.backtest.document import calibration_document
    from rlscale.errors import InputError
    from rlscale.render.json import dumps
    from rlscale.render.output import write_file
    from rlscale.sources import collect
    from rlscale.trust import CUTS, archive
    from rlscale.trust import backtest as backtest_runs
    from rlscale.trust import calibrate as calibrated_on

    to = output(given)
    if out is not None and not calibrate:
        raise InputError(f"--out {out} is where a calibration goes; give --calibrate too, or --report for a report")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"cannot write {out}: {out.parent} is not a folder; make it first")
    options = fit_options(None, given)
    reading = collect(paths, read_options(given))
    with watched("backtesting", len(reading.runs)) as watch:
        report = backtest_runs(
            reading,
            cuts=cuts or CUTS,
            options=options,
            siblings=given["siblings"] == "auto",
            jobs=jobs,
            watch=watch,
        )
    asked = settings(given, cuts=[scored.cut for scored in report.cuts])
    calibration = None
    if calibrate:
        calibration = calibrated_on(reading.runs, cuts=cuts or CUTS, options=gate_fit_options(given))
        calibration = replace(calibration, archive=archive(report))
    view = backtest_view(report, reading.runs, settings=asked, reading=reading)
    to.put(lambda charts: backtest_answer(view, calibration, charts=charts))
    if calibration is not None and out is not None:
        write_file(out, dumps(calibration_document(calibration)) + "\n")
        click.echo(f"wrote {out}", err=True)
    answered(reading.left_out, given)


@click.command(epilog=example("rlscale demo --report report.html"))
@with_options(OUTPUT)
def demo(**given: Any) -> None:
    """Rank the bundled real RL runs, offline, in seconds; ends with a report.

    Six GRPO runs of a tiny model that learns to sort letters: three recipes, two seeds each.
    """
    from rlscale.sources import bundled

    given["report"] = given["report"] or Path("report.html")
    to = output(given)
    click.echo(
        "Six real RL runs come with rlscale: GRPO (TRL) on a tiny model that learns to sort letters, 500 steps each.\n"
        "base; long10 may write 10 tokens instead of 8; lr1.5e-4 halves the learning rate; two seeds of each.\n"
        "Known truth: with 8 tokens a quarter of the answers do not fit, so base and lr1.5e-4 cannot pass 0.75.\n",
        err=to.json,
    )
    _ranked((str(bundled()),), None, given, to, more={"report": str(given["report"])})


def _fitted(
    paths: tuple[str, ...], targets: tuple[float, ...], at_least: float | None, given: dict[str, Any]
) -> tuple[tuple[Fit, ...], Reading, Calibration | None]:
    """Read and fit, with a progress bar on long work."""
    from rlscale.inference import fits, siblings_of
    from rlscale.sources import collect

    calibration = _calibration(given)
    with watched("reading", None):
        options, reading = fit_options(at_least, given), collect(paths, read_options(given))
    if calibration is not None:
        options = calibration.corrected(options, reading.runs)
    curves = [run.curve for run in reading.runs]
    others = siblings_of(curves, [targets] * len(curves)) if given["siblings"] == "auto" else None
    found = []
    with watched("fitting", len(reading.runs)) as watch:
        for one in fits(reading.runs, targets, options, siblings=others):
            found.append(one)
            watch(len(found), len(reading.runs))
    return tuple(found), reading, calibration


def _calibration(given: dict[str, Any]) -> Calibration | None:
    """Return the calibration of ``--calibration``."""
    path = given.get("calibration")
    return None if path is None else calibration_file(path)


def _named(given: dict[str, Any]) -> str | None:
    """Return its file as text."""
    return None if given.get("calibration") is None else str(given["calibration"])


def _grown(fits: Sequence[Fit], targets: tuple[float, ...]) -> tuple[OverTime, ...]:
    """Fit runs as they grew, with a progress bar on long work."""
    from rlscale.inference import over_times

    grown = []
    with watched("fitting as the runs grew", len(fits)) as watch:
        for over_time in over_times(fits, targets):
            grown.append(over_time)
            watch(len(grown), len(fits))
    return tuple(grown)


def _ranked(
    paths: tuple[str, ...],
    target: float | None,
    given: dict[str, Any],
    to: Output,
    *,
    all_pairs: bool = False,
    jobs: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Read, fit and rank, with a progress bar on long work; fits are not kept, those shown are made again."""
    from rlscale.answers.rank import rank_answer
    from rlscale.answers.settings import bad_files
    from rlscale.answers.views import RankView, run_line
    from rlscale.decisions import rank_runs
    from rlscale.inference import Refits
    from rlscale.sources import collect

    calibration = _calibration(given)
    with watched("reading", None):
        options, reading = fit_options(None, given), collect(paths, read_options(given))
    runs = reading.runs
    if calibration is not None:
        options = calibration.corrected(options, runs)
    with watched("fitting", len(runs)) as watch:
        ranking, outcomes = rank_runs(
            runs,
            options,
            target=target,
            seed_sd=given.get("seed_sd"),
            all_pairs=all_pairs,
            jobs=_processes(len(runs)) if jobs is None else jobs,
            watch=watch,
        )
    view = RankView(
        ranking=ranking,
        runs=tuple(run_line(run, of.verdict, of.warnings) for run, of in zip(runs, outcomes, strict=True)),
        errors=bad_files(reading.errors),
        settings=settings(given, target=target, calibration=_named(given)),
        grouping=reading.grouping,
        left_out=reading.left_out,
        calibration=calibration,
    )
    fits = Refits(runs, () if target is None else target, options)
    to.put(lambda charts: rank_answer(view, fits if charts else None, more=more))
    answered(reading.left_out, given)


def _processes(runs: int) -> int:
    """Return how many processes to rank runs with: starting one takes as long as fitting a hundred runs."""
    return min(2, os.cpu_count() or 1) if runs > _MANY else 1
