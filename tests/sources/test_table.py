"""Long tables in CSV, Parquet and JSON lines."""

import builtins
import json
from decimal import Decimal

import numpy as np
import pytest

from rlscale.errors import ChoiceError, FormatError, InputError, SourceError
from rlscale.sources import ReadOptions, collect, read

FULL = """run,recipe,seed,model_params,compute,unit,reward,n_eval,sd
a,base,0,8e9,0,gpu_hours,.1,512,.01
a,base,0,8e9,10,gpu_hours,.3,512,.02
a,base,0,8e9,20,gpu_hours,.5,,
b,wide,1,8e9,0,GPU-hours,.2,512,.01
b,wide,1,8e9,10,gpu_hour,.6,512,.01
"""


def test_every_column_of_a_full_table(write):
    a, b = read(write("t.csv", FULL))
    assert (a.name, a.recipe, a.seed, a.model_params) == ("a", "base", 0, 8e9)
    assert (b.name, b.recipe, b.seed) == ("b", "wide", 1)
    assert (a.curve.unit, b.curve.unit, a.curve.metric) == ("gpu-hours", "gpu-hours", "reward")
    np.testing.assert_array_equal(a.curve.compute, [0, 10, 20])
    np.testing.assert_array_equal(a.curve.reward, [0.1, 0.3, 0.5])
    np.testing.assert_array_equal(a.curve.n_eval, [512, 512, np.nan])
    np.testing.assert_array_equal(a.curve.sd, [0.01, 0.02, np.nan])
    assert (a.source.format, a.source.rows, a.source.repairs, a.warnings) == ("table", 3, (), ())


def test_aliases_and_a_filter_on_metric(one):
    text = "run_id,metric,value,compute,compute_unit\na,acc,.5,1,token\na,loss,3,1,token\na,acc,.6,2,token\n"
    run = one("t.csv", text, metric="acc")
    assert (run.curve.metric, run.curve.unit, run.curve.reward.tolist()) == ("acc", "tokens", [0.5, 0.6])
    assert list(run.series) == ["loss"]


def test_one_metric_needs_no_choice(one):
    assert one("t.csv", "run,metric,value,steps\na,acc,.5,1\na,acc,.6,2\n").curve.metric == "acc"


def test_without_a_metric_column_the_option_names_the_reward(one):
    run = one("t.csv", "run,step,acc,len\na,1,.5,100\na,2,.6,120\n", metric="acc")
    assert (run.curve.metric, run.curve.reward.tolist()) == ("acc", [0.5, 0.6])
    assert run.series["len"].value.tolist() == [100, 120]


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("gpu_hours", "gpu-hours"),
        ("gpu-hours", "gpu-hours"),
        ("GPU_Hours", "gpu-hours"),
        ("flops", "flops"),
        ("tokens", "tokens"),
        ("samples", "samples"),
        ("step", "steps"),
        ("steps", "steps"),
    ],
)
def test_compute_columns_named_after_a_unit(one, column, unit):
    run = one("t.csv", f"run,{column},reward\na,1,.5\na,2,.6\n")
    assert (run.curve.unit, run.warnings) == (unit, ())


def test_no_unit_is_steps_with_a_warning(one):
    run = one("t.csv", "run,compute,reward\na,1,.5\na,2,.6\n")
    assert run.curve.unit == "steps"
    assert run.warnings == ("no unit is stated: 'compute' is taken as steps (--unit U says what it is)",)


def test_unit_declares_a_bare_compute_column(one):
    run = one("t.csv", "run,compute,reward\na,1,.5\na,2,.6\n", unit="gpu_hours")
    assert (run.curve.unit, run.warnings) == ("gpu-hours", ())


def test_several_axes_the_first_in_the_pinned_order(one):
    text = "run,step,tokens,flops,reward\na,10,1e6,1e18,.5\na,20,3e6,3e18,.6\n"
    assert one("t.csv", text).curve.unit == "tokens"
    assert one("t.csv", text, unit="step").curve.compute.tolist() == [10, 20]
    assert one("t.csv", text, unit="flops").curve.compute.tolist() == [1e18, 3e18]
    run = one("t.csv", text, compute="flops")
    assert (run.curve.unit, run.curve.compute.tolist()) == ("flops", [1e18, 3e18])


def test_an_axis_with_holes_gives_way_to_a_full_one(one):
    assert one("t.csv", "run,step,tokens,reward\na,10,,.5\na,20,3e6,.6\n").curve.unit == "steps"


