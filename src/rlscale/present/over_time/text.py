"""What runs were believed to reach as they grew, as tables: of one run each look, of several a line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlscale.inference import Interval, Look, OverTime
from rlscale.present.layout import (
    Layout,
    badge,
    estimate,
    fitting,
    folded,
    plain_table,
    print_list,
    spaced,
    unknown,
)
from rlscale.present.numbers import UNKNOWN, reward, span
from rlscale.present.over_time.words import (
    compute_labels,
    growth_sentences,
    has_forecasts,
    target_heading,
    verdict_changes,
)
from rlscale.present.views import Bounds, RunView

__all__ = ["print_over_time"]

#: Shares of a run's compute that the table of several runs shows.
_SHARES = (0.25, 0.5, 0.75, 1.0)
#: Looks at one run that are shown; JSON has them all.
_ROWS = 12
#: Runs whose verdicts are told; JSON has them all.
_TOLD = 40
Grown = Sequence[tuple[RunView, OverTime]]


def print_over_time(runs: Sequence[RunView], console: Console) -> None:
    """Print what runs were believed to reach as they grew; nothing where that was not asked for."""
    grown = [(run, run.over_time) for run in runs if run.over_time is not None]
    if not grown:
        return
    if len(grown) == 1:
        _print_looks(*grown[0], console)
    else:
        _print_runs(grown, console)


def _print_looks(run: RunView, grown: OverTime, console: Console) -> None:
    labels = compute_labels([look.compute for look in grown.looks])
    shown = spaced([*zip(grown.looks, labels, strict=True)], _ROWS)
    some = f", {len(shown)} of {len(labels)} looks" if len(shown) < len(labels) else ""
    table = plain_table()
    table.title, table.title_justify = f"As the run grew{some}", "left"
    table.add_column("compute", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    ahead = has_forecasts(grown)
    for heading in ("ceiling", "80 %", *((target_heading(grown), "80 %") if ahead else ()), "width"):
        table.add_column(heading, justify="right", overflow="fold")
    for look, label in shown:
        answers = (look.ceiling, look.forecast) if ahead else (look.ceiling,)
        cells = [cell for answer in answers for cell in _median_and_ends(answer, run.shown_in)]
        width = UNKNOWN if answers[-1] is None else reward(answers[-1].width, run.shown_in)
        table.add_row(label, badge(look.verdict), *cells, width)
    table.caption, table.caption_justify = f"compute in {run.axis}", "left"
    console.print(table)
    console.print()
    print_list(console, "", growth_sentences(grown, run.shown_in))


def _median_and_ends(interval: Interval | None, bounds: Bounds) -> tuple[Text, Text]:
    if interval is None:
        return unknown(), unknown()
    return Text(reward(interval.q50, bounds)), Text(span(interval, bounds), style="dim")


def _print_runs(grown: Grown, console: Console) -> None:
    names = [run.run for run, _ in grown]
    console.print(fitting(_of("ceiling", "Ceiling as the runs grew", grown), names, console))
    console.print()
    if any(has_forecasts(one) for _, one in grown):
        title = f"Reward {target_heading(grown[0][1])} as the runs grew"
        console.print(fitting(_of("forecast", title, grown), names, console))
        console.print()
    said = [f"{run.run}: {changes}" for run, one in grown if (changes := verdict_changes(one))]
    if len(said) > _TOLD:
        said = [*said[:_TOLD], f"… and {len(said) - _TOLD:,} more (--json lists them)"]
    print_list(console, "Verdicts as the runs grew", said)


def _of(what: str, title: str, grown: Grown) -> Callable[[Layout, int, int], Table]:
    """Return how to build the table of one of the answers."""

    def build(layout: Layout, name_width: int, limit: int) -> Table:
        table = plain_table(layout)
        table.title, table.title_justify = title, "left"
        table.add_column("run", width=name_width, overflow="fold")
        for share in _SHARES:
            heading = "now" if share == 1.0 else f"at {100 * share:.0f} %"
            table.add_column(f"{heading}\n80 %", justify="right", no_wrap=True)
        table.add_column("earlier 80 %\nhold today's", justify="right", no_wrap=True)
        for run, one in grown[:limit]:
            answers = [getattr(look, what) if look is not None else None for look in _at_shares(one)]
            held, earlier = one.holding(what)  # type: ignore[arg-type]
            counted = f"{held} of {earlier}" if earlier else UNKNOWN
            cells = (estimate(answer, run.shown_in, layout) for answer in answers)
            table.add_row(folded(run.run, name_width), *cells, counted)
        table.caption = "at a share of each run's own compute; last: how many earlier intervals hold today's median"
        table.caption_justify = "left"
        return table

    return build


def _at_shares(grown: OverTime) -> list[Look | None]:
    """Return the latest look up to each share of a run's compute; None where there is none yet."""
    last = grown.latest.compute
    known = [[look for look in grown.looks if look.compute <= share * last] for share in _SHARES]
    return [looks[-1] if looks else None for looks in known]
