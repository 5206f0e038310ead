"""A board that keeps itself ready: a new version is shown once the pages that people look at are computed from it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TypeVar

from rlscale.answers import Answer
from rlscale.errors import RlscaleError
from rlscale.serve.board.page import Page
from rlscale.serve.board.state import State
from rlscale.serve.query import Query

__all__ = ["LiveBoard"]

T = TypeVar("T")
_LOG = logging.getLogger("rlscale")
#: Pages that are kept, those asked for last.
_KEPT = 24
#: A page is looked at that was asked for in so many seconds.
_LOOKED_AT = 120.0
#: Seconds that a new version may wait for pages; those that are not ready then are computed when they are asked for.
_READY = 1.0
#: Seconds that are spent at a time on what may be asked for next.
_SPARE = 0.1


class LiveBoard(ABC):
    """Pages by version. Whoever asks for a page that is there never waits for one that is computed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held for moments only
        self._refreshing = threading.Lock()
        self._pages: OrderedDict[Query, Page] = OrderedDict()
        self._asked: dict[Query, float] = {}
        self._working: dict[tuple[Query, int], Future[Page]] = {}
        self._state = State(version=0, at=time.time(), reading=None)

    @property
    def version(self) -> int:
        """Number of the runs as they stand; it only rises."""
        return self._state.version

    @property
    def at(self) -> float:
        """When they were read, in seconds since 1970."""
        return self._state.at

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """Recipe to the names of its runs."""
        return self._state.recipes

    @property
    def ledger(self) -> str | None:
        """Address of the ledger that takes what people say of runs; None of logs."""
        return None

    def word(self, run: str) -> str:
        """Return what a person said of a run last, by whom and when; empty where nobody did."""
        return self._state.decided.word(run)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the sources now, in sentences."""
        return self._state.troubles

    @abstractmethod
    def _read(self, before: State) -> State | None:
        """Return what there is now; None where nothing is new."""

    @abstractmethod
    def _answer(self, state: State, query: Query) -> Answer:
        """Return the answer to a question on a version."""

    @abstractmethod
    def _prepare(self, state: State, until: float) -> None:
        """Compute ahead what pages of a version will need, until a time; called while nothing is new."""

    def refresh(self) -> bool:
        """Read what is new, and make the pages ready that are looked at; say whether anything is new."""
        with self._refreshing:
            state = self._looked()
            if state is None:
                self._ready(self._state, time.monotonic() + _READY)
                _tried(partial(self._prepare, self._state, time.monotonic() + _SPARE))
                return False
            pages = self._ready(state, time.monotonic() + _READY)
            with self._lock:
                self._state, self._pages = state, pages
            return True

    def _looked(self) -> State | None:
        """Return what there is now, with what is wrong; None where nothing is new."""
        before = self._state
        found, wrong = _tried(lambda: self._read(before))
        if wrong:
            found = self._ill(before, wrong)
        return None if found is None else replace(found, version=before.version + 1)

    @staticmethod
    def _ill(before: State, message: str) -> State | None:
        """Return what was known, with what is wrong; None where that was known."""
        return None if before.troubles == (message,) else replace(before, troubles=(message,))

    def _ready(self, state: State, until: float) -> OrderedDict[Query, Page]:
        """Compute the overview and the pages that are looked at, until a time; what fails says so when asked for."""
        now = time.monotonic()
        with self._lock:
            self._asked = {query: at for query, at in self._asked.items() if now - at < _LOOKED_AT}
            recent = sorted(self._asked, key=lambda query: -self._asked[query])
            current = state is self._state
        pages: OrderedDict[Query, Page] = OrderedDict()
        for query in dict.fromkeys((*recent[:_KEPT], Query())):
            if pages and time.monotonic() > until:
                break
            page, _ = _tried(partial(self._of if current else self._fresh, state, query))
            if page is not None and not current:
                pages[query] = page
        return pages

    def _fresh(self, state: State, query: Query) -> Page:
        """Compute a page of a version."""
        return Page(query, self._answer(state, query), state.version, state.at)

    def page(self, query: Query) -> Page:
        """Return a page of the runs as they stand."""
        query = query.heeded
        with self._lock:
            self._asked[query] = time.monotonic()
            while len(self._asked) > 4 * _KEPT:
                del self._asked[min(self._asked, key=lambda each: self._asked[each])]
        return self._of(self._state, query)

    def _of(self, state: State, query: Query) -> Page:
        """Return a page of a version: kept, under way for somebody else, or computed now."""
        key = (query, state.version)
        with self._lock:
            page = self._pages.get(query)
            if page is not None and page.version == state.version:
                self._pages.move_to_end(query)
                return page
            work = self._working.get(key)
            mine = work is None
            if work is None:
                work = self._working[key] = Future()
        if not mine:
            return work.result()
        page = None
        try:
            page = self._fresh(state, query)
            work.set_result(page)
        finally:
            if not work.done():
                work.set_exception(sys.exc_info()[1])
            with self._lock:
                del self._working[key]
                if page is not None and state is self._state:
                    self._pages[query] = page
                    while len(self._pages) > _KEPT:
                        self._pages.popitem(last=False)
        return page

    @abstractmethod
    def close(self) -> None:
        """Close the files and connections that are kept open."""


def _tried(work: Callable[[], T]) -> tuple[T | None, str]:
    """Return what work returns, or why it failed: a log may hit a defect, which must not take the page down."""
    try:
        return work(), ""
    except RlscaleError as error:
        return None, error.on_command_line
    except Exception as error:  # noqa: BLE001  whoever asks for the page gets the error itself
        _LOG.exception("a page cannot be made ready")
        return None, f"{type(error).__name__} while reading; this is a defect of rlscale, report it"
