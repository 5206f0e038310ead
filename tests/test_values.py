"""What every value promises: it pickles, copies and compares by what it holds; other pickles are refused."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass, replace
from multiprocessing import get_context
from types import MappingProxyType

import numpy as np
import pytest

import rlscale
from rlscale import errors
from rlscale.curves import Curve, Metric, Run, Series, Source
from rlscale.curves.value import Value, equal
from rlscale.decisions.gate.policy import Policy
from rlscale.inference.families import AVERAGED, FAMILIES, GATED, SIGMOID, Family
from rlscale.sources import bundled

#: Of a trainer that logs what it likes.
SERIES = Series([1.0, 2.0, 3.0], [np.nan, np.inf, -np.inf])
RUN = Run(
    name="a/seed3",
    recipe="a",
    curve=Curve(compute=[0.0, 1.0, 2.0], reward=[0.1, 0.2, 0.3], n_eval=[np.nan, 8.0, 8.0]),
    seed=3,
    model_params=7e9,
    config={"lr": 1e-6, "nested": {"list": [1, None, "x"]}},
    series={"loss\x00\ud800": SERIES},
    metrics={"entropy": Metric("entropy", "nats per token", SERIES)},
    settings={"learning_rate": 1e-6},
    source=Source("log.jsonl", "trl", 3, ("mended",), "trl"),
    warnings=("mind",),
)


@pytest.fixture(scope="module")
def results():
    runs = rlscale.read(bundled())
    fits = tuple(rlscale.fits(runs))
    budget = 2.0 * max(run.curve.compute_last for run in runs)
    return {
        "Run": runs[0], "Curve": runs[0].curve, "Posterior": fits[0].posterior, "Fit": fits[0],
        "Ranking": rlscale.rank(fits), "GateAnswer": rlscale.gate(runs, budget=budget),
        "Backtest": rlscale.backtest(runs), "Replay": rlscale.replay(runs), "Calibration": rlscale.calibrate(runs),
    }  # fmt: skip


def arrays(value):
    """Yield the arrays of a value and of all it holds, with where they stand."""
    if isinstance(value, np.ndarray):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from arrays(getattr(value, each.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from arrays(each)
    elif hasattr(value, "values"):
        for each in value.values():
            yield from arrays(each)


def check(value):
    for other in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert other is not value or isinstance(value, Family)
        assert type(other) is type(value)
        assert other == value
        if type(value).__hash__ is Value.__hash__:
            assert hash(other) == hash(value)
        for mine, its in zip(arrays(value), arrays(other), strict=True):
            assert its.dtype == mine.dtype
            assert mine.flags.writeable or not its.flags.writeable


NAMES = ("Run", "Curve", "Posterior", "Fit", "Ranking", "GateAnswer", "Backtest", "Replay", "Calibration")


@pytest.mark.parametrize("name", NAMES)
def test_results_pickle_and_copy(results, name):
    assert type(results[name]).__name__ == name
    check(results[name])


@pytest.mark.parametrize("value", [RUN, RUN.curve, SERIES, RUN.metrics["entropy"], RUN.source, Policy(), *GATED],
                         ids=lambda value: type(value).__name__)  # fmt: skip
def test_values_pickle_and_copy(value):
    check(value)


def test_arrays_and_mappings_are_read_only_again():
    for other in (pickle.loads(pickle.dumps(RUN)), copy.deepcopy(RUN)):
        for name in ("config", "series", "metrics", "settings"):
            assert isinstance(getattr(other, name), MappingProxyType)
        with pytest.raises(TypeError):
            other.settings["learning_rate"] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            other.curve.reward[0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            other.series["loss\x00\ud800"].value[0] = 1.0


def test_what_differs_is_not_equal():
    others = (replace(RUN, seed=4), replace(RUN, curve=RUN.curve.until(1.0)), replace(RUN, settings={}),
              replace(RUN, series={"loss": Series([1.0], [np.nan])}), replace(RUN, warnings=()))  # fmt: skip
    assert all(other != RUN for other in others)
    assert RUN != "a run"
    assert not equal(np.zeros(2), np.zeros(2, dtype=np.float32))
    assert not equal(np.zeros(2), (0.0, 0.0))


def test_a_fit_goes_to_another_process(results):
    runs = [results["Run"], RUN]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(copy.deepcopy, runs)) == runs
        (found,) = pool.map(rlscale.fit, runs[:1])
    alone = rlscale.fit(runs[0])
    assert found == alone
    assert np.array_equal(found.posterior.weight, alone.posterior.weight)


def test_a_family_keeps_its_functions_and_its_prior():
    for family in (*FAMILIES.values(), *AVERAGED, SIGMOID.within(0.5, shift=0.2)):
        other = pickle.loads(pickle.dumps(family))
        x, b = np.linspace(-3.0, 3.0, 7), np.full(7, 1.5)
        assert other == family
        assert np.array_equal(other.rise(x.copy(), b), family.rise(x.copy(), b))
        assert np.array_equal(other.slopes(x, b), family.slopes(x, b))
    mine = replace(SIGMOID, name="mine", rise=np.hypot)
    assert pickle.loads(pickle.dumps(mine)) == mine


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"name": "a", "recipe": "a"}, "it lacks curve, seed, model_params, config"),
        ({**RUN.__getstate__(), "flavour": 1}, "it holds flavour;"),
        (None, "it lacks name, recipe, curve"),
        ([1, 2], "it lacks name, recipe, curve"),
    ],
)
def test_a_pickle_of_another_release_is_refused_whole(state, said):
    half = object.__new__(Run)
    with pytest.raises(errors.InputError, match="read the logs again and make it anew") as caught:
        half.__setstate__(state)
    assert said in str(caught.value)
    assert half.__dict__ == {}


def test_a_pickle_without_a_field_cannot_be_loaded(monkeypatch):
    old = {name: value for name, value in SERIES.__getstate__().items() if name != "value"}
    monkeypatch.setattr(Series, "__getstate__", lambda _: old)
    written = pickle.dumps(SERIES)
    with pytest.raises(errors.InputError, match=r"^this pickle of a Series is of another release .* it lacks value; "):
        pickle.loads(written)


ERRORS = (
    errors.RlscaleError("x"), errors.InputError("x"), errors.CurveError("x"), errors.LedgerError("x"),
    errors.SourceError("p", "m", ["r"], "w"), errors.FormatError("p", "m"), errors.EmptyError("p", "m", ["r"]),
    errors.StoreError("s3://b/x", "m"),
    errors.ChoiceError("which", ["a", "b"]), errors.KeywordError("x", parameter="y"),
)  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_pickle_with_what_they_carry(error):
    assert {type(each).__name__ for each in ERRORS} >= set(errors.__all__) - {"hidden"}
    error.add_note("seen")
    for other in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert other.args == error.args
        assert other.__dict__ == error.__dict__
