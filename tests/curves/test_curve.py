import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.curves import Curve, Run, Series, canonical_unit
from rlscale.errors import CurveError


def test_is_frozen_and_owns_its_points():
    points = np.array([0.0, 1.0, 2.0])
    curve = Curve(compute=points, reward=[0.1, 0.2, 0.3])
    points[0] = -5
    assert curve.compute[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        curve.reward[0] = 1.0
    with pytest.raises(AttributeError):
        curve.unit = "tokens"


def test_read_only_input_is_accepted():
    compute = np.arange(3.0)
    compute.flags.writeable = False
    assert Curve(compute=compute, reward=compute / 10).n_points == 3


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"compute": [], "reward": []}, "the curve has no points; give at least one (compute, reward) row"),
        ({"compute": [1, 2], "reward": [0.1]}, "reward has 1 values for 2 computes; give one for each"),
        ({"compute": [1, 2], "reward": [0.1, np.nan]}, "reward nan at point 2 is not finite; remove the point"),
        ({"compute": [1, np.inf], "reward": [0.1, 0.2]}, "compute inf at point 2 is not finite; remove the point"),
        ({"compute": [-1, 2], "reward": [0.1, 0.2]}, "negative compute -1; compute counts up from 0"),
        (
            {"compute": [2, 1], "reward": [0.1, 0.2]},
            "compute 1 follows 2; sort the points and keep one for each compute",
        ),
        (
            {"compute": [1, 1], "reward": [0.1, 0.2]},
            "compute 1 follows 1; sort the points and keep one for each compute",
        ),
        (
            {"compute": [[1, 2]], "reward": [[0.1, 0.2]]},
            "compute has shape (1, 2); give one value for each evaluation, shape (n,)",
        ),
        (
            {"compute": [1], "reward": [0.1], "bounds": (1, 0)},
            "bounds 1 0 are not lowest < highest; give bounds=(LO, HI)",
        ),
        (
            {"compute": [1], "reward": [0.1], "sd": [0]},
            "sd must be positive and finite, got 0; leave it empty where unknown",
        ),
        (
            {"compute": [1], "reward": [0.1], "unit": "parsecs"},
            "unknown compute unit 'parsecs'; use one of gpu-hours, tokens, samples, steps, flops, dollars",
        ),
        (
            {"compute": [1, 2, 3], "reward": [12, 34, 61], "metric": "acc"},
            "reward 61 is outside the bounds [0, 1] of 'acc'; the values look like percent: give bounds=(0, 100)",
        ),
        (
            {"compute": [1, 2], "reward": [-0.7, 1.3]},
            "reward -0.7 is outside the bounds [0, 1] of 'reward'; the values run from -0.7 to 1.3: "
            "give bounds=(LO, HI) with the lowest and highest reward possible",
        ),
    ],
)
def test_bad_points(points, message):
    with pytest.raises(CurveError) as error:
        Curve(**points)
    assert str(error.value) == message


def test_slightly_outside_is_kept_and_counted():
    curve = Curve(compute=[0, 1, 2], reward=[-0.05, 0.5, 1.09])
    assert curve.n_outside == 2


def test_since_keeps_the_baseline():
    curve = Curve(compute=[0, 1, 2, 3], reward=[0.1, 0.2, 0.3, 0.4], n_eval=[8, 8, 16, 16])
    assert curve.since(2).compute.tolist() == [0, 2, 3]
    assert curve.since(2).n_eval.tolist() == [8, 16, 16]
    assert curve.until(1).compute.tolist() == [0, 1]


def test_units_have_one_spelling():
    assert [canonical_unit(u) for u in ("step", "Steps", "gpu_hours", "GPU-hours", "token", "FLOP")] == [
        "steps",
        "steps",
        "gpu-hours",
        "gpu-hours",
        "tokens",
        "flops",
    ]


@given(
    st.lists(st.tuples(st.floats(), st.floats()), max_size=12),
    st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)),
)
def test_any_points_are_a_curve_or_a_typed_error(points, bounds):
    try:
        curve = Curve(compute=[c for c, _ in points], reward=[r for _, r in points], bounds=bounds)
    except CurveError:
        return
    assert np.all(np.diff(curve.compute) > 0)
    assert np.all(np.isfinite(curve.reward))


def test_a_run_needs_its_identity():
    curve = Curve(compute=[1], reward=[0.1])
    with pytest.raises(CurveError, match=r"^a run needs a recipe; got ''$"):
        Run(name="a", recipe="", curve=curve)


def test_a_run_cannot_be_changed():
    run = Run(name="a", recipe="a", curve=Curve(compute=[1], reward=[0.1]), config={"lr": 1e-6})
    with pytest.raises(TypeError):
        run.config["lr"] = 1


def test_series_checks_its_shape():
    with pytest.raises(CurveError, match=r"^a series needs one value a step, got shapes \(2,\) and \(1,\)$"):
        Series([1, 2], [1])


def test_appended():
    curve = Curve(compute=[0, 1, 2], reward=[0.1, 0.2, 0.3])
    longer = curve.appended(3, 0.4)
    assert longer.compute.tolist() == [0, 1, 2, 3]
    assert longer.reward.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert longer.n_eval is None
    graded = longer.appended(4, 0.5, n_eval=300)
    assert np.isnan(graded.n_eval[:4]).all()
    assert graded.appended(5, 0.5).n_eval[4] == 300
    assert np.isnan(graded.appended(5, 0.5).n_eval[5])


def test_appended_goes_on():
    curve = Curve(compute=[0, 1, 2], reward=[0.1, 0.2, 0.3])
    for compute in (2, 1.5, float("nan")):
        with pytest.raises(CurveError, match="is not beyond the last one, 2 steps"):
            curve.appended(compute, 0.4)
