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
    assert found.lacking == ((3, "it states no warmup; add it with --settings F.csv"),)


def test_an_unknown_setting_is_never_equal_to_a_known_one() -> None:
    # `clip` has one value, and blanks: those with the blanks are not seeds of the others
    blank = [{"warmup": 1, "clip": 0.2}, {"warmup": 2, "clip": 0.2}, {"warmup": 1}, {"warmup": 2, "clip": ""}]
    found = knobs_of(runs(*blank), {})
    assert [knob.name for knob in found.knobs] == ["warmup"]
    assert found.kept == (0, 1)
    assert {why for _, why in found.lacking} == {"it states no clip; add it with --settings F.csv"}


def test_the_few_runs_that_state_a_setting_are_left_out() -> None:
    found = knobs_of(runs({"x": 1, "warmup": 1}, {"x": 1, "warmup": 2}, *({"warmup": k % 2 + 1} for k in range(4))), {})
    assert [knob.name for knob in found.knobs] == ["warmup"]
    assert found.kept == (2, 3, 4, 5)
    assert found.lacking[0] == (
        0, "it states x, which most runs do not; add it with --settings F.csv for all, or --knob x"
    )  # fmt: skip
    assert found.notes == (
        "x is stated by 2 of 6 runs, left out; the others, which do not state it, may differ in it: no claims",
    )
    assert found.unstated == ("x",)
    assert knobs_of(runs({"x": 1}, {"x": 2}, *({} for _ in range(4))), {}, ("x",)).kept == (0, 1)


def test_what_no_two_runs_state_is_refused_with_names() -> None:
    halves = [{"a": 1}, {"a": 2}, {"b": 1}, {"b": 2}]
    with pytest.raises(InputError) as raised:
        knobs_of(runs(*halves), {})
    assert raised.value.on_command_line == (
        "nothing can be compared, as settings are not known: r0, r1 state no b; r2, r3 state no a; state each knob for "
        "all runs, with --settings F.csv"
    )
    with pytest.raises(InputError, match="r2, r3 state no a; r0, r1 do not differ; state each knob"):
        knobs_of(runs({"a": 1}, {"a": 1}, {}, {}), {})


def test_aliases_of_the_vocabulary_work() -> None:
    own = runs({"learning_rate": 1, "kl_coefficient": 0}, {"learning_rate": 2, "kl_coefficient": 0})
    assert knobs_of(own, {}, ("lr",)).named == ("learning_rate",)
    assert knobs_of(own, {}, ("Learning Rate",)).named == ("learning_rate",)
    assert names(runs({"lr": 1}, {"learning_rate": 2})) == ["learning_rate"]
    for asked, meant in (("learing_rate", "learning_rate"), ("lrr", "learning_rate"), ("betta", "kl_coefficient")):
        with pytest.raises(InputError, match=f"knob={asked!r} is stated by no run; did you mean {meant}\\?"):
            knobs_of(own, {}, (asked,))


def test_contradictions_between_what_is_given_are_refused() -> None:
    own = runs({}, {}, {}, {})
    with pytest.raises(InputError) as raised:
        knobs_of(own, {"recipe0": {"lr": 1}, "r0": {"learning_rate": 2}, "recipe1": {"lr": 2}})
    assert raised.value.on_command_line == (
        "--settings says two things of learning_rate of 'r0': 2, and 1 of its recipe 'recipe0'; keep one"
    )
    with pytest.raises(InputError, match="two things of learning_rate of 'r0': 1 and 2; keep one"):
        knobs_of(own, {"r0": {"lr": 1, "learning_rate": 2}})
    logged = knobs_of(runs({"lr": 1}, {"lr": 2}), {"r1": {"lr": 3}})
    assert logged.notes == ("learning_rate of r1 is 3, as given; its log says 2",)


def test_infinity_is_one_value_however_it_is_written() -> None:
    assert names(runs({"clip": float("inf"), "b": 1}, {"clip": "Infinity", "b": 2})) == ["b"]


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
