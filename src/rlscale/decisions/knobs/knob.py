"""What a knob of a recipe is: its settings, what it moves, and what was measured, study by study."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from rlscale.curves.value import Value
from rlscale.errors import InputError
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["GRADES", "Catalogue", "Interaction", "Knob", "Moves", "PublishedFit", "Study"]

#: The ceiling A, the compute that it takes to come near it (C_mid, B), or whether training holds out.
Moves = Literal["ceiling", "speed", "stability"]

#: How a figure is known.
GRADES = {
    "V": "read in the paper's own text",
    "V abstract": "read in the abstract only",
    "V-code": "read in the authors' released code",
    "S": "secondhand: read in someone's notes on a figure or a text",
    "D": "derived from published figures",
    "M": "general knowledge, not checked",
    "draft": "in a draft, dropped from the final text",
}


@dataclass(frozen=True)
class Study(Value):
    """What one study says of a knob.

    Parameters
    ----------
    source : str
        Paper and place.
    grade : str
        One of :data:`GRADES`; ``S, 3`` where so many independent readers agree.
    baseline : str
        What the knob was turned from: effects are those of this baseline and no other.
    effect : str
        What was measured, A being the ceiling (a share), B and C_mid (GPU-hours) the speed.
    """

    source: str
    grade: str
    baseline: str
    effect: str


@dataclass(frozen=True)
class PublishedFit(Value):
    """A published curve, R(C) = R0 + (A - R0) / (1 + (C_mid / C)^B); its R0 is not published.

    Parameters
    ----------
    knob : str
        The knob that sets it apart from the published recipe; empty for the recipe itself.
    label : str
    A, B, C_mid : float
        The ceiling (a share), the exponent, and the compute to half of the gain (GPU-hours).
    """

    knob: str
    label: str
    A: float
    B: float
    C_mid: float


@dataclass(frozen=True)
class Interaction(Value):
    """Another knob that must move with this one, and why."""

    knob: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Knob(Value):
    """One knob.

    Parameters
    ----------
    name, title : str
        In JSON, and in sentences.
    settings : tuple of str
        Canonical settings that turn it (:class:`rlscale.curves.Config`); none where no trainer has one.
    moves : tuple of str
        ``ceiling``, ``speed``, ``stability``: what any of the studies saw it move; empty where none did.
    reading : str
        What to make of the evidence, in a sentence.
    recipe : str
        The published recipe (ScaleRL) has it so; empty where the recipe does not say.
    evidence : tuple of Study
    contradictions : tuple of str
        Where the studies disagree: shown, never averaged.
    interacts : tuple of Interaction
    aliases : tuple of str
        Other names that it is asked for by.
    """

    name: str
    title: str
    settings: tuple[str, ...]
    moves: tuple[Moves, ...]
    reading: str
    recipe: str
    evidence: tuple[Study, ...]
    contradictions: tuple[str, ...] = ()
    interacts: tuple[Interaction, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue(Result, Value):
    """Knobs, in the order of the catalogue.

    Parameters
    ----------
    knobs : tuple of Knob
    """

    knobs: tuple[Knob, ...]
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        return f"Catalogue({len(self.knobs)} knob{'' if len(self.knobs) == 1 else 's'})"

    def named(self, name: str) -> Knob:
        """Return a knob by its name, one of its settings, or what else it is called.

        Raises
        ------
        InputError
            There is none; the closest names are told.
        """
        wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
        by_name = {knob.name: knob for knob in self.knobs}
        for knob in self.knobs:
            for other in (*knob.settings, *knob.aliases):
                by_name.setdefault(other, knob)
        if wanted in by_name:
            return by_name[wanted]
        near = get_close_matches(wanted, by_name, n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "rlscale knobs lists all"
        raise InputError(f"no knob is named {name!r}; {advice}", parameter="name")
