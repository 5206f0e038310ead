"""Check configurations against the evidence: a finding for each setting that it is about, and advice by difficulty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlscale.curves import Config, Run
from rlscale.decisions.knobs.advice import advice_on, difficulty_of
from rlscale.decisions.knobs.batch_rules import BATCH_RULES
from rlscale.decisions.knobs.finding import SEVERITIES, Advice, Check, Difficulty, Finding
from rlscale.decisions.knobs.judge import remark
from rlscale.decisions.knobs.loss_rules import LOSS_RULES
from rlscale.errors import InputError
from rlscale.keywords import checked_keywords
from rlscale.left_out import LeftOut

__all__ = ["check_config", "second_order_knobs"]

_GRAVE = tuple(SEVERITIES)
#: An effect on the ceiling within this much either way is second-order: the published margin on A.
MARGIN = 0.02
#: Knobs of an ablation that are the split of a batch.
_SPLIT = frozenset({"generations", "prompts_per_step", "updates_per_batch", "batch_split"})


@checked_keywords
def check_config(
    configs: Config | Sequence[Config] = (),
    *,
    difficulty: str | None = None,
    runs: Sequence[Run] = (),
    ablation: Mapping[str, Any] | None = None,
    left_out: Sequence[LeftOut] = (),
) -> Check:
    """Return what the evidence says of configurations.

    Parameters
    ----------
    configs : Config or sequence of Config
        From ``rlscale.read_config``.
    difficulty : str, optional
        ``easy``, ``hard`` or ``mixed``: how hard the prompts are. KL and entropy terms are judged by it.
    runs : sequence of Run
        Whose logged pass rates and entropy tell the difficulty, where it is not given.
    ablation : mapping, optional
        The JSON document of ``rlscale ablate``: knobs that it resolved to be second-order are named.
    left_out : sequence of LeftOut
        Runs that could not be read, to be carried on.

    Returns
    -------
    Check

    Raises
    ------
    InputError
        Neither a configuration, a difficulty nor a run; a difficulty that is none.

    Examples
    --------
    >>> import rlscale
    >>> config = rlscale.read_config({"loss_type": "cispo", "epsilon_high": 5.0, "beta": 0.04, "num_generations": 16})
    >>> check = rlscale.check_config(config, difficulty="hard")
    >>> [(found.setting, found.severity) for found in check.findings][0]
    ('beta', 'warning')
    """
    several = (configs,) if isinstance(configs, Config) else tuple(configs)
    if not several and difficulty is None and not runs:
        raise InputError("there is nothing to check; give a configuration, a difficulty, or a run")
    observed = tuple(difficulty_of(run) for run in runs)
    classes = {level.difficulty for level in observed if level.difficulty != "unknown"}
    prompts = difficulty or (next(iter(classes)) if len(classes) == 1 else "mixed" if classes else None)
    advice = _advice(difficulty, prompts, observed, ablation)
    findings: list[Finding] = []
    for config in several:
        findings += remark(config)
        for rule in (*BATCH_RULES, *LOSS_RULES):
            findings += [_with_split(finding, ablation) for finding in rule(config, prompts)]
    findings.sort(key=lambda finding: (_GRAVE.index(finding.severity), not finding.stated))
    return Check(several, tuple(findings), advice, observed, left_out=tuple(left_out))


def _advice(
    difficulty: str | None, prompts: str | None, observed: Sequence[Difficulty], ablation: Mapping[str, Any] | None
) -> tuple[Advice, ...]:
    advice = advice_on(difficulty or prompts)
    split = second_order_knobs(ablation) & _SPLIT if ablation is not None else frozenset()
    if split:
        says = (
            f"Your own ablation finds {', '.join(sorted(split))} second-order (80 % of the effect on the ceiling "
            "lies within "
            f"{MARGIN}): splitting the batch further gains nothing. Take the split that runs fastest, and no more "
            "than one "
            "update a batch."
        )
        advice = (*advice, Advice("any", says, "your own ablation", "measured"))
    return advice


def _is_effect(row: Any) -> bool:
    """Whether a row is one of ``ablate``: a knob, and what is known of its effect on the ceiling."""
    if not isinstance(row, Mapping) or "knob" not in row:
        return False
    ceiling = row.get("ceiling")
    return ceiling is None or (isinstance(ceiling, Mapping) and isinstance(ceiling.get("effect"), Mapping | None))


def second_order_knobs(ablation: Mapping[str, Any]) -> frozenset[str]:
    """Return the knobs whose effect on the ceiling an ablation resolved to be small: its 80 % interval within .02.

    "No effect resolved" alone is no such thing: a wide interval around 0 says nothing.

    Parameters
    ----------
    ablation : mapping
        The JSON document of ``rlscale ablate``.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> effect = {"q10": -0.008, "q50": 0.001, "q90": 0.011}
    >>> second_order_knobs({"knobs": [{"knob": "generations", "ceiling": {"effect": effect}}]})
    frozenset({'generations'})
    """
    rows = ablation.get("knobs")
    if not isinstance(rows, list) or not all(map(_is_effect, rows)):
        raise InputError(
            "--ablation: this is no document of rlscale ablate --json; it has no list of knobs and effects"
        )
    inside: dict[str, bool] = {}
    for row in rows:
        effect = (row.get("ceiling") or {}).get("effect") or {}
        ends = effect.get("q10"), effect.get("q90")
        small = all(isinstance(end, int | float) and abs(end) <= MARGIN for end in ends)
        name = str(row["knob"])
        inside[name] = inside.get(name, True) and small
    return frozenset(name for name, small in inside.items() if small)


def _with_split(finding: Finding, ablation: Mapping[str, Any] | None) -> Finding:
    """Return a finding on more updates or fewer prompts with what the user's own ablation says of it."""
    if ablation is None or finding.knob != "batch_split" or finding.severity == "agrees":
        return finding
    if not second_order_knobs(ablation) & _SPLIT:
        return finding
    says = f"{finding.says}. Over-split: your own ablation finds the split second-order, so this gains nothing"
    return replace(finding, says=says, source=f"{finding.source}; your own ablation")
