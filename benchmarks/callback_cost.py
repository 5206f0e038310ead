"""Seconds that the TRL callback takes at each evaluation of a real run, printed as a JSON list; see ``ledger.py``.

.venv-real/bin/python benchmarks/callback_cost.py LEDGER EVALUATIONS
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

import train_sort_task as task

from rlscale.integrations.trl import RLScaleCallback

SECONDS: list[float] = []


class Timed(RLScaleCallback):
    """The callback, timed at evaluations."""

    def on_evaluate(self, *args: Any, **named: Any) -> Any:
        """Time it."""
        start = time.perf_counter()
        found = super().on_evaluate(*args, **named)
        SECONDS.append(time.perf_counter() - start)
        return found


def main() -> None:
    """Train a little, and print what was measured."""
    where, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        settings = task.grpo_config(task.RECIPES["base"], 0, 2 * count, Path(folder))
        settings.eval_steps, settings.logging_steps = 2, 1
        pools = task.build_pools()
        few = task.Pools(pools.train[:2000], pools.evaluation[:50])
        trainer = task.make_trainer(settings, few, callbacks=[Timed(where, budget=1e9, run="timed")])
        trainer.train()
    print(json.dumps(SECONDS[1:]))  # the first opens the ledger


if __name__ == "__main__":
    main()
