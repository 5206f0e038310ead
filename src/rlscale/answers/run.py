"""The answer about one run: its forecast at any compute, how it grew, its other series, its decisions, its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rlscale.answers import remarks
from rlscale.answers.answer import Answer, Block, Cards, Document, Figures, Section, Sentence
from rlscale.answers.cards import growth_cards, run_cards
from rlscale.answers.charts.runs import Fan, fan
from rlscale.answers.checklist import checklist
from rlscale.answers.documents import fit_document
from rlscale.answers.fit import fit_answer
from rlscale.answers.health.answer import explanation
from rlscale.answers.health.chart import run_panels
from rlscale.answers.numbers import quantity
from rlscale.answers.overview.view import Told
from rlscale.answers.table import Table
from rlscale.answers.views import FitView, RunView
from rlscale.answers.when import moment
from rlscale.curves import Run
from rlscale.health import RunHealth
from rlscale.inference import Fit, Forecast, Verdict

__all__ = ["RunPage", "run_answer", "setting_text", "settings_section"]

#: Characters of a setting that are shown.
_SETTING = 120
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """What the page of a run shows.

    Parameters
    ----------
    view : FitView
        Of the one run, with how it grew.
    fit : Fit
        Behind it.
    slider : tuple of (Forecast, Verdict)
        At computes from the last one on; empty where nothing was fitted.
    health : RunHealth, optional
    decisions : tuple of Told
        Those on the run, the last first.
    asked : float, optional
        The compute that was asked about.
    """

    view: FitView
    fit: Fit
    slider: tuple[tuple[Forecast, Verdict], ...] = ()
    health: RunHealth | None = None
    decisions: tuple[Told, ...] = ()
    asked: float | None = None

    @property
    def run(self) -> RunView:
        """The run."""
        return self.view.runs[0]


def run_answer(
    page: RunPage,
    drawn: Callable[[Fit], Fan] = fan,
    hits: Callable[[Fit], tuple[str, ...]] | None = None,
) -> Answer:
    """Return the answer: the blocks of ``fit``, and what else is known of the run.

    Parameters
    ----------
    page : RunPage
    drawn, hits : callable
        As in the overview.
    """
    view, fits = page.view, (page.fit,)
    plain = fit_answer(view)
    grown = growth_cards(view, fits)
    health = page.health
    panels = () if health is None else run_panels(health)
    series: list[Block] = []
    if panels:
        note = "Shaded from the onset of an alarm to its recovery; a line stands where it was raised."
        series = [Figures("The series under the curve", panels, note, size="strip")]
    blocks: list[Block] = [
        _card(page, drawn),
        *_decided(page.decisions),
        *([] if grown is None else [grown]),
        *series,
        *([] if health is None or not health.alarms else explanation(health)[:1]),
        *(block for block in plain.blocks if isinstance(block, Table) or block.title != "About the input"),
        remarks.input_section(remarks.input_remarks(view.runs)),
        settings_section(page.fit.run),
        checklist(view, fits, hits),
    ]
    return Answer(
        headline=plain.headline,
        table=plain.table,
        document=Document(partial(_document, page=page), view),
        lead=_lead(page),
        grouping=None,
        blocks=tuple(blocks),
        kicker=f"{page.run.metric} · {page.run.run}, recipe {page.run.recipe}",
        errors=view.errors,
        settings=view.settings,
    )


def _card(page: RunPage, drawn: Callable[[Fit], Fan]) -> Cards:
    """Return the card of the run, drawn as far as the slider reaches; the headline says what it would say."""
    far = drawn if not page.slider else partial(fan, reach=page.slider[-1][0].compute)
    cards = run_cards(page.view, (page.fit,), far)
    return replace(cards, title="", cards=tuple(replace(card, sentences=()) for card in cards.cards))


def _lead(page: RunPage) -> tuple[str, ...]:
    later = remarks.outlook(page.run)
    spent = f"Spent {quantity(page.run.compute_last, page.run.axis)} over {page.run.n_points:,} evaluations."
    return tuple(text for text in (page.run.verdict.advice, later, spent) if text)


def _decided(decisions: Sequence[Told]) -> list[Block]:
    sentences = []
    for each in decisions:
        when = "" if each.at is None else f"{moment(each.at)}: "
        dry = "" if each.acting else "dry run; "
        sentences.append(Sentence(f"{when}{dry}{each.reason}", mark=each.action))
    return [Section("Decisions on this run", tuple(sentences))] if sentences else []


def settings_section(run: Run) -> Section:
    """Return what the configuration says of a run, a sentence a setting."""
    sentences = tuple(Sentence(setting_text(value), name) for name, value in sorted(run.settings.items()))
    return Section("Settings", sentences)


def setting_text(value: Any) -> str:
    """Return a setting as people read it, cut where it is long."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _SETTING else f"{text[: _SETTING - 1]}…"


def _document(view: FitView, page: RunPage) -> Mapping[str, Any]:
    """Return the document of ``fit``, and beside its keys what the page adds."""
    health = page.health
    return {
        **fit_document(view),
        "slider": [
            {"compute": item.compute, **{name: getattr(item, name) for name in _QUANTILES}, "mean": item.mean,
             "verdict": verdict.name.value, "reason": verdict.reason}
            for item, verdict in page.slider
        ],
        "target": page.asked,
        "settings": {name: setting_text(value) for name, value in page.fit.run.settings.items()},
        "decisions": [
            {"decision": each.action, "reason": each.reason, "acting": each.acting,
             "at": None if each.at is None else moment(each.at), "by": each.by or None}
            for each in page.decisions
        ],
        "alarms": [] if health is None else [
            {"monitor": alarm.monitor, "severity": alarm.severity, "since": alarm.since, "until": alarm.until,
             "message": alarm.message}
            for alarm in health.alarms
        ],
    }  # fmt: skip
