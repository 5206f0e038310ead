"""Answers made by hand: what the renderers are tested on does not move when the engine does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rlscale.answers.settings import BadFile, Settings
from rlscale.answers.views import FitView, RankView, RunView
from rlscale.curves import Curve, Run, Source, Truth, simulate
from rlscale.decisions import Pair, PublishedCheck, Ranking, RecipeRank
from rlscale.inference import Forecast, Interval, Look, OverTime, Verdict, VerdictName
from rlscale.inference.pool import SeedSpread
from rlscale.left_out import LeftOut
from rlscale.sources import Grouping

RESOLVED = Verdict(VerdictName.RESOLVED, "The ceiling lies in 0.700 to 0.760 (80 %), no wider than 0.1.", "Act on it.")
EARLY = Verdict(
    VerdictName.PRE_INFLECTION,
    "The ceiling lies in 0.500 to 0.950 (80 %), wider than 0.1; the midpoint is passed with probability 0.42.",
    "Let it run on before acting on a ceiling.",
)
SCARCE = Verdict(
    VerdictName.TOO_FEW_POINTS,
    "Only 1 evaluation after the start; a fit needs 4.",
    "Evaluate more often, or let it run on.",
)


def forecast(compute: float, middle: float, half: float, p_at_least: float | None = None) -> Forecast:
    """A symmetric forecast with an 80 % interval of ``middle`` plus and minus ``half``."""
    return Forecast(
        compute=compute,
        q05=middle - 1.3 * half,
        q10=middle - half,
        q25=middle - 0.5 * half,
        q50=middle,
        q75=middle + 0.5 * half,
        q90=middle + half,
        q95=middle + 1.3 * half,
        mean=middle,
        resolved=half < 0.05,
        p_at_least=p_at_least,
    )


def run_view(name: str, recipe: str, verdict: Verdict, middle: float, half: float, seed: int | None = None) -> RunView:
    """A run of 41 steps with a ceiling of ``middle`` plus and minus ``half``."""
    interval = Interval(middle - half, middle, middle + half)
    return RunView(
        run=name,
        recipe=recipe,
        seed=seed,
        model_params=7e9,
        unit="steps",
        metric="eval_reward",
        bounds=(0.0, 1.0),
        n_points=41,
        compute_first=10.0,
        compute_last=400.0,
        reward_last=0.625,
        n_eval=1000.0,
        level_sd=0.0153,
        family="sigmoid",
        verdict=verdict,
        quantities={
            "R0": Interval(0.1, 0.11, 0.12),
            "A": interval,
            "B": Interval(1.2, 1.5, 1.9),
            "C_mid": Interval(90.0, 100.0, 120.0),
            "rho": Interval(0.0, 0.2, 0.4),
            "sigma": Interval(0.01, 0.012, 0.015),
            "A_average": interval,
        },
        resolves_at=None,
        weights={},
        p_past_midpoint=0.9971,
        forecasts=(forecast(800.0, middle - 0.05, half / 2), forecast(1600.0, middle - 0.02, half)),
        asymptote=forecast(np.inf, middle, half),
        fitted_last=400.0,
        warnings=("no unit in the table: compute is read as steps",),
        source=Source("runs.csv", "table", 41, ("2 duplicate rows dropped",)),
    )


def scarce_view(name: str = "started-today") -> RunView:
    """A run of which nothing was fitted."""
    return RunView(
        run=name,
        recipe=name,
        seed=None,
        model_params=None,
        unit="steps",
        metric="eval_reward",
        bounds=(0.0, 1.0),
        n_points=2,
        compute_first=10.0,
        compute_last=10.0,
        reward_last=0.12,
        n_eval=None,
        level_sd=None,
        family="sigmoid",
        verdict=SCARCE,
        quantities=dict.fromkeys(("R0", "A", "B", "C_mid", "rho", "sigma", "A_average")),
        resolves_at=None,
        weights={},
        p_past_midpoint=None,
        forecasts=(),
        asymptote=None,
        fitted_last=None,
        warnings=(),
        source=None,
    )


def runs() -> tuple[RunView, ...]:
    return (
        run_view("wide-clip/seed0", "wide-clip", RESOLVED, 0.73, 0.03, seed=0),
        run_view("wide-clip/seed1", "wide-clip", RESOLVED, 0.74, 0.03, seed=1),
        run_view(
            "a-recipe-with-a-really-long-name_and-many-parts/lr1e-6_kl0.001_group16_temperature1.0",
            "long-name",
            EARLY,
            0.7,
            0.22,
        ),
        scarce_view(),
    )


def settings() -> Settings:
    return Settings(command="rlscale rank runs.csv", options={"family": "sigmoid", "model_error": 0.02, "target": None})


def read_with() -> dict[str, object]:
    """What reading said of the runs together."""
    note = "Recipes: 3, by seed mark (`seed0`); --recipe '(.+)' would keep each run apart"
    return {
        "grouping": Grouping("seed_mark", 3, note),
        "left_out": (
            LeftOut(None, "torn.csv", "line 3 is torn; mend it", True),
            LeftOut("new", "n.csv", "empty", False),
        ),
        "errors": (BadFile("torn.csv", "line 3 is torn"),),
        "settings": settings(),
    }


def fit_answer() -> FitView:
    return FitView(runs=runs(), **read_with())


def over_time(view: RunView, looks: int = 14, target: float | None = None) -> OverTime:
    """How a run may have grown: early, then resolved but for one look; the last look is the run as it is."""
    asked = target is not None

    def look(k: int) -> Look:
        verdict = RESOLVED if k in (8, 10, 11, 12) else EARLY
        middle, half = 0.6 + 0.01 * k, 0.3 / (k + 1)
        interval = Interval(middle - half, middle, middle + half)
        ahead = Interval(middle - half - 0.02, middle - 0.02, middle + half - 0.02) if asked else None
        return Look(compute=40.0 + 10.0 * k, n_points=5 + k, verdict=verdict, ceiling=interval, forecast=ahead)

    now = Look(
        compute=view.compute_last,
        n_points=view.n_points,
        verdict=view.verdict,
        ceiling=view.quantities["A_average"],
        forecast=view.forecasts[-1].interval if asked and view.forecasts else None,
    )
    earlier = [] if view.asymptote is None else map(look, range(looks - 1))
    return OverTime(run=view.run, unit=view.unit, target=target, looks=(*earlier, now))


def grown_answer(runs_: tuple[RunView, ...], target: float | None = None) -> FitView:
    """The answer of ``fit --over-time``."""
    grown = tuple(replace(run, over_time=over_time(run, target=target)) for run in runs_)
    return FitView(runs=grown, settings=settings())


def rank_answer() -> RankView:
    """Two recipes that cannot be told apart, one of them an early-leader trap, and one that was not fitted."""
    level, other = Interval(0.69, 0.73, 0.77), Interval(0.42, 0.66, 0.9)
    recipes = (
        RecipeRank("wide-clip", ("wide-clip/seed0", "wide-clip/seed1"), RESOLVED, 0.81, 1, level,
                   Interval(1.2, 1.5, 1.9), level, 0.0123),
        RecipeRank("long-name", (runs()[2].run,), EARLY, 0.19, 1, other, Interval(0.8, 1.1, 1.6), other, 0.0871),
        RecipeRank("started-today", ("started-today",), SCARCE, None, None, None, None, None, None),
    )  # fmt: skip
    pair = Pair(
        "wide-clip", "long-name", 0.84, 512.0, "long-name", True, PublishedCheck(0.731, 0.735, True, 1.52, 1.11)
    )
    ranking = Ranking(1600.0, "steps", recipes, (pair,), SeedSpread(0.021, "replicates", 1), "recipes", ("a note",))
    return RankView(ranking=ranking, runs=runs(), **read_with())


def simulated(
    name: str, truth: Truth, points: int = 25, bounds: tuple[float, float] = (0.0, 1.0), seed: int = 3
) -> Run:
    """A run with known truth, an evaluation at 0 and every 10 steps."""
    curve = simulate(truth, 10.0 * np.arange(points), rng=np.random.default_rng(seed), bounds=bounds, n_eval=500)
    return Run(name=name, recipe=name, curve=curve, source=Source("sim.csv", "table", points))


def odd_runs() -> list[Run]:
    """One run of each kind that a renderer must survive."""
    rising = Truth(R0=0.1, A=0.7, B=1.6, C_mid=60.0, sigma=0.01)
    flat = Truth(R0=0.3, A=0.3, B=1.0, C_mid=50.0, sigma=0.01)
    up = simulated("fällt-später", rising, 30)
    fallen = np.where(up.curve.compute > 200, 0.25, up.curve.reward)
    collapsed = Curve(compute=up.curve.compute, reward=fallen, metric="reward")
    alone = Curve(compute=[0.0], reward=[0.2], metric="reward")
    return [
        simulated('<b>x</b> & "y"', rising),
        simulated("学习-flat", flat),
        Run(name="fällt-später", recipe="fällt-später", curve=collapsed),
        Run(name="one-row", recipe="one-row", curve=alone),
        Run(
            name="late",
            recipe="late",
            curve=simulated("late", rising, seed=5).curve.since(40.0).select(np.arange(22) > 0),
        ),
    ]
