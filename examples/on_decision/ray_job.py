"""Carry decisions of ``rlscale watch`` out with Ray jobs: ``ray job stop``, and ``ray job submit`` to go on.

    export RAY_ADDRESS=http://HEAD:8265
    rlscale watch runs/ --ledger runs.db --budget 2e6 --act --on-decision "python ray_job.py jobs.json"

``jobs.json`` says how a run is started: ``{"base/seed0": ["python", "train.py", "--resume", "base"], ...}``. Ray lets
no two jobs have one submission id, so a run's job is called after the run and the decision that started it,
``RUN-DECISION``; the job of the very start is called after the run alone (``ray job submit --submission-id RUN ...``).
``--dry-run`` prints the commands.

A command may be started twice, after a watcher was killed in the middle of it (``attempt`` is then above 1): submitting
is safe, since Ray refuses the second job with the same id.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+#@=-]*")


def job_of(run: str) -> str:
    """Return the part of a submission id that names the run."""
    name = run.replace("/", "_")
    if not NAME.fullmatch(name):
        raise SystemExit(f"run {run!r} is no name of a Ray job; rename it")
    return name


def running(name: str) -> list[str]:
    """Return the submission ids of a run's jobs that have not ended."""
    from ray.job_submission import JobSubmissionClient

    found = [(one.submission_id, one.status) for one in JobSubmissionClient().list_jobs()]
    own = re.compile(rf"{re.escape(name)}(-\d+)?")
    return [job for job, status in found if job and own.fullmatch(job) and not status.is_terminal()]


def commands(decision: dict, starts: dict[str, list[str]], jobs: list[str]) -> list[list[str]]:
    """Return the commands that carry a decision out."""
    if decision["decision"] in ("hold", "stop"):
        return [["ray", "job", "stop", "--no-wait", job] for job in jobs]
    if decision["before"] in ("hold", "stop") and not jobs:
        job = f"{job_of(decision['run'])}-{decision['decision_id']}"
        return [["ray", "job", "submit", "--no-wait", "--submission-id", job, "--", *starts[decision["run"]]]]
    return []


def main() -> None:
    """Read a decision from standard input, and carry it out."""
    arguments = [one for one in sys.argv[1:] if one != "--dry-run"]
    decision = json.load(sys.stdin)
    name = job_of(decision["run"])
    starts = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    dry = "--dry-run" in sys.argv
    for command in commands(decision, starts, [name] if dry else running(name)):
        print(*command)
        if not dry:
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
