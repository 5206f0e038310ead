"""Train one tiny GRPO run with TRL on a CPU and log it to every tracker at once, in one go and resumed.

Nothing is downloaded and nothing is sent: the model, the tokenizer and the prompts are those of
``examples/train_sort_task.py``, the trackers write to files, and the only connection is to an MLflow server on
loopback. Called with ``--out`` the script starts one process a part, with the environment that sends every tracker
below its folder::

    OUT/plain/      16 steps in one process
    OUT/resumed/    stopped after step 10, resumed from the checkpoint at step 8 in a second process, which is told
                    the tracker's run to go on with
    OUT/renewed/    the same, but the second process starts a new run in every tracker
                    trl/            trainer_state.json (and the checkpoint)
                    tensorboard/    event files, one a process; those of renewed are where TRL puts them,
                                    trl/runs/DATE_HOST/, a folder a process
                    wandb/          offline-run-*/run-*.wandb, one a process
                    mlflow/         mlflow.db; resumed writes to it through a server
                    trackio/        rlscale.db
                    stdout/         what each process printed

Evaluations are at steps 0, 4, 8, 12 and 16; the resumed runs evaluate step 8 and train steps 9 and 10 twice.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trl import GRPOConfig, GRPOTrainer

NAME = "sort"
PROJECT = "rlscale"
STEPS = 16
SAVED = 8
STOPPED = 10
EVAL_PROMPTS = 64
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def environment(out: Path, mlflow_uri: str) -> dict[str, str]:
    """Return the environment of a training process: trackers below ``out``, no network, one thread."""
    same_run = {
        "WANDB_RUN_ID": f"{NAME}-{out.name}",
        "WANDB_RESUME": "allow",
        "TENSORBOARD_LOGGING_DIR": str(out / "tensorboard"),
    }
    return {
        **os.environ,
        **({} if out.name == "renewed" else same_run),
        "PYTHONPATH": str(EXAMPLES),
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HOME": str(out / "home"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "WANDB_MODE": "offline",
        "WANDB_PROJECT": PROJECT,
        "WANDB_DIR": str(out),
        "WANDB_CACHE_DIR": str(out / "home"),
        "WANDB_CONFIG_DIR": str(out / "home"),
        "WANDB_DATA_DIR": str(out / "home"),
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "MLFLOW_TRACKING_URI": mlflow_uri,
        "MLFLOW_EXPERIMENT_NAME": PROJECT,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TRACKIO_DIR": str(out / "trackio"),
    }


def start_part(out: Path, mlflow_uri: str, part: str, *options: str) -> None:
    """Train one part in its own process; its output goes to ``stdout/PART.log``, its warnings to ``PART.err``."""
    for folder in ("home", "mlflow", "stdout", "trackio", "trl", "wandb"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(Path(__file__).resolve()), "--out", str(out), "--train", *options]
    log, errors = out / "stdout" / f"{part}.log", out / "home" / f"{part}.err"
    with log.open("wb") as stdout, errors.open("wb") as stderr:
        variables = environment(out, mlflow_uri)
        done = subprocess.run(command, cwd=out, env=variables, stdout=stdout, stderr=stderr, check=False)
    if done.returncode:
        raise SystemExit(f"{part} failed with code {done.returncode}\n{errors.read_text(errors='replace')[-4000:]}")


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(database: Path) -> Iterator[str]:
    """Serve an MLflow database on loopback; the value is its address."""
    database.parent.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{(port := free_port())}"
    stores = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(database.parent)]
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1", *stores]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (database.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=database.parent, env=os.environ | quiet, stdout=log, stderr=log)
        try:
            wait_for(server, f"{address}/health")
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_for(server: subprocess.Popen[bytes], address: str, patience: float = 120.0) -> None:
    """Return as soon as the server answers."""
    end = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the MLflow server does not answer: {error}") from error
            time.sleep(0.2)
        else:
            return


def train_all(out: Path) -> None:
    """Train the run in one go, resumed, and resumed as a new run."""
    plain, resumed, renewed = out / "plain", out / "resumed", out / "renewed"
    start_part(plain, f"sqlite:///{plain / 'mlflow' / 'mlflow.db'}", "train")
    with mlflow_server(resumed / "mlflow" / "mlflow.db") as address:
        start_part(resumed, address, "first", "--stop", str(STOPPED))
        start_part(resumed, address, "second", "--resume", "--same-run")
    database = f"sqlite:///{renewed / 'mlflow' / 'mlflow.db'}"
    start_part(renewed, database, "first", "--stop", str(STOPPED))
    start_part(renewed, database, "second", "--resume")


def letters_right(completions: list[str], answer: list[str], **_: object) -> list[float]:
    """Reward the fraction of the answer's letters that stand in their place."""
    pairs = zip(completions, answer, strict=True)
    return [sum(a == b for a, b in zip(text, right, strict=False)) / len(right) for text, right in pairs]


