"""The gate as a pruner of Optuna: a trial that can hardly become the best of its study at the budget is pruned."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from rlscale.answers.savings import savings_words
from rlscale.decisions.gate import KILL, Policy
from rlscale.decisions.savings import Savings
from rlscale.errors import InputError
from rlscale.integrations.desk import Desk
from rlscale.ledger import Stated
from rlscale.live import WatchSettings

__all__ = ["AsymptotePruner"]

_LOG = logging.getLogger("rlscale")


class AsymptotePruner(BasePruner):  # type: ignore[misc]
    """Prunes a trial which the gate would stop or hold, by all that the study's trials have reported.

    Every trial of the study is a run of the ledger, called ``STUDY/NUMBER``. A trial that others pruned counts as
    stopped if it is new to the ledger: it is left out. If the ledger fails, a warning is logged and nothing is pruned.

    Why a trial was pruned stands in its user attributes (``rlscale_reason``, ``rlscale_reason_code`` and
    ``rlscale_decision``) and in the log.

    Parameters
    ----------
    budget : float
        Compute that one trial may get; that of a step is ``unit * step``.
    horizon : float, optional
        Compute of one trial at which the comparison ends; the budget by default.
    unit : float
        Compute of one step.
    compute_attr : str, optional
        Name of a user attribute of the trials that holds ``{step: compute}``, where steps are not compute. A step
        that it does not have is left out.
    policy : Policy
        A pruned trial cannot be resumed, so its risk is spent once, by default.
    bounds : (float, float) or "open", optional
        Lowest and highest reward possible; where not given [0, 1] is assumed until a value leaves it, then they are
        open. What is assumed is said through ``logging``, once.
    seed_sd : float, optional
        Run-to-run sd as a share of the range.
    ledger : str, optional
        Address; by default a new SQLite file in a temporary folder. Give one where a study is resumed or has several
        workers: it keeps the risk spent, and what was decided.

    Raises
    ------
    InputError
        A budget, a horizon or a unit that is none.
    """

    def __init__(
        self,
        budget: float,
        *,
        horizon: float | None = None,
        unit: float = 1.0,
        compute_attr: str | None = None,
        policy: Policy = KILL,
        bounds: Stated = None,
        seed_sd: float | None = None,
        ledger: str | None = None,
    ) -> None:
        if not 0.0 < unit < float("inf"):
            raise InputError(f"unit {unit:g} is not a compute above 0; give that of one step")
        settings = WatchSettings(budget=budget, horizon=horizon, policy=policy, seed_sd=seed_sd)
        self._unit, self._compute_attr = unit, compute_attr
        self._told: dict[str, dict[int, float]] = {}
        self._desk = Desk(settings, ledger=ledger, unit="steps", metric="value", bounds=bounds)

    @property
    def ledger(self) -> str:
        """Address of the ledger."""
        return self._desk.ledger

    @property
    def savings(self) -> Savings | None:
        """Steps times ``unit`` spent, saved so far and expected to be saved against running all trials to the budget.

        As of the latest look; None before the first.
        """
        return self._desk.savings

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Take in what is new of all trials, and return whether this one is to be pruned.

        Raises
        ------
        InputError
            A study that minimizes, or has several objectives.
        """
        if list(study.directions) != [StudyDirection.MAXIMIZE]:
            raise InputError("AsymptotePruner compares rewards, which are to be high; make the study with 'maximize'")
        for one in study.get_trials(deepcopy=False):
            # the trial that is asked about may know more than the storage's copy of it
            self._take(f"{study.study_name}/{one.number}", trial if one.number == trial.number else one)
        name = f"{study.study_name}/{trial.number}"
        pruned = self._desk.look() and self._desk.action(name) in ("hold", "stop")
        if pruned:  # as Optuna's guide to storages does: a frozen trial cannot write to its study by itself
            for key, value in self._desk.acted(name).items():
                study._storage.set_trial_user_attr(trial._trial_id, key, value)
        if pruned and self._desk.savings is not None:
            _LOG.info("trial %s is pruned. %s", name, savings_words(self._desk.savings))
        return pruned

    def close(self) -> None:
        """Close the ledger; a later trial opens it again."""
        self._desk.close()

    def _take(self, name: str, trial: FrozenTrial) -> None:
        """Take in what is new of one trial."""
        if name not in self._told and trial.state == TrialState.PRUNED:
            return
        told = self._told.setdefault(name, {})
        places: Mapping[Any, Any] = trial.user_attrs.get(self._compute_attr, {}) if self._compute_attr else {}
        for step, value in sorted(trial.intermediate_values.items()):
            # user attributes that went through a storage have texts for keys
            place = places.get(step, places.get(str(step))) if self._compute_attr else self._unit * step
            if place is not None and value == value and told.get(step) != value:
                told[step] = value
                self._desk.report(name, place, value)
        if trial.state.is_finished() and name not in self._desk.ended:
            # a trial that failed, or was pruned by others, is no rival with its forecast any more
            lost = trial.state != TrialState.COMPLETE and self._desk.action(name) != "stop"
            self._desk.end(name, failed=lost)
