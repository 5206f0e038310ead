"""What two configurations differ in, and which of it matters."""

from __future__ import annotations

from typing import Any

from rlscale.curves import Config
from rlscale.decisions.knobs.catalogue import KNOBS
from rlscale.decisions.knobs.finding import Diff, Difference
from rlscale.decisions.knobs.judge import read
from rlscale.decisions.knobs.knob import Knob
from rlscale.decisions.knobs.loss_rules import family
from rlscale.keywords import checked_keywords

__all__ = ["diff_configs"]

#: What matters most stands first.
_ORDER = ("ceiling", "speed", "stability", "unresolved", "unknown")
#: Settings that follow from others: told only where those do not differ.
_FOLLOWS = {"total_batch": ("prompts_per_step", "generations"), "updates_per_batch": ("batch_per_update",)}
#: Parts of TRL's batch.
_BY_GPU = ("per_device_train_batch_size", "gradient_accumulation_steps", "steps_per_generation")
#: Settings that set no recipe apart.
_NO_RECIPE = frozenset({"seed", "eval_generations"})


@checked_keywords
def diff_configs(a: Config, b: Config) -> Diff:
    """Return what two configurations differ in, what studies saw move the ceiling first.

    Settings are compared by their meaning, so that configurations of two trainers can be compared; of one trainer all
    other keys are compared too. What is not written counts as the trainer's default, where that is known; a value that
    the trainer refuses is compared as it stands there, and called wrong.

    Parameters
    ----------
    a, b : Config
        From ``rlscale.read_config``.

    Examples
    --------
    >>> import rlscale
    >>> one = rlscale.read_config({"num_generations": 8, "beta": 0.0, "logging_steps": 5})
    >>> other = rlscale.read_config({"num_generations": 16, "beta": 0.0, "logging_steps": 1})
    >>> [(each.setting, each.matters) for each in rlscale.diff_configs(one, other).differences]
    [('generations', 'ceiling'), ('logging_steps', 'unknown')]
    """
    by_setting = {setting: knob for knob in KNOBS for setting in knob.settings}
    differences: list[Difference] = []
    same = 0
    for setting in sorted({*a.settings, *b.settings, *a.wrong, *b.wrong}):
        left, right = _stands(a, setting), _stands(b, setting)
        if _equal(left, right) or (setting == "loss_type" and _same_loss(a, b)):
            same += 1
            continue
        if setting in _NO_RECIPE or _follows(setting, a, b):
            continue
        differences.append(_difference(setting, left, right, by_setting.get(setting)))
    if a.trainer == b.trainer:
        meant = {*_parts(a), *_parts(b)}
        for key in sorted({*a.raw, *b.raw} - meant):
            if not _equal(a.raw.get(key), b.raw.get(key)):
                differences.append(_difference(key, a.raw.get(key), b.raw.get(key), None))
    differences.sort(key=lambda difference: _ORDER.index(difference.matters))
    return Diff(a, b, tuple(differences), same)


def _same_loss(a: Config, b: Config) -> bool:
    """Whether two trainers name one loss differently; what they average over is a setting of its own."""
    return a.trainer != b.trainer and family(a) is not None and family(a) == family(b)


def _parts(config: Config) -> set[str]:
    """Return the keys whose meaning was compared."""
    by_gpu = _BY_GPU if "total_batch" in config.settings else ()
    return {*config.keys.values(), *config.settings, *config.wrong.values(), *by_gpu}


def _stands(config: Config, setting: str) -> Any:
    """Return what a configuration says of a setting: its value, one that the trainer refuses as it stands there."""
    key = config.wrong.get(setting)
    return config.value_of(setting) if key is None else f"{read(config.raw.get(key))} (wrong)"


def _follows(setting: str, a: Config, b: Config) -> bool:
    parts = _FOLLOWS.get(setting, ())
    return any(
        part in a.settings and part in b.settings and not _equal(a.settings[part], b.settings[part]) for part in parts
    )


def _equal(left: Any, right: Any) -> bool:
    """Whether two values mean the same: ``1e-6`` and ``1e-06``, ``8`` and ``8.0``."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return abs(left - right) <= 1e-9 * max(abs(left), abs(right))
    return bool(left == right)


def _difference(setting: str, left: Any, right: Any, knob: Knob | None) -> Difference:
    a, b = ("" if value is None else read(value) for value in (left, right))
    if knob is None:
        says = "no knob of the catalogue: no published study compares it"
        return Difference(setting=setting, a=a, b=b, knob="", matters="unknown", says=says, source="")
    matters = knob.moves[0] if knob.moves else "unresolved"
    sources = tuple(dict.fromkeys(study.source.partition(", arXiv")[0] for study in knob.evidence))
    return Difference(
        setting=setting, a=a, b=b, knob=knob.name, matters=matters, says=knob.reading, source="; ".join(sources[:3])
    )
