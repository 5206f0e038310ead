"""Many curves at once, one more evaluation, and each curve alone: the same numbers."""

from itertools import count, islice

import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.errors import CurveError
from rlscale.inference.evidence import MAX_POINTS
from rlscale.inference.families import AVERAGED, FLAT, SIGMOID, WEIBULL
from rlscale.inference.forecast import forecast, forecasts
from rlscale.inference.posterior import posterior, posteriors

from .helpers import sigmoid_curve

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
FAMILIES = {"sigmoid": (SIGMOID,), "average": AVERAGED, "flat first": (FLAT, WEIBULL)}


def curves():
    """Lengths, schedules, noise and reach of every kind, two of each schedule."""
    rng = np.random.default_rng(8)
    made = []
    for k in range(48):
        n, ratio = int(rng.choice([6, 12, 40, 101])), float(rng.choice([0.4, 1.0, 3.0, 8.0]))
        for seed in (2 * k, 2 * k + 1):
            made.append(
                sigmoid_curve(ratio=ratio, n=n, sigma=0.02, rho=0.5 * (k % 2), start=0.1 * (k % 3 == 0), seed=seed)
            )
    steps = np.arange(30.0)
    plain = sigmoid_curve(ratio=4, n=30, sigma=0.02)
    graded = np.where(steps % 3, 400.0, np.nan)
    made += [
        Curve(compute=plain.compute, reward=plain.reward, sd=1.0 + 0.5 * np.sin(steps)),
        Curve(compute=plain.compute, reward=plain.reward, n_eval=graded),
        Curve(compute=steps, reward=0.004 + 0.002 * np.sin(1.7 * steps)),  # pressed against a bound, and flat
        Curve(compute=steps, reward=np.minimum(0.999, 0.5 + 0.05 * steps)),
        Curve(compute=steps, reward=0.4 + 0.01 * rng.normal(size=30)),
        Curve(compute=steps, reward=0.6 - 0.01 * steps),  # falls
        Curve(compute=steps, reward=np.full(30, 0.5)),
        Curve(compute=plain.compute, reward=plain.reward * 8 - 3, bounds=(-3.0, 5.0)),
    ]
    return made


def quantiles(found):
    """Of R0, A, B, C_mid, R(2x), R(8x), shape (7, 6), on the unit range and in logs."""
    low, span, last = found.curve.bounds[0], found.curve.range, found.curve.compute_last
    ahead = (found.reward([2.0 * last, 8.0 * last], model_error=True).T - low) / span
    values = ((found.baseline - low) / span, (found.asymptote - low) / span, np.log(found.exponent))
    return found.quantiles(np.stack([*values, np.log(found.midpoint / last), *ahead], axis=1), LEVELS)


@pytest.mark.parametrize("families", FAMILIES.values(), ids=FAMILIES)
def test_together_alone_and_updated_agree(families):
    made = curves()
    found = list(posteriors(made, families=families))
    assert [each.curve for each in found] == made
    for curve, together in zip(made, found, strict=True):
        alone = posterior(curve, families=families)
        assert quantiles(together) == pytest.approx(quantiles(alone), abs=1e-9)
        assert together.weights == pytest.approx(alone.weights, abs=1e-9)
        before = curve.select(np.arange(curve.n_points) < curve.n_points - 1)
        measured = {
            name: float(getattr(curve, name)[-1]) for name in ("sd", "n_eval") if getattr(curve, name) is not None
        }
        updated = posterior(before, families=families).update(curve.compute_last, curve.reward_last, **measured)
        assert quantiles(updated) == pytest.approx(quantiles(alone), abs=1e-9)


def test_quantiles_tell_curves_apart():
    """The negative control of the agreement above: another seed is far off."""
    one, other = posteriors([sigmoid_curve(seed=1), sigmoid_curve(seed=2)])
    assert np.abs(quantiles(one) - quantiles(other)).max() > 1e-3


def test_the_company_of_a_curve_does_not_matter():
    made = curves()
    there = {id(each.curve): quantiles(each) for each in posteriors(made, families=(SIGMOID,))}
    for found in posteriors(made[::-1], families=(SIGMOID,)):
        assert quantiles(found) == pytest.approx(there[id(found.curve)], abs=1e-9)


def test_same_input_gives_the_same_bits():
    made = curves()[:20]
    for one, other in zip(posteriors(made), posteriors(made), strict=True):
        assert np.array_equal(one.weight, other.weight)
        assert np.array_equal(one.asymptote, other.asymptote)


def test_curves_are_read_as_they_are_needed():
    read = []

    def endless():
        for k in count():
            read.append(k)
            yield sigmoid_curve(n=12, seed=k % 3)

    found = list(islice(posteriors(endless(), families=(SIGMOID,)), 3))
    assert len(found) == 3
    assert len(read) <= 64
    assert not list(posteriors(()))


def test_a_bad_curve_stops_where_it_stands():
    short = Curve(compute=[0, 1, 2, 3], reward=[0.1, 0.2, 0.3, 0.35])
    with pytest.raises(CurveError, match=r"^3 evaluations at compute above 0"):
        list(posteriors([sigmoid_curve(), short]))


def test_options_go_along_with_an_update():
    curve = sigmoid_curve(n=30)
    first = posterior(curve.select(np.arange(30) < 29), families=(WEIBULL,), model_error=0.05, count=512)
    updated = first.update(curve.compute_last, curve.reward_last)
    assert (updated.family, updated.model_error, updated.weight.size) == ("weibull", 0.05, 512)
    assert updated.curve.n_points == 30


def test_an_update_must_lie_beyond_the_last():
    found = posterior(sigmoid_curve(n=12))
    with pytest.raises(CurveError, match=r"^compute 2 is not beyond the last one, 2 steps$"):
        found.update(2.0, 0.5)
    with pytest.raises(CurveError, match="outside the bounds"):
        found.update(2.1, 1.5)


def test_an_averaged_curve_is_not_updated():
    found = posterior(sigmoid_curve(n=MAX_POINTS + 2, sigma=0.02))
    with pytest.raises(CurveError, match="averaged in blocks"):
        found.update(3.0, 0.5)


def test_forecasts_together_and_alone_agree():
    found = posterior(sigmoid_curve(ratio=4))
    targets = (5.0, 8.0, np.inf)
    together = forecasts(found, targets, at_least=0.58)
    assert together == tuple(forecast(found, target, at_least=0.58) for target in targets)


def test_ten_thousand_posteriors_fit_into_memory():
    """At most 80 KiB each, shared arrays not counted."""
    import tracemalloc

    made = [sigmoid_curve(n=100, seed=seed) for seed in range(40)]
    keep = list(posteriors(made[:8]))  # caches are filled
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    keep += posteriors(made[8:])
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / 32 < 80 * 1024
