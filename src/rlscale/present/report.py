"""The report: one HTML file that opens offline, from views, inline SVG and a template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rlscale.inference import Fit, Interval
from rlscale.inference.resolves import HORIZON
from rlscale.present import numbers, remarks
from rlscale.present.charts.growth import growth_panel, trace, trace_limits
from rlscale.present.charts.recipes import CURVES, colour_of, recipe_curves, recipe_places, recipes_panel
from rlscale.present.charts.runs import fan, fan_limits, fan_panel
from rlscale.present.charts.svg import colour_variables, css_colour, interval_svg, panel_svg
from rlscale.present.checklist import checklist
from rlscale.present.coverage import pooled
from rlscale.present.over_time.words import growth_sentences, verdict_since
from rlscale.present.palette import verdict_words
from rlscale.present.views import CEILING, FitView, RankView, RunView, headline, versions

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["rendered", "report_html"]

#: Runs drawn; a report of thousands of charts would open in no browser.
_CHARTS = 150


def report_html(view: FitView | RankView, fits: Sequence[Fit]) -> str:
    """Return the report of an answer.

    Parameters
    ----------
    view : FitView or RankView
    fits : sequence of Fit
        Behind ``view``, in its order; asked only for the runs that are drawn.
    """
    return rendered("report.html.j2", _context(view, fits))


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """Return a template of this package filled in, with the style and the filters that all reports share."""
    from jinja2 import Environment, StrictUndefined

    folder = files("rlscale.present") / "templates"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        probability=numbers.probability, words=verdict_words, count=numbers.count, tied=_tied, breakable=_breakable
    )
    page = environment.from_string((folder / template).read_text(encoding="utf-8"))
    css = colour_variables(":root") + "".join(
        (folder / f"{name}.css").read_text(encoding="utf-8") for name in ("report", "chart")
    )
    return page.render(css=css, **context)


def _context(view: FitView | RankView, fits: Sequence[Fit]) -> dict[str, Any]:
    ranking = view if isinstance(view, RankView) else None
    metrics = sorted({run.metric for run in view.runs})
    return {
        "headline": headline(view),
        "summary": _summary(view),
        "metric": ", ".join(metrics),
        "rows": _rows(ranking) if ranking else [],
        "at": ranking.at if ranking else "",
        "overlay": _overlay(ranking, fits) if ranking else (),
        "undrawn": max(len(ranking.ranking.recipes) - CURVES, 0) if ranking else 0,
        "mixed_groups": remarks.mixed_groups(ranking) if ranking else (),
        "grouping": pooled(view.grouping),
        "claims": [*([remarks.claim(ranking), *ranking.ranking.notes] if ranking else []), remarks.calibrated(view)],
        "traps": remarks.traps(ranking, 20) if ranking else (),
        "crossings": remarks.crossings(ranking, 20) if ranking else (),
        "published": remarks.published(ranking, 20) if ranking else (),
        "runs": _runs(view, fits),
        "grown": _grown(view, fits) if isinstance(view, FitView) else [],
        "hidden": max(len(fits) - _CHARTS, 0),
        "input": remarks.input_remarks(view.runs),
        "errors": view.errors,
        "checklist": checklist(view, fits),
        "settings": view.settings,
        "options": {name: value for name, value in view.settings.options.items() if value not in (None, (), [], False)},
        "versions": versions(),
    }


def _tied(text: str) -> str:
    """Keep a number and its per cent sign on one line."""
    return text.replace(" %", "\u00a0%")


def _breakable(text: str) -> Markup:
    """Let a long name break after its separators."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([/_:])(?=.)", r"\1<wbr>", str(escape(text))))


def _summary(view: FitView | RankView) -> str:
    runs = numbers.count(len(view.runs), "run")
    if isinstance(view, RankView):
        runs = f"{numbers.count(len(view.ranking.recipes), 'recipe')}, {runs}"
    return f"{runs}, {numbers.count(sum(run.n_points for run in view.runs), 'evaluation')}"


def _overlay(view: RankView, fits: Sequence[Fit]) -> tuple[str, str]:
    """Return the overlay for wide and for narrow screens: one drawing cannot have readable text on both."""
    curves = recipe_curves(view, fits)
    wide, narrow = recipes_panel(view, curves), recipes_panel(view, curves, narrow=True)
    return (
        "" if wide is None else panel_svg(wide, width=1040, height=420, kind="overlay wide"),
        "" if narrow is None else panel_svg(narrow, width=440, height=340, kind="overlay narrow"),
    )


