"""Numbers as people type them: as the output prints them (``4k``, ``2.5M``, ``7B``), plain, or as a power (``1e6``)."""

from __future__ import annotations

import math
import re
from typing import Any

import click

__all__ = ["Amount", "Bound", "Compute", "Count", "Start", "number_of"]

#: What ``--from`` takes in place of a compute, and ``--bounds`` in place of two rewards.
AUTO, OPEN = "auto", "open"

#: Billions are ``G`` in computes and ``B`` in parameters.
_SUFFIXES = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_EXAMPLES = "1000, 1e6, 4k, 2.5M, 7B and 1.5T are numbers"
#: Commas can only be between thousands: ``2,5e2`` or ``1,5`` could mean anything.
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_LEADING = re.compile(r"[+-]?[0-9][0-9.]*[kmgbt](?=[a-z ]|$)", re.IGNORECASE)


def number_of(text: str) -> float:
    """Return a number as typed: with commas between thousands, or with a suffix as the output prints it.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> number_of("2.5M"), number_of("1,000"), number_of("1e6")
    (2500000.0, 1000.0, 1000000.0)
    """
    text = text.strip().lower()
    times = _SUFFIXES.get(text[-1:], 1.0)
    digits = text[:-1] if times > 1.0 else text
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    value = float(digits)
    if times > 1.0 and not math.isfinite(value):
        raise ValueError(f"{text!r} is no number")
    return value if times == 1.0 else float(f"{value * times:.15g}")  # 2.3k is 2300, not 2299.9999999999995


def suggestion(text: str) -> str:
    """Return what a text that is no number was probably meant to be; empty where nobody can tell.

    Examples
    --------
    >>> suggestion("2,5M"), suggestion("4kk"), suggestion("4k tokens"), suggestion("many")
    ('2.5M', '4k', '4k', '')
    """
    plain = text.strip().replace(" ", "").replace("'", "")
    point = plain.replace(",", ".") if plain.count(",") == 1 else plain
    found = _LEADING.match(point)
    for candidate in (plain, point, "" if found is None else found.group()):
        try:
            number_of(candidate)
        except ValueError:
            continue
        return candidate
    return ""


class _Number(click.ParamType):  # type: ignore[type-arg]  # click before 8.3 cannot be subscripted
    """A number as typed; what is none is refused with what would be right."""

    def number(self, value: Any, what: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; ``what`` it should be, and how else it may be given, stands in the error."""
        try:
            return number_of(str(value))
        except ValueError:
            meant = suggestion(str(value))
            hint = f"did you mean {meant}?" if meant else _EXAMPLES
            self.fail(f"{value!r} is not {what}; {hint}", param, ctx)


class Compute(_Number):
    """A compute; with ``endless``, ``inf`` means the asymptote."""

    name = "compute"

    def __init__(self, *, endless: bool = True) -> None:
        self._endless = endless

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the compute, infinity for the asymptote."""
        if self._endless and str(value).strip().lower() == "asymptote":
            return math.inf
        more = ", or inf for the asymptote" if self._endless else ""
        return self.number(value, f"a compute; give a number{more}", param, ctx)


class Amount(_Number):
    """A finite number: a price, parameters, GPUs."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        found = self.number(value, "a number", param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return found


class Count(_Number):
    """A whole number, from ``least`` to ``most``."""

    name = "count"

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        found = self.number(value, "a whole number", param, ctx)
        if not found.is_integer():
            self.fail(f"{value!r} is not a whole number", param, ctx)
        if (self._least is not None and found < self._least) or (self._most is not None and found > self._most):
            most = "" if self._most is None else f" to {self._most}"
            self.fail(f"{value} is out of range; give {self._least}{most or ' or more'}", param, ctx)
        return int(found)


class Bound(_Number):
    """One end of ``--bounds``: a number, or ``open``."""

    name = "bound"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the number, or ``open``."""
        if str(value).strip().lower() == OPEN:
            return OPEN
        return self.number(value, "a reward; give --bounds LO HI, or --bounds open", param, ctx)


class Start(_Number):
    """Where the points used begin: a compute, or ``auto``."""

    name = "start"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the compute, or ``auto``."""
        if str(value) == AUTO:
            return AUTO
        return self.number(value, "a compute; give a number, or auto to choose from the curve", param, ctx)
