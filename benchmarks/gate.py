"""The gate beside the stoppers in use today: compute used, best kept, regret, wrong stops; on pools and real runs.

Tournaments of 8 runs drawn from pools of 240 simulated runs (``pools``) with known rewards at the horizon, and from
public archives. *Cost* is the share of the compute of running everything; *kept* the share of tournaments in which a
run truly within .02 of the best finished; *wrong* the rest. The study that the gate starts from is played as ``study``:
the sigmoid alone, alpha .05, two looks always; both are shown over alpha, so that they can be compared at equal
compute. Errors of forecasts that runs have in common are put in by hand and the gate told or not told of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.archives import VALIDATION, archives, replayed
from benchmarks.common import Report, main
from benchmarks.equal_compute import equal_compute, outcome
from benchmarks.pools import CLEAN, DIRTY, POOLS, STARTS, pool
from rlscale.curves import Run, Truth, simulate
from rlscale.decisions.gate import HOLD, Gate
from rlscale.decisions.gate.history import History
from rlscale.decisions.gate.outlook import STEP, Outlook
from rlscale.decisions.gate.prospect import left
from rlscale.decisions.gate.registry import POLICIES
from rlscale.inference.families import SIGMOID
from rlscale.inference.fit import FitOptions
from rlscale.trust.arena import Arena, Setting, arena
from rlscale.trust.discrepancy import calibrate
from rlscale.trust.replay import PolicyScores, draws, scores
from rlscale.trust.scores import binomial_interval
from rlscale.trust.tournament import Entrant, play

ALPHAS = (0.02, 0.05, 0.1, 0.2)
STUDY = Gate(replace(HOLD, name="study", alpha=0.05, sure=0.0))
COLUMNS = ["source, policy", "cost", "kept 0", "kept .01", "kept .02", "regret", "wrong %", "95 %", "resumes", "rounds"]
#: What a guard is worth: the gate without it.
WITHOUT = {
    "as it is": HOLD,
    "alpha .05": replace(HOLD, alpha=0.05),
    "alpha .1": replace(HOLD, alpha=0.1),
    "alpha .2": replace(HOLD, alpha=0.2),
    "always two looks": replace(HOLD, sure=0.0),
    "one look": replace(HOLD, patience=1),
    "no minimum": replace(HOLD, minimum_share=0.0, minimum_evaluations=4),
    "no late-start guard": replace(HOLD, late_until=0.0),
    "late starts without asking rivals": replace(HOLD, late_factor=0.0),
    "no probe": replace(HOLD, probe_share=0.0),
    "no keep-top": replace(HOLD, keep_top=0.0),
    "no drift inflation": replace(HOLD, drift_largest=1.0),
    "no discrepancy": replace(HOLD, discrepancy=0.0),
    "discrepancy .04": replace(HOLD, discrepancy=0.04),
}


def measure(quick: bool) -> Report:
    """Run the benchmark."""
    report = Report("gate", "What does the gate spend, keep and lose, beside the stoppers in use today?")
    count, many = (48, 30) if quick else (240, 200)
    most = max(many // 2, 20)
    arenas = {name: _pool(name, count) for name in POOLS}
    real = {name: arena(runs) for name, runs in replayed().items()}
    everything = {**arenas, **real}
    found = _policies(report, everything, many)
    _checks(report, found)
    _lost(report, arenas, count, many)
    equal_compute(report, everything, many)
    _study(report, arenas, count, most)
    guarded = ("trap16", "dirty16", "steep16", "hopeless16", VALIDATION.name, "rohunagrawal mean")
    _guards(report, {name: everything[name] for name in guarded if name in everything}, most)
    _costs(report, arenas["indep16"], most)
    _correlated(report, arenas["indep16"], 20 if quick else 120)
    _seeds(report, 12 if quick else 60, most)
    _calibrated(report, most)
    return report


def _pool(name: str, count: int, options: FitOptions | None = None) -> Arena:
    made = pool(name, count)
    return arena(made.runs, truths=made.truths, options=options)


def _places(held: Arena, most: int) -> list[tuple[int, ...]]:
    return list(draws(len(held.contenders), 8, most))


def _row(one: PolicyScores) -> list[str]:
    return [
        f"{one.cost:.3f}",
        *(f"{kept:.3f}" for kept in one.kept),
        f"{one.regret:.4f}",
        f"{100 * one.wrong:.1f}",
        f"{100 * one.wrong_low:.1f} to {100 * one.wrong_high:.1f}",
        f"{one.resumes:.1f}",
        f"{one.rounds:.1f}",
    ]


def _policies(report: Report, arenas: dict[str, Arena], most: int) -> dict[str, dict[str, PolicyScores]]:
    table = report.table(f"all policies, {most} tournaments of 8 (rounds: a run has 24)", COLUMNS)
    found: dict[str, dict[str, PolicyScores]] = {}
    for source, held in arenas.items():
        places = _places(held, most)
        found[source] = {name: scores(held, policy, places) for name, policy in POLICIES.items()}
        for name, one in found[source].items():
            table.add(f"{source}, {name}", *_row(one))
    return found


def _checks(report: Report, found: dict[str, dict[str, PolicyScores]]) -> None:
    easy = [found[name]["hold"] for name in ("indep16", "tie16", "pub16", "indep50")]
    cost = float(np.mean([one.cost for one in easy]))
    kept = min(one.kept[2] for one in easy)
    report.check("indep16, tie16, pub16, indep50: kept .02, least", f"{kept:.3f}", ">= .98", kept >= 0.98)
    report.check("the same, mean cost", f"{cost:.3f}", "<= .55", cost <= 0.55)
    highest = max(one.cost for one in easy)
    report.check("the same, highest cost", f"{highest:.3f}", "<= .64", highest <= 0.64)
    asked = (
        ("trap16", 0.97, 0.63), ("dirty16", 0.96, 0.53), (VALIDATION.name, 1.0, 0.59), ("creep-math", 0.98, 0.62),
    )  # fmt: skip
    for source, least, dear in asked:
        if source in found:
            one = found[source]["hold"]
            report.check(f"{source}: kept .02", f"{one.kept[2]:.3f}", f">= {least}", one.kept[2] >= least)
            report.check(f"{source}: cost", f"{one.cost:.3f}", f"<= {dear}", one.cost <= dear)
    steep = found["steep16"]["hold"]
    report.check("steep16: kept .02", f"{steep.kept[2]:.3f}", ">= 0.97", steep.kept[2] >= 0.97)
    for source in CLEAN:
        one = found[source]["hold"]
        report.check(
            f"{source}: wrong stops", f"{100 * one.wrong:.1f} %", f"<= {100 * HOLD.alpha:g} %", one.wrong <= HOLD.alpha
        )


def _lost(report: Report, arenas: dict[str, Arena], count: int, most: int) -> None:
    """Count by the kind of the best run in how many tournaments no run within .02 of it was kept."""
    table = report.table("tournaments lost, by what the best run was", ["source, best run", "tournaments", *POLICIES])
    idle = report.table("hopeless16: share of the horizon that runs of each kind were given", ["kind", *POLICIES])
    for source in (*DIRTY, *STARTS):
        held, kinds = arenas[source], pool(source, count).kinds
        places = _places(held, most)
        best = [kinds[max(drawn, key=lambda k: held.truths[k])] for drawn in places]
        came = {name: outcome(held, policy, places) for name, policy in POLICIES.items()}
        for kind in sorted(set(best)):
            own = np.array([one == kind for one in best])
            lost = [str(int(np.sum(1.0 - one.kept[own]))) for one in came.values()]
            table.add(f"{source}, {kind}", str(int(own.sum())), *lost)
        if source == "hopeless16":
            looks = len(held.contenders[0].looks)
            for kind in sorted(set(kinds)):
                spent = [
                    [played.done[at] / looks for drawn, played in zip(places, one.played, strict=True)
                     for at, k in enumerate(drawn) if kinds[k] == kind]
                    for one in came.values()
                ]  # fmt: skip
                idle.add(kind, *(f"{np.mean(own):.3f}" for own in spent))


def _study(report: Report, arenas: dict[str, Arena], count: int, most: int) -> None:
    """Show the gate and the study's over alpha, on the same runs."""
    table = report.table(
        "over alpha: cost, kept .02, regret",
        ["source, alpha", *(f"{who} {what}" for who in ("gate", "study") for what in ("cost", "kept", "regret"))],
    )
    for source in ("trap16", "dirty16", "pub16"):
        alone = _pool(source, count, FitOptions(families=(SIGMOID,), model_error=0.0))
        places = _places(alone, most)
        ours, theirs = [], []
        for alpha in ALPHAS:
            mine = scores(arenas[source], Gate(replace(HOLD, alpha=alpha)), places)
            other = scores(alone, Gate(replace(STUDY.policy, alpha=alpha)), places)
            ours.append(mine)
            theirs.append(other)
            cells = [cell for one in (mine, other) for cell in (one.cost, one.kept[2], f"{one.regret:.4f}")]
            table.add(f"{source}, {alpha:g}", *(f"{cell:.3f}" if isinstance(cell, float) else cell for cell in cells))
        if source != "pub16":
            mine, other = _at(ours, 0.99), _at(theirs, 0.99)
            report.check(
                f"{source}: least cost at kept .02 >= .99, the gate against the study's on the same runs",
                f"{mine:.3f} against {other:.3f}",
                "less",
                mine < other,
            )


