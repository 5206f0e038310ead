"""What a ledger holds, as frozen values; times are Unix seconds, computes in the run's unit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves import Curve, OpenBounds, canonical_unit
from rlscale.errors import LedgerError

__all__ = [
    "Heading",
    "Points",
    "RunRow",
    "Stated",
    "canonical",
    "digest",
    "heading_bounds",
    "open_bounds_of",
    "open_bounds_text",
    "points_of",
    "restated",
    "unknown_bounds",
    "written",
]

Floats = NDArray[np.float64]
#: Bounds as a caller states them: lowest and highest reward, ``open``, or None, to assume them from the values.
Stated = tuple[float, float] | Literal["open"] | None

#: Longest name of a run, a recipe or a metric.
LONGEST = 500


def canonical(document: Any) -> str:
    """Return a document as JSON that is the same for equal documents: sorted keys, shortest exact numbers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def written(document: Mapping[str, Any]) -> str:
    """Return what a log holds as JSON of plain ASCII, whatever its texts hold; NaN and infinities stay as they are.

    Raises
    ------
    LedgerError
        Values that lie within each other too deeply or without end, or keys that are no texts.
    """
    try:
        return json.dumps(dict(document), separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise LedgerError(
            f"the configuration or settings of a run cannot be kept ({error}); mend or leave out what is odd in its log"
        ) from error


def _plain(held: Any) -> Any:
    """Return what JSON has no value for as the nearest that it has."""
    if isinstance(held, Mapping):
        return dict(held)
    if isinstance(held, np.ndarray | np.generic):
        return held.tolist()
    return list(held) if isinstance(held, set | frozenset) else str(held)


def digest(document: Any) -> str:
    """Return the SHA-256 of a document's canonical JSON, in hex."""
    return hashlib.sha256(canonical(document).encode("utf-8", "surrogatepass")).hexdigest()


def heading_bounds(stated: Stated) -> dict[str, Any]:
    """Return the fields of a :class:`Heading` for bounds as stated, ``open`` where asked for, assumed where None.

    What is assumed holds until a watcher sees a value that leaves it.
    """
    if stated is None:
        return {"bounds": (0.0, 1.0), "bounds_from": "values", "open": None}
    if stated == "open":
        return unknown_bounds("asked")
    return {"bounds": stated, "bounds_from": "option", "open": None}


def unknown_bounds(because: str) -> dict[str, Any]:
    """Return the fields of a :class:`Heading` for bounds that are open before any value is seen."""
    bounds = OpenBounds(lowest=0.0, highest=0.0, range=0.0, because=because)
    return {"bounds": bounds.limits, "bounds_from": "open", "open": bounds}


def open_bounds_text(bounds: OpenBounds | None) -> str | None:
    """Return open bounds as canonical JSON; None without any."""
    return None if bounds is None else canonical(asdict(bounds))


def open_bounds_of(text: str | None) -> OpenBounds | None:
    """Return the open bounds that :func:`open_bounds_text` wrote."""
    if text is None:
        return None
    values = json.loads(text)
    return OpenBounds(**{**values, "frame": (values["frame"][0], values["frame"][1])})


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What is said of a run once.

    Parameters
    ----------
    name : str
        Unique in the ledger.
    recipe : str
    unit, clock, metric, bounds, bounds_from, open
        As in :class:`rlscale.curves.Curve`.
    seed : int, optional
    model_params : float, optional
    budget : float, optional
        Compute that the run is to get if it wins, where its trainer says so.
    settings : mapping
        Of the recipe; JSON values.
    source : str
        Where its points come from: a path, or what recorded them.

    Raises
    ------
    LedgerError
        A name that is empty, too long, or holds characters that do not print.
    """

    name: str
    recipe: str
    unit: str = "steps"
    clock: str = ""
    metric: str = "reward"
    bounds: tuple[float, float] = (0.0, 1.0)
    bounds_from: str = "option"
    open: OpenBounds | None = None
    seed: int | None = None
    model_params: float | None = None
    budget: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", canonical_unit(self.unit))
        for what in ("name", "recipe", "metric"):
            said = getattr(self, what)
            if not said or len(said) > LONGEST or not said.isprintable():
                raise LedgerError(
                    f"{what} {said[:80]!r} cannot be kept: it is empty, longer than {LONGEST} characters, or does not "
                    "print; give the run another name"
                )


@dataclass(frozen=True, kw_only=True)
class RunRow(Heading):
    """A run as it is kept.

    Parameters
    ----------
    id : int
    last_seq : int
        Number of its latest point, all metrics together.
    created : float
    ended : float, optional
        When its trainer said that it is done.
    """

    id: int
    last_seq: int
    created: float
    ended: float | None = None

    @property
    def assumed(self) -> str | None:
        """What is assumed of its bounds, as canonical JSON; None where they are stated."""
        if self.bounds_from == "option":
            return None
        return canonical({"bounds": self.bounds, "from": self.bounds_from, "open": open_bounds_text(self.open)})

    def as_assumed(self, text: str | None) -> RunRow:
        """Return the run with the bounds that :attr:`assumed` wrote, as it stands where there are none."""
        if text is None:
            return self
        values = json.loads(text)
        low, high = values["bounds"]
        return replace(self, bounds=(low, high), bounds_from=values["from"], open=open_bounds_of(values["open"]))

    def in_bounds(self, curve: Curve) -> Curve:
        """Return a curve with the bounds kept of this run."""
        return curve.with_bounds(self.bounds, self.bounds_from, self.open)

    def within(self, curve: Curve) -> RunRow:
        """Return the run with the bounds of a curve."""
        return replace(self, bounds=curve.bounds, bounds_from=curve.bounds_from, open=curve.open)

    def curve(self, points: Points) -> Curve:
        """Return its validation curve."""
        return Curve(
            compute=points.compute, reward=points.value, unit=self.unit, clock=self.clock, metric=self.metric,
            n_eval=points.n_eval, sd=points.sd, bounds=self.bounds, bounds_from=self.bounds_from, open=self.open,
        )  # fmt: skip


def restated(row: RunRow, heading: Heading) -> RunRow:
    """Return a run with what a heading says of its seed, its model and its settings now."""
    return replace(row, seed=heading.seed, model_params=heading.model_params, settings=dict(heading.settings))


@dataclass(frozen=True, eq=False)
class Points:
    """Values of one metric of one run.

    Parameters
    ----------
    compute, value : array, shape (n,)
    n_eval, sd : array, shape (n,), optional
        NaN where unknown.
    number : array, shape (n,)
        Of each point among all of its run, where they were read from a ledger.
    """

    compute: Floats
    value: Floats
    n_eval: Floats | None = None
    sd: Floats | None = None
    number: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return int(self.compute.size)

    def after(self, count: int) -> Points:
        """Return the points after the first ``count``."""
        n_eval, sd = (None if one is None else one[count:] for one in (self.n_eval, self.sd))
        return Points(self.compute[count:], self.value[count:], n_eval, sd, self.number[count:])


def points_of(
    compute: ArrayLike, value: ArrayLike, n_eval: ArrayLike | None = None, sd: ArrayLike | None = None
) -> Points:
    """Return points, checked.

    Raises
    ------
    LedgerError
        Different lengths, or a compute or a value that is not finite, or a negative compute.
    """
    found = [None if one is None else np.atleast_1d(np.asarray(one, dtype=np.float64))
             for one in (compute, value, n_eval, sd)]  # fmt: skip
    places, values = found[0], found[1]
    assert places is not None
    assert values is not None
    if any(one is not None and one.shape != places.shape for one in found) or places.ndim != 1:
        raise LedgerError(f"points need one value a compute; got {[one.shape for one in found if one is not None]}")
    for name, one in (("compute", places), ("value", values)):
        bad = one[~np.isfinite(one)]
        if bad.size:
            raise LedgerError(f"{name} {bad[0]} of a point is not finite; leave the point out")
    if places.size and places.min() < 0.0:
        raise LedgerError(f"negative compute {places.min():g} of a point; compute counts up from 0")
    return Points(places, values, found[2], found[3])
