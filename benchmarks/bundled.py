"""What would the bundled runs' own first halves have forecast? ``python -m benchmarks.bundled``.

Each run is cut at half of its tokens and backtested with default options, as ``rlscale backtest --cut 0.5`` does; the
forecast of the mean of its last five evaluations is set beside that mean. The verdict at half is on the reward at the
end, that at the end is on the ceiling. Six runs are an example, not a measurement: they are here because the README
speaks of them, misses included.
"""

from __future__ import annotations

from benchmarks.archives import bundled_runs
from benchmarks.common import Report, main
from rlscale import fit
from rlscale.trust import backtest


def measure(quick: bool = False) -> Report:
    """Forecast the end of each bundled run from its first half."""
    report = Report("bundled", "What would the bundled runs' own first halves have forecast?")
    table = report.table(
        "mean of the last 5 evaluations, forecast from half of the tokens",
        ["run", "10 %", "median", "90 %", "came true", "inside", "verdict at half", "at the end"],
    )
    runs = {run.name: run for run in bundled_runs()}
    cases = backtest(list(runs.values()), cuts=0.5).cases
    for case in cases:
        numbers = [f"{case.quantile(level):.3f}" for level in (0.1, 0.5, 0.9)]
        inside = "yes" if case.covers(0.8) else "no"
        verdicts = case.verdict.name.value, fit(runs[case.run]).verdict.name.value
        table.add(case.run, *numbers, f"{case.truth:.3f}", inside, *verdicts)
    hits, above = sum(case.covers(0.8) for case in cases), sum(case.truth > case.quantile(0.9) for case in cases)
    report.check("inside the 80 % interval", f"{hits} of {len(cases)}, {above} above it", "", None)
    return report


if __name__ == "__main__":
    main(measure)
