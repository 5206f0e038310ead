"""Rows, columns and tables that were started again follow one rule."""

import numpy as np
import pytest

from rlscale.sources import ReadOptions, collect
from rlscale.sources.history import of_record, of_rows
from rlscale.sources.record import Column, Record
from rlscale.sources.restarts import begins_of, last_written


def of_all_kinds(steps, write):
    """Return the steps of each run of one log: kept as rows, as a tracker's columns, and as a table."""
    values = np.linspace(0.1, 0.9, len(steps))
    rows = of_rows([(float(s), {"reward": v}) for s, v in zip(steps, values, strict=True)], "p", "jsonl")
    column = Column(np.asarray(steps, float), values, 1e9 + np.arange(len(steps)))
    columns = of_record(Record(name="", path="p", format="tensorboard", rows=len(steps), columns={"reward": column}))
    lines = "".join(f"{s},{v}\n" for s, v in zip(steps, values, strict=True))
    table = collect([write("t.csv", f"step,reward\n{lines}")], ReadOptions(unit="steps")).runs
    histories = [[one.series["reward"].step.tolist() for one in kind] for kind in (rows, columns)]
    return [*histories, [run.curve.compute.tolist() for run in table]]


@pytest.mark.parametrize(
    ("steps", "runs"),
    [
        ([1, 2, 3, 4, 3, 4, 5, 6], [[1, 2, 3, 4, 5, 6]]),  # a resume
        ([1, 2, 3, 4, 1, 2, 3, 4], [[1, 2, 3, 4], [1, 2, 3, 4]]),  # another run
        ([2, 3, 4, 5, 0, 1, 2, 3], [[2, 3, 4, 5], [0, 1, 2, 3]]),
        # the second run began at 0, so that going back to 2 is a resume of it, although the first began at 2
        ([2, 3, 4, 5, 0, 1, 2, 3, 2, 3, 4, 5], [[2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]),
        ([1, 2, 3, 4, 5, 6, 5, 6, 7, 8, 3, 4, 5, 6], [[1, 2, 3, 4, 5, 6]]),
    ],
)
def test_one_rule(steps, runs, write):
    assert of_all_kinds(steps, write) == [runs, runs, runs]


def test_values_between_two_places_do_not_replace_one_another():
    place = np.array([1.0, 1.0, 2.0, 3.0, 2.0, 2.0])
    assert last_written(place, [4]).tolist() == [True, True, False, False, True, True]
    assert last_written(place, []).all()


def test_where_runs_begin():
    assert begins_of(np.array([2.0, 3.0, 0.0, 1.0, 1.0, 0.0]), [2, 4, 5]) == [0, 2, 5]
