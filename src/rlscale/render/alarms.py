"""Alarms on a terminal, a line each, and what a watch of logs shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rlscale.answers.numbers import count
from rlscale.answers.palette import SEVERITY
from rlscale.answers.views import listed
from rlscale.answers.when import moment
from rlscale.ledger import WELL
from rlscale.live.alarms import ONSET, AlarmEvent, LogLook, Signal

__all__ = ["AlarmNews", "alarm_line", "open_alarm_line"]


def alarm_line(event: AlarmEvent) -> Text:
    """Return an alarm as a line: when, how grave, what, of which run, since when, and the next step."""
    if event.event == ONSET:
        return Text.assemble(f"{moment(event.at)} ", *_marked(event.signal), f" {event.title}. {event.signal.message}")
    return Text.assemble(f"{moment(event.at)} ", ("✔ over", "bold green"), f" {event.title}.")


def open_alarm_line(signal: Signal) -> Text:
    """Return an alarm that is not over as a line without its next step."""
    return Text.assemble(*_marked(signal), f" {AlarmEvent(event=ONSET, signal=signal, at=0.0).title}")


def _marked(signal: Signal) -> tuple[tuple[str, str], ...]:
    mark, style, _ = SEVERITY[f"severity_{signal.severity}"]
    return ((f"{mark} {signal.severity}", style),)


class AlarmNews:
    """Prints what looks at logs bring, a line each, and nothing twice.

    Parameters
    ----------
    console : Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._runs: tuple[str, ...] | None = None
        self._known: dict[str, str] = {}

    def tell(self, look: LogLook) -> None:
        """Print what is new: runs, alarms, what is wrong."""
        self.follows(look)
        for event in look.alarms:
            self._console.print(alarm_line(event), soft_wrap=True)
        self.wrong(look.troubles)

    def follows(self, look: LogLook) -> None:
        """Print which runs are followed, where there are new ones."""
        names = tuple(run.name for run in look.reading.runs)
        if names != self._runs:
            new = [name for name in names if name not in (self._runs or ())]
            self._print(f"follows {count(len(names), 'run')}{f': {listed(new, 8)}' if new else ', none yet'}")
            self._runs = names

    def wrong(self, troubles: dict[str, str]) -> None:
        """Print what is wrong and was not, and what is right again."""
        for subject, message in troubles.items():
            if self._known.get(subject) != message:
                self._print(f"{subject}: {message}", "yellow")
        for subject in self._known.keys() - troubles.keys():
            self._print(f"{subject}: {WELL}")
        self._known = dict(troubles)

    def ended(self, troubles: dict[str, str]) -> None:
        """Print what is wrong with where alarms go, at the end, beside what was known to be wrong."""
        self.wrong({**self._known, **troubles})

    @contextmanager
    def live(self) -> Iterator[Callable[[LogLook], None]]:
        """Yield what shows, below the lines, how things stand after a look."""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:

            def show(look: LogLook) -> None:
                points = sum(run.curve.n_points for run in look.reading.runs)
                told = f"{count(len(look.reading.runs), 'run')}, {count(points, 'evaluation')}"
                text = f"{told}, {count(len(look.open), 'open alarm')}; Ctrl-C ends"
                live.update(Text(text, style="dim"), refresh=True)

            yield show

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, soft_wrap=True)
