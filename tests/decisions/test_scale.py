"""Many runs: the same numbers as few, whatever the way there."""

import json
import os
import pickle
import signal
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from click.testing import CliRunner

from rlscale.cli import main
from rlscale.curves import Curve, Run, Truth, simulate
from rlscale.decisions import rank, rank_runs
from rlscale.decisions import team as teams
from rlscale.decisions.contender import Contender
from rlscale.decisions.rank import _blocks
from rlscale.decisions.runs import by_recipe as grouped
from rlscale.decisions.waiting import Waiting
from rlscale.errors import InputError
from rlscale.inference import FitOptions, Refits, fit, fits
from rlscale.inference.ahead import Aftermath
from rlscale.inference.best import best
from rlscale.inference.evidence import evidence
from rlscale.inference.families import SIGMOID
from rlscale.inference.median import median_curve
from rlscale.inference.pool import Level, pooled_level
from rlscale.inference.posterior import posterior
from rlscale.inference.quantiles import weighted_quantiles
from rlscale.inference.shapes import shapes_of
from rlscale.inference.walk_before import mean_before
from rlscale.render.json import dumps
from rlscale.render.simulated import table_csv


def numbers():
    """The same random numbers for whoever asks, whichever tests ran before."""
    return np.random.default_rng(17)


#: The module; the function of the same name hides it.
RANK = import_module("rlscale.decisions.rank")


def made(count, *, seeds=1, points=14, uneven=False):
    """Runs of ``count`` recipes with ``seeds`` each, of one length or of several."""
    runs, rng = [], numbers()
    for recipe in range(count):
        for seed in range(seeds):
            last = 4.0 + (recipe * 7 + seed) % 5 if uneven else 4.0
            truth = Truth(R0=0.1, A=rng.uniform(0.4, 0.8), B=1.6, C_mid=rng.uniform(0.5, 2.0), sigma=0.01)
            curve = simulate(truth, np.linspace(0.0, last, points), rng=rng)
            runs.append(Run(name=f"r{recipe}-s{seed}", recipe=f"r{recipe}", curve=curve))
    return runs


def fallen(name, recipe):
    curve = simulate(Truth(R0=0.1, A=0.6, B=1.6, C_mid=1.0, sigma=0.01), np.linspace(0, 4, 20), rng=numbers())
    reward = np.where(np.arange(20) > 14, 0.12, curve.reward)
    return Run(name=name, recipe=recipe, curve=Curve(compute=curve.compute, reward=reward))


def short(name, recipe):
    return Run(
        name=name, recipe=recipe, curve=Curve(compute=[0.0, 1.0], reward=[0.1, 0.2]), warnings=("no unit is stated",)
    )


@pytest.fixture(scope="module")
def many():
    """More recipes than are compared each with each; of different lengths, some with failed or bare seeds."""
    return [
        *made(53, seeds=2, uneven=True),
        fallen("r0-fallen", "r0"),
        short("r1-short", "r1"),
        short("bare", "bare"),
    ]


@pytest.fixture(scope="module")
def plain(many):
    return rank(list(fits(many)))


def test_without_keeping_the_fits_the_ranking_is_the_same(many, plain):
    found, outcomes = rank_runs(many)
    assert found == plain
    assert [(one.verdict, one.warnings) for one in outcomes] == [(one.verdict, one.warnings) for one in fits(many)]
    assert [one.fitted for one in outcomes].count(False) == 2


def test_two_processes_give_the_numbers_of_one_to_the_last_bit(many, plain, monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 20)  # several blocks
    done = []
    found, outcomes = rank_runs(many, jobs=2, watch=lambda so_far, total: done.append((so_far, total)))
    assert found == plain
    assert outcomes == rank_runs(many)[1]
    assert all(total == len(many) for _, total in done)
    assert [so_far for so_far, _ in done] == sorted(so_far for so_far, _ in done)


