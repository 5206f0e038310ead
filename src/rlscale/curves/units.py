"""Compute units: one spelling each, and the aliases that logs and people use."""

from __future__ import annotations

from rlscale.errors import CurveError

__all__ = ["UNITS", "canonical_unit"]

#: The units a compute axis may have. The order is the preference when a log holds several (``flops`` and ``dollars``
#: only on request).
UNITS = ("gpu-hours", "tokens", "samples", "steps", "flops", "dollars")

_ALIASES = {
    "gpu-hour": "gpu-hours",
    "gpuhours": "gpu-hours",
    "gpu-h": "gpu-hours",
    "flop": "flops",
    "token": "tokens",
    "sample": "samples",
    "step": "steps",
    "iteration": "steps",
    "iterations": "steps",
    "update": "steps",
    "updates": "steps",
    "dollar": "dollars",
    "usd": "dollars",
    "$": "dollars",
    "cost": "dollars",
    "money": "dollars",
}


def canonical_unit(text: str) -> str:
    """Return the one spelling of a compute unit.

    Parameters
    ----------
    text : str
        A unit as logged or typed: case, ``_`` against ``-`` and singular against plural do not matter.

    Returns
    -------
    str
        One of :data:`UNITS`.

    Raises
    ------
    CurveError
        The unit is not known.
    """
    key = text.strip().lower().replace("_", "-").replace(" ", "-")
    unit = _ALIASES.get(key, key)
    if unit not in UNITS:
        raise CurveError(f"unknown compute unit {text!r}; use one of {', '.join(UNITS)}")
    return unit
