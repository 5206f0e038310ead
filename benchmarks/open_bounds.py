"""Open bounds: what not knowing how far a reward may go costs, and whether its intervals and alarms still hold.

Coverage: the truths of ``coverage`` (off the prior, an evaluation at 0, the noise-free reward at ``8 C_last``, sigmoid,
no model error), the same curves once with the bounds [0, 1] stated and once with open ones, each curve a command of its
own; correlations together. Targets: the two within 5 points for each ``C_last/C_mid`` and ``n``, and no more of the
curves resolved under open bounds. Beside them the prior without its term in the jitter of the evaluations.

Alarms: clean runs of ``regimes`` with AR(.8) noise under open bounds called ``collapsed``; target at most 3 % at the
end of a run. The share at any look, after every evaluation, stands beside it.

Real curves: the archives, cut at 25, 50 and 75 % of their compute, the default average; coverage of the 80 % interval
and CRPS of the mean of the last evaluations, with stated and with open bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.archives import archives
from benchmarks.common import Report, UncheckedCurve, main, noisy, percent, share
from benchmarks.designs import CORRELATIONS, COUNTS, RATIOS, evenly, off_prior
from benchmarks.regimes import Drawn, clean
from rlscale.curves import Curve, Run, Truth
from rlscale.curves.assumed import opened
from rlscale.inference import FitOptions, VerdictName, fits, posteriors
from rlscale.inference.examine import examine
from rlscale.inference.families import SIGMOID
from rlscale.inference.verdict import broken
from rlscale.trust import backtest

AHEAD, WITHIN, ALARMS = 8.0, 0.05, 0.03
#: How the bounds of a curve are known.
KINDS = ("stated", "open", "without jitter")


def known_as(curve: Curve, kind: str) -> Curve:
    """Return a curve with its bounds known in one of :data:`KINDS`."""
    if kind == "stated":
        return curve
    plain = Curve(compute=curve.compute, reward=curve.reward, bounds=(-100.0, 100.0))
    (curve,) = opened([plain], because="values")
    if kind == "open" or curve.open is None:
        return curve
    return replace(curve, open=replace(curve.open, jitter=0.0))


def cell(ratio: float, count: int, kind: str, curves: int) -> tuple[list[bool], list[float], list[bool]]:
    """Return whether each 80 % interval holds the truth, its width, and whether the answer is resolved."""
    hits, widths, resolved = [], [], []
    compute = evenly(ratio, count)
    for rho in CORRELATIONS:
        rng = np.random.default_rng([17, RATIOS.index(ratio), CORRELATIONS.index(rho), count])
        truths = [off_prior(rng, rho) for _ in range(curves)]
        made = [known_as(noisy(truth, compute, rng), kind) for truth in truths]
        found = posteriors(made, families=(SIGMOID,), model_error=0.0)
        for truth, curve, posterior in zip(truths, made, found, strict=True):
            values = posterior.reward([AHEAD * compute[-1]])[:, 0]
            low, high = posterior.quantiles(values, (0.1, 0.9)).tolist()
            hits.append(low <= float(truth.reward(AHEAD * compute[-1])) <= high)
            widths.append(high - low)
            passed = posterior.probability(posterior.draws.m_within < 0.0) >= 0.5
            resolved.append(high - low <= 0.1 * curve.range and passed)
    return hits, widths, resolved


def coverage(report: Report, curves: int) -> None:
    """Compare coverage and resolved shares with stated and with open bounds."""
    table = report.table(
        "80 % coverage of R(8 C_last) by C_last/C_mid, in percent [median width] (resolved %)",
        ["bounds, n", *map(str, RATIOS)],
    )
    held: dict[tuple[str, int, float], float] = {}
    sure: dict[tuple[str, int, float], float] = {}
    for kind in KINDS:
        for count in COUNTS:
            cells = []
            for ratio in RATIOS:
                hits, widths, resolved = cell(ratio, count, kind, curves)
                held[kind, count, ratio], sure[kind, count, ratio] = share(hits)[0], share(resolved)[0]
                cells.append(f"{100 * share(hits)[0]:.1f} [{np.median(widths):.3f}] ({100 * share(resolved)[0]:.0f})")
            table.add(f"{kind}, n {count}", *cells)
    for kind in KINDS[1:]:
        apart = {key: held[kind, *key] - held["stated", *key] for key in [(n, r) for n in COUNTS for r in RATIOS]}
        far = [key for key, gap in apart.items() if abs(gap) > WITHIN]
        worst = min(apart, key=lambda key: apart[key])
        low = min(held[kind, n, r] for n in COUNTS for r in RATIOS)
        target = "within 5 points" if kind == "open" else ""
        report.check(
            f"coverage, {kind} against stated bounds, 18 cells",
            f"{len(far)} cells further apart, worst {100 * apart[worst]:+.1f} points at n {worst[0]}, C_last/C_mid "
            f"{worst[1]:g}; lowest coverage {100 * low:.1f} %",
            target,
            not far if kind == "open" else None,
        )
    more = [key[1:] for key, value in sure.items() if key[0] == "open" and value > sure["stated", *key[1:]]]
    report.check("cells with more resolved under open bounds", f"{len(more)} of 18", "0", not more)


def alarms(report: Report, curves: int) -> None:
    """Count clean runs with AR(.8) noise that are called collapsed under open bounds."""
    rng = np.random.default_rng(29)
    last, any_look = [], []
    for _ in range(curves):
        run = clean(rng, "sigmoid", count=(12, 100), ratio=(0.25, 8.0), late=0.25)
        noise = Truth(0.0, 1.0, 1.0, 1.0, float(rng.uniform(0.008, 0.04)), 0.8).noise(run.compute.size, rng)
        names = [_seen(Drawn(run.compute, run.mean, noise), count) for count in range(4, run.compute.size + 1)]
        last.append(names[-1] is VerdictName.COLLAPSED)
        any_look.append(VerdictName.COLLAPSED in names)
    report.check(
        "clean AR(.8) runs called collapsed at their end", percent(last) + " %", "<= 3 %", share(last)[0] <= ALARMS
    )
    report.check("the same at any look, after every evaluation", percent(any_look) + " %", "", None)


def _seen(run: Drawn, count: int) -> VerdictName | None:
    curve = UncheckedCurve(compute=run.compute[:count], reward=(run.mean + run.noise)[:count])
    (curve,) = opened([curve], because="values")
    found = examine(curve).found
    return None if found is None else broken(curve, found).name


def real(report: Report) -> None:
    """Compare the archives with stated and with open bounds."""
    table = report.table(
        "archives, the default average: coverage % [CRPS], stated and open", ["archive, runs", "25 %", "50 %", "75 %"]
    )
    for name, runs in archives().items():
        found = [backtest(with_bounds) for with_bounds in (runs, _opened(runs))]
        cells = [
            " and ".join(
                f"{100 * (scores.coverage80 or 0.0):.0f} [{scores.crps or 0.0:.4f}]"
                for scores in (each.cuts[k].methods["rlscale"] for each in found)
            )
            for k in range(3)
        ]
        table.add(f"{name}, {len(runs)}", *cells)


def _opened(runs: Sequence[Run]) -> list[Run]:
    curves = opened([replace(run.curve, bounds=(-100.0, 100.0)) for run in runs], because="asked")
    return [replace(run, curve=curve) for run, curve in zip(runs, curves, strict=True)]


def invariance(report: Report) -> None:
    """Say how far the answer is from its map under ``a y + b``."""
    rng = np.random.default_rng(31)
    worst = 0.0
    for a, b in ((1e-3, 5.0), (0.2, -40.0), (37.0, 3.0), (1e4, -1e5)):
        curve = known_as(noisy(off_prior(rng, 0.5), evenly(2.0, 40), rng), "open")
        (moved,) = opened([replace(curve, reward=a * curve.reward + b)], because="values")
        one, other = fits([curve, moved], options=FitOptions())
        assert one.asymptote is not None
        assert other.asymptote is not None
        for level in ("q10", "q50", "q90"):
            worst = max(worst, abs((getattr(other.asymptote, level) - b) / a - getattr(one.asymptote, level)))
    report.check(
        "an affine map of the rewards maps the ceiling, largest difference", f"{worst:.1e}", "< 1e-6", worst < 1e-6
    )


def measure(quick: bool = False) -> Report:
    """Measure all of it."""
    report = Report("open_bounds", "What do intervals and alarms do where nobody says how far a reward may go?")
    coverage(report, 12 if quick else 400)
    alarms(report, 20 if quick else 600)
    invariance(report)
    real(report)
    return report


if __name__ == "__main__":
    main(measure)
