"""Fan charts of runs: the evaluations, the bands of the forecast, targets and the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rlscale.answers.charts.axes import compute_axis, reward_axis, reward_limits
from rlscale.answers.charts.spec import Band, Chart, End, Key, Label, Line, Mark, Panel, Part, Points, Whisker
from rlscale.answers.charts.within import ARROWS, beyond, ends_within, marks_within, near_limits
from rlscale.answers.numbers import count, quantity, reward, span
from rlscale.answers.palette import verdict_words
from rlscale.answers.views import CEILING, RunView, run_view
from rlscale.curves import Curve
from rlscale.inference import Fit, Forecast, Interval, Posterior

__all__ = [
    "AHEAD",
    "FARTHEST",
    "LARGEST",
    "PANELS",
    "Fan",
    "computes",
    "drawn_points",
    "fan",
    "fan_chart",
    "fan_limits",
    "fan_panel",
    "grid_of",
    "left_out_keys",
    "more_runs",
    "near",
    "short",
    "start_of",
    "thinned",
]

Floats = NDArray[np.float64]
Numbers = tuple[float, ...]

#: Computes along a band, and points of a run drawn at most.
_GRID = 61
_POINTS = 240
#: A chart reaches this multiple of the last compute where no target lies farther out.
AHEAD = 4.0
#: Farthest a chart reaches, in multiples of the last compute: past it the data would shrink into a corner.
FARTHEST = 64.0
LARGEST = float(np.finfo(np.float64).max)
#: Panels of runs in one figure; further runs are left to the report.
PANELS = 12


@dataclass(frozen=True, kw_only=True)
class Fan:
    """The chart of one run. Bands carry the model error, as forecasts do.

    Parameters
    ----------
    run : RunView
    compute, reward : tuple of float
        The evaluations drawn (every k-th of very long runs).
    used : tuple of bool
        Whether the fit covers each of them.
    grid : tuple of float
        Computes of the bands, above 0; empty where nothing was fitted.
    q10, q25, q50, q75, q90 : tuple of float
        Quantiles of the noise-free reward on ``grid``.
    first, last, horizon : float
        Least compute above 0, last compute, right end of the axis.
    """

    run: RunView
    compute: Numbers
    reward: Numbers
    used: tuple[bool, ...]
    grid: Numbers = ()
    q10: Numbers = ()
    q25: Numbers = ()
    q50: Numbers = ()
    q75: Numbers = ()
    q90: Numbers = ()
    first: float
    last: float
    horizon: float

    @property
    def targets(self) -> tuple[Forecast, ...]:
        """Forecasts at computes that the axis reaches."""
        return tuple(item for item in self.run.forecasts if self.last < item.compute <= self.horizon * (1 + 1e-9))

    @property
    def asymptote(self) -> Interval | None:
        """The ceiling, where one was fitted."""
        return self.run.quantities[CEILING]


def fan(fit: Fit, *, reach: float = 0.0) -> Fan:
    """Return the chart of one fitted run, at least as far as ``reach``."""
    view, curve = run_view(fit), fit.run.curve
    compute, reward = drawn_points(curve)
    first = view.compute_first or 1.0
    last = max(curve.compute_last, first)
    targets = [item.compute for item in fit.forecasts if np.isfinite(item.compute)]
    horizon = min(max([AHEAD * last, reach, *targets]), FARTHEST * last, LARGEST)
    points = {
        "compute": tuple(compute.tolist()),
        "reward": tuple(reward.tolist()),
        "used": tuple(_used(fit, compute).tolist()),
    }
    if fit.posterior is None:
        return Fan(run=view, **points, first=first, last=last, horizon=horizon)
    grid = computes(start_of(fit.posterior), horizon)
    rewards = fit.posterior.reward(grid, model_error=True)
    bands = fit.posterior.quantiles(rewards, (0.1, 0.25, 0.5, 0.75, 0.9))
    names = ("q10", "q25", "q50", "q75", "q90")
    quantiles = {name: tuple(band.tolist()) for name, band in zip(names, bands, strict=True)}
    return Fan(run=view, **points, grid=tuple(grid.tolist()), **quantiles, first=first, last=last, horizon=horizon)


def thinned(chart: Fan, most: int) -> Fan:
    """Return a chart with every k-th of its evaluations, ``most`` of them: a small panel shows no more."""
    count = len(chart.compute)
    if count <= most:
        return chart
    keep = np.unique(np.linspace(0, count - 1, most).round().astype(int))
    compute, reward, used = (tuple(values[k] for k in keep) for values in (chart.compute, chart.reward, chart.used))
    return replace(chart, compute=compute, reward=reward, used=used)


def drawn_points(curve: Curve) -> tuple[Floats, Floats]:
    """Return computes and rewards of the evaluations that are drawn, shape (k,): every k-th of very long runs."""
    keep = np.unique(np.linspace(0, curve.n_points - 1, min(curve.n_points, _POINTS)).round().astype(int))
    return curve.compute[keep], curve.reward[keep]


def start_of(posterior: Posterior) -> float:
    """Return where a curve begins to be drawn: what came before the current regime is not fitted."""
    fitted = posterior.curve.compute
    return float(fitted[fitted > 0.0][0])


def computes(first: float, last: float) -> Floats:
    """Return the computes along a band, evenly spaced in their logarithm."""
    with np.errstate(over="ignore"):  # a step towards the largest number there is; both ends are exact
        return np.geomspace(first, last, _GRID)


def _used(fit: Fit, compute: Floats) -> NDArray[np.bool_]:
    if fit.posterior is None:
        return np.zeros(compute.shape, dtype=bool)
    curve = fit.posterior.curve
    if fit.posterior.block > 1:  # averages do not say which evaluations went into them, but for the ends
        within = (compute >= curve.compute[0]) & (compute <= curve.compute_last)
        return np.asarray(within & ~np.isin(compute, fit.masked))
    return np.isin(compute, curve.compute)


def fan_limits(charts: Sequence[Fan]) -> tuple[float, float]:
    """Return the ends of a reward axis that fits all charts."""
    shown = [value for chart in charts for value in (*chart.reward, *chart.q10, *chart.q90)]
    shown += [end for chart in charts if chart.asymptote for end in (chart.asymptote.q10, chart.asymptote.q90)]
    return reward_limits(shown, charts[0].run.shown_in)


def near(charts: Sequence[Fan]) -> tuple[float, float]:
    """Return the ends of a reward axis of panels of runs: under open bounds no interval squeezes the evaluations."""
    full = fan_limits(charts)
    if all(chart.run.bounds_from != "open" for chart in charts):
        return full
    rewards = [value for chart in charts for value in chart.reward]
    return near_limits(full, rewards, [value for chart in charts for value in chart.q50])


def left_out_keys(charts: Sequence[Fan]) -> tuple[Key, ...]:
    """Return what rings among the evaluations mean; nothing where there are none."""
    rings = [sum(not used for used in chart.used) for chart in charts if chart.grid]
    sick = [0 if chart.run.health is None else chart.run.health.masked for chart in charts if chart.grid]
    if not any(rings):
        return ()
    every = all(ring <= masked for ring, masked in zip(rings, sick, strict=True))
    why = ": sickness" if every else " (sickness, or past a break)" if any(sick) else ""
    return Key("dot", "ink", "evaluation"), Key("ring", "muted", f"left out{why or ' of the fit'}")


def fan_panel(chart: Fan, limits: tuple[float, float], colour: str = "s0") -> Panel:
    """Return the panel of one run.

    Parameters
    ----------
    chart : Fan
    limits : (float, float)
        Ends of the reward axis, which panels share.
    colour : str
        Role of the bands.
    """
    run = chart.run
    marks: list[Mark] = []
    if chart.grid:
        marks += [
            Band(chart.grid, chart.q10, chart.q90, colour, 0.16, "80 %"),
            Band(chart.grid, chart.q25, chart.q75, colour, 0.24, "50 %"),
        ]
        marks.append(Line(chart.grid, chart.q50, colour, name="median"))
    if run.compute_first > 0:
        marks += [Line((chart.last, chart.last), limits, "faint", 0.9, "dashed"), Label(chart.last, limits[1], "now")]
    tips = tuple(
        f"{reward(value, run.shown_in)} at {quantity(compute, run.unit, 4)}"
        for compute, value in zip(chart.compute, chart.reward, strict=True)
    )
    marks += _evaluations(chart, tips)
    for item in chart.targets:
        says = f"{reward(item.q50, run.shown_in)} ({span(item.interval, run.shown_in)}, 80 %)"
        tip = f"at {quantity(item.compute, run.unit)}: {says}"
        marks.append(Whisker(item.compute, item.q10, item.q50, item.q90, colour, tip))
    ceiling = chart.asymptote
    ends = () if ceiling is None else (
        End(ceiling.q50, f"ceiling {reward(ceiling.q50, run.shown_in)}", colour, (ceiling.q10, ceiling.q90), bar=True),
    )  # fmt: skip
    return Panel(
        description=f"{run.run}: {run.metric} against compute, with the forecast",
        x=compute_axis(chart.first, chart.horizon, run.unit, zero=chart.compute[0] == 0, most=5),
        y=reward_axis(limits, run.metric, 5),
        marks=tuple(marks_within(marks, limits)),
        title=short(run.run),
        subtitle=f"● {verdict_words(run.verdict.name)}",
        subtitle_colour=run.verdict.name.value,
        ends=ends_within(ends, limits),
    )


def _evaluations(chart: Fan, tips: Sequence[str]) -> list[Mark]:
    """Return the evaluations as dots, and as grey rings those that the fit does not cover."""
    marks: list[Mark] = []
    for used, colour in ((True, "ink"), (False, "muted")):
        own = [k for k, each in enumerate(chart.used) if each == used]
        if own:
            says = tuple(tips[k] if used else f"{tips[k]}, left out of the fit" for k in own)
            x, y = (tuple(values[k] for k in own) for values in (chart.compute, chart.reward))
            rings = () if used else (True,) * len(own)
            marks.append(Points(x, y, colour, hollow=rings, tips=says, strength=0.72 if used else 1.0))
    return marks


def fan_chart(fits: Sequence[Fit]) -> Chart:
    """Return the fan charts of up to a dozen runs, on one reward axis."""
    charts = [fan(fit) for fit in fits[:PANELS]]
    limits = near(charts)
    part = grid_of([fan_panel(chart, limits) for chart in charts])
    keys = left_out_keys(charts)
    note = ". ".join(filter(None, (ARROWS.rstrip(".") if beyond(part.panels) else "", more_runs(len(fits)))))
    return Chart((part,), note, (*keys, Key("ring", "s0", "forecast")) if keys else ())


def grid_of(panels: Sequence[Panel]) -> Part:
    """Return panels of runs in one to three columns."""
    columns = 1 if len(panels) == 1 else 2 if len(panels) <= 4 else 3
    return Part(tuple(panels), columns, (7.2, 4.4) if columns == 1 else (4.6, 3.3))


def more_runs(runs: int) -> str:
    """Say how many runs are not drawn."""
    return f"{count(runs - PANELS, 'more run')} in --report" if runs > PANELS else ""


def short(name: str, most: int = 34) -> str:
    """Return the end of a name that is too long for a title."""
    return name if len(name) <= most else f"…{name[-most + 1 :]}"
