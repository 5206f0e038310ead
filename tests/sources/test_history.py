"""A record of a container to runs: what is repaired, and what is told."""

import numpy as np
import pytest

from rlscale.sources.history import of_record, of_rows
from rlscale.sources.record import Column, Record, RowColumns

AT_ONCE = "two runs seem to have logged here at the same time"
RESUMED = "whose compute counts only in --clock elapsed"


def column(*points):
    """Points ``(step, value, time)``; the time is unknown where it is left out."""
    rows = np.array([(*point, np.nan)[:3] for point in points], dtype=float).reshape(-1, 3)
    return Column(*rows.T)


def train(*steps, since=1e9, each=10.0, value=0.0):
    return column(*((step, value + step, since + each * (k + 1)) for k, step in enumerate(steps)))


def record(starts=(), **columns):
    named = {key.replace("__", "/"): one for key, one in columns.items()}
    return Record(name="r", path="p", format="f", rows=9, columns=named, starts=starts)


def points(series):
    return dict(zip(series.step.tolist(), series.value.tolist(), strict=True))


def elapsed(history):
    return points(history.wall.seconds)


def test_a_plain_run():
    (run,) = of_record(record(starts=(1e9,), t=train(1, 2, 3), e=column((2, 0.5, 1e9 + 21))))
    assert (run.name, run.rows, run.repairs, run.warnings) == ("r", 9, (), ())
    assert points(run.series["e"]) == {2: 0.5}
    assert elapsed(run) == {1: 10, 2: 21, 3: 30}


def test_an_empty_column_and_one_of_nothing_finite():
    (run,) = of_record(record(t=train(1, 2), none=column(), odd=column((np.nan, 1.0), (np.inf, 2.0))))
    assert (run.series["none"].step.size, run.series["odd"].step.size) == (0, 0)
    assert [one.series["none"].step.size for one in of_record(record(none=column()))] == [0]
    assert of_record(record())[0].wall is None


def test_steps_values_and_times_that_are_not_finite():
    odd = column((1, np.nan, 1e9 + 10), (np.nan, 5.0, 1e9 + 15), (2, 3.0, np.nan), (3, 4.0, 1e9 + 30))
    (run,) = of_record(record(starts=(1e9,), t=odd))
    assert run.series["t"].step.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(run.series["t"].value, [np.nan, 3.0, 4.0])
    assert elapsed(run) == {1: 10, 3: 30}


def test_a_resume_replaces_and_its_time_counts():
    """Steps 1 to 4, stopped, resumed from the checkpoint at 2, 90 s later."""
    first, second = train(1, 2, 3, 4), train(3, 4, 5, since=1e9 + 130, value=0.5)
    both = Column(*(np.concatenate(pair) for pair in zip(vars(first).values(), vars(second).values(), strict=True)))
    (run,) = of_record(record(starts=(1e9, 1e9 + 130), t=both, profiling__x=both))
    assert points(run.series["t"]) == {1: 1, 2: 2, 3: 3.5, 4: 4.5, 5: 5.5}
    assert run.repairs == (f"the run resumed at step 3: the later values replace 2 steps logged before, {RESUMED}",)
    assert elapsed(run) == {1: 10, 2: 20, 3: 40 + 10, 4: 40 + 20, 5: 40 + 30}


def test_a_step_evaluated_again():
    again = column((0, 0.1, 1e9), (4, 0.2, 1e9 + 41), (4, 0.3, 1e9 + 500), (8, 0.4, 1e9 + 541))
    (run,) = of_record(record(t=train(1, 2, 3, 4), e=again))
    assert points(run.series["e"]) == {0: 0.1, 4: 0.3, 8: 0.4}
    assert run.repairs == ("1 step logged again with another value; the later one won",)
    same = column((0, 0.1, 1e9), (4, 0.2, 1e9 + 41), (4, 0.2, 1e9 + 500))
    assert of_record(record(t=train(1, 2, 3, 4), e=same))[0].repairs == ()


def test_evaluations_that_come_late_are_put_in_order():
    """Asynchronous evaluations: that of step 4 arrives after that of step 6; nothing was resumed."""
    late = column((2, 0.2, 1e9 + 35), (6, 0.6, 1e9 + 65), (4, 0.4, 1e9 + 75), (8, 0.8, 1e9 + 85))
    (run,) = of_record(record(starts=(1e9,), t=train(*range(1, 10)), e=late))
    assert points(run.series["e"]) == {2: 0.2, 4: 0.4, 6: 0.6, 8: 0.8}
    assert run.repairs == ("1 value was logged after those of later steps; they were put in their order",)
    assert elapsed(run)[9] == 90


def test_evaluations_that_go_back_with_the_train_rows_are_a_resume():
    back = column((2, 0.2), (4, 0.4), (6, 0.6), (5, 0.5))
    (run,) = of_record(record(t=train(1, 2, 3, 4, 5, 6, 5, 6), e=back))
    assert points(run.series["e"]) == {2: 0.2, 4: 0.4, 5: 0.5}


