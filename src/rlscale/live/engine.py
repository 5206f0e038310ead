"""What made a number that the ledger keeps."""

from __future__ import annotations

from rlscale import __version__
from rlscale.inference.backend import backend

__all__ = ["engine"]


def engine() -> str:
    """Return release and backend, ``0.1.0+compiled``: where both are equal the bits are, on one machine."""
    return f"{__version__}+{backend().name}"
