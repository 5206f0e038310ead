"""The stoppers in use today, as policies: they see the rewards so far and no forecast.

A run's value is the mean of its last 3 evaluations. Runs that reach a rung at the same look come in their order, as
results do where trials run side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.decisions.gate.policy import check_number, number
from rlscale.decisions.gate.standing import RECENT, Action, Memory, Round, Ruling, Standing, State
from rlscale.errors import InputError

__all__ = ["Asha", "Halving", "Hyperband", "Margin", "Median", "rungs"]


def rungs(first: float, eta: float) -> tuple[float, ...]:
    """Return the shares ``first, first eta, ...`` below 1 at which halving compares."""
    count = int(np.ceil(np.log(1.0 / first) / np.log(eta) - 1e-9))
    return tuple(first * eta**k for k in range(count))


def value(one: Standing, at: float = 1.0) -> float:
    """Mean of the last 3 evaluations up to share ``at`` of the horizon."""
    seen = one.reward[: int(np.searchsorted(one.compute, at + 1e-9, side="right"))]
    return float(seen[-RECENT:].mean()) if seen.size else -np.inf


def _stops(field: Sequence[Standing], stopped: set[str]) -> Round:
    """Return the round in which the runs in ``stopped`` are stopped for good, with those that were before."""
    rulings = []
    for one in field:
        gone = one.state is State.STOPPED or one.name in stopped
        code = "finished" if one.state is State.FINISHED else "behind" if gone else "among_best"
        rulings.append(Ruling(name=one.name, action=Action.STOP if gone else Action.CONTINUE, code=code))
    return Round(tuple(rulings), None, Memory())


@dataclass(frozen=True, kw_only=True)
class Asha:
    """Asynchronous successive halving (Li et al., 2018), as schedulers run it.

    A run that comes to a rung goes on unless it is below the ``1 - 1 / eta`` quantile of those that came before it.
    """

    name: str = number("asha", "how answers call it")
    eta: float = number(2.0, "of the runs at a rung one in eta goes on")
    first: float = number(0.125, "first rung, as a share of the horizon")

    def __post_init__(self) -> None:
        check_number(self, "eta", 1.1, 100.0)
        check_number(self, "first", 0.001, 0.99)

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        stopped = set()
        for rung in rungs(self.first, self.eta):
            come = [value(one, rung) for one in field if one.spent >= rung - 1e-9 and not _just(one, rung)]
            for one in field:
                if not _just(one, rung):
                    continue
                own = value(one, rung)
                if come and own < np.quantile(come, 1.0 - 1.0 / self.eta) and one.state is State.RUNNING:
                    stopped.add(one.name)
                come.append(own)
        return _stops(field, stopped)


def _just(one: Standing, rung: float) -> bool:
    """Whether a run is at a rung: no later look has passed since it was reached."""
    return one.spent >= rung - 1e-9 and one.before < rung - 1e-9


@dataclass(frozen=True, kw_only=True)
class Halving:
    """Successive halving (Jamieson and Talwalkar, 2016): at each rung the best ``1 / eta`` of those left go on."""

    name: str = number("successive-halving", "how answers call it")
    eta: float = number(2.0, "of the runs at a rung one in eta goes on")
    first: float = number(0.25, "first rung, as a share of the horizon; RL rises late, so not earlier")

    def __post_init__(self) -> None:
        check_number(self, "eta", 1.1, 100.0)
        check_number(self, "first", 0.001, 0.99)

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        return _stops(field, _halved(field, rungs(self.first, self.eta), self.eta))


def _halved(field: Sequence[Standing], at: Sequence[float], eta: float) -> set[str]:
    """Return who is cut at a rung that all that still run have reached, some of them just now."""
    there = [one for one in field if one.state is not State.STOPPED]
    for rung in at:
        if there and min(one.spent for one in there) >= rung - 1e-9 and any(_just(one, rung) for one in there):
            ordered = sorted(there, key=lambda one: -value(one, rung))
            return {one.name for one in ordered[max(1, round(len(ordered) / eta)) :] if one.state is State.RUNNING}
    return set()


@dataclass(frozen=True, kw_only=True)
class Hyperband:
    """Hyperband (Li et al., 2016): brackets of successive halving with different first rungs, runs dealt in turn."""

    name: str = number("hyperband", "how answers call it")
    eta: float = number(3.0, "of the runs of a bracket at a rung one in eta goes on")
    brackets: int = number(3, "brackets; the most eager one starts at eta^-(brackets - 1) of the horizon")

    def __post_init__(self) -> None:
        check_number(self, "eta", 1.1, 100.0)
        check_number(self, "brackets", 1, 20)
        if self.brackets != int(self.brackets):
            raise InputError(f"policy {self.name!r}: brackets = {self.brackets!r} is not a whole number")

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        stopped: set[str] = set()
        count = int(self.brackets)
        for bracket in range(count):
            own = field[bracket::count]
            first = self.eta ** -(count - 1 - bracket)
            stopped |= _halved(own, rungs(first, self.eta) if first < 1.0 else (), self.eta)
        return _stops(field, stopped)


@dataclass(frozen=True, kw_only=True)
class Median:
    """Median stopping (Golovin et al., 2017): stop what is below the median of the others' running means."""

    name: str = number("median", "how answers call it")
    grace: float = number(0.25, "no run is stopped earlier, as a share of the horizon")

    def __post_init__(self) -> None:
        check_number(self, "grace", 0.0, 1.0)

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        stopped = set()
        for one in field:
            if one.state is not State.RUNNING or one.spent < self.grace - 1e-9:
                continue
            means = [
                float(other.reward[: int(np.searchsorted(other.compute, one.spent + 1e-9, side="right"))].mean())
                for other in field
                if other is not one and other.spent >= one.spent - 1e-9
            ]
            if means and float(one.reward.max()) < float(np.median(means)):
                stopped.add(one.name)
        return _stops(field, stopped)


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Stop what is more than a margin below the best, by the mean of the last 3 evaluations at equal compute."""

    name: str = number("margin", "how answers call it")
    margin: float = number(0.06, "distance from the best, as a share of the metric's range")
    grace: float = number(1 / 6, "no run is stopped earlier, as a share of the horizon")

    def __post_init__(self) -> None:
        check_number(self, "margin", 0.0, 1.0)
        check_number(self, "grace", 0.0, 1.0)

    def decide(self, field: tuple[Standing, ...], memory: Memory) -> Round:
        """Decide on every contender."""
        stopped = set()
        for one in field:
            if one.state is State.RUNNING and one.spent >= self.grace - 1e-9:
                best = max(value(other, one.spent) for other in field if other.state is not State.STOPPED)
                if value(one) < best - self.margin:
                    stopped.add(one.name)
        return _stops(field, stopped)
