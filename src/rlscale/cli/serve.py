"""The command that serves the page: serve."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rlscale.errors import InputError, hidden
from rlscale.options import FITTING, PATHS, READING, example, fit_options, priced_options, with_options
from rlscale.typed import Compute

if TYPE_CHECKING:
    from rlscale.serve import Board

__all__ = ["serve"]

#: Where the token is, if no file is given.
_TOKEN = "RLSCALE_TOKEN"


@click.command(epilog=example("rlscale serve runs/ --budget 2e6 --open"))
@with_options(PATHS)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="H",
    help="Address to listen at; one that other machines reach needs a token.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, metavar="P", help="0: any free."
)
@click.option("--budget", type=Compute(endless=False), metavar="C", help="Compute that one run may get; or what the "
              "watcher of the ledger was told.")  # fmt: skip
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="F",
    help=f"File with the token that clients must show; else the environment variable {_TOKEN}.",
)  # fmt: skip
@click.option("--allow-actions", is_flag=True, help="People may say hold, resume and pin from the page; needs a token.")
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
@with_options(READING, FITTING)
def serve(paths: tuple[str, ...], host: str, port: int, browse: bool, **given: Any) -> None:
    """Serve the page: every run's forecast, who leads, what was decided and why, live.

    PATH is a log, a folder of logs, or ledger:URL. The page reads and never writes, but what --allow-actions allows.
    """
    try:
        from rlscale.serve import ServeOptions, create_app
        from rlscale.serve.server import listen, run
    except ModuleNotFoundError as error:
        raise InputError(f"the page needs {error.name}; pip install 'rlscale[serve]'") from error
    options = ServeOptions(host=host, port=port, token=_token(given["token_file"]), actions=given["allow_actions"])
    board = _board(paths, given)
    if options.actions and board.ledger is None:
        raise InputError("--allow-actions: logs take no decisions; serve ledger:URL of a watched ledger")
    with listen(options) as listener:
        address = options.address(listener.getsockname()[1])

        def ready() -> None:
            what = ", ".join(hidden(path) for path in paths)
            who = "" if options.token is None else "; it asks for the token"
            click.echo(f"rlscale serves {what} at {address}{who}; Ctrl-C ends it", err=True)
            if browse:
                click.launch(address)

        run(create_app(board, options), options, listener, ready)


def _board(paths: tuple[str, ...], given: dict[str, Any]) -> Board:
    from rlscale.serve import open_board

    # a log that is not there yet may come, but a slip of the hand is more likely
    absent = [path for path in paths if ":" not in path and path != "bundled" and not os.path.exists(path)]
    if absent:
        raise InputError(f"{absent[0]}: no such file or folder; check the path")
    return open_board(
        paths, priced_options(given), fit_options(None, given), budget=given["budget"], seed_sd=given["seed_sd"],
        price=given["price"],
    )  # fmt: skip


def _token(path: Path | None) -> str | None:
    """Return the token of the file, else of the environment."""
    if path is None:
        token = os.environ.get(_TOKEN)
        return token.strip() if token else None
    try:
        return path.read_text(encoding="utf-8-sig").strip()  # some editors begin files with a mark
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no text"
        raise InputError(f"--token-file {path}: {why}; give a file that holds the token and nothing else") from error
