"""The compiled kernel and numpy give the same posteriors; without the kernel numpy does all of it."""

import importlib.util
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlscale.curves import Curve
from rlscale.curves.assumed import opened
from rlscale.errors import InputError
from rlscale.inference import backend as engines
from rlscale.inference.backend import backend, backend_named
from rlscale.inference.backend.base import Jobs
from rlscale.inference.backend.compiled import LIBRARY, load
from rlscale.inference.evidence import evidence
from rlscale.inference.families import AVERAGED, FAMILIES, GATED, SIGMOID
from rlscale.inference.posterior import posterior
from rlscale.inference.priors import LEARNED, PRIORS, WalkPrior
from rlscale.inference.products import Curves
from rlscale.live.engine import engine

from .helpers import sigmoid_curve

ROOT = Path(__file__).parents[2]
needs_kernel = pytest.mark.skipif(load() is None, reason="the kernel is not built: no C compiler")


@pytest.fixture
def use(monkeypatch):
    """Return a function that chooses the backend."""
    return lambda name: monkeypatch.setenv("RLSCALE_BACKEND", name)


def graded(n=24):
    """A curve without an early evaluation whose evaluations are unlike precise."""
    curve = sigmoid_curve(n=n, start=0.2, sigma=0.02)
    return replace(curve, sd=np.random.default_rng(1).uniform(0.5, 2.0, n))


CURVES = {
    "few points": lambda: sigmoid_curve(n=5),
    "knots at evaluations": lambda: sigmoid_curve(n=13, sigma=0.02),
    "long": lambda: sigmoid_curve(n=150, sigma=0.01, rho=0.5),
    "graded, starts late": graded,
    "open bounds": lambda: opened([sigmoid_curve(n=30, sigma=0.02)], because="asked")[0],
    "at the upper bound": lambda: Curve(
        compute=np.arange(1.0, 21.0), reward=np.clip(0.97 + 0.03 * np.sin(np.arange(20.0)), 0, 1)
    ),
    "no learning": lambda: Curve(
        compute=np.arange(20.0), reward=0.3 + 0.01 * np.random.default_rng(3).standard_normal(20)
    ),
}


def answers(curve, families, model_error):
    fitted = posterior(curve, families=families, model_error=model_error)
    ahead = fitted.reward(np.array([1.0, 2.0, 8.0, np.inf]) * curve.compute_last, model_error=True)
    several = (*ahead.T, fitted.baseline, fitted.exponent, np.log(fitted.midpoint))
    quantiles = [fitted.quantiles(each, (0.05, 0.1, 0.5, 0.9, 0.95)) for each in several]
    return np.concatenate([*quantiles, list(fitted.weights.values())])


@needs_kernel
@pytest.mark.parametrize(("families", "error"), [((SIGMOID,), 0.0), (AVERAGED, None), (GATED, 0.0)])
@pytest.mark.parametrize("name", CURVES)
def test_posteriors_agree(name, families, error, use):
    curve = CURVES[name]()
    use("numpy")
    plain = answers(curve, families, error)
    use("compiled")
    assert answers(curve, families, error) == pytest.approx(plain, rel=2e-9, abs=1e-10)
    assert np.array_equal(answers(curve, families, error), answers(curve, families, error))  # to the last bit


def densities(name, data, families, priors):
    """Everything that a backend says of the shapes of a small grid of each family."""
    jobs = Jobs(Curves((data,), priors), families)
    over = backend_named(name).over(jobs)
    rng = np.random.default_rng(5)
    m = rng.uniform(-4.0, 3.0, (len(families), 37))
    log_b = np.stack([rng.uniform(*np.log(family.b_limits), 37) for family in families])
    rough, best = over.search(np.arange(len(families)), m, log_b, first=False)
    again, _ = over.search(np.arange(len(families)), m, log_b, first=True)
    assert np.array_equal(rough, again)
    return rough, best, over.weigh(m, log_b, best)


