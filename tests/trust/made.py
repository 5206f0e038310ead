"""Runs with known ends, and a backtest made by hand: what is tested on them does not move when the engine does."""

from __future__ import annotations

import numpy as np

from rlscale.answers.backtest import BacktestView, backtest_view
from rlscale.answers.settings import BadFile, Settings
from rlscale.curves import Curve, Run, Source, Truth, simulate
from rlscale.inference import FitOptions, Verdict, VerdictName
from rlscale.left_out import LeftOut
from rlscale.trust.backtest import cut_scores
from rlscale.trust.outcome import LEVELS, Backtest, Case, Skipped

RESOLVED = Verdict(VerdictName.RESOLVED, "The reward at 400 steps lies in 0.70 to 0.76 (80 %).", "Act on it.")
EARLY = Verdict(VerdictName.PRE_INFLECTION, "The reward at 400 steps lies in 0.5 to 0.9 (80 %).", "Let it run on.")


def rising(name: str, ceiling: float = 0.7, points: int = 40, seed: int = 0, sigma: float = 0.012) -> Run:
    """A run with an evaluation at 0 and one every 10 steps, noisy, past its midpoint early."""
    truth = Truth(R0=0.1, A=ceiling, B=1.6, C_mid=4.0 * points, sigma=sigma, rho=0.3)
    curve = simulate(truth, 10.0 * np.arange(points), rng=np.random.default_rng(seed))
    return Run(name=name, recipe=name.rsplit("-", 1)[0], curve=curve)


def several(count: int = 8, points: int = 40) -> list[Run]:
    """Runs whose ceilings differ."""
    return [rising(f"r-{k}", 0.4 + 0.05 * k, points, seed=k) for k in range(count)]


def on(compute: list[float], reward: list[float], name: str = "run", bounds: tuple[float, float] = (0.0, 1.0)) -> Run:
    """A run of exactly these points."""
    return Run(name=name, recipe=name, curve=Curve(compute=compute, reward=reward, bounds=bounds))


def case(run: str, cut: float, truth: float, middle: float, half: float, verdict: Verdict = RESOLVED) -> Case:
    """A case whose 80 % interval is ``middle`` plus and minus ``half``; the other methods are off by a little more."""
    return Case(
        run=run,
        recipe=run,
        cut=cut,
        n_seen=10,
        compute_seen=100.0,
        truth=truth,
        quantiles=tuple(middle + (level - 0.5) * half / 0.4 for level in LEVELS),
        crps=0.6 * abs(middle - truth) + 0.1 * half,
        noise_sd=0.01,
        jitter_sd=0.004,
        forecasts={
            "rlscale": middle,
            "last_value": middle - 0.06,
            "last3_mean": middle - 0.05,
            "linearised_grid": middle + 0.03,
            "scalerl_grid": truth,
            "least_squares": middle + 0.02,
        },
        verdict=verdict,
        warnings=("the fit covers the part up to the peak, 90 steps",) if run == "odd" else (),
    )


def cases(cut: float, count: int = 8) -> list[Case]:
    names = ["wide-clip/seed0", "<b>x</b>", "odd", *(f"r{k}" for k in range(3, count))]
    half = 0.08 * (1.0 - cut)
    # the third truth lies outside its interval
    return [
        case(name, cut, 0.5 + 0.03 * k, 0.5 + 0.03 * k + (0.1 if k == 2 else 0.01), half, RESOLVED if k % 3 else EARLY)
        for k, name in enumerate(names)
    ]


def answer(count: int = 8, cuts: tuple[float, ...] = (0.25, 0.5)) -> BacktestView:
    """A backtest of ``count`` runs at ``cuts``, a run skipped, a file left out and a repair."""
    result = Backtest(
        cuts=tuple(cut_scores(cut, cases(cut, count)[:count]) for cut in cuts),
        skipped=(
            Skipped("short", None, "9 evaluations; a backtest needs 12"),
            Skipped("late", 0.25, "2 evaluations after the start up to there; a fit needs 4"),
        ),
        bounds=(0.0, 1.0),
        metric="eval_reward",
        unit="steps",
        options=FitOptions(),
        left_out=(LeftOut("short", "", "9 evaluations; a backtest needs 12", False),),
    )
    repaired = Run(
        name="r3",
        recipe="r3",
        curve=Curve(compute=[0.0, 1.0], reward=[0.1, 0.2]),
        source=Source("runs.csv", "table", 41, ("2 duplicate rows dropped",)),
    )
    settings = Settings(command="rlscale backtest runs.csv", options={"family": "sigmoid", "cuts": list(cuts)})
    return backtest_view(result, [repaired], [BadFile("torn.csv", "line 3 is torn")], settings)
