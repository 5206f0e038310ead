from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from rlscale.answers.remarks import outlook
from rlscale.answers.views import FitView, RankView, fit_view
from rlscale.inference import Fit, Interval, Verdict, VerdictName
from rlscale.inference.resolves import HORIZON
from rlscale.render import layout
from tests.answers import made
from tests.answers.shown import answer_of, text_of


def shown(view: FitView | RankView, width: int, colour: bool = False) -> str:
    return text_of(answer_of(view), width, colour)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_golden_text(width: int, golden: Callable[[str, str], None]) -> None:
    golden(f"fit-{width}.txt", shown(made.fit_answer(), width))
    golden(f"rank-{width}.txt", shown(made.rank_answer(), width))


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_nothing_is_wider_than_the_terminal_or_cut(
    width: int, odd_fits: tuple[Fit, ...], odd_ranking: RankView
) -> None:
    for view in (fit_view(odd_fits), odd_ranking, made.fit_answer(), made.rank_answer()):
        text = shown(view, width)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text


def test_colour_only_on_a_terminal() -> None:
    assert "\x1b[" not in shown(made.rank_answer(), 100)
    assert "\x1b[" in shown(made.rank_answer(), 100, colour=True)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_many_rows_are_laid_out_like_few(
    monkeypatch: pytest.MonkeyPatch, width: int, odd_ranking: RankView, odd_fits: tuple[Fit, ...]
) -> None:
    views = (made.rank_answer(), made.fit_answer(), odd_ranking, fit_view(odd_fits))
    few = [shown(view, width) for view in views]
    monkeypatch.setattr(layout, "_MANY", 0)
    assert [shown(view, width) for view in views] == few


@pytest.mark.parametrize(
    "names", [["plain", "学習率-3"], ["tab\there", "x"], ["two\nlines", "x" * 90], ["", "x" * 900]]
)
def test_any_text_of_many_rows_is_laid_out_like_few(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    texts = []
    for most in (200, 0):
        monkeypatch.setattr(layout, "_MANY", most)
        table, out = layout.plain_table(), io.StringIO()
        table.add_column("name", overflow="fold")
        table.add_column("of\nit", justify="right")
        table.caption, table.caption_justify = "below", "left"
        for name in names:
            table.add_row(name, "1.5\n1–2")
        layout.print_table(Console(file=out, width=100, highlight=False, emoji=False, markup=False), table)
        texts.append(out.getvalue())
    assert texts[0] == texts[1]


def test_every_verdict_has_its_reason(odd_fits: tuple[Fit, ...]) -> None:
    text = " ".join(shown(fit_view(odd_fits), 140).split())
    for item in odd_fits:
        assert item.verdict.why in text
        assert item.verdict.advice in text


def test_rank_says_what_its_claims_are_about() -> None:
    text = " ".join(shown(made.rank_answer(), 100).split())
    assert "Probabilities are about the recipes' mean levels, run-to-run sd included: τ = 0.021 of the range" in text
    assert "of the range, learned from replicates (1 degree of freedom)" in text
    assert "long-name leads wide-clip early and loses at 1.6k steps with probability 84 %" in text
    assert "wide-clip ties on A and has the higher B than long-name (B 1.52 against 1.11)" in text
    assert "cannot be told apart from long-name" in text
    assert "3 runs: 2 duplicate rows dropped" in text


def test_wide_letters_cost_no_text_and_no_width() -> None:
    view = made.run_view("学习" * 9 + "-run", "r", made.RESOLVED, 0.73, 0.03)
    for width in (80, 81, 82, 83):
        text = shown(FitView(runs=(view,), errors=(), settings=made.settings()), width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert made.RESOLVED.why in " ".join(text.split())


def test_each_advice_stands_over_the_runs_it_is_for() -> None:
    jump = Verdict(VerdictName.REGIME_CHANGE, "It jumped.", "Find out what changed.")
    fall = Verdict(VerdictName.REGIME_CHANGE, "It fell and came back.", "Find the cause.")
    runs = [made.run_view(f"r{k}", "r", verdict, 0.7, 0.1) for k, verdict in enumerate((jump, fall, jump))]
    text = shown(FitView(runs=tuple(runs), errors=(), settings=made.settings()), 80)
    assert text[text.index("Why, and what next") :].split("\n\n")[0].splitlines()[1:] == [
        "● regime change  Find out what changed.",
        "  r0  It jumped.",
        "  r2  It jumped.",
        "● regime change  Find the cause.",
        "  r1  It fell and came back.",
    ]


def test_a_date_past_the_horizon_is_told_as_such() -> None:
    run = made.run_view("r", "r", made.EARLY, 0.7, 0.2)
    soon, far = (replace(run, resolves_at=Interval(500.0, 900.0, high)) for high in (2000.0, HORIZON * 400.0))
    assert outlook(soon) == "Should be resolved by 900 steps (80 %: 500 to 2k)."
    assert outlook(far) == "Should be resolved by 900 steps (80 %: 500 to 40k or later)."


def test_markup_in_names_is_shown_as_it_is(odd_ranking: RankView) -> None:
    assert '<b>x</b> & "y"' in shown(odd_ranking, 140)


@pytest.mark.parametrize("width", [80, 90, 100, 110, 120, 130, 140])
def test_short_names_leave_the_tables_whole(width: int) -> None:
    ranked = made.rank_answer()
    short = dict(zip(("wide-clip", "long-name", "started-today"), "abc", strict=True))
    recipes = tuple(replace(row, recipe=short[row.recipe]) for row in ranked.ranking.recipes)
    pairs = tuple(replace(pair, a="a", b="b", early_leader="b") for pair in ranked.ranking.pairs)
    runs = tuple(replace(run, recipe=short[run.recipe]) for run in ranked.runs)
    text = shown(replace(ranked, ranking=replace(ranked.ranking, recipes=recipes, pairs=pairs), runs=runs), width)
    for part in ("group", " recipe ", "P(best)", "0.420–0.900", "0.80–1.60", "compute in steps; regret in reward"):
        assert part in text
    assert "…" not in text
    few = tuple(replace(run, run=name) for run, name in zip(runs, "abcd", strict=True))
    text = shown(replace(made.fit_answer(), runs=few), width)
    for part in ("run ", "midpoint", "0.460–0.900", "0.480–0.920", "compute in steps"):
        assert part in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_groups_out_of_order_are_explained() -> None:
    ranked = made.rank_answer()
    first, second, unfitted = ranked.ranking.recipes
    note = "a wide forecast may stay in a better group than its place"
    assert note not in " ".join(shown(ranked, 100).split())
    recipes = (first, replace(second, recipe="wide-clip", group=2), second, unfitted)
    mixed = replace(ranked, ranking=replace(ranked.ranking, recipes=recipes))
    assert note in " ".join(shown(mixed, 100).split())


def test_a_pair_without_the_published_rules_is_no_cross_check() -> None:
    ranked = made.rank_answer()
    pairs = tuple(replace(pair, published=None) for pair in ranked.ranking.pairs)
    text = shown(replace(ranked, ranking=replace(ranked.ranking, pairs=pairs)), 100)
    assert "Early-leader traps" in text
    assert "Cross-check" not in text
