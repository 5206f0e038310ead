"""Frozen plain values: they go to another process, are copied and are compared by what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from rlscale.errors import InputError

__all__ = ["Value", "equal"]


@dataclass(frozen=True)
class _ReadOnly:
    """A read-only mapping while it travels."""

    content: dict[Any, Any]


class Value:
    """Base of frozen dataclasses that pickle and deep-copy to an equal value.

    What travels are the fields and nothing else. Arrays are read-only again on arrival, and so are mappings that were.
    Two of them are equal where their fields are, array by array, NaN equal to NaN.

    Raises
    ------
    InputError
        On loading a pickle that has other fields than the class: nothing half made is returned.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {name: _packed(getattr(self, name)) for name in _names(type(self))}

    def __setstate__(self, state: Any) -> None:
        kind, names = type(self).__name__, _names(type(self))
        given = list(state) if isinstance(state, dict) else []
        if set(given) != set(names):
            lacks = ", ".join(name for name in names if name not in given)
            strange = ", ".join(str(name) for name in given if name not in names)
            said = " and ".join(
                [*([f"lacks {lacks}"] if lacks else []), *([f"holds {strange[:200]}"] if strange else [])]
            )
            raise InputError(
                f"this pickle of a {kind} is of another release of rlscale, or none of its own: it {said}; "
                "read the logs again and make it anew"
            )
        self.__dict__.update({name: _unpacked(state[name]) for name in names})

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self is other or _same_fields(self, other)

    def __hash__(self) -> int:
        said = (getattr(self, name) for name in _names(type(self)))
        return hash((type(self), *(each for each in said if isinstance(each, str | int))))


def equal(one: Any, other: Any) -> bool:
    """Whether two plain values hold the same: arrays by type and value, NaN equal to NaN, mappings by their items."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return _same_array(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(item, other[key]) for key, item in one.items())
    if type(one) is not type(other):
        return bool(one == other)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    if is_dataclass(one) and not isinstance(one, type):
        return _same_fields(one, other)
    return bool(one == other) or (isinstance(one, float) and one != one and other != other)


def _same_fields(one: Any, other: Any) -> bool:
    return all(equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(one) if each.compare)


def _same_array(one: Any, other: Any) -> bool:
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)) or one.dtype != other.dtype:
        return False
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _packed(held: Any) -> Any:
    return _ReadOnly(dict(held)) if isinstance(held, MappingProxyType) else held


def _unpacked(held: Any) -> Any:
    if isinstance(held, np.ndarray):
        held.flags.writeable = False
    return MappingProxyType(held.content) if isinstance(held, _ReadOnly) else held
