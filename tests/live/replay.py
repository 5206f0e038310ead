"""Runs that tests play: points of five curves, most of them low, into a ledger or into logs."""

from __future__ import annotations

import json
from pathlib import Path

from rlscale.ledger import Heading, Ledger, points_of

BUDGET = 280.0
STEP = 10
#: Ceilings; the first run collapses late, so that what is held goes on again.
TOPS = {"r0": 0.8, "r1": 0.72, "r2": 0.68, "r3": 0.55, "r4": 0.4}


def value_of(run: str, step: int) -> float:
    """Return the reward of a run at a step, with a little scatter."""
    if run == "r0" and step >= 15 * STEP:
        return 0.3
    scatter = ((step * 7919 + int(run[1:]) * 104729) % 1000 / 1000.0 - 0.5) * 0.01
    return round(max(TOPS[run] * step / (step + 30.0) + scatter, 0.0), 6)


def put(ledger: Ledger, step: int) -> None:
    """Append one evaluation of every run."""
    for run in TOPS:
        row = ledger.book.enlist(Heading(name=run, recipe=run))
        ledger.book.append({row.id: {"reward": points_of([step], [value_of(run, step)], [512.0])}})


def log(folder: Path, step: int) -> None:
    """Write one evaluation of every run into its log."""
    for run in TOPS:
        with (folder / f"{run}.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps({"step": step, "reward": value_of(run, step), "n_eval": 512}) + "\n")
