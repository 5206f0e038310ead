"""One real training job of the live tournament: a tiny GRPO run with TRL that asks the ledger whether to go on.

Everything that makes it obey the gate is one line, the callback. Held, it stops after an evaluation and a save; started
again, it goes on from its checkpoint. Task, model and trainer are those of ``examples/train_sort_task.py``.

    python train.py long10 --out OUT
"""

from __future__ import annotations

import argparse
import fcntl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train_sort_task import TOURNAMENT, build_pools, grpo_config, load_warm_start, make_trainer
from transformers.trainer_utils import get_last_checkpoint

from rlscale.integrations.trl import RLScaleCallback

STEPS = 240


def train(name: str, out: Path, steps: int) -> None:
    """Train a recipe up to ``steps`` optimizer steps, or until the gate holds it."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a job that was resumed waits until the one that is being held has ended
        pools = build_pools()
        settings = grpo_config(TOURNAMENT[name], 0, steps, folder)
        settings.eval_steps = settings.logging_steps = 8
        settings.save_total_limit = 1
        start = load_warm_start(out / "warm_start.pt", set(pools.evaluation))
        asks = RLScaleCallback(ledger=str(out / "runs.db"), budget=steps, run=name)
        trainer = make_trainer(settings, pools, start, [asks])
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))


def main() -> None:
    """Train one recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=TOURNAMENT)
    parser.add_argument("--out", type=Path, required=True, help="folder of the tournament")
    parser.add_argument("--steps", type=int, default=STEPS, help="optimizer steps: the budget")
    given = parser.parse_args()
    train(given.recipe, given.out, given.steps)


if __name__ == "__main__":
    main()
