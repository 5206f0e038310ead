"""What the page shows: the runs as they stand, and the answers about them, each computed once a version."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rlscale.answers import Answer
from rlscale.answers.fit import fit_answer
from rlscale.answers.health import health_answer, health_view
from rlscale.answers.plan import plan_answer, plan_view
from rlscale.answers.rank import rank_answer
from rlscale.answers.settings import Settings, bad_files
from rlscale.answers.views import RankView, fit_view, run_line
from rlscale.curves import Run
from rlscale.decisions import rank_runs
from rlscale.decisions.plan import plan
from rlscale.errors import InputError
from rlscale.health import check_health
from rlscale.inference import FitOptions, Refits, fit
from rlscale.live import Following
from rlscale.serve.query import Query, UnknownError
from rlscale.sources import Reading, ReadOptions

__all__ = ["Board", "LogBoard", "Page"]

#: Pages that are kept, the latest used last.
_KEPT = 64


@dataclass(frozen=True)
class Page:
    """An answer as it stands.

    Parameters
    ----------
    query : Query
    answer : Answer
    version : int
        Of the board that it was computed from.
    at : float
        When that version was read, in seconds since 1970.
    """

    query: Query
    answer: Answer
    version: int
    at: float


class Board(Protocol):
    """Where pages come from. All of it may be called from several threads."""

    @property
    def version(self) -> int:
        """Number of the runs as they stand; it only rises."""

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """Recipe to the names of its runs."""

    @property
    def at(self) -> float:
        """When they were read, in seconds since 1970."""

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the sources now, in sentences."""

    @property
    def ledger(self) -> str | None:
        """Address of the ledger that takes what people say of runs; None of logs."""

    def refresh(self) -> bool:
        """Read what is new; say whether anything is."""

    def page(self, query: Query) -> Page:
        """Return a page.

        Raises
        ------
        UnknownError
            A run that is not there.
        InputError
            What cannot be answered; its message says what to do.
        """


class LogBoard:
    """Answers on logs that are followed.

    Parameters
    ----------
    paths : sequence of str or Path
    reading : ReadOptions
    options : FitOptions
    budget : float, optional
        Compute that one run may get: decisions and plans need it.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        reading: ReadOptions | None = None,
        options: FitOptions | None = None,
        *,
        budget: float | None = None,
        seed_sd: float | None = None,
    ) -> None:
        self._source = Following(paths, reading or ReadOptions())
        self._options, self._budget, self._seed_sd = options or FitOptions(), budget, seed_sd
        self._lock = threading.RLock()
        self._pages: OrderedDict[Query, Page] = OrderedDict()
        self._reading: Reading | None = None
        self._version, self._at = 0, 0.0
        self.refresh()

    @property
    def version(self) -> int:
        """Number of the runs as they stand."""
        return self._version

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """Recipe to the names of its runs."""
        recipes: dict[str, list[str]] = {}
        for run in () if self._reading is None else self._reading.runs:
            recipes.setdefault(run.recipe, []).append(run.name)
        return {recipe: tuple(runs) for recipe, runs in recipes.items()}

    @property
    def at(self) -> float:
        """When they were read."""
        return self._at

    @property
    def ledger(self) -> str | None:
        """Logs take no decisions."""
        return None

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the logs now."""
        reading = self._reading
        return () if reading is None else tuple(str(error) for error in reading.errors)

    def refresh(self) -> bool:
        """Read what is new; say whether anything is."""
        with self._lock:
            reading = self._source.poll()
            if reading is self._reading:
                return False
            self._reading, self._at = reading, time.time()
            self._version += 1
            self._pages.clear()
            return True

    def page(self, query: Query) -> Page:
        """Return a page of the runs as they stand."""
        with self._lock:
            kept = self._pages.get(query)
            if kept is None:
                kept = Page(query, _ANSWERS[query.view](self, query), self._version, self._at)
                self._pages[query] = kept
                while len(self._pages) > _KEPT:
                    self._pages.popitem(last=False)
            self._pages.move_to_end(query)
            return kept

    def _runs(self) -> Reading:
        reading = self._reading
        if reading is None or not reading.runs:
            raise InputError("no run could be read yet; this page fills as soon as a log has an evaluation")
        return reading

    def _named(self, name: str | None) -> Run:
        runs = self._runs().runs
        for run in runs:
            if run.name == name:
                return run
        raise UnknownError(f"there is no run {(name or '')[:200]!r}")

    def _overview(self, query: Query) -> Answer:
        reading = self._runs()
        runs, target = reading.runs, query.target
        ranking, outcomes = rank_runs(runs, self._options, target=target, seed_sd=self._seed_sd)
        view = RankView(
            ranking=ranking,
            runs=tuple(run_line(run, of.verdict, of.warnings) for run, of in zip(runs, outcomes, strict=True)),
            errors=bad_files(reading.errors),
            settings=Settings(options={"target": target}),
            grouping=reading.grouping,
            left_out=reading.left_out,
        )
        return rank_answer(view, Refits(runs, () if target is None else target, self._options))

    def _run(self, query: Query) -> Answer:
        run = self._named(query.name)
        targets = () if query.target is None else (query.target,)
        fitted = (fit(run, targets, self._options),)
        return fit_answer(fit_view(fitted, settings=Settings(), reading=None), fitted)

    def _plan(self, query: Query) -> Answer:
        reading = self._runs()
        answer = plan(reading, reward=query.reward, budget=self._budget, seed_sd=self._seed_sd)
        return plan_answer(plan_view(answer, reading, Settings(), [run.name for run in reading.runs]), charts=True)

    def _health(self, query: Query) -> Answer:
        reading = self._runs()
        view = health_view(check_health(reading), reading, Settings(), explain=query.name)
        return health_answer(view, charts=True)

    def _missing(self, query: Query) -> Answer:
        raise InputError(f"the page {query.view} is not there yet")


_ANSWERS: dict[str, Callable[[LogBoard, Query], Answer]] = {
    "overview": LogBoard._overview,
    "run": LogBoard._run,
    "compare": LogBoard._missing,
    "decisions": LogBoard._missing,
    "plan": LogBoard._plan,
    "ablation": LogBoard._missing,
    "health": LogBoard._health,
}
