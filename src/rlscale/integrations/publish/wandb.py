"""Weights & Biases: a run ``NAME (rlscale)``, in the group of its recipe; offline under ``WANDB_MODE=offline``.

Two processes must not log to one run of W&B at once, so nothing is written into that of the trainer. The run is known
by an id of its own, under which it goes on when a watcher is started again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rlscale.curves import ADDED
from rlscale.errors import InputError, SourceError
from rlscale.integrations.publish.contract import Account, Row, library
from rlscale.sources.trackers import wandb_api

__all__ = ["WandB"]

_STEP = f"{ADDED}step"
#: Seconds that W&B may take to open a run; by default it takes a minute and a half, and holds up the end as long.
_TIMEOUT = 10


class WandB:
    """Writes to a project of W&B.

    Parameters
    ----------
    target, place : str
        As named; ``PROJECT`` or ``ENTITY/PROJECT``.

    Raises
    ------
    InputError
        No such form, wandb is not installed, or there is no login where one is needed.
    """

    def __init__(self, target: str, place: str) -> None:
        parts = place.strip("/").split("/")
        if len(parts) > 2 or not all(parts):
            raise InputError(f"--publish {target!r} is no project of W&B; give wandb:PROJECT or wandb:ENTITY/PROJECT")
        self.target, self.key = target, f"wandb:{'/'.join(parts)}"
        self._entity, self._project = parts[0] if len(parts) == 2 else None, parts[-1]
        self._wandb = library(target, "wandb", "wandb")
        self._wandb.setup(self._wandb.Settings(silent=True))  # else it writes across what is shown
        if os.environ.get("WANDB_MODE", "online") in ("online", "shared"):
            try:
                wandb_api.check_login(f"--publish {target}", self._wandb)
            except SourceError as error:  # else the library would ask for it in the terminal, and wait
                raise InputError(f"{error.on_command_line}; or WANDB_MODE=offline") from error
        self.failures = wandb_api.failures()
        self._runs: dict[str, Any] = {}

    def write(self, account: Account, rows: Sequence[Row]) -> None:
        """Log rows of a run."""
        run = self._runs.get(account.name) or self._opened(account)
        for row in rows:
            run.log({**row.metrics, _STEP: row.step})
        for row in rows:
            run.summary.update(dict(row.texts))

    def _opened(self, account: Account) -> Any:
        settings = self._wandb.Settings(
            silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True,
            init_timeout=_TIMEOUT,
        )  # fmt: skip
        run = self._wandb.init(
            entity=self._entity, project=self._project, name=account.beside, group=account.recipe, job_type="rlscale",
            id=account.mark, resume="allow", reinit="create_new",
            config={"rlscale_of": account.name, "ledger": account.ledger, "unit": account.unit}, settings=settings,
        )  # fmt: skip
        run.define_metric(_STEP, hidden=True)
        run.define_metric(f"{ADDED}*", step_metric=_STEP)
        self._runs[account.name] = run
        return run

    def close(self) -> None:
        """Send what waits, and end the runs."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()
