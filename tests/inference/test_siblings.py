from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.inference import Siblings, fit, fits, posterior, siblings_of
from rlscale.inference.ahead import Aftermath
from rlscale.inference.siblings import KERNEL, LEAST, MOST, Kernel, informed, level_at, shown

from .helpers import sigmoid_curve

END = 400.0
ENDS = np.linspace(0.58, 0.62, LEAST)


def line(level, last=END, count=41):
    """A run that sits at ``level`` up to compute ``last``."""
    return Curve(compute=np.linspace(0.0, last, count), reward=np.full(count, level), unit="steps")


def early(A=0.6):
    """A run at a quarter of :data:`END`, its midpoint just passed."""
    return replace(sigmoid_curve(ratio=1.2, n=14, sigma=0.02, A=A, C_mid=END / 4.8, seed=4), unit="steps")


def run_of(curve, name="run"):
    return Run(name=name, recipe=name, curve=curve)


def test_a_level_is_the_mean_of_the_last_evaluations_up_to_there():
    curve = Curve(compute=np.arange(11.0), reward=np.arange(11.0) / 10)
    assert level_at(curve, 10.0) == pytest.approx(0.9)
    assert level_at(curve, 6.5) == pytest.approx(0.5)
    assert level_at(curve, 11.0) == pytest.approx(0.9)  # nine tenths of the way count
    assert level_at(curve, 11.2) is None


def test_a_level_of_a_long_run_is_that_of_its_last_tenth():
    curve = Curve(compute=np.arange(100.0), reward=np.arange(100.0) / 100)
    assert level_at(curve, 99.0) == pytest.approx(np.mean(np.arange(90, 100)) / 100)


def test_only_runs_of_the_same_kind_that_came_so_far_count():
    others = [line(level) for level in ENDS]
    beside_each = siblings_of([early(), *others], [(END,)] * (LEAST + 1))
    assert beside_each[0].compute == END
    assert beside_each[0].levels == pytest.approx(ENDS)
    assert beside_each[1:] == [None] * LEAST  # they are there already
    short = [line(0.6, last=0.8 * END), *others[1:]]
    assert siblings_of([early(), *short], [(END,)] * (LEAST + 1))[0] is None
    other = [replace(others[0], unit="tokens"), *others[1:]]
    assert siblings_of([early(), *other], [(END,)] * (LEAST + 1))[0] is None
    other = [replace(others[0], metric="other"), *others[1:]]
    assert siblings_of([early(), *other], [(END,)] * (LEAST + 1))[0] is None
    other = [replace(others[0], bounds=(0.0, 2.0)), *others[1:]]
    assert siblings_of([early(), *other], [(END,)] * (LEAST + 1))[0] is None


def test_too_many_runs_are_left_apart():
    others = [line(0.6, count=5)] * MOST
    assert siblings_of([early(), *others], [(END,)] * (MOST + 1))[0] is None
    assert siblings_of([early(), *others[1:]], [(END,)] * MOST)[0].levels.size == MOST - 1


def test_the_furthest_target_that_enough_runs_have_reached():
    others = [line(level) for level in ENDS]
    last = early().compute_last
    assert shown(early(), others, (2.0 * last, END, 10.0 * END, np.inf)).compute == END
    assert shown(early(), others, ()).compute == pytest.approx(4.0 * last)
    assert shown(early(), others[1:], (END,)) is None
    assert shown(early(), others, (0.5 * last, np.inf)) is None


def test_a_density_of_mean_one_over_the_range():
    grid = np.linspace(-2.0, 4.0, 60001)
    for levels in (ENDS, np.linspace(0.1, 0.9, 12)):
        density = Siblings(END, 2.0 * levels - 1.0).density(2.0 * grid - 1.0, -1.0, 2.0, KERNEL)
        assert float(np.trapezoid(density, grid)) == pytest.approx(1.0, abs=1e-6)
        width = max(0.03, 1.06 * np.std(levels, ddof=1) * levels.size**-0.2)
        z = (grid[30000] - levels) / width
        assert density[30000] == pytest.approx(np.mean(np.exp(-0.5 * z**2)) / (width * np.sqrt(2 * np.pi)))


