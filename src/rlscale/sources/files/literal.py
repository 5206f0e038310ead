"""Numbers of a dictionary as Python prints it, read without building it."""

from __future__ import annotations

import math
import re

from rlscale.sources.limits import LONGEST_KEY, MOST_KEYS
from rlscale.sources.repair import number

__all__ = ["numbers_of"]

_NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?|nan|inf|None)"

#: A string, with the number after it where it is a key with one; or a bracket. A string without an end reaches to the
#: end of the text, so that each character is looked at once.
_TOKEN = re.compile(
    r"""(?:'([^'\\]*+(?:\\.?[^'\\]*+)*+)(?:'|\Z)|"([^"\\]*+(?:\\.?[^"\\]*+)*+)(?:"|\Z))"""
    rf"""(?:\s*+:\s*+(?:(?:np\.\w++|tensor)\(\s*+)?(?:'({_NUMBER})'|"({_NUMBER})"|({_NUMBER})(?=[\s,)}}\]])))?"""
    r"|[{}\[\]]",
    re.DOTALL,
)


def numbers_of(text: str, start: int = 0) -> tuple[dict[str, float], int]:
    """Return the numbers of a printed dictionary and the place after its closing brace.

    Numbers may be quoted or wrapped (``np.float64(0.5)``, ``tensor(0.5, ...)``); ``nan``, ``inf`` and ``None`` are
    NaN. What stands in a list or in a dictionary within is passed over.

    Parameters
    ----------
    text : str
        Holds ``{`` at ``start``.
    start : int
        Where the dictionary begins.

    Returns
    -------
    values : dict of str to float
    end : int
        -1 where the dictionary has no end, or more keys than any run logs.
    """
    values: dict[str, float] = {}
    depth = 0
    for token in _TOKEN.finditer(text, start):
        one, two, quoted, doubled, bare = token.groups()
        key = one if one is not None else two
        if key is None:
            depth += 1 if token[0] in "{[" else -1
            if depth <= 0:
                return values, token.end()
        elif depth == 1:
            shown = bare or quoted or doubled
            if shown is not None and len(key) <= LONGEST_KEY:
                value = math.nan if shown.endswith("None") else number(shown)
                if value is not None:
                    values[key] = value
                    if len(values) > MOST_KEYS:
                        break
    return values, -1
