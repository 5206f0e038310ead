"""Which settings are knobs."""

from __future__ import annotations

from typing import Any

import pytest

from rlscale.curves import Curve, Run, Source
from rlscale.decisions.ablation.settings import knobs_of
from rlscale.errors import InputError

CURVE = Curve(compute=[1.0, 2.0, 3.0, 4.0], reward=[0.1, 0.2, 0.3, 0.35])


def runs(*settings: dict[str, Any], config: dict[str, Any] | None = None, kind: str | None = None) -> list[Run]:
    source = None if kind is None else Source(path="x", format=kind, rows=4)
    return [
        Run(name=f"r{k}", recipe=f"recipe{k // 2}", curve=CURVE, settings=own, config=config or {}, source=source)
        for k, own in enumerate(settings)
    ]


def names(found: list[Run], **more: Any) -> list[str]:
    return [knob.name for knob in knobs_of(found, more.get("given", {}), more.get("named", ())).knobs]


def test_equal_values_are_equal_however_they_are_written() -> None:
    assert names(runs({"warmup": 3e-4, "b": 1}, {"warmup": "0.0003", "b": 2})) == ["b"]
    assert names(runs({"on": True, "b": 1}, {"on": "true", "b": 2})) == ["b"]


def test_seeds_names_and_hosts_are_no_knobs() -> None:
    own = [{"seed": k, "run_name": f"n{k}", "host": f"h{k}", "start_time": k, "warmup": k % 2} for k in range(4)]
    assert names(runs(*own)) == ["warmup"]


def test_what_differs_in_every_run_tells_runs_apart() -> None:
    found = knobs_of(runs(*({"x": f"v{k}", "warmup": k % 2} for k in range(4))), {})
    assert [knob.name for knob in found.knobs] == ["warmup"]
    assert found.notes == ("x has another value in every run: it tells runs apart and is no knob (--knob x)",)


def test_the_configuration_of_a_log_is_asked_for_by_its_key() -> None:
    own = runs({"warmup": 1}, {"warmup": 2}, kind="trl")
    nested = [
        Run(name=run.name, recipe=run.recipe, curve=CURVE, settings=run.settings, config={"a": {"b": k}},
            source=run.source)
        for k, run in enumerate(own)
    ]  # fmt: skip
    assert names(nested) == ["warmup"]
    assert set(names(nested, named=("warmup", "a.b"))) == {"warmup", "a.b"}


def test_settings_are_given_by_run_or_recipe() -> None:
    found = runs({}, {}, {}, {})
    assert names(found, given={"recipe0": {"warmup": 1}, "recipe1": {"warmup": 2}}) == ["warmup"]
    assert names(found, given={f"r{k}": {"warmup": k % 2} for k in range(4)}) == ["warmup"]
    with pytest.raises(InputError, match="'recipe00' is no run and no recipe; did you mean 'recipe0'"):
        names(found, given={"recipe00": {"warmup": 1}})


def test_runs_that_state_no_value_are_left_out_where_most_do() -> None:
    found = knobs_of(runs({"warmup": 1}, {"warmup": 2}, {"warmup": 1}, {}), {})
    assert found.kept == (0, 1, 2)
    assert found.lacking == ((3, "warmup"),)


def test_a_setting_that_few_runs_state_is_no_knob() -> None:
    found = knobs_of(runs({"x": 1, "warmup": 1}, {"x": 2, "warmup": 2}, *({"warmup": k % 2 + 1} for k in range(4))), {})
    assert [knob.name for knob in found.knobs] == ["warmup"]
    assert found.notes == ("x is stated by 2 of 6 runs: it is no knob here (--knob x)",)


@pytest.mark.parametrize(
    ("settings", "named", "said"),
    [
        (({}, {}), (), "no setting of the runs is known; give settings=F.csv"),
        (({"warmup": 1}, {"warmup": 1}), (), "no setting differs between the runs"),
        (({"warmup": 1, "b": 1}, {"warmup": 1, "b": 2}), ("warmup",), "knob='warmup' is the same in all runs"),
        (({"rate": 1}, {"rate": 2}), ("rat",), "knob='rat' is stated by no run; did you mean rate?"),
    ],
)
def test_errors(settings: tuple[dict[str, Any], ...], named: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError) as raised:
        names(runs(*settings), named=named)
    assert said in str(raised.value)
