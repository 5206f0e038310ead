"""The gate in Ray Tune: a scheduler that pauses, resumes and stops trials, and a stopper for any other scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler

from rlscale.decisions.gate import HOLD, Policy
from rlscale.errors import InputError
from rlscale.integrations.desk import Desk
from rlscale.integrations.ray_stopper import AsymptoteStopper
from rlscale.ledger import Stated
from rlscale.live import WatchSettings

__all__ = ["AsymptoteScheduler", "AsymptoteStopper"]

#: Seconds after which the ledger is looked at again while trials are paused: a person may have said something.
_AGAIN = 1.0
#: Decisions that a paused trial is resumed on.
_GO = ("continue", "commit")


class AsymptoteScheduler(TrialScheduler):  # type: ignore[misc]
    """Pauses trials that can hardly become the best at the budget, resumes them when that changes, stops the rest.

    Every evaluation goes into a ledger, and the gate decides on all trials: ``hold`` pauses a trial at its next
    evaluation, ``continue`` and ``commit`` resume a paused one once no trial is pending, ``stop`` ends one. A trial
    that reaches the budget is complete. Where all others are done, what is paused is stopped, so that the experiment
    ends; only what a person holds is waited for. If the ledger fails, a warning is logged and all trials go on.

    Why a trial was stopped stands in its result (``rlscale_reason``, ``rlscale_reason_code``, ``rlscale_decision``) and
    in the log, which also says why one is paused.

    A trial is resumed from its latest checkpoint: report one with each evaluation
    (``tune.report(metrics, checkpoint=...)``), or implement ``save_checkpoint`` of a ``Trainable``. Reports without
    the metric change nothing; leave ``metric`` out of ``tune.TuneConfig`` where there are such, since Tune wants its
    metric in every report.

    Parameters
    ----------
    metric : str
        Key of the evaluated reward in the results.
    compute : str
        Key of the compute that a trial has spent.
    budget : float
        Compute that one trial may get, in ``unit``.
    horizon : float, optional
        Compute of one trial at which the comparison ends; the budget by default.
    policy : Policy
    bounds : (float, float) or "open", optional
        Lowest and highest reward possible; where not given [0, 1] is assumed until a value leaves it, then they are
        open. What is assumed is said through ``logging``, once.
    unit : str
        Of ``compute``.
    recipe : callable, optional
        The recipe's name of a trial's configuration; trials of one recipe are seeds of it and are judged together. By
        default each trial is its own.
    seed_sd : float, optional
        Run-to-run sd as a share of the range.
    ledger : str, optional
        Address; by default a new SQLite file in a temporary folder, which :meth:`debug_string` names.
    name : callable, optional
        The run's name of a trial; its id by default.

    Raises
    ------
    InputError
        A budget or a horizon that is none.
    """

    supports_buffered_results = False  # a result that is acted on late is compute spent on a paused trial

    def __init__(
        self,
        metric: str = "eval_reward",
        compute: str = "training_iteration",
        *,
        budget: float,
        horizon: float | None = None,
        policy: Policy = HOLD,
        bounds: Stated = None,
        unit: str = "steps",
        recipe: Callable[[dict[str, Any]], str] | None = None,
        seed_sd: float | None = None,
        ledger: str | None = None,
        name: Callable[[Trial], str] | None = None,
    ) -> None:
        super().__init__()
        settings = WatchSettings(budget=budget, horizon=horizon, policy=policy, seed_sd=seed_sd)
        # not ``_metric``: Tune refuses results without the metric that a scheduler has there
        self._reward, self._compute, self._budget = metric, compute, budget
        self._recipe, self._name = recipe, name
        self._desk = Desk(settings, ledger=ledger, unit=unit, metric=metric, bounds=bounds)

    @property
    def ledger(self) -> str:
        """Address of the ledger."""
        return self._desk.ledger

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Check what ``tune.TuneConfig`` says of the metric.

        Raises
        ------
        InputError
            Another metric, or one that is to be low.
        """
        if mode not in (None, "max"):
            raise InputError(f"AsymptoteScheduler compares rewards, which are to be high; mode is {mode!r}: give 'max'")
        if metric not in (None, self._reward):
            raise InputError(f"AsymptoteScheduler decides by {self._reward!r} and TuneConfig by {metric!r}; give one")
        return True

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Put a trial on the table; one that failed and is tried again goes on."""
        if not trial.is_finished():
            self._desk.enlist(self._run(trial), None if self._recipe is None else self._recipe(dict(trial.config)))

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Take in a result, and return whether the trial goes on, is paused or stopped."""
        if not self._take(trial, result):
            return str(TrialScheduler.CONTINUE)
        well = self._desk.look()
        if float(result[self._compute]) >= self._budget:
            return str(TrialScheduler.STOP)
        action = self._desk.action(self._run(trial)) if well else "continue"
        if action == "stop":
            return str(TrialScheduler.STOP)
        if action == "hold" and (self._by_hand(trial) or self._others(tune_controller, trial)):
            self._desk.acted(self._run(trial))
            return str(TrialScheduler.PAUSE)
        return str(TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Take in the last result of a trial, which Tune shows to no scheduler before, and note that it ended."""
        self._take(trial, result)
        self._end(tune_controller, trial)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """Note that a paused or pending trial ended."""
        self._end(tune_controller, trial)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Note that a trial failed: it will never reach what it was forecast to, and nothing is stopped for it."""
        self._end(tune_controller, trial, failed=True)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Return a pending trial, else one that was held and is to go on; stop those that cannot win.

        A pending trial that the ledger holds, of an experiment that was restored, waits like a paused one.
        """
        if not self._waiting(tune_controller):
            return None
        known = self._desk.look(after=_AGAIN)
        for trial in self._waiting(tune_controller):
            if self._action(trial) == "stop" and (known or trial.status == Trial.PAUSED):
                tune_controller.stop_trial(trial)
        waiting = self._waiting(tune_controller)
        for trial in waiting:
            if trial.status == Trial.PENDING and self._action(trial) in _GO:
                return trial
        ready = [trial for trial in waiting if self._action(trial) in _GO]
        if not ready and not any(trial.status == Trial.RUNNING for trial in tune_controller.get_trials()):
            ready = self._left(waiting)
        chosen = max(ready, key=lambda trial: self._desk.chance(self._run(trial)), default=None)
        if chosen is not None and chosen.status == Trial.PAUSED and chosen.checkpoint is None:
            self._desk.warn(f"run {self._run(chosen)} was paused without a checkpoint and starts afresh; report one")
        return chosen

    @staticmethod
    def _waiting(tune_controller: Any) -> list[Trial]:
        return [trial for trial in tune_controller.get_trials() if trial.status in (Trial.PENDING, Trial.PAUSED)]

    def debug_string(self) -> str:
        """Return in one line what the trials do."""
        return f"AsymptoteScheduler: {self._desk.line()}"

    def close(self) -> None:
        """Close the ledger; this is done by itself once all trials have ended."""
        self._desk.close()

    def _run(self, trial: Trial) -> str:
        return str(trial.trial_id if self._name is None else self._name(trial))

    def _action(self, trial: Trial) -> str:
        return self._desk.action(self._run(trial))

    def _by_hand(self, trial: Trial) -> bool:
        return self._desk.held_by_hand(self._run(trial))

    def _take(self, trial: Trial, result: Mapping[str, Any]) -> bool:
        """Take in the evaluation of a result, where it has one."""
        if result.get(self._reward) is None:
            return False
        if self._compute not in result:
            self._desk.warn(f"results with {self._reward!r} have no {self._compute!r}; they are left out")
            return False
        return self._desk.report(self._run(trial), result[self._compute], result[self._reward])

    def _end(self, tune_controller: Any, trial: Trial, *, failed: bool = False) -> None:
        if not failed and self._action(trial) in ("stop", "hold") and trial.run_metadata.last_result:
            # Tune gives schedulers copies of results; this is the one that its ResultGrid shows
            trial.run_metadata.last_result.update(self._desk.acted(self._run(trial)))
        self._desk.end(self._run(trial), failed=failed)
        self._desk.look()
        if all(other.is_finished() for other in tune_controller.get_trials() if other is not trial):
            self._desk.close()

    def _others(self, tune_controller: Any, trial: Trial) -> bool:
        """Whether something else can run: to pause the last one would only leave the machines idle."""
        return any(
            other.status in (Trial.PENDING, Trial.RUNNING)
            or (other.status == Trial.PAUSED and self._action(other) in _GO)
            for other in tune_controller.get_trials()
            if other is not trial
        )

    def _left(self, paused: list[Trial]) -> list[Trial]:
        """Return the held trials to choose from where nothing else can run: all but what a person holds."""
        left = [trial for trial in paused if not self._by_hand(trial)]
        if paused and not left:
            names = ", ".join(sorted(map(self._run, paused)))
            self._desk.warn(f"nothing runs: a person holds {names}; say resume or end to go on")
        return left
