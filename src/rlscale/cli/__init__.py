"""The command line: one short function a command; heavy imports wait until a command runs."""

from __future__ import annotations

import click

from rlscale import __version__
from rlscale.cli.ablate import ablate
from rlscale.cli.base import Commands, prepare
from rlscale.cli.forecasts import backtest, demo, fit, rank
from rlscale.cli.gates import gate, policy, replay
from rlscale.cli.health import health
from rlscale.cli.knobs import knobs
from rlscale.cli.ledgers import ledger
from rlscale.cli.live import OVERRIDES, watch
from rlscale.cli.logs import show, simulate, sources
from rlscale.cli.plans import plan
from rlscale.cli.rollouts import rollouts
from rlscale.cli.serve import serve
from rlscale.cli.sizes import sizes
from rlscale.options import example

__all__ = ["main"]


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("rlscale rank runs/ --report report.html"),
)
@click.version_option(__version__, prog_name="rlscale")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Know where an RL run will top out before you pay for it."""
    prepare()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for _command in (
    show,
    fit,
    rank,
    backtest,
    ablate,
    plan,
    sizes,
    rollouts,
    health,
    gate,
    watch,
    serve,
    replay,
    policy,
    knobs,
    ledger,
    demo,
    simulate,
    sources,
):
    main.add_command(_command)
for _command in OVERRIDES:
    main.add_command(_command, f"gate {_command.name}")
