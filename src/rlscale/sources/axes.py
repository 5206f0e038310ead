"""The choice of compute axis: which unit, on which clock, all runs share."""

from __future__ import annotations

from collections.abc import Sequence

from rlscale.curves import UNITS, canonical_unit
from rlscale.errors import ChoiceError
from rlscale.sources.clocks import CLOCKS
from rlscale.sources.log import Log, ReadOptions

__all__ = ["Kind", "chosen_kind", "kinds_of"]

#: A unit and, for gpu-hours and dollars, the clock: empty where a table states its gpu-hours itself.
Kind = tuple[str, str]


def chosen_kind(logs: Sequence[tuple[str, Log]], options: ReadOptions) -> Kind | None:
    """Return the unit and the clock all runs are read in, None where ``--compute`` names the column.

    The first of gpu-hours, tokens, samples, steps that every run has, gpu-hours on the first clock that every run has:
    runs on different clocks are never compared. FLOPs that are counted from tokens are read on request only.

    Parameters
    ----------
    logs : sequence of (str, Log)
        Run name and log.
    options : ReadOptions
        ``unit``, ``clock``, ``price`` and ``compute`` settle the choice.

    Raises
    ------
    CurveError
        ``--unit`` is no unit.
    ChoiceError
        No unit is common to all runs, or no clock.
    """
    unit = _asked(options)
    if unit is None and (options.compute is not None or not logs):
        return None
    held = {name: kinds_of(log, options) for name, log in logs}
    if unit is not None:
        return _with_unit(unit, held)
    common = set.intersection(*(kinds for kinds in held.values() if kinds)) if any(held.values()) else set()
    ranked = [kind for kind in _ranked() if kind in common]
    if ranked:
        return ranked[0]
    if any(held.values()):
        sets: dict[str, str] = {}
        for name, kinds in held.items():
            if kinds:
                sets.setdefault(" or ".join(_named(kind) for kind in _ranked() if kind in kinds), name)
        choices = [f"{name!r} has {units}" for units, name in sets.items()]
        raise ChoiceError("the runs share no unit of compute; read them apart, or give --unit U", choices)
    return None


def _asked(options: ReadOptions) -> str | None:
    if options.unit is not None:
        return canonical_unit(options.unit)
    if options.price is not None:
        return "dollars"
    return "gpu-hours" if options.clock is not None else None


def _ranked() -> list[Kind]:
    """Return all kinds, best first."""
    return [kind for unit in UNITS for kind in _of_unit(unit)]


def _of_unit(unit: str) -> list[Kind]:
    return [(unit, clock) for clock in ("", *CLOCKS)] if unit in ("gpu-hours", "dollars") else [(unit, "")]


def _named(kind: Kind) -> str:
    return f"{kind[0]} ({kind[1]})" if kind[1] else kind[0]


def _with_unit(unit: str, held: dict[str, set[Kind]]) -> Kind:
    """Return the unit on the first clock that every run with this unit has; runs without it are refused one by one."""
    having = {name: {kind for kind in kinds if kind[0] == unit} for name, kinds in held.items()}
    having = {name: kinds for name, kinds in having.items() if kinds}
    if not having:
        return unit, ""
    common = set.intersection(*having.values())
    ranked = [kind for kind in _of_unit(unit) if kind in common]
    if ranked:
        return ranked[0]
    sets: dict[str, str] = {}
    for name, kinds in having.items():
        sets.setdefault(" or ".join(kind[1] or "its own" for kind in _of_unit(unit) if kind in kinds), name)
    choices = [f"{name!r} has {clocks}" for clocks, name in sets.items()]
    raise ChoiceError(f"the runs share no clock for {unit}; read them apart, or give another --unit U", choices)


def kinds_of(log: Log, options: ReadOptions) -> set[Kind]:
    """Return the units, each with its clock, that a run can be read in."""
    kinds = {(unit, "") for unit in log.axes}
    if log.undeclared is not None:
        kinds.add(("steps", ""))
    if log.gpus or options.gpus:
        kinds |= {("gpu-hours", clock) for clock in log.clocks}
    if options.clock is not None:
        kinds = {kind for kind in kinds if kind[0] != "gpu-hours" or kind[1] == options.clock}
    if options.price is not None:
        kinds |= {("dollars", clock) for unit, clock in kinds if unit == "gpu-hours"}
    counted = "tokens" in log.axes and (options.flops.params or log.model_params)
    if counted and options.unit is not None and canonical_unit(options.unit) == "flops":
        kinds.add(("flops", ""))
    return kinds
