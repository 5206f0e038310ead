"""A tournament of four tiny GRPO recipes under Ray Tune: what can hardly win is paused, and resumed if that changes.

The recipes, the model, the data and the trainer are those of ``train_sort_task.py``, which lies beside this script;
here the trainer runs as a Ray Tune trial that reports ``eval_reward`` with a checkpoint at every evaluation, so that
:class:`rlscale.integrations.ray_tune.AsymptoteScheduler` can pause it and resume it from there. At the end the ledger
says what was decided, when and why::

    pip install 'rlscale[ray]' torch==2.13.0 trl==1.16.0 transformers==5.23.0 accelerate==1.15.0 datasets==5.2.0
    python ray_tournament.py --out tournament                   # about 90 seconds on two CPU cores
    rlscale gate --explain 7 --ledger tournament/ledger.db      # one decision in full

It is the tournament of ``live_gate/run.py`` under another roof. ``long10`` is the only recipe that can reach 1.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import ray
import torch
import train_sort_task as task
from ray import tune
from transformers import TrainerCallback
from transformers.trainer_utils import SaveStrategy

from rlscale.integrations.ray_tune import AsymptoteScheduler
from rlscale.ledger import Ledger

#: Ray asks for a token by default, and counts its users; a tournament on one machine needs neither.
QUIET = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


class Report(TrainerCallback):
    """Reports each evaluation to Ray Tune, with the checkpoint that the trainer writes right after it."""

    def __init__(self) -> None:
        self.reward = 0.0

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **_: Any) -> None:
        """Keep the reward for the checkpoint; the evaluation before the first step has none."""
        self.reward = metrics["eval_reward"]
        if state.global_step == 0:
            tune.report({"eval_reward": self.reward, "step": 0})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Report; if the trial is paused here, it goes on from this checkpoint."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        told = {"eval_reward": self.reward, "step": state.global_step}
        tune.report(told, checkpoint=tune.Checkpoint.from_directory(folder))


def train(config: dict[str, Any]) -> None:
    """Train one recipe in a trial, from the start or from the checkpoint at which it was paused.

    ``config`` has the ``recipe``'s name, ``seed``, ``steps``, ``every`` (steps between evaluations), ``prompts`` (the
    number of evaluation prompts) and ``start``, the file of the warm start.
    """
    torch.set_num_threads(1)
    pools = task.build_pools()
    checkpoint = tune.get_checkpoint()
    with tempfile.TemporaryDirectory() as folder:
        settings = task.grpo_config(task.TOURNAMENT[config["recipe"]], config["seed"], config["steps"], Path(folder))
        settings.eval_steps = settings.save_steps = config["every"]
        settings.save_strategy, settings.save_total_limit = SaveStrategy.STEPS, 2
        settings.eval_on_start = checkpoint is None  # what was evaluated is not evaluated again
        few = task.Pools(pools.train, pools.evaluation[:: len(pools.evaluation) // config["prompts"]])
        trainer = task.make_trainer(settings, few, torch.load(config["start"], weights_only=True), [Report()])
        if checkpoint is None:
            trainer.train()
        else:
            with checkpoint.as_directory() as saved:
                trainer.train(resume_from_checkpoint=saved)


def main() -> None:
    """Run the tournament and say what was decided."""
    parser = argparse.ArgumentParser(description="A tournament of tiny GRPO recipes under Ray Tune.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the ledger, checkpoints and warm start")
    parser.add_argument("--steps", type=int, default=240, help="optimizer steps that a recipe may get (default: 240)")
    parser.add_argument("--at-once", type=int, default=2, help="trials at a time, a CPU core each (default: 2)")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    ledger, start = str(out / "ledger.db"), out / "warm_start.pt"
    task.load_warm_start(start, excluded=set(task.build_pools().evaluation))
    os.environ.update(QUIET)
    ray.init(num_cpus=arguments.at_once, include_dashboard=False, log_to_driver=False)
    scheduler = AsymptoteScheduler(
        compute="step", budget=arguments.steps, ledger=ledger, name=lambda trial: trial.config["recipe"]
    )
    space = {"recipe": tune.grid_search(list(task.TOURNAMENT)), "seed": 0, "steps": arguments.steps,
             "every": max(arguments.steps // 24, 1), "prompts": 250, "start": str(start)}  # fmt: skip
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(metric="eval_reward", mode="max", scheduler=scheduler),
        run_config=tune.RunConfig(storage_path=str(out / "ray"), verbose=1),
    )
    tuner.fit()
    with Ledger(ledger) as book:
        for one in book.rulings.decisions():
            print(f"{one.id:3}  {one.run:8} at step {one.evidence['spent']:3.0f}: {one.action:8} {one.reason}")
    print(scheduler.debug_string())


if __name__ == "__main__":
    main()
