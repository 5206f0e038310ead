"""What was computed of each run, kept as long as the run stays as it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import overload

from rlscale.answers.charts.runs import Fan, fan
from rlscale.answers.checklist import bounds_hit
from rlscale.curves import Run
from rlscale.curves.value import equal
from rlscale.health import Limits, RunHealth, run_health
from rlscale.health.scale import Scale, of_run, scales_of
from rlscale.inference import Fit, FitOptions, OverTime, fits, over_times
from rlscale.inference.targets import retargeted

__all__ = ["MOST", "Kept"]

Targets = tuple[float, ...]
#: Runs of which something is kept, those asked for last: a fit takes some 80 KiB, its chart 30.
MOST = 400
#: Answers at other targets that are kept of each run: they share its posterior.
_TARGETS = 4


@dataclass(eq=False)
class _Record:
    """What is known of a run as it stands."""

    run: Run
    fit: Fit | None = None
    others: OrderedDict[Targets, Fit] = field(default_factory=OrderedDict)
    fans: dict[Targets, Fan] = field(default_factory=dict)
    grown: dict[Targets, OverTime] = field(default_factory=dict)
    hits: tuple[str, ...] | None = None
    health: RunHealth | None = None
    scales: Mapping[tuple[str, str], Scale] | None = None

    def after(self, run: Run) -> _Record:
        """Return what is still known of a run that was read anew."""
        if self.run is run or self.run == run:
            return self
        if not equal(self.run.curve, run.curve) or self.run.name != run.name:
            return _Record(run)
        found = _Record(run, hits=self.hits, grown=self.grown)
        found.fit = None if self.fit is None else _of(self.fit, run)
        return found


def _of(found: Fit, run: Run) -> Fit:
    """Return the fit of a run whose curve stayed as it is, with what else is said of the run now."""
    other = copy(found)  # with what it has computed
    warnings = (*run.warnings, *found.warnings[len(found.run.warnings) :])
    for name, value in (("run", run), ("warnings", warnings)):
        object.__setattr__(other, name, value)
    return other


class Kept:
    """Fits, charts and health of runs, each computed once while the run stays as it is. Several threads may ask.

    Parameters
    ----------
    options : FitOptions
    """

    def __init__(self, options: FitOptions) -> None:
        self.options = options
        self._lock = threading.Lock()
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def _record(self, run: Run) -> _Record:
        with self._lock:
            before = self._records.get(run.name)
            record = self._records[run.name] = _Record(run) if before is None else before.after(run)
            self._records.move_to_end(run.name)
            while len(self._records) > MOST:
                self._records.popitem(last=False)
            return record

    def fits(self, runs: Sequence[Run], targets: Targets = ()) -> tuple[Fit, ...]:
        """Return the fits of runs, in their order; those that are not known are made together."""
        records = [self._record(run) for run in runs]
        lacking = [record for record in records if record.fit is None]
        for record, found in zip(lacking, fits([record.run for record in lacking], (), self.options), strict=True):
            record.fit = found
        return tuple(self._at(record, targets) for record in records)

    def fit(self, run: Run, targets: Targets = ()) -> Fit:
        """Return the fit of a run."""
        return self.fits((run,), targets)[0]

    def lazily(self, runs: Sequence[Run], targets: Targets = ()) -> Sequence[Fit]:
        """Return the fits of runs, each made when it is asked for."""
        return _Lazy(self, runs, targets)

    def _at(self, record: _Record, targets: Targets) -> Fit:
        assert record.fit is not None
        if not targets:
            return record.fit
        with self._lock:
            found = record.others.get(targets)
        if found is None:
            found = retargeted(record.fit, targets)
            with self._lock:
                record.others[targets] = found
                while len(record.others) > _TARGETS:
                    old, _ = record.others.popitem(last=False)
                    record.fans.pop(old, None)
                    record.grown.pop(old, None)
        return found

    def fan(self, found: Fit) -> Fan:
        """Return the chart of a run that was fitted here."""
        record, targets = self._record(found.run), _targets(found)
        kept = record.fans.get(targets)
        if kept is None:
            kept = record.fans[targets] = fan(found)
        return kept

    def grown(self, found: Fit) -> OverTime:
        """Return how a run that was fitted here grew."""
        record, targets = self._record(found.run), _targets(found)
        kept = record.grown.get(targets)
        if kept is None:
            kept = record.grown[targets] = next(over_times((found,), targets))
        return kept

    def hits(self, found: Fit) -> tuple[str, ...]:
        """Return the parameters of the least-squares fit of a run that ended on a limit."""
        record = self._record(found.run)
        if record.hits is None:
            record.hits = bounds_hit(found)
        return record.hits

    def health(self, runs: Sequence[Run]) -> tuple[RunHealth, ...]:
        """Return what every monitor says of runs, in their order; how shares are written is decided from all."""
        limits, judged, scales = Limits(), [], scales_of(runs)
        for record in map(self._record, runs):
            own = of_run(record.run, scales)
            if record.health is None or record.scales != own:
                record.health, record.scales = run_health(record.run, limits, scales=scales), own
            judged.append(record.health)
        return tuple(judged)


def _targets(found: Fit) -> Targets:
    """Return the targets that a fit was asked for; none where its forecasts are those of nobody's asking."""
    last = found.run.curve.compute_last
    computes = tuple(each.compute for each in found.forecasts)
    return () if computes == (2.0 * last, 4.0 * last) and found.question == float("inf") else computes


class _Lazy(Sequence[Fit]):
    """Fits that are made when they are asked for."""

    def __init__(self, kept: Kept, runs: Sequence[Run], targets: Targets) -> None:
        self._kept, self._runs, self._targets = kept, runs, targets

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> Fit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fit]: ...
    def __getitem__(self, index: int | slice) -> Fit | Sequence[Fit]:
        if isinstance(index, slice):
            return self._kept.fits(self._runs[index], self._targets)
        return self._kept.fit(self._runs[index], self._targets)
