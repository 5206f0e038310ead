"""What people type first in a notebook: runs, curves, fits, arrays and tables go in; a slip says what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rlscale
from rlscale.curves import simulated_runs
from rlscale.errors import CurveError, InputError, KeywordError

RUNS = [run for run, _ in simulated_runs(2, 2, 20, 0)]
CURVES = [run.curve for run in RUNS]


def test_one_run_is_a_fit_and_many_are_a_list() -> None:
    one = rlscale.fit(RUNS[0])
    several = rlscale.fit(iter(RUNS), 500.0)
    assert one.run is RUNS[0]
    assert [fit.run.name for fit in several] == [run.name for run in RUNS]
    assert [fit.forecasts[0].compute for fit in several] == [500.0] * 4
    assert rlscale.fit(RUNS[0], targets=500.0).forecasts == several[0].forecasts
    assert rlscale.fit(CURVES[0]).run.name == "run"
    assert [fit.run.recipe for fit in rlscale.fit(CURVES[:2])] == ["run-1", "run-2"]


def test_the_ceiling_is_the_one_that_is_printed() -> None:
    fits = rlscale.fit(RUNS)
    assert [fit.ceiling for fit in fits] == [fit.quantity("A_average") for fit in fits]
    assert fits[0].ceiling != fits[0].quantity("A")
    assert all(row.ceiling is not None and row.ceiling == row.A for row in rlscale.rank(fits).recipes)


def test_two_arrays_are_a_curve() -> None:
    curve = CURVES[0]
    given = rlscale.fit(curve.compute.tolist(), list(curve.reward), unit="gpu-hours", targets=500.0)
    whole = rlscale.fit(curve, 500.0)
    assert given.run.curve.unit == "gpu-hours"
    assert given.run.curve.bounds_from == "values"
    assert given.forecasts == whole.forecasts
    opened = rlscale.fit(curve.compute, 30.0 * curve.reward, metric="score")
    assert (opened.run.curve.bounds_from, opened.run.curve.metric) == ("open", "score")
    assert rlscale.fit(curve.compute, curve.reward, bounds=(0.0, 2.0)).run.curve.bounds == (0.0, 2.0)


def test_what_compares_takes_runs_or_fits() -> None:
    fits = rlscale.fit(RUNS)
    assert rlscale.rank(RUNS) == rlscale.rank(fits)
    assert rlscale.gate(fits, 1000.0) == rlscale.gate(RUNS, 1000.0)
    assert rlscale.backtest(fits).cuts == rlscale.backtest(RUNS).cuts
    setting = rlscale.trust.Setting(size=2, tournaments=2)
    by_fits, by_runs = (rlscale.replay(given, setting=setting).policies for given in (fits, RUNS))
    assert by_fits == by_runs


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rlscale.fit("file.csv"), "read it first: rlscale.fit(rlscale.read('file.csv'))"),
        (lambda: rlscale.rank(Path("runs")), "read it first: rlscale.rank(rlscale.read('runs'))"),
        (lambda: rlscale.fit([]), "nothing to fit: no runs were given; rlscale.read(PATH) gives those of logs"),
        (lambda: rlscale.gate([], 10.0), "nothing to gate: no runs were given"),
        (lambda: rlscale.fit(None), "fit() takes runs, not NoneType; rlscale.read() makes runs of logs and tables"),
        (lambda: rlscale.fit([RUNS[0], "x"]), "fit() takes runs, not str"),
        (lambda: rlscale.fit([1.0, 2.0, 3.0]), "needs the rewards too; give fit(compute, reward, unit=...)"),
        (lambda: rlscale.fit(RUNS[0], unit="tokens"), "unit is of two arrays, fit(compute, reward)"),
        (lambda: rlscale.read(5), "int 5 cannot be read; give paths, addresses, or tables"),
    ],
)
def test_a_slip_says_what_to_do_next(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        call()


def test_arrays_that_are_no_curve() -> None:
    with pytest.raises(CurveError, match="reward has 2 values for 3 computes"):
        rlscale.fit([1, 2, 3], [0.1, 0.2])
    with pytest.raises(CurveError, match="sort the points"):
        rlscale.fit([1, 3, 2], [0.1, 0.2, 0.3])


def test_runs_of_two_metrics_are_not_ranked() -> None:
    other = rlscale.Curve(compute=CURVES[0].compute, reward=CURVES[0].reward, metric="accuracy")
    with pytest.raises(
        InputError, match=r"the runs have several metrics \(accuracy, reward\); rank them apart, or read"
    ):
        rlscale.rank([RUNS[0], rlscale.Run(name="b", recipe="b", curve=other)])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rlscale.fit(RUNS[0], taget=5.0), "fit() takes no 'taget'; did you mean targets?"),
        (lambda: rlscale.rank(RUNS, sed_sd=0.0), "rank() takes no 'sed_sd'; did you mean seed_sd?"),
        (lambda: rlscale.gate(RUNS, 1.0, horizn=2), "gate() takes no 'horizn'; did you mean horizon?"),
        (lambda: rlscale.backtest(RUNS, cut=0.5), "backtest() takes no 'cut'; did you mean cuts?"),
        (lambda: rlscale.replay(RUNS, policy=()), "replay() takes no 'policy'; did you mean policies?"),
        (lambda: rlscale.read("bundled", bound=(0, 1)), "read() takes no 'bound'; did you mean bounds?"),
        (lambda: rlscale.read("bundled", zzz=1), "read() takes no 'zzz'; it takes metric, compute, unit"),
    ],
)
def test_unknown_keywords_get_a_suggestion(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(KeywordError, match=re.escape(said)) as raised:
        call()
    assert isinstance(raised.value, TypeError)
    assert repr(raised.value.parameter) in said


def rows() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"run": [], "recipe": [], "step": [], "reward": []}
    for run in RUNS:
        for compute, reward in zip(run.curve.compute, run.curve.reward, strict=True):
            for key, value in zip(found, (run.name, run.recipe, int(compute), float(reward)), strict=True):
                found[key].append(value)
    return found


def tables(kind: str) -> list[Any]:
    module = pytest.importorskip({"arrow": "pyarrow"}.get(kind, kind))
    if kind == "arrow":
        return [module.table(rows()), module.table(rows()).to_batches()[0]]
    frame = module.DataFrame(rows())
    return [frame, frame.set_index(["run", "step"])] if kind == "pandas" else [frame]


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_tables_in_memory_are_read_as_files_are(kind: str, tmp_path: Path) -> None:
    columns = rows()
    file = tmp_path / "runs.jsonl"
    file.write_text(
        "\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))
    )
    known = rlscale.read(file)
    for table in tables(kind):
        runs = rlscale.read(table)
        assert [(run.name, run.recipe) for run in runs] == [(run.name, run.recipe) for run in known]
        assert all(np.array_equal(run.curve.reward, one.curve.reward) for run, one in zip(runs, known, strict=True))
        assert {run.source.path for run in runs if run.source} == {type(table).__name__}
        with pytest.raises(InputError, match=re.escape("rlscale.read() makes runs of logs and tables")):
            rlscale.fit(table)


def test_tables_in_memory_and_files_are_read_together() -> None:
    arrow = pytest.importorskip("pyarrow")
    one = arrow.table({"step": [0, 1, 2, 3], "eval_reward": [0.1, 0.2, None, 0.4], "note": ["a", "b", "c", None]})
    other = arrow.table({"step": [0, 1, 2, 3], "eval_reward": [0.1, 0.3, 0.2, 0.5]})
    assert [run.name for run in rlscale.read([one, other])] == ["Table", "Table-2"]
    assert rlscale.read(one)[0].curve.n_points == 3
    together = rlscale.collect([one, "bundled"], rlscale.ReadOptions(unit="steps"))
    assert [run.name for run in together.runs][:2] == ["Table", "base/seed0"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"step": [], "reward": []}, "Table: holds columns and no rows; nothing was logged yet"),
        ({"note": ["a", "b"]}, "Table: holds no numbers to fit"),
        ({"step": [1, 2], "reward": ["high", "low"]}, "Table: row 1: reward 'high' is not a number"),
    ],
)
def test_tables_in_memory_that_cannot_be_read(columns: dict[str, list[Any]], said: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=re.escape(said)):
        rlscale.read(arrow.table(columns))
