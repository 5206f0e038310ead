"""verl's console log: step lines that were cut in the middle of the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["NUMBER", "StepLine", "cut_end", "torn_lines"]

NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf)"

#: A field and nothing after it.
_WHOLE = re.compile(rf"\S.*?:(?:{NUMBER}|np\.\w+\({NUMBER}\))\s*")

#: The start of a field, cut in its key or in its value.
_CUT = re.compile(
    r"[\w@/.+-]+(?::(?:[-+]?(?:\d+\.|\d*\.?\d+[eE][-+]?|n|na|i|in)?|np?(?:\.\w*)?(?:\([-+\d.eE]*)?))?",
)
_RAY = re.compile(r"\(\w+ (?:pid|ip)=[^)]*\)\s*$")

#: A key that this share of the other lines of its kind hold belongs to every line of the kind.
_COMMON = 0.9


@dataclass(frozen=True, eq=False)
class StepLine:
    """A step line: where it stands, its keys in order, and the cut field it ends in (None where it ends whole)."""

    position: int
    step: float
    keys: tuple[str, ...]
    cut: str | None


def cut_end(fields: Sequence[str]) -> str | None:
    """Return the cut field that ends a step line; None where it ends in a whole field or in glued text.

    What Ray writes after a line follows its last value without a break, so the field before a cut one is whole.
    """
    last = _RAY.sub("", fields[-1]).strip()
    if len(fields) == 1:
        return last if "/" in last and _CUT.fullmatch(last) else None
    return last if last and _CUT.fullmatch(last) and _WHOLE.fullmatch(fields[-2]) else None


def torn_lines(lines: Sequence[StepLine]) -> Iterator[tuple[int, str]]:
    """Yield the index of each torn line and how that shows.

    A line is torn where it ends in a cut field, or where the keys it lacks are the last ones that all others of its
    kind (train, or validation alone) end with.
    """
    place = {id(line): index for index, line in enumerate(lines)}
    for validates in (True, False):
        group = [line for line in lines if _validates(line) is validates]
        counts = Counter(key for line in group for key in set(line.keys))
        ends = Counter(line.keys[-1] for line in group if line.keys)
        for line in group:
            if line.cut is not None:
                yield place[id(line)], f"it ends in {line.cut!r}"
            elif line.keys and ends[line.keys[-1]] == 1 and len(group) > 2:
                lost = _lost(line, group, counts)
                if lost:
                    yield place[id(line)], f"it ends after {line.keys[-1]!r} where the others go on to {lost!r}"


def _validates(line: StepLine) -> bool:
    return all(key.startswith("val") for key in line.keys)


def _lost(line: StepLine, group: Sequence[StepLine], counts: Counter[str]) -> str | None:
    """Return the last key of the others, where the line has all their common keys up to its own end and none after."""
    others = len(group) - 1
    held = set(line.keys)
    common = {key for key, count in counts.items() if count - (key in held) > _COMMON * others}
    whole = next((other for other in group if other is not line and common <= set(other.keys)), None)
    if whole is None or line.keys[-1] not in whole.keys:
        return None
    after = [key for key in whole.keys[whole.keys.index(line.keys[-1]) + 1 :] if key in common]
    return after[-1] if after and not held.intersection(after) else None
