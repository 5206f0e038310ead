"""The answer of ``ledger history``: what was believed of recipes at each refit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rlscale.answers.answer import Answer, Block, Document, Figures, Section
from rlscale.answers.charts.history import history_chart
from rlscale.answers.documents import SCHEMA
from rlscale.answers.growth import spaced
from rlscale.answers.numbers import UNKNOWN, count, quantity, reward, span
from rlscale.answers.settings import Settings
from rlscale.answers.table import Cell, Column, Table
from rlscale.answers.views import listed
from rlscale.answers.when import moment
from rlscale.inference import Interval
from rlscale.live.past import Past, Step

__all__ = ["history_answer"]

#: Refits of a run that people see.
_ROWS = 16
#: What recipes were ranked by, in the words of the answer.
_RANKED = {"A": "ceiling", "forecast": "forecast"}
#: Said where both are shown.
_SUBJECT = "Verdicts speak of the forecast where there is one, not of the ceiling."

_COLUMNS = (
    Column("recipe", "recipe", "name"), Column("run", "run", "name"), Column("compute", "compute", "compute"),
    Column("verdict", "verdict", "verdict"), Column("ceiling", "ceiling\n80 %", "reward"),
    Column("target", "target", "compute"), Column("forecast", "forecast there\n80 %", "reward"),
    Column("place", "place", "count"), Column("contenders", "of", "count"), Column("at", "when"),
)  # fmt: skip


def history_answer(
    view: Sequence[Past], where: str, settings: Settings | None = None, *, charts: bool = False
) -> Answer:
    """Return the answer.

    Parameters
    ----------
    view : sequence of Past
        The recipes, at least one.
    where : str
        The ledger.
    settings : Settings, optional
    charts : bool
        Also what a page and ``--plot`` draw.
    """
    chart = history_chart(view) if charts else None
    figures = () if chart is None else (Figures("", chart.panels),)
    blocks = _refits(view[0]) if len(view) == 1 else _latest_of_each(view)
    return Answer(
        headline=_headline(view[0]) if len(view) == 1 else f"{where}: {count(len(view), 'recipe')} as last believed.",
        table=_all_refits(view),
        document=Document(partial(_document, where=where), tuple(view)),
        blocks=(*figures, *blocks),
        chart=chart,
        kicker=f"{view[0].rows[0].metric} · {count(len(view), 'recipe')}",
        settings=settings or Settings(),
    )


def _document(view: Sequence[Past], where: str) -> dict[str, Any]:
    """Return the document of ``ledger history --json``."""
    return {
        "schema": SCHEMA,
        "ledger": where,
        "recipes": [
            {
                "recipe": each.recipe, "unit": each.rows[0].unit, "metric": each.rows[0].metric, "ranked_by": each.by,
                "runs": [{"run": name, "fits": list(map(_fit, steps))} for name, steps in each.steps.items()],
            }
            for each in view
        ],
    }  # fmt: skip


def _fit(step: Step) -> dict[str, Any]:
    fit = step.fit
    return {
        "compute": fit.compute, "verdict": fit.verdict, "A": _named(fit.A), "target": fit.target,
        "forecast": _named(fit.forecast), "mean": fit.mean, "p_best": fit.p_best, "place": step.place,
        "contenders": step.contenders, "at": moment(fit.at), "version": fit.version, "settings": fit.settings,
    }  # fmt: skip


def _named(ends: tuple[float, float, float] | None) -> dict[str, float] | None:
    return None if ends is None else dict(zip(("q10", "q50", "q90"), ends, strict=True))


def _all_refits(view: Sequence[Past]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for recipe in view:
        for name, steps in recipe.steps.items():
            for step in steps:
                fit = step.fit
                rows.append((recipe.recipe, name, fit.compute, fit.verdict, _interval(fit.A), fit.target,
                             _interval(fit.forecast), step.place, step.contenders, moment(fit.at)))  # fmt: skip
    return Table(name="refits", columns=_COLUMNS, rows=tuple(rows))


def _interval(ends: tuple[float, float, float] | None) -> Interval | None:
    return None if ends is None else Interval(*ends)


def _latest_of_each(view: Sequence[Past]) -> list[Block]:
    """Return the recipes, each as it was last believed."""
    latest = [(each, *_latest(each)) for each in view if any(each.steps.values())]
    latest.sort(key=lambda item: (item[2].place is None, item[2].place or 0, item[0].recipe))
    steps = [step for _, _, step in latest]
    ceiling = any(step.fit.target is None for step in steps)
    forecast = any(step.fit.target is not None for step in steps)
    columns = [
        Column("recipe", "recipe", "name"),
        Column("runs", "runs", "count"),
        Column("compute", "compute", "compute"),
    ]
    columns += [Column("ceiling", "ceiling\n80 %", "reward")] if ceiling else []
    columns += [Column("forecast", f"{_ahead_heading(steps)}\n80 %", "reward")] if forecast else []
    columns += [Column("place", "place", "label"), Column("refits", "refits", "count"),
                Column("verdict", "verdict", "verdict")]  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    bounds, units = [], []
    for each, name, step in latest:
        run = next(row for row in each.rows if row.name == name)
        bounds.append(run.bounds)
        units.append(run.unit)
        rows.append((
            each.recipe, len(each.rows), step.fit.compute,
            *([_interval(step.fit.A)] if ceiling else []),
            *([_interval(step.fit.forecast)] if forecast else []),
            _place(step), sum(map(len, each.steps.values())), step.fit.verdict,
        ))  # fmt: skip
    table = Table(name="recipes", columns=tuple(columns), rows=tuple(rows), row_bounds=tuple(bounds),
                  row_units=tuple(units))  # fmt: skip
    without = [each.recipe for each in view if not any(each.steps.values())]
    sentences = (
        *([f"Nothing is fitted of {listed(without, 5)} yet."] if without else []),
        *([_SUBJECT] if ceiling and forecast else []),
        "rlscale ledger history RECIPE shows one refit by refit; --plot F.png draws it.",
    )
    return [table, Section("", sentences)]


def _refits(recipe: Past) -> list[Block]:
    """Return the refits of a recipe, run by run."""
    unit = recipe.rows[0].unit
    blocks: list[Block] = []
    for name, steps in recipe.steps.items():
        kept = spaced(steps, _ROWS)
        forecast = any(step.fit.target is not None for step in kept)
        columns = [Column("compute", "compute", "compute"), Column("ceiling", "ceiling\n80 %", "reward")]
        if forecast:
            columns.append(Column("forecast", f"{_ahead_heading(kept)}\n80 %", "reward"))
            columns.append(Column("p_best", "P(best\nby ε)", "probability"))
        columns += [Column("place", "place", "label"), Column("verdict", "verdict", "verdict")]
        rows = tuple(
            (
                step.fit.compute, _interval(step.fit.A),
                *((_interval(step.fit.forecast), step.fit.p_best) if forecast else ()),
                _place(step), step.fit.verdict,
            )
            for step in kept
        )  # fmt: skip
        some = f", {len(kept)} shown" if len(kept) < len(steps) else ""
        blocks.append(Table(
            name="refits", title=f"{name}, {count(len(steps), 'refit')}{some}", columns=tuple(columns), rows=rows,
            note=f"compute in {unit}", bounds=recipe.rows[0].bounds,
        ))  # fmt: skip
    if _latest(recipe)[1].fit.target is not None:
        blocks.append(Section("", (_SUBJECT,)))
    return blocks


def _latest(recipe: Past) -> tuple[str, Step]:
    """Return the run of a recipe that has come farthest, at its last refit."""
    fitted = [name for name, steps in recipe.steps.items() if steps]
    name = max(fitted, key=lambda name: recipe.steps[name][-1].fit.compute)
    return name, recipe.steps[name][-1]


def _ahead_heading(steps: Sequence[Step]) -> str:
    """Return where forecasts are: the target, where all have the same."""
    targets = {step.fit.target for step in steps if step.fit.target is not None}
    return f"at {quantity(targets.pop())}" if len(targets) == 1 else "at its target"


def _headline(recipe: Past) -> str:
    """Return what was last believed: of the reward that the verdict speaks of, and what the verdict is."""
    name, last = _latest(recipe)
    bounds, unit, fit = recipe.rows[0].bounds, recipe.rows[0].unit, last.fit
    seen, verdict = f"after {quantity(fit.compute, unit)}", fit.verdict.replace("_", " ")
    subject_of = recipe.recipe if len(recipe.rows) == 1 else f"{recipe.recipe}, by its run {name}"
    if fit.judged is None:
        return f"{subject_of}: nothing is fitted {seen} ({verdict})."
    middle = reward(fit.judged[1], bounds)
    subject = f"ceiling = {middle}"
    if fit.target is not None:
        subject = f"{middle} at {quantity(fit.target, unit)} is forecast"
    place = f"; its place by {_RANKED[recipe.by]} is {_place(last)}" if last.place is not None else ""
    around = span(Interval(*fit.judged), bounds)
    return f"{subject_of}: {subject} (80 %: {around}) {seen}: {verdict}{place}."


def _place(step: Step) -> str:
    return UNKNOWN if step.place is None else f"{step.place} of {step.contenders}"
