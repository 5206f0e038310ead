"""Collapses and changes of regime where the truth is known: false alarms, what is found, how soon, under which name.

Every run is looked at after every evaluation, as ``watch`` does. A false alarm is a clean run called ``collapsed`` or
``regime_change`` at any look. Clean truths: ``A ~ U(.4, .9)``, ``B ~ LN(ln 1.5, .4)``, ``R0 ~ U(.05, .3)``,
``C_last / C_mid`` log-uniform on [.25, 8], 12 to 100 evaluations (log-uniform), a quarter of the runs first evaluated
at .1 to .4 of their last compute, noise sd ``U(.008, .04)`` and correlation ``U(0, .9)``; the shape is the sigmoid, or
one that the frozen fit does not know: Weibull, Gompertz, a straight rise with a kink. Target: at most 3 % of the
sigmoids.

Broken truths: the same, with 30 to 100 evaluations up to 3 to 8 ``C_mid`` and something that happens at .4 to .65 of
the run; they are looked at up to 20 evaluations later. *Found*: an alarm at any look after the event; *right name*
(that of the last look) and *early* (an alarm before the event, a false one) are shares of all runs; the delay counts
evaluations from the first one that was hit, that one being 1. Targets: at least half of the slow declines found;
another evaluation set called ``collapsed`` in at most 2 % (an ordinary false alarm among evaluations of the new set).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Report, UncheckedCurve, main, percent, share
from rlscale.curves import Truth
from rlscale.inference import VerdictName
from rlscale.inference.examine import examine
from rlscale.inference.verdict import broken

Floats = NDArray[np.float64]
Generator = np.random.Generator

FALSE_ALARMS, SLOW_FOUND, SET_WRONG = 0.03, 0.5, 0.02
#: Evaluations after the event that are looked at.
LOOKED = 20


def sigmoid(x: Floats, rng: Generator) -> Floats:
    """Share of the rise at ``x = C / C_mid``, shape (n,)."""
    return Truth(R0=0.0, A=1.0, B=float(rng.lognormal(np.log(1.5), 0.4)), C_mid=1.0).reward(x)


def weibull(x: Floats, rng: Generator) -> Floats:
    """``1 - 2^-(x^B)``."""
    return np.asarray(1.0 - 2.0 ** -(x ** rng.lognormal(np.log(1.5), 0.4)))


def gompertz(x: Floats, rng: Generator) -> Floats:
    """``2^-(x^-B)``."""
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 ** -(x ** -rng.lognormal(np.log(1.5), 0.4)))


def kinked(x: Floats, rng: Generator) -> Floats:
    """Two straight slopes."""
    kink, level = rng.uniform(0.2, 0.7) * x[-1], rng.uniform(0.5, 0.9)
    return np.asarray(np.interp(x, [0.0, kink, x[-1]], [0.0, level, 1.0]))


SHAPES = {"sigmoid": sigmoid, "weibull": weibull, "gompertz": gompertz, "two slopes": kinked}


def clean(rng: Generator, shape: str, *, count: tuple[int, int], ratio: tuple[float, float], late: float) -> Drawn:
    """Draw a clean run with ``count`` evaluations and ``C_last / C_mid`` in ``ratio``; first evaluated late or not."""
    n = round(float(np.exp(rng.uniform(*np.log(count)))))
    last = float(np.exp(rng.uniform(*np.log(ratio))))
    first = rng.uniform(0.1, 0.4) * last if rng.random() < late else 0.0
    compute = np.linspace(first, last, n)
    baseline, ceiling = rng.uniform(0.05, 0.3), rng.uniform(0.4, 0.9)
    mean = baseline + (ceiling - baseline) * SHAPES[shape](compute, rng)
    noise = Truth(0.0, 1.0, 1.0, 1.0, float(rng.uniform(0.008, 0.04)), float(rng.uniform(0.0, 0.9))).noise(n, rng)
    return Drawn(compute, mean, noise)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A run: computes, noise-free rewards and noise, shape (n,); ``n_eval`` where it matters."""

    compute: Floats
    mean: Floats
    noise: Floats
    n_eval: Floats | None = None

    def seen(self, count: int) -> VerdictName | None:
        """Return what the first ``count`` evaluations are called, where they are not one curve."""
        reward = (self.mean + self.noise)[:count]
        n_eval = None if self.n_eval is None else self.n_eval[:count]
        curve = UncheckedCurve(compute=self.compute[:count], reward=reward, n_eval=n_eval)
        found = examine(curve).found
        return None if found is None else broken(curve, found).name


