import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.errors import InputError
from rlscale.inference.families import SIGMOID
from rlscale.inference.fit import FitOptions, fit, fits

from .helpers import sigmoid_curve


def runs():
    """Whole runs, one with too few points, one that collapses, one that leaves its bounds."""
    made = [sigmoid_curve(ratio=ratio, n=30, sigma=0.02, seed=k) for k, ratio in enumerate((0.5, 1.0, 2.0, 4.0, 8.0))]
    made.append(Curve(compute=[0, 1, 2], reward=[0.1, 0.2, 0.3]))
    whole = sigmoid_curve(ratio=6, n=40, sigma=0.01)
    made.append(Curve(compute=whole.compute, reward=np.where(whole.compute > 4, 0.05, whole.reward)))
    made.append(Curve(compute=whole.compute, reward=np.full(40, 1.06)))
    return [Run(name=f"run {k}", recipe="r", curve=curve) for k, curve in enumerate(made)]


def test_many_as_each_alone():
    made = runs()
    for one, alone in zip(fits(iter(made), (10.0,)), (fit(run, 10.0) for run in made), strict=True):
        assert one.run.name == alone.run.name
        assert one.verdict == alone.verdict
        assert one.warnings == alone.warnings
        for ours, theirs in zip(one.forecasts, alone.forecasts, strict=True):
            assert vars(ours) == pytest.approx(vars(theirs), abs=1e-9)
        assert (one.posterior is None) == (alone.posterior is None)
        if one.posterior is not None:
            assert one.asymptote.q50 == pytest.approx(alone.asymptote.q50, abs=1e-9)


def test_targets_of_their_own():
    made, options = runs()[:3], FitOptions(families=(SIGMOID,))
    found = list(fits(made, options=options, own_targets=[(3.0,), 5.0, ()]))
    assert [[each.compute for each in one.forecasts] for one in found] == [[3.0], [5.0], [4.0, 8.0]]
    assert [one.question for one in found] == [3.0, 5.0, np.inf]


def test_a_target_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"^target=-1 is not a compute above 0"):
        list(fits(runs(), -1.0))


def test_no_runs():
    assert not list(fits([]))
