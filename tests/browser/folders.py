"""Runs for the page: few, many, very many, with hostile names, and one that grows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rlscale.curves import simulated_runs
from rlscale.render.simulated import table_csv

__all__ = ["HOSTILE", "append", "folder_of_runs", "rising"]

#: Names that would run as scripts wherever they are written out as they are.
HOSTILE = (
    "<img src=x onerror=document.title='pwned'>",
    "</script><script>document.title='pwned'</script>",
    "\"><svg onload=document.title='pwned'>",
    "javascript:document.title='pwned'",
)


def folder_of_runs(folder: Path, runs: int, *, points: int = 40, seeds: int = 2, hostile: bool = False) -> Path:
    """Write so many simulated runs as a table; return the folder.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    runs, points, seeds : int
        Runs in all, evaluations of each, runs of a recipe.
    hostile : bool
        Whether the first runs have the names of :data:`HOSTILE`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pairs = simulated_runs(-(-runs // seeds), seeds, points, 0, sigma=0.012, rho=0.3, unit="tokens")
    chosen = [run for run, _ in pairs][:runs]
    if hostile:
        named = [replace(run, name=name, recipe=name) for run, name in zip(chosen, HOSTILE, strict=False)]
        chosen = [*named, *chosen[len(named) :]]
    (folder / "runs.csv").write_text(table_csv(chosen), encoding="utf-8")
    return folder


def rising(points: int) -> list[float]:
    """Return rewards that rise and level off, shape (points,), the first at compute 0."""
    return [round(0.1 + 0.6 / (1 + (12.0 / max(k, 1e-9)) ** 1.5), 4) for k in range(points)]


def append(log: Path, first: int, rewards: Sequence[float]) -> None:
    """Add evaluations to a log of JSON lines, the first at ``first`` times 1,000 tokens."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as lines:
        for place, reward in enumerate(rewards, first):
            lines.write(json.dumps({"step": place, "tokens": 1000 * place, "eval/accuracy": reward}) + "\n")
