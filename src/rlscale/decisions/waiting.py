"""Posteriors while they wait to be pooled: thousands at a time, so in single precision and in few pieces of memory."""

from __future__ import annotations

import mmap
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rlscale.inference.posterior import Posterior

__all__ = ["Waiting"]

#: Bytes asked of the system at once, some hundred posteriors.
_PIECE = 1 << 23


class Waiting:
    """Room for posteriors, apart from all other memory: freed among it one by one, they would leave it in small holes.

    A piece of room goes back to the system with the last posterior in it.
    """

    def __init__(self) -> None:
        self._left = np.empty(0, dtype=np.uint8)

    def packed(self, posterior: Posterior) -> Posterior:
        """Return a posterior in single precision, in this room."""
        return replace(posterior, draws=posterior.draws.packed(self._room))

    def _room(self, size: int) -> NDArray[np.uint8]:
        size = -(-size // 8) * 8
        if self._left.size < size:
            self._left = np.frombuffer(mmap.mmap(-1, max(size, _PIECE)), dtype=np.uint8)
        room, self._left = self._left[:size], self._left[size:]
        return room
