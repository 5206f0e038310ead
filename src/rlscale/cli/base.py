"""What commands share: the group that turns the package's errors into exit codes, reading and fitting, progress."""

from __future__ import annotations

import gc
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rlscale.errors import InputError, SourceError, hidden
from rlscale.options import fit_options, with_open_bounds

if TYPE_CHECKING:
    from rlscale.answers.settings import Settings
    from rlscale.left_out import LeftOut
    from rlscale.render.output import Output
    from rlscale.sources import Reading

__all__ = ["PARTLY", "Commands", "answered", "for_bug_report", "output", "prepare", "settings", "shown_runs", "watched"]

#: Exit code of an answer that covers fewer runs than were named.
PARTLY = 3

_F = TypeVar("_F", bound=Callable[..., Any])
#: A progress bar is shown for more runs than this, on a terminal.
_PROGRESS = 20


class _BadInput(click.ClickException):
    """Bad input, told in one line on stderr; of a file that cannot be read a second one is for a bug report."""

    exit_code = 2

    def __init__(self, error: InputError) -> None:
        super().__init__(error.on_command_line)
        self.error = error

    def show(self, file: Any = None) -> None:
        from rlscale.sources.printable import clean

        click.echo(f"error: {clean(self.message)}", err=True)
        for_bug_report(self.error)


def for_bug_report(*errors: InputError) -> None:
    """Write the line for a bug report of the first of these errors that is of a file that cannot be read."""
    if any(isinstance(error, SourceError) for error in errors):
        from rlscale import __version__
        from rlscale.sources.bug_report import report_line

        line = next(filter(None, (report_line(error, __version__) for error in errors)), None)
        if line is not None:
            click.echo(line, err=True)


class Commands(click.Group):
    """Keeps the command line as typed; turns the package's own errors into exit code 2, a closed pipe into an end."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Keep the command line as typed."""
        extra.setdefault("obj", hidden(shlex.join(["rlscale", *args])))
        return super().make_context(info_name, with_open_bounds(args), parent, **extra)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first words name: one, or two unless the second is a file."""
        two = " ".join(args[:2])
        if len(args) > 1 and two in self.commands and not os.path.exists(args[1]):
            return two, self.commands[two], args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
        except click.UsageError as error:  # it may quote an address with a password
            message = hidden(error.format_message())
            if "'--bounds' requires 2 arguments" in message:
                message += " Give --bounds LO HI, or --bounds open."
            raise click.UsageError(message, error.ctx) from error
        except InputError as error:
            raise _BadInput(error) from error
        except BrokenPipeError:
            # whoever read us has enough; without this the interpreter complains again while it shuts down
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return value


def prepare() -> None:
    """Set up the process for a command."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # arrays are small: threads cost more than they give
    gc.set_threshold(200_000)  # a table of a million rows is no garbage; looking for some takes a quarter of the time
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without the characters loses them, not the answer


def output(given: dict[str, Any]) -> Output:
    """Return where the answer goes, checked before the work is done."""
    from rlscale.render.output import Output

    to = Output(json=given["as_json"], csv=given.get("csv"), plot=given.get("plot"), report=given.get("report"))
    to.check()
    _spare_inputs(to, click.get_current_context().params)
    return to


def _spare_inputs(to: Output, named: Mapping[str, Any]) -> None:
    """Refuse to write over what is read: a path or file that the command names, or a file in a folder of logs."""
    read = [path for path in named.get("paths") or () if "://" not in str(path)]
    read += [named[option] for option in ("settings", "ablation", "calibration") if named.get(option)]
    for option in ("csv", "plot", "report"):
        target = getattr(to, option)
        if target is None or not target.exists():
            continue
        at = target.resolve()
        for path in map(Path, map(str, read)):
            own = option == "csv" and path.is_dir() and at.is_relative_to(path.resolve())
            if own or at == path.resolve():
                raise InputError(f"--{option} {target} would write over what is read ({path}); give another name")


#: Where an answer goes bears on no number.
_NOT_ASKED = ("as_json", "csv", "plot", "report", "partial")


@contextmanager
def watched(what: str, runs: int | None, unit: str = "runs") -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far long work is, at what rate, and how long it still takes.

    Parameters
    ----------
    what : str
        The work, ``fitting``.
    runs : int, optional
        Nothing is shown for a few; None where their number is not known yet: then that it goes on, and for how long.
    unit : str
        What is counted.

    Yields
    ------
    callable
        Takes the steps done and their total.
    """
    if (runs is not None and runs <= _PROGRESS) or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from rlscale.render.console import console

    start = time.monotonic()
    tail = TimeElapsedColumn() if runs is None else TextColumn("{task.fields[pace]}")
    columns = (TextColumn("{task.description}"), BarColumn(), tail)
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=runs, pace="")

        def show(done: int, total: int) -> None:
            text = pace(done, total, time.monotonic() - start, unit)
            progress.update(task, completed=done, total=total, pace=text)

        yield show


def pace(done: int, total: int, seconds: float, unit: str = "runs") -> str:
    """Say how far work is after so many seconds, its rate, and how long it still takes at that.

    Examples
    --------
    >>> pace(250, 1000, 2.0)
    '250 of 1,000 runs, 125 runs/s, 0:00:06 left'
    """
    rate = done / max(seconds, 1e-9)
    far = f"{done:,} of {total:,} {unit}"
    if not done:
        return far
    rounded = f"{rate:,.0f}" if rate >= 10.0 else f"{rate:.2g}"
    return f"{far}, {rounded} {unit}/s, {timedelta(seconds=round((total - done) / rate))} left"


def answered(left_out: Iterable[LeftOut], given: dict[str, Any]) -> None:
    """End with exit code 3 where an answer that was printed covers fewer runs than were named."""
    if any(run.counted for run in left_out) and not given.get("partial"):
        click.get_current_context().exit(PARTLY)


def settings(given: dict[str, Any], **more: Any) -> Settings:
    """Return how the answer was asked for."""
    from rlscale.answers.settings import Settings

    used = fit_options(None, given)
    fitting = {"family": used.family, "model_error": used.model_error, "tolerance": used.tolerance}
    told = {"from" if name == "since" else name: value for name, value in {**given, **fitting, **more}.items()}
    options = {name: value for name, value in told.items() if name not in _NOT_ASKED}
    return Settings(command=click.get_current_context().obj, options=options)


def shown_runs(patterns: tuple[str, ...], reading: Reading) -> list[str]:
    """Return the names of the runs that ``--run`` shows, those left out among them; none means all."""
    from rlscale.sources.patterns import check_patterns, matches

    names = [run.name for run in reading.runs]
    names += dict.fromkeys(run.run for run in reading.left_out if run.run)
    check_patterns(names, {"--run": patterns})
    return [name for name in names if matches(name, patterns)]
