"""Posteriors while they wait to be pooled: thousands at a time, so without what a few bytes can say."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlscale.inference.posterior import Posterior

__all__ = ["Kept", "kept"]

#: Arrays of the draws that take few different values: a fifth of their bytes hold them, in a tenth of a millisecond.
_REPEATING = ("weight", "column", "row", "noise_cell")
#: The fastest: a higher level finds little more.
_LEVEL = 1


@dataclass(frozen=True, eq=False)
class Kept:
    """A posterior without its repeating arrays, and those, compressed without loss."""

    bare: Posterior
    packed: tuple[tuple[str, np.dtype[np.generic], bytes], ...]

    def posterior(self) -> Posterior:
        """Return the posterior."""
        arrays: dict[str, Any] = {name: np.frombuffer(zlib.decompress(data), kind) for name, kind, data in self.packed}
        return replace(self.bare, draws=replace(self.bare.draws, **arrays))


def kept(posterior: Posterior) -> Kept:
    """Keep what rewards need of a posterior."""
    lean = posterior.lean()
    arrays = {name: getattr(lean.draws, name) for name in _REPEATING}
    packed = tuple((name, array.dtype, zlib.compress(array.tobytes(), _LEVEL)) for name, array in arrays.items())
    # a mere view of nothing would keep the whole
    nothing: dict[str, Any] = {name: array[:0].copy() for name, array in arrays.items()}
    return Kept(replace(lean, draws=replace(lean.draws, **nothing)), packed)
