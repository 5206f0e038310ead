"""Runs as cards of a page: the fan chart of each, its verdict, its numbers; and how it grew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rlscale.answers import numbers
from rlscale.answers.answer import Card, Cards, Fact
from rlscale.answers.charts.growth import growth_panel, trace, trace_limits
from rlscale.answers.charts.recipes import colour_of, recipe_places
from rlscale.answers.charts.runs import Fan, fan, fan_panel, left_out_keys, near, thinned
from rlscale.answers.charts.within import ARROWS, beyond
from rlscale.answers.over_time import growth_sentences, verdict_since
from rlscale.answers.remarks import outlook_ends, target_headings
from rlscale.answers.views import CEILING, Bounds, FitView, RankView, RunView
from rlscale.inference import Fit, Interval

__all__ = ["growth_cards", "run_cards", "small_cards"]

#: Runs drawn; a page of thousands of charts would open in no browser.
_CHARTS = 150
#: Of more runs than this each chart shows fewer evaluations, so many at most.
_LARGE, _POINTS = 12, 96


def run_cards(view: FitView | RankView, fits: Sequence[Fit], drawn: Callable[[Fit], Fan] = fan) -> Cards:
    """Return the runs, in order of rank and in the colour of their recipe where they are ranked.

    Parameters
    ----------
    view : FitView or RankView
    fits : sequence of Fit
        Behind ``view``, in its order; asked only for the runs that are drawn.
    drawn : callable
        Returns the chart of a run: for who keeps charts.
    """
    places = recipe_places(view)
    order = sorted(range(len(fits)), key=lambda k: places.get(view.runs[k].recipe, 0))[:_CHARTS]
    charts = [drawn(fits[k]) for k in order]
    limits = near(charts)
    if len(charts) > _LARGE:
        charts = [thinned(chart, _POINTS) for chart in charts]
    headings = target_headings([chart.run for chart in charts])
    cards = []
    for chart in charts:
        run, colour = chart.run, _colour(places, chart.run.recipe)
        summary, details = _source(run)
        cards.append(
            Card(
                title=run.run,
                mark=run.verdict.name.value,
                panel=fan_panel(chart, limits, colour),
                sentences=(run.verdict.why, run.verdict.advice),
                facts=_facts(run, headings),
                summary=summary,
                details=details,
                open=bool(run.warnings),
                colour=colour,
            )
        )
    note = (
        "Bands are 50 % and 80 % intervals of the noise-free reward, model error included; circles are forecasts; the "
        "bar at the right is the ceiling. All runs share one reward axis; compute 0 stands left of the break."
    )
    if left_out_keys(charts):
        note += " Grey rings are evaluations left out of the fit; the warnings of the run say why."
    if beyond([card.panel for card in cards]):
        note += f" {ARROWS}"
    return Cards("Runs", tuple(cards), note, max(len(fits) - _CHARTS, 0))


def small_cards(cards: Cards) -> Cards:
    """Return cards that say only what must be seen: the drawing, the verdict and the warnings."""
    return replace(cards, title="Each run", cards=tuple(map(_small, cards.cards)), small=True)


def _small(card: Card) -> Card:
    ends = tuple(replace(end, text=end.text.removeprefix("ceiling ")) for end in card.panel.ends)
    panel = replace(card.panel, ends=ends)
    small = replace(card, panel=panel, sentences=(), facts=())
    return small if card.open else replace(small, details=(), summary="")


def growth_cards(view: FitView, fits: Sequence[Fit]) -> Cards | None:
    """Return how runs grew; None where that was not asked for."""
    pairs = zip(view.runs[:_CHARTS], fits, strict=False)
    traces = [trace(run, run.over_time, fit.run.curve) for run, fit in pairs if run.over_time is not None]
    if not traces:
        return None
    limits = trace_limits(traces)
    cards = tuple(
        Card(
            title=each.run.run,
            mark=each.run.verdict.name.value,
            badge=verdict_since(each.grown),
            panel=growth_panel(each, limits),
            sentences=tuple(growth_sentences(each.grown, each.run.shown_in)),
        )
        for each in traces
    )
    note = (
        "What a fit of the evaluations up to each compute said: medians in the band of their 80 % intervals, dots in "
        "the colour of the verdict, evaluations in grey; the dotted line is the median of today."
    )
    return Cards("As the runs grew", cards, note, max(len(view.runs) - _CHARTS, 0))


def _colour(places: Mapping[str, int], recipe: str) -> str:
    return colour_of(places[recipe]) if places else "s0"


def _source(run: RunView) -> tuple[str, tuple[str, ...]]:
    """Return what is said of the source of a run: its summary, then warnings, repairs and the file."""
    if run.source is None and not run.warnings:
        return "", ()
    counted = ((run.warnings, "warning"), (run.repairs, "repair"))
    parts = [numbers.count(len(texts), noun) for texts, noun in counted if texts]
    source = run.source
    file = () if source is None else (f"{source.path}: {source.format}, {numbers.count(source.rows, 'row')}",)
    return ", ".join(["Source", *parts]), (*run.warnings, *run.repairs, *file)


def _facts(run: RunView, headings: Sequence[str]) -> tuple[Fact, ...]:
    last = f"at {numbers.quantity(run.compute_last, run.unit)}"
    facts = [Fact("now", numbers.reward(run.reward_last, run.shown_in), last)]
    facts += [
        _reward(heading, item.interval, run.shown_in) for heading, item in zip(headings, run.forecasts, strict=False)
    ]
    of = " (sigmoid)" if run.weights else ""  # an average has none of its own
    facts += [
        _reward("ceiling", run.quantities[CEILING], run.shown_in),
        _number(f"exponent B{of}", run.quantities["B"]),
    ]
    middle = run.quantities["C_mid"]
    if middle is not None:
        spread = f"{numbers.quantity(middle.q10)}–{numbers.quantity(middle.q90)}"
        facts.append(Fact(f"midpoint{of or ' C_mid'}", numbers.quantity(middle.q50), spread))
        facts.append(Fact("P(past midpoint)", numbers.probability(run.p_past_midpoint)))
    if run.resolves_at is not None:
        facts.append(Fact("resolved by", numbers.quantity(run.resolves_at.q50), outlook_ends(run, "–")))
    if run.weights:
        likely = sorted(run.weights.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {numbers.probability(weight)}" for name, weight in likely if weight >= 0.005)
        facts.append(Fact("family", likely[0][0], shares))
    if run.level_sd is not None:
        facts.append(Fact("sd of its level", numbers.reward(run.level_sd, run.shown_in), "from the evaluation set"))
    return tuple(facts)


def _reward(name: str, interval: Interval | None, bounds: Bounds) -> Fact:
    if interval is None:
        return Fact(name, numbers.UNKNOWN)
    return Fact(name, numbers.reward(interval.q50, bounds), numbers.span(interval, bounds))


def _number(name: str, interval: Interval | None) -> Fact:
    if interval is None:
        return Fact(name, numbers.UNKNOWN)
    return Fact(name, numbers.number(interval.q50), f"{numbers.number(interval.q10)}–{numbers.number(interval.q90)}")
