"""Commands that decide and judge decisions: gate, replay, policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rlscale.cli.base import PARTLY, answered, output, settings, shown_runs, watched
from rlscale.errors import InputError
from rlscale.options import (
    CALIBRATION,
    FITTING,
    OUTPUT,
    PARTIAL,
    PATHS,
    READING,
    RUNS,
    calibration_file,
    example,
    gate_fit_options,
    policy_option,
    priced_options,
    with_options,
)
from rlscale.typed import Compute, Count

__all__ = ["gate", "gate_numbers", "policy", "replay"]

#: Exit codes of ``gate --exit-code``.
EXIT = {"continue": 0, "hold": 20, "stop": 21, "commit": 22}


@click.command(epilog=example("rlscale gate runs/ --budget 2e6 --calibration calibration.json"))
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option(
    "--budget", type=Compute(endless=False), metavar="C", help="Compute that one run may get; needed with PATH."
)
@click.option(
    "--horizon",
    type=Compute(endless=False),
    metavar="C",
    help="Where the comparison of runs ends; the budget by default.",
)
@click.option(
    "--policy", "named", metavar="P", default="hold", show_default=True, help="hold, kill, or a file of numbers."
)
@with_options(CALIBRATION)
@click.option("--held", multiple=True, metavar="RUN", help="A run that is paused now; repeat.")
@click.option("--ended", multiple=True, metavar="RUN", help="A run that ended before the horizon; repeat.")
@click.option("--stopped", multiple=True, metavar="RUN", help="A run that was stopped for good; repeat.")
@click.option("--risk-spent", type=float, default=0.0, metavar="P", help="For kill: spent by earlier stops; 0.")
@click.option("--run", "shown", multiple=True, metavar="GLOB", help="Show only these runs; all are compared; repeat.")
@click.option("--exit-code", is_flag=True, help="For one --run: 0 continue, 20 hold, 21 stop, 22 commit; 3 left out.")
@click.option("--explain", type=int, metavar="ID", help="A decision of a ledger, made again; no PATH.")
@click.option("--ledger", metavar="URL", envvar="RLSCALE_LEDGER", help="For --explain: the ledger.")
@with_options(READING, PARTIAL, FITTING, OUTPUT)
def gate(
    paths: tuple[str, ...],
    shown: tuple[str, ...],
    exit_code: bool,
    explain: int | None,
    ledger: str | None,
    **given: Any,
) -> None:
    """Decide for every run: continue, hold, stop or commit, with the reason and the evidence.

    PATH is a log or a folder of logs, as they stand. Runs are held while the model-based risk that one of them would
    have been better than all others is small; runs of one recipe are judged together. Nothing is started or stopped
    here. What people say of live runs: rlscale gate hold, resume, pin, end or lost RUN.
    """
    if explain is not None:
        _explain(paths, explain, ledger, given)
        return
    if not paths:
        raise InputError("no path is given; give a log or a folder of logs, or --explain ID --ledger URL")
    if given["budget"] is None:
        raise InputError("--budget is needed: the compute that one run may get, in the runs' unit")
    from rlscale.answers.gate import gate_answer, gate_view
    from rlscale.decisions.gate import gate as decide
    from rlscale.sources import collect

    to = output(given)
    reading = collect(paths, priced_options(given))
    if not reading.runs:
        raise InputError("nothing to gate: no run could be read")
    names = [run.name for run in reading.runs]
    visible = shown_runs(shown, reading)
    if exit_code and len(visible) != 1:
        raise InputError(f"--exit-code is of one run and {len(visible)} are given; name it with --run RUN")
    states = _states(paths, given, names)
    options = gate_fit_options(given)
    numbers, said = gate_numbers(given, reading.runs[0].curve, options.family)
    with watched("forecasting", len(names)) as watch:
        answer = decide(
            reading, given["budget"], horizon=given["horizon"], policy=numbers, options=options,
            seed_sd=given["seed_sd"], held=states["held"], ended=states["ended"], stopped=states["stopped"],
            risk_spent=given["risk_spent"], watch=watch,
        )  # fmt: skip
    view = gate_view(answer, reading, said, _told(given, runs=[*shown]), visible, given["price"])
    to.put(lambda charts: gate_answer(view, charts=charts))
    if exit_code:
        decision = next((each for each in answer.decisions if each.run == visible[0]), None)
        click.get_current_context().exit(PARTLY if decision is None else EXIT[decision.action.value])
    answered(reading.left_out, given)


def _states(paths: tuple[str, ...], given: dict[str, Any], names: list[str]) -> dict[str, list[str]]:
    """Return which runs are held, ended and stopped: as given, else as a ledger that was read knows."""
    found = {name: list(given[name]) for name in ("held", "ended", "stopped")}
    told = {run for runs in found.values() for run in runs}
    for path in paths:
        if path.startswith("ledger:"):
            from rlscale.ledger import Ledger
            from rlscale.live import standing

            with Ledger(path) as held:
                known = standing(held)
            for run, state in known.items():
                option = {"held": "held", "finished": "ended", "stopped": "stopped"}.get(state)
                if option is not None and run in names and run not in told:
                    found[option].append(run)
    return found


def _told(given: dict[str, Any], **more: Any) -> Any:
    """Return how the answer was asked for, the policy under its option's name and files as text."""
    told = {**given, "model_error": given["model_error"] or 0.0, **more}
    named = {"policy" if name == "named" else name: value for name, value in told.items()}
    return settings({name: str(value) if isinstance(value, Path) else value for name, value in named.items()})