def test_a_given_target_options_and_the_asymptote(monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 3)
    runs, options = made(4, seeds=2), FitOptions(families=(SIGMOID,))
    for target in (9.0, np.inf):
        expected = rank(list(fits(runs, target, options)), target=target, seed_sd=0.05)
        for jobs in (1, 2):
            assert rank_runs(runs, options, target=target, seed_sd=0.05, jobs=jobs)[0] == expected


def test_pairs_past_fifty_recipes_are_with_the_best_and_all_where_asked(many, plain):
    assert len(plain.pairs) == 52
    assert {pair.a for pair in plain.pairs} == {plain.recipes[0].recipe}
    assert all(pair.published is None for pair in plain.pairs)
    few = made(12, uneven=True)
    every = rank_runs(few, all_pairs=True, jobs=2)[0]
    assert len(every.pairs) == 66
    assert every.pairs[0].published is not None
    assert every == rank(list(fits(few)))


def test_early_leaders_are_those_of_every_pair_apart():
    runs = made(5, seeds=2, uneven=True)
    found = rank(list(fits(runs)))
    by_recipe = {name: [fit(runs[k]).posterior for k in places] for name, places in grouped(runs).items()}
    for pair in found.pairs:
        ends = [one.curve.compute_last for name in (pair.a, pair.b) for one in by_recipe[name]]
        means = {
            name: np.mean([one.mean(one.reward([min(ends)])[:, 0]) for one in by_recipe[name]])
            for name in (pair.a, pair.b)
        }
        assert pair.early_leader == (pair.a if means[pair.a] >= means[pair.b] else pair.b)


def test_nothing_fitted_ranks_nothing():
    runs = [short("a", "a"), short("b", "b")]
    found, outcomes = rank_runs(runs)
    assert found == rank([fit(run) for run in runs])
    assert [row.p_best for row in found.recipes] == [None, None]
    assert found.pairs == ()
    assert not any(one.fitted for one in outcomes)


def test_p_best_of_hundreds_of_levels_is_that_of_all_their_draws():
    rng = numbers()
    levels = [Level(np.sort(rng.normal(0.5, 0.05, 2048) + 0.0005 * k), np.full(2048, 1 / 2048)) for k in range(300)]
    p_best, regret = np.array(best(levels)).T
    assert p_best.sum() == pytest.approx(1.0)
    sampled = np.stack([rng.permutation(level.values) for level in levels])
    wins = np.bincount(np.argmax(sampled, axis=0), minlength=300) / 2048
    assert p_best[-100:].sum() == pytest.approx(wins[-100:].sum(), abs=0.04)
    assert regret[0] == pytest.approx(np.mean(sampled.max(axis=0) - sampled[0]), abs=0.003)


def test_blocks_keep_recipes_together_and_do_not_depend_on_processes(many):
    groups = grouped(many)
    blocks = _blocks(many, groups)
    assert [number for block in blocks for number in block] == list(range(len(groups)))
    assert sum(len(curves) for block in blocks for curves in block.values()) == len(many)


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_processes(jobs):
    with pytest.raises(InputError, match=f"jobs={jobs} is not a number of processes"):
        rank_runs(made(2), jobs=jobs)


def test_families_that_cannot_be_sent(monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 1)
    mine = FitOptions(families=(replace(SIGMOID, rise=lambda x, b: SIGMOID.rise(x, b), compiled=None),))
    with pytest.raises(InputError, match=r"^the families of 'sigmoid' cannot be sent .* or give jobs=1$"):
        rank_runs(made(2), mine, jobs=2)
    assert rank_runs(made(2), mine)[0].recipes


def test_families_with_another_prior_are_sent(monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 1)
    mine = FitOptions(families=(SIGMOID.within(1.0, shift=0.1),))
    runs = made(2)
    assert rank_runs(runs, mine, jobs=2) == rank_runs(runs, mine)


