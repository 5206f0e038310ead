"""What commands advise, in the words of the page: it takes no options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rlscale.answers import Answer, Section, Sentence
from rlscale.answers.answer import Block
from rlscale.numerals import quantity

__all__ = ["in_page_words", "page_words"]

_NUMBER = r"(-?[0-9.]+(?:e[+-]?[0-9]+)?|inf)"
#: What stands in sentences of commands, and what the page says instead.
_WORDS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Uncalibrated: not measured on runs like yours \(rlscale backtest --calibrate\)\.",
         "Not measured on runs like yours: rlscale backtest PATH, in a terminal, says how good such forecasts were on "
         "finished ones."),
        (r"; rlscale backtest --calibrate measures it on ([0-9]+ or more finished runs)\.",
         "; rlscale backtest PATH, in a terminal, measures it on \\1."),
        (r"or compare them with rlscale rank --target [^ ;]+", "or compare them on the overview"),
        (r"; give --settings F\.csv with ", "; put a settings.csv into the folder of the runs, with "),
        (r"(add it|state how) (?:with |\()--settings(?: F\.csv)?\)?",
         "\\1 in a settings.csv in the folder of the runs"),
        (r"--settings F\.csv|--settings", "settings.csv"),
        (r"if it has ended or is paused, say so with --ended or --held",
         "if it has ended or is paused, rlscale watch and its ledger keep that"),
        (r"; with --plot it draws the series", ""),
        (r"--explain RUN draws another run", "A click on a run draws its own"),
        (r"rlscale health PATH --explain RUN says why", "the page of its health says why"),
    )
)  # fmt: skip
#: Options with a number that the page asks for in a field, or was started with.
_OPTIONS = {"--budget": "the budget", "--target": "Compare at", "--reward": "Reward to reach"}
_OPTION = re.compile(rf"({'|'.join(_OPTIONS)}) {_NUMBER}")


def page_words(text: str) -> str:
    """Return a sentence as the page says it.

    Examples
    --------
    >>> page_words("--target 4e6 is far")
    'Compare at 4M is far'
    """
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return _OPTION.sub(lambda found: f"{_OPTIONS[found[1]]} {quantity(float(found[2]))}", text)


def in_page_words(answer: Answer) -> Answer:
    """Return an answer with its sentences as the page says them; its numbers and its document stay."""
    return replace(
        answer,
        headline=page_words(answer.headline),
        lead=tuple(map(page_words, answer.lead)),
        blocks=tuple(map(_block, answer.blocks)),
    )


def _block(block: Block) -> Block:
    if not isinstance(block, Section):
        return block
    sentences = tuple(
        replace(each, text=page_words(each.text)) if isinstance(each, Sentence) else page_words(each)
        for each in block.sentences
    )
    return replace(block, sentences=sentences, note=page_words(block.note))
