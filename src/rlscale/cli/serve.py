"""The command that serves the page: serve."""

from __future__ import annotations

from typing import Any

import click

from rlscale.errors import InputError
from rlscale.options import FITTING, PATHS, READING, example, fit_options, priced_options, with_options
from rlscale.typed import Compute

__all__ = ["serve"]


@click.command(epilog=example("rlscale serve runs/ --budget 2e6 --open"))
@with_options(PATHS)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address; others need a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, metavar="P", help="0: any.")
@click.option("--budget", type=Compute(endless=False), metavar="C", help="Compute that one run may get.")
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
@with_options(READING, FITTING)
def serve(paths: tuple[str, ...], host: str, port: int, budget: float | None, browse: bool, **given: Any) -> None:
    """Serve the page: every run's forecast, who leads, what was decided and why, live.

    PATH is a log, a folder of logs, or ledger:URL.
    """
    try:
        import uvicorn

        from rlscale.serve import ServeOptions, create_app, open_board
    except ModuleNotFoundError as error:
        raise InputError(f"the page needs {error.name}; pip install 'rlscale[serve]'") from error
    board = open_board(
        paths, priced_options(given), fit_options(None, given), budget=budget, seed_sd=given["seed_sd"],
        price=given["price"],
    )  # fmt: skip
    app = create_app(board, ServeOptions(host=host, port=port))
    click.echo(f"rlscale serves {', '.join(paths)} at http://{host}:{port}/", err=True)
    if browse:
        click.launch(f"http://{host}:{port}/")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
