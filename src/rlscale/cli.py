"""The command line: one short function a command; heavy imports wait until a command runs."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rlscale import __version__
from rlscale.errors import InputError
from rlscale.options import (
    FITTING,
    OUTPUT,
    PATHS,
    READING,
    Compute,
    example,
    fit_options,
    read_options,
    with_options,
)

if TYPE_CHECKING:
    from rlscale.curves import Run, Truth
    from rlscale.inference import Fit
    from rlscale.present.output import Output
    from rlscale.present.views import BadFile, Settings

__all__ = ["main"]

_F = TypeVar("_F", bound=Callable[..., Any])
#: More runs than this are ranked by two processes.
_MANY = 200
#: A progress bar is shown for more runs than this, on a terminal.
_PROGRESS = 20


class _BadInput(click.ClickException):
    """Bad input, told in one line on stderr."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        from rlscale.sources.naming import clean

        click.echo(f"error: {clean(self.message)}", err=True)


class _Commands(click.Group):
    """Keeps the command line as typed; turns the package's own errors into exit code 2, a closed pipe into an end."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        extra.setdefault("obj", shlex.join(["rlscale", *args]))
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
        except InputError as error:
            raise _BadInput(str(error)) from error
        except BrokenPipeError:
            # whoever read us has enough; without this the interpreter complains again while it shuts down
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return value


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("rlscale rank runs/ --report report.html"),
)
@click.version_option(__version__, prog_name="rlscale")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Know where an RL run will top out before you pay for it."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # arrays are small: threads cost more than they give
    gc.set_threshold(200_000)  # a table of a million rows is no garbage; looking for some takes a quarter of the time
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without the characters loses them, not the answer
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command(epilog=example("rlscale fit runs/ --target 2e6 --target inf --at-least 0.8"))
@with_options(PATHS)
@click.option(
    "--target", "targets", type=Compute(), multiple=True, help="Forecast here; inf for the asymptote; repeat."
)
@click.option("--at-least", type=float, metavar="R", help="Also the probability of a reward of at least R.")
@with_options(READING, FITTING, OUTPUT)
def fit(paths: tuple[str, ...], targets: tuple[float, ...], at_least: float | None, **given: Any) -> None:
    """Posterior, verdict and forecast of each run.

    PATH is a log or a folder of logs. Without --target the verdict speaks of the asymptote and the forecasts are at 2
    and 4 times the last compute.
    """
    from rlscale.present.views import fit_view

    output = _output(given)
    fits, errors = _fitted(paths, targets, at_least, given)
    settings = _settings(given, targets=[*targets], at_least=at_least)
    output.fits(fit_view(fits, errors, settings), fits)


@main.command(epilog=example("rlscale rank runs/ --target 1e7 --report report.html"))
@with_options(PATHS)
@click.option("--target", type=Compute(), help="Common compute; inf ranks by ceiling. Default: 4 x the longest run.")
@click.option(
    "--pairs", type=click.Choice(["auto", "all"]), default="auto", help="auto: each against the best past 50."
)
@click.option("--jobs", type=int, metavar="N", help="Processes; by default 2 for many runs. The numbers stay the same.")
@with_options(READING, FITTING, OUTPUT)
def rank(paths: tuple[str, ...], target: float | None, pairs: str, jobs: int | None, **given: Any) -> None:
    """Recipes by ceiling: P(best), groups that cannot be told apart, early-leader traps, crossings.

    PATH is a log or a folder of logs. Seeds of a recipe are pooled.
    """
    _ranked(paths, target, given, _output(given), all_pairs=pairs == "all", jobs=jobs)


@main.command(epilog=example("rlscale backtest runs/ --cut 0.3 --cut 0.6 --report report.html"))
@with_options(PATHS)
@click.option(
    "--cut", "cuts", type=float, multiple=True, metavar="F",
    help="Share of each run's compute to forecast from; repeat. Default: 0.25, 0.5 and 0.75.",
)  # fmt: skip
@click.option(
    "--jobs", type=int, default=1, show_default=True, metavar="N", help="Processes; the numbers stay the same."
)
@with_options(READING, FITTING[:3], OUTPUT)
def backtest(paths: tuple[str, ...], cuts: tuple[float, ...], jobs: int, **given: Any) -> None:
    """How forecasts made early would have done on finished runs: error, coverage, ranking, against simpler methods.

    PATH is a log or a folder of logs. Each run is cut at shares of its compute, the mean of its last evaluations is
    forecast from there, and compared with what came true.
    """
    from rlscale.present.backtest import backtest_view
    from rlscale.present.views import BadFile
    from rlscale.sources import collect
    from rlscale.trust import CUTS
    from rlscale.trust import backtest as backtest_runs

    output = _output(given)
    options = fit_options(None, given)
    reading = collect(paths, read_options(given))
    with _watched("backtesting", len(reading.runs)) as watch:
        found = backtest_runs(reading.runs, cuts=cuts or CUTS, options=options, jobs=jobs, watch=watch)
    errors = [BadFile(error.path, error.message) for error in reading.errors]
    settings = _settings(given, cuts=[scored.cut for scored in found.cuts])
    output.backtest(backtest_view(found, reading.runs, errors, settings))


@main.command(epilog=example("rlscale show runs/base/trainer_state.json"))
@with_options(PATHS)
@click.option("--gpus", type=float, metavar="N", help="GPUs a run used, where the log does not say.")
@click.option("--recipe", metavar="REGEX", help="Recipe of a run: group 1 of this pattern on its name.")
@click.option("--strict", is_flag=True, help="Stop at the first file that cannot be read.")
@with_options(OUTPUT[:1])
def show(paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show what a log holds: metrics, units, compute, configuration, repairs. Nothing is chosen or fitted.

    PATH is a log, a folder of logs, or a tracker's address.
    """
    from rlscale.present.documents import dumps
    from rlscale.present.logs import print_survey, survey_document
    from rlscale.present.output import console
    from rlscale.sources import survey
    from rlscale.sources.naming import clean

    found = survey(paths, read_options(given))
    if as_json:
        click.echo(dumps(survey_document(found)))
    else:
        print_survey(found, console())
    for error in found.errors:
        click.echo(f"left out {clean(str(error))}", err=True)