def _at(several: Sequence[PolicyScores], kept: float) -> float:
    return min((one.cost for one in several if one.kept[2] >= kept), default=1.0)


def _guards(report: Report, arenas: dict[str, Arena], most: int) -> None:
    table = report.table("what each guard is worth", COLUMNS)
    for source, held in arenas.items():
        places = _places(held, most)
        for name, policy in WITHOUT.items():
            table.add(f"{source}, {name}", *_row(scores(held, Gate(policy), places)))


def _costs(report: Report, held: Arena, most: int) -> None:
    """Asynchronous starts, unequal costs, and restarts that cost something."""
    table = report.table("indep16: starts apart, unequal costs, costs of restarts", COLUMNS)
    places = _places(held, most)
    rng = np.random.default_rng(7)
    prices = {one.name: float(np.exp(rng.normal(0.0, 0.7))) for one in held.contenders}
    settings = {
        "together": Setting(),
        "starts .1 apart": Setting(stagger=0.1),
        "starts .25 apart": Setting(stagger=0.25),
        "costs LN(0, .7)": Setting(prices=prices),
        "restart .02": Setting(resume_cost=0.02),
        "restart .02, checkpoint .005": Setting(resume_cost=0.02, checkpoint_cost=0.005),
    }
    for name, setting in settings.items():
        table.add(f"hold, {name}", *_row(scores(held, Gate(HOLD), places, setting)))
    for name, policy in (
        ("two looks always", replace(HOLD, sure=0.0)),
        ("three looks always", replace(HOLD, sure=0.0, patience=3)),
    ):
        table.add(f"{name}, restart .02", *_row(scores(held, Gate(policy), places, settings["restart .02"])))


