"""Which knob moved the ceiling, and which only the speed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.decisions.ablation.answer import Ablation, Recipe, Spread
from rlscale.decisions.ablation.claims import (
    CEILINGS,
    FAMILYWISE,
    SPEEDS,
    Measured,
    claims,
    interactions,
    trends,
    without_claims,
)
from rlscale.decisions.ablation.contrasts import Cells, ceilings
from rlscale.decisions.ablation.design import Design, design_of
from rlscale.decisions.ablation.estimates import CEILING, LEVEL, estimates_of, scattered
from rlscale.decisions.ablation.recipes import told_apart
from rlscale.decisions.ablation.settings import Knobs, knobs_of
from rlscale.decisions.ablation.speed import draws_of, speed_scatter
from rlscale.decisions.runs import check_seed_sd, on_one_axis
from rlscale.errors import InputError
from rlscale.inference.entry import fits_of
from rlscale.inference.fit import Fit, FitOptions
from rlscale.inference.forecast import Interval
from rlscale.inference.verdict import VerdictName
from rlscale.keywords import checked_keywords
from rlscale.left_out import LeftOut, lacked

__all__ = ["ablate"]

Floats = NDArray[np.float64]

#: Run-to-run sd of ceilings, as a share of the range, and of ``ln C_mid`` and ``ln B``; and what each weighs against
#: replicates, in degrees of freedom: less than for forecasts, since a test is decided by its replicates. Between the
#: published .015 and the .03 of small projects; chosen among six on simulated ablations (``benchmarks/ablation.py``).
CEILING_PRIOR, SPEED_PRIOR = (0.02, 0.5), (0.1, 1.0)
#: The effect that ``needs`` is of, by default.
EFFECT = 0.03
#: Verdicts of runs whose ceiling says nothing of their recipe.
_FAILED = {
    VerdictName.TOO_FEW_POINTS: "has too few evaluations to fit",
    VerdictName.COLLAPSED: "collapsed",
    VerdictName.REGIME_CHANGE: "changed regime",
    VerdictName.NO_LEARNING: "shows no learning",
}
METHOD = (
    f"two-sided, step-down min-p over all comparisons, with what they share (Westfall and Young; Hothorn, Bretz and "
    f"Westfall): ceilings and interactions together at {100 * CEILINGS:g} %, speeds at {100 * SPEEDS:g} %, so that "
    f"any wrong claim at all has at most {100 * FAMILYWISE:g} %"
)


@checked_keywords
def ablate(
    runs: Iterable[Fit | Run | Curve],
    *,
    knob: str | Sequence[str] = (),
    baseline: str | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    effect: float = EFFECT,
    target: float | None = None,
    seed_sd: float | None = None,
    options: FitOptions | None = None,
) -> Ablation:
    """Say which setting moved the ceiling of runs, and which only their speed.

    The level of run ``i`` in cell ``c`` (runs with equal settings) is ``x_i ~ N(mu_c, tau^2 + v_i)``, ``v_i`` what its
    fit leaves open under a shape of curve that all runs share. Effects are differences of ``mu``, by least squares on
    an additive model of the knobs.

    Parameters
    ----------
    runs : iterable of Run, or of Fit
        With one unit, one metric and its range. Settings are those of ``Run.settings``, and the columns of a table.
    knob : str or sequence of str
        Report these settings only; others that differ are still accounted for.
    baseline : str, optional
        A run or a recipe to compare with; by default the settings that differ in one knob from most others.
    settings : mapping, optional
        Settings by the name of a run or a recipe: ``{"base": {"learning_rate": 3e-4}}``.
    effect : float
        What ``needs`` is of, in reward.
    target : float, optional
        The common compute of the reward, in the runs' unit; by default the smallest last compute.
    seed_sd : float, optional
        Run-to-run sd of ceilings as a share of the range; learned from replicates by default.
    options : FitOptions, optional

    Raises
    ------
    InputError
        One run, no setting that differs or that two runs state, no two settings whose runs have a ceiling, a knob or a
        baseline that there is not, mixed units, metrics or bounds.

    Notes
    -----
    Speed follows ScaleRL (arXiv 2510.13786, A.5): where ceilings cannot be told apart they are shared, and ``C_mid``
    and ``B`` are compared. Several comparisons: P. H. Westfall, S. S. Young, Resampling-Based Multiple Testing, 1993.

    Examples
    --------
    >>> import rlscale
    >>> found = rlscale.ablate(rlscale.read("bundled", unit="steps"))
    >>> [(each.knob, each.end, each.says.value) for each in found.knobs][0]
    ('max_response_length', '10', 'raises_ceiling')
    """
    left_out = lacked(runs)
    fitted = fits_of(runs, "ablate", options)
    own = [fit.run for fit in fitted]
    _check(own, effect, target, seed_sd)
    named = (knob,) if isinstance(knob, str) else tuple(knob)
    knobs = told_apart(own, knobs_of(own, settings or {}, named), baseline)
    lost = tuple(_lost(fitted[k].run, why) for k, why in knobs.lacking)
    ablation = _ablation([fitted[k] for k in knobs.kept], knobs, baseline, effect, target, seed_sd)
    return replace(ablation, fits=tuple(fitted[k] for k in knobs.kept), left_out=(*left_out, *lost))


def _check(runs: Sequence[Run], effect: float, target: float | None, seed_sd: float | None) -> None:
    on_one_axis(runs, "compare", ("unit", "clock", "metric", "frame"))
    check_seed_sd(seed_sd)
    if len(runs) < 2:
        raise InputError("one run: an ablation compares runs that differ in a setting; give at least two")
    if not 0.0 < effect < np.inf:
        raise InputError(f"--effect {effect:g} is not a difference of rewards above 0; give one, such as .03")
    curve = runs[0].curve
    if curve.open is None and effect > curve.range:
        low, high = curve.frame
        raise InputError(
            f"--effect {effect:g} is more than the whole range of {curve.metric}, {low:g} to {high:g}; give a "
            "difference of rewards inside it, such as .03"
        )
    if target is not None and not 0.0 < target < np.inf:
        raise InputError(f"--target {target:g} is not a compute above 0; give one in {curve.unit}")


def _lost(run: Run, why: str) -> LeftOut:
    path = "" if run.source is None else run.source.path
    return LeftOut(run.name, path, why, True)


@dataclass(frozen=True, eq=False)
class _Usable:
    """Runs whose ceilings count, the groups of them that the cells of a design are, and what is said of the others."""

    fits: tuple[Fit, ...]
    groups: tuple[tuple[int, ...], ...]
    wrong: Mapping[str, Sequence[str]]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of each run that does not count."""
        return tuple(
            f"{name} {what}: it does not count for a ceiling" for what, names in self.wrong.items() for name in names
        )