def test_a_process_that_is_ended_is_said(monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 1)
    started = []
    plain_start = teams._Remote.__init__

    def start(self, *args):
        plain_start(self, *args)
        started.append(self._process.pid)
        os.kill(self._process.pid, signal.SIGKILL)

    monkeypatch.setattr(teams._Remote, "__init__", start)
    with pytest.raises(InputError, match="a process that fits runs has ended"):
        rank_runs(made(60), jobs=2)
    assert started


def test_a_posterior_that_waits_is_the_same_in_less_memory():
    fitted = posterior(made(1)[0].curve)
    waiting = Waiting()
    packed = [waiting.packed(fitted) for _ in range(300)]  # more than one piece of memory
    own = ("weight", "baseline", "gain", "drift", "innovation", "column", "row", "noise_cell")
    assert sum(getattr(packed[0].draws, name).nbytes for name in own) <= 24 * fitted.weight.size
    for one in (packed[0], packed[-1]):
        whole, grid = one.unpacked(), np.linspace(0.5, 20.0, 9)
        assert whole.weight.sum() == pytest.approx(1.0, abs=1e-12)
        assert whole.expected([1.0, 9.0, np.inf]) == pytest.approx(fitted.expected([1.0, 9.0, np.inf]), abs=1e-6)
        assert median_curve([whole], grid) == pytest.approx(median_curve([fitted], grid), abs=1e-5)
        level, same = pooled_level([whole], 9.0, 0.03).interval, pooled_level([fitted], 9.0, 0.03).interval
        assert (level.q10, level.q50, level.q90) == pytest.approx((same.q10, same.q50, same.q90), abs=1e-5)
        assert whole.component("sigmoid").exponent.size == fitted.component("sigmoid").exponent.size


def test_the_median_curve_is_that_of_a_few_draws_of_the_posterior():
    first, second = (posterior(run.curve) for run in made(2))
    alone = posterior(made(1)[0].curve, families=(SIGMOID,))
    left = first.after(Aftermath(now=0.2, on_floor=False))
    grid = np.geomspace(0.1, 20.0, 40)
    for runs in ([first, second], [alone], [left]):
        few = [run.thinned(257).expected(grid) for run in runs]
        medians = np.mean([np.median(values, axis=0) for values in few], axis=0)
        curve, past = median_curve(runs, grid), grid < first.curve.compute_last
        assert medians[~past] == pytest.approx(curve[~past], abs=1e-9)
        # before the last evaluation of a learned model error it is the mean, which is all but the median there
        assert medians[past] == pytest.approx(curve[past], abs=0.1 * float(few[0][:, past].std(axis=0).max()))


def test_the_mean_before_the_last_evaluation_is_that_of_the_walks_drawn():
    fitted = posterior(made(1, points=30)[0].curve)
    draws, grid = fitted.draws.thinned(1023), np.array([0.2, 0.7, 1.5, 3.0])
    centred = replace(draws, model=np.zeros_like(draws.model))  # without what the regression leaves
    thin, ahead = replace(fitted, draws=centred), np.log(grid / fitted.curve.compute_last)
    data, shapes = evidence(fitted.curve, early=True, walk=True, priors=fitted.priors), shapes_of(centred)
    rises = shapes.rises(fitted.families, data.schedule.log_compute).T
    weighted = rises if data.schedule.weight is None else rises * data.schedule.weight
    mean = mean_before(data.walk, centred, shapes, weighted, ahead)
    assert mean == pytest.approx(thin.walk(grid).mean(axis=0) / fitted.curve.span, abs=1e-9)
    assert np.abs(mean).max() > 1e-4


def test_each_shape_of_the_draws_rises_as_they_do():
    found = posterior(made(1)[0].curve)
    shapes, ahead = shapes_of(found.draws), np.linspace(-3.0, 3.0, 7)
    assert shapes.m.size < found.draws.m.size / 4
    rises = shapes.rises(found.families, ahead).take(shapes.place, axis=1)
    law = found.baseline + found.curve.span * found.draws.gain * rises
    assert law.T == pytest.approx(found.reward(found.curve.compute_last * np.exp(ahead)), abs=1e-12)


