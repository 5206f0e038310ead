"""Open bounds as values, and what is assumed of bounds that nobody states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.curves import Curve, OpenBounds, assumed
from rlscale.curves.assumed import bounds_sentence
from rlscale.curves.bounds import frame_of, jitter, levels
from rlscale.errors import CurveError


def curve(*reward, bounds_from="open", because="values"):
    values = np.array(reward, dtype=float)
    compute = np.arange(1.0, values.size + 1)
    if bounds_from != "open":
        return Curve(compute=compute, reward=values, bounds_from=bounds_from)
    known = OpenBounds(lowest=values.min(), highest=values.max(), range=0.0, because=because)
    return Curve(compute=compute, reward=values, bounds_from="open", open=known)


def test_levels_are_medians_of_three():
    assert levels(np.array([0.0, 0.2, 9.0, 0.3, 0.4])) == (0.2, 0.4)
    assert levels(np.array([0.5, 0.1])) == (0.1, 0.5)


def test_jitter_is_the_sd_of_one_evaluation():
    rng = np.random.default_rng(0)
    assert jitter(rng.normal(0.0, 0.3, 4000)) == pytest.approx(0.3, rel=0.05)
    assert jitter(np.linspace(0.0, 5.0, 50)) == pytest.approx(0.0, abs=1e-12)
    assert jitter(np.array([1.0, 2.0])) == 0.0


def test_limits_and_frame():
    plain = OpenBounds(lowest=1.0, highest=3.0, range=1.0)
    assert plain.limits == (-1.0, 23.0)
    assert OpenBounds(lowest=1.0, highest=3.0, range=4.0).limits == (-3.0, 43.0)
    assert OpenBounds(lowest=1.0, highest=3.0, range=1.0, jitter=0.2).limits == (-7.0, 83.0)
    assert plain.frame == frame_of([plain]) == (0.5, 6.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lowest": 2.0, "highest": 1.0, "range": 1.0}, "levels 2 1 are not lowest <= highest; mend the rewards"),
        ({"lowest": 0.0, "highest": np.inf, "range": 1.0}, "levels 0 inf are not lowest <= highest; mend the rewards"),
        (
            {"lowest": 0.0, "highest": 1.0, "range": -1.0},
            "a range of -1 is none; give the spread of the rewards, 0 or more",
        ),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(CurveError) as caught:
        OpenBounds(**given)
    assert str(caught.value) == message


def test_a_curve_says_where_its_bounds_come_from():
    with pytest.raises(CurveError, match=r"^bounds from 'guess' are none; give one of option, metric, values"):
        Curve(compute=[1.0], reward=[0.5], bounds_from="guess")
    with pytest.raises(CurveError, match=r"^bounds from 'open' are none"):
        Curve(compute=[1.0], reward=[0.5], bounds_from="open")


def test_values_in_the_unit_interval_are_assumed_to_be_bounded_by_it():
    found = assumed([curve(0.1, 0.5, 0.9), curve(-0.02, 0.5, 1.02)])
    assert [(each.bounds, each.bounds_from) for each in found] == [((0.0, 1.0), "values")] * 2
    assert bounds_sentence(found[0]) == (
        "bounds [0, 1] assumed: all values lie in it; else give --bounds LO HI, or --bounds open"
    )


def test_one_run_outside_opens_all_of_them_with_one_range():
    a, b, c = assumed([curve(0.0, 0.1, 0.2, 0.3), curve(0.0, 0.5, 1.0, 1.5), curve(0.0, 1.0, 2.0, 3.0)])
    assert {each.bounds_from for each in (a, b, c)} == {"open"}
    assert {each.range for each in (a, b, c)} == {0.5}  # medians of 3 of the middle run: .5 and 1
    assert len({each.frame for each in (a, b, c)}) == 1
    assert bounds_sentence(a) == (
        "bounds open: nothing says what is possible, and values leave [0, 1] (--bounds LO HI states them); the typical "
        "rise of the runs, 0.5, is the unit of tolerance"
    )


@pytest.mark.parametrize("because", ["asked", "rewards", "share"])
def test_what_is_open_for_a_reason_stays_open(because):
    (found,) = assumed([curve(0.1, 0.5, 0.9, because=because)])
    assert (found.bounds_from, found.open.because) == ("open", because)


def test_stated_bounds_stay():
    stated = Curve(compute=[1.0, 2.0], reward=[0.2, 0.4], bounds=(0.0, 2.0))
    assert assumed([stated]) == [stated]
    assert bounds_sentence(stated) == ""


def test_constant_runs_have_no_range_and_still_limits():
    (found,) = assumed([curve(5.0, 5.0, 5.0, 5.0)])
    assert found.open.range == 0.0
    assert found.range == 1.0
    assert found.bounds[0] < 5.0 < found.bounds[1]


@given(st.floats(1e-3, 1e4), st.floats(-1e3, 1e3))
def test_an_affine_map_maps_open_bounds(a, b):
    reward = np.array([0.0, 0.3, 0.2, 0.7, 1.1, 1.4, 1.5, 1.7])
    one, other = curve(*reward, because="asked"), curve(*(a * reward + b), because="asked")
    one, other = (assumed([each])[0] for each in (one, other))
    size = a + abs(b)
    assert np.allclose(a * np.array(one.bounds) + b, other.bounds, atol=1e-9 * size)
    assert a * one.range == pytest.approx(other.range, abs=1e-9 * size)