def test_two_runs_in_one_record_are_split_by_time():
    first, second = train(1, 2, 3), train(1, 2, 3, 4, since=2e9, value=0.5)
    both = Column(*(np.concatenate(pair) for pair in zip(vars(first).values(), vars(second).values(), strict=True)))
    evals = column((0, 0.1, 1e9), (3, 0.2, 1e9 + 31), (0, 0.3, 2e9), (3, 0.4, 2e9 + 31), (4, 0.5))
    runs = of_record(record(starts=(1e9 - 5, 2e9 - 5), t=both, e=evals))
    assert [run.name for run in runs] == ["r", "r#2"]
    assert [points(run.series["e"]) for run in runs] == [{0: 0.1, 3: 0.2}, {0: 0.3, 3: 0.4, 4: 0.5}]
    assert [points(run.series["t"]) for run in runs] == [{1: 1, 2: 2, 3: 3}, {1: 1.5, 2: 2.5, 3: 3.5, 4: 4.5}]
    assert [run.repairs for run in runs] == [
        (f"the log holds 2 runs one after the other; this is number {k}",) for k in (1, 2)
    ]
    assert [elapsed(run)[3] for run in runs] == [36, 36]


def test_two_runs_that_log_at_once_are_told():
    """Two files in one folder, written side by side: no time tells them apart."""
    first, second = train(1, 2, 3, 4), train(1, 2, 3, 4, since=1e9 + 5, value=0.5)
    one = Column(*(np.concatenate(pair) for pair in zip(vars(first).values(), vars(second).values(), strict=True)))
    (run,) = of_record(record(t=one))
    assert (points(run.series["t"]), run.wall) == ({1: 1.5, 2: 2.5, 3: 3.5, 4: 4.5}, None)
    assert [said[: len(AT_ONCE)] for said in run.warnings] == [AT_ONCE]
    # and rows in turns, as in a database under one name
    turns = column(*((step, k + step, 1e9 + 10 * step + k) for step in range(1, 7) for k in (0, 0.5)))
    (run,) = of_record(record(t=turns))
    assert [said[: len(AT_ONCE)] for said in run.warnings] == [AT_ONCE]


def test_a_key_logged_several_times_a_step_is_no_second_run():
    often = column(*((step, k, 1e9 + 10 * step + k) for step in range(1, 9) for k in range(4)))
    (run,) = of_record(record(starts=(1e9,), loss=often, t=train(*range(1, 9)), e=column((4, 0.5, 1e9 + 44))))
    assert run.warnings == ()
    assert points(run.series["loss"]) == dict.fromkeys(range(1, 9), 3)
    # nor of a new session, however long the pause after a validation is
    slow = Column(often.step, often.value, often.time + np.where(often.step > 4, 500, 0))
    (run,) = of_record(record(loss=slow))
    assert "session" not in run.wall.says


def test_profiling_rows_at_step_0_of_a_resumed_process_are_no_new_run():
    """W&B gives TRL's timing rows the step of the row before them: 0 at the start of a resumed process."""
    profiled = column(*((0, 1, 1e9 + k) for k in range(20)), *((0, 1, 2e9 + k) for k in range(20)))
    more = column((2, 0.1, 1e9 + 30), (4, 0.2, 1e9 + 40), (6, 0.3, 2e9 + 30), (8, 0.4, 2e9 + 40))
    (run,) = of_record(
        record(starts=(1e9, 2e9), train__reward=more, **{"profiling/Time taken: x": profiled, "_step": profiled})
    )
    assert points(run.series["train/reward"]) == {2: 0.1, 4: 0.2, 6: 0.3, 8: 0.4}
    assert (run.repairs, elapsed(run)) == ((), {2: 30, 4: 40, 6: 70, 8: 80})


def test_huge_and_fractional_steps():
    (run,) = of_record(record(t=column((1e15, 1.0), (1e15 + 1, 2.0)), u=column((0.25, 1.0), (0.5, 2.0))))
    assert points(run.series["t"]) == {1e15: 1, 1e15 + 1: 2}
    assert points(run.series["u"]) == {0.25: 1, 0.5: 2}


@pytest.mark.parametrize("scale", [1, 1e3, 1e6, 1e9])
def test_rows_with_their_times_in_any_unit(scale):
    rows = [(step, {"x": 1.0, "timestamp": (1.7e9 + 10 * step) * scale}) for step in (1, 2, 3)]
    (run,) = of_rows(rows, "p", "f")
    np.testing.assert_allclose(run.wall.seconds.value, [10, 20, 30], rtol=1e-6)


def test_rows_of_which_only_some_hold_a_time():
    rows = [(1, {"x": 1.0, "time": 1.7e9}), (2, {"x": 1.0}), (3, {"x": 1.0, "time": np.nan}), (4, {"time": 1.7e9 + 30})]
    (run,) = of_rows([(step, dict(row)) for step, row in rows], "p", "f")
    assert elapsed(run) == {1: 30, 4: 60}
    (run,) = of_rows([(step, {"x": 1.0, "time": 5.0 * step}) for step in (1, 2, 3)], "p", "f")
    assert run.wall is None  # seconds since the start of the process


def test_a_late_evaluation_in_rows_that_hold_their_step_is_no_new_run():
    columns = RowColumns()
    for k in range(8):
        columns.add({"step": k, "env/all/reward/total": 0.1}, 2 * k, 1e9 + k)
        if k == 3:
            columns.add({"step": 0, "test/env/all/reward/total": 0.2}, 2 * k + 1, 1e9 + k)
    record = Record(name="r", path="r", format="wandb", rows=9, columns=columns.done())
    assert len(of_record(record)) == 1


@pytest.mark.parametrize(("own", "steps"), [(lambda k: k, [0, 10]), (lambda k: 2 * k, [10])])
def test_a_row_before_the_first_step(own, steps):
    """It stands at the container's own number if that agrees with the steps of the rows that hold one."""
    columns = RowColumns()
    for k in range(11):
        row = {"training/global_step": float(k)} if k else {}
        columns.add({**row, **({"val": 0.5} if k % 10 == 0 else {})}, own(k))
    assert columns.done()["val"].step.tolist() == steps
