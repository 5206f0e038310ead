"""What of a curve can be fitted as one: no isolated spikes, only the current regime; and what has to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve
from rlscale.inference.ahead import Aftermath
from rlscale.inference.frozen import departure
from rlscale.inference.masking import begun, fall_from_peak
from rlscale.inference.posterior import MIN_POINTS
from rlscale.inference.regimes import FIRST, Break, BreakKind, find_break
from rlscale.inference.spikes import hanging, spikes

__all__ = ["Examined", "examine"]

#: Evaluation sets differ where their sizes do by this factor; a shift there needs less evidence and less size.
SET_FACTOR, SET_ALARM, SET_SHARE = 1.5, 0.005, 0.03
#: Evaluations of the new set that are looked at for the shift.
SET_LOOKED = 8
#: Evaluations nearer to the lower bound than this share of the range are on it.
FLOOR_SHARE = 0.02
#: Spikes named in the warning.
NAMED = 5


@dataclass(frozen=True, eq=False)
class Examined:
    """The part of a curve to fit.

    Parameters
    ----------
    curve : Curve
        The part; it may hold too few points to be fitted.
    found : Break, optional
        Where the curve stopped being one curve.
    aftermath : Aftermath, optional
        Where the run stands, if the part ends before the break.
    warnings : tuple of str
        What was left out, and from or up to where the part goes.
    believed : bool
        The break is a fall that the curve alone does not show, believed for the alarms of monitors.
    """

    curve: Curve
    found: Break | None
    warnings: tuple[str, ...]
    aftermath: Aftermath | None = None
    believed: bool = False


def examine(curve: Curve, *, sick_since: float | None = None) -> Examined:
    """Find the part of a curve that a fit can cover.

    Isolated low spikes are left out, and so is a last evaluation that may be one, until the next tells. Up to a lasting
    fall where there is one; else from where the current regime begins, if at least 4 evaluations lie there, without the
    baseline evaluation, which is not of that regime. Falls and jumps are looked for among evaluations of the size of
    the latest ones: those of another ``n_eval`` may be of another set, whose level says nothing about the run.

    Parameters
    ----------
    curve : Curve
    sick_since : float, optional
        Compute since which monitors say that the run is sick, where it has fallen too: if the curve alone does not show
        the fall, it is believed; if it does, the part up to where the fall begins is kept.
    """
    spiked = spikes(curve)
    kept = curve.select(~spiked) if spiked.any() else curve
    said = [_spiked(curve, spiked)] if spiked.any() else []
    same = _same_set(curve)
    if same.all():
        found = find_break(kept, curve)
        if sick_since is not None:
            if found is None and (believed := fall_from_peak(kept)) is not None:
                return replace(_part(kept, believed, said), believed=True)
            found = None if found is None else begun(kept, found, sick_since)
        if found is None and hanging(kept):
            said.append(_hung(kept))
            kept = kept.until(float(kept.compute[-2]))
        return _part(kept, found, said)
    moved = _moved(kept, _same_set(kept))
    said.append(_resized(curve, same))
    found = find_break(kept.select(_same_set(kept)), curve.select(same))
    if found is not None and moved is not None:
        kept = _since(kept, moved.since)
    return _part(kept, found or moved, said)


def _aftermath(curve: Curve, found: Break) -> Aftermath:
    """Return where a run stands after a break: by its last 3 after a fall, 2 on the floor, else the last one."""
    floor = curve.bounds[0] + FLOOR_SHARE * curve.range
    on_floor = curve.open is None and bool(np.all(curve.reward[-2:] < floor))
    latest = 2 if on_floor else 3 if found.kind is BreakKind.FALL else 1
    return Aftermath(now=float(curve.reward[-latest:].mean()), on_floor=on_floor)


def _part(kept: Curve, found: Break | None, said: Sequence[str]) -> Examined:
    """Cut the curve at what was found and say so."""
    if found is None:
        return Examined(kept, None, tuple(said))
    unit = kept.unit
    before = kept.until(found.until)
    if found.kind is BreakKind.FALL:
        end = f"{found.until:.4g} {unit}"
        few = before.n_trained < MIN_POINTS
        told = f"too few points before the fall at {end}: nothing is fitted"
        told = told if few else f"the fit covers the part up to the peak, {end}"
        return Examined(before, found, (*said, told), _aftermath(kept, found))
    start, current = f"{found.since:.4g} {unit}", _since(kept, found.since)
    if current.n_points >= MIN_POINTS:
        told = f"the fit covers the current regime only, {current.n_points} evaluations from {start} on"
        return Examined(current, found, (*said, told))
    told = f"only {current.n_points} evaluations from {start} on: the fit covers the part before"
    return Examined(before, found, (*said, told), _aftermath(kept, found))


def _since(curve: Curve, compute: float) -> Curve:
    """Return the curve from ``compute`` on, without its baseline evaluation."""
    return curve.select((curve.compute >= compute) & (curve.compute > 0.0))


def _same_set(curve: Curve) -> NDArray[np.bool_]:
    """Return which evaluations are of the size of the latest three's middle one, shape (n,); all where unknown."""
    if curve.n_eval is None:
        return np.ones(curve.n_points, dtype=bool)
    unknown = np.isnan(curve.n_eval)
    latest = np.sort(curve.n_eval[~unknown][-3:])
    if not latest.size:
        return unknown
    with np.errstate(invalid="ignore"):
        apart = np.maximum(curve.n_eval / latest[latest.size // 2], latest[latest.size // 2] / curve.n_eval)
    return np.asarray(unknown | (apart < SET_FACTOR))


def _moved(curve: Curve, same: NDArray[np.bool_]) -> Break | None:
    """Find a shift of the level where the evaluation set changed for good."""
    at = int(np.argmax(same))
    if not same[at:].all() or at < FIRST or curve.n_points - at < 2 or curve.n_eval is None:
        return None
    first = curve.until(float(curve.compute[min(at + SET_LOOKED, curve.n_points) - 1]))  # what comes later has causes
    for above in (False, True):
        departed = departure(first, at - 1, above=above)
        if departed.p < SET_ALARM / 2.0 and abs(departed.drop) > SET_SHARE * curve.range:
            moved, now = float(curve.reward[at : at + 3].mean()), float(curve.reward[-3:].mean())
            sizes = float(np.nanmedian(curve.n_eval[:at])), float(np.nanmedian(curve.n_eval[at:]))
            return Break(
                kind=BreakKind.EVALUATION,
                until=float(curve.compute[at - 1]),
                since=float(curve.compute[at]),
                before=departed.level,
                low=moved,
                now=now,
                sizes=sizes,
            )
    return None


def _spiked(curve: Curve, spiked: NDArray[np.bool_]) -> str:
    at = [f"{compute:.4g}" for compute in curve.compute[spiked]]
    more = f" and {len(at) - NAMED} more" if len(at) > NAMED else ""
    told = "isolated low evaluations are" if len(at) > 1 else "an isolated low evaluation is"
    return f"{told} left out of the fit: at {', '.join(at[:NAMED])}{more} {curve.unit}"


def _hung(curve: Curve) -> str:
    return (
        f"the last evaluation, {curve.reward[-1]:.4g} at {curve.compute_last:.4g} {curve.unit}, is far "
        "below those before it: it is left out of the fit until the next one tells a spike from a fall"
    )


def _resized(curve: Curve, same: NDArray[np.bool_]) -> str:
    assert curve.n_eval is not None
    now, others = np.nanmedian(curve.n_eval[same]), np.nanmedian(curve.n_eval[~same])
    return (
        f"the size of the evaluation set changes ({now:g} samples now, {others:g} in {np.count_nonzero(~same)} of "
        f"{curve.n_points} evaluations): levels may differ, and a fall between them is not taken for one of the run"
    )
