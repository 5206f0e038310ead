"""Runs of a ledger that are too many to fit: how they rank as its fits say, and the reading of a few of them."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from rlscale.answers.views import RankView
from rlscale.decisions import Ranking, RecipeRank
from rlscale.decisions.contender import middle_verdict
from rlscale.errors import LedgerError
from rlscale.inference import Interval, Verdict, VerdictName
from rlscale.inference.pool import SeedSpread
from rlscale.ledger import FitRow, Ledger, RunRow
from rlscale.serve.board.facts import Facts
from rlscale.serve.board.kept import MOST
from rlscale.serve.board.state import Stored
from rlscale.sources import Log, Reading, ReadOptions, assembled
from rlscale.sources.trackers.ledger import logs_of

__all__ = ["Loader", "stored_of"]

Three = tuple[float, float, float]
_NOTE = (
    "These are the fits that the ledger keeps, each of its run as it stood then; of a recipe with several runs the "
    "mean. Cards are fitted now. No probability of being the best is kept."
)


def stored_of(facts: Facts, options: ReadOptions, load: Callable[[tuple[str, ...]], Reading]) -> Stored:
    """Return the runs of a ledger as its latest fits rank them: by forecasts at one target, else by ceilings.

    Parameters
    ----------
    facts : Facts
    options : ReadOptions
        Its metric, unit and clock choose the runs that are ranked; else those that most runs have.
    load : callable
        Returns runs by their names.
    """
    rows = _comparable(facts.rows, options)
    held = frozenset(row.id for row in rows)
    by_run = {fit.run_id: fit for fit in facts.fits if fit.run_id in held}
    targets = {fit.target for fit in by_run.values()}
    target = targets.pop() if len(targets) == 1 else None
    recipes: dict[str, list[RunRow]] = {}
    for row in rows:
        recipes.setdefault(row.recipe, []).append(row)
    fits = {name: [by_run[row.id] for row in own if row.id in by_run] for name, own in recipes.items()}
    ranked = [_recipe(name, own, fits[name], target) for name, own in recipes.items()]
    ranked.sort(key=lambda item: (not item[1].verdict.ranks, -item[0]))
    ranking = Ranking(
        at=float("inf") if target is None else target,
        unit=rows[0].unit,
        recipes=tuple(row for _, row in ranked),
        pairs=(),
        seed_sd=SeedSpread(0.0, "given", 0),
        claim="runs",
        notes=(),
    )
    low, high = min(row.bounds[0] for row in rows), max(row.bounds[1] for row in rows)
    return Stored(
        ranked=RankView(ranking=ranking, runs=(), stored_in=(low, high)),
        load=load,
        names=tuple(row.name for row in facts.rows),
        spent={name: sum(fit.compute for fit in own) for name, own in fits.items()},
        notes=(_NOTE, *_apart(facts.rows, rows), *_unfitted(rows, by_run)),
    )


def _comparable(rows: Sequence[RunRow], options: ReadOptions) -> list[RunRow]:
    """Return the runs with one metric and one axis of compute: those asked for, else the most."""
    asked = [
        row for row in rows
        if options.metric in (None, row.metric) and options.unit in (None, row.unit)
        and options.clock in (None, row.clock)
    ]  # fmt: skip
    kinds = Counter((row.metric, row.unit, row.clock) for row in asked or rows)
    ((chosen, _),) = kinds.most_common(1)
    return [row for row in rows if (row.metric, row.unit, row.clock) == chosen]


def _apart(every: Sequence[RunRow], rows: Sequence[RunRow]) -> tuple[str, ...]:
    if len(every) == len(rows):
        return ()
    first = rows[0]
    return (
        f"Ranked are the {len(rows):,} runs of {first.metric} over {first.unit}; {len(every) - len(rows):,} others "
        "have another metric or axis of compute (--metric KEY and --unit U choose).",
    )


def _unfitted(rows: Sequence[RunRow], fits: Mapping[int, FitRow]) -> tuple[str, ...]:
    lacking = sum(row.id not in fits for row in rows)
    return (f"Nothing is fitted of {lacking:,} of {len(rows):,} runs.",) if lacking else ()


def _recipe(
    name: str, rows: Sequence[RunRow], fits: Sequence[FitRow], target: float | None
) -> tuple[float, RecipeRank]:
    """Return a recipe with the level by which it ranks."""
    verdicts = [Verdict(VerdictName(fit.verdict), "", "") for fit in fits]
    verdict = middle_verdict(verdicts) if verdicts else Verdict(VerdictName.TOO_FEW_POINTS, "", "")
    levels = [_level(fit, target) for fit in fits]
    known = [level for level in levels if level is not None]
    forecast = None if target is None else _mean([fit.forecast for fit in fits])
    row = RecipeRank(
        recipe=name, runs=tuple(row.name for row in rows), verdict=verdict, p_best=None, group=None,
        A=_mean([fit.A for fit in fits]), B=None, forecast=forecast, expected_regret=None,
    )  # fmt: skip
    return fmean(known) if known else float("-inf"), row


def _level(fit: FitRow, target: float | None) -> float | None:
    if target is not None and fit.mean is not None:
        return fit.mean
    return None if fit.A is None else fit.A[1]


def _mean(several: Sequence[Three | None]) -> Interval | None:
    known = [each for each in several if each is not None]
    return Interval(*(fmean(each[k] for each in known) for k in range(3))) if known else None


class Loader:
    """Reads a few runs of a ledger when somebody looks at them; those asked for last are kept.

    Parameters
    ----------
    where : str
        The address.
    options : ReadOptions
    """

    def __init__(self, where: str, options: ReadOptions) -> None:
        self._where, self._options = where, options
        self._lock = threading.Lock()
        self._ledger: Ledger | None = None
        self._logs: OrderedDict[int, tuple[RunRow, int, Log | None]] = OrderedDict()

    def load(self, facts: Facts, names: tuple[str, ...]) -> Reading:
        """Return runs by their names, in that order.

        Raises
        ------
        LedgerError
            The ledger cannot be read.
        """
        by_name = {row.name: row for row in facts.rows}
        rows = [by_name[name] for name in names]
        with self._lock:
            lacking = [row for row in rows if (held := self._logs.get(row.id)) is None or held[0] != row]
            if lacking:
                self._fill(lacking)
            logs = [self._logs[row.id][2] for row in rows]
            for row in rows:
                self._logs.move_to_end(row.id)
            while len(self._logs) > 2 * MOST:
                self._logs.popitem(last=False)
        return assembled(self._where, [log for log in logs if log is not None], self._options)

    def _fill(self, rows: Sequence[RunRow]) -> None:
        try:
            if self._ledger is None:
                self._ledger = Ledger(self._where, patience=2.0)
            found = logs_of(self._ledger, rows, self._where)
        except LedgerError:
            self.close()
            raise
        self._logs.update({row.id: (row, 0, found.get(row.id)) for row in rows})

    def close(self) -> None:
        """Close its connections."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
