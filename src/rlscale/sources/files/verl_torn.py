"""verl's console log: step lines that were cut in the middle of the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["NUMBER", "StepLine", "cut_end", "joined", "maybe_joined", "torn_lines"]

NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?|nan|inf)"

#: A field and nothing after it.
_WHOLE = re.compile(rf"\S.*?:(?:{NUMBER}|np\.\w+\({NUMBER}\))\s*")

#: The start of a field, cut in its key or in its value.
_CUT = re.compile(
    r"[\w@/.+-]+(?::(?:[-+]?(?:\d+\.|\d*\.?\d+[eE][-+]?|n|na|i|in)?|np?(?:\.\w*)?(?:\([-+\d.eE]*)?))?",
)
_RAY = re.compile(r"\(\w+ (?:pid|ip)=[^)]*\)\s*$")

#: The rest of a number that was cut.
_REST = re.compile(r"[-+.\deE]{1,30}\)?")

#: A longer text is no field.
_LONG = 2000

#: Fields of a line that is broken, at most; no trainer logs more in one line.
_MOST = 20_000

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
    if len(fields[-1]) > _LONG:
        return None
    last = _RAY.sub("", fields[-1]).strip()
    if len(fields) == 1:
        return last if last and _CUT.fullmatch(last) else None
    if len(fields[-2]) > _LONG or not _WHOLE.fullmatch(fields[-2]):
        return None
    return last if not last or _CUT.fullmatch(last) or last.endswith(" -") else None


def joined(text: str, line: str) -> str | None:
    """Return a step line with the line after it, where that goes on with its fields; None where it does not.

    A terminal breaks a line wherever its width falls: in a key, in a value, or between fields.

    Examples
    --------
    >>> joined("critic/score/mean:0.5 - response_length/me", "an:300.0 - timing_s/step:60.0")
    'critic/score/mean:0.5 - response_length/mean:300.0 - timing_s/step:60.0'
    """
    place = text.rfind(" - ") + 3 if " - " in text else 0
    fields = _glued(text[place:], line).split(" - ")
    if len(line) > _LONG or len(fields) > _MOST or len(text) - place > _LONG:
        return None
    *inner, last = fields
    last = last.removesuffix(" -")
    ends = not last or _WHOLE.fullmatch(last) or _CUT.fullmatch(last)
    if not ends or not all(map(_WHOLE.fullmatch, inner)):
        return None
    if not inner and cut_end(text.split(" - ")) is None:
        return None  # nothing was cut, and no field comes after it
    return text[:place] + " - ".join(fields)


def maybe_joined(text: str, line: str) -> str | None:
    """Return a step line with the rest of its last number, where the line after it can be no more than that.

    Examples
    --------
    >>> maybe_joined("critic/score/mean:0.5 - perf/total_num_tokens:100", "000")
    'critic/score/mean:0.5 - perf/total_num_tokens:100000'
    """
    if _REST.fullmatch(line) is None:
        return None
    whole = text + line
    return whole if _WHOLE.fullmatch(whole.rpartition(" - ")[2]) else None


def _glued(text: str, line: str) -> str:
    spaceless = text.endswith(" -") and not line.startswith(" ")
    dashed = line.startswith("- ") and not text.endswith((" ", ":"))
    return f"{text} {line}" if spaceless or dashed else text + line


def torn_lines(lines: Sequence[StepLine]) -> Iterator[tuple[int, str]]:
    """Yield the index of each torn line and how that shows.

    A line is torn where it ends in a cut field, or where the keys it lacks are the last ones that all others of its
    kind end with. A line that ends in validation keys is compared with the validation keys of every line.
    """
    sets = Counter(line.keys for line in lines)  # a log has few sets of keys and many lines
    known = {key for keys in sets for key in keys}
    marks = {keys: _graded(keys) for keys in sets}
    trained = _Group.of((keys, count) for keys, count in sets.items() if len(marks[keys]) < len(keys))
    graded = _Group.of((marks[keys], count) for keys, count in sets.items())
    for index, line in enumerate(lines):
        if line.cut is not None and (line.keys or _starts_a_key(line.cut, known)):
            yield index, f"it ends in {line.cut!r}" if line.cut else "it ends in ' - '"
        elif line.keys:
            at_graded = line.keys[-1].startswith("val")
            lost = graded.lost(marks[line.keys]) if at_graded else trained.lost(line.keys)
            if lost:
                yield index, f"it ends after {line.keys[-1]!r} where the others go on to {lost!r}"


def _graded(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if key.startswith("val"))


def _starts_a_key(text: str, known: Collection[str]) -> bool:
    """Whether a cut field that is alone on its line starts a key, and is no word of another program."""
    key = text.split(":")[0]
    return "/" in key or any(name.startswith(key) for name in known)


@dataclass(frozen=True, eq=False)
class _Group:
    """The keys of all lines of one kind: how often each is held, and how often a line ends with it."""

    sets: Counter[tuple[str, ...]]
    counts: Counter[str]
    ends: Counter[str]

    @classmethod
    def of(cls, lines: Iterable[tuple[tuple[str, ...], int]]) -> _Group:
        """Return the group of sets of keys, each with its number of lines."""
        group = cls(Counter(), Counter(), Counter())
        for keys, count in lines:
            if keys:
                group.sets[keys] += count
                group.ends[keys[-1]] += count
                for key in keys:
                    group.counts[key] += count
        return group

    def lost(self, keys: tuple[str, ...]) -> str | None:
        """Return the last key of the others, where a line has their common keys up to its own end and none after."""
        others = self.sets.total() - 1
        if others < 2 or self.ends[keys[-1]] > 1:
            return None
        held = set(keys)
        common = {key for key, count in self.counts.items() if count - (key in held) > _COMMON * others}
        whole = next((k for k in self.sets if k != keys and keys[-1] in k and common <= set(k)), None)
        if whole is None:  # a key of its own: not a cut but another version, or glued text
            return None
        after = [key for key in whole[whole.index(keys[-1]) + 1 :] if key in common]
        return after[-1] if after and not held.intersection(after) else None
