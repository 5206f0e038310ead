"""What a replay says, as sentences."""

from __future__ import annotations

from rlscale.answers.coverage import lacking
from rlscale.answers.numbers import count, quantity, reward
from rlscale.answers.replay.view import ReplayView
from rlscale.answers.savings import outcome_words
from rlscale.trust.replay import NEAR, PolicyScores

__all__ = ["headline", "kept", "notes", "rivals", "share", "wrong"]


def share(value: float) -> str:
    """Return a share in per cent, as it was counted."""
    return f"{100 * value:.1f} %".replace(".0 %", " %")


def kept(view: ReplayView, near: float) -> str:
    """Return the distance from the best that counts as kept, in reward."""
    size = view.result.arena.range
    return "0" if near == 0.0 else reward(near * size, (0.0, size))


def wrong(one: PolicyScores) -> str:
    """Return wrong stops with their interval."""
    return f"{100 * one.wrong:.1f} ({100 * one.wrong_low:.0f}–{100 * one.wrong_high:.0f})"


def headline(view: ReplayView) -> str:
    """Return the answer in a sentence: what the policy spent, kept and lost."""
    one, result = view.main, view.result
    meetings = count(result.tournaments, "tournament")
    near = kept(view, NEAR[-1])
    lack = lacking(view.left_out, len(view.runs))
    return (
        f"{lack}In {meetings} of {count(result.size, view.noun)}, {one.policy} used {share(one.cost)} of the compute "
        f"of running everything; a {view.noun} within {near} of the best was kept in {share(one.kept[-1])} of them "
        f"(wrong stops {share(one.wrong)}, 95 %: {100 * one.wrong_low:.0f}–{100 * one.wrong_high:.0f} %), and "
        f"{view.regret(one.regret)} of {result.arena.metric} was lost on average."
    )


def rivals(view: ReplayView) -> str:
    """Say which other policy keeps as much for less, or that none does; nothing where there is no other."""
    one = view.main
    others = [other for other in view.result.policies if other is not one]
    if not others:
        return ""
    better = [other for other in others if other.kept[-1] >= one.kept[-1] and other.cost <= one.cost]
    if better:
        cheapest = min(better, key=lambda other: other.cost)
        return f"{cheapest.policy} keeps as much for less compute: {share(cheapest.cost)}."
    as_good = [other for other in others if other.kept[-1] >= one.kept[-1]]
    if not as_good:
        return "No other policy keeps as much, at any compute."
    cheapest = min(as_good, key=lambda other: other.cost)
    used = share(cheapest.cost)
    return f"No other policy keeps as much for less: the cheapest that does, {cheapest.policy}, uses {used}."


def notes(view: ReplayView) -> list[str]:
    """Return what the columns mean and what the numbers do not say."""
    result = view.result
    setting = result.setting
    free = "Restarts and kept checkpoints cost nothing here; --resume-cost and --checkpoint-cost charge them."
    restart, pause = setting.resume_cost or 0.0, setting.checkpoint_cost or 0.0
    if restart or pause:
        free = f"A restart costs {restart:g} and a pause {pause:g} of a run's horizon."
    horizon, metric = quantity(result.arena.horizon, result.arena.unit), result.arena.metric
    said = [
        f"In a tournament on average {view.main.policy} {outcome_words(view.savings(view.main))}",
        f"Compute: of running every {view.noun} to the horizon, {horizon}, in {result.looks} looks (a round is one "
        f"look of all that run). Kept: one this near to the best finished. Wrong: none within "
        f"{kept(view, NEAR[-1])} of the best did. Regret: the best less the one delivered, in {metric}.",
        "What came true is the mean of a run's last evaluations, which is noisy itself. Tournaments share runs: the "
        "intervals claim more than is known.",
        free,
    ]
    if setting.stagger:
        said.append(f"Each {view.noun} starts {setting.stagger:g} of the horizon after the one before it.")
    return said