def test_reweighted_as_rejection_sampling_does():
    found, siblings = posterior(early()), Siblings(END, ENDS)
    kernel = Kernel(agree=np.inf)
    ours = informed(found, siblings, kernel)
    level = found.reward([END], model_error=True)[:, 0]
    rng = np.random.default_rng(5)
    drawn = rng.choice(level.size, 400_000, p=found.weight)
    factor = 1.0 - kernel.share + kernel.share * siblings.density(level, 0.0, 1.0, kernel)
    kept = level[drawn][rng.random(drawn.size) < factor[drawn] / factor.max()]
    assert ours.weight.sum() == pytest.approx(1.0)
    assert ours.mean(level) == pytest.approx(kept.mean(), abs=0.002)
    assert ours.quantiles(level, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(kept, [0.1, 0.5, 0.9]), abs=0.004)
    assert ours.draws.effective == pytest.approx(1.0 / np.sum(ours.weight**2))


def test_runs_that_agree_less_than_the_forecast_say_nothing():
    found = posterior(early())
    assert informed(found, Siblings(END, ENDS)) is not None
    assert informed(found, Siblings(END, np.linspace(0.0, 1.0, LEAST))) is None
    done = posterior(replace(sigmoid_curve(ratio=8.0, n=60, sigma=0.005, C_mid=50.0), unit="steps"))
    assert informed(done, Siblings(1.1 * END, ENDS)) is None  # it knows its level better than they do


def test_a_run_that_broke_off_is_left_alone():
    fallen = posterior(early()).after(Aftermath(now=0.05, on_floor=False))
    assert informed(fallen, Siblings(END, ENDS), Kernel(agree=np.inf)) is None


def test_half_of_the_prior_stays_as_it_was():
    """Others that are all wrong cannot overrule what a run shows itself."""
    found = posterior(early())
    wrong = informed(found, Siblings(END, np.linspace(0.05, 0.06, LEAST)), Kernel(agree=np.inf))
    some = found.weight > 0.0
    factor = wrong.weight[some] / found.weight[some]
    density = Siblings(END, np.linspace(0.05, 0.06, LEAST)).density(np.array([0.055]), 0.0, 1.0, KERNEL)[0]
    assert factor.max() / factor.min() <= (0.5 + 0.5 * density) / 0.5 + 1e-9
    level = found.reward([END], model_error=True)[:, 0]
    before, after = (each.quantiles(level, [0.5])[0] for each in (found, wrong))
    assert abs(after - before) < 0.1


def test_a_fit_says_that_others_inform_it():
    beside_each = siblings_of([early(), *(line(level) for level in ENDS)], [(END,)] * (LEAST + 1))
    alone = fit(run_of(early()), END)
    beside = next(fits([run_of(early())], END, siblings=beside_each[:1]))
    assert (alone.siblings, beside.siblings) == (None, LEAST)
    assert not any("--siblings off" in text for text in alone.warnings)
    said = [text for text in beside.warnings if "--siblings off" in text]
    assert said == [
        f"its level is also informed by those of {LEAST} other runs at 400 steps; --siblings off leaves them out"
    ]
    assert beside.forecasts[0].interval.width < alone.forecasts[0].interval.width
    assert abs(beside.forecasts[0].q50 - 0.6) <= abs(alone.forecasts[0].q50 - 0.6)


def test_without_others_a_fit_is_what_it_was():
    for beside_each in (None, [None], [Siblings(END, np.linspace(0.0, 1.0, LEAST))]):
        one = next(fits([run_of(early())], END, siblings=beside_each))
        alone = fit(run_of(early()), END)
        assert one.siblings is None
        assert one.warnings == alone.warnings
        assert one.forecasts == alone.forecasts
        assert one.asymptote == alone.asymptote
        assert one.verdict == alone.verdict