@needs_kernel
@pytest.mark.parametrize("walk", [True, False])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_densities_of_every_node_agree(family, walk):
    priors = LEARNED if walk else PRIORS
    data = evidence(graded(), early=True, walk=walk, priors=priors)
    numpy, compiled = (densities(name, data, (family,), priors) for name in ("numpy", "compiled"))
    assert compiled[0] == pytest.approx(numpy[0], abs=1e-8)
    assert compiled[1] == pytest.approx(numpy[1], abs=1e-8)
    one, other = numpy[2], compiled[2]
    for name in ("shape", "noise", "cut"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("log_weight", "mass"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-8, abs=1e-8)
    for name in ("scale", "gain", "gain_precision", "spread", "share", "level", "level_precision", "drift"):
        assert getattr(other.nodes, name) == pytest.approx(getattr(one.nodes, name), rel=1e-7, abs=1e-10)
    at = other.levels
    assert np.all(at.low <= at.high)
    z = np.stack([at.at_low, at.at_zero, at.at_high])
    theirs = np.stack([one.levels.at_low, one.levels.at_zero, one.levels.at_high])
    assert z[:, one.cut] == pytest.approx(theirs[:, one.cut], rel=1e-7, abs=1e-12)
    assert np.all((z >= 0.0) & (z <= 1.0))


@needs_kernel
def test_a_family_that_the_kernel_does_not_know_is_given_to_it(use):
    use("compiled")
    known, unknown = SIGMOID, replace(SIGMOID, compiled=None)
    curve = sigmoid_curve(n=22, sigma=0.02)
    assert answers(curve, (unknown,), 0.0) == pytest.approx(answers(curve, (known,), 0.0), abs=1e-9)


@needs_kernel
def test_more_noises_than_the_kernel_has_room_for_are_summed_by_numpy(use):
    many = tuple(np.linspace(0.0, 4.0, 30).tolist())
    priors = replace(LEARNED, walk=WalkPrior(amplitudes=many, weights=(1 / 30,) * 30))
    curve, found = sigmoid_curve(n=12, sigma=0.02), []
    for name in ("numpy", "compiled"):
        use(name)
        found.append(posterior(curve, families=AVERAGED, priors=priors))
    assert np.array_equal(found[0].asymptote, found[1].asymptote)


def test_the_engine_is_named(use):
    use("numpy")
    assert engine().endswith("+numpy")
    assert backend().name == "numpy"


def test_a_backend_that_is_not_there_is_refused(use, monkeypatch):
    use("fortran")
    with pytest.raises(
        InputError, match="RLSCALE_BACKEND=fortran is no engine; give compiled or numpy, or leave it out"
    ):
        backend()
    monkeypatch.setattr(engines, "load", lambda: None)
    backend_named.cache_clear()
    with pytest.raises(InputError, match="RLSCALE_BACKEND=compiled, but the kernel was not built: install again"):
        backend_named("compiled")
    assert backend_named("").name == "numpy"
    backend_named.cache_clear()


def test_a_library_of_another_version_or_none_is_not_used(tmp_path):
    assert load(str(tmp_path / "kernel.so")) is None
    (tmp_path / "kernel.so").write_bytes(b"not a library")
    assert load(str(tmp_path / "kernel.so")) is None
    source = tmp_path / "other.c"
    source.write_text("int rlscale_version(void) { return -1; }\n")
    if subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "other.so", source], check=False).returncode == 0:
        assert load(str(tmp_path / "other.so")) is None


def test_without_a_compiler_the_build_goes_on(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("build_kernel", ROOT / "build_kernel.py")
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    stale = tmp_path / "kernel.so"
    stale.write_bytes(b"of an earlier build")
    assert not hook.compiled(Path(LIBRARY).with_name("kernel.c"), stale)
    assert not stale.exists()
    assert "the kernel was not compiled, numpy takes its place" in capsys.readouterr().err
