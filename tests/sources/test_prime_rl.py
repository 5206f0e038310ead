"""prime-rl's metrics.jsonl: two processes in one file, evaluations that come late, resumes."""

import numpy as np
import pytest

from rlscale.sources import read
from rlscale.sources.trainers.prime_rl import PRIME_RL

EVAL = "eval/org/aime/all/default/avg@8"
START = 1.7e9


def orchestrator(k, **more):
    return {
        "step": k, "time": START + 60.0 * k, "time/step": 40.0, "time/save_ckpt": 1.0, "progress/tokens": 1000,
        "progress/total_tokens": 1000 * (k + 1), "progress/samples": 64, "progress/total_samples": 64 * (k + 1),
        "train/agg/all/default/reward/mean": 0.1 + k / 100, "off_policy/mean": 1.0,
        "train/agg/all/default/solved_none": 0.25, "train/agg/all/default/solved_all": 0.125, **more,
    }  # fmt: skip


def trainer(k, **more):
    return {
        "step": k, "time": START + 60.0 * k + 25.0, "time/step": 55.0, "time/save_ckpt": 9.0, "loss/mean": 0.1,
        "optim/lr": 1e-6, "optim/grad_norm": 0.5, "mismatch_kl/all/mean": 0.001, "entropy/all/mean": 0.6,
        "perf/throughput": 100.0, "perf/throughput_per_gpu": 50.0, **more,
    }  # fmt: skip


def evaluation(version, after):
    return {
        "step": version, "time": START + 60.0 * after + 45, EVAL: 0.2 + version / 100,
        "eval/org/aime/policy_version": version,
    }  # fmt: skip


def log(n=10, late=2, ahead=1):
    """The orchestrator ``ahead`` steps of the trainer, an evaluation every fourth version, ``late`` steps late."""
    rows = []
    for k in range(n + ahead):
        if k < n:
            rows.append(orchestrator(k))
        if k >= ahead:
            rows.append(trainer(k - ahead))
        if k >= late and (k - late) % 4 == 0:
            rows.append(evaluation(k - late, k))
    return rows


@pytest.mark.parametrize(("late", "ahead"), [(0, 0), (2, 1), (3, 2)])
def test_two_processes_in_one_file(one, late, ahead):
    run = one("metrics.jsonl", log(late=late, ahead=ahead), unit="steps")
    assert (run.source.trainer, run.curve.metric) == ("prime-rl", EVAL)
    assert run.curve.compute.tolist() == [0, 4, 8]
    assert run.curve.reward.tolist() == pytest.approx([0.2, 0.24, 0.28])
    assert not any("resumed" in said or "repeated" in said for said in run.source.repairs)
    assert run.series["trainer:time/step"].value.tolist() == [55.0] * 10
    assert run.series["orchestrator:time/step"].value.tolist() == [40.0] * 10
    assert run.series["trainer:time/save_ckpt"].value.tolist() == [9.0] * 10
    assert "time/step" not in run.series
    assert run.series["optim/lr"].step.tolist() == list(range(1, 11))


def test_tokens_are_the_total(one):
    run = one("metrics.jsonl", log(), unit="tokens")
    assert run.curve.compute.tolist() == [0, 4000, 8000]
    assert one("metrics.jsonl", log(), unit="samples").curve.compute.tolist() == [0, 256, 512]


def test_gpu_hours_are_the_time_that_passed(one):
    run = one("metrics.jsonl", log(), gpus=16.0, unit="gpu-hours")
    assert run.curve.clock == "elapsed"
    np.testing.assert_allclose(run.curve.compute, np.array([0, 4, 8]) * 60 * 16 / 3600, rtol=0.15)
    assert run.curve.compute[0] == 0


def test_a_metric_of_the_train_batch_comes_after_it(one):
    rows = [row for row in log() if EVAL not in row]
    run = one("metrics.jsonl", rows, unit="steps")
    assert run.curve.compute.tolist() == list(range(1, 11))
    assert "the train batch of row k is placed at step k + 1" in run.source.repairs[-1]


def test_zero_variance_is_the_sum_of_both(one):
    metrics = one("metrics.jsonl", log(), unit="steps").metrics
    assert metrics["zero_variance"].series.value.tolist() == [0.375] * 10
    assert metrics["mismatch"].unit == "nats (KL of sampler and trainer, k3)"
    assert metrics["step_seconds"].key == "trainer:time/step"


def test_a_resume_goes_back_in_both(write):
    rows = [*log(n=10), *(row for row in log(n=14) if row["step"] >= 6)]
    (run,) = read(write("metrics.jsonl", rows), unit="steps")
    assert sum(said.startswith("the run resumed at step 6") for said in run.source.repairs) == 1
    assert run.series["optim/lr"].step.tolist() == list(range(1, 15))
    assert run.series["progress/tokens"].step.tolist() == list(range(1, 15))
    assert run.curve.compute.tolist() == [0, 4, 8, 12]


def test_rows_without_a_writer_are_kept():
    rows = [(0.0, {"dispatcher/queue": 1.0, "time": START}), (0.0, {"optim/lr": 1e-6, "time/step": 5.0})]
    assert list(PRIME_RL.rows(rows)) == [
        (0.0, {"dispatcher/queue": 1.0, "timestamp": START}),
        (0.0, {"optim/lr": 1e-6, "trainer:time/step": 5.0}),
    ]


@pytest.mark.parametrize(
    ("config", "gpus"),
    [
        ({"deployment.num_train_gpus": 2, "deployment.num_infer_gpus": 6}, 8),
        ({"deployment.num_train_nodes": 1, "deployment.num_infer_nodes": 2, "deployment.gpus_per_node": 8}, 24),
        (
            {
                "deployment.num_train_nodes": 1,
                "deployment.num_infer_nodes": 1,
                "deployment.gpus_per_node": 8,
                "deployment.num_infer_replicas": 3,
            },
            32,
        ),
        ({}, None),
    ],
)
def test_gpus_of_a_deployment(config, gpus):
    from rlscale.sources.history import of_rows

    (history,) = of_rows(PRIME_RL.rows([(k, trainer(k)) for k in range(3)]), "x", "jsonl")
    assert PRIME_RL.measure(PRIME_RL, history, config).gpus == gpus
