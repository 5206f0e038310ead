"""KL and entropy terms by the difficulty of the prompts: never one setting for all, and mixed follows hard."""

from __future__ import annotations

from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Run
from rlscale.decisions.knobs.finding import Advice, Difficulty
from rlscale.errors import InputError

__all__ = ["advice_on", "difficulty_of"]

DifficultyName = Literal["easy", "hard", "mixed"]
_ISO = "IsoCompute Playbook, arXiv 2603.12151"
#: Mean pass rates of the classes that were studied: easy prompts lie between .3 and .6, hard ones up to .0625.
EASY, EASY_TOP, HARD = 0.3, 0.6, 0.0625
#: Groups of equal rewards beyond this share do not come from prompts of one pass rate between .3 and .6.
_UNEVEN = 0.35
#: Entropy that halves falls, that grows by half rises.
_FALLS, _RISES = 0.5, 1.5
#: Evaluations and rows at either end that a level is the median of, as a share, at least so many.
_END, _FEWEST = 0.2, 3

_ADVICE = {
    "easy": (
        Advice("easy", "Use a KL term and an entropy bonus, both: entropy collapses on easy prompts. They were only "
               "tested together.", _ISO, "V"),
    ),
    "hard": (
        Advice("hard", "Use neither a KL term nor an entropy bonus: without both training was most stable, and entropy "
               "tends to explode on hard prompts.", _ISO, "V"),
        Advice("hard", "If you must keep them, leave them out on prompts whose rewards are all equal: that helps, "
               "though less than dropping both.", _ISO, "V"),
    ),
    "mixed": (
        Advice("mixed", "Follow the recipe of hard prompts: no KL term, no entropy bonus.", _ISO, "V"),
        Advice("mixed", "One setting for easy and hard prompts has no support: where you can, train or weigh the "
               "classes apart and watch the share of prompts that are never solved.", _ISO, "D"),
    ),
}  # fmt: skip
_ANY = (
    Advice("any", "The filter of prompts without variance was off in both recipes of this study; ScaleRL has it on.",
           f"{_ISO}; ScaleRL, arXiv 2510.13786", "V"),
    Advice("any", "Entropy alone does not tell who ends higher: batches of 768 and 2,048 followed almost one path of "
           "entropy and differed in reward.", "ScaleRL, arXiv 2510.13786, A.12", "V"),
)  # fmt: skip


def advice_on(difficulty: str | None = None) -> tuple[Advice, ...]:
    """Return what the evidence says of KL and entropy terms.

    Parameters
    ----------
    difficulty : str, optional
        ``easy`` (pass rate .3 to .6), ``hard`` (up to .0625) or ``mixed``; all three where not given.

    Raises
    ------
    InputError
        Another difficulty.

    Notes
    -----
    Source: IsoCompute Playbook, arXiv 2603.12151; Qwen2.5-7B, GRPO, mathematics.

    Examples
    --------
    >>> [advice.says for advice in advice_on("mixed")][0]
    'Follow the recipe of hard prompts: no KL term, no entropy bonus.'
    """
    if difficulty is None:
        return (*_ADVICE["easy"], *_ADVICE["hard"], *_ADVICE["mixed"], *_ANY)
    if difficulty not in get_args(DifficultyName):
        raise InputError(
            f"--difficulty {difficulty} is none; give easy (pass rate .3 to .6), hard (up to .0625) or mixed"
        )
    return (*_ADVICE[difficulty], *_ANY)


