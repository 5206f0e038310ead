"""The archive correction: its arithmetic against simulated runs, and what keeps it from doing harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rlscale.cli import main
from rlscale.errors import InputError
from rlscale.inference import Correction, FitOptions, fit, posterior
from rlscale.inference.correction import NEAREST
from rlscale.inference.pool import pooled_level
from rlscale.trust import Backtest, backtest
from rlscale.trust.archive import FEWEST, Ends, Rule, archive, archive_from, correction_of
from rlscale.trust.backtest import cut_scores
from rlscale.trust.scores import binomial_interval
from tests.trust.made import case, rising, several


def ends(error: np.ndarray, half: float = 0.05, cuts: int = 2, last: float = 0.0) -> Ends:
    """Runs whose forecasts are .5 and whose ends lie ``error`` half-widths off, shape (runs, cuts)."""
    count = error.size
    return Ends(
        run=np.repeat([f"r{k}" for k in range(count // cuts)], cuts),
        truth=0.5 + half * error.ravel(),
        last=np.full(count, last),
        low=np.full(count, 0.5 - half),
        middle=np.full(count, 0.5),
        high=np.full(count, 0.5 + half),
        bounds=np.array([[0.0] * count, [1.0] * count]),
        span=1.0,
    )


def normal(runs: int, sd: float, mean: float = 0.0, seed: int = 1, cuts: int = 2) -> np.ndarray:
    """Errors whose 80 % interval is ``sd`` half-widths wide."""
    return mean + sd / 1.2816 * np.random.default_rng(seed).standard_normal((runs, cuts))


@pytest.mark.parametrize("sd", [0.6, 1.6])
def test_the_scale_is_that_of_the_errors(sd: float) -> None:
    found = correction_of(ends(normal(2000, sd)))
    # below 1 it stops where 75 % are surely covered, so not above the errors' own scale; steps of .05
    assert found.scale == pytest.approx(sd, abs=0.06)
    assert found.shift == 0.0
    new = ends(normal(2000, sd, seed=2))
    assert new.inside(found).mean() == pytest.approx(0.8, abs=0.04)
    assert abs(new.inside(Correction()).mean() - 0.8) > 0.1  # the control: without it they do not hold 80 %


def test_right_forecasts_are_left_about_as_they_are() -> None:
    found = [correction_of(ends(normal(40, 1.0, seed=seed))) for seed in range(200)]
    assert np.mean([one.shift != 0.0 for one in found]) <= 0.02
    assert np.mean([one.scale for one in found]) == pytest.approx(1.0, abs=0.06)
    assert np.mean([one.scale < 1.0 for one in found]) <= 0.4
    kept = [ends(normal(40, 1.0, seed=1000 + k)).inside(one).mean() for k, one in enumerate(found)]
    assert np.mean(kept) == pytest.approx(0.8, abs=0.03)
    # the control: a rule without its guards narrows and shifts
    free = Rule(guarded=False, errors=0.0, alike=0.0)
    assert np.mean([correction_of(ends(normal(40, 1.0, seed=seed)), free).shift != 0.0 for seed in range(200)]) > 0.9


def test_a_shift_needs_runs_that_err_alike() -> None:
    alike = correction_of(ends(normal(40, 1.0, mean=0.9)))
    assert alike.shift == pytest.approx(0.9 * 40 / 45, abs=0.15)
    assert correction_of(ends(normal(40, 1.0, mean=0.9)), Rule(shifts=False)).shift == 0.0
    few = np.zeros((40, 2))
    few[:12] = 2.5  # far off, but most runs are not
    assert correction_of(ends(few)).shift == 0.0
    cuts = correction_of(ends(np.repeat(normal(19, 1.0, mean=0.9, cuts=1), 10, axis=1), cuts=10))
    assert cuts == Correction()  # many cuts of few runs are few runs


def test_too_few_runs_and_ties_change_nothing() -> None:
    wide = normal(FEWEST, 3.0)
    assert correction_of(ends(wide)).scale > 1.5
    assert correction_of(ends(wide[1:])) == Correction()
    tied = ends(np.zeros((60, 2)), last=0.5)
    assert correction_of(tied) == Correction()
    assert correction_of(ends(np.zeros((60, 2)), half=0.001)) == Correction()  # forecasts that are points
    assert correction_of(ends(np.empty((0, 2)))) == Correction()


def test_many_runs_at_a_bound_do_not_narrow_the_others() -> None:
    """Half the runs stay at 0, where the interval ends: any scale below 1 would lose them all."""
    some = ends(normal(40, 0.5))
    bound = replace(
        some,
        run=np.char.add("b", some.run),
        truth=np.zeros(80),
        last=np.zeros(80),
        low=np.zeros(80),
        middle=np.full(80, 0.05),
        high=np.full(80, 0.1),
    )
    names = ("run", "truth", "last", "low", "middle", "high")
    both = replace(
        some,
        **{name: np.concatenate([getattr(some, name), getattr(bound, name)]) for name in names},
        bounds=np.concatenate([some.bounds, bound.bounds], axis=1),
    )
    assert correction_of(some).scale < 0.8
    assert correction_of(both).scale == 1.0
    free = correction_of(both, Rule(guarded=False))
    assert both.inside(free).mean() < 0.6  # the control: what happened without a guard
    assert both.inside(correction_of(both)).mean() > 0.9


def test_draws_are_moved_about_their_median() -> None:
    rng = np.random.default_rng(3)
    values, weight = rng.normal(0.5, 0.05, (1, 20000)), np.full(20000, 1 / 20000)
    half = 1.2816 * 0.05
    moved = Correction(scale=1.5, shift=0.5).applied(values, weight, np.array([1.0]), (0.0, 1.0))
    assert moved.mean() == pytest.approx(0.5 + 0.5 * half, abs=0.002)
    assert moved.std() == pytest.approx(1.5 * 0.05, abs=0.002)
    middle = Correction(scale=1.5, shift=0.5).applied(values, weight, np.array([NEAREST / 2]), (0.0, 1.0))
    assert middle.mean() == pytest.approx(0.5 + 0.25 * half, abs=0.002)
    assert middle.std() == pytest.approx(1.25 * 0.05, abs=0.002)
    assert np.array_equal(Correction(scale=2.0).applied(values, weight, np.array([0.0]), (0.0, 1.0)), values)
    assert Correction(scale=40.0).applied(values, weight, np.array([1.0]), (0.0, 0.7)).max() == 0.7
    for bad in ({"scale": 0.0}, {"scale": np.inf}, {"shift": np.nan}):
        with pytest.raises(InputError):
            Correction(**bad)


def test_fits_and_pools_carry_a_correction() -> None:
    run = rising("r-0")
    last = run.curve.compute_last
    by = Correction(scale=2.0, shift=0.5)
    plain, moved = (fit(run, 4.0 * last, FitOptions(correction=one)) for one in (None, by))
    wide, narrow = moved.forecasts[0].interval, plain.forecasts[0].interval
    assert wide.width == pytest.approx(2.0 * narrow.width, rel=0.01)
    assert wide.q50 - narrow.q50 == pytest.approx(0.25 * narrow.width, abs=1e-3)
    assert moved.posterior is not None
    assert plain.posterior is not None
    now = [each.posterior.reward([last], model_error=True) for each in (plain, moved)]
    assert np.array_equal(*now)
    assert moved.posterior.refitted(run.curve).correction == by
    found = posterior(run.curve)
    for runs in ([found], [found, posterior(rising("r-1", seed=5).curve)]):
        level = pooled_level(runs, 4.0 * last, 0.0).interval
        other = pooled_level([each.corrected(by) for each in runs], 4.0 * last, 0.0).interval
        assert other.width == pytest.approx(2.0 * level.width, rel=0.02)
        assert other.q50 > level.q50 + 0.15 * level.width
        before = pooled_level([each.corrected(by) for each in runs], 0.5 * last, 0.0).interval
        assert before == pooled_level(runs, 0.5 * last, 0.0).interval


def test_corrected_forecasts_are_what_the_archive_judges() -> None:
    by = Correction(scale=0.6, shift=0.4)
    plain, moved = (backtest(several(4), options=FitOptions(correction=one)) for one in (None, by))
    before, after = (Ends.of(one.cases, 1.0) for one in (plain, moved))
    centre = before.middle + by.shift * before.half
    assert after.low == pytest.approx(centre - by.scale * (before.middle - before.low), abs=1e-6)
    assert after.high == pytest.approx(centre + by.scale * (before.high - before.middle), abs=1e-6)
    assert after.inside(Correction()).tolist() == before.inside(by).tolist()


def made(runs: int, sd: float) -> Backtest:
    error = normal(runs, sd, cuts=1)[:, 0]
    some = [case(f"r{k}", 0.5, 0.5 + 0.05 * float(error[k]), 0.5, 0.05) for k in range(runs)]
    return Backtest(
        cuts=(cut_scores(0.5, some),),
        skipped=(),
        bounds=(0.0, 1.0),
        metric="eval_reward",
        unit="steps",
        options=FitOptions(),
    )


def test_an_archive_says_what_was_measured() -> None:
    found = archive(made(30, 2.0))
    assert found.calibrated
    assert (found.runs, found.informative) == (30, 30)
    assert found.coverage_without < found.coverage_held_out <= found.coverage + 0.1
    low, high = binomial_interval(round(0.8 * 30), 30)
    assert low <= found.coverage_held_out <= high
    assert "30 finished runs: intervals ×" in found.claim
    assert archive_from(json.loads(json.dumps(found.__dict__))) == found
    few = archive(made(12, 2.0))
    assert few.correction is None
    assert few.claim.startswith(f"Uncalibrated: 12 finished runs say how far forecasts are off, {FEWEST} are needed")


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], catch_exceptions=False)


def table(path: Path, count: int) -> Path:
    lines = ["run,step,eval_reward"]
    for k in range(count):
        curve = rising(f"p{k}", 0.45 + 0.01 * k, points=20, seed=k).curve
        lines += [f"p{k},{c:g},{r:.6f}" for c, r in zip(curve.compute, curve.reward, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


BOUNDS = ("--bounds", 0, 1)


def test_from_finished_runs_to_fit_and_rank(tmp_path: Path) -> None:
    past, out = table(tmp_path / "past.csv", 22), tmp_path / "c.json"
    result = invoke("backtest", past, "--calibrate", "--out", out, "--cut", 0.5, *BOUNDS)
    assert result.exit_code == 0, result.stderr
    assert "Calibration of forecasts" in result.stdout
    kept = json.loads(out.read_text())
    assert kept["archive"]["calibrated"] is True
    kept["archive"] |= {"scale": 1.5, "shift": 0.25}
    out.write_text(json.dumps(kept))
    runs = table(tmp_path / "runs.csv", 3)
    for command, forecast in (("fit", lambda d: d["runs"][0]["forecast"][1]), ("rank", _first)):
        plain, moved = (
            json.loads(invoke(command, runs, *BOUNDS, "--json", *more).stdout) for more in ((), ("--calibration", out))
        )
        assert plain["calibration"] is None
        assert (moved["calibration"]["scale"], moved["calibration"]["shift"]) == (1.5, 0.25)
        assert moved["options"]["calibration"] == str(out)
        widths = [forecast(one)["q90"] - forecast(one)["q10"] for one in (plain, moved)]
        assert widths[1] > 1.2 * widths[0]
        text = " ".join(invoke(command, runs, *BOUNDS, "--calibration", out).stdout.split())
        assert "Calibrated on 22 finished runs: intervals × 1.50, shifted by +0.25 half-widths" in text
        assert "Uncalibrated" in invoke(command, runs, *BOUNDS).stdout
    said = json.loads(invoke("gate", runs, "--budget", 500, *BOUNDS, "--json", "--calibration", out).stdout)
    assert "The forecasts of fit and rank: intervals × 1.50" in said["calibration"]


def _first(document: dict[str, object]) -> dict[str, float]:
    rows = {row["recipe"]: row for row in document["recipes"]}  # type: ignore[attr-defined]
    return rows["p0"]["forecast"]


def test_a_calibration_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    past, out = table(tmp_path / "past.csv", 3), tmp_path / "c.json"
    assert invoke("backtest", past, "--calibrate", "--out", out, "--cut", 0.5, *BOUNDS).exit_code == 0
    kept = json.loads(out.read_text())
    for key, value, said in (
        ("metric", "another", "the calibration is of metric 'another'"),
        ("unit", "tokens", "the calibration is of unit 'tokens'"),
        ("bounds", [0, 2], "the calibration is of bounds (0.0, 2.0)"),
        ("archive", {**kept["archive"], "family": "sigmoid"}, "the calibration is of family 'sigmoid'"),
        ("archive", {**kept["archive"], "model_error": 0.02}, "the calibration is of model error 0.02"),
        ("archive", {**kept["archive"], "scale": -1}, "a scale of -1 is not between 0.4 and 2.5"),
        ("archive", {"scale": 1}, "the calibration has no 'model_error'"),
        ("archive", [], "cannot be read"),
    ):
        out.write_text(json.dumps({**kept, key: value}))
        for command in ("fit", "rank"):
            result = invoke(command, past, *BOUNDS, "--calibration", out)
            assert result.exit_code == 2, (key, value)
            assert said in result.stderr
    out.write_text("{")
    assert "this calibration is not the JSON it is named" in invoke("fit", past, "--calibration", out).stderr
    assert "cannot read this calibration" in invoke("fit", past, "--calibration", tmp_path / "no.json").stderr


def test_a_file_of_an_older_release_corrects_nothing(tmp_path: Path) -> None:
    past, out = table(tmp_path / "past.csv", 3), tmp_path / "c.json"
    assert invoke("backtest", past, "--calibrate", "--out", out, "--cut", 0.5, *BOUNDS).exit_code == 0
    kept = json.loads(out.read_text())
    del kept["archive"]
    out.write_text(json.dumps(kept))
    plain, old = (
        json.loads(invoke("fit", past, *BOUNDS, "--json", *more).stdout) for more in ((), ("--calibration", out))
    )
    assert plain["runs"] == old["runs"]
    assert "of the gate alone" in old["calibration"]["claim"]
    assert old["calibration"]["calibrated"] is False
