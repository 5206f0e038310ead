"""The recipes of a ranking while it is made, in this process and in others.

A posterior is some 50 KiB, and three times that when it is sent without what all share, so each stays where it was
fitted; what is sent are curves one way and answers the other. That is why this is no ordinary pool, whose workers keep
nothing; and a worker that waits here ends with the process that asks, even where that is killed.
Recipes come in blocks that do not depend on the number of processes, and neither do the numbers.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Curve, Run
from rlscale.decisions.contender import Contender, Entry, contender, entry, mean_at
from rlscale.decisions.waiting import Waiting
from rlscale.errors import InputError
from rlscale.inference.fit import Fit, FitOptions, fits
from rlscale.inference.posterior import Posterior

__all__ = ["Block", "Pooling", "Share", "Team", "Watch"]

#: A few recipes, by number: the runs of each, or their curves.
Block = Mapping[int, Sequence[Run | Curve]]
#: Steps done and their total.
Watch = Callable[[int, int], None]


class Pooling:
    """How recipes are pooled: the arguments of ``contender``, and which recipes must stay for later questions.

    Parameters
    ----------
    at, tau : float
    grid : array, shape (k,)
    with_curve : bool
    shortest : float
        Smallest last compute of all recipes: one that ends there is asked about no other compute.
    """

    def __init__(self, at: float, tau: float, grid: NDArray[np.float64], *, with_curve: bool, shortest: float) -> None:
        self.at, self.tau, self.grid = at, tau, grid
        self.with_curve, self.shortest = with_curve, shortest


class Member(Protocol):
    """What answers for some recipes: a :class:`Share`, here or in another process."""

    def fit(self, block: Block) -> dict[int, Entry]:
        """Fit the runs of a few recipes, and keep their posteriors."""

    def pool(self, names: Mapping[int, str], how: Pooling) -> dict[int, Contender]:
        """Pool some of the recipes kept."""

    def means(self, asked: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
        """Return the posterior mean reward of some of the recipes kept at computes of each."""


class Share:
    """Recipes that are kept in this process."""

    def __init__(self, options: FitOptions, targets: Sequence[float]) -> None:
        self._options, self._targets = options, targets
        self._entries: dict[int, Entry] = {}
        self._waiting = Waiting()
        self._posteriors: dict[int, tuple[Posterior, ...]] = {}

    def fit(self, block: Block) -> dict[int, Entry]:
        """Fit the runs of a few recipes, and keep their posteriors."""
        found = fits([run for runs in block.values() for run in runs], self._targets, self._options)
        return {number: self.take(number, [next(found) for _ in runs]) for number, runs in block.items()}

    def take(self, number: int, found: Sequence[Fit]) -> Entry:
        """Take in the recipe ``number`` as it was fitted."""
        told = self._entries[number] = entry(found)
        self._posteriors[number] = tuple(
            self._waiting.packed(fit.posterior) for fit in found if fit.posterior is not None
        )
        return told

    def pool(self, names: Mapping[int, str], how: Pooling) -> dict[int, Contender]:
        """Pool some of the recipes kept."""
        found = {}
        for number, name in names.items():
            told, runs = self._entries[number], self._whole(number)
            found[number] = contender(name, told, runs, how.at, how.tau, how.grid, with_curve=how.with_curve)
            if told.shortest <= how.shortest:
                del self._posteriors[number]
        return found

    def means(self, asked: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
        """Return the posterior mean reward of some of the recipes kept at computes of each."""
        return {number: mean_at(self._whole(number), computes) for number, computes in asked.items()}

    def _whole(self, number: int) -> list[Posterior]:
        return [run.unpacked() for run in self._posteriors[number]]


class _Remote:
    """A share in another process."""

    def __init__(self, options: FitOptions, targets: Sequence[float]) -> None:
        options.require_portable()
        context = get_context("spawn")  # a copy of an interpreter that has threads may hang
        self._connection, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, options, tuple(targets)), daemon=True)
        self._process.start()
        far.close()

    def fit(self, block: Block) -> dict[int, Entry]:
        found: dict[int, Entry] = self._ask("fit", block)
        return found

    def pool(self, names: Mapping[int, str], how: Pooling) -> dict[int, Contender]:
        found: dict[int, Contender] = self._ask("pool", names, how)
        return found

    def means(self, asked: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
        found: dict[int, list[float]] = self._ask("means", asked)
        return found

    def _ask(self, what: str, *args: Any) -> Any:
        try:
            self._connection.send((what, args))
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise InputError("a process that fits runs has ended; is there memory for it? give --jobs 1") from error

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection, options: FitOptions, targets: Sequence[float]) -> None:
    """Answer for a share until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    share = Share(options, targets)
    while True:
        try:
            what, args = connection.recv()
        except EOFError:
            return
        connection.send(getattr(share, what)(*args))


class Team:
    """Shares in ``jobs`` processes, this one among them; to be used in a ``with`` statement."""

    def __init__(self, options: FitOptions, targets: Sequence[float] = (), jobs: int = 1) -> None:
        self.options = options
        self.here = Share(options, targets)
        self._others = [_Remote(options, targets) for _ in range(jobs - 1)]
        self._owner: dict[int, Member] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for other in self._others:
            other.close()

    def fit(self, blocks: Sequence[Block], watch: Watch | None = None) -> dict[int, Entry]:
        """Fit every recipe: whoever is free takes the next block."""
        found: dict[int, Entry] = {}
        left, runs = iter(blocks), sum(map(_runs, blocks))
        done: list[int] = []

        def work(member: Member, watch: Watch | None = None) -> None:
            for block in left:
                found.update(member.fit(block))
                self._owner.update(dict.fromkeys(block, member))
                done.append(_runs(block))
                if watch is not None:
                    watch(sum(done), runs)

        with ThreadPoolExecutor(max(len(self._others), 1)) as threads:  # each waits for a process
            waiting = [threads.submit(work, other) for other in self._others]
            try:
                work(self.here, watch)
            finally:
                for _ in left:  # where this failed nobody takes another block
                    pass
            for one in waiting:
                one.result()
        return found

    def pool(self, names: Mapping[int, str], how: Pooling) -> dict[int, Contender]:
        """Pool every recipe that was fitted."""
        return self._each(lambda member, part: member.pool(part, how), names)

    def means(self, asked: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
        """Return the posterior mean reward of some recipes at computes of each."""
        return self._each(lambda member, part: member.means(part), asked)

    def _each(self, ask: Callable[[Member, Any], Mapping[int, Any]], asked: Mapping[int, Any]) -> dict[int, Any]:
        """Ask everyone about the recipes they keep, a few at a time: an answer is short."""
        found: dict[int, Any] = {}

        def work(member: Member) -> None:
            own = {k: what for k, what in asked.items() if self._owner.get(k, self.here) is member}
            for part in _parts(own):
                found.update(ask(member, part))

        with ThreadPoolExecutor(max(len(self._others), 1)) as threads:
            waiting = [threads.submit(work, other) for other in self._others]
            work(self.here)
            for one in waiting:
                one.result()
        return found


def _runs(block: Block) -> int:
    return sum(map(len, block.values()))


def _parts(of: Mapping[int, Any], size: int = 64) -> Iterator[dict[int, Any]]:
    items = list(of.items())
    for start in range(0, len(items), size):
        yield dict(items[start : start + size])
