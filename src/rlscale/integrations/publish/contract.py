"""What every tracker is told, and what it must do: write rows of a run, and close."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from rlscale.errors import InputError

__all__ = ["FAILURES", "SUFFIX", "Account", "Row", "Tracker", "library"]

#: What a tracker's library may raise besides errors of its own, while the tracker is down or its answer is odd.
FAILURES: tuple[type[Exception], ...] = (
    OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError, AssertionError,
    ImportError, EOFError, StopIteration,
)  # fmt: skip

#: What a run is called that stands beside the one that it tells of.
SUFFIX = " (rlscale)"


@dataclass(frozen=True)
class Account:
    """A run that trackers are told of.

    Parameters
    ----------
    name, recipe : str
    mark : str
        Of this run of this ledger alone, wherever the ledger lies now: 32 hexadecimal digits.
    ledger : str
        Address, without a password.
    unit : str
        Of its compute.
    """

    name: str
    recipe: str
    mark: str
    ledger: str
    unit: str

    @property
    def beside(self) -> str:
        """What the run is called that stands beside it."""
        return self.name + SUFFIX


@dataclass(frozen=True)
class Row:
    """What a tracker is told at one place of a run.

    Parameters
    ----------
    key : str
        Of this row alone, whoever writes it how often.
    step : int
        The trainer's, where it is known; else the compute, rounded.
    at : float
        Unix time.
    metrics : mapping of str to float
        Finite numbers.
    texts : mapping of str to str
        The same in words.
    """

    key: str
    step: int
    at: float
    metrics: Mapping[str, float]
    texts: Mapping[str, str]


class Tracker(Protocol):
    """Where rows are written; one is used by one thread.

    Attributes
    ----------
    target : str
        As it was named, without a password.
    key : str
        The same place is the same text, whatever it was called and from wherever.
    failures : tuple of type
        What :meth:`write` and :meth:`close` may raise when the tracker is down.
    """

    target: str
    key: str
    failures: tuple[type[Exception], ...]

    def write(self, account: Account, rows: Sequence[Row]) -> None:
        """Write rows of a run, which is opened where it is not open yet; they are there when this returns."""

    def close(self) -> None:
        """End what was opened."""


def library(target: str, module: str, extra: str) -> ModuleType:
    """Return a tracker's library.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"--publish {target} needs a library: pip install 'rlscale[{extra}]'") from error
