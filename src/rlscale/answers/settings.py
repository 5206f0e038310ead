"""How an answer was asked for, which files could not be used, and what the numbers came from."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import rlscale
from rlscale.errors import KeptError, SourceError

__all__ = ["BadFile", "Settings", "bad_files", "versions"]


@dataclass(frozen=True)
class BadFile:
    """A file that could not be used, and why."""

    path: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the answer was asked for.

    Parameters
    ----------
    command : str
        The command line, as typed.
    options : mapping
        Every option that bears on the numbers; None where it was left to its default.
    """

    command: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", dict(self.options))


def bad_files(errors: Iterable[SourceError]) -> tuple[BadFile, ...]:
    """Return what could not be used; not files whose runs are there as they were read last."""
    return tuple(BadFile(error.path, error.message) for error in errors if not isinstance(error, KeptError))


def versions() -> dict[str, str]:
    """Return the versions of what the numbers came from."""
    found = {"rlscale": rlscale.__version__, "python": platform.python_version()}
    for package in ("numpy", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
