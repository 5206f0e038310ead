"""What deciding saves, in a sentence."""

from __future__ import annotations

from rlscale.answers.numbers import quantity
from rlscale.decisions.savings import Savings

__all__ = ["outcome_words", "savings_words"]


def savings_words(told: Savings) -> str:
    """Return compute spent, saved so far and expected to be saved, against running all to the budget, and in money."""
    said = (
        f"Spent {quantity(told.spent)} of the {quantity(told.planned, told.unit)} of running all to the budget; saved "
        f"so far {quantity(told.saved)}, expected in the end {quantity(told.expected)}{_share(told)}."
    )
    money = told.money
    if money is None or told.unit == "dollars":
        return said
    return (
        f"{said} At {told.price:,g} dollars a GPU-hour: {quantity(money.spent)} of {quantity(money.planned)} dollars "
        f"spent, {quantity(money.saved)} saved so far, {quantity(money.expected)} expected."
    )


def outcome_words(told: Savings) -> str:
    """Return compute spent and saved in a comparison that is over, and in money."""
    said = f"spent {quantity(told.spent)} of {quantity(told.planned, told.unit)} and saved {quantity(told.saved)}"
    money = told.money
    if money is None or told.unit == "dollars":
        return f"{said}."
    return (
        f"{said}: at {told.price:,g} dollars a GPU-hour {quantity(money.saved)} of {quantity(money.planned)} dollars."
    )


def _share(told: Savings) -> str:
    return f" ({100 * told.expected / told.planned:.0f} %)" if told.planned > 0.0 and told.expected > 0.0 else ""
