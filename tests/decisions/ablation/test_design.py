"""Which effects a set of settings can tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions.ablation.design import Design, DesignKind, design_of, weights_of
from rlscale.decisions.ablation.settings import knobs_of
from rlscale.errors import InputError

CURVE = Curve(compute=[1.0, 2.0, 3.0, 4.0], reward=[0.1, 0.2, 0.3, 0.35])


def design(*rows: str, knobs: str = "abc", baseline: str | None = None) -> Design:
    """Return the design of runs whose settings are written as ``010``."""
    runs = [
        Run(name=f"r{k}", recipe=f"r{k}", curve=CURVE, settings=dict(zip(knobs, row, strict=True)))
        for k, row in enumerate(rows)
    ]
    return design_of(runs, knobs_of(runs, {}).knobs, baseline)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (("000", "100", "010", "001"), DesignKind.LEAVE_ONE_OUT),
        (("000", "100", "200"), DesignKind.SWEEP),
        (("000", "100", "010", "110"), DesignKind.FACTORIAL),
        (("000", "110", "101", "111"), DesignKind.UNBALANCED),
    ],
)
def test_the_design_is_found(rows: tuple[str, ...], kind: DesignKind) -> None:
    assert design(*rows).kind is kind


def test_the_baseline_differs_in_one_knob_from_most() -> None:
    assert design("100", "010", "000", "001").baseline == 2
    assert design("100", "010", "000", "001", baseline="r0").baseline == 0
    with pytest.raises(InputError, match="baseline='x' is no run and no recipe; there are r0, r1"):
        design("000", "100", baseline="x")


def test_knobs_that_always_change_together_are_one_factor() -> None:
    found = design("000", "110", "001")
    assert [factor.knobs for factor in found.factors] == [("a", "b"), ("c",)]
    assert found.kind is DesignKind.LEAVE_ONE_OUT
    assert all(not each.tangled for each in found.comparisons)


def test_effects_that_no_contrast_shows_are_tangled() -> None:
    found = design("000", "110", "101")
    assert [each.tangled for each in found.comparisons] == [(1, 2), (0, 2), (0, 1)]
    assert weights_of(found, np.ones(3)) == [None, None, None]


def test_a_difference_of_two_cells_and_a_mean_over_the_other_knob() -> None:
    found = design("000", "100", "010", "001")
    first, *_ = weights_of(found, np.ones(4))
    np.testing.assert_allclose(first, [-1.0, 1.0, 0.0, 0.0], atol=1e-9)
    crossed = design("00", "10", "01", "11", knobs="ab")
    first, second = weights_of(crossed, np.ones(4))
    np.testing.assert_allclose(first, [-0.5, 0.5, -0.5, 0.5], atol=1e-9)
    np.testing.assert_allclose(second, [-0.5, -0.5, 0.5, 0.5], atol=1e-9)
    assert crossed.interactions == ((0, 1, 1, 1),)
    assert found.interactions == ()


def test_a_cell_without_a_usable_run_leaves_its_knob_unknown() -> None:
    found = design("000", "100", "010")
    first, second = weights_of(found, np.array([1.0, np.inf, 1.0]))
    assert first is None
    np.testing.assert_allclose(second, [-1.0, 0.0, 1.0], atol=1e-9)


def test_a_baseline_of_several_settings_is_refused() -> None:
    runs = [Run(name=f"r{k}", recipe="same", curve=CURVE, settings={"a": k}) for k in range(2)]
    with pytest.raises(InputError, match="'same' has runs of 2 different settings; name one of its runs"):
        design_of(runs, knobs_of(runs, {}).knobs, "same")
