"""TRL and transformers: a callback that records a run in a ledger and obeys what is decided there."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rlscale.errors import RlscaleError
from rlscale.integrations.notices import Notices
from rlscale.integrations.recipes import differing
from rlscale.integrations.recording import Recording, stated
from rlscale.ledger import Heading, Ledger, RunRow, Stated, heading_bounds, unknown_bounds
from rlscale.sources import named_recipe
from rlscale.sources.bounds import several_rewards

__all__ = ["RLScaleCallback", "RunHeld"]

_LOG = logging.getLogger(__name__)
_COMPUTE: dict[str, Callable[[TrainerState], float]] = {
    "steps": lambda state: state.global_step,
    "tokens": lambda state: state.num_input_tokens_seen,
}


class RunHeld(RlscaleError, SystemExit):
    """A run that is started while it is held or stopped, or when its budget is spent: it is not trained a step.

    A trainer asks whether to stop only after a step, so ``train()`` ends with this. Where it is not caught the process
    ends, with exit code 0 and without a traceback; why is said through ``logging``.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 0


class RLScaleCallback(TrainerCallback):  # type: ignore[misc]
    """Records evaluations and the other logged quantities, and stops where the ledger says hold or stop.

    A run is stopped after an evaluation and a save, so ``trainer.train(resume_from_checkpoint=True)`` goes on where it
    was; started while it is held, ``train()`` raises :class:`RunHeld` before the first step. At the budget it is
    stopped too, and is over. A ledger that cannot be reached never stops a run: what could not be written is written
    later. Of several processes the first asks, and all obey.

    Parameters
    ----------
    ledger : str
        Its address; it is made where it is not there.
    budget : float, optional
        Compute, in ``unit``, that this run may get.
    run, recipe : str, optional
        By default the trainer's ``run_name``, else the name of its output folder; and the same without its seed mark
        (``seed3``): a name without one is its own recipe, and so is a run whose settings differ from those that the
        ledger holds of that recipe.
    metric : str
        Key of the validation reward.
    unit : str
        ``steps``, the default, ``tokens`` (``num_input_tokens_seen``), or any unit with ``compute``. Where the log of
        the run would be read on another axis a warning says how to make both agree.
    compute : callable, optional
        Compute so far from the trainer's state.
    bounds : (float, float) or "open", optional
        Lowest and highest reward possible; where not given [0, 1] is assumed until a value leaves it, then they are
        open. What is assumed is said through ``logging``, once.
    patience : float
        Seconds that a locked or unreachable ledger may hold up training, at each evaluation.
    """

    def __init__(
        self, ledger: str, budget: float | None = None, *, run: str | None = None, recipe: str | None = None,
        metric: str = "eval_reward", unit: str | None = None, compute: Callable[[TrainerState], float] | None = None,
        bounds: Stated = None, patience: float = 2.0,
    ) -> None:  # fmt: skip
        self._where, self._patience, self._metric, self._name, self._recipe = ledger, patience, metric, run, recipe
        self._compute = compute or _COMPUTE[unit or "steps"]
        self._about: dict[str, Any] = {
            "metric": metric, "unit": unit or "steps", "budget": budget, **heading_bounds(bounds)
        }  # fmt: skip
        self._notices = Notices(metric, bounds, axis_given=unit is not None)
        self._budget = math.inf if budget is None else budget
        self._ledger: Ledger | None = None
        self._row: RunRow | None = None
        self._recording = Recording(metric, {}, 0.0)
        self._told = ("continue", "")
        self._fresh, self._why, self._failure = True, "", ""
        self._assumed = bounds is None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> TrainerControl:
        """Enter the run in the ledger; one that is held, or has spent its budget, ends here."""
        name = self._name or getattr(args, "run_name", None) or Path(args.output_dir).name
        recipe, seed = named_recipe(name)
        config = _config(args, model)
        self._about |= {
            "name": name, "recipe": self._recipe or recipe, "seed": args.seed if seed is None else seed,
            "source": "trl", **stated(config),
        }  # fmt: skip
        self._recording = Recording(self._metric, config, float(state.global_step))
        self._fresh, self._why = state.global_step == 0, ""  # else it goes on from a checkpoint
        self._ask(state, control, begins=True)
        if self._why:
            self.on_train_end(args, state, control)
            raise RunHeld(f"run {name} is not trained: {self._why}")
        return control

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        logs: dict[str, float] | None = None, **_: Any,
    ) -> TrainerControl:  # fmt: skip
        """Note what is logged; see what is decided."""
        self._note(state, logs or {})
        trains = not any(key.startswith(("eval_", "train_", "total_")) for key in logs or {})
        return self._ask(state, control) if trains and not control.should_training_stop else control

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        metrics: dict[str, float] | None = None, **_: Any,
    ) -> TrainerControl:  # fmt: skip
        """Record an evaluation, and stop after it if that is decided."""
        self._note(state, metrics or {}, evaluated=True)
        return self._ask(state, control, evaluated=True)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Write what waits; the run is over unless it was paused."""
        if state.is_world_process_zero:
            self._guarded(lambda: self._write(over=self._told[0] not in ("hold", "stop")))
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = self._row = None

    def _note(self, state: TrainerState, values: dict[str, Any], *, evaluated: bool = False) -> None:
        if state.is_world_process_zero:
            if self._assumed and several_rewards(values, self._metric):
                self._assumed = False
                self._guarded(self._open_bounds)
            self._recording.log(float(state.global_step), values)
            if evaluated:
                self._recording.evaluate(float(self._compute(state)), values)
            self._notices.look(values)

    def _ask(
        self, state: TrainerState, control: TrainerControl, *, begins: bool = False, evaluated: bool = False
    ) -> TrainerControl:
        """Write what waits where there was an evaluation, ask what is decided, and pass it on to all processes."""
        if state.is_world_process_zero:
            self._guarded(lambda: self._decided(evaluated))
        (self._told,) = broadcast_object_list([self._told])
        spent = (begins or evaluated) and self._compute(state) >= self._budget * (1 - 1e-9)
        before, self._why = self._why, f"the budget of {self._budget:g} is spent" if spent else _held(*self._told)
        if self._why:
            if self._why != before:
                _LOG.warning("rlscale stops this run at step %d; %s", state.global_step, self._why)
            control.should_training_stop, control.should_save = True, not begins
            control.should_evaluate = control.should_evaluate or not (begins or evaluated)
        return control

    def _decided(self, evaluated: bool) -> None:
        if self._ledger is None:
            self._ledger = Ledger(self._where, create=True, patience=self._patience)
        if self._row is None:
            name = self._ledger.book.called(self._about["name"], fresh=self._fresh)
            recipe = _own_recipe(self._ledger, self._about, name, stated=self._recipe is not None)
            self._row = self._ledger.book.enlist(Heading(**{**self._about, "name": name, "recipe": recipe}))
            self._ledger.book.reopen(self._row.id)
            self._ledger.begun_anew(name)
            if self._assumed:
                _LOG.warning("rlscale: bounds [0, 1] of %s are assumed; give bounds=(LO, HI)", self._metric)
        if evaluated:
            self._write()
        self._told = self._ledger.rulings.in_force(self._row)

    def _write(self, *, over: bool = False) -> None:
        if self._ledger is not None and self._row is not None:
            points, log, about = self._recording.new()
            self._ledger.book.extend(self._row.id, points, log, about=about)
            self._recording.kept()
            if over:
                self._ledger.book.end(self._row.id)

    def _open_bounds(self) -> None:
        """Say that the reward is a sum of several: nobody knows how far it may go."""
        _LOG.warning("rlscale: several reward functions are logged: the bounds of their sum are open")
        self._about |= unknown_bounds("rewards")
        if self._ledger is not None and self._row is not None and self._row.bounds_from == "values":
            self._row = replace(self._row, **unknown_bounds("rewards"))
            self._ledger.book.rebound([self._row])

    def _guarded(self, work: Callable[[], None]) -> None:
        self._failure = _tried(work, self._failure)


def _own_recipe(ledger: Ledger, about: dict[str, Any], name: str, *, stated: bool) -> str:
    """Return the recipe: that of the name, unless the ledger holds it with other settings and none was given."""
    recipe = str(about["recipe"])
    differ = () if stated else differing(ledger.book.runs(), name, recipe, about["settings"])
    if not differ:
        return recipe
    _LOG.warning(
        "rlscale: run %s differs from others of recipe %s in %s, so it is its own recipe; give recipe=... to pool",
        name, recipe, ", ".join(differ),
    )  # fmt: skip
    return name


def _held(action: str, reason: str) -> str:
    """Return why a run is not to go on; nothing where it goes on."""
    return f"{action}: {reason}" if action in ("hold", "stop") else ""


def _tried(work: Callable[[], None], said: str) -> str:
    """Do what may fail; return why it did, which is said where it was not ``said`` the last time."""
    try:
        work()
    except RlscaleError as error:  # training goes on, and so does what was decided last
        if str(error) != said:
            _LOG.warning("rlscale: %s; training goes on, and what waits is written later", error)
        return str(error)
    return ""


def _config(args: TrainingArguments, model: Any) -> dict[str, Any]:
    """Return what trackers are handed: the configuration of the model, and over it the trainer's."""
    config = getattr(model, "config", None)
    count = getattr(model, "num_parameters", None)
    parameters = {} if count is None else {"num_parameters": int(count())}
    return {**({} if config is None else config.to_dict()), **args.to_dict(), **parameters}
