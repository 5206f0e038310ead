"""Runs are kept whole: what their logs hold beside the evaluations comes back equal, on SQLite and PostgreSQL."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import text

import rlscale
from rlscale.cli import main
from rlscale.curves import Curve, Metric, Run, Series, Source
from rlscale.errors import LedgerError, SourceError
from rlscale.ledger import Heading, Ledger, Logged, points_of
from rlscale.ledger.packed import Part, packed, unpacked
from rlscale.live import Following, Intake
from rlscale.sources import bundled
from tests.waiting import LIMIT

HOSTILE = "loss\x00\ud800'; DROP TABLE runs; --\u202e" + "x" * 3000


@pytest.fixture
def ledger(where):
    with Ledger(where, create=True, patience=LIMIT) as held:
        yield held


def made(rows=6, name="a", **more):
    """Return a run that logs at each step, of which every second is evaluated."""
    step = np.arange(1.0, rows + 1.0)
    loss = Series(step, 1.0 / step)
    odd = np.where(step % 3 == 0, np.nan, np.where(step % 3 == 1, np.inf, -np.inf))
    told = {
        "series": {"loss": loss, HOSTILE: Series(step, odd), "never": Series([], [])},
        "metrics": {"entropy": Metric("loss", "nats", loss),
                    "truncation": Metric("1 - loss", "share", Series(step, 1 - 1 / step))},
        "config": {"lr": 1e-6, "nested": {"a": [1, None, float("inf")]}, HOSTILE: "\x00\udfff"},
        "settings": {"learning_rate": 1e-6, "loss_type": "dapo", "clip_high": float("inf"), "model": ["a", "b"]},
        "source": Source("logs/a.jsonl", "jsonl", rows, ("mended",), "trl"), "seed": 3, "model_params": 7e9,
    }  # fmt: skip
    evaluated = step[1::2]
    curve = Curve(compute=evaluated * 100.0, reward=0.5 + evaluated / 1000.0, unit="tokens", metric="eval_reward")
    return Run(name=name, recipe="r", curve=curve, **{**told, **more})


def kept(where, options=None):
    """Return the runs of a ledger by name."""
    return {run.name: run for run in rlscale.read([f"ledger:{where}"], bounds=(0.0, 1.0), **(options or {}))}


def check(where, run):
    """Compare all of a run that a ledger keeps."""
    other = kept(where)[run.name]
    for name in ("series", "metrics", "config", "settings", "seed", "model_params", "source", "recipe", "curve"):
        assert rlscale.curves.value.equal(getattr(other, name), getattr(run, name)), name
    assert list(other.series) == list(run.series)
    assert list(other.metrics) == list(run.metrics)


def rows_of(ledger):
    asked = text("SELECT number, header, data FROM series ORDER BY run_id, number")
    return ledger._database.read(lambda connection: [tuple(row) for row in connection.execute(asked)])


def test_a_run_comes_back_equal(ledger, where):
    run = made()
    assert Intake(ledger).take([run]).refused == {}
    check(where, run)
    infinite = kept(where)["a"].series[HOSTILE].value
    assert np.array_equal(infinite, run.series[HOSTILE].value, equal_nan=True)


def test_the_bundled_runs_come_back_equal(ledger, where):
    runs = rlscale.read(bundled())
    Intake(ledger).take(runs)
    assert rlscale.read([f"ledger:{where}"]) == runs


def test_show_says_the_same_of_a_ledger_as_of_the_logs(where):
    said = CliRunner().invoke(main, ["ledger", "add", "bundled", "--ledger", where, "--no-fits"])
    assert said.exit_code == 0, said.stderr
    logs, ledger = (
        json.loads(CliRunner().invoke(main, ["show", path, "--json"]).stdout)["runs"]
        for path in ("bundled", f"ledger:{where}")
    )
    assert len(logs) == 6
    for log, run in zip(logs, ledger, strict=True):
        for name in ("run", "recipe", "seed", "trainer", "metrics", "settings", "config"):
            assert run[name] == log[name]
        assert run["source"]["path"] == log["path"]
        assert sorted(run["keys"]) == sorted(log["keys"])
        assert len(run["metrics"]) == 10


def test_a_growing_run_appends_what_is_new(ledger, where):
    intake = Intake(ledger)
    for rows in (4, 6, 6, 7, 10):
        intake.take([made(rows)])
        check(where, made(rows))
    parts = [list(unpacked(header, data)) for _, header, data in rows_of(ledger)]
    assert [{part.series.step.size for part in several} for several in parts] == [{4, 0}, {2}, {1}, {3}]
    intake.take([made(10)])
    Intake(ledger).take([made(10)])
    assert len(rows_of(ledger)) == 4


def test_equal_steps_are_kept_once(ledger):
    Intake(ledger).take([made(100)])
    ((_, header, data),) = rows_of(ledger)
    assert json.loads(header)["steps"] == [100, 0]
    assert len(data) == 8 * (100 + 3 * 100)  # steps; loss, the hostile one and truncation; entropy is the loss


def test_a_resume_replaces_what_it_logged_again(ledger, where):
    intake = Intake(ledger)
    intake.take([made(10)])
    again = Series([1.0, 2.0, 3.0, 3.5, 4.0, 9.0], [1.0, 0.5, 1.0 / 3.0, 9.0, 8.0, 7.0])
    resumed = made(10, series={"loss": again, "new": Series([4.0], [1.0])})
    intake.take([resumed])
    check(where, resumed)
    _, header, data = rows_of(ledger)[-1]
    parts = {part.key[1]: part for part in unpacked(header, data)}
    assert parts["loss"].since == 3.5
    assert parts[HOSTILE].series is None  # it is logged no more
    shorter = made(10, series={"loss": Series([1.0, 2.0], [1.0, 0.5]), "new": Series([], [])})
    intake.take([shorter])
    check(where, shorter)


def test_a_log_that_lost_its_beginning_takes_nothing_away(ledger, where):
    Intake(ledger).take([made(10)])
    whole = made(12)
    late = replace(whole, series={key: Series(one.step[5:], one.value[5:]) for key, one in whole.series.items()},
                   metrics={}, curve=whole.curve.since(600.0))  # fmt: skip
    assert Intake(ledger).take([late]).refused == {}
    found = kept(where)["a"]
    assert found.series["loss"] == whole.series["loss"]
    assert found.curve.n_points == 6


@pytest.mark.parametrize(
    "steps", [[3.0, 2.0, 1.0], [1.0, 1.0, 2.0], [1.0, np.nan, 2.0], [np.nan, np.inf, -np.inf]], ids=str
)
def test_steps_that_do_not_rise_are_kept_as_they_are(ledger, where, steps):
    intake = Intake(ledger)
    for count in (3, 3, 2):
        run = made(series={"odd": Series(steps[:count], [1.0, -0.0, np.nan][:count])}, metrics={})
        intake.take([run])
        check(where, run)


def test_writers_that_do_not_know_of_each_other_leave_the_run_whole(ledger, where):
    first, second = Intake(ledger), Intake(ledger)
    for intake, rows in ((first, 4), (second, 8), (first, 6), (second, 9), (first, 12), (second, 12)):
        intake.take([made(rows)])
        check(where, replace(made(rows), curve=kept(where)["a"].curve))
    check(where, made(12))


def test_what_a_log_says_later_is_kept(ledger, where):
    intake = Intake(ledger)
    intake.take([made(settings={}, seed=None, model_params=None, config={}, source=None)])
    later = made(settings={"learning_rate": 2.0}, seed=5)
    intake.take([later])
    check(where, later)
    Intake(ledger).take([made()])
    check(where, made())


def test_a_metric_by_steps_is_a_reward_only_where_steps_are_the_compute(ledger, where):
    steps = made(name="steps")
    curve = replace(steps.curve, compute=steps.curve.compute / 100.0, unit="steps")
    Intake(ledger).take([replace(steps, curve=curve)])
    found = kept(where, {"metric": "loss"})["steps"].curve
    assert (found.compute.tolist(), found.reward[1]) == ([1, 2, 3, 4, 5, 6], 0.5)
    Intake(ledger).take([made(name="tokens")])
    with pytest.raises(SourceError, match="keeps 'loss' by the trainer's step, whose compute in tokens it does not"):
        rlscale.read([f"ledger:{where}"], metric="loss", run=["tokens"])


def test_a_run_that_records_itself_appends(ledger, where):
    row = ledger.book.enlist(Heading(name="own", recipe="own", source="trl", settings={"temperature": 1.0}))
    empty = Series([1.0], [np.nan])

    def extend(steps, values, reward, **more):
        log = Logged(series={"loss": Series(steps, values)}, **more)
        new = {"reward": points_of([steps[-1]], [reward])}
        return ledger.book.extend(row.id, new, log, about=bool(more))

    metric = {"entropy": Metric("loss", "nats", empty)}
    assert extend([1.0, 2.0], [0.9, np.nan], 0.1, config={"beta": 0.0}, trainer="trl") == 1
    assert extend([3.0, 4.0], [0.7, 0.6], 0.2) == 1
    assert extend([3.0, 5.0], [0.5, 0.4], 0.3) == 1  # after a checkpoint
    other = Logged(series={"kl": Series([6.0], [0.1])}, metrics={"kl": Metric("kl", "nats", empty)}, trainer="trl")
    ledger.book.extend(row.id, {}, other, about=True)
    run = kept(where)["own"]
    assert run.series["loss"] == Series([1.0, 2.0, 3.0, 5.0], [0.9, np.nan, 0.5, 0.4])
    assert run.source.trainer == "trl"
    assert run.settings == {"temperature": 1.0}
    assert metric["entropy"].unit == "nats"


def test_a_damaged_row_is_an_error_that_says_so(ledger, where):
    Intake(ledger).take([made()])
    ledger._database.write(lambda connection: connection.execute(text("UPDATE series SET data = ''")))
    with pytest.raises(SourceError, match="holds 0 bytes for 24 numbers: the ledger is damaged; restore a copy"):
        kept(where)


def test_parts_are_packed_bit_for_bit():
    odd = np.frombuffer(np.array([0x7FF8DEAD00000001, 0x8000000000000000], dtype="<u8").tobytes(), dtype="<f8")
    parts = [Part(("series", "a"), -np.inf, Series([1.0, 2.0], odd)), Part(("metric", "a"), 3.0, None)]
    header, data = packed(parts)
    assert header.isascii()
    first, second = unpacked(header, data)
    assert first.series.value.tobytes() == odd.tobytes()
    assert (first.since, second.since, second.series) == (-np.inf, 3.0, None)
    with pytest.raises(LedgerError, match="holds 31 bytes for 4 numbers"):
        list(unpacked(header, data[:-1]))


def test_an_older_ledger_of_runs_that_recorded_themselves_is_brought_along(where):
    old = {"learning_rate": 3e-4, "beta": 0.0, "num_generations": 8, "max_completion_length": 256, "epsilon": 0.2,
           "epsilon_high": None, "scale_rewards": "group", "per_device_train_batch_size": 4}  # fmt: skip
    with Ledger(where, create=True) as held:
        row = held.book.enlist(Heading(name="own", recipe="own", source="trl", settings=old))
        held.book.append({row.id: {"reward": points_of([1, 2], [0.1, 0.2]), "kl": points_of([1], [0.5])}})
        read = held.book.enlist(Heading(name="read", recipe="own", source="a.csv", settings={"beta": 1.0}))
        held.book.append({read.id: {"reward": points_of([1, 2], [0.1, 0.2])}})
        for sql in (
            "DROP TABLE series",
            "DROP TABLE logs",
            "ALTER TABLE events DROP COLUMN document",
            "DROP TABLE published",
            *(f"ALTER TABLE fits DROP COLUMN r_q{k}" for k in (10, 50, 90)),
            "UPDATE rlscale_version SET version_num = '0002'",
        ):
            held._database.write(lambda connection, sql=sql: connection.execute(text(sql)))
    runs = kept(where)
    assert runs["own"].settings == {
        "learning_rate": 3e-4, "kl_coefficient": 0.0, "generations": 8, "max_response_length": 256, "clip_low": 0.2,
    }  # fmt: skip
    assert runs["own"].config == old
    assert runs["own"].series["kl"] == Series([1.0], [0.5])
    assert (runs["read"].settings, runs["read"].config) == ({"beta": 1.0}, {})
    assert runs["read"].source.format == "ledger"
    with Ledger(where) as held:  # and it goes on as a whole run
        intake = Intake(held)
        intake.take([replace(made(name="read"), curve=runs["read"].curve, source=Source("a.csv", "csv", 2))])
    assert kept(where)["read"].series == made().series


@pytest.mark.parametrize("odd", [{(1, 2): 3}, "endless", "deep"], ids=str)
def test_a_configuration_that_cannot_be_kept_leaves_out_its_run(ledger, where, odd):
    config = {"a": odd}
    if odd == "endless":
        config["a"] = config
    for _ in range(100_000 if odd == "deep" else 0):
        config = {"a": config}
    taken = Intake(ledger).take([made(config=config), made(name="b")])
    assert "cannot be kept" in taken.refused["a"]
    check(where, made(name="b"))


def test_what_json_has_no_value_for_is_kept_as_the_nearest(ledger, where):
    Intake(ledger).take([made(config={"n": np.float32(0.5), "a": np.arange(2), "s": {1}, "p": Path("x")})])
    assert kept(where)["a"].config == {"n": 0.5, "a": [0, 1], "s": [1], "p": "x"}


def test_a_log_that_is_followed_is_kept_whole(ledger, where, tmp_path):
    whole = json.loads((Path(bundled()) / "base/seed0/trainer_state.json").read_text(encoding="utf-8"))
    path = tmp_path / "base" / "seed0" / "trainer_state.json"
    path.parent.mkdir(parents=True)
    intake = Intake(ledger)
    with closing(Following([tmp_path], rlscale.ReadOptions(unit="tokens"))) as source:
        for count in (9, 9, 30, 31, len(whole["log_history"])):
            path.write_text(json.dumps({**whole, "log_history": whole["log_history"][:count]}), encoding="utf-8")
            runs = source.poll().runs
            assert intake.take(runs).refused == {}
            (run,) = rlscale.read([f"ledger:{where}"])
            assert run == runs[0]
    assert (len(run.metrics), len(run.series), run.curve.n_points) == (10, 32, 51)
