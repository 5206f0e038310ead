"""Detectors: known truths, and negative controls."""

import numpy as np
import pytest

from rlscale.health.channel import woven
from rlscale.health.detect import Span, change_points, long_run_sd, spans, theil_sen, trailing_median, trailing_trend


def test_a_span_needs_rows_in_a_row_and_ends_after_twice_as_many():
    condition = np.array([1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    assert spans(condition, persist=2) == (Span(2, 3, 7),)
    assert spans(condition[:9], persist=2) == (Span(2, 3, None),)
    assert spans(condition, persist=4) == ()


def test_a_recovery_may_need_more_than_not_to_be_ill():
    condition = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    calm = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    assert spans(condition, persist=2, calm=calm) == (Span(0, 1, 4),)


def test_a_trailing_median_looks_back_only():
    x = np.random.default_rng(0).normal(size=50)
    whole = trailing_median(x, 5)
    assert np.array_equal(whole[:30], trailing_median(x[:30], 5))


def test_theil_sen_is_unmoved_by_a_quarter_of_outliers_and_least_squares_is_not():
    rng = np.random.default_rng(1)
    x = np.arange(60.0)
    y = 0.5 * x + rng.normal(0, 1, 60)
    y[rng.permutation(60)[:15]] += 500
    slope, low, high = theil_sen(x, y)
    assert slope == pytest.approx(0.5, abs=0.15)
    assert low < slope < high
    assert abs(np.polyfit(x, y, 1)[0] - 0.5) > 0.15


def test_the_interval_of_theil_sen_holds_what_it_says():
    rng = np.random.default_rng(2)
    x = np.arange(24.0)
    held = [low <= 0.0 <= high for low, high in (theil_sen(x, rng.normal(size=24))[1:] for _ in range(600))]
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


def test_a_trailing_trend_is_theil_sen_of_the_rows_before():
    rng = np.random.default_rng(3)
    x, y = np.arange(40.0), rng.normal(size=40)
    slope, low, high = trailing_trend(x, y, 12)
    assert np.isnan(slope[:11]).all()
    assert (slope[30], low[30], high[30]) == theil_sen(x[19:31], y[19:31])


def test_change_points_date_a_step_and_find_none_in_noise():
    rng = np.random.default_rng(5)
    exact = none = 0
    for _ in range(200):
        x = rng.normal(size=100)
        none += change_points(x) == ()
        x[40:] += 4.0
        found = change_points(x)
        exact += len(found) == 1 and abs(found[0] - 40) <= 1
    assert exact >= 180
    assert none >= 180


def correlated(rng, n, rho):
    x = rng.normal(size=n)
    for k in range(1, n):
        x[k] = rho * x[k - 1] + np.sqrt(1 - rho**2) * x[k]
    return x


def test_correlated_noise_is_no_change():
    rng = np.random.default_rng(7)
    none = [change_points(correlated(rng, 200, 0.5)) == () for _ in range(100)]
    assert np.mean(none) >= 0.85


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_long_run_sd_is_that_of_sums(rho):
    rng = np.random.default_rng(8)
    found = np.median([long_run_sd(correlated(rng, 400, rho)) for _ in range(200)])
    assert found == pytest.approx(np.sqrt((1 + rho) / (1 - rho)), rel=0.15)


def test_two_runs_woven_into_one_log_are_told_from_noise():
    rng = np.random.default_rng(6)
    assert woven(np.tile([0.1, 0.6], 30) + rng.normal(0, 0.01, 60))
    assert not any(woven(rng.normal(size=60)) for _ in range(300))
