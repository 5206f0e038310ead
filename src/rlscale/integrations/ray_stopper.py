"""The gate as a stopper of Ray Tune, for those who keep a scheduler of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray.tune import Stopper

from rlscale.decisions.gate import KILL, Policy
from rlscale.integrations.desk import Desk
from rlscale.ledger import Stated
from rlscale.live import WatchSettings

__all__ = ["AsymptoteStopper"]


class AsymptoteStopper(Stopper):  # type: ignore[misc]
    """Stops trials that can hardly become the best at the budget, beside whatever scheduler there is.

    It cannot pause: what the gate would hold is stopped too, and with its default policy the gate knows that a trial
    which is stopped cannot come back. It is not told of trials that others stop; those count as running.

    Why a trial was stopped stands in its result (``rlscale_reason``, ``rlscale_reason_code``, ``rlscale_decision``) and
    in the log.

    Parameters
    ----------
    metric, compute, budget, horizon, policy, bounds, unit, recipe, seed_sd, ledger
        As for :class:`rlscale.integrations.ray_tune.AsymptoteScheduler`; runs are called as their trials' ids.

    Raises
    ------
    InputError
        A budget or a horizon that is none.
    """

    def __init__(
        self,
        metric: str = "eval_reward",
        compute: str = "training_iteration",
        *,
        budget: float,
        horizon: float | None = None,
        policy: Policy = KILL,
        bounds: Stated = None,
        unit: str = "steps",
        recipe: Callable[[dict[str, Any]], str] | None = None,
        seed_sd: float | None = None,
        ledger: str | None = None,
    ) -> None:
        settings = WatchSettings(budget=budget, horizon=horizon, policy=policy, seed_sd=seed_sd)
        self._reward, self._compute, self._budget, self._recipe = metric, compute, budget, recipe
        self._known: set[str] = set()
        self._desk = Desk(settings, ledger=ledger, unit=unit, metric=metric, bounds=bounds)

    @property
    def ledger(self) -> str:
        """Address of the ledger."""
        return self._desk.ledger

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Take in a result, and return whether its trial is to stop."""
        if trial_id not in self._known:
            self._known.add(trial_id)
            recipe = None if self._recipe is None else self._recipe(dict(result.get("config", {})))
            self._desk.enlist(trial_id, recipe)
        spent, reward = result.get(self._compute), result.get(self._reward)
        new = spent is not None and reward is not None and self._desk.report(trial_id, spent, reward)
        over = bool(result.get("done")) or (new and spent is not None and float(spent) >= self._budget)
        if over:
            self._desk.end(trial_id)
        if not new and not over:
            return False
        well = self._desk.look()
        stopped = not over and well and self._desk.action(trial_id) in ("hold", "stop")
        if stopped:
            result.update(self._desk.acted(trial_id))
        return over or stopped

    def stop_all(self) -> bool:
        """Return False: the experiment goes on."""
        return False
