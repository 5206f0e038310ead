"""Sizes of models as people write them."""

from __future__ import annotations

import math

__all__ = ["written"]

_LETTERS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
#: From here on a power of ten is written out.
_LARGEST = 1e15


def written(model_params: float, digits: int = 3) -> str:
    """Write a size as people do, ``7B`` or ``500M``, or the number where it is no count; it can be typed back as it is.

    Examples
    --------
    >>> written(7e9), written(5e8), written(32.0), written(0.9998e9), written(2.4e12)
    ('7B', '500M', '32', '1B', '2.4T')
    """
    if not math.isfinite(model_params) or not 0.0 < abs(model_params) < _LARGEST:
        return f"{model_params:.{digits}g}"
    rounded = float(f"{model_params:.{digits}g}")  # rounding may carry into the next letter
    for scale, letter in _LETTERS:
        if abs(rounded) >= scale:
            return f"{rounded / scale:.{digits}g}{letter}"
    return f"{model_params:.4g}" if abs(model_params) < 1e4 else f"{model_params:.0f}"
