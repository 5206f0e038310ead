"""Rows of one run that contradict each other: what tells them apart, in a fixed order, or a refusal."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlscale.errors import SourceError
from rlscale.sources import read

STEPS = tuple(range(0, 200, 10))


def curve(more=0.0, steps=STEPS):
    return [(step, round(0.1 + step / 400 + more, 4)) for step in steps]


def table(points, header="step,acc"):
    return header + "\n" + "".join(f"{','.join(map(str, point))}\n" for point in points)


def refused(write, text, **options):
    path = write("t.csv", text)
    with pytest.raises(SourceError) as caught:
        read(path, **options)
    assert caught.value.path == str(path)
    return caught.value.message


def test_equal_duplicates_are_dropped_wherever_they_stand(one):
    points = curve()
    run = one("t.csv", table([*points, points[3], points[-1], *points[:5]]))
    assert run.curve.n_points == 20
    assert run.source.repairs[-1] == "7 duplicate rows were dropped"


@pytest.mark.parametrize("place", [19, 7])
def test_a_doubled_evaluation_is_a_slip_and_the_last_wins(one, place):
    points = curve()
    run = one("t.csv", table([*points[: place + 1], (points[place][0], 0.99), *points[place + 1 :]]))
    assert (run.curve.n_points, run.curve.reward[place]) == (20, 0.99)
    assert run.source.repairs == ("1 row was replaced by a later row with the same step",)


def test_two_runs_one_after_the_other(write):
    first, second = read(write("job.csv", table([*curve(), *curve(0.2)])))
    assert (first.name, second.name, first.curve.n_points, second.curve.n_points) == ("job", "job#2", 20, 20)
    assert first.curve.reward[0] == 0.1
    assert second.curve.reward[0] == 0.3
    assert first.source.repairs == ("the file holds 2 runs one after the other; this is number 1",)
    assert second.source.repairs == ("the file holds 2 runs one after the other; this is number 2",)


def test_tables_and_json_lines_give_the_same_runs(write):
    points = [*curve(), *curve(0.2), *curve(0.3)]
    csv = read(write("a.csv", table(points)))
    lines = read(write("b.jsonl", [{"step": step, "acc": value} for step, value in points]))
    for one, other in zip(csv, lines, strict=True):
        assert one.name[1:] == other.name[1:]
        np.testing.assert_array_equal(one.curve.compute, other.curve.compute)
        np.testing.assert_array_equal(one.curve.reward, other.curve.reward)


def test_appended_runs_that_share_their_baseline(write):
    second = [(0, 0.1), *curve(0.2)[1:]]
    runs = read(write("t.csv", table([*curve(), *second])))
    assert [run.curve.n_points for run in runs] == [20, 20]
    assert [run.curve.compute[0] for run in runs] == [0, 0]


def test_a_run_that_begins_below_the_first(write):
    runs = read(write("t.csv", table([*curve(steps=STEPS[2:]), *curve(0.2)])))
    assert [run.curve.n_points for run in runs] == [18, 20]


def test_a_resume_replaces_what_came_after_it(one):
    run = one("t.csv", table([*curve(), *curve(0.2, steps=STEPS[12:])]))
    assert run.curve.n_points == 20
    assert run.curve.reward[11] == pytest.approx(0.1 + 110 / 400)
    assert run.curve.reward[12] == pytest.approx(0.3 + 120 / 400)
    assert run.source.repairs == ("the run resumed at 120 after 190: the later rows replace 8 rows",)


def test_a_resume_that_stops_early_leaves_nothing_of_what_it_replaced(one):
    run = one("t.csv", table([*curve(), *curve(0.2, steps=STEPS[12:15])]))
    assert run.curve.compute_last == 140


def test_runs_of_a_named_run(write):
    text = table([("x", *point) for point in [*curve(), *curve(0.2)]], "run,step,acc")
    runs = read(write("t.csv", text))
    assert [run.name for run in runs] == ["x", "x#2"]
    assert runs[0].source.repairs == ("run 'x' holds 2 runs one after the other; this is number 1",)


@pytest.mark.parametrize("values", [("warm", "cold"), ("0.01", "0.1"), ("1", "2")])
def test_a_column_without_a_known_name_is_asked_about(write, values):
    text = table([(values[0], *p) for p in curve()] + [(values[1], *p) for p in curve(0.2)], "schedule,step,acc")
    assert refused(write, text) == (
        "rows at step 0 hold different rewards (0.1 and 0.3) and at 19 more values of step, and the column 'schedule' "
        "tells them apart: give --by schedule if that means the recipe; rename it to run or seed if it means that"
    )
    runs = read(write("t.csv", text), by="schedule")
    assert [(run.recipe, run.curve.n_points) for run in runs] == [(values[0], 20), (values[1], 20)]


def test_shuffled_rows_are_asked_about_all_the_same(write):
    rows = [("warm", *p) for p in curve()] + [("cold", *p) for p in curve(0.2)]
    np.random.default_rng(0).shuffle(rows)
    assert "the column 'schedule' tells them apart" in refused(write, table(rows, "schedule,step,acc"))


def test_several_such_columns(write):
    rows = [("warm", "x", *p) for p in curve()] + [("cold", "y", *p) for p in curve(0.2)]
    assert "and the columns 'schedule', 'tag' each tell them apart: give --by schedule" in refused(
        write, table(rows, "schedule,tag,step,acc")
    )


def test_what_is_measured_or_counts_rows_tells_nothing(write):
    rows = [(k, 0.5 + k // 20, 60 * k, *p) for k, p in enumerate([*curve(), *curve(0.2)])]
    runs = read(write("t.csv", table(rows, "index,kl,time,step,acc")), metric="acc")
    assert [run.name for run in runs] == ["t", "t#2"]


def test_json_lines_of_a_table_too(write):
    data = [
        {"run": "a", "phase": phase, "step": step, "reward": value}
        for phase, more in (("one", 0), ("two", 0.2)) for step, value in curve(more)
    ]  # fmt: skip
    path = write("t.jsonl", data)
    with pytest.raises(SourceError, match=r"run 'a': rows at step 0 .* the column 'phase' tells them apart"):
        read(path)


def test_a_step_that_counts_within_the_epoch(write):
    rows = [(epoch, k, round(0.1 + 0.05 * epoch + k / 1000, 4)) for epoch in range(6) for k in (10, 20, 30, 40)]
    text = table(rows, "epoch,iter,acc")
    assert refused(write, text) == (
        "rows at iter 10 hold different rewards (0.11 and 0.16) and at 3 more values of iter: 'iter' starts again "
        "while 'epoch' goes on rising, so it counts within the epoch; give --compute epoch"
    )
    (run,) = read(write("t.csv", text), compute="epoch")
    assert run.curve.compute.tolist() == [0, 1, 2, 3, 4, 5]
    assert run.curve.reward.tolist() == pytest.approx([0.14, 0.19, 0.24, 0.29, 0.34, 0.39])
    path = write("m.jsonl", [{"epoch": e, "step": k, "loss": 1.0, "eval/acc": v} for e, k, v in rows])
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == (
        "'step' starts again while 'epoch' goes on rising, so it counts within the epoch; give --compute epoch"
    )
    (run,) = read(path, compute="epoch")
    assert run.curve.compute.tolist() == [0, 1, 2, 3, 4, 5]


def test_shuffled_rows_of_a_step_that_counts_within_the_epoch(write):
    rows = [(epoch, k, round(0.1 + 0.05 * epoch + k / 1000, 4)) for epoch in range(6) for k in (10, 20, 30, 40)]
    np.random.default_rng(3).shuffle(rows)
    text = table([(int(epoch), int(k), value) for epoch, k, value in rows], "epoch,iter,acc")
    message = refused(write, text)
    assert message.startswith("rows at iter 10 hold different rewards (")
    assert message.endswith(
        ") and at 3 more values of iter: 'epoch' tells them apart, so 'iter' counts within the epoch; "
        "give --compute epoch"
    )
    (run,) = read(write("t.csv", text), compute="epoch")
    assert run.curve.compute.tolist() == [0, 1, 2, 3, 4, 5]
    assert run.curve.reward.tolist() == pytest.approx([0.14, 0.19, 0.24, 0.29, 0.34, 0.39])


def test_an_epoch_of_each_row_tells_nothing(write):
    rows = [(k / 7, *point) for k, point in enumerate(p for two in zip(curve(), curve(0.2), strict=True) for p in two)]
    assert "starts again while 'epoch' goes on rising" in refused(write, table(rows, "epoch,step,acc"))
    np.random.default_rng(0).shuffle(rows)
    assert "and no column tells them apart" in refused(write, table(rows, "epoch,step,acc"))


@pytest.mark.parametrize("column", ["loss_agg", "entropy_coeff", "kl_weight"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_number_that_is_chosen_is_asked_about_like_a_word(write, column, shuffled):
    rows = [(0.3, *p) for p in curve()] + [(0.7, *p) for p in curve(0.2)]
    if shuffled:
        np.random.default_rng(0).shuffle(rows)
    message = refused(write, table(rows, f"{column},step,acc"))
    assert message.endswith(
        f" and at 19 more values of step, and the column {column!r} tells them apart: give --by {column} if that means "
        "the recipe; rename it to run or seed if it means that"
    )


def test_an_epoch_that_starts_again_too_is_a_new_run(write):
    rows = [(step / 100, step, value) for more in (0, 0.2) for step, value in curve(more)]
    assert [run.name for run in read(write("t.csv", table(rows, "epoch,step,acc")))] == ["t", "t#2"]


def test_interleaved_rows_are_refused(write):
    rows = [point for pair in zip(curve(), curve(0.2), strict=True) for point in pair]
    assert refused(write, table(rows)) == (
        "rows at step 0 hold different rewards (0.1 and 0.3) and at 19 more values of step, and no column tells them "
        "apart; add a column run, recipe or seed"
    )


def test_short_stretches_are_refused(write):
    assert "no column tells them apart" in refused(write, table([*curve(steps=STEPS[:3]), *curve(0.2)]))
    assert "run 'x': rows at step 0" in refused(
        write, table([("x", 0, 0.1), ("x", 0, 0.2), ("y", 0, 0.1)], "run,step,acc")
    )


def test_a_table_that_cannot_be_told_apart_does_not_stop_a_folder(write, tmp_path):
    from rlscale.sources import collect

    write("good.csv", table(curve()))
    bad = write("bad.csv", table([(0, 0.1), (0, 0.2), (10, 0.1), (10, 0.4)]))
    reading = collect([tmp_path])
    assert [run.name for run in reading.runs] == ["good"]
    assert [error.path for error in reading.errors] == [str(bad)]


def test_only_the_chosen_metric_may_contradict_itself(one):
    rows = [(step, value, k % 7) for k, (step, value) in enumerate(curve())]
    rows += [(step, value, 9) for step, value in curve()]
    assert one("t.csv", table(rows, "step,acc,queue")).curve.n_points == 20


def test_datasets_of_two_appended_runs(write):
    rows = [
        (name, step, value + add)
        for more in (0, 0.2)
        for step, value in curve(more)
        for name, add in (("x", 0), ("y", 0.1))
    ]
    runs = read(write("t.csv", table(rows, "task,step,acc")), metric="x")
    assert [(run.name, run.curve.n_points, run.curve.reward[0]) for run in runs] == [("t", 20, 0.1), ("t#2", 20, 0.3)]


def test_a_trainers_rows_without_times(write):
    rows = [(step, value, 100 * step, 9, 0.0) for more in (0, 0.2) for step, value in curve(more)]
    header = "step,eval_reward,num_tokens,completions/mean_length,frac_reward_zero_std"
    runs = read(write("t.csv", table(rows, header)))
    assert [(run.name, run.curve.n_points, run.source.format) for run in runs] == [
        ("t", 20, "tracker-export"),
        ("t#2", 20, "tracker-export"),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(1, 11), min_size=4), min_size=2, max_size=4))
def test_no_point_is_ever_woven_into_another_run(write, stretches):
    """Runs one after the other, from 0: each curve holds one of them whole (rewards are stamped with its number)."""
    points = [(step, k / 10 + step / 10000) for k, steps in enumerate(stretches) for step in sorted({0, *steps})]
    runs = read(write("t.csv", table(points)))
    assert [run.curve.n_points for run in runs] == [len(steps) + 1 for steps in stretches]
    for k, run in enumerate(runs):
        np.testing.assert_allclose(run.curve.reward, k / 10 + run.curve.compute / 10000)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([*curve(), *curve(0.2)]))
def test_two_runs_in_any_order_are_never_woven(write, points):
    try:
        runs = read(write("t.csv", table(points)))
    except SourceError:
        return
    for run in runs:
        assert np.ptp(run.curve.reward - run.curve.compute / 400) < 1e-9