def test_any_numeric_column_can_be_the_compute(one):
    text = "run,step,wall,reward\na,1,7,.5\na,2,9,.6\n"
    run = one("t.csv", text, compute="wall", unit="gpu-hours")
    assert (run.curve.unit, run.curve.compute.tolist()) == ("gpu-hours", [7, 9])
    run = one("t.csv", text, compute="wall")
    assert run.warnings == ("no unit is stated: 'wall' is taken as steps (--unit U says what it is)",)


def test_a_compute_without_unit_beside_steps_is_told(one):
    run = one("t.csv", "run,compute,step,reward\na,5,1,.5\na,6,2,.6\n")
    assert run.curve.compute.tolist() == [1, 2]
    assert run.warnings == ("column 'compute' has no unit and is not used (--compute compute --unit U uses it)",)
    assert one("t.csv", "run,compute,step,reward\na,5,1,.5\n", compute="compute", unit="flops").curve.compute == [5]


def test_repairs_are_sentences_with_counts(one):
    text = "run,step,reward\na,30,.3\na,10,.1\na,20,.2\na,10,.1\na,20,.2\na,40,nan\na,50,\na,60,inf\na,,.9\na,25,-inf\n"
    run = one("t.csv", text)
    assert run.curve.compute.tolist() == [10, 20, 30]
    assert run.curve.reward.tolist() == [0.1, 0.2, 0.3]
    assert run.source.repairs == (
        "1 row without 'reward': no evaluation there",
        "3 rows were left out: the reward is not finite",
        "1 row was left out: the step is not finite",
        "4 rows were out of order; the rows were sorted by step",
        "2 duplicate rows were dropped",
    )


def test_repairs_speak_of_the_chosen_metric_only(one):
    text = "run,metric,step,value\na,acc,1,.1\na,acc,2,.2\na,loss,2,1\na,loss,1,nan\n"
    assert one("t.csv", text, metric="acc").source.repairs == ()


def test_without_a_run_column_the_file_is_the_run(one):
    run = one("base-seed3.csv", "step,reward\n1,.5\n2,.6\n")
    assert (run.name, run.recipe, run.seed) == ("base-seed3", "base", 3)


def test_recipe_and_seed_from_the_run_name(write):
    names = ["deep-s1", "base/seed0", "wide_3", "plain", "q-2.5b", "lr1e-4_seed_12"]
    text = "run,step,reward\n" + "".join(f"{name},1,.5\n" for name in names)
    assert [(run.recipe, run.seed) for run in read(write("t.csv", text))] == [
        ("deep", 1),
        ("base", 0),
        ("wide_3", None),
        ("plain", None),
        ("q-2.5b", None),
        ("lr1e-4", 12),
    ]


def test_n_eval_may_change_along_a_run(one):
    assert one("t.csv", "run,step,reward,n_eval\na,1,.5,200\na,2,.6,1024\n").curve.n_eval.tolist() == [200, 1024]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_line_ends_and_a_mark(one, delimiter):
    text = "\ufeffrun,step,reward\r\na,1,.5\r\n\r\na,2,.6\r\n".replace(",", delimiter)
    assert one("t.csv", text.encode()).curve.reward.tolist() == [0.5, 0.6]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_byte_order_mark(one, encoding):
    assert one("t.csv", "run,step,reward\nü,1,.5\n".encode(encoding)).name == "ü"


def test_quoted_cells_may_hold_line_ends(one):
    assert one("t.csv", 'run,step,reward,note\na,1,.5,"x\ny"\na,2,.6,z\n').curve.n_points == 2


def test_the_same_numbers_from_json_lines_and_parquet(one, tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"run": "a", "recipe": "r", "seed": 1, "compute": 0, "unit": "tokens", "reward": 0.1, "n_eval": 5},
        {"run": "a", "recipe": "r", "seed": 1, "compute": 9, "unit": "tokens", "reward": None, "n_eval": 5},
        {"run": "a", "recipe": "r", "seed": 1, "compute": 5, "unit": "tokens", "reward": 0.3, "n_eval": None},
    ]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "p.parquet")
    (from_parquet,) = read(tmp_path / "p.parquet")
    from_json = one("t.jsonl", rows)
    for run in (from_parquet, from_json):
        assert (run.name, run.recipe, run.seed, run.curve.unit) == ("a", "r", 1, "tokens")
        assert run.curve.compute.tolist() == [0, 5]
        assert run.curve.reward.tolist() == [0.1, 0.3]
        np.testing.assert_array_equal(run.curve.n_eval, [5, np.nan])
    assert from_parquet.source.repairs == from_json.source.repairs