@main.command(epilog=example("rlscale sources --metrics --trainer verl"))
@click.option("--metrics", is_flag=True, help="The canonical metric table: which trainer logs what under which key.")
@click.option("--trainer", metavar="NAME", help="The keys of one trainer.")
@with_options(OUTPUT[:1])
def sources(metrics: bool, trainer: str | None, as_json: bool) -> None:
    """List what can be read, from where, and with which extra."""
    from rlscale.present.documents import dumps
    from rlscale.present.logs import metrics_document, print_metrics, print_sources, sources_document
    from rlscale.present.output import console

    keys = metrics or trainer is not None
    if as_json:
        click.echo(dumps(metrics_document(trainer) if keys else sources_document()))
    elif keys:
        print_metrics(trainer, console())
    else:
        print_sources(console())


@main.command(epilog=example("rlscale demo --report report.html"))
@with_options(OUTPUT)
def demo(**given: Any) -> None:
    """Rank the bundled real RL runs, offline, in seconds; ends with a report.

    Six GRPO runs of a tiny model that learns to sort letters: three recipes, two seeds each.
    """
    from rlscale.sources import bundled

    given["report"] = given["report"] or Path("report.html")
    output = _output(given)
    click.echo(
        "Six real RL runs come with rlscale: GRPO (TRL) on a tiny model that learns to sort letters, 500 steps each.\n"
        "base; long10 may write 10 tokens instead of 8; lr1.5e-4 halves the learning rate; two seeds of each.\n"
        "Known truth: with 8 tokens a quarter of the answers do not fit, so base and lr1.5e-4 cannot pass 0.75.\n",
        err=output.json,
    )
    _ranked((str(bundled()),), None, given, output, extra={"report": str(given["report"])})


