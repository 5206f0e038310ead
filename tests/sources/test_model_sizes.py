"""Sizes of models in tables: as numbers, as people write them, under several names."""

from __future__ import annotations

import numpy as np
import pytest

from rlscale.errors import SourceError
from rlscale.sources import read
from rlscale.sources.tables.model_sizes import size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7B", 7e9), ("7b", 7e9), ("0.5 B", 5e8), (".5B", 5e8), ("500M", 5e8), ("1.7B", 1.7e9), ("1.5T", 1.5e12),
        ("7e9", 7e9), ("7.6E+9", 7.6e9), ("7,000,000,000", 7e9), ("7", 7.0), ("large", None), ("7B-Instruct", None),
        ("-7B", None), ("", None), ("7 billion", None),
    ],
)  # fmt: skip
def test_what_a_text_says(text, size):
    assert size_of(text) == size


def rows(*sizes, header="model_params"):
    lines = [f"run,{header},step,accuracy"]
    lines += [f"r{k},{size},{step},{0.1 * step:.1f}" for k, size in enumerate(sizes) for step in (1, 2, 3)]
    return "\n".join(lines) + "\n"


def sizes_of(runs):
    return [run.model_params for run in runs]


def test_words_and_numbers_are_one_column(write):
    assert sizes_of(read(write("t.csv", rows("7B", "7", "7e9", "")))) == [7e9, 7.0, 7e9, None]
    assert sizes_of(read(write("t.csv", rows("7", "14")))) == [7.0, 14.0]


@pytest.mark.parametrize("name", ["n_params", "Num Params", "modelSize", "params", "parameters", "num_parameters"])
def test_other_names(write, name):
    assert sizes_of(read(write("t.csv", rows("7B", "500M", header=name)))) == [7e9, 5e8]
    assert sizes_of(read(write("t.csv", rows("7e9", "5e8", header=name)))) == [7e9, 5e8]


def test_the_certain_name_wins(write):
    text = "run,params,model_params,step,accuracy\n" + "".join(f"a,3,7B,{s},.{s}\n" for s in (1, 2, 3))
    assert sizes_of(read(write("t.csv", text))) == [7e9]


def test_words_that_are_no_sizes(write):
    with pytest.raises(SourceError, match="model_params 'large' is no size of a model; write 7e9 or 7B"):
        read(write("t.csv", rows("large", "small")))
    assert sizes_of(read(write("t.csv", rows("large", "7B")))) == [None, 7e9]
    assert sizes_of(read(write("t.csv", rows("small", "large", header="model_size")))) == [None, None]


def test_a_size_may_tell_runs_apart(write):
    lines = ["model_size,step,accuracy"]
    lines += [f"{size},{step},{0.1 * step:.1f}" for step in (1, 2, 3) for size in ("7B", "14B")]
    runs = read(write("t.csv", "\n".join(lines) + "\n"), by="model_size")
    assert sorted(sizes_of(runs)) == [7e9, 14e9]


def test_a_frame(write):
    pandas = pytest.importorskip("pandas")
    steps = np.tile([1, 2, 3], 2)
    table = pandas.DataFrame({"run": list("aaabbb"), "model_size": ["7B"] * 3 + ["14B"] * 3, "step": steps,
                              "accuracy": 0.1 * steps})  # fmt: skip
    assert sizes_of(read(table)) == [7e9, 14e9]
