"""Simulated runs as a long table and as JSON, with their truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rlscale.answers.documents import SCHEMA
from rlscale.curves import Run, Truth

__all__ = ["COLUMNS", "simulated_document", "table_csv", "truth_document"]

#: The columns of a long table, as the table reader knows them.
COLUMNS = ("run", "recipe", "seed", "model_params", "compute", "unit", "reward", "n_eval", "sd")


def table_csv(runs: Iterable[Run]) -> str:
    """Return runs as CSV, a row for each evaluation; unknown cells are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in runs:
        curve = run.curve
        head = (run.name, run.recipe, _cell(run.seed), _cell(run.model_params))
        for i in range(curve.n_points):
            counts = None if curve.n_eval is None else float(curve.n_eval[i])
            sd = None if curve.sd is None else float(curve.sd[i])
            point = (_cell(float(curve.compute[i])), curve.unit, f"{curve.reward[i]:.6f}", _cell(counts), _cell(sd))
            writer.writerow((*head, *point))
    return out.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.10g}"


def truth_document(pairs: Iterable[tuple[Run, Truth]]) -> dict[str, Any]:
    """Return the truth behind each simulated run."""
    return {
        "schema": SCHEMA,
        "runs": [{"run": run.name, "recipe": run.recipe, "unit": run.curve.unit, **asdict(t)} for run, t in pairs],
    }


def simulated_document(pairs: Iterable[tuple[Run, Truth]]) -> dict[str, Any]:
    """Return simulated runs, truth and points, as one document."""
    return {
        "schema": SCHEMA,
        "runs": [
            {
                "run": run.name,
                "recipe": run.recipe,
                "seed": run.seed,
                "unit": run.curve.unit,
                "truth": asdict(truth),
                "compute": run.curve.compute.tolist(),
                "reward": run.curve.reward.tolist(),
            }
            for run, truth in pairs
        ],
    }
