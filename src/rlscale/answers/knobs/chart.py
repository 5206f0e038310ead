"""The chart of the catalogue: published ceilings against the compute to half of the gain, and when a gain is earned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.answers.charts.axes import compute_axis, reward_axis, share_axis
from rlscale.answers.charts.spec import Band, Chart, End, Label, Line, Mark, Panel, Part, Points
from rlscale.decisions.knobs import PUBLISHED, Knob, PublishedFit

__all__ = ["CHART_NOTE", "drawn", "knobs_chart"]

CHART_NOTE = (
    "ScaleRL, arXiv 2510.13786, Table 1: an 8B model, mathematics. The band is the published margin on a ceiling, .02 "
    "either way. Rewards at compute 0 are not published, so the right panel shows shares of each run's own gain, "
    "derived from its exponent and its midpoint."
)
_SHORT = "ScaleRL, arXiv 2510.13786, Table 1 (8B, mathematics); band: the published margin of .02; right: derived"
_COLOURS = {"": "ink", "total_batch": "s0", "max_response_length": "s1", "generations": "s2"}
#: Curves of one knob, in order.
_DASHES = ("", "dashed", "dotted")
#: The published margin on a ceiling.
_MARGIN = 0.02
#: Labels that would stand on others: which side of the point, and how much higher.
_PLACED = {"as published": ("end", 0.0), "8 rollouts": ("end", 0.0), "32k tokens": ("end", -0.004),
           "batch 2,048": ("end", 0.004)}  # fmt: skip


def drawn(knobs: Sequence[Knob]) -> tuple[PublishedFit, ...]:
    """Return the published curves of some knobs, the recipe's own first; none where there is none of theirs."""
    names = {knob.name for knob in knobs}
    fits = tuple(fit for fit in PUBLISHED if fit.knob in names)
    return (PUBLISHED[0], *fits) if fits else ()


def knobs_chart(knobs: Sequence[Knob]) -> Chart | None:
    """Return the chart of some knobs; None where nothing is published that could be drawn."""
    fits = drawn(knobs)
    return Chart((Part((_ceilings(fits), _gains(fits)), 2, (5.2, 3.9)),), note=_SHORT) if fits else None


def _ceilings(fits: Sequence[PublishedFit]) -> Panel:
    first, last = 1250.0, 15000.0
    base = fits[0].A
    marks: list[Mark] = [
        Band((first, last), (base - _MARGIN,) * 2, (base + _MARGIN,) * 2, "muted", 0.14),
        Line((first, last), (base, base), "muted", 1.0, "dotted"),
    ]
    for fit in fits:
        tip = f"{fit.label}: A {fit.A:.3f}, C_mid {fit.C_mid:,.0f} GPU-hours, B {fit.B:.2f}"
        anchor, higher = _PLACED.get(fit.label, ("start", 0.0))
        gap = 1.05 if anchor == "start" else 1.0 / 1.05
        marks.append(Points((fit.C_mid,), (fit.A,), _COLOURS[fit.knob], 4.0, tips=(tip,)))
        marks.append(Label(fit.C_mid * gap, fit.A + higher, fit.label, _COLOURS[fit.knob], anchor))
    return Panel(
        description="Published ceilings against the compute to half of the gain",
        x=compute_axis(first, last, "GPU-hours to half of the gain", zero=False, most=4),
        y=reward_axis((0.57, 0.66), "ceiling A (pass rate)", 5),
        marks=tuple(marks),
        title="Ceiling, and compute to half of the gain",
    )


def _gains(fits: Sequence[PublishedFit]) -> Panel:
    compute = np.geomspace(500.0, 1e5, 60)
    marks: list[Mark] = []
    ends: list[End] = []
    # rollouts follow the recipe's curve closely: one more line each would hide it
    shown = [fit for fit in fits if fit.knob != "generations"] if len({fit.knob for fit in fits}) > 2 else list(fits)
    used: dict[str, int] = {}
    for fit in shown:
        share = 1.0 / (1.0 + (fit.C_mid / compute) ** fit.B)
        dash = _DASHES[used.get(fit.knob, 0)]
        used[fit.knob] = used.get(fit.knob, 0) + 1
        colour = _COLOURS[fit.knob]
        marks.append(Line(tuple(compute.tolist()), tuple(share.tolist()), colour, dash=dash))
        text = f"{fit.label}, A {fit.A:.3f}{f' ({dash})' if dash else ''}"
        ends.append(End(float(share[-1]), text, colour))
    return Panel(
        description="Share of the gain that is earned against compute",
        x=compute_axis(500.0, 1e5, "GPU-hours", zero=False, most=4),
        y=share_axis("share of the own gain earned"),
        marks=tuple(marks),
        ends=tuple(ends),
        title="When each run earns its own gain",
    )