@dataclass(frozen=True)
class Event:
    """What happens: the mean from the event on, of the level before it and the evaluations since (from 1)."""

    name: str
    mean: Callable[[float, Floats], Floats]
    right: VerdictName
    moves_set: bool = False


EVENTS = (
    Event("falls by half", lambda level, t: 0.5 * level + 0.0 * t, VerdictName.COLLAPSED),
    Event("falls by a fifth", lambda level, t: 0.8 * level + 0.0 * t, VerdictName.COLLAPSED),
    Event("30 % down over 10", lambda level, t: level * (1.0 - 0.03 * np.minimum(t, 10.0)), VerdictName.COLLAPSED),
    Event(
        "to 40 %, then back to 75 %",
        lambda level, t: level * (0.4 + 0.35 * (1.0 - np.exp(-(t - 1.0) / 4.0))),
        VerdictName.REGIME_CHANGE,
    ),
    Event("jumps up by .2", lambda level, t: level + 0.2 + 0.0 * t, VerdictName.REGIME_CHANGE),
    Event("another set, a fifth lower", lambda level, t: 0.8 * level + 0.0 * t, VerdictName.REGIME_CHANGE, True),
)


def false_alarms(report: Report, curves: int) -> None:
    """Count the alarms in clean runs."""
    table = report.table("clean runs, looked at after every evaluation", ["shape", "runs", "alarms %", "collapsed %"])
    for place, shape in enumerate(SHAPES):
        rng = np.random.default_rng([71, place])
        first: list[VerdictName | None] = []
        for _ in range(curves):
            run = clean(rng, shape, count=(12, 100), ratio=(0.25, 8.0), late=0.25)
            looks = (run.seen(count) for count in range(4, run.compute.size + 1))
            first.append(next((name for name in looks if name is not None), None))
        alarms = [name is not None for name in first]
        table.add(shape, str(curves), percent(alarms), percent([n is VerdictName.COLLAPSED for n in first]))
        if shape == "sigmoid":
            p, _ = share(alarms)
            report.check("false alarms, any look", percent(alarms) + " %", "<= 3 %", p <= FALSE_ALARMS)


def found(report: Report, curves: int) -> None:
    """Count what is found of what happened."""
    table = report.table(
        "broken runs, sd .008 to .04, rho 0 to .9",
        ["event", "runs", "found %", "right name %", "delay median", "delay p90", "early %"],
    )
    for place, event in enumerate(EVENTS):
        rng = np.random.default_rng([73, place])
        early, delays, names = [], [], []
        for _ in range(curves):
            run, at = happened(rng, event)
            looks = [run.seen(count) for count in range(4, run.compute.size + 1)]
            before, after = looks[: at - 3], looks[at - 3 :]
            early.append(any(before))
            delays.append(next((1 + k for k, name in enumerate(after) if name is not None), 0))
            names.append(looks[-1])
        hits = np.array(delays) > 0
        waited = np.array(delays)[hits] if hits.any() else np.zeros(1)
        right = [name is event.right for name in names]
        delay = [f"{np.median(waited):.0f}", f"{np.percentile(waited, 90):.0f}"]
        table.add(event.name, str(curves), percent(hits), percent(right), *delay, percent(early))
        if event.name.startswith("30 %"):
            report.check("slow declines found", percent(hits) + " %", ">= 50 %", share(hits)[0] >= SLOW_FOUND)
        if event.moves_set:
            wrong = [name is VerdictName.COLLAPSED for name in names]
            report.check("another set called collapsed", percent(wrong) + " %", "<= 2 %", share(wrong)[0] <= SET_WRONG)


def happened(rng: Generator, event: Event) -> tuple[Drawn, int]:
    """Draw a run to which ``event`` happens; with the number of evaluations before it."""
    run = clean(rng, "sigmoid", count=(30, 100), ratio=(3.0, 8.0), late=0.0)
    at = int(rng.uniform(0.4, 0.65) * run.compute.size)
    n = min(run.compute.size, at + LOOKED)
    mean = run.mean[:n].copy()
    mean[at:] = event.mean(float(mean[at - 1]), np.arange(1.0, n - at + 1.0))
    sizes = np.where(np.arange(n) < at, 200.0, 1024.0) if event.moves_set else None
    return Drawn(run.compute[:n], mean, run.noise[:n], sizes), at


def measure(quick: bool = False) -> Report:
    """Measure both."""
    report = Report("regimes", "Does it see a run break, how soon, and how often does it see what is not there?")
    false_alarms(report, 40 if quick else 1000)
    found(report, 20 if quick else 300)
    return report


if __name__ == "__main__":
    main(measure)
