"""What the page shows: the runs as they stand, and the answers about them, each computed once a version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rlscale.inference import FitOptions
from rlscale.serve.board.ledger import LedgerBoard
from rlscale.serve.board.live import LiveBoard
from rlscale.serve.board.logs import LogBoard
from rlscale.serve.board.page import Board, Page
from rlscale.sources import ReadOptions

__all__ = ["Board", "LedgerBoard", "LiveBoard", "LogBoard", "Page", "open_board"]


def open_board(
    paths: Sequence[str | Path],
    reading: ReadOptions | None = None,
    options: FitOptions | None = None,
    *,
    budget: float | None = None,
    seed_sd: float | None = None,
    price: float | None = None,
) -> LiveBoard:
    """Return the board of what paths name: of a ledger where they name one alone, else of logs.

    Parameters
    ----------
    paths : sequence of str or Path
        Logs, folders of logs, or ``ledger:URL``.
    reading, options, budget, seed_sd, price
        As for :class:`LogBoard`.

    Raises
    ------
    InputError
        What is named cannot be used.
    """
    given = {"budget": budget, "seed_sd": seed_sd, "price": price}
    if len(paths) == 1 and str(paths[0]).lower().startswith("ledger:"):
        return LedgerBoard(str(paths[0]), reading, options, **given)
    return LogBoard(paths, reading, options, **given)
