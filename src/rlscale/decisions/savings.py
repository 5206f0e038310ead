"""What deciding saves: compute spent, saved so far and expected to be saved, against running all runs to the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from rlscale.errors import InputError

__all__ = ["Money", "Outlay", "Savings", "check_price", "savings"]


@dataclass(frozen=True)
class Outlay:
    """What a run has spent, and what is to become of it.

    Parameters
    ----------
    spent : float
        Compute so far, in the runs' unit.
    paused : bool
        Whether it is held or stopped now: it spends nothing.
    comeback : float, optional
        Probability that it goes on to the budget after all, where it is to be held (above 0) or stopped (0); None for
        a run that goes on.
    over : bool
        Whether it ended by itself: what it did not spend is nobody's saving.
    """

    spent: float
    paused: bool = False
    comeback: float | None = None
    over: bool = False


@dataclass(frozen=True)
class Money:
    """The same as :class:`Savings`, in dollars."""

    spent: float
    saved: float
    expected: float
    planned: float


@dataclass(frozen=True)
class Savings:
    """Compute of all runs together, in ``unit``.

    Parameters
    ----------
    spent : float
        So far.
    saved : float
        So far: what runs that are paused now would have spent, had they come as far as the furthest run.
    expected : float
        In the end, by what is decided now: what runs that are held or stopped do not spend up to the budget, each
        held one weighed with the probability that it stays paused.
    planned : float
        What running all runs to the budget takes; of a run that ended by itself, what it spent.
    unit : str
    price : float, optional
        Dollars for a GPU-hour.
    """

    spent: float
    saved: float
    expected: float
    planned: float
    unit: str
    price: float | None = None

    @property
    def money(self) -> Money | None:
        """All of it in dollars; None where nothing says what a unit costs."""
        factor = 1.0 if self.unit == "dollars" else self.price
        if factor is None:
            return None
        return Money(*(factor * value for value in (self.spent, self.saved, self.expected, self.planned)))

    def at(self, price: float | None) -> Savings:
        """Return the same at a price of a GPU-hour, in dollars.

        Raises
        ------
        InputError
            As :func:`check_price`.
        """
        check_price(price, self.unit)
        return replace(self, price=price)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        money = self.money
        return {
            "spent": self.spent, "saved": self.saved, "expected": self.expected, "planned": self.planned,
            "unit": self.unit, "price": self.price, "money": None if money is None else dict(vars(money)),
        }  # fmt: skip


def check_price(price: float | None, unit: str) -> None:
    """Refuse a price of a GPU-hour, in dollars, that says nothing of compute in ``unit``.

    Raises
    ------
    InputError
        The price is none, or compute is neither in GPU-hours nor in dollars.
    """
    if price is None:
        return
    if not (price > 0 and isfinite(price)):
        raise InputError(f"--price {price:g} is no price of a GPU-hour; give a number above 0")
    if unit not in ("gpu-hours", "dollars"):
        raise InputError(
            f"--price {price:g} is for GPU-hours and compute is in {unit}; leave it out, or read the runs in GPU-hours"
        )


def savings(outlays: Sequence[Outlay], budget: float, unit: str, *, reached: float | None = None) -> Savings:
    """Return what is saved against running all runs to the budget.

    With ``s`` the compute of a run, ``F`` that of the furthest and ``C`` the budget: ``saved`` is the sum of
    ``min(F, C) - s`` over runs that are paused, ``expected`` that of ``(1 - p) (C - s)`` over runs that are to be held
    (``p`` the probability that they come back) or stopped (``p = 0``); nothing below 0 counts.

    Parameters
    ----------
    outlays : sequence of Outlay
    budget : float
        Compute that one run may get, in ``unit``.
    unit : str
    reached : float, optional
        ``F`` where it is known otherwise: the end of a comparison that is over.

    Examples
    --------
    >>> savings([Outlay(60.0), Outlay(20.0, paused=True, comeback=0.1)], 100.0, "steps")
    Savings(spent=80.0, saved=40.0, expected=72.0, planned=200.0, unit='steps', price=None)
    """
    front = max((one.spent for one in outlays), default=0.0) if reached is None else reached
    front = min(front, budget)
    live = [one for one in outlays if not one.over]
    return Savings(
        spent=float(sum(one.spent for one in outlays)),
        saved=float(sum(max(front - one.spent, 0.0) for one in live if one.paused)),
        expected=float(
            sum((1.0 - one.comeback) * max(budget - one.spent, 0.0) for one in live if one.comeback is not None)
        ),
        planned=float(sum(one.spent if one.over else max(budget, one.spent) for one in outlays)),
        unit=unit,
    )
