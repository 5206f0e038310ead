"""One class of difficulty: envelope, law, optimum at the budget and its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.contender import middle_verdict
from rlscale.decisions.rollouts.answer import ClassRollouts, LawConstants, Optimum, Record, TriedN, interval_of
from rlscale.decisions.rollouts.budget import Allocation, allocation
from rlscale.decisions.rollouts.envelope import Piece, envelope, record_breaking
from rlscale.decisions.rollouts.law import Law, law_of
from rlscale.decisions.rollouts.levels import BROKEN, Levels, broke_at, levels_of
from rlscale.decisions.rollouts.optimum import optima
from rlscale.decisions.rollouts.training import TrainingContrast, contrast
from rlscale.decisions.rollouts.tried import Group
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import Interval
from rlscale.inference.verdict import VerdictName

__all__ = ["Request", "class_rollouts"]

Floats = NDArray[np.float64]

#: Fewest numbers of rollouts that show how the best one moves with compute.
ENOUGH = 3
#: No optimum is given beyond so many times what was evaluated: the range that forecasts were measured on.
REACH = 4.0
#: Computes of the grid, and width of a bin of records as a share of the range.
_GRID, _BIN = 64, 0.01
#: A saturation is given from this probability on that the rise is over.
_LIKELY = 0.5
_UNRANKED = (VerdictName.NO_LEARNING, VerdictName.TOO_FEW_POINTS)


@dataclass(frozen=True)
class Request:
    """What a class is to answer: the budget and the limits of its split, each None where not given."""

    budget: float | None = None
    problems: int | None = None
    batch_max: int | None = None


def class_rollouts(group: Group, fits: Mapping[int, Sequence[Fit]], tau: float, request: Request) -> ClassRollouts:
    """Answer for one class.

    Parameters
    ----------
    group : Group
    fits : mapping of int to sequence of Fit
        Of all its runs, by rollouts per prompt.
    tau : float
        Run-to-run sd as a share of the range.
    request : Request
    """
    sound = {n: [fit for fit in several if fit.posterior is not None] for n, several in fits.items()}
    sound = {n: several for n, several in sound.items() if several}
    notes = (*group.notes, *_several(fits), *_doubtful(fits))
    supported = _supported(sound)
    if supported is None:
        return _without(group, fits, notes, _why_nothing(fits, sound))
    at = supported[1] if request.budget is None else float(np.clip(request.budget, *supported))
    levels = levels_of(sound, _computes(sound, (*supported, at)), tau)
    gained = any(fit.verdict.name not in _UNRANKED for several in sound.values() for fit in several)
    law = _law(levels, supported) if gained and len(sound) >= ENOUGH else None
    n_star, why = _optimum(law, sound, supported, request.budget)
    saturation, p_saturated, why_open = _saturation(law, sound, supported)
    split, why_split = _split(n_star, group, request, why)
    reasons = {"n_star": why, "saturation": why_open or (why if law is None else ""), "allocation": why_split}
    training = contrast(levels, group.runs, tau)
    return ClassRollouts(
        name=group.name,
        tried=_tried(fits, levels, at),
        envelope=envelope(levels) if gained else (),
        records=_records(sound) if gained else (),
        supported=supported,
        compared_at=at,
        path=() if law is None else _path(law, levels.compute, supported),
        n_star=n_star,
        saturation=saturation,
        p_saturated=p_saturated,
        law=None if law is None else _constants(law),
        reasons={name: reason for name, reason in reasons.items() if reason},
        training=training,
        allocation=split,
        notes=(*notes, *_beyond(saturation, sound), *_on_training(training)),
    )


def _law(levels: Levels, supported: tuple[float, float]) -> Law:
    """Return the law of the best number of rollouts, from the levels within the support."""
    inside = (levels.compute >= supported[0]) & (levels.compute <= supported[1])
    drawn = optima(levels)[:, inside]
    return law_of(drawn, levels.compute[inside], (float(levels.n[0]), float(levels.n[-1])))


def _supported(fits: Mapping[int, Sequence[Fit]]) -> tuple[float, float] | None:
    """Return the computes between which at least two numbers of rollouts were evaluated and had not broken off."""
    if len(fits) < 2:
        return None
    first = sorted(min(_first(fit) for fit in several) for several in fits.values())
    last = sorted((_until(several) for several in fits.values()), reverse=True)
    return (first[1], last[1]) if first[1] < last[1] else None


def _until(fits: Sequence[Fit]) -> float:
    """Return the compute to which one number of rollouts was evaluated and had not broken off."""
    return min(max(fit.run.curve.compute_last for fit in fits), broke_at(fits))


def _computes(fits: Mapping[int, Sequence[Fit]], marks: Sequence[float]) -> Floats:
    curves = [fit.run.curve for several in fits.values() for fit in several]
    first = min(_first(fit) for several in fits.values() for fit in several)
    grid = np.geomspace(first, max(curve.compute_last for curve in curves), _GRID)
    return np.union1d(grid, marks)


def _tried(fits: Mapping[int, Sequence[Fit]], levels: Levels | None, at: float | None) -> tuple[TriedN, ...]:
    rewards: dict[int, Interval] = {}
    best: dict[int, float] = {}
    until: dict[int, float] = {}
    if levels is not None and at is not None:
        draws = levels.reward[:, :, int(np.argmin(np.abs(levels.compute - at)))]
        sound = np.where(levels.broke_at[:, None] < at, -np.inf, draws)
        highest = np.bincount(np.argmax(sound, axis=0), minlength=levels.n.size) / draws.shape[1]
        until = {int(n): float(end) for n, end in zip(levels.n, levels.broke_at, strict=True) if np.isfinite(end)}
        for place, n in enumerate(levels.n.astype(int).tolist()):
            rewards[n], best[n] = interval_of(draws[place]), float(highest[place])
    return tuple(
        TriedN(
            n=n,
            runs=tuple(fit.run.name for fit in several),
            recipes=tuple(dict.fromkeys(fit.run.recipe for fit in several)),
            verdict=middle_verdict([fit.verdict for fit in several]),
            first=min(_first(fit) for fit in several),
            last=max(fit.run.curve.compute_last for fit in several),
            reward=rewards.get(n),
            p_best=best.get(n),
            broke_at=until.get(n),
        )
        for n, several in fits.items()
    )


def _first(fit: Fit) -> float:
    """Return the first compute above 0 that was evaluated; 0 where there is none."""
    compute = fit.run.curve.compute
    return float(compute[min(int(np.searchsorted(compute, 0.0, side="right")), compute.size - 1)])


def _records(fits: Mapping[int, Sequence[Fit]]) -> tuple[Record, ...]:
    points = [
        Record(float(compute), float(reward), n, fit.run.name)
        for n, several in fits.items()
        for fit in several
        for compute, reward in zip(fit.run.curve.compute, fit.run.curve.reward, strict=True)
        if compute > 0.0
    ]
    width = _BIN * next(iter(fits.values()))[0].run.curve.range
    kept = record_breaking([point.compute for point in points], [point.reward for point in points], width)
    return tuple(points[place] for place in kept)


def _path(law: Law, compute: Floats, supported: tuple[float, float]) -> tuple[Optimum, ...]:
    inside = compute[(compute >= supported[0]) & (compute <= supported[1])]
    drawn = np.exp(law.log_n(inside))
    return tuple(Optimum(float(c), interval_of(drawn[:, k]), "supported") for k, c in enumerate(inside))


def _optimum(
    law: Law | None, fits: Mapping[int, Sequence[Fit]], supported: tuple[float, float], budget: float | None
) -> tuple[Optimum | None, str]:
    """Return ``n*`` at the budget, or why there is none."""
    if all(fit.verdict.name in _UNRANKED for several in fits.values() for fit in several):
        return None, "no run shows a gain, so none shows which number of rollouts is better"
    if law is None:
        return (
            None,
            f"{len(fits)} numbers of rollouts show which is better, and {ENOUGH} are needed for how the best moves",
        )
    at, (low, high), unit = supported[1] if budget is None else budget, supported, _unit(fits)
    if at < low:
        return (
            None,
            f"the budget {at:.4g} {unit} lies below the compute from which two numbers were evaluated, {low:.4g}",
        )
    if at > REACH * high:
        return None, f"the budget {at:.4g} {unit} lies beyond {REACH:g} times what was evaluated, {high:.4g}"
    n = interval_of(np.exp(law.log_n(np.array([at]))[:, 0]))
    return Optimum(at, n, "supported" if at <= high else "extrapolated"), ""


def _saturation(
    law: Law | None, fits: Mapping[int, Sequence[Fit]], supported: tuple[float, float]
) -> tuple[Interval | None, float | None, str]:
    """Return where ``n*`` ends and the probability that its rise is over, or why it is not known."""
    if law is None:
        return None, None, ""
    p = float(law.saturated.mean())
    if p >= _LIKELY:
        return interval_of(np.exp(law.high)), p, ""
    rising = float(np.exp(np.median(law.log_n(np.array([supported[1]])))))
    largest = max(fits)
    advice = f"try more than {largest}" if rising > 0.7 * largest else "run on"
    chance = f"probability {p:.0%}".replace("%", " %")
    by = f"{supported[1]:.4g} {_unit(fits)}"
    return None, p, f"that n* has stopped rising by {by} has {chance}; {advice} to see where it ends"


def _unit(fits: Mapping[int, Sequence[Fit]]) -> str:
    return next(iter(fits.values()))[0].run.curve.unit


def _beyond(saturation: Interval | None, fits: Mapping[int, Sequence[Fit]]) -> tuple[str, ...]:
    """Say where the interval of the saturation leaves what was tried."""
    largest = max(fits)
    if saturation is None or saturation.q90 <= largest:
        return ()
    return (f"the interval of the saturation reaches beyond {largest}, the largest number tried",)


def _constants(law: Law) -> LawConstants:
    return LawConstants(
        interval_of(np.exp(law.low)),
        interval_of(np.exp(law.high)),
        interval_of(law.slope),
        interval_of(np.exp(law.middle)),
    )


def _split(n_star: Optimum | None, group: Group, request: Request, why: str) -> tuple[Allocation | None, str]:
    if request.budget is None:
        return None, "no budget was given"
    if n_star is None:
        return None, why
    division = allocation(n_star.n, request.budget, group.runs, problems=request.problems, batch_max=request.batch_max)
    return (None, division) if isinstance(division, str) else (division, "")


def _without(group: Group, fits: Mapping[int, Sequence[Fit]], notes: tuple[str, ...], why: str) -> ClassRollouts:
    """Return the answer of a class whose runs show nothing of the number of rollouts."""
    empty: tuple[Piece, ...] = ()
    return ClassRollouts(
        name=group.name, tried=_tried(fits, None, None), envelope=empty, records=(), supported=None, compared_at=None,
        path=(), n_star=None, saturation=None, p_saturated=None, law=None,
        reasons=dict.fromkeys(("n_star", "saturation", "allocation"), why), training=None, allocation=None,
        notes=notes,
    )  # fmt: skip


def _why_nothing(fits: Mapping[int, Sequence[Fit]], sound: Mapping[int, Sequence[Fit]]) -> str:
    if len(fits) == 1:
        n = next(iter(fits))
        return (
            f"all runs have {n} rollouts per prompt: there is nothing to compare; run the same with {2 * n} and {4 * n}"
        )
    if len(sound) < 2:
        return f"{len(sound)} of {len(fits)} numbers of rollouts could be fitted: there is nothing to compare"
    return "runs at different numbers of rollouts were evaluated at no common compute: let the short ones run on"


def _several(fits: Mapping[int, Sequence[Fit]]) -> tuple[str, ...]:
    """Say where several recipes share a number of rollouts."""
    shared = [str(n) for n, several in fits.items() if len({fit.run.recipe for fit in several}) > 1]
    if not shared:
        return ()
    return (f"several recipes have {', '.join(shared)} rollouts per prompt: at each compute the best of them counts",)


def _doubtful(fits: Mapping[int, Sequence[Fit]]) -> tuple[str, ...]:
    notes = []
    for verdicts, what in (
        (
            BROKEN,
            "broke off (collapsed or changed regime): what it reached before counts, and chance may have broken it",
        ),
        (_UNRANKED, "shows no gain: it counts as a curve that stays where it is"),
    ):
        names = [
            fit.run.name
            for several in fits.values()
            for fit in several
            if fit.verdict.name in verdicts and fit.posterior is not None
        ]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            each = "each " if len(names) > 1 else ""
            notes.append(f"{', '.join(names[:3])}{more}: {each}{what}")
    return tuple(notes)


def _on_training(training: TrainingContrast | None) -> tuple[str, ...]:
    if training is None or not training.opposed:
        return ()
    return (
        f"training reward and validation rank the rollouts oppositely at {training.compute:.4g}: best by training "
        f"{training.best_by_training}, by validation {training.best_by_validation}; choose by validation",
    )