def test_a_numeric_run_column(one):
    assert one("t.jsonl", [{"run": 7, "step": 1, "reward": 0.5}]).name == "7"


def test_parquet_without_pyarrow_names_the_extra(write, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    path = write("t.parquet", b"PAR1....")
    with pytest.raises(FormatError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: reading Parquet needs pyarrow: pip install rlscale[parquet]"


def test_a_torn_last_row_is_left_out(one):
    run = one("t.csv", "run,step,reward\na,1,.5\na,2,.6\na,3")
    assert run.curve.n_points == 2
    assert run.source.repairs == ("the last row (line 4) is torn and was left out",)


def test_a_torn_last_number_is_left_out(one):
    run = one("t.csv", "run,step,reward\na,1,.5\na,2,.6\na,3,1e-")
    assert run.curve.n_points == 2
    assert run.source.repairs == ("the last row (line 4) is torn and was left out",)


def test_a_last_row_without_line_end_is_kept(one):
    assert one("t.csv", "run,step,reward\na,1,.5\na,2,.6").curve.n_points == 2


def test_runs_without_the_metric_are_named(write):
    path = write("t.csv", "run,metric,step,value\na,acc,1,.5\nb,loss,1,.5\nc,loss,1,.4\n")
    reading = collect([path], ReadOptions(metric="acc"))
    assert [run.name for run in reading.runs] == ["a"]
    assert [str(error) for error in reading.errors] == [f"{path}: 2 runs without metric 'acc' left out: b, c"]


def test_several_metrics_are_listed(write):
    path = write("t.csv", "run,metric,step,value\na,acc,1,.5\nb,loss,1,.5\n")
    with pytest.raises(ChoiceError) as caught:
        collect([path])
    assert caught.value.candidates == ("acc", "loss")


def test_many_rows(write):
    runs, points = 2_000, 100
    body = "".join(f"r{run},{point},tokens,0.{point:03d}\n" for run in range(runs) for point in range(points))
    found = read(write("t.csv", "run,compute,unit,reward\n" + body))
    assert len(found) == runs
    assert {run.curve.n_points for run in found} == {points}


def test_one_run_of_many_rows(one):
    body = "".join(f"{point},{point % 97 / 100}\n" for point in range(200_000))
    assert one("t.csv", "step,reward\n" + body).curve.n_points == 200_000


def test_nothing_is_written(write, tmp_path):
    path = write("t.csv", FULL)
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir()))
    collect([tmp_path])
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


def test_a_column_of_words_is_no_series(one):
    run = one("t.csv", "run,step,reward,note\na,1,.5,hello\na,2,.6,7\n")
    assert "note" not in run.series


def test_json_lines_with_words_in_the_reward(write):
    path = write("t.jsonl", [{"run": "a", "compute": 1, "reward": "good"}])
    with pytest.raises(SourceError, match="line 1: reward 'good' is not a number"):
        read(path)


def test_errors_are_input_errors(write):
    with pytest.raises(InputError):
        read(write("t.csv", json.dumps({"a": 1})))


def test_json_lines_without_a_compute_column(write):
    rows = [{"recipe": r, "seed": s, "step": k, "reward": k / 10} for r in "ab" for s in (0, 1) for k in (0, 5)]
    runs = read(write("t.jsonl", rows))
    assert [(run.name, run.recipe, run.seed) for run in runs] == [
        ("a/0", "a", 0),
        ("a/1", "a", 1),
        ("b/0", "b", 0),
        ("b/1", "b", 1),
    ]
    assert all(run.curve.compute.tolist() == [0, 5] and run.source.format == "table" for run in runs)
    rows = [{"run": r, "recipe": "q", "step": k, "acc": k / 10} for r in "ab" for k in (0, 5)]
    runs = read(write("u.jsonl", rows), metric="acc")
    assert [(run.name, run.recipe, run.curve.compute.tolist()) for run in runs] == [
        ("a", "q", [0, 5]),
        ("b", "q", [0, 5]),
    ]


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"tokens": 5, "reward": 0.5}, "table"),
        ({"step": 5, "value": 0.5}, "table"),
        ({"step": 5, "reward": 0.5, "n_eval": 8}, "table"),
        ({"unit": "tokens", "compute": 5, "reward": 0.5}, "table"),
        ({"seed": 1, "step": 5, "reward": 0.5}, "table"),
        ({"seed": 1, "step": 5, "reward": 0.5, "loss": 2}, "jsonl"),
        ({"step": 5, "reward": 0.5}, "jsonl"),
        ({"step": 5, "tokens": 9, "reward": 0.5}, "jsonl"),
        ({"step": 5, "reward": 0.5, "n_eval": 8, "loss": 2}, "jsonl"),
    ],
)
def test_a_table_in_json_lines_is_told_from_a_log(one, row, form):
    assert one("t.jsonl", [row]).source.format == form


