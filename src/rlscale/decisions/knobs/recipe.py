"""The published recipe as settings with reasons, and what is written of it for a trainer."""

from __future__ import annotations

from dataclasses import dataclass

from rlscale.curves.config import MOST_COMPLETIONS, MOST_GPUS
from rlscale.curves.value import Value
from rlscale.decisions.plan import lr_for
from rlscale.errors import InputError
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["ROLLOUTS", "ConfigLine", "EmittedConfig", "Missing", "Plan", "planned"]

#: ScaleRL: completions of a step, rollouts per prompt, and the learning rate there.
BATCH, ROLLOUTS, RATE = 768, 16, 5e-7
_SCALERL = "ScaleRL, arXiv 2510.13786"


@dataclass(frozen=True)
class ConfigLine(Value):
    """One setting of a configuration that is written: key, value, why, and from where."""

    key: str
    value: str
    reason: str
    source: str


@dataclass(frozen=True)
class Missing(Value):
    """A part of the recipe that the trainer cannot express, and what comes closest."""

    setting: str
    value: str
    why: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class EmittedConfig(Result, Value):
    """A configuration with the published recipe.

    Parameters
    ----------
    recipe : str
        ``scalerl``.
    trainer, title, version : str
        The trainer, as in JSON and in sentences, and the version whose keys are used.
    batch, gpus : int
        Completions of a step, and GPUs that train.
    lines : tuple of ConfigLine
    missing : tuple of Missing
    text : str
        The file: YAML for TRL, a script for verl and OpenRLHF.
    left_out : tuple of LeftOut
    """

    recipe: str
    trainer: str
    title: str
    version: str
    batch: int
    gpus: int
    lines: tuple[ConfigLine, ...]
    missing: tuple[Missing, ...]
    text: str
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        return f"EmittedConfig({self.recipe} for {self.title}: {len(self.lines)} settings, {len(self.missing)} missing)"


@dataclass(frozen=True)
class Plan(Value):
    """What depends on the batch.

    Parameters
    ----------
    batch, prompts : int
        Completions and prompts of a step.
    gpus, per_gpu, accumulated : int
        GPUs that train, completions of each in one pass, and passes of an update.
    rate : float
        Learning rate.
    why_rate, why_batch : str
    """

    batch: int
    prompts: int
    gpus: int
    per_gpu: int
    accumulated: int
    rate: float
    why_rate: str
    why_batch: str


def planned(batch: int, gpus: int) -> Plan:
    """Return what depends on the batch: prompts, the passes of an update, the learning rate by the root rule.

    Parameters
    ----------
    batch : int
        Completions of a step, a multiple of 16 rollouts and of the GPUs.
    gpus : int
        GPUs that train.

    Raises
    ------
    InputError
        Numbers that do not divide.

    Examples
    --------
    >>> plan = planned(2048, 8)
    >>> plan.prompts, plan.per_gpu * plan.accumulated * plan.gpus, f"{plan.rate:.3g}"
    (128, 2048, '8.16e-07')
    """
    for name, number, most in (("batch", batch, MOST_COMPLETIONS), ("gpus", gpus, MOST_GPUS)):
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            shown = f"{number:.6g}" if isinstance(number, int | float) else repr(number)
            raise InputError(f"--{name} {shown}: give a whole number from 1 to {most:,}", parameter=name)
    if batch % ROLLOUTS:
        near = max(ROLLOUTS, round(batch / ROLLOUTS) * ROLLOUTS)
        raise InputError(
            f"--batch {batch} is no multiple of {ROLLOUTS} rollouts; give {near}, for example", parameter="batch"
        )
    if batch % gpus:
        near = max(count for count in range(1, min(gpus, batch) + 1) if batch % count == 0)
        raise InputError(
            f"--gpus {gpus} does not divide a batch of {batch}; give {near}, for example", parameter="gpus"
        )
    share = batch // gpus
    each = max(size for size in range(1, 9) if share % size == 0)
    rate = lr_for(batch, anchor_lr=RATE, anchor_batch=BATCH)
    if batch == BATCH:
        why_rate = f"published, for a batch of {BATCH}"
        why_batch = f"published: {batch // ROLLOUTS} prompts x {ROLLOUTS}"
    else:
        why_rate = f"5e-7 x sqrt({batch} / {BATCH}): {rate.limits[0]}; the paper itself kept 5e-7 at 512 to 2,048"
        why_batch = f"{batch // ROLLOUTS} prompts x {ROLLOUTS}; published {BATCH}; larger ends higher and starts slower"
    return Plan(batch, batch // ROLLOUTS, gpus, each, share // each, rate.value, why_rate, why_batch)
