"""Recipes that differ in something that no setting states: never taken for seeds of one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rlscale.curves import Run
from rlscale.decisions.ablation.design import design_of
from rlscale.decisions.ablation.settings import Knob, Knobs

__all__ = ["RECIPE", "told_apart"]

#: The knob that stands for what sets recipes apart and is not stated.
RECIPE = "recipe"


def told_apart(runs: Sequence[Run], knobs: Knobs, baseline: str | None) -> Knobs:
    """Return knobs with which runs of equal settings are of one recipe.

    Where recipes that were named as such (not those that are a run of their own) have equal settings, the recipe is a
    knob of its own if the runs tell its effect from those of the others, as where each recipe was run at each setting.
    Else one recipe stands for those settings, and the runs of the others are left out.

    Parameters
    ----------
    runs : sequence of Run
    knobs : Knobs
        Of these runs.
    baseline : str, optional
        A run or a recipe that stays.
    """
    own = [runs[k] for k in knobs.kept]
    cells: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(zip(*(knob.values for knob in knobs.knobs), strict=True)):
        cells.setdefault(row, []).append(place)
    mixed = [cell for cell in cells.values() if len(_named(own, cell)) > 1]
    if not mixed:
        return knobs
    names = ", ".join(dict.fromkeys(name for cell in mixed for name in _named(own, cell)))
    knob = Knob(RECIPE, tuple(run.recipe for run in own), None)
    if _estimable(own, [*knobs.knobs, knob]):
        note = f"{names}: their settings are equal as far as they are known; what else differs is called {RECIPE} here"
        return replace(knobs, knobs=(*knobs.knobs, knob), notes=(*knobs.notes, note))
    return _parted(own, knobs, mixed, baseline)


def _named(runs: Sequence[Run], cell: Sequence[int]) -> list[str]:
    """Return the recipes of some runs that are not the name of a run, in order."""
    return list(dict.fromkeys(runs[k].recipe for k in cell if runs[k].recipe != runs[k].name))


def _estimable(runs: Sequence[Run], knobs: Sequence[Knob]) -> bool:
    """Whether the recipe has an effect that these runs can tell from those of the other knobs."""
    design = design_of(runs, knobs)
    alone = any(factor.knobs == (RECIPE,) for factor in design.factors)
    return alone and not any(each.tangled for each in design.comparisons)


def _parted(runs: Sequence[Run], knobs: Knobs, mixed: Sequence[Sequence[int]], baseline: str | None) -> Knobs:
    """Leave out all but one recipe of those with equal settings."""
    out: dict[int, str] = {}
    for cell in mixed:
        recipes = _named(runs, cell)
        asked = {runs[k].recipe for k in cell if baseline in (runs[k].name, runs[k].recipe)}
        size = {name: sum(runs[k].recipe == name for k in cell) for name in recipes}
        stays = max(recipes, key=lambda name: (name in asked, size[name], -recipes.index(name)))
        for k in cell:
            if runs[k].recipe in recipes and runs[k].recipe != stays:
                out[k] = (
                    f"{runs[k].recipe} has the settings of {stays} as far as they are known; state what differs with "
                    "--settings F.csv, or give both one name with --recipe REGEX"
                )
    left = [k for k in range(len(runs)) if k not in out]
    kept = tuple(knobs.kept[k] for k in left)
    lacking = sorted([*knobs.lacking, *((knobs.kept[k], why) for k, why in out.items())])
    values = (_at(knob, left) for knob in knobs.knobs)
    return replace(knobs, knobs=tuple(values), kept=kept, lacking=tuple(lacking))


def _at(knob: Knob, places: Sequence[int]) -> Knob:
    numbers = None if knob.numbers is None else tuple(knob.numbers[k] for k in places)
    return Knob(knob.name, tuple(knob.values[k] for k in places), numbers)
