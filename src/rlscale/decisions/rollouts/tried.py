"""What was tried: runs by their rollouts per prompt, on an axis on which a run with more of them pays for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlscale.curves import Curve, Run
from rlscale.decisions.runs import on_one_axis
from rlscale.errors import InputError
from rlscale.left_out import LeftOut

__all__ = ["DIFFICULTY", "PROBLEMS", "ROLLOUTS", "Group", "count_of", "groups_of", "left_out_run", "updates_of"]

#: Canonical settings of a run: rollouts per prompt, prompts of one update, and how hard the prompts are.
ROLLOUTS, PROBLEMS, DIFFICULTY = "generations", "prompts_per_step", "difficulty"
#: Settings that belong to the comparison itself, or to no recipe.
_OWN = frozenset({ROLLOUTS, DIFFICULTY, "seed", "eval_generations"})


@dataclass(frozen=True)
class Group:
    """The runs of one class of difficulty that state their rollouts per prompt.

    Parameters
    ----------
    name : str, optional
        The class; None where none is stated.
    runs : mapping of int to tuple of Run
        Runs at each number of rollouts per prompt, in increasing order.
    notes : tuple of str
        What else differs between them.
    """

    name: str | None
    runs: Mapping[int, tuple[Run, ...]]
    notes: tuple[str, ...]


def groups_of(runs: Sequence[Run], problems: int | None = None) -> tuple[list[Group], list[LeftOut], list[str]]:
    """Return the runs by class of difficulty and by rollouts per prompt.

    Parameters
    ----------
    runs : sequence of Run
        With ``settings["generations"]``, and ``settings["difficulty"]`` where classes are told apart. Where compute is
        in steps it is turned into samples, steps x prompts x rollouts, which takes ``settings["prompts_per_step"]``:
        a step with more rollouts costs more.
    problems : int, optional
        Prompts per step of runs in steps that do not state them.

    Returns
    -------
    list of Group
    list of LeftOut
    list of str
        What was done to all.

    Raises
    ------
    InputError
        No runs, several units, clocks, metrics or bounds; no run states its rollouts, or one states a number that is
        none; compute in steps of runs whose prompts per step are not known.
    """
    on_one_axis(runs, "compare", ("unit", "clock", "metric", "frame"))
    stated = [(run, count_of(run, ROLLOUTS)) for run in runs]
    known = [(run, n) for run, n in stated if n is not None]
    if not known:
        raise InputError(
            f"none of {len(runs)} runs states its rollouts per prompt; add a column 'rollouts' to the table, or read "
            "logs that hold the trainer's configuration"
        )
    left_out = [
        left_out_run(run, "its rollouts per prompt are not stated", counted=True) for run, n in stated if n is None
    ]
    notes = []
    if known[0][0].curve.unit == "steps":
        unstated = sum(count_of(run, PROBLEMS) is None for run, _ in known)
        known = [(_in_samples(run, n, problems), n) for run, n in known]
        notes.append(
            "compute and budget are in samples in place of steps: steps x prompts per step x rollouts per prompt"
        )
        if unstated:
            notes.append(
                f"{unstated} of {len(known)} runs state no prompts per step: --problems {problems} is taken for theirs"
            )
    if any(_trained_on(run) for run, _ in known):
        notes.append(
            "a train reward is compared: it flatters small numbers of rollouts and hides overfitting; log a validation"
        )
    classes: dict[str | None, dict[int, list[Run]]] = {}
    for run, n in known:
        classes.setdefault(_text(run.settings.get(DIFFICULTY)), {}).setdefault(n, []).append(run)
    groups = []
    for name in sorted(classes, key=lambda name: (name is None, name or "")):
        by_n = {n: tuple(classes[name][n]) for n in sorted(classes[name])}
        groups.append(Group(name, by_n, _confounded(by_n)))
    return groups, left_out, notes


def left_out_run(run: Run, why: str, *, counted: bool) -> LeftOut:
    """Return a run as one that an answer lacks."""
    return LeftOut(run.name, "" if run.source is None else run.source.path, why, counted)


def updates_of(run: Run) -> float | None:
    """Return the updates of a run by its last evaluation; None where not known.

    Of a trainer's log, whose metrics are kept by its step, the last step; of a table in samples, samples divided by
    prompts per step and rollouts per prompt.
    """
    steps = [metric.series.step[-1] for metric in run.metrics.values() if metric.series.step.size]
    if steps:
        return float(max(steps)) or None
    problems, n = count_of(run, PROBLEMS), count_of(run, ROLLOUTS)
    if run.curve.unit == "samples" and problems and n:
        return run.curve.compute_last / (problems * n)
    return None


def _in_samples(run: Run, n: int, given: int | None) -> Run:
    """Return the run with compute in samples."""
    problems = count_of(run, PROBLEMS) or given
    if problems is None:
        raise InputError(
            f"compute of run {run.name!r} is in steps, and a step with {n} rollouts per prompt costs more than one "
            "with fewer; give --unit samples (or tokens, gpu-hours), a column 'prompts_per_step', or "
            "--problems B, the prompts of a step"
        )
    curve: Curve = replace(run.curve, compute=run.curve.compute * (problems * n), unit="samples")
    return run.with_curve(curve, source=run.source, warnings=run.warnings)


def count_of(run: Run, setting: str) -> int | None:
    """Return a setting as a whole number from 1 on; None where it is not stated.

    Raises
    ------
    InputError
        It is no such number.
    """
    value: Any = run.settings.get(setting)
    if _text(value) is None:
        return None
    try:
        number = float(value)
        fine = number >= 1.0 and number == int(number)
    except (TypeError, ValueError, OverflowError):
        fine = False
    if not fine:
        what = "rollouts per prompt" if setting == ROLLOUTS else "prompts per step"
        raise InputError(f"run {run.name!r} has {value!r} {what}; give a whole number from 1 on, or leave the run out")
    return int(number)


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return None if text.lower() in ("", "none", "null", "nan") else text


def _trained_on(run: Run) -> bool:
    train = run.metrics.get("train_reward")
    return train is not None and train.key == run.curve.metric


def _confounded(by_n: Mapping[int, Sequence[Run]]) -> tuple[str, ...]:
    """Say which other settings change together with the rollouts: their effects cannot be told apart."""
    if len(by_n) < 2:
        return ()
    names = sorted({name for runs in by_n.values() for run in runs for name in run.settings} - _OWN)
    moving = []
    for name in names:
        values = [frozenset(filter(None, (_text(run.settings.get(name)) for run in runs))) for runs in by_n.values()]
        stated = [texts for texts in values if texts]
        if len(set(stated)) > 1:
            moving.append(name)
    if not moving:
        return ()
    return (
        f"{', '.join(moving)} change together with the rollouts per prompt: what holds for rollouts holds for both "
        "together",
    )
