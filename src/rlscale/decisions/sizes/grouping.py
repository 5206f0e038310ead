"""Runs by the size of their model: what can be used of each, and what cannot be a table of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.curves.value import Value
from rlscale.decisions.runs import on_one_axis
from rlscale.decisions.sizes.idle import without_gain
from rlscale.decisions.sizes.written import written
from rlscale.errors import InputError
from rlscale.inference.examine import examine
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.regimes import BreakKind
from rlscale.inference.size_law import Trace, trace
from rlscale.inference.smoothed import smoothing
from rlscale.inference.verdict import unfit
from rlscale.left_out import LeftOut

__all__ = ["SizedRuns", "last_level", "sized", "truncated"]

#: Sizes that differ by less than this share are one: counts with and without embeddings differ more than that.
SAME_SIZE = 0.01
#: No model that is trained has fewer parameters, and no count in billions is so large.
LEAST_COUNT, LARGEST_BILLIONS = 1e5, 1e4
#: Sizes that span less than this factor say nothing of how the exponent rises.
NEAR = 1.5
#: Levels further above the largest reward than this share of it are no noise.
STRAY = 0.02
#: Shortest tail of a run that stands for its last level, and the share that it is of long runs.
TAIL, TAIL_SHARE = 3, 10


@dataclass(frozen=True, eq=False)
class SizedRuns(Value):
    """Runs grouped by size.

    Parameters
    ----------
    runs : tuple of Run
        What of them is fitted.
    model_params : tuple of float
        Ascending.
    members : tuple of tuple of int
        Places of the runs of each size.
    r_max : float
    left_out : tuple of LeftOut
    notes : tuple of str
        What was left out of runs that are used, and what else limits the answer.
    """

    runs: tuple[Run, ...]
    model_params: tuple[float, ...]
    members: tuple[tuple[int, ...], ...]
    r_max: float
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The curves of the runs."""
        return tuple(run.curve for run in self.runs)

    @property
    def floor(self) -> float:
        """The lowest reward that is known to be possible; minus infinity where none is."""
        return min(curve.bounds[0] if curve.open is None else -np.inf for curve in self.curves)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The runs as lines."""
        return tuple(trace(curve, self.r_max) for curve in self.curves)

    def without(self, model_params: float) -> SizedRuns:
        """Return the runs of the other sizes."""
        return self.only([place for size, own in self._each if size != model_params for place in own])

    def only(self, places: Sequence[int]) -> SizedRuns:
        """Return some of the runs, by their places, sizes without any left out."""
        new = {old: k for k, old in enumerate(places)}
        kept = [(size, tuple(new[place] for place in own if place in new)) for size, own in self._each]
        kept = [(size, own) for size, own in kept if own]
        runs = tuple(self.runs[place] for place in places)
        return SizedRuns(runs, tuple(size for size, _ in kept), tuple(own for _, own in kept), self.r_max)

    def of(self, model_params: float) -> tuple[int, ...]:
        """Return the places of the runs of a size."""
        return self.members[self.model_params.index(model_params)]

    def cut(self, share: float, model_params: float | None = None) -> SizedRuns:
        """Return the runs, or those of one size, up to a share of their compute; too short ones are left out."""
        cut = set(range(len(self.runs)) if model_params is None else self.of(model_params))
        runs = [truncated(run, share) if place in cut else run for place, run in enumerate(self.runs)]
        whole = SizedRuns(
            tuple(run or self.runs[k] for k, run in enumerate(runs)), self.model_params, self.members, self.r_max
        )
        return whole.only([place for place, run in enumerate(runs) if run is not None])

    @property
    def _each(self) -> list[tuple[float, tuple[int, ...]]]:
        return list(zip(self.model_params, self.members, strict=True))


def truncated(run: Run, share: float) -> Run | None:
    """Return a run up to a share of its last compute; None where too few evaluations lie there."""
    curve = run.curve
    if np.count_nonzero(curve.compute[curve.compute <= share * curve.compute_last] > 0.0) < MIN_POINTS:
        return None
    return run.with_curve(curve.until(share * curve.compute_last), source=run.source, warnings=run.warnings)


def last_level(curve: Curve) -> tuple[float, np.ndarray]:
    """Return the mean of the last ``max(3, n // 10)`` evaluations, and their computes."""
    tail = max(TAIL, curve.n_points // TAIL_SHARE)
    return float(curve.reward[-tail:].mean()), curve.compute[-tail:]


def sized(runs: Sequence[Run], r_max: float | None) -> SizedRuns:
    """Group runs by the size of their model and keep what of each can be fitted.

    Raises
    ------
    InputError
        No runs, several units, metrics or bounds, no run with a size, sizes in mixed units, fewer than two sizes with
        a run that can be fitted, no largest reward, or a level above it.
    """
    on_one_axis(runs, "fit a law across sizes of", ("unit", "clock", "metric", "frame"))
    runs, left_out = _with_size(runs)
    _check_units(runs)
    largest = _largest_reward(runs, r_max)
    used: list[Run] = []
    notes: list[str] = []
    for run in runs:
        kept, remarks = _usable(run, largest)
        if kept is None:
            path = run.source.path if run.source is not None else ""
            left_out.append(LeftOut(run.name, path, "; ".join(remarks), False))
            continue
        notes += remarks
        used.append(kept)
    learning, idle = without_gain(used)
    return _grouped(learning, largest, [*left_out, *idle], notes)


def _with_size(runs: Sequence[Run]) -> tuple[list[Run], list[LeftOut]]:
    """Return the runs whose size is known, and those left out because it is not.

    Raises
    ------
    InputError
        Of no run it is.
    """
    known, without = [], []
    for run in runs:
        if run.model_params is not None and 0.0 < float(run.model_params) < np.inf:
            known.append(run)
            continue
        path = run.source.path if run.source is not None else ""
        stated = "is not known" if run.model_params is None else f"is stated as {run.model_params:g}"
        without.append(LeftOut(run.name, path, f"the size of its model {stated}", True))
    if not known:
        first, others = without[0], f" and {len(without) - 1} more" if len(without) > 1 else ""
        raise InputError(
            f"the size of the model of {first.run}{others} {first.why.removeprefix('the size of its model ')}; give a "
            "column model_params with the number of parameters, above 0",
            parameter="model_params",
        )
    return known, without


def _check_units(runs: Sequence[Run]) -> None:
    sizes = sorted({float(run.model_params or 0.0) for run in runs})
    small, large = [s for s in sizes if s < LARGEST_BILLIONS], [s for s in sizes if s >= LEAST_COUNT]
    if small and large:
        shown = ", ".join(_both(size) for size in sizes)
        raise InputError(
            f"model_params are in mixed units: {shown}; {small[0]:g} looks like billions beside {written(large[-1])}: "
            "write all as parameters (7e9 or 7B), or all in billions (7)",
            parameter="model_params",
        )


def _both(size: float) -> str:
    """Write a size as it may stand in a table, and as a number where that is another text."""
    return f"{size:g}" if size < LEAST_COUNT else f"{written(size)} ({size:g})"


def _largest_reward(runs: Sequence[Run], r_max: float | None) -> float:
    """Return ``R_max``: as given, else the upper bound."""
    curve = runs[0].curve
    if r_max is None and curve.open is not None:
        highest = max(float(run.curve.reward.max()) for run in runs)
        raise InputError(
            f"the largest possible reward is not known (the highest seen is {highest:.4g}), and the law is of "
            "1 - R/R_max; give --r-max R, or --bounds LO HI",
            parameter="r_max",
        )
    largest = curve.bounds[1] if r_max is None else float(r_max)
    if not 0.0 < largest < np.inf:
        raise InputError(
            f"--r-max {largest:g} is not above 0; the law is of 1 - R/R_max: give the largest reward", parameter="r_max"
        )
    return largest


def _usable(run: Run, r_max: float) -> tuple[Run | None, list[str]]:
    """Return the part of a run that the law can cover, and what is left out of it; None, and why, where there is none.

    Raises
    ------
    InputError
        Its level lies above the largest reward.
    """
    verdict = unfit(run.curve)
    if verdict is not None:
        return None, [verdict.why]
    seen = examine(run.curve)
    remarks = [f"{run.name}: {warning}" for warning in seen.warnings]
    if seen.found is not None and seen.found.kind is BreakKind.FALL:
        remarks[-1] = f"{run.name} collapsed: {seen.warnings[-1]}, and its size may be worse than the law says"
    smoothed = smoothing(run.curve)
    remarks += [] if smoothed is None else [f"{run.name}: {smoothed.warning}"]
    curve = seen.curve
    reached = _reached(run.name, curve, r_max)
    if reached is not None:
        curve = curve.select(curve.compute < reached)
        remarks.append(
            f"{run.name} reaches the largest reward, {r_max:.4g}, at {reached:.4g} {curve.unit}: only what comes "
            "before counts, since the law approaches it and never arrives"
        )
    if curve.n_trained < MIN_POINTS:
        return None, remarks or ["too few evaluations can be fitted"]
    return run.with_curve(curve, source=run.source, warnings=run.warnings), remarks


def _reached(name: str, curve: Curve, r_max: float) -> float | None:
    """Return the compute at which the level, a median of 3, first reaches the largest reward; single points may pass.

    Raises
    ------
    InputError
        The level lies above the largest reward.
    """
    if curve.n_points < 3:
        return None
    level = np.median(np.lib.stride_tricks.sliding_window_view(curve.reward, 3), axis=1)
    if level.max() > r_max * (1.0 + STRAY):
        raise InputError(
            f"{name} reaches a reward of {level.max():.4g}, above R_max = {r_max:.4g}, where log(1 - R/R_max) is no "
            "number; give --r-max R with the largest reward possible",
            parameter="r_max",
        )
    at = np.flatnonzero(level >= r_max)
    return float(curve.compute[at[0] + 1]) if at.size else None


def _grouped(runs: Sequence[Run], r_max: float, left_out: list[LeftOut], notes: list[str]) -> SizedRuns:
    order = sorted(range(len(runs)), key=lambda place: float(runs[place].model_params or 0.0))
    sizes: list[list[int]] = []
    for place in order:
        size = float(runs[place].model_params or 0.0)
        if sizes and size <= float(runs[sizes[-1][0]].model_params or 0.0) * (1.0 + SAME_SIZE):
            sizes[-1].append(place)
        else:
            sizes.append([place])
    if len(sizes) < 2:
        which = f"of one size ({written(float(runs[0].model_params or 0.0))})" if runs else "too short to be fitted"
        lost = f"; left out: {', '.join(f'{out.run} ({out.why})' for out in left_out)}" if left_out else ""
        raise InputError(
            f"the runs are {which}{lost}: a law across sizes needs two sizes, better three; "
            "rlscale fit --target C answers for one"
        )
    params = tuple(float(np.median([runs[place].model_params for place in own])) for own in sizes)
    return SizedRuns(
        tuple(runs),
        params,
        tuple(tuple(sorted(own)) for own in sizes),
        r_max,
        tuple(left_out),
        (*notes, *_limits(runs, sizes, params)),
    )


def _limits(runs: Sequence[Run], sizes: Sequence[Sequence[int]], params: Sequence[float]) -> list[str]:
    """Name what limits an answer from these sizes."""
    notes = []
    if len(sizes) == 2:
        notes.append(
            "two sizes barely identify N0: a line goes through any two exponents, and K_max and N0 rest on their "
            "priors; a third size, further away, settles them"
        )
    if params[-1] < NEAR * params[0]:
        notes.append(
            f"the sizes lie within {100.0 * (params[-1] / params[0] - 1.0):.0f} % of one another: K_max and N0 rest "
            "on their priors, and nothing is known of other sizes; train one further away"
        )
    notes += _several_recipes(runs, sizes, params)
    if params[-1] < LARGEST_BILLIONS:
        notes.append(f"sizes are used as they are given ({params[0]:g} to {params[-1]:g}): N0 is in the same unit")
    spans = [_span([runs[place] for place in own]) for own in sizes]
    apart = [
        (a, b) for a in range(len(sizes)) for b in range(a + 1, len(sizes))
        if spans[a][1] < spans[b][0] or spans[b][1] < spans[a][0]
    ]  # fmt: skip
    if apart:
        a, b = apart[0]
        more = f", nor do those of {len(apart) - 1} other pairs" if len(apart) > 1 else ""
        notes.append(
            f"the computes of {written(params[a])} ({spans[a][0]:.3g} to {spans[a][1]:.3g}) and {written(params[b])} "
            f"({spans[b][0]:.3g} to {spans[b][1]:.3g}) do not overlap{more}: where they are compared, one of them is "
            "the law beyond its data"
        )
    above = sum(int(np.count_nonzero(run.curve.reward >= run.curve.bounds[1])) for run in runs)
    if above:
        notes.append(f"{above} evaluations stand at or above the upper bound; they count by their distance from it")
    return notes


def _several_recipes(runs: Sequence[Run], sizes: Sequence[Sequence[int]], params: Sequence[float]) -> list[str]:
    """Say where recipes that were run at several sizes are taken together."""
    of: dict[str, set[int]] = {}
    for place, own in enumerate(sizes):
        for run in own:
            of.setdefault(runs[run].recipe, set()).add(place)
    across = [recipe for recipe, places in of.items() if len(places) > 1]
    both = [place for place in range(len(sizes)) if sum(place in of[recipe] for recipe in across) > 1]
    if not both:
        return []
    names = ", ".join(sorted(across)[:3])
    return [
        f"{len(across)} recipes ({names}) are taken together, as at {written(params[both[0]])}: "
        "their differences count as run-to-run spread; fit one alone with --run"
    ]


def _span(runs: Sequence[Run]) -> tuple[float, float]:
    return (
        min(float(run.curve.compute[run.curve.compute > 0.0][0]) for run in runs),
        max(run.curve.compute_last for run in runs),
    )
