"""The two engines of the sums: the compiled kernel where it was built, else numpy."""

from __future__ import annotations

import os
from functools import lru_cache

from rlscale.errors import InputError
from rlscale.inference.backend.base import Backend, Densities, Jobs, Weighed
from rlscale.inference.backend.compiled import load
from rlscale.inference.backend.plain import Plain

__all__ = ["NAMES", "Backend", "Densities", "Jobs", "Weighed", "backend", "backend_named"]

#: What ``RLSCALE_BACKEND`` may say.
NAMES = ("compiled", "numpy")


def backend() -> Backend:
    """Return the engine in use: the compiled one where it is there, unless ``RLSCALE_BACKEND`` names another.

    Raises
    ------
    InputError
        ``RLSCALE_BACKEND`` names none, or the compiled one where it was not built.
    """
    return backend_named(os.environ.get("RLSCALE_BACKEND", ""))


@lru_cache(maxsize=len(NAMES) + 1)
def backend_named(name: str) -> Backend:
    """Return the engine called ``name``; by an empty name the fastest that is there."""
    if name not in ("", *NAMES):
        raise InputError(f"RLSCALE_BACKEND={name} is no engine; give {' or '.join(NAMES)}, or leave it out")
    compiled = load() if name != "numpy" else None
    if compiled is None and name == "compiled":
        raise InputError(
            "RLSCALE_BACKEND=compiled, but the kernel was not built: install again where there is a C compiler (cc), "
            "or leave RLSCALE_BACKEND out to use numpy"
        )
    return compiled or Plain()
