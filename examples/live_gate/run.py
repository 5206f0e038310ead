"""A live tournament: four real tiny GRPO recipes train side by side, the gate holds the losers and commits to one.

Nothing is simulated: TRL trains (``train.py``), each job records its evaluations in the ledger and asks it what is
decided, ``rlscale watch`` decides, and starts a job again that it resumed (``on_decision.py``). In the end the ledger
is asked why: every decision is made again from what it was made of, and must come out the same, bit for bit.

Install and run (three to four minutes on two cores)::

    pip install torch==2.13.0 trl==1.16.0 transformers==5.23.0 accelerate==1.15.0 datasets==5.2.0
    python examples/live_gate/run.py --out live
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from train import STEPS, TOURNAMENT, build_pools, load_warm_start

from rlscale.ledger import Ledger
from rlscale.live import explain

HERE = Path(__file__).resolve().parent


def start_jobs(out: Path, steps: int) -> list[subprocess.Popen[bytes]]:
    """Start one training job a recipe."""
    jobs = []
    for name in TOURNAMENT:
        command = [sys.executable, str(HERE / "train.py"), name, "--out", str(out), "--steps", str(steps)]
        with (out / f"{name}.log").open("a") as log:
            jobs.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
    return jobs


def watch(out: Path, steps: int) -> None:
    """Watch the ledger until nothing runs any more; decisions count."""
    obey = shlex.join([sys.executable, str(HERE / "on_decision.py"), str(out), str(steps)])
    subprocess.run(
        [
            sys.executable, "-m", "rlscale", "watch", "--ledger", str(out / "runs.db"), "--budget", str(steps), "--act",
            "--interval", "0.5", "--until-done", "--on-decision", obey,
        ],
        check=True,
    )  # fmt: skip


def report(ledger: Ledger, steps: int) -> bool:
    """Print every decision with whether it comes out the same again, and what the gate saved; say whether all do."""
    same = True
    for decision in ledger.rulings.decisions():
        found = explain(ledger, decision.id)
        same = same and found.same and found.same_inputs
        print(f"#{decision.id:<3}{decision.action:<9}{decision.run:<8}{decision.code:<18}{found.says()}")
    runs = ledger.book.runs()
    points = ledger.book.points(runs)
    spent = {row.name: float(points[row.id].compute[-1]) for row in runs}
    winner = [one.run for one in ledger.rulings.decisions() if one.action == "commit"][-1]
    full = steps * len(runs)
    print(f"committed to {winner}; {sum(spent.values()):g} of {full:g} steps used; {spent}")
    return same


def main() -> None:
    """Run the tournament."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--steps", type=int, default=STEPS, help="optimizer steps of a run: the budget")
    given = parser.parse_args()
    out = given.out.resolve()
    out.mkdir(parents=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    began = time.perf_counter()
    load_warm_start(out / "warm_start.pt", set(build_pools().evaluation))  # once, before four jobs want it
    Ledger(str(out / "runs.db"), create=True).close()
    jobs = start_jobs(out, given.steps)
    watch(out, given.steps)
    for job in jobs:
        job.wait()
    with Ledger(str(out / "runs.db")) as ledger:
        same = report(ledger, given.steps)
    print(f"{time.perf_counter() - began:.0f} s")
    if not same:
        raise SystemExit("a decision came out otherwise")


if __name__ == "__main__":
    main()
