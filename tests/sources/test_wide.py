"""Wide tables: one column of compute, and one of rewards for each run."""

import numpy as np
import pytest

from rlscale.errors import ChoiceError, SourceError
from rlscale.sources import read

STEPS = range(0, 60, 10)


def wide(*columns, axis="step", **more):
    rows = [",".join([axis, *columns, *more])]
    for step in STEPS:
        cells = [f"{0.1 + step / 100 + k / 20:.3f}" for k in range(len(columns))]
        rows.append(",".join([str(step), *cells, *more.values()]))
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("axis", ["step", "Global Step", "tokens", "iter", "total_timesteps"])
@pytest.mark.parametrize(
    "columns",
    [("GRPO", "DAPO"), ("armA", "armB", "armC"), ("seed1", "seed2"), ("lr1e-5", "lr1e-6"), ("run 1", "run 2")],
)
def test_each_column_is_a_run(write, axis, columns):
    runs = read(write("t.csv", wide(*columns, axis=axis)))
    assert [run.name for run in runs] == list(columns)
    for k, run in enumerate(runs):
        assert run.curve.compute.tolist() == list(STEPS)
        assert run.curve.reward.tolist() == pytest.approx([0.1 + step / 100 + k / 20 for step in STEPS])
        assert (run.curve.metric, run.warnings) == ("reward", ())
    assert runs[0].source.repairs == (
        f"each of the columns {', '.join(map(repr, columns))} is read as a run: the table is wide",
    )


def test_an_index_of_pandas_is_no_run(write):
    lines = wide("GRPO", "DAPO").splitlines()
    text = "\n".join(f"{'' if k == 0 else k - 1},{line}" for k, line in enumerate(lines)) + "\n"
    assert [run.name for run in read(write("t.csv", text))] == ["GRPO", "DAPO"]
    assert [run.name for run in read(write("u.csv", "Unnamed: 0" + text))] == ["GRPO", "DAPO"]


def test_empty_cells_are_not_logged(write):
    a, b = read(write("t.csv", "step,A,B\n0,.1,.2\n10,,.3\n20,.2,\n"))
    assert (a.curve.compute.tolist(), b.curve.compute.tolist()) == ([0, 20], [0, 10])
    assert len(a.source.repairs) == 1


@pytest.mark.parametrize(
    "columns",
    [
        ("GRPO_mean", "GRPO_std"),
        ("GRPO", "GRPO_upper"),
        ("loss_a", "kl"),
        ("lr", "rate"),
        ("response_length", "entropy"),
        ("A", "epoch"),
        ("A", "time_s"),
    ],
)
def test_what_is_not_recognised_is_refused_with_the_hint(write, columns):
    path = write("t.csv", wide(*columns, "zeta"))
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert "give metric=KEY, or wide=True if each column is a run" in str(caught.value)


def test_the_exact_refusal(write):
    path = write("t.csv", wide("GRPO_mean", "GRPO_std", "DAPO_mean", "DAPO_std"))
    with pytest.raises(ChoiceError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path}: no reward is recognised; give metric=KEY, or wide=True if each column is a run "
        "(GRPO_std, DAPO_std are then their noise): GRPO_mean, GRPO_std, DAPO_mean, DAPO_std"
    )


def test_wide_forces_it_and_spreads_become_sd(write):
    runs = read(write("t.csv", wide("GRPO_mean", "GRPO_std", "kl", "kl_sem", "A_max")), wide=True)
    assert [run.name for run in runs] == ["GRPO_mean", "kl"]
    assert runs[0].curve.sd is not None
    assert runs[0].source.repairs == (
        "each of the columns 'GRPO_mean', 'kl' is read as a run: the table is wide",
        "read as the noise of the column of rewards with their name: GRPO_std, kl_sem",
        "columns of spreads and limits are no runs: A_max",
    )
    np.testing.assert_allclose(runs[0].curve.sd, [0.15 + step / 100 for step in STEPS])


def test_wide_without_such_a_column(write):
    path = write("t.csv", "step,note\n1,x\n2,y\n")
    with pytest.raises(SourceError) as caught:
        read(path, wide=True)
    assert caught.value.message == (
        "holds no numeric column that could be a run; its columns are step; leave --wide out"
    )


def test_wide_by_row_numbers(write):
    a, b = read(write("t.csv", "A,B\n.1,.2\n.3,.4\n"), wide=True, compute="row")
    assert (a.curve.compute.tolist(), b.curve.reward.tolist()) == ([1, 2], [0.2, 0.4])


def test_metric_names_one_column_and_no_run(one):
    assert one("t.csv", wide("GRPO", "DAPO"), metric="DAPO").name == "t"


def test_a_table_with_a_known_reward_is_not_wide(one):
    assert one("t.csv", wide("accuracy", "GRPO")).curve.metric == "accuracy"
    assert one("t.csv", wide("eval/reward", "A", "B")).curve.metric == "eval/reward"
