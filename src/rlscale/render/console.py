"""The console that text goes to."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from os import environ

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from rlscale.sources.printable import clean_lines

__all__ = ["console"]

#: Columns where stdout is no terminal and COLUMNS is not set.
_PIPED_WIDTH = 100


class _Console(Console):
    """A console that shows characters which would steer the terminal, and leaves a closed pipe to the command line.

    Keys and messages hold what trackers and files hold, free text; the command line ends quietly on a closed pipe.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable, their text made printable."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(clean_lines(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """Return a console that folds at the terminal's width, and adds no colour where it is none."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in environ else _PIPED_WIDTH
    return _Console(file=stream, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)
