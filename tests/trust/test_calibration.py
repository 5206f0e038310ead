from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rlscale.inference import VerdictName
from rlscale.trust.calibration import NOMINAL, binomial_band, reliability, risk_coverage, verdict_scores
from tests.trust.made import case, cases


def test_reliability_counts_what_each_level_holds() -> None:
    # quantiles are linear in the level: the interval of level L reaches half * L / .8 to either side
    shown = reliability([case(f"r{k}", 0.5, 0.5005 + 0.001 * k, 0.5, 0.08) for k in range(100)])
    expected = [np.mean(0.0005 + 0.001 * np.arange(100) <= 0.1 * level) for level in NOMINAL]
    assert shown.held == pytest.approx(expected)
    assert (shown.cases, shown.runs) == (100, 100)


def test_the_band_is_one_of_runs_not_of_cuts() -> None:
    both = [*cases(0.25), *cases(0.5)]
    assert reliability(both).low == reliability(cases(0.25)).low
    assert (reliability(both).cases, reliability(both).runs) == (16, 8)


@pytest.mark.parametrize("count", [1, 6, 22, 300])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_band_is_the_central_range_of_a_binomial_share(count: int, p: float) -> None:
    expected = stats.binom(count, p).ppf([0.05, 0.95]) / count
    assert binomial_band(count, p) == pytest.approx(tuple(expected))


def test_the_narrowest_intervals_are_kept_first() -> None:
    given = [case(f"r{k}", 0.5, 0.5, 0.5 + 0.01 * k, 0.02 + 0.01 * k) for k in (3, 0, 2, 1)]
    shown = risk_coverage(given)
    assert shown.kept == (0.75, 1.0)  # from three on
    assert shown.errors["rlscale"] == pytest.approx((0.01, 0.015))
    assert shown.errors["last_value"] == pytest.approx((0.05, 0.045))


def test_a_single_forecast_is_one_point() -> None:
    shown = risk_coverage([case("r", 0.5, 0.5, 0.52, 0.05)])
    assert shown.kept == (1.0,)
    assert shown.errors["rlscale"] == pytest.approx((0.02,))


def test_verdicts_from_what_supports_most() -> None:
    rows = verdict_scores(cases(0.25), 0.05)
    assert [(row.name, row.cases, row.held, row.within) for row in rows] == [
        (VerdictName.RESOLVED, 5, 4, 4),
        (VerdictName.PRE_INFLECTION, 3, 3, 3),
    ]
    assert rows[0].mean_abs_error == pytest.approx(0.028)


def test_of_very_many_forecasts_some_are_drawn() -> None:
    shown = risk_coverage([case(f"r{k}", 0.5, 0.5, 0.51, 0.001 * k) for k in range(2000)])
    assert len(shown.kept) == 240
    assert (shown.kept[0], shown.kept[-1]) == (3 / 2000, 1.0)
    assert shown.errors["rlscale"][-1] == pytest.approx(0.01)
