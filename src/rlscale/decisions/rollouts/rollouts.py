"""How many rollouts per prompt at which budget: from runs at several numbers of them, or from pass counts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from rlscale.curves import Curve, Run
from rlscale.decisions.contender import healthy
from rlscale.decisions.rollouts.answer import ClassRollouts, Rollouts
from rlscale.decisions.rollouts.best_at_k import BestAtK, best_and_worst
from rlscale.decisions.rollouts.classes import Request, class_rollouts
from rlscale.decisions.rollouts.counts import PassCounts
from rlscale.decisions.rollouts.prompts import MOST, PromptAllocation, allocate
from rlscale.decisions.rollouts.reuse import DataReuse, data_reuse
from rlscale.decisions.rollouts.tried import Group, groups_of, left_out_run
from rlscale.decisions.runs import check_seed_sd
from rlscale.errors import InputError
from rlscale.inference.entry import runs_of
from rlscale.inference.fit import Fit, FitOptions, fits
from rlscale.inference.pool import SeedSpread, learned_spread, replicate_scatter
from rlscale.keywords import checked_keywords
from rlscale.left_out import LeftOut, lacked

__all__ = ["rollouts"]


@checked_keywords
def rollouts(
    runs: Iterable[Fit | Run | Curve] = (),
    *,
    budget: float | None = None,
    counts: PassCounts | None = None,
    spend: int | None = None,
    most: int = MOST,
    k: int = 4,
    problems: int | None = None,
    batch_max: int | None = None,
    unique: int | None = None,
    seed_sd: float | None = None,
    options: FitOptions | None = None,
) -> Rollouts:
    """Answer how many rollouts per prompt to use, and on which prompts.

    The curves of runs at several ``n`` give the upper envelope of reward; the best ``n`` at each compute follows
    ``ln n* = l0 + (l1 - l0) / (1 + exp(-s (ln C - c)))``. The rest of the budget is problems per batch and updates,
    ``C = c · B · n · M``.

    Parameters
    ----------
    runs : iterable of Run, Curve or Fit
        With their rollouts per prompt in ``settings["generations"]``; one unit, metric and range. Classes of
        ``settings["difficulty"]`` are answered apart.
    budget : float, optional
        Compute of one run, in the runs' unit (in samples where that is steps). Without runs: rollouts to spread.
    counts : PassCounts, optional
        Right and graded samples of each prompt.
    spend : int, optional
        Rollouts to spread over the prompts of ``counts``; the budget where there are no runs.
    most : int
        Largest group of one prompt.
    k : int
        Of best@k and worst@k.
    problems, batch_max : int, optional
        Problems in a batch, and largest batch in rollouts. Of runs in steps that do not state their prompts per step,
        ``problems`` is taken for those too.
    unique : int, optional
        Prompts in the training set: the uses of each that the budget means are given then.
    seed_sd : float, optional
        Run-to-run sd as a share of the range; learned from replicates, or .03, by default.
    options : FitOptions, optional

    Raises
    ------
    InputError
        Neither runs nor counts; runs that cannot be compared, or that do not state their rollouts; a budget or a count
        that is none.

    Notes
    -----
    Source of the envelope and of the form of the law: IsoCompute, arXiv 2603.12151.

    Examples
    --------
    >>> import numpy as np
    >>> from rlscale.curves import Run, Truth, simulate
    >>> truths = {8: (0.5, 1e4), 32: (0.6, 4e4), 128: (0.58, 1.6e5)}
    >>> rng, compute = np.random.default_rng(0), np.linspace(0.0, 4e5, 41)
    >>> trials = [
    ...     Run(name=f"n{n}", recipe=f"n{n}", settings={"generations": n, "prompts_per_step": 32},
    ...         curve=simulate(Truth(0.1, A, 1.5, mid), compute, rng=rng, unit="samples"))
    ...     for n, (A, mid) in truths.items()
    ... ]
    >>> answer = rollouts(trials, budget=4e5)
    >>> [piece.n for piece in answer.classes[0].envelope]
    [8, 32]
    """
    request = _checked(budget, problems, batch_max, unique, seed_sd)
    if spend is not None and counts is None:
        raise InputError(
            f"--spend {spend:g} is of pass counts; give a table of prompt, correct and graded too", parameter="spend"
        )
    given = _listed(runs)
    if counts is not None and spend is None and not given and budget is not None:
        spend = cast(int, budget)  # refused where it is not whole
    prompts = None if counts is None or spend is None else allocate(counts, spend, most=most)
    best = None if counts is None else best_and_worst(counts, k)
    counted = _on_counts(counts, best, prompts, k)
    if not given:
        if counts is None:
            raise InputError("nothing to answer from; give runs at several rollouts per prompt, or pass counts")
        return Rollouts("samples", budget, (), None, prompts, best, None, lacked(runs), counted)
    groups, left_out, notes = groups_of(runs_of(given, "rollouts"), problems)
    fitted = _fitted(groups, given, options)
    spread = _spread(fitted, seed_sd)
    classes = tuple(
        class_rollouts(group, fits, spread.value, request) for group, fits in zip(groups, fitted, strict=True)
    )
    used = [fit for fits in fitted for several in fits.values() for fit in several]
    return Rollouts(
        unit=used[0].run.curve.unit,
        budget=budget,
        classes=classes,
        data_reuse=_reuse([fit.run for fit in used], classes, unique),
        prompts=prompts,
        best_at_k=best,
        seed_sd=spread,
        left_out=(*lacked(runs), *left_out, *_unfitted(used)),
        notes=(*notes, *counted, *_unplanned(classes, unique)),
        fits=tuple(fit for fit in used if fit.posterior is not None),
    )


def _checked(
    budget: float | None, problems: int | None, batch_max: int | None, unique: int | None, seed_sd: float | None
) -> Request:
    if budget is not None and not 0.0 < budget < np.inf:
        raise InputError(f"--budget {budget:g} is not a compute above 0; give what one run may spend")
    if unique is not None and unique < 1:
        raise InputError(f"--unique {unique:g} is no number of prompts; give 1 or more")
    check_seed_sd(seed_sd)
    return Request(budget, problems, batch_max)


def _listed(runs: Any) -> list[Any]:
    """Return what was given, one or many, as a list; a path that was not read is refused."""
    if isinstance(runs, Run | Curve | Fit):
        return [runs]
    several = getattr(runs, "runs", runs)
    if isinstance(runs, str | os.PathLike) or hasattr(several, "columns") or not isinstance(several, Iterable):
        return list(runs_of(runs, "rollouts"))
    return list(several)


def _unfitted(fits: Iterable[Fit]) -> Iterator[LeftOut]:
    """Yield the runs that could not be fitted: they are shown with their verdict."""
    for fit in fits:
        if fit.posterior is None:
            yield left_out_run(fit.run, fit.verdict.why, counted=False)


def _fitted(groups: Sequence[Group], given: Sequence[Any], options: FitOptions | None) -> list[dict[int, list[Fit]]]:
    """Return the fits of each group by rollouts per prompt; runs that were given as fits are not fitted again."""
    known = {id(item.run): item for item in given if isinstance(item, Fit)}
    runs = [run for group in groups for several in group.runs.values() for run in several]
    new = [run for run in runs if id(run) not in known]
    known |= {id(run): fit for run, fit in zip(new, fits(new, (), options), strict=True)}
    return [{n: [known[id(run)] for run in several] for n, several in group.runs.items()} for group in groups]


def _spread(fitted: Sequence[Mapping[int, Sequence[Fit]]], given: float | None) -> SeedSpread:
    """Return the run-to-run sd: as given, else from the runs that share class, rollouts and recipe."""
    recipes: dict[tuple[int, int, str], list[Fit]] = {}
    for place, by_n in enumerate(fitted):
        for n, several in by_n.items():
            for fit in several:
                recipes.setdefault((place, n, fit.run.recipe), []).append(fit)
    return learned_spread((replicate_scatter(healthy(several)) for several in recipes.values()), given)


def _unplanned(classes: Sequence[ClassRollouts], unique: int | None) -> tuple[str, ...]:
    if unique is None or any(item.allocation is not None for item in classes):
        return ()
    return ("how often each prompt would be used is not known: the budget has no split",)


def _reuse(runs: Sequence[Run], classes: Sequence[ClassRollouts], unique: int | None) -> DataReuse | None:
    """Return data reuse, with the uses of each prompt that the first split of the budget means."""
    split = next((item.allocation for item in classes if item.allocation is not None), None)
    planned = None
    if unique is not None and split is not None:
        planned = split.problems_per_batch * split.updates / unique
    return data_reuse(runs, planned=planned)


def _on_counts(
    counts: PassCounts | None, best: BestAtK | None, prompts: PromptAllocation | None, k: int
) -> tuple[str, ...]:
    if counts is None:
        return ()
    notes = []
    if best is None:
        notes.append(f"no prompt has {k} graded samples: best@{k} and worst@{k} are not known")
    elif best.left_out:
        notes.append(f"best@{k} leaves out {best.left_out} prompts with fewer than {k} graded samples")
    if prompts is None:
        notes.append(
            "no number of rollouts to spread over the prompts was given: the budget without runs, spend beside them"
        )
    return tuple(notes)
