"""The page that people keep open: answers over HTTP, live. Nothing is computed in the browser."""

from rlscale.serve.app import create_app
from rlscale.serve.board import Board, LedgerBoard, LogBoard, open_board
from rlscale.serve.options import Limits, ServeOptions
from rlscale.serve.query import VIEWS, Query, UnknownError

__all__ = [
    "VIEWS",
    "Board",
    "LedgerBoard",
    "Limits",
    "LogBoard",
    "Query",
    "ServeOptions",
    "UnknownError",
    "create_app",
    "open_board",
]
