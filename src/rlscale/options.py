"""The options that commands share, and what they mean."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rlscale.errors import InputError
from rlscale.typed import AUTO, OPEN, Amount, Bound, Compute, Start

if TYPE_CHECKING:
    from rlscale.decisions.gate import Decider
    from rlscale.inference import FitOptions
    from rlscale.inference.families import Family
    from rlscale.sources import ReadOptions
    from rlscale.trust import Calibration

__all__ = [
    "ALARMS",
    "CALIBRATION",
    "FITTING",
    "LEDGER",
    "OUTPUT",
    "PARTIAL",
    "PATHS",
    "READING",
    "RUNS",
    "SIBLINGS",
    "calibration_file",
    "example",
    "fit_options",
    "gate_fit_options",
    "policy_option",
    "priced_options",
    "read_options",
    "with_open_bounds",
    "with_options",
]

_F = TypeVar("_F", bound=Callable[..., Any])


def bounds_of(ctx: click.Context, param: click.Parameter, value: tuple[Any, Any] | None) -> Any:
    """Return two numbers, or ``open`` where both ends are (``with_open_bounds`` doubles the word)."""
    if value is None or OPEN not in value:
        return value
    if value != (OPEN, OPEN):
        raise click.BadParameter("open takes no number beside it; give --bounds LO HI, or --bounds open", ctx, param)
    return OPEN


def with_open_bounds(args: Sequence[str]) -> list[str]:
    """Return arguments in which ``--bounds open`` has two values, as ``--bounds LO HI`` has."""
    found: list[str] = []
    for place, arg in enumerate(args):
        if arg.lower() == f"--bounds={OPEN}":
            found += ["--bounds", OPEN, OPEN]
        elif place and args[place - 1] == "--bounds" and arg.lower() == OPEN:
            found += [OPEN, OPEN]
        else:
            found.append(arg)
    return found


READING = (
    click.option("--metric", metavar="KEY", help="The reward, where several could be meant."),
    click.option("--compute", metavar="KEY", help="The column or key that holds the compute."),
    click.option("--unit", metavar="U", help="Compute axis: gpu-hours, tokens, samples, steps, flops or dollars."),
    click.option("--gpus", type=Amount(), metavar="N", help="GPUs a run used, where the log does not say."),
    click.option("--clock", metavar="C", help="Seconds that count: train, train+eval (default) or elapsed."),
    click.option("--price", type=Amount(), metavar="P", help="Dollars for one GPU-hour: compute is then in dollars."),
    click.option("--params", type=Amount(), metavar="N", help="For flops: parameters, of an MoE the active ones."),
    click.option(
        "--logp-passes", type=Amount(), metavar="K", help="For flops: log-probability passes over a batch; 1."
    ),
    click.option("--epochs", type=Amount(), metavar="E", help="For flops: updates on each batch; 1."),
    click.option("--layers", type=Amount(), metavar="L", help="For flops: layers, for the attention term."),
    click.option("--width", type=Amount(), metavar="D", help="For flops: hidden size, for the attention term."),
    click.option("--length", type=Amount(), metavar="S", help="For flops: tokens of a sample, for the attention term."),
    click.option("--recompute", is_flag=True, help="For flops: activations are computed again in the backward pass."),
    click.option(
        "--bounds",
        type=Bound(),
        nargs=2,
        metavar="LO HI|open",
        callback=bounds_of,
        help="Lowest and highest reward possible, or open; by default by the metric's name or its values, and said.",
    ),
    click.option("--recipe", metavar="REGEX", help="Recipe of a run: group 1 of this pattern on its name."),
    click.option("--by", metavar="COLUMN", help="The column of a table that means the recipe."),
    click.option("--wide", is_flag=True, help="Each column of a table, beside its compute, is a run."),
    click.option(
        "--from", "since", type=Start(), metavar="C", help="Use points from here on (and the baseline); or auto."
    ),
    click.option("--until", type=Compute(), metavar="C", help="Use points up to this compute."),
    click.option(
        "--exclude", metavar="GLOB", multiple=True, help="Runs, by name, that are left out on purpose; repeat."
    ),
    click.option("--strict", is_flag=True, help="Stop at the first file that cannot be read."),
)
RUNS = (click.option("--run", metavar="GLOB", multiple=True, help="Only these runs, by name; repeat."),)
PARTIAL = (click.option("--partial", is_flag=True, help="Exit 0 although runs that were named are left out, not 3."),)
FITTING = (
    click.option("--family", metavar="F", help="average (default), sigmoid, weibull, gompertz, two-slope or power."),
    click.option(
        "--model-error",
        type=Amount(),
        metavar="K",
        help="Per e-fold of compute ahead. Else learned; for one family .02.",
    ),
    click.option("--tolerance", type=float, metavar="T", help="Acceptable half-width, as a share of the range; .05."),
    click.option(
        "--no-health", "health", is_flag=True, flag_value=False, default=True,
        help="Alarms of monitors do not bear on the fit.",
    ),
    click.option("--seed-sd", type=float, metavar="TAU", help="Run-to-run sd as a share of the range; 0: these runs."),
)  # fmt: skip
SIBLINGS = (
    click.option(
        "--siblings", type=click.Choice(["auto", "off"]), default="auto",
        help="auto (default): 8 or more runs that are further on, and agree, inform the level of others.",
    ),
)  # fmt: skip
OUTPUT = (
    click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on stdout."),
    click.option("--csv", type=click.Path(path_type=Path), metavar="F.csv", help="Write the table."),
    click.option("--plot", type=click.Path(path_type=Path), metavar="F.png|svg", help="Write a chart."),
    click.option("--report", type=click.Path(path_type=Path), metavar="F.html", help="Write a self-contained report."),
)
LEDGER = (
    click.option(
        "--ledger", "where", metavar="URL", required=True, envvar="RLSCALE_LEDGER",
        help="An SQLite file, or postgresql://USER@HOST/DATABASE; or in RLSCALE_LEDGER.",
    ),
)  # fmt: skip
CALIBRATION = (
    click.option("--calibration", type=click.Path(path_type=Path), metavar="F.json", help="From backtest --calibrate."),
    click.option("--discrepancy", type=float, metavar="D", help="Share of the range forecasts may be off by; .02."),
    click.option("--alpha", type=float, metavar="P", help="Model-based risk allowed; .1."),
)
ALARMS = (
    click.option("--on-alarm", metavar="CMD", help="Program that is started for each alarm: JSON on stdin, no shell."),
    click.option(
        "--webhook", metavar="URL", envvar="RLSCALE_WEBHOOK",
        help="Address that alarms are posted to (Slack); better in RLSCALE_WEBHOOK. RLSCALE_WEBHOOK_TOKEN is sent as "
        "Authorization: Bearer.",
    ),
    click.option(
        "--alarm-level", type=click.Choice(["note", "warn", "stop"]), default="warn", show_default=True,
        help="What is milder is no alarm.",
    ),
)  # fmt: skip
PATHS = (click.argument("paths", metavar="PATH...", nargs=-1, required=True),)


def with_options(*options: Sequence[Callable[[_F], _F]]) -> Callable[[_F], _F]:
    """Add groups of options to a command, in their order."""

    def decorate(command: _F) -> _F:
        for option in reversed([one for group in options for one in group]):
            command = option(command)
        return command

    return decorate


def example(text: str) -> str:
    """Return the epilog of a command's help."""
    return f"\b\nExample:\n  {text}"


