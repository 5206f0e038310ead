"""A real TRL run under the ledger callback, and the live tournament of ``examples/live_gate`` from end to end."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rlscale

# what the trainers' libraries say of one another is not ours to mend
pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture
def made(tmp_path):
    """Return what makes a trainer with the callback; the model learns nothing in so few steps, and need not."""
    import train_sort_task as task

    from rlscale.integrations.trl import RLScaleCallback

    pools = task.build_pools()

    def trainer(where: str, *, budget: float, folder: str = "run", **more):
        settings = task.grpo_config(task.RECIPES["base"], 7, 40, tmp_path / folder)
        settings.eval_steps, settings.logging_steps = 4, 2
        few = task.Pools(pools.train[:500], pools.evaluation[:40])
        return task.make_trainer(
            settings, few, callbacks=[RLScaleCallback(where, budget=budget, run="sort/seed7", **more)]
        )

    return trainer


def test_the_callback_is_short():
    text = (ROOT / "src/rlscale/integrations/trl.py").read_text(encoding="utf-8")
    found = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    held = found["RLScaleCallback"]
    body = [ast.unparse(node) for node in held.body if not (isinstance(node, ast.Expr) and ast.get_docstring(held))]
    assert sum(one.count("\n") + 1 for one in body) < 100


def test_a_held_run_ends_with_an_evaluation_and_a_save_and_goes_on_from_there(made, tmp_path):
    from transformers import TrainerCallback

    from rlscale.ledger import Ledger

    where = str(tmp_path / "runs.db")

    class SaysHold(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == 9:
                with Ledger(where) as ledger:
                    ledger.overrides.add(ledger.book.run("sort/seed7"), "hold", "a test")

    first = made(where, budget=24)
    first.add_callback(SaysHold())
    first.train()
    assert first.state.global_step == 10  # the next log
    assert [row["step"] for row in first.state.log_history if "eval_reward" in row] == [0, 4, 8, 10]
    assert (tmp_path / "run" / "checkpoint-10").is_dir()
    with Ledger(where) as ledger:
        row = ledger.book.run("sort/seed7")
        assert (row.recipe, row.seed, row.budget, row.ended) == ("sort", 7, 24.0, None)
        assert row.settings["learning_rate"] == 3e-4
        ledger.overrides.add(row, "resume")
    second = made(where, budget=24)
    second.train(resume_from_checkpoint=True)
    assert second.state.global_step == 24  # the budget
    with Ledger(where) as ledger:
        row = ledger.book.run("sort/seed7")
        points = ledger.book.points([row])[row.id]
        assert points.compute.tolist() == [0, 4, 8, 10, 12, 16, 20, 24]
        assert row.ended is not None
    (run,) = rlscale.read([f"ledger:{where}"])
    (log,) = rlscale.read([tmp_path / "run" / "checkpoint-24" / "trainer_state.json"])
    assert {"entropy", "train_reward", "zero_variance", "response_length"} <= set(run.metrics)
    assert dict(run.metrics) == dict(log.metrics)
    assert (run.settings["generations"], run.config["seed"]) == (run.config["num_generations"], 7)
    assert (tmp_path / "run" / "checkpoint-24").is_dir()


@pytest.mark.parametrize("why", ["hold", "budget"])
def test_a_run_that_is_held_or_at_its_budget_is_not_trained_a_step_when_started(made, tmp_path, why, caplog):
    from transformers import TrainerCallback

    from rlscale.integrations.trl import RunHeld
    from rlscale.ledger import Ledger

    where = str(tmp_path / "runs.db")
    made(where, budget=8).train()
    with Ledger(where) as ledger:
        row = ledger.book.run("sort/seed7")
        ended, points = row.ended, ledger.book.points([row])[row.id].compute.tolist()
        assert points == [0, 4, 8]
        if why == "hold":
            ledger.overrides.add(row, "hold", "a test")
    begun = []

    class Begins(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            begun.append(state.global_step)

    second = made(where, budget=8 if why == "budget" else 24)
    second.add_callback(Begins())
    with pytest.raises(RunHeld, match="said hold: a test" if why == "hold" else "the budget of 8 is spent") as held:
        second.train(resume_from_checkpoint=True)
    assert isinstance(held.value, SystemExit)
    assert held.value.code == 0
    assert begun == []
    assert second.state.global_step == 8
    assert len([one for one in caplog.records if "stops this run at step 8" in one.message]) == 2  # one a training
    with Ledger(where) as ledger:
        row = ledger.book.run("sort/seed7")
        assert ledger.book.points([row])[row.id].compute.tolist() == points
        assert (row.ended is None) == (why == "hold")
        assert ended is not None


def test_tokens_are_an_axis_and_a_broken_ledger_stops_nobody(made, tmp_path):
    from rlscale.ledger import Ledger

    where = tmp_path / "runs.db"
    trainer = made(str(where), budget=1e9, unit="tokens", patience=0.2)
    trainer.args.max_steps = 12
    locker = Ledger(str(where), create=True)
    lock = locker._database._engine.connect().execution_options(rlscale_write=True)
    with lock.begin():  # for as long as the run lasts, but for its end
        from transformers import TrainerCallback

        class Unlock(TrainerCallback):
            def on_step_end(self, args, state, control, **_):
                if state.global_step == 7:
                    lock.rollback()

        trainer.add_callback(Unlock())
        trainer.train()
    lock.close()
    locker.close()
    assert trainer.state.global_step == 12
    with Ledger(str(where)) as ledger:
        row = ledger.book.run("sort/seed7")
        points = ledger.book.points([row])[row.id]
        assert (row.unit, len(points)) == ("tokens", 4)  # those of the time when it was locked too
        assert points.compute[-1] == trainer.state.num_input_tokens_seen > 0


def test_a_live_tournament_ends_with_the_winner_and_explains_itself(tmp_path):
    out = tmp_path / "live"
    script = str(ROOT / "examples" / "live_gate" / "run.py")
    done = subprocess.run(
        [sys.executable, script, "--out", str(out)], env=environment(), capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    listed = json.loads(
        subprocess.run(
            [sys.executable, "-m", "rlscale", "ledger", "list", "--ledger", str(out / "runs.db"), "--json"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    last = {one["run"]: one for one in listed["runs"]}
    assert last["long10"]["decision"] == "commit"
    assert last["long10"]["compute_last"] == 240
    others = [one for name, one in last.items() if name != "long10"]
    assert len(others) == 3
    assert {one["decision"] for one in others} <= {"hold", "stop"}
    assert sum(one["compute_last"] for one in listed["runs"]) < 0.85 * 4 * 240
    held = [one for one in listed["decisions"] if one["decision"] == "hold"]
    assert len({one["run"] for one in held}) == 3
    # what is to be carried out was carried out once
    carried = [one for one in listed["decisions"] if one["before"] is not None and one["reason_code"] != "finished"]
    assert all([each["outcome"] for each in one["commands"]] in (["done"], []) for one in carried)
    assert "the same, bit for bit" in done.stdout
