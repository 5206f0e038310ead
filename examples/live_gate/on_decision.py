"""Carries decisions of ``rlscale watch`` out: starts a job again that the gate resumed. Reads JSON on standard input.

Held and stopped jobs need nothing here: their callback asks the ledger and ends them. The jobs of this example run on
this machine; ``examples/on_decision`` has the same for Slurm and for Ray.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from train import TOURNAMENT


def main() -> None:
    """Read a decision, and start its job again where it asks for that."""
    decision = json.load(sys.stdin)
    run, out, steps = decision["run"], Path(sys.argv[1]), sys.argv[2]
    if decision["decision"] not in ("continue", "commit") or decision["before"] not in ("hold", "stop"):
        print(f"{decision['decision']} {run}: its callback does it")
        return
    if run not in TOURNAMENT:
        raise SystemExit(f"{run!r} is no recipe of this tournament")
    command = [sys.executable, str(Path(__file__).with_name("train.py")), run, "--out", str(out), "--steps", steps]
    with (out / f"{run}.log").open("a") as log:
        # a session of its own: the job outlives this command
        job = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=os.environ)
    print(f"started {run} again, process {job.pid}")


if __name__ == "__main__":
    main()
