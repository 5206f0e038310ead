"""Does an ablation find what moved the ceiling, and nothing else? ``python -m benchmarks.ablation``.

Simulated ablations of four knobs left out one at a time (:mod:`benchmarks.ablations`), beside Welch tests on final
values (each at 5 %, and with Holm's rule) and the rule that two recipes differ where mean final values are more than
.02 apart. The prior of the run-to-run sd (.02, half a degree of freedom) and the rates of the two kinds of claims were
chosen among six and three on some 2,000 other designs, the least sd of ``ln B`` (.15) among three on some 1,500. Bounds
are those of Dunnett's test of ceilings known without error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.ablations import (
    BASE,
    FULL,
    SLOW,
    Arm,
    Other,
    bound,
    by_eye,
    designed,
    found_by,
    one_at_a_time,
    welch,
)
from benchmarks.common import Report, Table, main, percent
from rlscale.curves import Truth
from rlscale.decisions.ablation import Says
from rlscale.decisions.ablation.claims import CEILINGS
from rlscale.inference.families import GOMPERTZ, TWO_SLOPE, WEIBULL

#: The knob that does something, where one does.
MOVED = "batch"
FASTER = replace(BASE, C_mid=BASE.C_mid / 1.5)
SHAPES = {"gompertz": (GOMPERTZ, 1.5), "two-slope": (TWO_SLOPE, 2.5), "weibull": (WEIBULL, 1.2)}


@dataclass
class Tally:
    """Shares of designs, for one method."""

    false: list[bool] = field(default_factory=list)
    detected: list[bool] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)

    def add(self, says: Mapping[str, Says], changed: Sequence[str], want: Says) -> None:
        """Count one design: a claim where there is nothing, the right one, and a wrong one of what moved."""
        self.false.append(any(word is not Says.UNRESOLVED for knob, word in says.items() if knob not in changed))
        if changed:
            self.detected.append(all(says[knob] is want for knob in changed))
            self.wrong.append(any(says[knob] not in (want, Says.UNRESOLVED) for knob in changed))

    @property
    def cells(self) -> tuple[str, str, str]:
        """The three shares in percent."""
        return tuple(percent(each) if each else "" for each in (self.false, self.detected, self.wrong))  # type: ignore[return-value]


def score(
    seed: int,
    count: int,
    tau: float,
    changed: Mapping[str, Truth],
    want: Says,
    base: Truth = BASE,
    last: float = FULL,
    seeds: int = 3,
) -> dict[str, Tally]:
    """Return what each method did on ``count`` designs."""
    rng = np.random.default_rng([2027, 18, seed])
    arms = [replace(arm, every=min(arm.every, arm.last / 20.0)) for arm in one_at_a_time(base, changed, last)]
    tallies = {name: Tally() for name in ("ablate", "welch", "welch-holm", "by eye")}
    for _ in range(count):
        runs = designed(arms, seeds, tau, rng)
        verdicts = {
            "ablate": {each.knob: each.says for each in found_by(runs).knobs},
            **{
                name: {recipe.removeprefix("no-"): word for recipe, word in own.items()}
                for name, own in (
                    ("welch", welch(runs, corrected=False)),
                    ("welch-holm", welch(runs, corrected=True)),
                    ("by eye", by_eye(runs)),
                )
            },
        }
        for name, own in verdicts.items():
            tallies[name].add(own, tuple(changed), want)
    return tallies


def _row(table: Table, name: str, tallies: Mapping[str, Tally]) -> None:
    cells = [tallies["ablate"].cells]
    cells += [tallies[other].cells for other in ("welch", "welch-holm", "by eye")]
    table.add(name, *cells[0], *(cell for own in cells[1:] for cell in own[:2]))


def _share(hits: Sequence[bool]) -> float:
    return float(np.mean(hits))


def nothing_moved(report: Report, table: Table, count: int) -> None:
    """Measure familywise false claims: no knob does anything."""
    false: list[bool] = []
    for seed, tau in enumerate((0.015, 0.03)):
        tallies = score(seed, count, tau, {}, Says.UNRESOLVED)
        _row(table, f"nothing, sd {tau:g}", tallies)
        false += tallies["ablate"].false
    report.check(
        f"any false claim, ceiling or speed, {len(false):,} designs", f"{percent(false)} %", "<= 5 %",
        _share(false) <= 0.05,
    )  # fmt: skip
    for seed, (name, (family, exponent)) in enumerate(SHAPES.items(), 10):
        truth = Other(R0=BASE.R0, A=BASE.A, B=exponent, C_mid=BASE.C_mid, sigma=0.006, rho=0.3, family=family)
        _row(table, f"nothing, {name} curves, sd .015", score(seed, count // 6, 0.015, {}, Says.UNRESOLVED, truth))
    _row(table, "nothing, sd .06", score(20, count // 6, 0.06, {}, Says.UNRESOLVED))
    _row(table, "nothing, sd .03, 2 seeds", score(21, count // 6, 0.03, {}, Says.UNRESOLVED, seeds=2))
    _row(table, "nothing, sd .03, 1 seed", score(22, count // 6, 0.03, {}, Says.UNRESOLVED, seeds=1))


def ceiling_moved(report: Report, table: Table, count: int) -> None:
    """Measure power: one knob raises the ceiling."""
    wanted = {(0.05, 0.015): 0.8, (0.05, 0.03): None, (0.12, 0.03): 0.8}
    for seed, ((effect, tau), least) in enumerate(wanted.items(), 30):
        truth = replace(BASE, A=BASE.A + effect)
        tallies = score(seed, count, tau, {MOVED: truth}, Says.RAISES_CEILING)
        _row(table, f"ceiling +{effect:g}, sd {tau:g}", tallies)
        power = tallies["ablate"].detected
        learned, known = (100 * bound(effect, tau, 3, 4, CEILINGS, known=each) for each in (False, True))
        report.check(
            f"power for +{effect:g} at sd {tau:g}, 3 seeds (bound: {learned:.0f} %; were the sd known: {known:.0f} %)",
            f"{percent(power)} %", "" if least is None else f">= {100 * least:.0f} %",
            None if least is None else _share(power) >= least,
        )  # fmt: skip


def bend_unknown(report: Report, table: Table, count: int) -> None:
    """Measure curves that say little of how they bend, and a knob that changes only that."""
    last, rises = 10.0 * SLOW.C_mid, replace(SLOW, A=SLOW.A + 0.08)
    _row(table, "slow curves: nothing, sd .02", score(80, count, 0.02, {}, Says.UNRESOLVED, SLOW, last))
    found = score(81, count, 0.02, {MOVED: rises}, Says.RAISES_CEILING, SLOW, last)
    _row(table, "slow curves: ceiling +.08, sd .02", found)
    learned = 100 * bound(0.08, 0.02, 3, 4, CEILINGS, known=False)
    report.check(
        f"power for +.08 at sd .02, slow curves (bound: {learned:.0f} %)",
        f"{percent(found['ablate'].detected)} %", "", None,
    )  # fmt: skip
    wrong: list[bool] = []
    for seed, (base, share) in enumerate(((BASE, 2.4), (BASE, 5.0), (SLOW, 2.4), (SLOW, 5.0)), 82):
        bent = replace(base, B=base.B / 1.3)
        tallies = score(seed, count // 2, 0.015, {MOVED: bent}, Says.UNRESOLVED, base, share * base.C_mid)
        _row(table, f"{'slow curves: ' if base is SLOW else ''}B / 1.3 only, run to {share:g} C_mid", tallies)
        wrong += tallies["ablate"].wrong
    report.check("B / 1.3 and nothing else: any claim of it", f"{percent(wrong)} %", "<= 5 %", _share(wrong) <= 0.05)


def speed_moved(report: Report, table: Table, count: int) -> None:
    """Measure a pure speed-up at full length and cut, and a higher ceiling that is cut."""
    for seed, tau in enumerate((0.015, 0.03), 40):
        tallies = score(seed, count, tau, {MOVED: FASTER}, Says.FASTER)
        _row(table, f"1.5 x speed, sd {tau:g}", tallies)
        detected = tallies["ablate"].detected
        report.check(
            f"1.5 x is called faster at full length, sd {tau:g}",
            f"{percent(detected)} %",
            ">= 80 %",
            _share(detected) >= 0.8,
        )
    wrong: dict[str, list[bool]] = {}
    higher = replace(BASE, A=BASE.A + 0.12)
    for seed, share in enumerate((0.3, 0.6, 1.0, 1.6, 2.4), 50):
        for offset, (name, truth, want) in enumerate(
            (("1.5 x speed", FASTER, Says.FASTER), ("ceiling +.12", higher, Says.RAISES_CEILING))
        ):
            tallies = score(seed + 10 * offset, count, 0.015, {MOVED: truth}, want, last=share * BASE.C_mid)
            _row(table, f"{name}, cut at {share:g} C_mid", tallies)
            wrong.setdefault(name, []).extend(tallies["ablate"].wrong)
    for name, own in wrong.items():
        report.check(f"{name}, cut: wrong of it", f"{percent(own)} %", "<= 5 %", _share(own) <= 0.05)


#: Rows of Table 1 of arXiv 2510.13786 as truths: A, B, C_mid, and up to where they are run, GPU-hours.
TABLE1 = {
    "base": ((768, 14, 16), 0.610, 1.92, 2542.0, 16e3),
    "batch 512": ((512, 14, 16), 0.605, 1.77, 2818.0, 16e3),
    "batch 2048": ((2048, 14, 16), 0.645, 1.70, 10909.0, 100e3),
    "length 32k": ((768, 32, 16), 0.645, 1.89, 11272.0, 100e3),
    "8 rollouts": ((768, 14, 8), 0.585, 2.44, 2542.0, 16e3),
    "24 rollouts": ((768, 14, 24), 0.590, 2.22, 3054.0, 16e3),
    "32 rollouts": ((768, 14, 32), 0.595, 2.07, 2936.0, 16e3),
}


def published(report: Report, count: int) -> None:
    """Measure what is said of the published rows."""
    arms = [
        Arm(
            name,
            replace(BASE, A=ceiling, B=exponent, C_mid=midpoint),
            dict(zip(("batch", "length", "rollouts"), map(float, values), strict=True)),
            last,
            last / 100.0,
        )
        for name, (values, ceiling, exponent, midpoint, last) in TABLE1.items()
    ]
    table = report.table(
        "the rows of Table 1 as truths: said to move the ceiling, %",
        ["runs a recipe, sd", "batch 2048", "length 32k", "batch 512", "any rollouts", "by eye: 2048", "32k", "512",
         "rollouts"],
    )  # fmt: skip
    order = (("batch 2048",), ("length 32k",), ("batch 512",), ("8 rollouts", "24 rollouts", "32 rollouts"))
    places = {("batch", "2048"): 0, ("length", "32"): 1, ("batch", "512"): 2}
    for seed, (seeds, tau) in enumerate(((3, 0.015), (3, 0.0075), (8, 0.015)), 70):
        rng = np.random.default_rng([2027, 18, seed])
        hits: list[list[bool]] = [[], [], [], []]
        eye: list[list[bool]] = [[], [], [], []]
        for _ in range(count):
            runs = designed(arms, seeds, tau, rng)
            own = [False] * 4
            for each in found_by(runs).knobs:
                moved = each.says in (Says.RAISES_CEILING, Says.LOWERS_CEILING)
                own[places.get((each.knob, each.end), 3)] |= moved
            seen = by_eye(runs)
            for k, names in enumerate(order):
                hits[k].append(own[k])
                eye[k].append(any(seen[name] is not Says.UNRESOLVED for name in names))
        table.add(f"{seeds}, {tau:g}", *(percent(each) for each in (*hits, *eye)))
        for known, what in ((False, "bound"), (True, "bound, were the sd known")):
            most = [f"{100 * bound(effect, tau, seeds, 6, CEILINGS, known=known):.0f}" for effect in (0.035, 0.005)]
            table.add(f"{seeds}, {tau:g}: {what}", most[0], *most, "", "", "", "", "")


def measure(quick: bool = False) -> Report:
    """Measure false claims, power, and speed told from ceilings."""
    report = Report("ablation", "Does an ablation find what moved the ceiling, and nothing else?")
    count = 20 if quick else 150
    table = report.table(
        "designs, %: any claim on a knob that does nothing; the knob that moves found; said wrongly of it",
        ["what moves", "false", "found", "wrong", "Welch: false", "found", "with Holm: false", "found", "by eye: false",
         "found"],
    )  # fmt: skip
    nothing_moved(report, table, 4 * count)
    ceiling_moved(report, table, count)
    bend_unknown(report, table, count)
    speed_moved(report, table, count)
    published(report, count // 2)
    return report


if __name__ == "__main__":
    main(measure)
