"""Error and coverage of forecasts made early on real validation curves.

The backtest protocol of design §12: points with ``C <= cut * C_max`` (at least 4 above 0), truth = mean of the last
``max(3, n // 10)`` evaluations, our forecast = the predictive of that mean (evaluation noise and model error .02
included). Targets (issue 2, the study's sigmoid-only figures) on the 22 curves of kanishkg-countdown-habits with at
least 12 points, cuts 25 / 50 / 75 %: CRPS at or below .0380 / .0165 / .0095, 16 / 17 / 18 of 22 covered at 80 %. For a
point method the CRPS is its absolute error. The other public archives are train rewards without an evaluation at 0 and
carry no target.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, crps, main
from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference import posterior
from rlscale.trust.baselines import METHODS

Floats = NDArray[np.float64]

CUTS = (0.25, 0.5, 0.75)
TARGETS = {0.25: (0.0380, 16), 0.5: (0.0165, 17), 0.75: (0.0095, 18)}
MODEL_ERROR = 0.02
MIN_POINTS = 12
WORDS = {
    "last_value": "last value",
    "last3_mean": "mean of last 3",
    "least_squares": "least squares",
    "linearised_grid": "linearised grid",
    "scalerl_grid": "published grid",
}
#: Folder, metric and bounds of the mean reward of the other archives.
OTHERS = (
    ("rohunagrawal-leetcode-hack", "train_reward_mean", (0.0, 1.25)),
    ("rohunagrawal-leetcode-hack", "train_reward_f", (0.0, 1.0)),
    ("arvindcr4-tinker-lab", "train_reward", (0.0, 1.0)),
)


@dataclass(frozen=True)
class Case:
    """One curve cut: what was seen, the computes of the target evaluations and their mean reward."""

    run: str
    seen: Curve
    ahead: Floats
    truth: float


def curves_folder() -> Path:
    """Return the folder of public curves: ``RLSCALE_CURVES``, else ``shared/curves`` beside or inside the checkout."""
    root = Path(__file__).resolve().parents[1]
    named = os.environ.get("RLSCALE_CURVES")
    places = [Path(named)] if named else [root.parent / "shared" / "curves", root / "shared" / "curves"]
    return next((place for place in places if place.is_dir()), places[0])


def read(path: Path, metric: str, bounds: tuple[float, float]) -> dict[str, Curve]:
    """Read the curves of one metric that the bounds allow, by run; of repeated computes the later row wins."""
    points: dict[str, dict[float, float]] = defaultdict(dict)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["metric"] == metric:
                points[row["run_id"]][float(row["compute"])] = float(row["value"])
    found = {}
    for run, rows in points.items():
        compute = np.array(sorted(rows))
        reward = np.array([rows[c] for c in compute])
        try:
            found[run] = Curve(compute=compute, reward=reward, metric=metric, bounds=bounds)
        except CurveError as error:
            print(f"  left out {run}: {error}")
    return found


def cases(curves: dict[str, Curve], cut: float) -> list[Case]:
    """Cut every curve long enough at ``cut`` of its last compute."""
    found = []
    for run, curve in curves.items():
        seen = curve.until(cut * curve.compute_last)
        if curve.n_points < MIN_POINTS or np.count_nonzero(seen.compute > 0) < 4:
            continue
        tail = max(3, curve.n_points // 10)
        found.append(Case(run, seen, curve.compute[-tail:], float(curve.reward[-tail:].mean())))
    return found


def point_forecasts(case: Case, with_grid: bool) -> dict[str, float]:
    """Forecast the target with every method that gives a number only."""
    return {
        words: METHODS[name](case.seen, case.ahead)
        for name, words in WORDS.items()
        if with_grid or name != "scalerl_grid"
    }


def backtest(
    report: Report, title: str, curves: dict[str, Curve], with_grid: bool
) -> dict[float, tuple[float, int, int]]:
    """Show every method at every cut; returns our CRPS, curves covered and curves at each cut."""
    table = report.table(
        title, ["cut, method", "median |err|", "mean |err|", "p90 |err|", "CRPS", "80 % cover", "50 %"]
    )
    ours: dict[float, tuple[float, int, int]] = {}
    for cut in CUTS:
        errors: dict[str, list[float]] = defaultdict(list)
        scores, wide, narrow = [], [], []
        for case in cases(curves, cut):
            found = posterior(case.seen, model_error=MODEL_ERROR)
            values = found.mean_reward(case.ahead)
            q10, q25, q50, q75, q90 = found.quantiles(values, (0.1, 0.25, 0.5, 0.75, 0.9))
            scores.append(crps(values, found.weight, case.truth))
            wide.append(bool(q10 <= case.truth <= q90))
            narrow.append(bool(q25 <= case.truth <= q75))
            errors["rlscale"].append(abs(float(q50) - case.truth))
            for method, forecast in point_forecasts(case, with_grid).items():
                errors[method].append(abs(forecast - case.truth))
        count = len(scores)
        if not count:
            table.add(f"{cut:g}: no curve long enough", *[""] * 6)
            continue
        ours[cut] = float(np.mean(scores)), sum(wide), count
        for method, apart in errors.items():
            mine = method == "rlscale"
            table.add(
                f"{cut:g}, {method}",
                f"{np.median(apart):.4f}",
                f"{np.mean(apart):.4f}",
                f"{np.quantile(apart, 0.9):.4f}",
                f"{np.mean(scores if mine else apart):.4f}",
                f"{sum(wide)}/{count}" if mine else "none",
                f"{sum(narrow)}/{count}" if mine else "none",
            )
    return ours


def measure(quick: bool = False) -> Report:
    """Backtest the public archives that are there."""
    report = Report("kanishkg", "How wrong are forecasts made early on real validation curves?")
    folder = curves_folder()
    main_file = folder / "kanishkg-countdown-habits" / "curves.csv"
    if not main_file.exists():
        report.skipped = "the public curves are not here; set RLSCALE_CURVES to their folder"
        return report
    curves = read(main_file, "val_countdown_acc", (0.0, 1.0))
    ours = backtest(report, "kanishkg-countdown-habits, validation accuracy", curves, with_grid=not quick)
    for cut, (score, covered, count) in ours.items():
        allowed, needed = TARGETS[cut]
        report.check(f"CRPS at {cut:.0%}, {count} curves", f"{score:.4f}", f"<= {allowed:.4f}", score <= allowed)
        report.check(f"covered at 80 %, cut {cut:.0%}", f"{covered}/{count}", f">= {needed}/22", covered >= needed)
    for name, metric, bounds in OTHERS:
        path = folder / name / "curves.csv"
        if path.exists() and not quick:
            backtest(report, f"{name}, {metric}, bounds {bounds[0]:g} {bounds[1]:g}", read(path, metric, bounds), False)
    return report


if __name__ == "__main__":
    main(measure)
