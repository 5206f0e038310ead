"""Look a knob up."""

from __future__ import annotations

from rlscale.decisions.knobs.catalogue import KNOBS
from rlscale.decisions.knobs.knob import Catalogue
from rlscale.keywords import checked_keywords

__all__ = ["knob_catalogue"]


@checked_keywords
def knob_catalogue(name: str | None = None) -> Catalogue:
    """Return the catalogue of knobs, or one of them.

    Parameters
    ----------
    name : str, optional
        A knob, one of its settings, or what a trainer calls it: ``kl_coefficient``, ``beta``, ``learning_rate``.

    Returns
    -------
    Catalogue

    Raises
    ------
    InputError
        There is no such knob; the closest names are told.

    Examples
    --------
    >>> knob = knob_catalogue("beta").knobs[0]
    >>> knob.name, knob.moves
    ('kl_coefficient', ('stability',))
    """
    whole = Catalogue(KNOBS)
    return whole if name is None else Catalogue((whole.named(name),))