def difficulty_of(run: Run) -> Difficulty:
    """Return how hard the prompts of a run are, by its pass rate at the start and its groups without variance.

    Parameters
    ----------
    run : Run
        Its curve is a pass rate where its bounds are 0 and 1; ``zero_variance`` and ``entropy`` among its metrics.

    Returns
    -------
    Difficulty
        ``unknown`` where rewards are no shares.

    Notes
    -----
    Classes as in the IsoCompute Playbook, arXiv 2603.12151: easy .3 to .6, hard up to .0625. Between and above them
    lies what was not studied. A mean hides a mixture: in a group of ``n`` samples of pass rate ``p`` all rewards are
    equal with probability ``p^n + (1-p)^n``, below 2 % for ``p`` of .4 and 8 samples; a large share of such groups
    beside a middling mean is a mixture of easy and hard prompts.

    Examples
    --------
    >>> from rlscale.curves import Curve
    >>> run = Run(name="a", recipe="a", curve=Curve(compute=[0, 1, 2, 3], reward=[0.02, 0.03, 0.02, 0.1], unit="steps"))
    >>> difficulty_of(run).difficulty
    'hard'
    """
    entropy, trend = _entropy(run)
    groups = run.metrics.get("zero_variance")
    share = None
    if groups is not None and groups.unit.startswith("share"):
        share = _levels(groups.series.value)[0] if groups.series.value.size else None
    stated = str(run.settings.get("difficulty", "")).lower()
    name: DifficultyName
    if stated in _ADVICE:
        name, why = cast("DifficultyName", stated), "the run states it"
    elif run.curve.bounds != (0.0, 1.0):
        why = "rewards are not shares between 0 and 1, so they are no pass rates; say it with --difficulty"
        return Difficulty(
            run=run.name, difficulty="unknown", zero_variance=share, entropy=entropy, trend=trend, why=why
        )
    else:
        name, why = _class(_levels(run.curve.reward)[0], share)
    rate = _levels(run.curve.reward)[0] if run.curve.bounds == (0.0, 1.0) else None
    return Difficulty(
        run=run.name, difficulty=name, pass_rate=rate, zero_variance=share, entropy=entropy, trend=trend,
        why=f"{why}{_disagrees(name, trend)}",
    )  # fmt: skip


def _class(rate: float, share: float | None) -> tuple[DifficultyName, str]:
    start = f"the mean pass rate starts at {rate:.2f}"
    if rate <= HARD:
        return "hard", f"{start}; hard prompts lie below {HARD}"
    if share is not None and share >= _UNEVEN:
        return "mixed", f"{start}, and {share:.0%} of the groups have equal rewards".replace("%", " %") + (
            ": easy and hard prompts together"
        )
    if rate < EASY:
        return "mixed", f"{start}: above hard ({HARD}) and below easy ({EASY}), a class that was not studied"
    if rate > EASY_TOP:
        return "easy", f"{start}: easier than what was studied ({EASY} to {EASY_TOP})"
    unknown = "" if share is not None else "; a mean may hide a mixture, and groups of equal rewards were not logged"
    return "easy", f"{start}, between {EASY} and {EASY_TOP}{unknown}"


def _disagrees(name: str, trend: str) -> str:
    """Say where the entropy does not do what it did on prompts of this difficulty."""
    if (name, trend) == ("easy", "rises"):
        return "; entropy rises, which was seen on hard prompts: look at it before a bonus is added"
    if (name, trend) in (("hard", "falls"), ("mixed", "falls")):
        return "; entropy halves, which was seen on easy prompts: the class may be wrong"
    return ""


def _entropy(run: Run) -> tuple[tuple[float, float] | None, Literal["falls", "rises", "steady", "unknown"]]:
    metric = run.metrics.get("entropy")
    values = np.array([]) if metric is None else metric.series.value[np.isfinite(metric.series.value)]
    if values.size < 2 * _FEWEST:
        return None, "unknown"
    first, last = _levels(values)
    if first <= 0.0:
        return None, "unknown"
    trend: Literal["falls", "rises", "steady"] = "steady"
    if last < _FALLS * first:
        trend = "falls"
    elif last > _RISES * first:
        trend = "rises"
    return (first, last), trend


def _levels(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the medians of both ends; the start is short, since training changes it."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    few = min(max(_FEWEST, int(_END * finite.size)), finite.size)
    return float(np.median(finite[: min(_FEWEST, finite.size)])), float(np.median(finite[-few:]))
