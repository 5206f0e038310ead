"""The learning rate of another batch size: the square-root rule, with what speaks for it and where it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlscale.curves.value import Value
from rlscale.errors import InputError
from rlscale.keywords import checked_keywords
from rlscale.results import Result

__all__ = ["Evidence", "LearningRate", "learning_rate", "lr_for"]

#: The rule, as it is printed.
RULE = "lr = anchor_lr * sqrt(batch / anchor_batch)"
#: The rule was compared with others from a batch of 1,024 to one of 8,192: further from the anchor nobody has looked.
TESTED = 8.0


@dataclass(frozen=True)
class Evidence:
    """What one source says.

    Parameters
    ----------
    says : str
    source : str
        The paper.
    grade : str
        ``V`` read in the paper's own text, ``S`` secondhand, ``D`` derived from published numbers, ``draft`` in a draft
        only and not in the final text.
    """

    says: str
    source: str
    grade: str


_ISOCOMPUTE = "IsoCompute Playbook, arXiv 2603.12151"
_EVIDENCE = (
    Evidence(
        "anchored at 1e-6 for a batch of 1,024, the square-root rule learned faster at 8,192 than a constant rate and "
        "without the instability of the linear rule; one comparison, on easy problems",
        _ISOCOMPUTE,
        "V",
    ),
    Evidence(
        "scaled the rate by the root of the ratio of batches, the number of mini-batches of a batch kept",
        "BroRL, arXiv 2510.01180",
        "V",
    ),
    Evidence(
        "keep one constant rate in all runs: they neither support nor refute the rule",
        "ScaleRL, arXiv 2510.13786; Tan et al., arXiv 2509.25300",
        "V",
    ),
    Evidence(
        "1, 2, 4 and 16 updates a batch ended at 63.3, 60.8, 59.6 and 59.7 % on easy problems and at 10.0, 11.4, 10.3 "
        "and 10.3 % on hard ones: more splits gained nothing on easy ones, and nothing clear on hard ones",
        f"{_ISOCOMPUTE}, draft",
        "draft",
    ),
)
_LIMITS = (
    "a rule of thumb from one comparison, not a fitted law",
    "the batch is the total one, prompts x rollouts of one sampling step, before it is split into mini-batches or over "
    "devices; keep the number of updates per batch when the batch grows",
    "splitting a batch into more updates makes the later ones off-policy: it takes no smaller batch's place",
)


@dataclass(frozen=True)
class LearningRate(Result, Value):
    """A learning rate and how far it can be trusted.

    Parameters
    ----------
    value : float
        For a total batch of ``batch``.
    batch, anchor_batch : float
        Total batches, in samples (prompts x rollouts) of one sampling step.
    anchor_lr : float
        The rate that is known to work at ``anchor_batch``.
    rule : str
    evidence : tuple of Evidence
    limits : tuple of str
    """

    value: float
    batch: float
    anchor_lr: float
    anchor_batch: float
    rule: str
    evidence: tuple[Evidence, ...]
    limits: tuple[str, ...]


@checked_keywords
def lr_for(batch: float, *, anchor_lr: float, anchor_batch: float) -> LearningRate:
    """Return the learning rate of a batch by the square-root rule.

    ``lr = anchor_lr * sqrt(batch / anchor_batch)``

    Parameters
    ----------
    batch : float
        Total batch, in samples (prompts x rollouts) of one sampling step, before it is split; above 0.
    anchor_lr : float
        A rate that works, above 0.
    anchor_batch : float
        The total batch that it works at, in the same unit; above 0.

    Raises
    ------
    InputError
        A batch or a rate that is not a finite number above 0.

    Notes
    -----
    Sources: IsoCompute Playbook, arXiv 2603.12151; BroRL, arXiv 2510.01180.

    Examples
    --------
    >>> rate = lr_for(8192, anchor_lr=1e-6, anchor_batch=1024)
    >>> f"{rate.value:.3e}"
    '2.828e-06'
    >>> rate.limits[0]
    'a rule of thumb from one comparison, not a fitted law'
    """
    for name, value, what in (
        ("batch", batch, "a batch"),
        ("anchor_lr", anchor_lr, "a learning rate"),
        ("anchor_batch", anchor_batch, "a batch"),
    ):
        if not 0.0 < value < np.inf:
            raise InputError(f"{name} {value:g} is not {what}; give a finite number above 0", parameter=name)
    ratio = batch / anchor_batch
    far: tuple[str, ...] = ()
    if not 1.0 / TESTED <= ratio <= TESTED:
        far = (
            f"a batch of {batch:g} is {ratio:.3g} times the anchor's: the rule was compared over a factor of "
            f"{TESTED:g}; try the rate on a short run first",
        )
    return LearningRate(
        value=float(anchor_lr * np.sqrt(ratio)),
        batch=float(batch),
        anchor_lr=float(anchor_lr),
        anchor_batch=float(anchor_batch),
        rule=RULE,
        evidence=_EVIDENCE,
        limits=(*far, *_LIMITS),
    )


def learning_rate(anchor: tuple[float, float] | None, batch: float | None) -> LearningRate | None:
    """Return the learning rate of ``batch`` from a rate and a batch that work; None where neither is given.

    Raises
    ------
    InputError
        One without the other, or what is not a finite number above 0.
    """
    if anchor is None and batch is None:
        return None
    if anchor is None or batch is None:
        lacks, parameter = ("--lr-anchor LR BATCH", "lr_anchor") if anchor is None else ("--batch B", "batch")
        raise InputError(
            f"a learning rate is that of a batch, from one that works: {lacks} is missing", parameter=parameter
        )
    if not all(0.0 < value < np.inf for value in anchor):
        raise InputError(
            f"--lr-anchor {anchor[0]:g} {anchor[1]:g} is not a learning rate and a batch; "
            "give two finite numbers above 0, --lr-anchor LR BATCH",
            parameter="lr_anchor",
        )
    if not 0.0 < batch < np.inf:
        raise InputError(f"--batch {batch:g} is not a batch; give a finite number above 0", parameter="batch")
    return lr_for(batch, anchor_lr=anchor[0], anchor_batch=anchor[1])