@main.command(epilog=example("rlscale simulate --recipes 4 --out runs.csv --truth truth.json"))
@click.option("--out", type=click.Path(path_type=Path), metavar="F.csv", help="Write the table here, not to stdout.")
@click.option("--truth", type=click.Path(path_type=Path), metavar="F.json", help="Write the truth here, not to stderr.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random numbers.")
@click.option("--recipes", type=int, default=3, show_default=True, help="Recipes; the first is an early-leader trap.")
@click.option("--seeds", type=int, default=2, show_default=True, help="Runs of each recipe.")
@click.option("--points", type=int, default=40, show_default=True, help="Evaluations of a run after the one at 0.")
@click.option("--sigma", type=float, default=0.012, show_default=True, help="Sd of the evaluation noise.")
@click.option("--rho", type=float, default=0.3, show_default=True, help="Its correlation between neighbours.")
@click.option("--unit", default="steps", show_default=True, metavar="U", help="Unit of compute.")
@click.option("--json", "as_json", is_flag=True, help="Print truth and curves as JSON on stdout.")
def simulate(out: Path | None, truth: Path | None, as_json: bool, **given: Any) -> None:
    """Curves with known truth, for trials and checks: a long table as CSV."""
    from rlscale.curves import simulated_runs
    from rlscale.present.documents import dumps
    from rlscale.present.output import write_file
    from rlscale.present.tables import simulated_document, table_csv, truth_document

    pairs: list[tuple[Run, Truth]] = simulated_runs(
        given["recipes"], given["seeds"], given["points"], given["seed"],
        sigma=given["sigma"], rho=given["rho"], unit=given["unit"],
    )  # fmt: skip
    table = table_csv([run for run, _ in pairs])
    if out is not None:
        write_file(out, table)
    if as_json:
        click.echo(dumps(simulated_document(pairs)))
    elif out is None:
        click.echo(table, nl=False)
    if truth is not None:
        write_file(truth, dumps(truth_document(pairs)) + "\n")
    elif not as_json:
        click.echo("\n".join(_truth_lines(pairs)), err=True)


def _truth_lines(pairs: Iterable[tuple[Run, Truth]]) -> list[str]:
    return [
        f"truth {run.name}: R0 {t.R0:.3f}, A {t.A:.3f}, B {t.B:.2f}, C_mid {t.C_mid:.4g} {run.curve.unit}"
        for run, t in pairs
    ]


def _output(given: dict[str, Any]) -> Output:
    from rlscale.present.output import Output

    output = Output(json=given["as_json"], plot=given["plot"], report=given["report"])
    output.check()
    return output


def _fitted(
    paths: tuple[str, ...], targets: tuple[float, ...], at_least: float | None, given: dict[str, Any]
) -> tuple[tuple[Fit, ...], tuple[BadFile, ...]]:
    """Read and fit, with a progress bar on long work."""
    from rlscale.inference import fits
    from rlscale.present.views import BadFile
    from rlscale.sources import collect

    options = fit_options(at_least, given)
    reading = collect(paths, read_options(given))
    found = []
    with _watched("fitting", len(reading.runs)) as watch:
        for one in fits(reading.runs, targets, options):
            found.append(one)
            watch(len(found), len(reading.runs))
    return tuple(found), tuple(BadFile(error.path, error.message) for error in reading.errors)


@contextmanager
def _watched(what: str, runs: int) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on long work; what it yields takes the steps done and their total."""
    if runs <= _PROGRESS or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import Progress

    from rlscale.present.output import console

    with Progress(console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _ranked(
    paths: tuple[str, ...],
    target: float | None,
    given: dict[str, Any],
    output: Output,
    *,
    all_pairs: bool = False,
    jobs: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Read, fit and rank, with a progress bar on long work; fits are not kept, those shown are made again."""
    from rlscale.decisions import rank_runs
    from rlscale.inference import Refits
    from rlscale.present.views import BadFile, RankView, run_line
    from rlscale.sources import collect

    options = fit_options(None, given)
    reading = collect(paths, read_options(given))
    runs = reading.runs
    with _watched("fitting", len(runs)) as watch:
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
        errors=tuple(BadFile(error.path, error.message) for error in reading.errors),
        settings=_settings(given, target=target),
    )
    output.ranking(view, Refits(runs, () if target is None else target, options), extra)


def _processes(runs: int) -> int:
    """Return how many processes to rank runs with: starting one takes as long as fitting a hundred runs."""
    return min(2, os.cpu_count() or 1) if runs > _MANY else 1


def _settings(given: dict[str, Any], **more: Any) -> Settings:
    from rlscale.present.views import Settings

    used = fit_options(None, given)
    fitting = {"family": used.family, "model_error": used.model_error, "tolerance": used.tolerance}
    told = {"from" if name == "since" else name: value for name, value in {**given, **fitting, **more}.items()}
    options = {name: value for name, value in told.items() if name not in ("as_json", "plot", "report")}
    return Settings(command=click.get_current_context().obj, options=options)
