"""What people call: one run, one curve, many of them, or two arrays, to fits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves import Curve, OpenBounds, Run, assumed
from rlscale.errors import InputError
from rlscale.inference.fit import Fit, fits
from rlscale.inference.fit_options import FitOptions
from rlscale.keywords import checked_keywords
from rlscale.left_out import Listing, lacked

__all__ = ["fit", "fits_of", "runs_of"]

Targets = Sequence[float] | float
Bounds = tuple[float, float] | Literal["open"]

#: What a run is called that was given as a bare curve.
_NAMELESS = "run"


@overload
def fit(
    runs: Run | Curve, second: Targets = ..., /, options: FitOptions | None = ..., *, targets: Targets = ...
) -> Fit:
    pass


@overload
def fit(
    runs: Iterable[Run | Curve], second: Targets = ..., /, options: FitOptions | None = ..., *, targets: Targets = ...
) -> Listing[Fit]:
    pass


@overload
def fit(
    compute: ArrayLike, reward: ArrayLike, /, options: FitOptions | None = ..., *, targets: Targets = ...,
    unit: str = ..., metric: str = ..., bounds: Bounds | None = ...,
) -> Fit:  # fmt: skip
    pass


@checked_keywords
def fit(
    runs: Any,
    second: Any = (),
    /,
    options: FitOptions | None = None,
    *,
    targets: Targets = (),
    unit: str | None = None,
    metric: str | None = None,
    bounds: Bounds | None = None,
) -> Fit | Listing[Fit]:
    """Fit one run, many runs, or two arrays: ``fit(run)``, ``fit(runs)``, ``fit(compute, reward, unit="gpu-hours")``.

    Parameters
    ----------
    runs : Run, Curve, sequence of them, or array, shape (n,)
        Of many the answer is a list, which knows what reading left out. A bare curve is fitted as a run called
        ``run``. An array is the cumulative compute of each evaluation.
    second : array, shape (n,), or targets
        With an array of computes: the reward at each; else the targets.
    options : FitOptions, optional
    targets : float or sequence of float
        Computes to forecast at, in the curve's unit; ``inf`` asks for the asymptote. The verdict speaks of the largest;
        without targets it speaks of the asymptote and the forecasts are at 2 and 4 times the last compute.
    unit, metric : str, optional
        Of two arrays: the unit of compute, ``steps`` by default, and the name of the reward.
    bounds : (float, float) or "open", optional
        Of two arrays: lowest and highest reward possible; by default [0, 1] where all rewards lie in it, else open.

    Returns
    -------
    Fit or list of Fit

    Raises
    ------
    InputError
        A target that is not above 0; what is no run, or none at all; a keyword that there is not.
    CurveError
        Arrays that are no curve.

    Examples
    --------
    >>> import rlscale
    >>> one = rlscale.fit([0, 10, 20, 40, 80, 160], [0.1, 0.16, 0.3, 0.47, 0.6, 0.66], unit="gpu-hours")
    >>> one.verdict.name.value
    'bending'
    >>> [fit.run.name for fit in rlscale.fit(rlscale.read("bundled", run="long10/*"))]
    ['long10/seed0', 'long10/seed1']
    """
    compute = _numbers(runs)
    if compute is not None:
        reward = _numbers(second)
        if reward is None:
            raise InputError("fit() of an array of computes needs the rewards too; give fit(compute, reward, unit=...)")
        return next(fits((_curve(compute, reward, unit, metric, bounds),), targets, options))
    for name, value in (("unit", unit), ("metric", metric), ("bounds", bounds)):
        if value is not None:
            raise InputError(f"{name} is of two arrays, fit(compute, reward); runs have it, give it to rlscale.read()")
    wanted = targets if np.size(second) == 0 else second
    found = fits(runs_of(runs, "fit"), wanted, options)
    return next(found) if isinstance(runs, Run | Curve) else Listing(found, lacked(runs))


def runs_of(given: Any, verb: str) -> list[Run]:
    """Return runs, given as such, as curves, as fits, or as what reading returned; one or many.

    Parameters
    ----------
    given : Run, Curve, Fit, Reading, or iterable of them
    verb : str
        The function that was called, for errors.

    Raises
    ------
    InputError
        A path or a table that was not read, no runs, or something else.
    """
    if isinstance(given, Run | Curve | Fit):
        return [_run(given, verb)]
    if isinstance(given, str | os.PathLike):
        path = repr(str(given))
        raise InputError(
            f"{verb}() takes runs, and {path} is a path; read it first: rlscale.{verb}(rlscale.read({path}))"
        )
    several = getattr(given, "runs", given)
    if hasattr(several, "columns") or not isinstance(several, Iterable):
        what = f"{verb}() takes runs, not {type(given).__name__}"
        raise InputError(f"{what}; rlscale.read() makes runs of logs and tables")
    runs = [_run(one, verb) for one in several]
    if not runs:
        raise InputError(f"nothing to {verb}: no runs were given; rlscale.read(PATH) gives those of logs")
    nameless = [place for place, run in enumerate(runs) if run.name == _NAMELESS and run.source is None]
    if len(nameless) > 1:
        for place in nameless:
            name = f"{_NAMELESS}-{place + 1}"
            runs[place] = Run(name=name, recipe=name, curve=runs[place].curve)
    return runs


def fits_of(given: Any, verb: str, options: FitOptions | None = None) -> list[Fit]:
    """Return fits, given as such or as runs, which are fitted; arguments and errors as for :func:`runs_of`."""
    if isinstance(given, Iterable) and not isinstance(given, str):
        given = list(given)
        known = [one for one in given if isinstance(one, Fit)]
        if known and len(known) == len(given):
            return known
    return list(fits(runs_of(given, verb), (), options))


def _run(given: Any, verb: str) -> Run:
    if isinstance(given, Fit):
        return given.run
    if isinstance(given, Curve):
        return Run(name=_NAMELESS, recipe=_NAMELESS, curve=given)
    if isinstance(given, Run):
        return given
    raise InputError(f"{verb}() takes runs, not {type(given).__name__}; rlscale.read() makes runs of logs and tables")


def _numbers(given: Any) -> NDArray[np.float64] | None:
    """Return an array of numbers; None for anything else."""
    if isinstance(given, str | Run | Curve | Fit) or np.isscalar(given) or hasattr(given, "columns"):
        return None
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.ndim and found.size else None


def _curve(
    compute: NDArray[np.float64],
    reward: NDArray[np.float64],
    unit: str | None,
    metric: str | None,
    bounds: Bounds | None,
) -> Curve:
    stated: dict[str, Any] = {"unit": unit or "steps", "metric": metric or "reward"}
    if bounds is not None and bounds != "open":
        return Curve(compute=compute, reward=reward, bounds=bounds, **stated)
    because = "values" if bounds is None else "asked"
    unknown = OpenBounds(lowest=0.0, highest=0.0, range=0.0, because=because)
    return assumed([Curve(compute=compute, reward=reward, bounds_from="open", open=unknown, **stated)])[0]
