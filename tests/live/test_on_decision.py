"""The commands of ``examples/on_decision``: what they would run for a decision."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "on_decision"


def told(script, decision, *arguments):
    whole = {"decision_id": 7, "attempt": 1, "run": "base/seed0", "before": "continue", **decision}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments, "--dry-run"], input=json.dumps(whole), text=True,
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("action", ["hold", "stop"])
def test_slurm_ends_the_job_so_that_it_can_save(action):
    assert told("slurm.py", {"decision": action}, "train.sbatch").stdout == "scancel --signal=TERM --batch JOB\n"


def test_ray_stops_the_job():
    jobs = EXAMPLES / "slurm.py"  # any file: what starts a run is not asked
    done = told("ray_job.py", {"decision": "hold"}, str(jobs))
    assert done.returncode != 0  # ... but it must be JSON
    assert "JSONDecodeError" in done.stderr


def test_ray_stops_and_starts_by_submission_id(tmp_path):
    starts = tmp_path / "jobs.json"
    starts.write_text(json.dumps({"base/seed0": ["python", "train.py", "--resume"]}), encoding="utf-8")
    stop = told("ray_job.py", {"decision": "hold"}, str(starts))
    assert stop.stdout == "ray job stop --no-wait base_seed0\n"


@pytest.mark.parametrize("script", ["slurm.py", "ray_job.py"])
@pytest.mark.parametrize("name", ["--help", "a b", "$(touch x)", "a;b", "a,b", ""])
def test_names_that_are_no_job_are_refused(script, name, tmp_path):
    starts = tmp_path / "jobs.json"
    starts.write_text("{}", encoding="utf-8")
    done = told(script, {"decision": "hold", "run": name}, str(starts))
    assert done.returncode == 1
    assert "rename it" in done.stderr


def test_what_is_to_go_on_is_submitted_where_nothing_runs():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import ray_job
        import slurm
    finally:
        sys.path.remove(str(EXAMPLES))
    resumed = {"decision": "continue", "before": "hold", "run": "base/seed0", "decision_id": 7}
    assert slurm.commands(resumed, "t.sbatch", {}) == [["sbatch", "--job-name=base/seed0", "t.sbatch", "base/seed0"]]
    assert slurm.commands(resumed, "t.sbatch", {"12": "PENDING"}) == []
    starts = {"base/seed0": ["python", "t.py"]}
    (asked,) = ray_job.commands(resumed, starts, [])
    assert asked == ["ray", "job", "submit", "--no-wait", "--submission-id", "base_seed0-7", "--", "python", "t.py"]
    assert ray_job.commands(resumed, starts, ["base_seed0-7"]) == []
    assert slurm.commands({**resumed, "decision": "commit", "before": "continue"}, "t.sbatch", {}) == []
    # a job that waits would start while its run is held
    queued = slurm.commands({"decision": "hold", "run": "base/seed0"}, "t.sbatch", {"12": "RUNNING", "13": "PENDING"})
    assert queued == [["scancel", "--signal=TERM", "--batch", "12"], ["scancel", "13"]]
