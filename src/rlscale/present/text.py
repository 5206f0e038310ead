"""Text for terminals: the tables of ``fit`` and ``rank`` and the sentences that belong below them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlscale.decisions import RecipeRank
from rlscale.inference import Interval, Verdict, VerdictName
from rlscale.present import remarks
from rlscale.present.coverage import pooled
from rlscale.present.layout import (
    Layout,
    badge,
    estimate,
    fitting,
    folded,
    median_and_span,
    plain_table,
    print_list,
    print_table,
    print_wrapped,
    unknown,
)
from rlscale.present.numbers import UNKNOWN, number, probability, quantity, reward, span
from rlscale.present.over_time.text import print_over_time
from rlscale.present.views import CEILING, Bounds, FitView, RankView, RunLine, RunView, headline, runs_by_recipe
from rlscale.sources import Grouping

__all__ = ["folded", "plain_table", "print_fit", "print_headline", "print_list", "print_rank", "print_wrapped"]

#: Names shown under each verdict: all up to the first number, else the second; JSON has them all.
_REASONS, _FEW_REASONS = 40, 12


def print_fit(view: FitView, console: Console) -> None:
    """Print the runs, then why each has its verdict, then what was repaired or left out."""
    print_headline(console, headline(view), view.grouping)
    names = [run.run for run in view.runs]
    print_table(console, fitting(lambda layout, name, limit: _fit_table(view, layout, name, limit), names, console))
    console.print()
    if _separate_forecasts(view.runs):
        console.print(_forecast_table(view))
        console.print()
    print_over_time(view.runs, console)
    _print_reasons(console, [(run.run, run.verdict, remarks.outlook(run)) for run in view.runs], brief=())
    print_list(console, "", [remarks.calibrated(view)])
    _print_input(console, view)


def print_rank(view: RankView, console: Console) -> None:
    """Print the ranking, what it rests on, traps, crossings and notes, then why, then what was repaired."""
    rows = view.ranking.recipes
    print_headline(console, headline(view), view.grouping)
    names = [row.recipe for row in rows]
    print_table(console, fitting(lambda layout, name, limit: _rank_table(view, layout, name, limit), names, console))
    console.print()
    print_list(
        console, "", [*remarks.mixed_groups(view), remarks.claim(view), remarks.calibrated(view), *view.ranking.notes]
    )
    print_list(console, "Early-leader traps", remarks.traps(view))
    print_list(console, "Crossings ahead", remarks.crossings(view))
    print_list(console, "Cross-check by the published rules (A within .02 is a tie, then B)", remarks.published(view))
    told = (VerdictName.RESOLVED, VerdictName.BENDING)  # the table says why: their intervals
    by_recipe = runs_by_recipe(view.runs)
    judged = [(_judged_name(row, by_recipe[row.recipe]), row.verdict, "") for row in rows]
    _print_reasons(console, judged, brief=told)
    _print_input(console, view)


def _name(name: str, width: int, verdict: Verdict | None = None, extra: str = "") -> Text:
    """Return a name, with the verdict below it where there is no column for it."""
    text = Text(folded(name, width))
    if verdict is not None:
        text.append("\n").append_text(badge(verdict)).append(f"  {extra}" if extra else "", style="dim")
    return text


def _exponent(interval: Interval | None, layout: Layout) -> Text:
    if interval is None:
        return unknown()
    return median_and_span(number(interval.q50), f"{number(interval.q10)}–{number(interval.q90)}", layout)


def _separate_forecasts(runs: Sequence[RunView]) -> bool:
    """Whether the forecasts need a table of their own: many targets, or a reward to reach."""
    return any(len(run.forecasts) > 2 or any(f.p_at_least is not None for f in run.forecasts) for run in runs)


def _fit_table(view: FitView, layout: Layout, name_width: int, limit: int) -> Table:
    headings = () if _separate_forecasts(view.runs) else remarks.target_headings(view.runs)
    unit = remarks.common_unit(view.runs)
    table = plain_table(layout)
    table.add_column("run", width=name_width, overflow="fold")
    if layout:
        table.add_column("verdict", no_wrap=True)
    table.add_column("last\ncompute", justify="right", no_wrap=True)
    table.add_column("reward\nnow", justify="right", no_wrap=True)
    for heading in (*headings, "ceiling"):
        table.add_column(f"{heading}\n80 %", justify="right", no_wrap=True)
    table.add_column("past\nmidpoint", justify="right", no_wrap=True)
    for run in view.runs[:limit]:
        forecasts: list[Interval | None] = [item.interval for item in run.forecasts[: len(headings)]]
        forecasts += [None] * (len(headings) - len(forecasts))
        table.add_row(
            _name(run.run, name_width, None if layout else run.verdict),
            *([badge(run.verdict)] if layout else []),
            quantity(run.compute_last, "" if unit else run.unit),
            reward(run.reward_last, run.shown_in),
            *(estimate(item, run.shown_in, layout) for item in (*forecasts, run.quantities[CEILING])),
            probability(run.p_past_midpoint),
        )
    if unit:
        table.caption, table.caption_justify = f"compute in {view.runs[0].axis}", "left"
    return table


def _forecast_table(view: FitView) -> Table:
    asked = view.settings.options.get("at_least")
    table = plain_table()
    table.title, table.title_justify = "Forecasts of the noise-free reward", "left"
    table.add_column("run", overflow="fold", min_width=14)
    for heading in ("compute", "median", "50 %", "80 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    if asked is not None:
        table.add_column(f"P(≥ {asked:g})", justify="right", no_wrap=True)
    for run in view.runs:
        for item in run.forecasts:
            cells = [
                run.run,
                quantity(item.compute).removeprefix("the "),
                reward(item.q50, run.shown_in),
                span(Interval(item.q25, item.q50, item.q75), run.shown_in),
                span(item.interval, run.shown_in),
            ]
            table.add_row(*cells, *([probability(item.p_at_least)] if asked is not None else []))
    return table


def _rank_table(view: RankView, layout: Layout, name_width: int, limit: int) -> Table:
    at = "asymptote" if view.at == "the asymptote" else f"at {quantity(view.ranking.at)}"
    table = plain_table(layout)
    table.add_column("group", justify="right", no_wrap=True)
    table.add_column("recipe", width=name_width, overflow="fold")
    if layout:
        table.add_column("runs", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
    table.add_column("P(best)", justify="right", no_wrap=True)
    for heading in (f"{at}\n80 %", "ceiling\n80 %", "exponent B\n80 %", "expected\nregret"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in view.ranking.recipes[:limit]:
        table.add_row(*_rank_cells(row, view.shown_in, layout, name_width))
    table.caption, table.caption_justify = f"compute in {view.runs[0].axis}; regret in reward", "left"
    return table


def _rank_cells(row: RecipeRank, bounds: Bounds, layout: Layout, name_width: int) -> list[Text | str]:
    cells: list[Text | str] = [UNKNOWN if row.group is None else str(row.group)]
    if layout:
        cells += [_name(row.recipe, name_width), str(len(row.runs)), badge(row.verdict)]
    else:
        several = f"×{len(row.runs)}" if len(row.runs) > 1 else ""
        cells.append(_name(row.recipe, name_width, row.verdict, several))
    return [
        *cells,
        probability(row.p_best),
        estimate(row.forecast, bounds, layout),
        estimate(row.A, bounds, layout),
        _exponent(row.B, layout),
        reward(row.expected_regret, bounds),
    ]


def _judged_name(row: RecipeRank, runs: Sequence[RunLine]) -> str:
    """Return the recipe, with the run its verdict is of where there are several."""
    if len(row.runs) == 1:
        return row.recipe
    own = next((run.run for run in runs if run.verdict == row.verdict), "")
    return f"{row.recipe} (by {own})" if own else row.recipe


def _print_reasons(console: Console, judged: Sequence[tuple[str, Verdict, str]], brief: Sequence[VerdictName]) -> None:
    """Print each verdict with its advice, and under it (unless in ``brief``) the names that have it, why, and more."""
    console.print(Text("Why, and what next", style="bold"))
    for name in reversed(VerdictName):
        having = [one for one in judged if one[1].name == name]
        if not having:
            continue
        limit = _REASONS if len(having) <= _REASONS else _FEW_REASONS
        mark = badge(having[0][1])
        for advice in dict.fromkeys(verdict.advice for _, verdict, _ in having):  # a change of regime has several
            print_wrapped(console, f"{mark.plain}  {advice}", rest="  ", lead=mark)
            shown = [] if name in brief else having[:limit]
            for who, verdict, more in (one for one in shown if one[1].advice == advice):
                said = f"{who}  {verdict.why} {more}".rstrip()
                print_wrapped(console, said, first="  ", rest="    ", lead=Text(who, style="bold"))
        if name not in brief and len(having) > limit:
            console.print(f"  … and {len(having) - limit:,} more (--json lists them)")
    console.print()


def _print_input(console: Console, view: FitView | RankView) -> None:
    found = remarks.input_remarks(view.runs)
    print_list(console, "About the input", [f"{item.subject()}: {item.text}" for item in found])


def print_headline(console: Console, text: str, grouping: Grouping | None, lead: str = "") -> None:
    """Print the answer in a sentence, a second one that belongs to it, and how the runs were pooled."""
    print_wrapped(console, text, style="bold")
    if lead:
        print_wrapped(console, lead)
    if grouping is not None:
        print_wrapped(console, pooled(grouping))
    console.print()
