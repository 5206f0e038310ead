"""The view of an answer on rollouts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rlscale.answers.remarks import Remark, read_remarks
from rlscale.answers.settings import Settings
from rlscale.answers.view import View, read_with
from rlscale.decisions.rollouts import ClassRollouts, Optimum, Rollouts
from rlscale.inference import Fit
from rlscale.sources import Reading

__all__ = ["RolloutsView", "rollouts_view", "stops"]

#: Computes of the table of the best number along the support.
_STOPS = 5
#: Computes that differ by a smaller share read alike.
_ALIKE = 0.02


@dataclass(frozen=True, kw_only=True)
class RolloutsView(View):
    """The answer of ``rollouts``; ``input`` is what was repaired, or is to be known, of what was read."""

    answer: Rollouts
    input: tuple[Remark, ...] = ()

    @property
    def shown_in(self) -> tuple[float, float]:
        """What rewards are written and drawn in."""
        fits = self.answer.fits
        return fits[0].run.curve.shown_in if fits else (0.0, 1.0)

    @property
    def metric(self) -> str:
        """The reward that is compared; empty where no run was fitted."""
        return self.answer.fits[0].run.curve.metric if self.answer.fits else ""

    @property
    def axis(self) -> str:
        """The unit of compute, with its clock where it has one."""
        clock = self.answer.fits[0].run.curve.clock if self.answer.fits else ""
        return f"{self.answer.unit} ({clock})" if clock else self.answer.unit

    @property
    def runs(self) -> int:
        """Runs that are compared."""
        return sum(len(tried.runs) for entry in self.answer.classes for tried in entry.tried)

    def fits(self, names: Iterable[str]) -> list[Fit]:
        """Return the fits of runs, by their names."""
        wanted = frozenset(names)
        return [fit for fit in self.answer.fits if fit.run.name in wanted]


def stops(entry: ClassRollouts) -> tuple[Optimum, ...]:
    """Return a few of the best numbers along the support, evenly spread in the log of compute, and the one asked for.

    Parameters
    ----------
    entry : ClassRollouts
    """
    last = len(entry.path) - 1
    places = {round(k * last / (_STOPS - 1)) for k in range(_STOPS)} if entry.path else set()
    chosen = {entry.path[place].compute: entry.path[place] for place in places}
    if entry.n_star is not None:
        budget = entry.n_star.compute
        chosen = {compute: each for compute, each in chosen.items() if abs(compute / budget - 1.0) > _ALIKE}
        chosen[budget] = entry.n_star
    return tuple(chosen[compute] for compute in sorted(chosen))


def rollouts_view(
    answer: Rollouts,
    reading: Reading | None = None,
    settings: Settings | None = None,
    more: Iterable[Remark] = (),
) -> RolloutsView:
    """Return the view of an answer.

    Parameters
    ----------
    answer : Rollouts
    reading : Reading, optional
        Of the runs, where there are any.
    settings : Settings, optional
    more : iterable of Remark
        What is to be known of tables of pass counts.
    """
    return RolloutsView(
        answer=answer,
        input=(*(() if reading is None else read_remarks(reading.runs)), *more),
        **read_with(reading, settings),
        left_out=answer.left_out,
    )
