"""Options of the command line as the parameters that they are in Python: ``--bounds 0 1`` is ``bounds=(0, 1)``.

Messages name options, once; :func:`in_python` puts them in the words of Python.
"""

from __future__ import annotations

import re

__all__ = ["in_python", "parameter_of"]

#: Parameters that have another name than their option.
_NAMES = {
    "from": "since", "cut": "cuts", "runs-per-tournament": "size", "for": "trainer", "emit": "recipe",
    "trainer-version": "version",
}  # fmt: skip
#: Options without a value.
_FLAGS = frozenset({"wide", "strict", "recompute", "by-recipe"})
#: Options that turn off what is on.
_OFF = {"no-health": "health"}
#: Options with two values.
_PAIRS = ("bounds", "lr-anchor")
#: Options with a value, or two.
_VALUED = frozenset(
    """
    ablation alpha at-least baseline batch batch-max bounds budget by calibration checkpoint-cost clock compute
    cut difficulty discrepancy effect emit ended epochs exclude explain family for from gpus held horizon jobs
    knob layers length logp-passes lr-anchor metric model-error most params policy predict pretraining price
    problems r-max recipe resume-cost reward risk-spent run runs-per-tournament seed-sd settings siblings spend
    stagger stopped target tolerance tournaments trainer-version unique unit until width worth
    """.split()  # noqa: SIM905  as a list it takes a screen
)
#: A command that the reader is told to type, with its own options: it stays as it is.
_COMMAND = r"rlscale [a-z]+(?: [a-z]+)?(?: [A-Z]+)?(?: --[a-z-]+(?: (?!--)[^\s;,()]+)?)+"
#: A number, a text in quotes, a placeholder (``KEY``), or one of the words that options take.
_WORDS = "inf|nan|open|auto|row|epoch|off|elapsed|train|gpu-hours|tokens|samples|steps|flops|dollars"
_VALUE = rf"(?:-?[0-9][^\s;,()]*|'[^']*'|[A-Z]+\b|(?:{_WORDS})\b)"
#: Any word where the reader is told to give it: ``give --by lr``.
_GIVEN = r"(?<=give )--(?P<given>by|compute|metric|unit) (?P<word>[^\s;:,()]+)"
_TEXT = re.compile(rf"(?P<command>{_COMMAND})|{_GIVEN}|--(?P<option>[a-z][a-z-]*[a-z])(?P<values>(?: {_VALUE}){{0,2}})")


def in_python(message: str) -> str:
    """Return a message that names options with the parameters in their place.

    Examples
    --------
    >>> in_python("--bounds 1 0 are not lowest first; give --bounds LO HI, or --bounds open")
    'bounds=(1, 0) are not lowest first; give bounds=(LO, HI), or bounds="open"'
    >>> in_python("--from 3 lies after --until 2; or compare with rlscale rank --target 5")
    'since=3 lies after until=2; or compare with rlscale rank --target 5'
    """
    return _TEXT.sub(_renamed, message)


def parameter_of(message: str) -> str | None:
    """Return the first parameter that a message is about; None where it names no option.

    Examples
    --------
    >>> parameter_of("--seed-sd -1 is not a size")
    'seed_sd'
    """
    options = (found["option"] or found["given"] for found in _TEXT.finditer(message))
    return next((_parameter(option) for option in options if option in _VALUED | _FLAGS), None)


def _parameter(option: str) -> str:
    return _NAMES.get(option, option.replace("-", "_"))


def _renamed(found: re.Match[str]) -> str:
    if found["given"]:
        return f"{_parameter(found['given'])}={_quoted(found['word'])}"
    option, values = found["option"], found["values"] or ""
    if option in _OFF:
        return f"{_OFF[option]}=False{values}"
    if option in _FLAGS:
        return f"{_parameter(option)}=True{values}"
    if option not in _VALUED:
        return found[0]
    several = values.split() if "'" not in values else [values[1:]]
    takes = 2 if option in _PAIRS and several[:1] not in (["open"], []) else 1
    own, rest = [_quoted(one) for one in several[:takes]], several[takes:]
    if not own:
        return _parameter(option)
    value = own[0] if takes == 1 else f"({', '.join(own)})"
    return " ".join([f"{_parameter(option)}={value}", *rest])


def _quoted(value: str) -> str:
    """Return a value as Python writes it: words in quotes, but for numbers, placeholders and what is quoted."""
    plain = value in ("inf", "nan") or value.isupper() or value[0] in "'-0123456789"
    return value if plain else f'"{value}"'