def read_options(given: dict[str, Any]) -> ReadOptions:
    """Return what the reading options say."""
    from rlscale.sources import FlopRule, ReadOptions

    names = ("metric", "compute", "unit", "gpus", "clock", "price", "bounds", "recipe", "by", "since", "until")
    told: dict[str, Any] = {name: given.get(name) for name in names}
    if told["since"] == AUTO:
        told["since"] = None  # chosen from the curve, where it is fitted
    flops = FlopRule(
        **{name: given.get(name) for name in ("params", "logp_passes", "epochs", "layers", "width", "length")},
        recompute=given.get("recompute", False),
    )
    told |= {name: tuple(given.get(name) or ()) for name in ("exclude", "run")}
    return ReadOptions(**told, flops=flops, wide=given.get("wide", False), strict=given.get("strict", False))


def priced_options(given: dict[str, Any]) -> ReadOptions:
    """Return the reading options of a command that tells savings.

    Beside ``--unit gpu-hours`` a price turns savings into money and leaves compute as it is; else compute is in
    dollars.
    """
    from rlscale.curves import canonical_unit
    from rlscale.decisions.savings import check_price

    hours = given["unit"] is not None and canonical_unit(given["unit"]) == "gpu-hours"
    if hours:
        check_price(given["price"], "gpu-hours")
    return read_options({**given, "price": None} if hours else given)


def fit_options(at_least: float | None, given: dict[str, Any], average: tuple[Family, ...] | None = None) -> FitOptions:
    """Return what the fitting options say; ``average``: the families of the average, where not the default ones."""
    from rlscale.inference import FitOptions
    from rlscale.inference.families import AVERAGE, AVERAGED, families_named

    chosen = {name: given[name] for name in ("model_error", "tolerance") if given.get(name) is not None}
    if given.get("family") is not None or average is not None:
        chosen["families"] = families_named(given.get("family") or AVERAGE, average or AVERAGED)
    return FitOptions(at_least=at_least, onset=given.get("since") == AUTO, health=given.get("health", True), **chosen)


def gate_fit_options(given: dict[str, Any]) -> FitOptions:
    """Return how the gate fits: without model error, unless one is given, since its discrepancy takes the place."""
    from rlscale.inference.families import GATED

    return fit_options(None, {**given, "model_error": given["model_error"] or 0.0}, GATED)


def policy_option(given: str) -> Decider:
    """Return the policy of ``--policy``: one of the named ones, or that of a TOML or JSON file.

    Raises
    ------
    InputError
        A name that is not known, a file that cannot be read, or numbers that cannot be.
    """
    from rlscale.decisions.gate import policy_from, policy_named

    path = Path(given)
    if path.suffix.lower() not in (".toml", ".json"):
        return policy_named(given)
    held = _mapping(path, "policy")
    try:
        return policy_from(held)
    except InputError as error:
        raise InputError(f"{path}: {error.on_command_line}") from error


def calibration_file(path: Path) -> Calibration:
    """Return the calibration of ``--calibration``.

    Raises
    ------
    InputError
        The file cannot be read, or is no calibration.
    """
    from rlscale.trust.discrepancy import calibration_from

    try:
        return calibration_from(_mapping(path, "calibration"))
    except InputError as error:
        raise InputError(f"{path}: {error.on_command_line}".replace(f"{path}: {path}: ", f"{path}: ")) from error


def _mapping(path: Path, what: str) -> dict[str, Any]:
    """Return what a TOML or JSON file holds."""
    try:
        text = path.read_text(encoding="utf-8")
        held = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise InputError(f"{path}: cannot read this {what}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # both parsers, and text that is not UTF-8
        raise InputError(f"{path}: this {what} is not the {path.suffix[1:].upper()} it is named: {error}") from error
    if not isinstance(held, dict):
        raise InputError(f"{path}: a {what} is a table of names and values, this is a {type(held).__name__}")
    return held
