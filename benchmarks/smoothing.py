"""Are smoothed values seen, are raw ones let pass, and what does the look cost: ``python -m benchmarks.smoothing``.

400 running means over windows of 20 to 60 of sigmoids with noise sd .02 to .1, half of them white, half AR(1) with
correlation .5 or .8; 100 to 300 values, half from the first full window on, half from the first value (short windows
at the start); read at half and at the end. Targets (issue 13): at least 85 % found of the reads at 150 values or more,
and none of those found has an answer called resolved before three windows of the truth; of clean curves with white and
with AR(.8) noise at most 5 % are flagged. Beside them, without a target: other clean curves (those whose noise dies,
since they near a bound or grade more samples; jumps; what repeats with the epoch; rounded curves without noise), means
from the start, exponential means (which are AR(1) noise, and fitted as that), and the bundled runs.

All of it twice, on the same curves: by :func:`rlscale.inference.smoothed.smoothing`, and by the rule of design §12 as
it is written, with the noise correlation estimated from its own differences.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.archives import bundled_runs
from benchmarks.common import Report, UncheckedCurve, main, percent
from benchmarks.designs import off_prior
from rlscale.curves import Curve
from rlscale.inference import Fit, VerdictName, fit, fits
from rlscale.inference.smoothed import WINDOWS_NEEDED, Smoothing, smoothing

Floats = NDArray[np.float64]
Rng = np.random.Generator
Rule = Callable[[Curve], Smoothing | None]

LEAST_READ = 150


def written_rule(curve: Curve) -> Smoothing | None:
    """Tell a running mean, or a mean from the start, as design §12 writes it."""
    values = curve.reward
    if values.size <= 25:
        return None
    raw = np.diff(values)
    steps = raw - _running_median(raw)
    sizes = _running_median(np.abs(steps))
    scaled = np.clip(np.divide(steps, sizes, out=np.zeros_like(steps), where=sizes > 0.0), -3.0, 3.0)
    if not scaled.any():
        return None
    correlation = 1.0 + 2.0 * float(np.corrcoef(scaled[1:], scaled[:-1])[0, 1])
    quarter = steps.size // 4
    if np.sqrt(np.mean(steps[-quarter:] ** 2)) < 0.25 * np.sqrt(np.mean(steps[:quarter] ** 2)):
        return Smoothing(window=values.size, from_start=True, correlation=correlation)
    windows = range(5, values.size - 20)
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = [-np.corrcoef(scaled[w:], scaled[:-w])[0, 1] * np.sqrt(scaled.size - w) for w in windows]
    at = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
    if not (scores[at] >= 4.0 and correlation >= 0.5):
        return None
    return Smoothing(window=windows[at], from_start=False, correlation=correlation, z=float(scores[at]))


def _running_median(values: Floats) -> Floats:
    return np.asarray(np.median(sliding_window_view(np.pad(values, 5, mode="reflect"), 11), axis=1))


RULES: dict[str, Rule] = {"rlscale": smoothing, "as written": written_rule}


def curve(values: Floats) -> Curve:
    """Return the curve of values at evaluations 1, 2, ..."""
    return UncheckedCurve(compute=np.arange(1.0, values.size + 1.0), reward=values)


def raw(rng: Rng, count: int, rho: float, low: float = 0.008, high: float = 0.06) -> Floats:
    """Return ``count`` evaluations of a truth off the prior up to .5 to 6 midpoints, noise sd ``low`` to ``high``."""
    truth = off_prior(rng, rho, sigma=float(rng.uniform(low, high)))
    compute = truth.C_mid * float(rng.uniform(0.5, 6.0)) * np.arange(1.0, count + 1.0) / count
    return np.asarray(truth.reward(compute) + truth.noise(count, rng))


def running(values: Floats, window: int, *, full: bool) -> Floats:
    """Return the means of the latest ``window`` values; from the first full window on, or of fewer at the start."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    if full:
        return np.asarray((sums[window:] - sums[:-window]) / window)
    number = np.arange(1, values.size + 1)
    first = np.maximum(number - window, 0)
    return np.asarray((sums[number] - sums[first]) / (number - first))


def saturating(rng: Rng, count: int) -> Floats:
    """Return the level of a run that nears 1, shape (count,)."""
    compute = float(rng.uniform(2.0, 20.0)) * np.arange(1.0, count + 1.0) / count
    return np.asarray(0.05 + 0.95 / (1.0 + compute ** -float(rng.uniform(1.0, 3.0))))


