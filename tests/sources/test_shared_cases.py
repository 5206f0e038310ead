"""Small inputs that were read wrongly once, with their right answers; they lie beside the project, or are skipped."""

from pathlib import Path

import pytest

from rlscale.errors import InputError
from rlscale.sources import ReadOptions, collect

CASES = Path(__file__).parents[3] / "shared" / "cases"
TABLES = CASES / "tables_and_states"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases do not lie beside the project")

#: Recipes, seeds and evaluations of each run, and how the bounds are known.
RIGHT = {
    "c1_sum_of_two_rewards": ([("c1_sum_of_two_rewards", None, 40)], "open"),
    "c2_timestamp_as_seed": (
        [("mix-lr6e-6-r16-20260114-093011", None, 60), ("mix-lr6e-6-r32-20260115-071544", None, 60)],
        "values",
    ),
    "c3_arms_same_seed": ([(f"grpo/{arm}_42", None, 60) for arm in ("arm_b", "arm_c", "baseline")], "values"),
    "c5_wandb_history_resume.csv": ([("c5_wandb_history_resume", None, 41)], "metric"),
    "c6_percent.csv": ([("c6_percent", None, 41)], "percent"),
    "c9_evalset_changed.csv": ([("c9_evalset_changed", None, 51)], "values"),
    "c11_llamafactory_trainer_log.jsonl": ([("c11_llamafactory_trainer_log", None, 60)], "values"),
    "c12_checkpoint_names.csv": ([("c12_checkpoint_names", None, 11)], "metric"),
    "c13_no_step_column.csv": ([("c13_no_step_column", None, 40)], "values"),
    "c14_monitor.csv": ([("c14_monitor", None, 200)], "values"),
    "c16_log_history.json": ([("c16_log_history", None, 12)], "values"),
    "c17_log_history.jsonl": ([("c17_log_history", None, 12)], "values"),
    "c20_rllib": ([("PPO_toy_0", None, 120)], "open"),
    "c21_two_seeds_appended.csv": (
        [("c21_two_seeds_appended", None, 21), ("c21_two_seeds_appended#2", None, 21)],
        "values",
    ),
    "c22_seed_column.csv": ([(method, seed, 21) for method in ("grpo", "rloo") for seed in (1, 2, 3)], "metric"),
    "c25_negative.csv": ([("c25_negative", None, 51)], "open"),
    "c26_fraction.csv": ([("c26_fraction", None, 41)], "metric"),
    "c28_numbered_ablation": ([(f"group-size-{size}", None, 31) for size in (16, 4, 8)], "values"),
    "c29_wandb_wide_numbers": (
        [(name, None, 31) for name in ("qwen-kl_0", "qwen-kl_1", "qwen-rollouts-8", "qwen-rollouts-16")],
        "values",
    ),
    "c30_bounds_drop_best": ([("armP", None, 40), ("armQ", None, 40)], "open"),
    "c32_algorithm_column.csv": ([("algoX", None, 60), ("algoY", None, 60)], "values"),
    "c34_consecutive_sessions": ([(f"PPO_{k}", None, 20) for k in (1, 2, 3)], "values"),
    "c35_lr_sweep": ([(f"grpo-lr1e-{k}", None, 31) for k in (5, 6, 7)], "values"),
}
REFUSED = {
    "c19_dpo": "no reward is recognised; give --metric KEY",
    "c24_mean_std.csv": "--wide if each column is a run",
    "c27_benchmarks_long.csv": "holds 3 metrics; give --metric KEY: pass_at_1@aime, pass_at_1@amc, pass_at_1@math",
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_case_has_its_right_answer(case):
    reading = collect([TABLES / case])
    runs, bounds_from = RIGHT[case]
    assert [(run.recipe, run.seed, run.curve.n_points) for run in reading.runs] == runs
    assert {run.curve.bounds_from for run in reading.runs} == {bounds_from}
    assert [lost for lost in reading.left_out if lost.counted] == []


@pytest.mark.parametrize("case", REFUSED)
def test_a_case_is_refused_with_a_way_out(case):
    with pytest.raises(InputError) as caught:
        collect([TABLES / case])
    assert REFUSED[case] in caught.value.on_command_line


def test_two_runs_in_one_table_are_those_of_the_same_rows_in_json_lines():
    table, lines = (
        collect([TABLES / name]).runs for name in ("c21_two_seeds_appended.csv", "c21b_same_as_jsonl.jsonl")
    )
    for one, other in zip(table, lines, strict=True):
        assert (one.curve.compute == other.curve.compute).all()
        assert (one.curve.reward == other.curve.reward).all()


@pytest.mark.parametrize("case", ["seed_from_name", "seed_from_slurm_id", "seed_from_timestamp"])
def test_numbers_of_logs_are_no_seeds(case):
    reading = collect([CASES / "logs" / case], ReadOptions())
    assert len({run.recipe for run in reading.runs}) == len(reading.runs) == 2
    assert reading.grouping.by == "none"
