"""Which runs are pooled: 2,000 random folders whose recipes are known, by the rule and by the one it replaced.

Names are made of what users name runs after: knobs with numbers, versions, dates, ids of jobs, hashes, a seed that all
arms share; and of seed marks in many spellings. The truth comes from the generator: runs are seeds of one recipe where
they differ in a seed mark alone. Asked are 0 runs pooled that must not be, and 95 % of the recipes with seed marks
pooled whole. The old rule took any last number of a name for the seed and the folder for the recipe.

``python -m benchmarks.grouping [--quick]``
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.common import Report, main
from rlscale.sources import Log
from rlscale.sources.grouping import Member, identities
from rlscale.sources.naming import named

LAYOUTS = 2000
ROOT = Path("/runs")

_WORDS = ("grpo", "ppo", "dapo", "rloo", "qwen", "llama", "base", "wide", "long", "mix", "sort", "math", "rl", "exp")
_KNOBS = ("lr", "bs", "kl", "beta", "n", "group-size", "rollouts", "clip", "temp", "len", "gen", "r", "layers", "v")
_VALUES = {
    "lr": ("1e-5", "1e-6", "1e-7", "3e-6", "5e-7", "0.0001"),
    "kl": ("0", "1", "0.1", "0.01", "0.001"),
    "beta": ("0", "0.04", "0.1", "1"),
    "clip": ("0.2", "0.28", "2"),
    "temp": ("0.6", "0.7", "1", "1.0", "1.2"),
}
_INTEGERS = ("1", "2", "3", "4", "8", "16", "32", "64", "128", "256", "512", "1024")

#: How a seed is written: ``{}`` is the recipe, ``#`` the number.
STRONG = (
    "{}-seed#", "{}_seed#", "{}_seed_#", "{}-seed-#", "{}-seed=#", "{}/seed#", "{}/seed_#", "{}/seed-#", "seed#/{}",
    "seed#-{}", "{}-seed#-eval", "{}_seed#_bf16", "{}.seed#", "{}Seed#", "{}-SEED#", "{}(seed=#)", "{}/seed#/out",
)  # fmt: skip
WEAK = ("{}-s#", "{}_s#", "{}/s#", "{}/rep#", "{}-rep#", "s#/{}", "{}_rep#")

Rng = np.random.Generator
#: A run's name and its recipe.
Runs = list[tuple[str, str]]


def _pick(rng: Rng, values: Sequence[str]) -> str:
    return str(values[int(rng.integers(len(values)))])


def recipe(rng: Rng) -> str:
    """Return the name of a recipe: words, and knobs with their numbers."""
    parts = [_pick(rng, _WORDS)]
    for _ in range(int(rng.integers(0, 3))):
        knob = _pick(rng, _KNOBS)
        parts.append(knob + _pick(rng, ("", "-", "_", "=")) + _pick(rng, _VALUES.get(knob, _INTEGERS)))
    return _pick(rng, ("-", "_")).join(parts)


def _stamp(rng: Rng) -> str:
    day, clock = rng.integers(20260101, 20260131), rng.integers(0, 86400)
    return f"{day}{_pick(rng, ('-', '_', 'T'))}{clock // 3600:02d}{clock // 60 % 60:02d}{clock % 60:02d}"


def sweep(rng: Rng) -> Runs:
    """Return a sweep of one knob."""
    knob, joint = _pick(rng, _KNOBS), _pick(rng, ("", "-", "_", "="))
    values = _VALUES.get(knob, _INTEGERS)
    chosen = rng.choice(len(values), min(len(values), int(rng.integers(2, 6))), replace=False)
    stem, place = recipe(rng), _pick(rng, ("{}-{}", "{}_{}", "{}/{}", "{1}-{0}"))
    return _own(place.format(stem, f"{knob}{joint}{values[int(k)]}") for k in chosen)


def numbered(rng: Rng) -> Runs:
    """Return numbers alone, or after a word that is no mark: trials, arms, versions, folders."""
    stem, kind = recipe(rng), _pick(rng, ("{}_{}", "{}-{}", "{}/{}", "{}/trial{}", "{}-trial_{}", "{}-arm{}", "{}-v{}"))
    return _own(kind.format(stem, k + int(rng.integers(0, 2))) for k in range(0, 2 * int(rng.integers(2, 6)), 2))


def dated(rng: Rng) -> Runs:
    """Return runs with a date and a time after the name."""
    return _own(f"{stem}{_pick(rng, ('-', '_', '/'))}{_stamp(rng)}" for stem in [recipe(rng)] * int(rng.integers(2, 6)))


def jobs(rng: Rng) -> Runs:
    """Return runs with the id of a job, or a hash."""
    stem, kind = _pick(rng, ("slurm", "job", "run", recipe(rng))), int(rng.integers(2))
    first = int(rng.integers(10_000, 9_000_000))
    ids = [str(first + k) if kind else f"{int(rng.integers(1 << 28)):07x}" for k in range(int(rng.integers(2, 6)))]
    return _own(f"{stem}{_pick(rng, ('-', '_', '/'))}{one}" for one in ids)


def shared_seed(rng: Rng) -> Runs:
    """Return arms that all end in one seed, with or without a mark."""
    end = _pick(rng, ("_42", "-42", "/42", "-seed42", "/seed42", "_s42"))
    return [(f"{stem}{end}", stem) for stem in {recipe(rng) for _ in range(4)}]


def gaps(rng: Rng) -> Runs:
    """Return ``s3`` and ``rep3`` whose numbers leave gaps or begin elsewhere: sizes, stages, and the like."""
    stem, form = recipe(rng), _pick(rng, WEAK)
    numbers = [k * 4 + int(rng.integers(2, 4)) for k in range(int(rng.integers(2, 5)))]
    return _own(form.replace("#", str(k)).format(stem) for k in numbers)


def _own(names: Iterator[str]) -> Runs:
    return [(name, name) for name in dict.fromkeys(names)]


def _seeds(forms: Sequence[str]) -> Callable[[Rng], Runs]:
    def seeds(rng: Rng) -> Runs:
        """Return several recipes with the same seeds, written in one way."""
        form, count = _pick(rng, forms), int(rng.integers(2, 6))
        first = int(rng.integers(2))
        numbers = [first + k for k in range(count)]
        if forms is STRONG and rng.random() < 0.5:  # any numbers
            numbers = [int(k) for k in rng.choice(100_000, count, replace=False)]
        stems = {recipe(rng) for _ in range(int(rng.integers(1, 4)))}
        return [(form.replace("#", str(k)).format(stem), f"{form} {stem}") for stem in stems for k in numbers]

    return seeds


#: What a folder may hold, and whether its recipes have seed marks.
KINDS: dict[str, tuple[Callable[[Rng], Runs], bool]] = {
    "a knob in several values": (sweep, False),
    "numbers without a mark": (numbered, False),
    "dates and times": (dated, False),
    "ids of jobs and hashes": (jobs, False),
    "arms that share a seed": (shared_seed, False),
    "s3, rep3 with gaps": (gaps, False),
    "the word seed": (_seeds(STRONG), True),
    "s0, s1, ... and rep1, rep2, ...": (_seeds(WEAK), True),
}


def by_rule(names: Sequence[str]) -> list[str]:
    """Return the recipe of each run by the rule."""
    members = []
    for name in names:
        log = Log(name="", path=name, format="jsonl", rows=1, series={}, validation=(), train=(), axes={})
        place = named(ROOT / name / "metrics.jsonl", ROOT)
        members.append(Member(place.name, place.name, "", place, log))
    return [one.recipe for one in identities(members)]


_OLD_SEED = re.compile(r"(?:s|seed)?[-_]?(\d+)", re.IGNORECASE)


def by_old_rule(names: Sequence[str]) -> list[str]:
    """Return the recipe of each run by the rule of version 0.1: the folder, or the name without its last number."""
    found = []
    for name in names:
        parent, _, last = name.rpartition("/")
        if parent:
            found.append(parent)
        else:
            found.append(re.sub(r"[-_/](?:(?:s|seed)[-_]?)?\d+$", "", name, flags=re.IGNORECASE) or name)
            if _OLD_SEED.fullmatch(last):
                found[-1] = "runs"
    return found


@dataclass
class Score:
    """What a rule did of one kind."""

    wrong: int = 0
    """Layouts in which runs are pooled that must not be."""
    layouts: int = 0
    whole: int = 0
    """Recipes with several runs that are pooled whole, and with no other run."""
    recipes: int = 0

    def add(self, runs: Runs, found: Sequence[str]) -> None:
        """Count one layout."""
        truth = [recipe for _, recipe in runs]
        pairs = list(combinations(range(len(runs)), 2))
        self.layouts += 1
        self.wrong += any(found[i] == found[j] and truth[i] != truth[j] for i, j in pairs)
        groups: dict[str, set[str]] = defaultdict(set)
        for own, got in zip(truth, found, strict=True):
            groups[own].add(got)
        several = {own for own in groups if truth.count(own) > 1}
        self.recipes += len(several)
        self.whole += sum(len(groups[own]) == 1 for own in several)


def layouts(rng: Rng, count: int) -> Iterator[tuple[str, Runs]]:
    """Yield folders: of one kind, or in every third one of two kinds, each below a folder of its own."""
    kinds = list(KINDS)
    for k in range(count):
        kind = kinds[k % len(kinds)]
        runs = KINDS[kind][0](rng)
        if k % 3 == 0:
            other = KINDS[_pick(rng, kinds)][0](rng)
            runs = [
                (f"{part}/{name}", f"{part}/{own}") for part, held in (("a", runs), ("b", other)) for name, own in held
            ]
        names = [name for name, _ in runs]
        if len(set(names)) == len(names) > 1:
            yield kind, runs


def measure(quick: bool) -> Report:
    """Return how both rules did on each kind."""
    report = Report("grouping", "Which runs are pooled as seeds of one recipe?")
    rng = np.random.default_rng(13)
    rules = {"rule": by_rule, "old rule": by_old_rule}
    scores = {name: defaultdict(Score) for name in rules}
    total = {name: Score() for name in rules}
    for kind, runs in layouts(rng, LAYOUTS // 10 if quick else LAYOUTS):
        names = [name for name, _ in runs]
        for name, rule in rules.items():
            found = rule(names)
            scores[name][kind].add(runs, found)
            total[name].add(runs, found)
    table = report.table(
        "layouts with runs pooled that must not be, and recipes with seed marks pooled whole",
        ("kind", "layouts", "wrong", "old: wrong", "whole", "old: whole"),
    )
    for kind in KINDS:
        new, old = scores["rule"][kind], scores["old rule"][kind]
        table.add(kind, new.layouts, new.wrong, old.wrong, _share(new), _share(old))
    new, old = total["rule"], total["old rule"]
    table.add("all", new.layouts, new.wrong, old.wrong, _share(new), _share(old))
    report.check("layouts with runs pooled that must not be", f"{new.wrong} of {new.layouts}", "0", new.wrong == 0)
    report.check("the same, old rule", f"{old.wrong} of {old.layouts}", "", None)
    share = new.whole / new.recipes
    report.check("recipes with seed marks pooled whole", f"{100 * share:.1f} %", ">= 95 %", share >= 0.95)
    return report


def _share(score: Score) -> str:
    return f"{score.whole} of {score.recipes}" if score.recipes else "none"


if __name__ == "__main__":
    main(measure)