def test_levels_of_several_runs_share_their_weights_wherever_they_are_sent():
    level = pooled_level([posterior(run.curve) for run in made(1, seeds=2)], 9.0, 0.03)
    other = pickle.loads(pickle.dumps(level))
    assert other.weight is level.weight
    assert np.array_equal(other.values, level.values)
    alone = pooled_level([posterior(made(1)[0].curve)], 9.0, 0.03)
    assert np.array_equal(pickle.loads(pickle.dumps(alone)).weight, alone.weight)


def test_a_recipe_is_better_where_its_probability_says_so():
    rng = numbers()

    def contender(middle, even):
        values = np.sort(np.minimum(rng.normal(middle, 0.03, 300), 1.0))
        weight = np.full(300, 1 / 300) if even else rng.dirichlet(np.ones(300))
        return Contender("r", None, Level(values, weight), None, None, None, 0.0, 0.0, None)

    several = [contender(rng.uniform(0.7, 0.9), k % 2) for k in range(40)]
    for one in several:
        for other in several:
            assert one.is_better(other, 0.95) == (one.p_better(other) >= 0.95)


def test_at_infinity_every_family_has_risen_wholly():
    found = posterior(made(1)[0].curve)
    assert np.array_equal(found.reward([np.inf])[:, 0], found.asymptote)
    mixed = found.reward([1.0, np.inf, 2.0])
    assert np.array_equal(mixed[:, [0, 2]], found.reward([1.0, 2.0]))


def test_the_interval_and_the_cdf_of_a_level_with_ties():
    rng = numbers()
    values = np.sort(np.minimum(rng.normal(0.9, 0.1, 500), 1.0))
    weight = np.full(500, 1 / 500)
    level = Level(values, weight)
    low, middle, high = weighted_quantiles(values, weight, (0.1, 0.5, 0.9))
    assert (level.interval.q10, level.interval.q50, level.interval.q90) == (low, middle, high)
    at = np.array([0.5, values[10], 1.0, 2.0])
    expected = [0.5 * (np.sum(weight[values < x]) + np.sum(weight[values <= x])) for x in at]
    assert level.cdf(at) == pytest.approx(expected, abs=1e-12)


def test_fits_made_when_asked_for():
    runs = made(3)
    lazy = Refits(runs, 9.0)
    assert len(lazy) == 3
    assert lazy[1] is lazy[1:2][0]
    assert lazy[-1].run is runs[2]
    assert lazy[0].forecasts == fit(runs[0], 9.0).forecasts
    with pytest.raises(IndexError):
        lazy[3]


@pytest.mark.parametrize("way", [["--json"], []])
def test_the_command_says_the_same_with_any_number_of_processes(way, tmp_path, monkeypatch):
    monkeypatch.setattr(RANK, "TOGETHER", 5)
    path = tmp_path / "runs.csv"
    path.write_text(table_csv(made(8, seeds=2)), encoding="utf-8")
    said = [CliRunner().invoke(main, ["rank", str(path), "--jobs", jobs, *way]) for jobs in ("1", "2")]
    assert said[0].exit_code == 0
    assert said[0].stdout == said[1].stdout
    assert CliRunner().invoke(main, ["rank", str(path), *way]).stdout == said[0].stdout


def test_a_document_in_pieces_is_the_document_as_a_whole():
    for document in (
        {},
        {"a": [], "b": {}, "c": None},
        {"schema": 1, "runs": [{"run": 'x"\n\\n', "q": [1.0, float("nan")], "of": {}}, [], 3], "é": {"k": [1]}},
    ):
        whole = json.loads(dumps(document))
        assert dumps(document) == json.dumps(whole, indent=2, ensure_ascii=False)
