"""``gate --explain``: a decision that a ledger holds, and the same made again."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from rlscale.answers.documents import SCHEMA
from rlscale.answers.gate import GateView, gate_answer
from rlscale.answers.when import moment
from rlscale.live import Explanation
from rlscale.render.layout import print_wrapped
from rlscale.render.terminal import print_answer

__all__ = ["explanation_document", "print_explanation"]


def explanation_document(found: Explanation) -> dict[str, Any]:
    """Return the document of ``gate --explain --json``."""
    kept, look = found.kept, found.look
    return {
        "schema": SCHEMA,
        "decision": {
            "id": kept.id, "look": kept.look_id, "at": moment(kept.at), "run": kept.run, "recipe": kept.recipe,
            "decision": kept.action, "before": kept.before, "reason_code": kept.code, "reason": kept.reason,
            "evidence": dict(kept.evidence), "hash": kept.hash, "acting": kept.acting,
        },
        "again": found.again.document(),
        "same": found.same,
        "same_inputs": found.same_inputs,
        "says": found.says(),
        "look": {
            "at": moment(look.at), "version": look.version, "inputs": look.inputs, "inputs_now": found.sight.inputs,
            "runs": [
                {"run": one.row.name, "seq": one.seq, "state": one.state, "forced": one.forced}
                for one in found.sight.field
            ],
        },
        "decisions": [one.document() for one in found.sight.answer.decisions],
        "settings": found.settings.document(),
    }  # fmt: skip


def print_explanation(found: Explanation, console: Console) -> None:
    """Print the decision, whether it comes out the same again, and the whole look that it was made at."""
    kept = found.kept
    changed = f", before: {kept.before}" if kept.before else ""
    print_wrapped(
        console,
        f"Decision {kept.id}, {moment(kept.at)}: {kept.action} {kept.run} ({kept.code}{changed}).",
        style="bold",
    )
    print_wrapped(console, kept.reason)
    console.print()
    print_wrapped(console, found.says(), style="bold green" if found.same and found.same_inputs else "bold yellow")
    console.print(f"inputs {found.look.inputs[:16]}, decision {kept.hash[:16]}, rlscale {found.look.version}")
    console.print()
    console.print("The look that it was made at:")
    answer = found.sight.answer
    view = GateView(answer=answer, calibration=found.settings.calibration, shown=answer.decisions)
    print_answer(gate_answer(view), console)
