"""What a backtest says, as sentences: shared by the text output and the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlscale.answers.backtest.view import METHOD_WORDS, BacktestView
from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count
from rlscale.answers.remarks import Remark, shared
from rlscale.answers.views import listed
from rlscale.trust.outcome import OURS, Case, CutScores
from rlscale.trust.scores import FEW, Difference, binomial_interval

__all__ = [
    "NOTES",
    "at",
    "coverage",
    "cut_sentences",
    "headline",
    "lead",
    "notes",
    "panels",
    "percent",
    "skipped",
    "warned",
]

#: A binomial interval wider than this says nothing about an interval of 80 %.
VAGUE = 0.45

NOTES = (
    "Error: of the median forecast, in reward. CRPS: scores the whole forecast; for a single number it is the error. A "
    "method beats another where the 95 % interval of their mean difference, paired over the runs, excludes 0.",
)


def headline(view: BacktestView) -> str:
    """Return the answer in a sentence: how far forecasts missed, and how many intervals held."""
    told = [scored for scored in view.result.cuts if scored.cases]
    runs = len({case.run for case in view.result.cases})
    errors = listed([view.error(scored.methods[OURS].mean_abs_error) for scored in told], len(told))
    cases = view.result.cases
    held = sum(case.covers(0.8) for case in cases)
    whose = "a run's" if runs > 1 else f"{cases[0].run}'s"
    hit = f"{held} of {len(cases)} intervals of 80 % held what came true"
    if len(cases) == 1:
        hit = f"its 80 % interval {'held' if held else 'missed'} what came true"
    average = " on average" if runs > 1 else ""
    lack = lacking(view.left_out, view.runs)
    return f"{lack}Made {_cuts(told)} of its compute, the forecast of {whose} end missed by {errors}{average}; {hit}."


def lead(view: BacktestView) -> str:
    """Say at which cuts no other method has a lower mean error or CRPS; nothing where there are too few runs."""
    told = [scored for scored in view.result.cuts if len(scored.cases) >= FEW]
    if not told:
        return ""
    where: dict[str, list[str]] = {}
    for field, what in (("mean_abs_error", "mean error"), ("crps", "mean CRPS")):
        first = [scored for scored in told if _lowest(scored, field)]
        if first:
            where.setdefault("at every cut" if len(first) == len(told) > 1 else _cuts(first), []).append(
                f"the lowest {what}"
            )
    if not where:
        return f"Of {count(len(METHOD_WORDS), 'method')} rlscale has neither the lowest mean error nor CRPS at any cut."
    said = listed([f"{listed(scores)} {cuts}" for cuts, scores in where.items()])
    return f"Of {count(len(METHOD_WORDS), 'method')} rlscale has {said}."


def _lowest(scored: CutScores, field: str) -> bool:
    values = {name: getattr(scores, field) for name, scores in scored.methods.items()}
    return bool(values[OURS] <= min(values.values()))


def _cuts(cuts: Sequence[CutScores]) -> str:
    return f"at {listed([f'{100 * scored.cut:g}' for scored in cuts], len(cuts))} %"


def panels(view: BacktestView) -> list[tuple[str, tuple[Case, ...]]]:
    """Return the cases of all cuts together, then those of each cut, by name; of a single cut once."""
    each = [(f"at {at(scored.cut)}", scored.cases) for scored in view.result.cuts if scored.cases]
    return [("all cuts", view.result.cases), *each] if len(each) > 1 else each


def cut_sentences(view: BacktestView, scored: CutScores) -> list[str]:
    """Return what one cut says: against the other methods, of the intervals, of the order of the runs."""
    if not scored.cases:
        return ["No run can be forecast from here."]
    return [*_compared(scored), coverage(scored.cases), *_ranked(view, scored)]


def _compared(scored: CutScores) -> list[str]:
    if len(scored.cases) < FEW:
        return [f"{count(len(scored.cases), 'run')} cannot tell methods apart: it takes {FEW} or more."]
    others = {name: scores for name, scores in scored.methods.items() if name != OURS}
    by_error = {METHOD_WORDS[name]: scores.excess_error for name, scores in others.items()}
    by_crps = {METHOD_WORDS[name]: scores.excess_crps for name, scores in others.items()}
    error, whole = _standing(by_error), _standing(by_crps)
    if error == whole:
        return [f"By mean error and by CRPS rlscale {error}."]
    return [f"By mean error rlscale {error}.", f"By CRPS it {whole}."]


def _standing(excess: dict[str, Difference | None]) -> str:
    ordered = [name for name in METHOD_WORDS.values() if name in excess]
    groups: dict[str, list[str]] = {"beats": [], "is beaten by": [], "cannot be told from": []}
    for name in ordered:
        apart = excess[name]
        if apart is not None and apart.low > 0:
            groups["beats"].append(name)
        elif apart is not None and apart.high < 0:
            groups["is beaten by"].append(name)
        else:
            groups["cannot be told from"].append(name)
    some = [(verb, names) for verb, names in groups.items() if names]
    if len(some) == 1:
        verb = some[0][0]
        return f"{verb} {'any' if verb.startswith('cannot') else 'every'} other method"
    return "; it ".join(f"{verb} {listed(names, len(names))}" for verb, names in some)


def coverage(cases: Sequence[Case]) -> str:
    """Return how many 80 % intervals held the truth, and whether that fits 80 %."""
    held, total = sum(case.covers(0.8) for case in cases), len(cases)
    share = f"The 80 % interval held {held} of {count(total, 'truth')}"
    if total < FEW:
        return f"{share}: too few to say whether it is honest."
    low, high = binomial_interval(held, total)
    said = f"{share}, {percent(held / total)} (95 % binomial interval {100 * low:.0f}–{100 * high:.0f} %)"
    if high < 0.8:
        return f"{said}: it is too narrow."
    if low > 0.8:
        return f"{said}: it is wider than it need be."
    if high - low > VAGUE:
        return f"{said}: too few to say whether it is honest."
    return f"{said}: no sign that it is too narrow or too wide."


def _ranked(view: BacktestView, scored: CutScores) -> list[str]:
    ours = scored.methods[OURS]
    if ours.pairwise_accuracy is None or ours.top1_regret is None:
        return []
    short = ours.top1_regret
    best = "is the best one" if short == 0 else f"ended {view.error(short)} below the best one"
    return [
        f"It orders {percent(ours.pairwise_accuracy)} of the pairs of runs rightly; the run it forecast highest {best}."
    ]


def notes(view: BacktestView) -> list[str]:
    """Return what the scores are, and how much of the errors is noise of the target."""
    noise = [scored.target_noise for scored in view.result.cuts if scored.target_noise is not None]
    jitter, model = (float(np.mean([getattr(each, name) for each in noise])) for name in ("jitter", "model"))
    return [
        *NOTES,
        "The target is a mean of a run's last evaluations: it is noisy itself, and the intervals include that. No "
        f"forecast can avoid the mean error of that noise: {view.error(jitter)} by how far neighbouring evaluations "
        f"differ, {view.error(model)} by the noise of the fits, which counts slow wander in.",
    ]


def skipped(view: BacktestView) -> tuple[Remark, ...]:
    """Return why runs, or cuts of them, have no forecast; those with one reason together."""
    return shared(
        (one.reason if one.cut is None else f"at {at(one.cut)}, {one.reason}", one.run) for one in view.result.skipped
    )


def warned(view: BacktestView) -> tuple[Remark, ...]:
    """Return what was said of the fits, each once, with the runs and cuts it was said of."""
    return shared((text, f"{case.run} at {at(case.cut)}") for case in view.result.cases for text in case.warnings)


def percent(share: float) -> str:
    """Return a share in whole per cent, as it was counted: 0 and 100 % are what they say."""
    return f"{100 * share:.0f} %"


def at(cut: float) -> str:
    """Return a cut in per cent, with the decimals it was given with."""
    return f"{100 * cut:g} %"
