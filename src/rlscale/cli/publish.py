"""What ``watch --publish`` adds to the passes of a watcher: trackers are told of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rlscale.integrations.publish import Tracker
    from rlscale.live import Scene, WatchSettings

__all__ = ["told_to", "trackers_of"]


def trackers_of(targets: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these addresses, each once.

    Raises
    ------
    InputError
        One that is none, whose library is not installed, or that cannot be written to.
    """
    if not targets:
        return []
    from rlscale.integrations.publish import opened

    return list({one.key: one for one in map(opened, targets)}.values())


@contextmanager
def told_to(
    trackers: Sequence[Tracker], where: str, settings: WatchSettings, acting: bool, step: Callable[[], Scene]
) -> Iterator[Callable[[], Scene]]:
    """Yield what does a pass and has trackers told of it, whose troubles are those of its scene."""
    if not trackers:
        yield step
        return
    from rlscale.integrations.publish import PATIENCE, Publisher

    publishers = [Publisher(one, where, settings, acting=acting) for one in trackers]

    def told() -> Scene:
        scene = step()
        for one in publishers:
            one.take(scene)
        wrong = {subject: message for one in publishers for subject, message in one.troubles().items()}
        return replace(scene, troubles={**scene.troubles, **wrong})

    try:
        yield told
    finally:
        for one in publishers:
            one.end()
        until = time.monotonic() + PATIENCE
        for one in publishers:
            left = one.close(max(until - time.monotonic(), 0.0))
            if left:
                click.echo(left, err=True)
