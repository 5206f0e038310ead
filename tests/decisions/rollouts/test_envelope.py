"""Record-breaking points and the envelope."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from rlscale.decisions.rollouts import record_breaking, rollouts
from tests.decisions.rollouts.projects import project, truth

points = st.lists(st.tuples(st.integers(1, 40), st.floats(0.0, 1.0)), min_size=1, max_size=60)


def running(compute, reward, at):
    """Highest reward up to each compute."""
    return np.array([max((r for c, r in zip(compute, reward, strict=True) if c <= a), default=-np.inf) for a in at])


@given(points, st.sampled_from([0.0, 0.01, 0.1]))
def test_the_filter_leaves_the_upper_envelope(several, width):
    compute, reward = (np.array(values, dtype=float) for values in zip(*several, strict=True))
    kept = record_breaking(compute, reward, width)
    gap = running(compute, reward, compute) - running(compute[kept], reward[kept], compute)
    assert np.all(gap >= 0.0)
    assert np.all(gap <= width)


@given(points)
def test_each_point_kept_breaks_the_record(several):
    compute, reward = (np.array(values, dtype=float) for values in zip(*several, strict=True))
    kept = record_breaking(compute, reward)
    assert np.all(np.diff(compute[kept]) > 0)
    assert np.all(np.diff(reward[kept]) > 0)
    for place in kept:
        assert np.all(reward[compute < compute[place]] < reward[place])


def test_pieces_follow_each_other_and_meet_where_the_curves_cross():
    result = rollouts(project()).classes[0]
    assert [piece.n for piece in result.envelope] == [8, 32, 128]
    assert [piece.start for piece in result.envelope[1:]] == [piece.end for piece in result.envelope[:-1]]
    assert result.envelope[-1].end == pytest.approx(1e6)
    crossing = brentq(lambda c: truth(128).reward([c])[0] - truth(32).reward([c])[0], 1e5, 1e6)
    assert result.envelope[2].start == pytest.approx(crossing, rel=0.15)
    assert all(item.reward < other.reward for item, other in zip(result.records, result.records[1:], strict=False))
    assert {record.n for record in result.records} <= {8, 32, 128, 512}