def _explain(paths: tuple[str, ...], number: int, where: str | None, given: dict[str, Any]) -> None:
    """Make a decision of a ledger again, and show it."""
    from rlscale.ledger import Ledger
    from rlscale.live import explain
    from rlscale.render.console import console
    from rlscale.render.explanation import explanation_document, print_explanation
    from rlscale.render.json import dumps

    if where is None:
        raise InputError("--explain is of a decision in a ledger; give --ledger URL")
    if paths:
        raise InputError(f"--explain reads the ledger alone; leave {paths[0]} out")
    with Ledger(where) as held:
        found = explain(held, number)
    if given["as_json"]:
        click.echo(dumps(explanation_document(found)))
    else:
        print_explanation(found, console())


def gate_numbers(given: dict[str, Any], curve: Any, family: str) -> tuple[Any, str]:
    """Return the numbers of the gate and what is to be said of their calibration."""
    from dataclasses import replace

    from rlscale.decisions.gate import Gate
    from rlscale.trust.discrepancy import UNCALIBRATED

    chosen = policy_option(given["named"])
    if not isinstance(chosen, Gate):
        raise InputError(f"--policy {given['named']} can be replayed, not asked: the gate decides by hold or kill")
    numbers, claim = chosen.policy, UNCALIBRATED
    if given["calibration"] is not None:
        if given["discrepancy"] is not None:
            raise InputError("--calibration and --discrepancy both say how far forecasts may be off; give one of them")
        calibration = calibration_file(given["calibration"])
        if curve is not None:
            calibration.check(metric=curve.metric, bounds=curve.frame, family=family, unit=curve.unit)
        numbers, claim = replace(numbers, discrepancy=calibration.discrepancy), calibration.claim
        if calibration.archive is not None and calibration.archive.calibrated:
            claim = f"{claim} The forecasts of fit and rank: {calibration.archive.words}."
    overrides = {name: given[name] for name in ("discrepancy", "alpha") if given[name] is not None}
    return replace(numbers, **overrides), claim