def correlated(rng: Rng, count: int, rho: float) -> Floats:
    """Return AR(1) noise of sd 1."""
    return off_prior(rng, rho, sigma=1.0).noise(count, rng)


def shrinking(rng: Rng, count: int) -> Floats:
    """Return a run near 1 with correlated noise of binomial size."""
    level = saturating(rng, count)
    return np.asarray(level + 0.1 * np.sqrt(level * (1.0 - level)) * correlated(rng, count, 0.8))


def capped(rng: Rng, count: int) -> Floats:
    """Return the same, of which most values are 1 in the end."""
    return np.minimum(shrinking(rng, count) + 0.03, 1.0)


def binomial(rng: Rng, count: int) -> Floats:
    """Return pass rates of 64 fresh samples of a run that nears 1."""
    return np.asarray(rng.binomial(64, saturating(rng, count)) / 64.0)


def growing(rng: Rng, count: int) -> Floats:
    """Return evaluations on ever more samples."""
    sizes = 0.1 / np.sqrt(np.arange(1.0, count + 1.0))
    return np.asarray(raw(rng, count, 0.0, 1e-4, 1e-4) + sizes * correlated(rng, count, 0.8))


def jumping(rng: Rng, count: int) -> Floats:
    """Return a run with one jump."""
    values, at = raw(rng, count, 0.8), int(rng.integers(10, count - 10))
    values[at:] += rng.choice([-1.0, 1.0]) * rng.uniform(0.1, 0.5)
    return values


def repeating(rng: Rng, count: int) -> Floats:
    """Return a run whose batches come again each epoch of 20."""
    return np.asarray(raw(rng, count, 0.5) + 0.03 * rng.normal(size=20)[np.arange(count) % 20])


def exponential(values: Floats, keep: float) -> Floats:
    """Return the exponential mean of values, each weighing ``1 - keep``."""
    means = values.copy()
    for k in range(1, values.size):
        means[k] = keep * means[k - 1] + (1.0 - keep) * values[k]
    return means


def from_start(values: Floats) -> Floats:
    """Return the mean of all values so far."""
    return np.asarray(np.cumsum(values) / np.arange(1, values.size + 1))


CLEAN: dict[str, Callable[[Rng, int], Floats]] = {
    "white noise": lambda rng, count: raw(rng, count, 0.0),
    "AR(.8) noise": lambda rng, count: raw(rng, count, 0.8),
    "AR(.5) noise": lambda rng, count: raw(rng, count, 0.5),
    "AR(.95) noise": lambda rng, count: raw(rng, count, 0.95),
    "binomial noise, nears 1": binomial,
    "AR(.8) noise that dies, nears 1": shrinking,
    "the same, capped at 1": capped,
    "more and more samples": growing,
    "a jump, AR(.8)": jumping,
    "repeats each epoch": repeating,
    "no noise": lambda rng, count: raw(rng, count, 0.0, 1e-12, 1e-12),
    "no noise, 3 digits": lambda rng, count: np.round(raw(rng, count, 0.0, 1e-12, 1e-12), 3),
}
SMOOTHED: dict[str, Callable[[Rng, int], Floats]] = {
    "mean from the start, white": lambda rng, count: from_start(raw(rng, count, 0.0, 0.02, 0.1)),
    "mean from the start, AR(.8)": lambda rng, count: from_start(raw(rng, count, 0.8, 0.02, 0.1)),
    "exponential mean, .9": lambda rng, count: exponential(raw(rng, count, 0.0, 0.02, 0.1), 0.9),
    "exponential mean, .97": lambda rng, count: exponential(raw(rng, count, 0.0, 0.02, 0.1), 0.97),
}
COUNTS = (100, 150, 300)


