"""What every benchmark shares: scores of a forecast, curves below the reader, targets with PASS or MISS, tables."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rlscale.curves import Curve, Truth
from rlscale.inference import Posterior
from rlscale.trust.scores import crps as crps  # the benchmarks take their scores from here

Floats = NDArray[np.float64]


class UncheckedCurve(Curve):
    """A curve below the reader: noise may take a reward further outside the bounds than the reader lets pass."""

    def _check_rewards(self) -> None:
        """Accept any reward."""


def noisy(truth: Truth, compute: ArrayLike, rng: np.random.Generator, unit: str = "steps") -> UncheckedCurve:
    """Return a curve of ``truth`` with its AR(1) noise at ``compute``, shape (n,), bounds (0, 1)."""
    compute = np.asarray(compute, dtype=np.float64)
    return UncheckedCurve(compute=compute, reward=truth.reward(compute) + truth.noise(compute.size, rng), unit=unit)


def covers(found: Posterior, values: Floats, truth: float, level: float = 0.8) -> bool:
    """Whether the central ``level`` interval of ``values``, shape (d,), holds ``truth``."""
    low, high = found.quantiles(values, (0.5 - level / 2.0, 0.5 + level / 2.0))
    return bool(low <= truth <= high)


def share(hits: Sequence[bool] | NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of hits and its binomial standard error."""
    p = float(np.mean(hits))
    return p, float(np.sqrt(p * (1.0 - p) / len(hits)))


def percent(hits: Sequence[bool] | NDArray[np.bool_]) -> str:
    """Return a share with its standard error, in percent: ``81.5 +- 1.9``."""
    p, error = share(hits)
    return f"{100 * p:.1f} +- {100 * error:.1f}"


@dataclass(frozen=True)
class Check:
    """A target beside what was measured; ``passed`` is None where there is no target."""

    what: str
    measured: str
    target: str
    passed: bool | None

    @property
    def word(self) -> str:
        """``PASS``, ``MISS`` or nothing."""
        return {True: "PASS", False: "MISS", None: ""}[self.passed]


@dataclass
class Table:
    """Rows of text under a title; each row is printed as it comes, since a benchmark takes minutes."""

    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)

    def start(self) -> Table:
        """Print the title and the columns."""
        print(f"\n{self.title}")
        self._print(self.columns)
        return self

    def add(self, *cells: object) -> None:
        """Add a row and print it."""
        row = [f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells]
        self.rows.append(row)
        self._print(row)

    def _print(self, cells: Sequence[str]) -> None:
        first, rest = cells[0], cells[1:]
        widths = [max(13, len(c) + 2) for c in self.columns[1:]]
        print(f"{first:<38}" + "".join(f"  {c:>{w - 2}}" for c, w in zip(rest, widths, strict=True)), flush=True)


@dataclass
class Report:
    """What one benchmark found.

    Parameters
    ----------
    name, question : str
    tables : list of Table
    checks : list of Check
    skipped : str
        Why nothing was measured, or nothing.
    seconds : float
        Wall time it took.
    date : str
        When it was measured, UTC.
    cpu : str
        Where.
    """

    name: str
    question: str
    tables: list[Table] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    skipped: str = ""
    seconds: float = 0.0
    date: str = ""
    cpu: str = ""

    def table(self, title: str, columns: Sequence[str]) -> Table:
        """Start a table."""
        self.tables.append(Table(title, columns))
        return self.tables[-1].start()

    def check(self, what: str, measured: str, target: str, passed: bool | None) -> None:
        """Record a target and print it with PASS or MISS."""
        found = Check(what, measured, target, None if passed is None else bool(passed))
        self.checks.append(found)
        print(f"  {found.word or 'info'}  {what}: {measured} (target {target or 'none'})", flush=True)


Measure = Callable[[bool], Report]


def timed(measure: Measure, quick: bool) -> Report:
    """Run a benchmark and note its date and its wall time, in seconds."""
    start = time.perf_counter()
    report = measure(quick)
    report.date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    report.seconds = time.perf_counter() - start
    print(f"{report.name}: {report.skipped or f'{report.seconds:.0f} s'}", flush=True)
    return report


def main(measure: Measure) -> None:
    """Run one benchmark from the command line; exit code 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the curves: a smoke test, not a measurement")
    report = timed(measure, parser.parse_args().quick)
    sys.exit(any(check.passed is False for check in report.checks))