@pytest.mark.parametrize(
    ("name", "text", "runs"),
    [
        ("t.csv", "recipe,step,reward\na,1,.5\nb,1,.5\n", [("a", "a", None), ("b", "b", None)]),
        ("t.csv", "recipe,step,reward\na,1,.5\n", [("a", "a", None)]),
        ("base-seed3.csv", "recipe,step,reward\na,1,.5\n", [("base-seed3", "a", 3)]),
        ("base.csv", "seed,step,reward\n0,1,.5\n1,1,.5\n", [("base/0", "base", 0), ("base/1", "base", 1)]),
        ("base.csv", "seed,step,reward\n4,1,.5\n", [("base", "base", 4)]),
    ],
)
def test_a_run_is_named_by_recipe_and_seed(write, name, text, runs):
    assert [(run.name, run.recipe, run.seed) for run in read(write(name, text))] == runs


TORN = ("the last row (line 6) is torn and was left out",)
BODY = "run,step,reward\na,1,0.512\na,2,0.513\na,3,0.514\na,4,0.515\n"


@pytest.mark.parametrize("cell", ["0.", "0", "0.5", "5e-", "1.5e+", "-"])
def test_a_last_number_cut_short_is_left_out(one, cell):
    run = one("t.csv", BODY + f"a,5,{cell}")
    assert (run.curve.compute_last, run.source.repairs) == (4, TORN)
    if cell not in {"5e-", "1.5e+", "-"}:
        assert one("t.csv", BODY + f"a,5,{cell}\n").curve.compute_last == 5


@pytest.mark.parametrize("cell", ["0.516", "0.52", "1", "0.5161"])
def test_a_whole_last_number_is_kept(one, cell):
    run = one("t.csv", BODY + f"a,5,{cell}")
    assert (run.curve.compute_last, run.source.repairs) == (5, ())


def test_whole_last_cells_of_other_kinds_are_kept(one):
    assert one("t.csv", "run,reward,step\na,.1,1000\na,.2,500\na,.3,100\na,.4,0").curve.compute[0] == 0
    assert one("t.csv", "run,step,reward\na,1,.5\na,2,.25\na,3,.125\na,4,.5").curve.n_points == 4


def test_a_last_label_cut_short_is_left_out(one):
    run = one("t.csv", "run,compute,reward,unit\na,1,.5,tokens\na,2,.6,tokens\na,3,.7,tok")
    assert (run.curve.compute_last, run.source.repairs) == (2, ("the last row (line 4) is torn and was left out",))
    assert one("t.csv", "run,compute,reward,unit\na,1,.5,tokens\na,2,.6,tokens").curve.compute_last == 2


def test_a_torn_row_alone_in_its_chunk(one, monkeypatch):
    monkeypatch.setattr("rlscale.sources.tables.csv_table._CHUNK", 2)
    run = one("t.csv", BODY + "a,5,0.")
    assert (run.curve.compute_last, run.source.repairs) == (4, TORN)


@pytest.mark.parametrize("text", ["run,step,acc\na,1,.5\na,2,.6\n", "step\tacc\n1\t.5\n2\t.6\n"])
def test_a_table_whatever_it_is_called(one, text):
    run = one("x.txt", text, metric="acc")
    assert (run.source.format, run.curve.compute.tolist()) == ("table", [1, 2])


def test_lines_that_end_in_a_return_alone(one):
    assert one("t.csv", b"run,step,reward\ra,1,.5\ra,2,.6\r").curve.compute.tolist() == [1, 2]


def test_decimal_parquet_columns(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    cells = arrow.array([Decimal("0.125"), None, Decimal("0.500")], arrow.decimal128(6, 3))
    table = arrow.table({"run": ["a"] * 3, "step": [1, 2, 3], "reward": cells})
    parquet.write_table(table, tmp_path / "p.parquet")
    assert read(tmp_path / "p.parquet")[0].curve.reward.tolist() == [0.125, 0.5]
