"""Settings that set recipes apart: runs of one name that differ in a knob are not seeds of one another."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from rlscale.curves.vocabulary import SETTINGS
from rlscale.sources.seed_marks import seed_mark

__all__ = ["KNOBS", "parted", "worded"]

#: Settings that are no knob of a recipe: its seed, and how many samples an evaluation grades.
_NO_KNOBS = frozenset({"seed", "eval_generations"})
KNOBS = tuple(name for name in SETTINGS if name not in _NO_KNOBS)


def parted(
    groups: Sequence[Hashable | None], settings: Sequence[Mapping[str, Any]]
) -> dict[int, tuple[tuple[str, ...], str]]:
    """Return the knobs in which runs of one group differ, and their values in words, by the run's place.

    A knob that some runs log with one value and others do not log sets nothing apart.

    Parameters
    ----------
    groups : sequence
        The group of each run; None for one that stays where it is.
    settings : sequence of mapping
        Canonical settings of each run.
    """
    places: dict[Hashable, list[int]] = {}
    for k, group in enumerate(groups):
        if group is not None:
            places.setdefault(group, []).append(k)
    told: dict[int, tuple[tuple[str, ...], str]] = {}
    for several in places.values():
        if len(several) < 2 or not any(settings[k] for k in several):
            continue
        words = {name: [worded(name, settings[k].get(name)) for k in several] for name in KNOBS}
        knobs = tuple(name for name, values in words.items() if len({one for one in values if one}) > 1)
        for i, k in enumerate(several if knobs else ()):
            told[k] = knobs, ", ".join(f"{name}={words[name][i] or 'unknown'}" for name in knobs)
    return told


def worded(name: str, value: Any) -> str:
    """Return a setting so that equal ones have equal words; empty where it is not logged."""
    if value is None or str(value).strip().lower() in ("", "none", "null", "nan"):
        return ""
    if name == "model":
        return _model(str(value))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value).strip()
    return f"{number:.6g}" if math.isfinite(number) else str(value)


def _model(text: str) -> str:
    """Return a model without the folder that a machine keeps it in, and without its own seed."""
    parts = [part for part in re.split(r"[/\\]", text.strip()) if part]
    last = parts[-1] if parts else ""
    mark = seed_mark(last)
    return last if mark is None else mark.rest
