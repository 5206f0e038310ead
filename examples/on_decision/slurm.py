"""Carry decisions of ``rlscale watch`` out on Slurm: jobs are named after their runs.

    rlscale watch runs/ --ledger runs.db --budget 2e6 --act --on-decision "python slurm.py train.sbatch"

``hold`` and ``stop`` send SIGTERM to the job of that name, so that the trainer can save (a job whose trainer has the
ledger callback ends by itself; this does no harm then), and cancel one that still waits in the queue: it must not start
while its run is held. ``continue`` and ``commit`` after a hold submit the batch
script again, with the run's name as its argument: it must go on from the last checkpoint. ``--dry-run`` prints the
commands.

A command may be started twice, after a watcher was killed in the middle of it (``attempt`` is then above 1): submitting
is safe, since a job of that name that is there already is not submitted again.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

#: Names that are safe as a Slurm job name, and no option of its commands.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+#@=/-]*")


def jobs_of(run: str) -> dict[str, str]:
    """Return the state of each job of a run's name that runs or waits, by its number: ``PENDING``, ``RUNNING``, ..."""
    asked = ["squeue", "--me", "--noheader", "--format=%A %T", f"--name={run}"]
    lines = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split() for line in lines)


def commands(decision: dict, script: str, jobs: dict[str, str]) -> list[list[str]]:
    """Return the commands that carry a decision out."""
    if decision["decision"] in ("hold", "stop"):
        signal = ["--signal=TERM", "--batch"]  # which no job hears that waits
        return [["scancel", *([] if state == "PENDING" else signal), job] for job, state in jobs.items()]
    if decision["before"] in ("hold", "stop") and not jobs:
        return [["sbatch", f"--job-name={decision['run']}", script, decision["run"]]]
    return []


def main() -> None:
    """Read a decision from standard input, and carry it out."""
    arguments = [one for one in sys.argv[1:] if one != "--dry-run"]
    decision = json.load(sys.stdin)
    if not NAME.fullmatch(decision["run"]):
        raise SystemExit(f"run {decision['run']!r} is no name of a Slurm job; rename it")
    dry = "--dry-run" in sys.argv
    for command in commands(decision, arguments[0], {"JOB": "RUNNING"} if dry else jobs_of(decision["run"])):
        print(*command)
        if not dry:
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
