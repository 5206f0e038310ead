"""Folders of simulated runs for the page: few, many, very many; with hostile names where that is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rlscale.curves import Run, simulated_runs
from rlscale.render.simulated import table_csv

__all__ = ["HOSTILE", "append", "folder_of_runs", "write_log"]

#: A name that would run as a script wherever it is written out as it is.
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"></script><script>document.title='pwned'</script>"


def folder_of_runs(folder: Path, runs: int, *, points: int = 40, seeds: int = 2, seed: int = 0) -> Path:
    """Write so many simulated runs as a table, with recipes that have names as people give them.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    runs, points, seeds, seed : int
        Runs in all, evaluations of each, runs of a recipe, and the seed of the random numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipes = max(1, -(-runs // seeds))
    pairs = simulated_runs(recipes, seeds, points, seed, sigma=0.012, rho=0.3, unit="tokens")
    (folder / "runs.csv").write_text(table_csv([run for run, _ in pairs][:runs]), encoding="utf-8")
    return folder


def write_log(path: Path, rewards: Sequence[float], *, settings: Mapping[str, object] | None = None) -> Path:
    """Write evaluations at 1,000, 2,000 … tokens as JSON lines, after a line at 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    append(path, 0, rewards)
    return path


def append(path: Path, first: int, rewards: Sequence[float]) -> None:
    """Add evaluations to a log, the first at ``first`` times 1,000 tokens."""
    with path.open("a", encoding="utf-8") as log:
        for place, reward in enumerate(rewards, first):
            log.write(json.dumps({"step": place, "tokens": 1000 * place, "eval/accuracy": reward}) + "\n")


def names(runs: Sequence[Run]) -> list[str]:
    """Return the names of runs."""
    return [run.name for run in runs]
