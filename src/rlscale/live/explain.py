"""A decision made again from what it was made of, weeks later, and held against it bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.decisions.gate import Decision
from rlscale.errors import InputError, LedgerError
from rlscale.ledger import DecisionRow, Ledger, LookRow, canonical, digest
from rlscale.live.again import Again
from rlscale.live.engine import engine
from rlscale.live.settings import WatchSettings
from rlscale.live.sight import Sight

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A decision and its like, made again.

    Parameters
    ----------
    kept : DecisionRow
        As the ledger holds it.
    look : LookRow
    settings : WatchSettings
    sight : Sight
        The whole look, made again.
    again : Decision
        The decision, made again.
    same_inputs : bool
        Whether what went in has the hash that the ledger holds.
    same : bool
        Whether the decision made again is the one kept, bit for bit.
    """

    kept: DecisionRow
    look: LookRow
    settings: WatchSettings
    sight: Sight
    again: Decision
    same_inputs: bool
    same: bool

    def says(self) -> str:
        """Return the result in a sentence."""
        if self.same and self.same_inputs:
            return "Made again from the points, states and settings of then: the same, bit for bit."
        if not self.same_inputs:
            return "What the ledger holds now is not what this decision was made of: its hash differs."
        if self.look.version != engine():
            return (
                f"Made again with rlscale {engine()} it differs in detail; it was made with {self.look.version}, "
                "which gives the same bits."
            )
        return (
            "Made again it differs in detail: another processor, or other versions of numpy and scipy, round otherwise."
        )


def explain(ledger: Ledger, number: int) -> Explanation:
    """Make a decision again.

    Parameters
    ----------
    ledger : Ledger
    number : int
        Of the decision.

    Raises
    ------
    LedgerError
        There is no such decision, or the ledger does not hold what it was made of.
    """
    kept = ledger.rulings.decision(number)
    look, saw = ledger.rulings.look(kept.look_id)
    settings = WatchSettings.of(look.settings)
    try:
        sight = Again(ledger).sight(look, saw)
    except (InputError, KeyError) as error:
        why = error.on_command_line if isinstance(error, InputError) else str(error)
        raise LedgerError(f"decision {number} cannot be made again from what the ledger holds: {why}") from error
    again = next(one for one in sight.answer.decisions if one.run == kept.run)
    same = digest(again.document()) == kept.hash
    if same:  # and what is kept beside the hash is what was hashed
        same = canonical(again.document()["evidence"]) == canonical(dict(kept.evidence)) and again.reason == kept.reason
    return Explanation(kept, look, settings, sight, again, sight.inputs == look.inputs, same)
