"""Arguments of decisions that have to be numbers: anything else is refused by its name, before it is compared."""

from __future__ import annotations

from numbers import Real
from typing import Any

from rlscale.errors import InputError

__all__ = ["check_numbers", "check_pair"]


def check_numbers(**given: Any) -> None:
    """Refuse what is neither None nor a real number: a text, a list, ``True``.

    Raises
    ------
    InputError
        It names the parameter.

    Examples
    --------
    >>> check_numbers(budget="4k")
    Traceback (most recent call last):
    rlscale.errors.InputError: budget='4k' is not a number; give one, as in budget=4000
    """
    for name, value in given.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            example = "4000" if name in ("budget", "pretraining", "batch") else "0.5"
            raise InputError(f"{name}={value!r:.60} is not a number; give one, as in {name}={example}", parameter=name)


def check_pair(name: str, value: Any) -> None:
    """Refuse what is neither None nor a pair of real numbers.

    Raises
    ------
    InputError
        It names the parameter.
    """
    if value is None:
        return
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(
            f"{name}={value!r:.60} is not a pair; give two numbers, as in {name}=(1e-6, 1024)", parameter=name
        )
    for each in value:
        if isinstance(each, bool) or not isinstance(each, Real):
            raise InputError(
                f"{name}={value!r:.60} holds {each!r:.40}, which is not a number; give two numbers", parameter=name
            )