def settings(out: Path) -> GRPOConfig:
    """Return the trainer's settings; ``num_generations_eval`` and ``beta`` are not TRL's defaults."""
    from trl import GRPOConfig

    return GRPOConfig(
        output_dir=str(out / "trl"),
        run_name=NAME,
        project=PROJECT,
        report_to=["tensorboard", "wandb", "mlflow", "trackio"],
        trackio_static_space_id=False,
        seed=7,
        max_steps=STEPS,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=64,
        num_generations=8,
        num_generations_eval=4,
        reward_weights=[0.75, 0.25],
        max_completion_length=8,
        beta=0.02,
        learning_rate=3e-4,
        lr_scheduler_type="constant",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=4,
        eval_on_start=True,
        save_steps=SAVED,
        disable_tqdm=True,
    )


def build_trainer(out: Path) -> GRPOTrainer:
    """Return the trainer; the warm start is stored first, since the reference model is loaded from its folder."""
    import train_sort_task as task
    from transformers import Qwen2ForCausalLM
    from trl import GRPOTrainer

    pools, start = task.build_pools(), out.parent / "start"
    evaluation = pools.evaluation[:: len(pools.evaluation) // EVAL_PROMPTS][:EVAL_PROMPTS]
    if not start.exists():
        model = task.build_model()
        model.load_state_dict(task.train_warm_start(set(pools.evaluation)))
        model.save_pretrained(start)
    return GRPOTrainer(
        model=Qwen2ForCausalLM.from_pretrained(start),
        reward_funcs=[task.exact_match, letters_right],
        args=settings(out),
        train_dataset=task.as_dataset(pools.train),
        eval_dataset=task.as_dataset(evaluation),
        processing_class=task.build_tokenizer(),
    )


def train(out: Path, stop: int | None, resume: bool, same_run: bool) -> None:
    """Train in this process, to the end or until ``stop``, from the start or from the last checkpoint."""
    import mlflow
    import torch
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):  # type: ignore[no-untyped-def]
            control.should_training_stop |= state.global_step == stop

    torch.set_num_threads(1)
    if same_run:
        (run,) = mlflow.search_runs(experiment_names=[PROJECT], output_format="list")
        os.environ["MLFLOW_RUN_ID"] = run.info.run_id
    trainer = build_trainer(out)
    trainer.add_callback(Stop())
    trainer.train(resume_from_checkpoint=resume)
    trainer.save_state()


def main() -> None:
    """Train everything, or one part."""
    parser = argparse.ArgumentParser(description="Log one TRL run to every tracker.")
    parser.add_argument("--out", type=Path, required=True, help="folder for plain/, resumed/ and renewed/")
    parser.add_argument("--train", action="store_true", help="train one part in this process")
    parser.add_argument("--stop", type=int, help="step to stop after")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--same-run", action="store_true", help="go on with MLflow's run of the process before")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if arguments.train:
        train(out, arguments.stop, arguments.resume, arguments.same_run)
    else:
        train_all(out)


if __name__ == "__main__":
    main()