def _usable(fits: Sequence[Fit], design: Design) -> _Usable:
    sound = [k for k, fit in enumerate(fits) if fit.posterior is not None and fit.verdict.name not in _FAILED]
    place = {k: n for n, k in enumerate(sound)}
    wrong: dict[str, list[str]] = {}
    for k, fit in enumerate(fits):
        if k not in place:
            wrong.setdefault(_FAILED.get(fit.verdict.name, "could not be fitted"), []).append(fit.run.name)
    groups = tuple(tuple(place[k] for k in cell.runs if k in place) for cell in design.cells)
    return _Usable(tuple(fits[k] for k in sound), groups, wrong)


def _few_settings(usable: _Usable) -> str:
    what = "only runs of equal settings have" if usable.fits else "no run has"
    return f"{what} a ceiling that counts; {_listed(usable.wrong)}"


def _listed(wrong: Mapping[str, Sequence[str]], most: int = 6) -> str:
    """Return what is wrong with runs, and what to do."""
    parts = []
    for what, names in wrong.items():
        more = f" and {len(names) - most} more" if len(names) > most else ""
        verb = what if len(names) == 1 else what.replace("has ", "have ", 1).replace("shows ", "show ", 1)
        parts.append(f"{', '.join(names[:most])}{more} {verb}")
    return f"{'; '.join(parts)}. Give longer or other runs; rlscale fit says more of each"


def _ablation(
    fits: Sequence[Fit],
    knobs: Knobs,
    baseline: str | None,
    effect: float,
    target: float | None,
    seed_sd: float | None,
) -> Ablation:
    runs = [fit.run for fit in fits]
    design = design_of(runs, knobs.knobs, baseline)
    usable = _usable(fits, design)
    if sum(map(bool, usable.groups)) < 2:
        raise InputError(f"nothing can be compared: {_few_settings(usable)}")
    curve = runs[0].curve
    at = target if target is not None else min(run.curve.compute_last for run in runs)
    measured = _measured(design, usable, at, seed_sd, effect)
    if not measured.comparable:
        raise InputError(
            f"nothing can be compared with the baseline, {design.cells[design.baseline].label} (--baseline), in the "
            f"runs whose ceiling counts; {_listed(usable.wrong)}",
            parameter="baseline",
        )
    effects = without_claims(claims(measured, knobs.named), knobs.unstated)
    crossed = interactions(measured, knobs.named)
    return Ablation(
        baseline=design.cells[design.baseline].label,
        design=design.kind,
        tau=_spread(measured, seed_sd, curve.range),
        knobs=effects,
        confounded=_confounded(design),
        trends=trends(measured, knobs.named),
        interactions=tuple(replace(each, resolved=each.resolved and not knobs.unstated) for each in crossed),
        unstated=knobs.unstated,
        recipes=_recipes(measured, fits),
        at=at,
        unit=curve.unit,
        metric=curve.metric,
        bounds=curve.frame if curve.open is None else curve.bounds,
        effect=effect,
        shapes=tuple(zip(measured.estimates.families, measured.estimates.weight.tolist(), strict=True)),
        method=METHOD,
        notes=(*usable.notes, *design.notes, *knobs.notes, *_limits(measured, seed_sd)),
    )  # fmt: skip


