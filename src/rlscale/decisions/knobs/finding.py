"""What is said of one setting, and what an answer about configurations holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rlscale.curves import Config
from rlscale.curves.value import Value
from rlscale.left_out import LeftOut
from rlscale.results import Result

__all__ = ["SEVERITIES", "Advice", "Check", "Diff", "Difference", "Difficulty", "Finding", "Severity"]

Severity = Literal["error", "warning", "note", "agrees"]
#: Gravest first.
SEVERITIES: dict[str, str] = {
    "error": "the trainer refuses it, no run can start with it, or keys contradict each other",
    "warning": "evidence says that it costs, or it does something else than it seems to",
    "note": "it departs from the published recipe, without an effect that is resolved here",
    "agrees": "as the published recipe, or no choice of it made a difference",
}


@dataclass(frozen=True, kw_only=True)
class Finding(Value):
    """What is said of one setting.

    Parameters
    ----------
    config : str
        The configuration it is of.
    setting : str
        The key, as written.
    value : str
    severity : str
        A key of :data:`SEVERITIES`.
    says : str
        One or two sentences.
    source : str
        Where that is from: a study, or the trainer itself.
    knob : str
        The knob of the catalogue; empty for a remark on the key.
    moves : tuple of str
        What studies saw the knob move.
    with_ : tuple of str
        Knobs that it interacts with here.
    stated : bool
        False where the trainer's default is meant.
    """

    config: str
    setting: str
    value: str
    severity: Severity
    says: str
    source: str
    knob: str = ""
    moves: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()
    stated: bool = True


@dataclass(frozen=True)
class Advice(Value):
    """What the evidence says of KL and entropy terms for prompts of one difficulty.

    Parameters
    ----------
    difficulty : str
        ``easy``, ``hard`` or ``mixed``; ``any`` for advice that holds for all.
    says : str
    source : str
    grade : str
        One of :data:`rlscale.decisions.knobs.GRADES`.
    """

    difficulty: str
    says: str
    source: str
    grade: str


@dataclass(frozen=True, kw_only=True)
class Difficulty(Value):
    """How hard the prompts of a run are, by what it logged.

    Parameters
    ----------
    run : str
    difficulty : str
        ``easy``, ``hard``, ``mixed`` or ``unknown``.
    pass_rate : float, optional
        Mean share of right answers at the start, 0 to 1; None where rewards are no shares.
    zero_variance : float, optional
        Share of groups of equal rewards at the start, 0 to 1.
    entropy : (float, float), optional
        At the start and at the end, nats per token.
    trend : str
        ``falls``, ``rises``, ``steady`` or ``unknown``.
    why : str
        How the class is told, with its limits.
    """

    run: str
    difficulty: Literal["easy", "hard", "mixed", "unknown"]
    pass_rate: float | None = None
    zero_variance: float | None = None
    entropy: tuple[float, float] | None = None
    trend: Literal["falls", "rises", "steady", "unknown"] = "unknown"
    why: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Check(Result, Value):
    """Findings on configurations, and advice on KL and entropy terms.

    Parameters
    ----------
    configs : tuple of Config
    findings : tuple of Finding
        Gravest first, what is written before what is a default.
    advice : tuple of Advice
    observed : tuple of Difficulty
        Of runs that were given.
    notes : tuple of str
        What reading could not tell.
    left_out : tuple of LeftOut
    """

    configs: tuple[Config, ...] = ()
    findings: tuple[Finding, ...] = ()
    advice: tuple[Advice, ...] = ()
    observed: tuple[Difficulty, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        counts = self.counts()
        counted = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "no findings"
        return f"Check({', '.join(config.name for config in self.configs) or 'difficulty'}: {counted})"

    def counts(self) -> dict[str, int]:
        """Return how many findings there are of each severity."""
        return {name: sum(finding.severity == name for finding in self.findings) for name in SEVERITIES}


@dataclass(frozen=True, kw_only=True)
class Difference(Value):
    """A setting in which two configurations differ.

    Parameters
    ----------
    setting : str
        Its canonical name, else the key.
    a, b : str
        Its values; empty where a configuration does not state it and no default is known.
    knob : str
        The knob of the catalogue; empty where there is none.
    matters : str
        ``ceiling``, ``speed``, ``stability``: what studies saw it move; ``unresolved`` for a knob that none saw move
        anything; ``unknown`` for a setting that is no knob.
    says, source : str
    """

    setting: str
    a: str
    b: str
    knob: str
    matters: str
    says: str
    source: str


@dataclass(frozen=True, eq=False, repr=False)
class Diff(Result, Value):
    """What two configurations differ in, what moves the ceiling first.

    Parameters
    ----------
    a, b : Config
    differences : tuple of Difference
    same : int
        Settings that both state, with one value.
    left_out : tuple of LeftOut
    """

    a: Config
    b: Config
    differences: tuple[Difference, ...]
    same: int
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        return f"Diff({self.a.name} and {self.b.name}: {len(self.differences)} differences)"

    def of(self, matters: Iterable[str]) -> tuple[Difference, ...]:
        """Return the differences that matter so."""
        wanted = set(matters)
        return tuple(difference for difference in self.differences if difference.matters in wanted)
