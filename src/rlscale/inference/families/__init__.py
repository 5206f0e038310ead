"""Curve families, one file each; a new one is its file and a line here."""

from __future__ import annotations

from rlscale.errors import InputError
from rlscale.inference.families.base import Family
from rlscale.inference.families.sigmoid import SIGMOID

__all__ = ["FAMILIES", "SIGMOID", "Family", "family_named"]

FAMILIES = {family.name: family for family in (SIGMOID,)}


def family_named(name: str) -> Family:
    """Return the family called ``name``.

    Raises
    ------
    InputError
        There is none of that name.
    """
    if name not in FAMILIES:
        raise InputError(f"unknown family {name!r}; give --family with one of {', '.join(FAMILIES)}")
    return FAMILIES[name]