def _rows(view: RankView) -> list[dict[str, Any]]:
    rows = view.ranking.recipes
    limits = _limits([interval for row in rows for interval in (row.A, row.forecast)])
    return [
        {
            "place": place,
            "row": row,
            "new_group": place > 0 and row.group != rows[place - 1].group,
            "forecast": _interval(row.forecast, view.shown_in),
            "forecast_bar": interval_svg(row.forecast, limits, colour_of(place)),
            "A": _interval(row.A, view.shown_in),
            "A_bar": interval_svg(row.A, limits, colour_of(place)),
            "B": _exponent(row.B),
            "regret": numbers.reward(row.expected_regret, view.shown_in),
        }
        for place, row in enumerate(rows)
    ]


def _limits(intervals: Sequence[Interval | None]) -> tuple[float, float]:
    known = [interval for interval in intervals if interval is not None]
    if not known:
        return 0.0, 1.0
    return min(interval.q10 for interval in known), max(interval.q90 for interval in known)


def _interval(interval: Interval | None, bounds: tuple[float, float]) -> tuple[str, str]:
    """Return median and 80 % interval as text."""
    if interval is None:
        return numbers.UNKNOWN, ""
    return numbers.reward(interval.q50, bounds), numbers.span(interval, bounds)


def _exponent(interval: Interval | None) -> tuple[str, str]:
    if interval is None:
        return numbers.UNKNOWN, ""
    return numbers.number(interval.q50), f"{numbers.number(interval.q10)}–{numbers.number(interval.q90)}"


def _runs(view: FitView | RankView, fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """Return the runs with their charts, in order of rank and in the colour of their recipe where they are ranked."""
    places = recipe_places(view)
    order = sorted(range(len(fits)), key=lambda i: places.get(view.runs[i].recipe, 0))[:_CHARTS]
    charts = [fan(fits[i]) for i in order]
    limits = fan_limits(charts)
    headings = remarks.target_headings([chart.run for chart in charts])
    return [
        {
            "run": chart.run,
            "chart": panel_svg(fan_panel(chart, limits, _colour(places, chart.run.recipe))),
            "facts": _facts(chart.run, headings),
            "colour": css_colour(_colour(places, chart.run.recipe)),
        }
        for chart in charts
    ]


def _colour(places: Mapping[str, int], recipe: str) -> str:
    return colour_of(places[recipe]) if places else "s0"


def _grown(view: FitView, fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """Return how runs grew with their charts, where that was asked for."""
    pairs = zip(view.runs[:_CHARTS], fits, strict=False)
    traces = [trace(run, run.over_time, fit.run.curve) for run, fit in pairs if run.over_time is not None]
    if not traces:
        return []
    limits = trace_limits(traces)
    return [
        {
            "run": each.run,
            "chart": panel_svg(growth_panel(each, limits)),
            "since": verdict_since(each.grown),
            "said": growth_sentences(each.grown, each.run.shown_in),
        }
        for each in traces
    ]


def _facts(run: RunView, headings: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return (what, value, 80 % interval) of a run."""
    facts = [
        ("now", numbers.reward(run.reward_last, run.shown_in), f"at {numbers.quantity(run.compute_last, run.unit)}")
    ]
    for heading, item in zip(headings, run.forecasts, strict=False):
        facts.append((heading, *_interval(item.interval, run.shown_in)))
    middle = run.quantities["C_mid"]
    of = " (sigmoid)" if run.weights else ""  # an average has none of its own
    facts += [
        ("ceiling", *_interval(run.quantities[CEILING], run.shown_in)),
        (f"exponent B{of}", *_exponent(run.quantities["B"])),
    ]
    if middle is not None:
        spread = f"{numbers.quantity(middle.q10)}–{numbers.quantity(middle.q90)}"
        facts.append((f"midpoint{of or ' C_mid'}", numbers.quantity(middle.q50), spread))
        facts.append(("P(past midpoint)", numbers.probability(run.p_past_midpoint), ""))
    if run.resolves_at is not None:
        later = " or later" if run.resolves_at.q90 >= HORIZON * run.compute_last else ""
        ends = f"{numbers.quantity(run.resolves_at.q10)}–{numbers.quantity(run.resolves_at.q90)}{later}"
        facts.append(("resolved by", numbers.quantity(run.resolves_at.q50), ends))
    if run.weights:
        likely = sorted(run.weights.items(), key=lambda item: -item[1])
        told = ", ".join(f"{name} {numbers.probability(weight)}" for name, weight in likely if weight >= 0.005)
        facts.append(("family", likely[0][0], told))
    if run.level_sd is not None:
        facts.append(("level sd", numbers.reward(run.level_sd, run.shown_in), "of the evaluation set"))
    return facts