def _measured(design: Design, usable: _Usable, at: float, seed_sd: float | None, effect: float) -> Measured:
    """Fit nothing more: put together what the fits say of each cell."""
    posteriors = [fit.posterior for fit in usable.fits if fit.posterior is not None]
    estimates = estimates_of(posteriors, at, usable.groups)
    width = posteriors[0].curve.range
    prior = CEILING_PRIOR[0] * width, CEILING_PRIOR[1]
    stated = None if seed_sd is None else seed_sd * width
    both: list[Cells] = []
    for column in (CEILING, LEVEL):
        spread = scattered(*estimates.averaged(column), usable.groups, prior, stated)
        both.append(ceilings(estimates, column, spread, usable.groups, ahead=column == CEILING))
    draws = draws_of(estimates)
    return Measured(
        design=design,
        groups=usable.groups,
        fits=usable.fits,
        effect=effect,
        estimates=estimates,
        ceilings=both[CEILING],
        levels=both[LEVEL],
        draws=draws,
        speeds=speed_scatter(estimates.weight, draws, usable.groups, SPEED_PRIOR),
    )


def _spread(measured: Measured, seed_sd: float | None, width: float) -> Spread:
    own = measured.ceilings.scatter
    source = "given" if seed_sd is not None else "replicates" if own.replicates else "default"
    return Spread(own.sd / width, source, own.freedom, own.replicates, measured.speeds.midpoint.sd)


def _confounded(design: Design) -> tuple[tuple[str, ...], ...]:
    """Return groups of knobs that cannot be told apart."""
    groups = [frozenset(factor.knobs) for factor in design.factors if len(factor.knobs) > 1]
    for comparison in design.comparisons:
        if comparison.tangled:
            factors = (comparison.factor, *comparison.tangled)
            groups.append(frozenset(name for f in factors for name in design.factors[f].knobs))
    whole = [group for group in dict.fromkeys(groups) if not any(group < other for other in groups)]
    return tuple(tuple(sorted(group)) for group in whole)


def _recipes(measured: Measured, fits: Sequence[Fit]) -> tuple[Recipe, ...]:
    design = measured.design
    order = sorted(range(len(design.cells)), key=lambda c: (c != design.baseline, c))
    return tuple(
        Recipe(
            label=design.cells[c].label,
            settings=tuple(
                pair
                for factor, level in zip(design.factors, design.cells[c].levels, strict=True)
                for pair in zip(factor.knobs, factor.levels[level], strict=True)
            ),
            runs=tuple(fits[k].run.name for k in design.cells[c].runs),
            used=tuple(measured.fits[k].run.name for k in measured.groups[c]),
            ceiling=_ceiling(measured, c),
            p_past_midpoint=measured.past_midpoint(c),
        )
        for c in order
    )


def _ceiling(measured: Measured, cell: int) -> Interval | None:
    level = measured.level_of(cell)
    if level is None:
        return None
    low, high = measured.fits[measured.groups[cell][0]].run.curve.bounds
    around = level.interval
    return Interval(*(float(np.clip(value, low, high)) for value in (around.q10, around.q50, around.q90)))


def _limits(measured: Measured, seed_sd: float | None) -> tuple[str, ...]:
    """Say what the effects rest on."""
    notes = []
    if seed_sd is None and measured.ceilings.scatter.replicates == 0:
        notes.append(
            f"every setting has one run: the run-to-run sd is assumed, {CEILING_PRIOR[0]:g} of the range, and little "
            "is known of it; two or more seeds of the baseline, or --seed-sd, make effects sharper"
        )
    if seed_sd == 0.0:
        notes.append("run-to-run sd 0: these are claims about these runs, not about their settings")
    if measured.design.kind.value == "unbalanced":
        notes.append("settings were not tried one by one: effects are those of a model in which they add up")
    return tuple(notes)