def _shifted(one: Outlook | None, by: float) -> Outlook | None:
    """Return an outlook moved by ``by``, a share of the range."""
    if one is None:
        return None
    cells = round(by / STEP)
    return replace(one, mass=np.roll(one.mass, cells), mean=one.mean + cells * STEP, draws=one.draws + cells * STEP)


def _biased(one: History, bias: float) -> History:
    looks = [replace(look, outlook=_shifted(look.outlook, bias * left(look.ahead))) for look in one.looks]
    return replace(one, looks=tuple(looks))


def _correlated(report: Report, held: Arena, most: int) -> None:
    """Put persistent errors of sd s into the forecasts, a share c of their variance common to a tournament."""
    table = report.table(
        "indep16: persistent forecast errors; the gate told of their correlation, or not",
        ["sd, common share, told", "cost", "kept .02", "regret", "wrong %", "95 %"],
    )
    wrong = {}
    for sd, common, told in (
        (0.0, 0.0, 0.0), (0.02, 0.0, 0.0), (0.02, 0.5, 0.0), (0.02, 0.5, 0.5), (0.02, 1.0, 0.0), (0.02, 1.0, 1.0),
        (0.04, 0.0, 0.0), (0.04, 0.5, 0.0), (0.04, 0.5, 0.5),
    ):  # fmt: skip
        rng = np.random.default_rng(5)
        policy = replace(HOLD, correlation=told)
        played = []
        for places in _places(held, most):
            own, shared = rng.standard_normal(len(places)), float(rng.standard_normal())
            bias = sd * (np.sqrt(1.0 - common) * own + np.sqrt(common) * shared)
            entrants = []
            for k, error in zip(places, bias, strict=True):
                one = _biased(held.contenders[k], float(error))
                entrants.append(Entrant(one, one.prospects(policy), held.truths[k]))
            played.append(play(entrants, Gate(policy)))
        misses = sum(one.shortfall > 0.02 for one in played)
        low, high = binomial_interval(misses, len(played))
        wrong[sd, common, told] = misses / len(played)
        table.add(
            f"{sd:g}, {common:g}, {told:g}",
            f"{np.mean([one.cost for one in played]):.3f}",
            f"{1 - misses / len(played):.3f}",
            f"{np.mean([one.regret for one in played]):.4f}",
            f"{100 * misses / len(played):.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}",
        )
    independent, common_errors = wrong[0.02, 0.0, 0.0], wrong[0.02, 0.5, 0.0]
    report.check(
        "errors of sd .02, half of them in common, gate not told: wrong stops against independent errors",
        f"{100 * common_errors:.1f} against {100 * independent:.1f} %",
        "no more",
        common_errors <= independent + 1e-9,
    )


