"""What a key says by its form alone, whoever logged it."""

from __future__ import annotations

import re

from rlscale.curves.validation_keys import names_a_validation

__all__ = ["is_bookkeeping", "is_evaluation"]

#: Where a row stands, not what was measured; train and validation rows may share them.
_BOOKKEEPING = re.compile(
    r"(^|/)(_?step|epoch|total_flos|_?timestamp|_?runtime|(wall_)?time)$|global_step|^(progress|time)/"
)

_EVALUATION = re.compile(r"(?:test|eval|evaluation|val|valid|validation)[/_\-.@]", re.IGNORECASE)


def is_bookkeeping(key: str) -> bool:
    """Whether a key says where a row stands: a step, an epoch, a time."""
    return _BOOKKEEPING.search(key) is not None


def is_evaluation(key: str) -> bool:
    """Whether a key names something measured by an evaluation, not on the train batch."""
    return _EVALUATION.match(key) is not None or names_a_validation(key)