def running_means(report: Report, curves: int) -> None:
    """Read running means at half and at the end."""
    rng = np.random.default_rng(1301)
    found: dict[str, dict[str, list[bool]]] = {name: {} for name in RULES}
    early: dict[str, list[bool]] = {name: [] for name in RULES}
    errors: dict[str, list[float]] = {name: [] for name in RULES}
    for k in range(curves):
        window, count, full = int(rng.integers(20, 61)), int(rng.integers(100, 301)), bool(k % 2)
        values = raw(rng, count + (window - 1) * full, (0.0, 0.5, 0.0, 0.8)[k // 2 % 4], 0.02, 0.1)
        means = running(values, window, full=full)
        for read in (count // 2, count):
            seen = curve(means[:read])
            fitted = fit(seen) if read < WINDOWS_NEEDED * window else None
            for name, rule in RULES.items():
                told = rule(seen)
                group = "150 and more" if read >= LEAST_READ else "100 to 149" if read >= 100 else "50 to 99"
                found[name].setdefault(group, []).append(told is not None)
                if told is None:
                    continue
                if not told.from_start:
                    errors[name].append(told.window / window - 1.0)
                if fitted is not None:
                    early[name].append(_acted_on(fitted) if name == "rlscale" else not told.hides(read))
    table = report.table(
        "running means, windows 20 to 60", ["rule", "50 to 99", "100 to 149", "150 and more", "window"]
    )
    for name, groups in found.items():
        cells = [percent(groups[group]) if group in groups else "" for group in table.columns[1:4]]
        near = percent(np.abs(errors[name]) < 0.1)
        table.add(name, *cells, f"within 10 %: {near}")
    share = float(np.mean(found["rlscale"]["150 and more"]))
    report.check("running means found at 150 values and more", f"{100 * share:.1f} %", ">= 85 %", share >= 0.85)
    wrong, looked = sum(early["rlscale"]), len(early["rlscale"])
    report.check("found, and resolved before three windows", f"{wrong} of {looked}", "0", wrong == 0)
    other = early["as written"]
    report.check("... as written, window too short to hold it back", f"{sum(other)} of {len(other)}", "", None)


def _acted_on(found: Fit) -> bool:
    return found.verdict.name is VerdictName.RESOLVED or any(one.resolved for one in found.forecasts)


def flagged(report: Report, curves: int) -> None:
    """Count what is taken for smoothed, of curves that are not, and of other kinds that are."""
    table = report.table(
        "flagged, %, at 100, 150 and 300 values: by rlscale [as written]", ["curves", *map(str, COUNTS)]
    )
    shares: dict[str, list[list[bool]]] = {}
    for label, kind in (CLEAN | SMOOTHED).items():
        cells = []
        for count in COUNTS:
            rng = np.random.default_rng([1303, count, *label.encode()])
            seen = [curve(kind(rng, count)) for _ in range(curves)]
            both = [[rule(one) is not None for one in seen] for rule in RULES.values()]
            cells.append(" ".join((f"{100 * np.mean(both[0]):.1f}", f"[{100 * np.mean(both[1]):.1f}]")))
            shares.setdefault(label, []).append(both[0])
        table.add(label, *cells)
    for label, hits in shares.items():
        target = "<= 5 %" if label in ("white noise", "AR(.8) noise") else ""
        worst = 100.0 * max(float(np.mean(one)) for one in hits)
        words = "flagged" if label in CLEAN else "found"
        pooled = percent(np.concatenate([np.asarray(one) for one in hits]))
        measured = f"{worst:.1f} % at worst" if label in CLEAN else f"{pooled} %"
        report.check(f"{words}: {label}", measured, target, worst <= 5.0 if target else None)
    runs = bundled_runs()
    hits_real = sum(smoothing(run.curve) is not None for run in runs)
    report.check("flagged: the bundled runs", f"{hits_real} of {len(runs)}", "0", hits_real == 0)


def cost(report: Report, curves: int) -> None:
    """Time the look beside the fit it is part of: processor time, one core, the fastest of five."""
    table = report.table("ms a curve", ["noise, values", "rlscale", "as written", "fit, in batches"])
    for rho in (0.0, 0.8):
        for count in (100, 300):
            rng = np.random.default_rng([1307, count])
            seen = [curve(raw(rng, count, rho)) for _ in range(curves)]
            looks = [
                _milliseconds(lambda rule=rule, seen=seen: [rule(one) for one in seen], 5) for rule in RULES.values()
            ]
            whole = _milliseconds(lambda seen=seen: list(fits(seen)), 1)
            table.add(f"AR({rho:g}), {count}", *(f"{one / curves:.4f}" for one in (*looks, whole)))
            if count == 100:
                cells = f"{looks[0] / curves:.3f} ms, {100 * looks[0] / whole:.1f} % of the fit"
                report.check(f"a look at 100 values, AR({rho:g})", cells, "", None)


def _milliseconds(work: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return 1000.0 * min(spent)


def measure(quick: bool = False) -> Report:
    """Measure all of it."""
    report = Report("smoothing", "Are smoothed values seen, and raw ones let pass?")
    running_means(report, 40 if quick else 400)
    flagged(report, 40 if quick else 400)
    cost(report, 30 if quick else 100)
    return report


if __name__ == "__main__":
    main(measure)