@click.command(epilog=example("rlscale replay finished/ --policy hold --policy asha --plot replay.png"))
@with_options(PATHS)
@click.option(
    "--policy", "named", multiple=True, metavar="P", help="A policy by name, or a file; repeat. Default: all."
)
@click.option(
    "--runs-per-tournament", "size", type=Count(), default=8, show_default=True, metavar="K", help="Contenders."
)
@click.option("--tournaments", type=Count(), default=200, show_default=True, metavar="N", help="At most so many.")
@click.option("--by-recipe", is_flag=True, help="Contenders are recipes with all their runs, not runs.")
@click.option("--stagger", type=float, default=0.0, metavar="F", help="Starts apart, as a share of the horizon; 0.")
@click.option("--cost-by", type=click.Choice(["run", "params"]), default="run", help="A unit of compute costs as much.")
@click.option("--resume-cost", type=float, metavar="F", help="Of one restart, as a share of a run's horizon; 0.")
@click.option("--checkpoint-cost", type=float, metavar="F", help="Of one pause, as a share of a run's horizon; 0.")
@click.option("--frontier", is_flag=True, help="Also other numbers of each policy; --plot draws them.")
@with_options(RUNS, READING, PARTIAL, FITTING, OUTPUT)
def replay(paths: tuple[str, ...], named: tuple[str, ...], **given: Any) -> None:
    """Replay policies on finished runs: compute used, best kept, regret, wrong stops.

    PATH is a log or a folder of logs. Runs meet in tournaments up to the smallest last compute; every policy sees only
    what it would have seen.
    """
    from rlscale.answers.replay import replay_answer, replay_view
    from rlscale.decisions.gate.registry import POLICIES, frontier
    from rlscale.sources import collect
    from rlscale.trust import Setting
    from rlscale.trust import replay as replay_runs

    to = output(given)
    chosen = [policy_option(one) for one in named] or list(POLICIES.values())
    reading = collect(paths, priced_options(given))
    setting = Setting(
        size=given["size"], tournaments=given["tournaments"], stagger=given["stagger"], recipes=given["by_recipe"],
        seed_sd=given["seed_sd"] or 0.0, prices=_prices(given, reading.runs),
        resume_cost=given["resume_cost"], checkpoint_cost=given["checkpoint_cost"],
    )  # fmt: skip
    with watched("forecasting", len(reading.runs)) as watch:
        found = replay_runs(
            reading, chosen, setting=setting, options=gate_fit_options(given),
            frontier=frontier() if given["frontier"] or given["plot"] is not None else None, watch=watch,
        )  # fmt: skip
    view = replay_view(found, reading, _told(given, policies=[one.name for one in chosen]), given["price"])
    to.put(lambda charts: replay_answer(view, charts=charts))
    answered(reading.left_out, given)


def _prices(given: dict[str, Any], runs: Any) -> dict[str, float] | None:
    """Return what a unit of compute of each run costs, where that differs."""
    if given["cost_by"] == "run":
        return None
    unknown = [run.name for run in runs if run.model_params is None]
    if unknown:
        raise InputError(f"--cost-by params: the log of {unknown[0]} does not say its parameters (model_params)")
    return {run.name: float(run.model_params) for run in runs}


@click.command(epilog=example("rlscale policy hold > hold.toml"))
@click.argument("name", metavar="[NAME]", required=False)
@with_options(OUTPUT[:1])
def policy(name: str | None, as_json: bool) -> None:
    """Print a policy as a file of numbers, each with its reason; without NAME, which policies there are."""
    from rlscale.decisions.gate.registry import POLICIES, numbers
    from rlscale.render.json import dumps
    from rlscale.render.policies import policies_document, policy_toml

    chosen = [policy_option(name)] if name is not None else list(POLICIES.values())
    if as_json:
        click.echo(dumps(policies_document(chosen)))
    elif name is not None:
        click.echo(policy_toml(chosen[0]), nl=False)
    else:
        for one in chosen:
            click.echo(f"{one.name:<20}{', '.join(f'{key} = {value}' for key, value, _ in numbers(one))}")
