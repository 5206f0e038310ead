"""Why verdicts are what they are: sentences grouped by verdict, each group under its advice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rlscale.answers.answer import Section, Sentence
from rlscale.inference import Verdict, VerdictName

__all__ = ["Judged", "reasons_section"]


@dataclass(frozen=True)
class Judged:
    """Who was judged, the verdict, and what is to be added to its reason."""

    name: str
    verdict: Verdict
    more: str = ""


def reasons_section(judged: Sequence[Judged], brief: Iterable[VerdictName] = ()) -> Section:
    """Return each verdict with its advice and under it the names that have it, and why; no names for ``brief`` ones."""
    sentences: list[Sentence] = []
    for name in reversed(VerdictName):
        having = [each for each in judged if each.verdict.name == name]
        for advice in dict.fromkeys(each.verdict.advice for each in having):  # a change of regime has several
            sentences.append(Sentence(advice, mark=name.value))
            if name not in brief:
                sentences += [
                    Sentence(f"{each.verdict.why} {each.more}".rstrip(), each.name, level=1)
                    for each in having
                    if each.verdict.advice == advice
                ]
    return Section("Why, and what next", tuple(sentences), on_page=False)
