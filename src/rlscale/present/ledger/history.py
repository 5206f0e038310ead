"""``ledger history``: A over compute as it was believed, and the ranking at each refit; as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from rlscale.inference import Interval
from rlscale.live.past import Past, Step
from rlscale.present.documents import SCHEMA
from rlscale.present.layout import spaced
from rlscale.present.ledger.when import moment
from rlscale.present.numbers import UNKNOWN, count, probability, quantity, reward, span
from rlscale.present.text import plain_table, print_wrapped
from rlscale.present.views import listed

__all__ = ["history_document", "print_history"]

#: Refits of a run that are shown as text.
_ROWS = 16
#: Said where both are shown.
_SUBJECT = "Verdicts speak of the forecast where there is one, not of the ceiling."


def history_document(view: Sequence[Past], where: str) -> dict[str, Any]:
    """Return the document of ``ledger history --json``."""
    return {
        "schema": SCHEMA,
        "ledger": where,
        "recipes": [
            {
                "recipe": one.recipe, "unit": one.rows[0].unit, "metric": one.rows[0].metric, "ranked_by": one.by,
                "runs": [{"run": name, "fits": list(map(_fit, steps))} for name, steps in one.steps.items()],
            }
            for one in view
        ],
    }  # fmt: skip


def _fit(step: Step) -> dict[str, Any]:
    fit = step.fit
    return {
        "compute": fit.compute, "verdict": fit.verdict, "A": _three(fit.A), "target": fit.target,
        "forecast": _three(fit.forecast), "mean": fit.mean, "p_best": fit.p_best, "place": step.place,
        "contenders": step.contenders, "at": moment(fit.at), "version": fit.version, "settings": fit.settings,
    }  # fmt: skip


def _three(held: tuple[float, float, float] | None) -> dict[str, float] | None:
    return None if held is None else dict(zip(("q10", "q50", "q90"), held, strict=True))


def print_history(view: Sequence[Past], where: str, console: Console) -> None:
    """Print one recipe refit by refit, or of several the latest of each."""
    if len(view) == 1:
        _one(view[0], console)
        return
    latest = [(one, *_latest(one)) for one in view if any(one.steps.values())]
    latest.sort(key=lambda item: (item[2].place is None, item[2].place or 0, item[0].recipe))
    print_wrapped(console, f"{where}: {count(len(view), 'recipe')} as last believed.", style="bold")
    console.print()
    steps = [step for _, _, step in latest]
    ceiling = any(step.fit.target is None for step in steps)
    forecast = any(step.fit.target is not None for step in steps)
    columns = [("recipe", "left"), ("runs", "right"), ("compute", "right")]
    columns += [("ceiling\n80 %", "right")] if ceiling else []
    columns += [(f"{_ahead_heading(steps)}\n80 %", "right")] if forecast else []
    columns += [("place", "right"), ("refits", "right"), ("verdict", "left")]
    table = plain_table()
    for name, justify in columns:
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for one, name, step in latest:
        row = next(each for each in one.rows if each.name == name)
        table.add_row(
            one.recipe, f"{len(one.rows):,}", quantity(step.fit.compute, row.unit),
            *([_around(step.fit.A, row.bounds)] if ceiling else []),
            *([_around(step.fit.forecast, row.bounds)] if forecast else []),
            _place(step), f"{sum(map(len, one.steps.values())):,}", _verdict(step),
        )  # fmt: skip
    console.print(table)
    console.print()
    without = [one.recipe for one in view if not any(one.steps.values())]
    if without:
        print_wrapped(console, f"Nothing is fitted of {listed(without, 5)} yet.")
    if ceiling and forecast:
        print_wrapped(console, _SUBJECT)
    print_wrapped(console, "rlscale ledger history RECIPE shows one refit by refit; --plot F.png draws it.")


def _latest(one: Past) -> tuple[str, Step]:
    """Return the run of a recipe that has come farthest, at its last refit."""
    name = max((name for name, steps in one.steps.items() if steps), key=lambda name: one.steps[name][-1].fit.compute)
    return name, one.steps[name][-1]


def _ahead_heading(steps: Sequence[Step]) -> str:
    """Return where forecasts are: the target, where all have the same."""
    targets = {step.fit.target for step in steps if step.fit.target is not None}
    return f"at {quantity(targets.pop())}" if len(targets) == 1 else "at its target"


def _one(view: Past, console: Console) -> None:
    _, last = _latest(view)
    bounds, unit = view.rows[0].bounds, view.rows[0].unit
    print_wrapped(console, _headline(view, last), style="bold")
    for name, steps in view.steps.items():
        console.print()
        kept = spaced(steps, _ROWS)
        table = plain_table()
        table.title = f"{name}, {count(len(steps), 'refit')}" + (
            f", {len(kept)} shown" if len(kept) < len(steps) else ""
        )
        table.title_justify = "left"
        forecast = any(step.fit.target is not None for step in kept)
        table.add_column("compute", justify="right", no_wrap=True)
        table.add_column("ceiling\n80 %", justify="right", no_wrap=True)
        if forecast:
            table.add_column(f"{_ahead_heading(kept)}\n80 %", justify="right", no_wrap=True)
            table.add_column("P(best\nby ε)", justify="right", no_wrap=True)
        table.add_column("place", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for step in kept:
            table.add_row(*_cells(step, unit, bounds, forecast))
        console.print(table)
    if last.fit.target is not None:
        console.print()
        print_wrapped(console, _SUBJECT)


def _headline(view: Past, last: Step) -> str:
    """Return what was last believed: of the reward that the verdict speaks of, and what the verdict is."""
    bounds, unit, fit = view.rows[0].bounds, view.rows[0].unit, last.fit
    seen = f"after {quantity(fit.compute, unit)}"
    if fit.judged is None:
        return f"{view.recipe}: nothing is fitted {seen} ({_verdict(last)})."
    ceiling, middle = fit.target is None, reward(fit.judged[1], bounds)
    subject = f"ceiling = {middle}" if ceiling else f"{middle} at {quantity(fit.target or 0.0, unit)} is forecast"
    place = f"; its place by {view.by} is {_place(last)}" if last.place is not None else ""
    around = span(_interval(fit.judged), bounds)
    return f"{view.recipe}: {subject} (80 %: {around}) {seen}: {_verdict(last)}{place}."


def _verdict(step: Step) -> str:
    return step.fit.verdict.replace("_", " ")


def _cells(step: Step, unit: str, bounds: tuple[float, float], forecast: bool) -> list[Text | str]:
    ahead: list[Text | str] = []
    if forecast:
        ahead = [_around(step.fit.forecast, bounds), probability(step.fit.p_best)]
    return [quantity(step.fit.compute, unit), _around(step.fit.A, bounds), *ahead, _place(step), _verdict(step)]


def _around(held: tuple[float, float, float] | None, bounds: tuple[float, float]) -> Text | str:
    if held is None:
        return Text(UNKNOWN, style="dim")
    return Text.assemble(reward(held[1], bounds), " ", (span(_interval(held), bounds), "dim"))


def _interval(held: tuple[float, float, float]) -> Interval:
    return Interval(*held)


def _place(step: Step) -> str:
    return UNKNOWN if step.place is None else f"{step.place} of {step.contenders}"
