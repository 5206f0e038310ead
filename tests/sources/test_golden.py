"""What the readers make of real logs, compared with the recorded answer.

The logs are other people's and stay outside the repository, in ``../shared``; without them the cases are skipped.
After a deliberate change: ``RLSCALE_REGENERATE=1 pytest tests/sources/test_golden.py`` and read the difference.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from rlscale.errors import InputError
from rlscale.sources import ReadOptions, collect

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
GOLDEN = ROOT / "tests" / "golden" / "sources"

KANISHKG = "curves/kanishkg-countdown-habits/curves.csv"
ARVIND = "curves/arvindcr4-tinker-lab/curves.csv"
ROHUN = "curves/rohunagrawal-leetcode-hack/curves.csv"
UNSLOTH = "curves/imjonezz-unsloth-gsm8k/curves.csv"
DAPO = "logs/trl/LOCAL_trl1.16_dapo_seed0.trainer_state.json"
LOGIC = "logs/verl/logic-rl_2025-03_10steps.console.log"
VERL = ("SYNTH_verl0.4.1_console.log", "SYNTH_verl0.7_console.log", "SYNTH_verl0.7_filelogger.jsonl")

CASES = {
    "trl-dapo": (DAPO, {}),
    "trl-dapo-gpus": (DAPO, {"gpus": 4.0}),
    "trl-dapo-train": (DAPO, {"metric": "reward"}),
    "trl-openrs-outside": ("logs/trl/openrs_2026_a3.trainer_state.json", {}),
    "trl-openrs": ("logs/trl/openrs_2026_a3.trainer_state.json", {"bounds": (0.0, 3.0)}),
    "trl-unsloth": ("logs/trl/unsloth_2025-02_250steps.trainer_state.json", {"bounds": (-1.0, 4.0)}),
    "trl-stdout": ("logs/trl/LOCAL_trl1.16_seed0.stdout.log", {}),
    "verl-0.4.1-console": (f"logs/verl/{VERL[0]}", {}),
    "verl-0.7-console": (f"logs/verl/{VERL[1]}", {}),
    "verl-0.7-file": (f"logs/verl/{VERL[2]}", {}),
    "verl-0.7-file-tokens": (f"logs/verl/{VERL[2]}", {"unit": "tokens"}),
    "verl-logic": (LOGIC, {}),
    "verl-logic-train": (LOGIC, {"metric": "critic/score/mean", "bounds": (-3.0, 3.0), "gpus": 8.0}),
    "tinker-arithmetic": ("logs/tinker-cookbook/arithmetic_100steps.metrics.jsonl", {}),
    "tinker-rubric": ("logs/tinker-cookbook/rubric_first3of7_with_test_eval.metrics.jsonl", {}),
    "jsonl-restarts": ("logs/custom_jsonl/tinker_custom_loop_restarts.metrics.jsonl", {}),
    "tracker-wandb": ("logs/wandb_offline", {}),
    "tracker-mlflow": ("logs/mlflow/LOCAL_trl1.16_seed0.mlflow.db", {}),
    "tracker-tensorboard": ("logs/tensorboard", {}),
    "tracker-trackio": ("logs/trackio", {}),
    "everything": ("logs", {}),
    "everything-eval": ("logs", {"metric": "eval_reward"}),
    "table-kanishkg": (KANISHKG, {"metric": "val_countdown_acc"}),
    "table-arvindcr4": (ARVIND, {"metric": "train_reward"}),
    "table-arvindcr4-choice": (ARVIND, {}),
    "table-rohunagrawal-f": (ROHUN, {"metric": "train_reward_f"}),
    "table-rohunagrawal-mean": (ROHUN, {"metric": "train_reward_mean", "bounds": (0.0, 102.0)}),
    "table-unsloth": (UNSLOTH, {"metric": "train_reward_bin10", "bounds": (0.0, 4.0)}),
}


def summary(path, options):
    """Everything a reader decides, in a few lines a run."""
    try:
        reading = collect([path], ReadOptions(**options))
    except InputError as error:
        return {"raises": type(error).__name__, "message": error.on_command_line.replace(str(SHARED), "shared")}
    runs = [
        {
            "run": run.name,
            "recipe": run.recipe,
            "seed": run.seed,
            "unit": run.curve.unit,
            "metric": run.curve.metric,
            "n_points": run.curve.n_points,
            "compute": [float(f"{value:.9g}") for value in run.curve.compute[[0, -1]]],
            "reward": [float(f"{value:.9g}") for value in run.curve.reward[[0, -1]]],
            "n_eval": None if run.curve.n_eval is None else sorted(set(run.curve.n_eval.tolist())),
            "series": len(run.series),
            "format": run.source.format,
            "rows": run.source.rows,
            "repairs": list(run.source.repairs),
            "warnings": list(run.warnings),
        }
        for run in reading.runs
    ]
    return {"runs": runs, "errors": [str(error).replace(str(SHARED), "shared") for error in reading.errors]}


@pytest.mark.parametrize("case", CASES)
def test_a_real_log_reads_as_recorded(case):
    name, options = CASES[case]
    if not (SHARED / name).exists():
        pytest.skip(f"../shared/{name} is not beside the repository")
    found = summary(SHARED / name, options)
    recorded = GOLDEN / f"{case}.json"
    if os.environ.get("RLSCALE_REGENERATE"):
        recorded.parent.mkdir(parents=True, exist_ok=True)
        recorded.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(recorded.read_text())


@pytest.mark.parametrize("name", VERL)
def test_verl_gpu_hours_are_the_true_ones(name):
    truth_file = SHARED / "logs" / "verl" / "SYNTH_truth.json"
    if not truth_file.exists():
        pytest.skip("../shared/logs/verl is not beside the repository")
    truth = json.loads(truth_file.read_text())
    hours = {row["step"]: row["gpu_hours_wall"] for row in truth["rows"]}
    (run,) = collect([SHARED / "logs" / "verl" / name]).runs
    assert run.curve.unit == "gpu-hours"
    # three decimals of a second on each of 120 steps and 16 GPUs: at most 120 x 5e-4 x 16 / 3600
    tolerance = 3e-4 if "0.4.1" in name else 1e-9
    np.testing.assert_allclose(run.curve.compute, [hours[step] for step in range(0, 121, 10)], rtol=0, atol=tolerance)


def test_the_three_verl_logs_are_one_run():
    if not (SHARED / "logs" / "verl").exists():
        pytest.skip("../shared/logs/verl is not beside the repository")
    first, second, third = (collect([SHARED / "logs" / "verl" / name]).runs[0] for name in VERL)
    np.testing.assert_array_equal(second.curve.compute, third.curve.compute)
    np.testing.assert_array_equal(second.curve.reward, third.curve.reward)
    np.testing.assert_allclose(first.curve.reward, third.curve.reward, atol=5e-4)
    assert set(second.series) == set(third.series)
