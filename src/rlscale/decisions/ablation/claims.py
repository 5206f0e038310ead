"""What is claimed of each knob, all comparisons taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rlscale.decisions.ablation.answer import Effect, Interaction, KnobEffect, Needs, Says, Speed, Trend
from rlscale.decisions.ablation.contrasts import Cells, contrast, covariance
from rlscale.decisions.ablation.design import Comparison, Design, Factor, weights_of
from rlscale.decisions.ablation.estimates import Estimates
from rlscale.decisions.ablation.mixture import Mixture
from rlscale.decisions.ablation.multiplicity import adjusted
from rlscale.decisions.ablation.needs import Shape, needs_of
from rlscale.decisions.ablation.reasons import confounded_reason, reason_of, unstated_reason
from rlscale.decisions.ablation.speed import Draws, SpeedScatter, Tempo, tempo
from rlscale.inference.fit import Fit
from rlscale.inference.forecast import TOLERANCE, Interval

__all__ = [
    "CEILINGS",
    "FAMILYWISE",
    "SPEEDS",
    "Measured",
    "alike",
    "claims",
    "interactions",
    "trends",
    "without_claims",
]

Floats = NDArray[np.float64]

#: Rates of any wrong claim: about ceilings and interactions, about speeds, about either.
CEILINGS, SPEEDS = 0.04, 0.005
FAMILYWISE = CEILINGS + SPEEDS
#: A ceiling is compared once all its recipes have passed their midpoint with this probability, and speed with that one:
#: before the bend a faster run and a higher ceiling look alike.
CEILING_FROM, SPEED_FROM = 0.5, 0.9
#: Ceilings are shared where nothing speaks against it (two-sided, each comparison for itself), and where their
#: difference is known to within this share of the range (half of its 80 % interval).
ALIKE, KNOWN = 0.05, TOLERANCE
#: Knobs whose values span this factor are straight along their logarithm.
_LOG_FROM = 4.0


@dataclass(frozen=True, eq=False)
class Measured:
    """A design, and what the runs say of its cells.

    Parameters
    ----------
    design : Design
    groups : tuple of tuple of int
        Places among ``fits`` of the runs of each cell.
    fits : tuple of Fit
    effect : float
    estimates : Estimates
    ceilings, levels : Cells
    draws : tuple of tuple of Draws
    speeds : SpeedScatter
    """

    design: Design
    groups: tuple[tuple[int, ...], ...]
    fits: tuple[Fit, ...]
    effect: float
    estimates: Estimates
    ceilings: Cells
    levels: Cells
    draws: tuple[tuple[Draws, ...], ...]
    speeds: SpeedScatter

    @cached_property
    def rows(self) -> list[Floats | None]:
        """The contrast of each comparison; None where there is none."""
        return weights_of(self.design, self.ceilings.variance)

    @property
    def comparable(self) -> bool:
        """Whether there is an effect to tell, or knobs that no run of the design tells apart."""
        told = zip(self.design.comparisons, self.rows, strict=True)
        return any(row is not None or each.tangled for each, row in told)

    @cached_property
    def crossed(self) -> list[Floats]:
        """The contrast of each interaction whose four cells have runs."""
        rows = (self.crossing(each) for each in self.design.interactions)
        return [row for row in rows if row is not None]

    def crossing(self, each: tuple[int, int, int, int]) -> Floats | None:
        """Return the contrast of an interaction; None where one of its four cells has no run."""
        f, a, g, b = each
        base = self.design.cells[self.design.baseline].levels
        row = np.zeros(len(self.design.cells))
        for changed, sign in (((), 1.0), (((f, a),), -1.0), (((g, b),), -1.0), (((f, a), (g, b)), 1.0)):
            levels = tuple(dict(changed).get(k, level) for k, level in enumerate(base))
            place = next(c for c, cell in enumerate(self.design.cells) if cell.levels == levels)
            if not self.groups[place]:
                return None
            row[place] = sign
        return row

    def past_midpoint(self, cell: int) -> float:
        """Probability that a recipe has passed its midpoint, on average over its runs; 0 without any."""
        if not self.groups[cell]:
            return 0.0
        return float(self.estimates.past_midpoint[list(self.groups[cell])].mean())

    def past_in(self, row: Floats) -> float:
        """Return the least :meth:`past_midpoint` of the cells of a contrast."""
        return min(self.past_midpoint(int(c)) for c in np.flatnonzero(row))

    def level_of(self, cell: int) -> Mixture | None:
        """Return the ceiling of a recipe; None without a usable run."""
        if not self.groups[cell]:
            return None
        row = np.zeros(len(self.groups))
        row[cell] = 1.0
        return contrast(self.ceilings, row)

    @cached_property
    def ceiling_effects(self) -> tuple[dict[int, Effect], list[Effect]]:
        """Effects on the ceiling by comparison, and those of interactions, adjusted together."""
        places = [k for k, row in enumerate(self.rows) if row is not None]
        rows = [row for row in self.rows if row is not None] + self.crossed
        effects = _effects(self.ceilings, rows)
        return dict(zip(places, effects, strict=False)), effects[len(places) :]

    @cached_property
    def tempos(self) -> dict[int, tuple[Tempo, bool, float]]:
        """Speed by comparison: with whether a ceiling is shared, and the adjusted p-value."""
        tempos: dict[int, tuple[Tempo, bool]] = {}
        for k, row in enumerate(self.rows):
            if row is not None:
                effect = self.ceiling_effects[0][k]
                shared = not resolved(effect, self.past_in(row))
                tempos[k] = tempo(self.draws, self.ceilings, row, self.speeds, self.groups, shared=shared), shared
        if not tempos:
            return {}
        rows = np.array([self.rows[k] for k in tempos])
        total = [np.where(np.isfinite(each.cells.variance), each.cells.variance, 0.0) for each, _ in tempos.values()]
        p = np.array([each.midpoint.p_value for each, _ in tempos.values()])
        freedom = np.array([float(np.min(each.midpoint.freedom)) for each, _ in tempos.values()])
        both = (rows * np.max(total, axis=0)) @ rows.T
        return {k: (*each, float(q)) for (k, each), q in zip(tempos.items(), adjusted(p, both, freedom), strict=True)}


def _effects(cells: Cells, rows: Sequence[Floats]) -> list[Effect]:
    """Return effects, adjusted for one another."""
    if not rows:
        return []
    mixtures = [contrast(cells, row) for row in rows]
    p = np.array([each.p_value for each in mixtures])
    freedom = np.array([float(np.min(each.freedom)) for each in mixtures])
    together = adjusted(p, covariance(cells, np.array(rows)), freedom)
    return [Effect(each.interval, each.p_positive, float(q)) for each, q in zip(mixtures, together, strict=True)]


def resolved(effect: Effect, past: float) -> bool:
    """Whether an effect on the ceiling is claimed."""
    return effect.p_adjusted is not None and effect.p_adjusted <= CEILINGS and past >= CEILING_FROM


def claims(measured: Measured, named: Sequence[str]) -> tuple[KnobEffect, ...]:
    """Return what is said of each knob, those named only where any is, the surest first."""
    effects = []
    for k, comparison in enumerate(measured.design.comparisons):
        factor = measured.design.factors[comparison.factor]
        if not named or set(named) & set(factor.knobs):
            effects.append(_claim(measured, k, comparison, factor))
    effects = [replace(each, reason=f"{each.reason}{_depends(measured, each)}") for each in effects]
    order = list(Says)

    def key(each: KnobEffect) -> tuple[int, float]:
        p = 1.0 if each.ceiling is None or each.ceiling.p_adjusted is None else each.ceiling.p_adjusted
        return order.index(each.together), p

    return tuple(sorted(effects, key=key))


def without_claims(effects: Sequence[KnobEffect], unstated: Sequence[str]) -> tuple[KnobEffect, ...]:
    """Return effects without a claim where the runs compared do not state settings that others do.

    They may differ in those settings, so that no effect can be told apart from theirs.
    """
    if not unstated:
        return tuple(effects)
    reason = unstated_reason(unstated)
    return tuple(
        replace(each, says=Says.CONFOUNDED, together=Says.CONFOUNDED, needs=None, reason=reason) for each in effects
    )


def _depends(measured: Measured, each: KnobEffect) -> str:
    """Say that an effect is a mean over settings of another knob on which it depends."""
    others = [
        crossing.knobs[1 - crossing.knobs.index(each.knob)]
        for crossing in interactions(measured, ())
        if crossing.resolved and each.knob in crossing.knobs
    ]
    return f" It depends on {' and '.join(others)}: this is the mean over its settings." if others else ""


def _claim(measured: Measured, k: int, comparison: Comparison, factor: Factor) -> KnobEffect:
    row, at = measured.rows[k], None
    ceiling, speed, needs, together = None, None, None, Says.UNRESOLVED
    if row is not None:
        ceiling, past = measured.ceiling_effects[0][k], measured.past_in(row)
        own = contrast(measured.levels, row)
        at = Effect(own.interval, own.p_positive)
        speed = _speed(measured, k, past)
        together = _says(ceiling, speed, past, measured.fits[0].run.curve.range)
        needs = _needs(measured, row) if together is Says.UNRESOLVED else None
    tangled = tuple(measured.design.factors[f].name for f in comparison.tangled)
    confounded = bool(tangled) or len(factor.knobs) > 1
    runs = _runs(measured, comparison, row)
    if confounded:
        reason = confounded_reason(factor, tangled, together, ceiling)
    else:
        reason = reason_of(together, ceiling, speed, needs, runs, measured, row)
    return KnobEffect(
        knob=factor.name,
        knobs=factor.knobs,
        start=factor.value(comparison.start),
        end=factor.value(comparison.end),
        runs=runs,
        ceiling=ceiling,
        at=at,
        speed=speed,
        says=Says.CONFOUNDED if confounded else together,
        together=Says.CONFOUNDED if tangled else together,
        reason=reason,
        needs=needs,
    )


def _runs(measured: Measured, comparison: Comparison, row: Floats | None) -> tuple[int, int]:
    """Return the runs at either level: those that the contrast uses, where there is one."""

    def count(level: int) -> int:
        return sum(
            len(own)
            for c, (cell, own) in enumerate(zip(measured.design.cells, measured.groups, strict=True))
            if cell.levels[comparison.factor] == level and (row is None or row[c] != 0.0)
        )

    return count(comparison.start), count(comparison.end)


def _speed(measured: Measured, k: int, past: float) -> Speed | None:
    if k not in measured.tempos:
        return None
    pace, shared, p = measured.tempos[k]
    return Speed(
        factor=_exp(pace.midpoint.interval),
        p_faster=pace.midpoint.p_positive,
        p_adjusted=p,
        exponent=_exp(pace.exponent.interval),
        shared=shared,
        past_midpoint=past,
    )


def _exp(interval: Interval) -> Interval:
    return Interval(*(float(np.exp(np.clip(v, -50.0, 50.0))) for v in (interval.q10, interval.q50, interval.q90)))


def _says(ceiling: Effect, speed: Speed | None, past: float, width: float) -> Says:
    if resolved(ceiling, past):
        return Says.RAISES_CEILING if ceiling.p_positive > 0.5 else Says.LOWERS_CEILING
    if speed is not None and speed.p_adjusted <= SPEEDS and past >= SPEED_FROM and alike(ceiling, width):
        return Says.FASTER if speed.p_faster > 0.5 else Says.SLOWER
    return Says.UNRESOLVED


def alike(ceiling: Effect, width: float) -> bool:
    """Whether two ceilings may be shared: nothing speaks against it, and their difference is known well enough."""
    p = 2.0 * min(ceiling.p_positive, 1.0 - ceiling.p_positive)
    return p > ALIKE and 0.5 * ceiling.effect.width <= KNOWN * width


def _needs(measured: Measured, row: Floats) -> Needs:
    cells, estimates = measured.ceilings, measured.estimates
    used = [run for c in np.flatnonzero(row) for run in measured.groups[int(c)]]
    sd = np.sqrt(estimates.weight @ estimates.variance[:, :, 0])
    least = max(used, key=lambda run: float(sd[run]))
    draws = measured.draws[int(np.argmax(estimates.weight))][least]
    midpoint, exponent = np.exp(draws.moments()[:, 0]).tolist()
    last = measured.fits[least].run.curve.compute_last
    many = max(sum(each is not None for each in measured.rows) + len(measured.crossed), 1)
    fit = float(np.sqrt(np.mean(sd[used] ** 2)))
    return needs_of(measured.effect, cells.scatter.sd, fit, CEILINGS / many, Shape(last, midpoint, exponent))


def trends(measured: Measured, named: Sequence[str]) -> tuple[Trend, ...]:
    """Return the straight line through the levels of each numeric knob that has three or more."""
    lines = []
    for f, factor in enumerate(measured.design.factors):
        wanted = not named or set(named) & set(factor.knobs)
        if factor.numbers is not None and len(factor.numbers) > 2 and wanted:
            trend = _trend(measured, f, factor.numbers)
            lines += [] if trend is None else [trend]
    return tuple(lines)


def _trend(measured: Measured, f: int, numbers: tuple[float, ...]) -> Trend | None:
    by_level = {
        each.end: row for each, row in zip(measured.design.comparisons, measured.rows, strict=True) if each.factor == f
    }
    if any(row is None for row in by_level.values()):
        return None
    log = min(numbers) > 0.0 and max(numbers) / min(numbers) >= _LOG_FROM
    place = np.log(numbers) if log else np.array(numbers)
    centred = place - place.mean()
    rows = np.array([by_level.get(level, np.zeros(len(measured.groups))) for level in range(len(numbers))], dtype=float)
    row = (place.max() - place.min()) * (centred @ rows) / float(centred @ centred)
    own = contrast(measured.ceilings, row)
    levels = [contrast(measured.ceilings, each).centre if each.any() else 0.0 for each in rows]
    steps = np.diff(np.array(levels)[np.argsort(place)])
    return Trend(
        knob=measured.design.factors[f].name,
        low=min(numbers),
        high=max(numbers),
        scale="log" if log else "linear",
        effect=Effect(own.interval, own.p_positive),
        monotone=bool(np.all(steps >= 0.0) or np.all(steps <= 0.0)),
    )


def interactions(measured: Measured, named: Sequence[str]) -> tuple[Interaction, ...]:
    """Return the interactions that the design has."""
    crossings, effects = [], iter(measured.ceiling_effects[1])
    for each in measured.design.interactions:
        row = measured.crossing(each)
        if row is None:
            continue
        effect, (f, a, g, b) = next(effects), each
        pair = measured.design.factors[f], measured.design.factors[g]
        if named and not set(named) & {*pair[0].knobs, *pair[1].knobs}:
            continue
        crossings.append(
            Interaction(
                knobs=(pair[0].name, pair[1].name),
                values=(pair[0].value(a), pair[1].value(b)),
                effect=effect,
                resolved=resolved(effect, measured.past_in(row)),
            )
        )
    return tuple(crossings)
