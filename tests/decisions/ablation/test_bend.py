"""Curves of one ablation share how fast they bend: that sharpens effects, and makes no claim of what only bends."""

from __future__ import annotations

import numpy as np
import pytest

from rlscale.curves import Run, Truth, simulate
from rlscale.decisions.ablation import Ablation, KnobEffect, Says, ablate, estimates

SLOW = Truth(R0=0.1, A=0.45, B=1.4, C_mid=900.0, sigma=0.012, rho=0.5)


def runs_of(changed: dict[str, float], last: float, seed: int = 3) -> list[Run]:
    rng = np.random.default_rng(seed)
    runs = []
    for recipe, own in (("base", {}), ("other", changed), ("third", {})):
        for number in range(3):
            truth = Truth(**{**vars(SLOW), **own})
            truth = Truth(**{**vars(truth), "A": truth.A + 0.015 * float(rng.standard_normal())})
            curve = simulate(truth, np.linspace(0.0, last, 61), rng=rng)
            settings = {"loss": recipe == "other", "filter": recipe == "third"}
            runs.append(Run(name=f"{recipe}-{number}", recipe=recipe, curve=curve, settings=settings))
    return runs


def loss_of(answer: Ablation) -> KnobEffect:
    return next(each for each in answer.knobs if each.knob == "loss")


def width_of(answer: Ablation) -> float:
    effect = loss_of(answer).ceiling
    assert effect is not None
    return effect.effect.width


def test_a_shared_bend_sharpens_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = runs_of({"A": 0.6}, 9000.0)
    shared = ablate(runs)
    effect = loss_of(shared).ceiling
    assert effect is not None
    assert effect.effect.q10 < 0.15 < effect.effect.q90
    assert loss_of(shared).says is Says.RAISES_CEILING
    monkeypatch.setattr(estimates, "BEND_SD", 1e3)  # each run for itself
    assert width_of(ablate(runs)) > 1.3 * width_of(shared)


def test_what_bends_otherwise_has_no_other_ceiling() -> None:
    for seed in range(4):  # the control: nothing but B differs
        for last in (2200.0, 9000.0):
            answer = ablate(runs_of({"B": 1.4 / 1.3}, last, seed))
            assert loss_of(answer).says not in (Says.RAISES_CEILING, Says.LOWERS_CEILING), (seed, last)


def test_the_ceiling_of_a_recipe_keeps_what_is_not_known_of_the_bend(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = runs_of({"A": 0.6}, 9000.0)
    shared = [recipe.ceiling for recipe in ablate(runs).recipes]
    monkeypatch.setattr(estimates, "BEND_SD", 1e3)
    alone = [recipe.ceiling for recipe in ablate(runs).recipes]
    for together, own in zip(shared, alone, strict=True):
        assert together is not None
        assert own is not None
        assert 0.7 * own.width < together.width < 1.05 * own.width