def _seeds(report: Report, recipes: int, most: int) -> None:
    """Recipes of 3 seeds: each run for itself, recipes with all seeds, and one seed first."""
    table = report.table("recipes of 3 seeds, tournaments of 8 recipes: cost of all seeds is 1", COLUMNS)
    compute = np.arange(0.0, 16_001.0, 150.0)
    for sd in (0.01, 0.03):
        rng = np.random.default_rng([3, int(1000 * sd)])
        runs: list[Run] = []
        truths: list[float] = []
        for k in range(recipes):
            ceiling, exponent = float(rng.uniform(0.45, 0.7)), float(rng.lognormal(np.log(1.6), 0.35))
            midpoint = float(np.exp(rng.uniform(np.log(1500.0), np.log(12000.0))))
            level = Truth(R0=0.2, A=ceiling, B=exponent, C_mid=midpoint)
            for seed in range(3):
                law = replace(level, A=ceiling + sd * float(rng.standard_normal()), sigma=0.008, rho=0.5)
                runs.append(Run(name=f"r{k}-s{seed}", recipe=f"r{k}", curve=simulate(law, compute, rng=rng)))
                truths.append(float(level.reward(compute[-1])))  # the recipe's own level is what counts
        held = arena(runs, setting=Setting(recipes=True, seed_sd=sd), truths=truths)
        setting = Setting(recipes=True, seed_sd=sd)
        places = _places(held, most)
        for name, policy in (
            ("all seeds, gated as recipes", HOLD),
            ("one seed, more for the near-best", replace(HOLD, seeds="staged")),
            ("the same, band .06", replace(HOLD, seeds="staged", seed_band=0.06)),
        ):
            table.add(f"sd {sd:g}, {name}", *_row(scores(held, Gate(policy), places, setting)))
        one_seed = replace(held, seeds=tuple(own[:1] for own in held.seeds), contenders=tuple(o[0] for o in held.seeds))
        table.add(f"sd {sd:g}, one seed only (cost of one is 1)", *_row(scores(one_seed, Gate(HOLD), places)))


def _calibrated(report: Report, most: int) -> None:
    table = report.table(
        "calibrated on finished runs: 80 % intervals of whole runs held out; the same runs replayed with it",
        ["source", "runs", "delta", "cover %", "without %", "cost", "kept .02", "regret"],
    )
    for name, runs in archives().items():
        found = calibrate(runs)
        held = arena(runs)
        policy = replace(HOLD, discrepancy=found.discrepancy)
        one = scores(held, Gate(policy), _places(held, most))
        table.add(
            name, str(found.runs), f"{found.discrepancy:g}", f"{100 * found.coverage_held_out:.0f}",
            f"{100 * found.coverage_without:.0f}", f"{one.cost:.3f}", f"{one.kept[2]:.3f}", f"{one.regret:.4f}",
        )  # fmt: skip


if __name__ == "__main__":
    main(measure)
