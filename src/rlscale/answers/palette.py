"""Colours that survive colour blindness and print: Okabe and Ito's, with a lighter set for dark pages.

Colour never stands alone: recipes are labelled where they are drawn, verdicts are written out.
"""

from __future__ import annotations

from rlscale.inference import VerdictName

__all__ = [
    "DECISION",
    "INK",
    "MUTED",
    "PAGE",
    "SERIES",
    "SERIES_DARK",
    "SEVERITY",
    "VERDICT",
    "VERDICT_RICH",
    "mark_words",
    "verdict_words",
]

SERIES = ("#0072b2", "#d55e00", "#009e73", "#b4639a", "#c98a00", "#3d9bd1", "#6f5a3c", "#555f9e")
SERIES_DARK = ("#58aee8", "#f58a45", "#37c99d", "#e2a0cb", "#f0b93a", "#8fd0f5", "#c9ad84", "#a3acec")
INK, MUTED = "#1b1f24", "#6a737d"

#: What a page is made of besides, (light, dark): text that is ``muted`` is read on both ``page`` and ``card``.
PAGE = {
    "page": ("#f6f7f8", "#0f1316"),
    "card": ("#ffffff", "#171c20"),
    "ink": (INK, "#e8ebee"),
    "soft": ("#4d565f", "#b3bbc3"),
    "muted": ("#636c76", "#949da6"),
    "line": ("#e1e4e8", "#2a3138"),
    "grid": ("#eceff2", "#232a30"),
    "faint": ("#b9c0c7", "#4a535c"),
}
#: Verdict to (light, dark) colour of its badge.
VERDICT = {
    VerdictName.RESOLVED: ("#00795a", "#37c99d"),
    VerdictName.BENDING: ("#0b66a8", "#58aee8"),
    VerdictName.PRE_INFLECTION: ("#9a6700", "#f0b93a"),
    VerdictName.NO_LEARNING: ("#5f6872", "#a3abb5"),
    VerdictName.REGIME_CHANGE: ("#8a3f73", "#e2a0cb"),
    VerdictName.COLLAPSED: ("#b3430a", "#f58a45"),
    VerdictName.TOO_FEW_POINTS: ("#5f6872", "#a3abb5"),
}
VERDICT_RICH = {
    VerdictName.RESOLVED: "bold green",
    VerdictName.BENDING: "bold blue",
    VerdictName.PRE_INFLECTION: "bold yellow",
    VerdictName.NO_LEARNING: "bright_black",
    VerdictName.REGIME_CHANGE: "bold magenta",
    VerdictName.COLLAPSED: "bold red",
    VerdictName.TOO_FEW_POINTS: "bright_black",
}
#: Decision to its mark, its colour in a terminal, and its colour role in charts and on pages.
DECISION = {
    "commit": ("✔", "bold green", "s2"),
    "continue": ("▶", "bold blue", "s0"),
    "hold": ("‖", "bold yellow", "pre_inflection"),
    "stop": ("■", "bold red", "muted"),
}
#: The same of how grave an alarm is; ``stop`` is told apart from the decision.
SEVERITY = {
    "severity_stop": ("■", "bold red", "collapsed"),
    "severity_warn": ("▲", "bold yellow", "pre_inflection"),
    "severity_note": ("•", "bright_black", "no_learning"),
}


def verdict_words(name: VerdictName) -> str:
    """Return the verdict as words, ``pre-inflection``."""
    return {VerdictName.PRE_INFLECTION: "pre-inflection"}.get(name, name.value.replace("_", " "))


def mark_words(mark: str) -> str:
    """Return a verdict, a decision or a severity with its sign: ``● resolved``, ``‖ hold``, ``▲ warn``."""
    if mark in SEVERITY:
        return f"{SEVERITY[mark][0]} {mark.removeprefix('severity_')}"
    if mark in DECISION:
        return f"{DECISION[mark][0]} {mark}"
    return f"● {verdict_words(VerdictName(mark))}"
