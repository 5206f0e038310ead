"""Findings on the loss: kind and bounds, precision, filters, averaging, staleness, KL and entropy, the optimiser."""

from __future__ import annotations

from collections.abc import Iterator

from rlscale.curves import Config
from rlscale.decisions.knobs.finding import Finding
from rlscale.decisions.knobs.judge import Rule, finding, number, read, switch

__all__ = ["LOSS_RULES", "family"]

_SCALERL, _ISO = "ScaleRL, arXiv 2510.13786", "IsoCompute Playbook, arXiv 2603.12151"
#: Trainers that write the clip range as a distance from 1, also for CISPO.
_FROM_ONE = ("verl", "nemo-rl")
#: Upper bounds of CISPO that were compared; steps of staleness that cost nothing.
_CISPO, _STALE = (4.0, 8.0), 8.0


def family(config: Config) -> str | None:
    """Return the policy loss: ``cispo``, ``gspo`` or ``ppo`` (clipped as in PPO, GRPO and DAPO); None where unknown."""
    loss = str(config.value_of("loss_type") or "").lower()
    if not loss:
        return None
    if "cispo" in loss:
        return "cispo"
    if "gspo" in loss or config.value_of("importance_level") == "sequence":
        return "gspo"
    clipped = ("ppo", "grpo", "dapo", "bnpo", "dr_grpo", "vanilla")
    return "ppo" if loss in clipped else loss


def _loss(config: Config, _: str | None) -> Iterator[Finding]:
    kind = family(config)
    forward = "from a weak baseline CISPO and GSPO ended higher by a large margin (.520 to .595, secondhand)"
    back = "with all else in place DAPO only took longer (B 1.77 against 2.01 at one ceiling)"
    source = f"{_SCALERL}, sec. 3.2 and 4"
    if kind == "cispo":
        yield finding(config, "loss_type", "loss_type", "agrees", f"as published; {forward}; {back}", source)
    elif kind == "gspo":
        says = "close to CISPO, slightly below late; it diverged in the middle of a run and did not recover on Scout"
        yield finding(config, "loss_type", "loss_type", "note", says, f"{_SCALERL}, A.17")
    elif kind == "ppo":
        says = f"a clipped loss, where the published recipe has CISPO: {forward}; {back}"
        yield finding(config, "loss_type", "loss_type", "warning", says, source)
    elif kind is not None:
        yield finding(config, "loss_type", "loss_type", "note", "no study compares it; the recipe has CISPO", source)


def _clip(config: Config, _: str | None) -> Iterator[Finding]:
    high, kind = number(config, "clip_high"), family(config)
    if high is None or "clip_high" not in config.settings:
        return
    source = f"{_SCALERL}, A.17"
    if kind == "cispo":
        bound = high + 1.0 if config.trainer in _FROM_ONE else high
        if _CISPO[0] <= bound <= _CISPO[1]:
            yield finding(config, "clip_bounds", "clip_high", "agrees", "insensitive between 4 and 8", source)
        else:
            says = f"the ratio is cut at {bound:g}; CISPO was measured with 4, 5 and 8, and did not care which"
            yield finding(config, "clip_bounds", "clip_high", "warning", says, source, ("loss_type",))
    elif kind == "gspo":
        right = 5e-4 <= high <= 5e-3
        says = "insensitive once the order is right, which is 1e-3 and not 1e-4"
        yield finding(
            config, "clip_bounds", "clip_high", "agrees" if right else "warning", says, source, ("loss_type",)
        )
    elif kind == "ppo":
        says = "it moves the ceiling itself, with an optimum inside: worth a sweep of your own"
        yield finding(config, "clip_bounds", "clip_high", "note", says, f"{_SCALERL}, A.17.1", ("loss_type",))


def _head(config: Config, _: str | None) -> Iterator[Finding]:
    on = switch(config, "fp32_head")
    if on is None:
        return
    effect = "from a weak baseline A rose from .52 to .61; in the full recipe on 8B it did not, on Scout it did"
    if on:
        yield finding(
            config, "fp32_head", "fp32_head", "agrees", f"as published; {effect}", f"{_SCALERL}, sec. 3.2 and 4"
        )
    else:
        yield finding(
            config, "fp32_head", "fp32_head", "warning", f"turn it on: {effect}", f"{_SCALERL}, sec. 3.2 and 4"
        )


def _filter(config: Config, _: str | None) -> Iterator[Finding]:
    on = switch(config, "zero_variance_filter")
    if on is None or "zero_variance_filter" not in config.settings:
        return
    says = (
        f"{'on' if on else 'off'}, and the studies disagree: ScaleRL has it on (higher A from a weak baseline, equal "
        "in "
        "the full recipe), IsoCompute off in both of its recipes"
    )
    yield finding(config, "zero_variance_filter", "zero_variance_filter", "note", says, f"{_SCALERL}; {_ISO}")


def _average(config: Config, _: str | None) -> Iterator[Finding]:
    if "aggregation" in config.settings:
        says = (
            f"averaged by {read(config.value_of('aggregation')).replace('_', ' ')}; the mean over prompts had the "
            "highest "
            "A from a weak baseline, in the full recipe the choice was not resolved"
        )
        yield finding(config, "aggregation", "aggregation", "note", says, f"{_SCALERL}, sec. 3.2 and 4")
    if "advantage_normalisation" in config.settings:
        says = "by group, by batch or not at all: all similar"
        source = f"{_SCALERL}, sec. 3.2 and 4"
        yield finding(config, "advantage_normalisation", "advantage_normalisation", "agrees", says, source)


def _stale(config: Config, _: str | None) -> Iterator[Finding]:
    beside, steps = switch(config, "asynchronous"), number(config, "staleness")
    corrected, kind = switch(config, "off_policy_correction"), family(config)
    if beside is not True and not steps:
        return
    setting = "staleness" if steps is not None else "asynchronous"
    share = config.trainer == "verl"
    if corrected is not True and kind != "cispo":
        says = (
            "samples lag behind the policy and nothing corrects for it: with naive PPO a bound of 4 ended at 23.3 "
            "instead of 42.0, with a corrected loss at 42.2"
        )
        with_ = ("off_policy_correction", "loss_type")
        yield finding(config, "staleness", setting, "warning", says, "AReaL, arXiv 2505.24298 (secondhand)", with_)
    elif steps is not None and not share and steps > _STALE:
        says = (
            f"{steps:g} steps: 4 and 8 were equally good in one study; at 16 another dropped by 3 points (secondhand)"
        )
        yield finding(config, "staleness", setting, "warning", says, f"{_SCALERL}, A.11; AReaL, arXiv 2505.24298")
    elif steps is not None and share and steps >= 1.0:
        yield finding(
            config, "staleness", setting, "warning", "a share below 1 is advised", "verl documentation (secondhand)"
        )
    else:
        says = "corrected, and within 8 steps: no cost was resolved"
        yield finding(config, "staleness", setting, "agrees", says, f"{_SCALERL}, A.11", ("off_policy_correction",))
    if beside is True:
        flight = switch(config, "in_flight_updates")
        says = (
            "generation beside training is faster per GPU-hour (B 2.68 to 4.55, secondhand); whether it ends higher is "
            "disputed within one paper"
        )
        name = "in_flight_updates" if flight is not None else "asynchronous"
        yield finding(config, "pipeline", name, "agrees" if flight else "note", says, f"{_SCALERL}, Fig. 4a; v1, A.11")


def _correction(config: Config, _: str | None) -> Iterator[Finding]:
    on = switch(config, "off_policy_correction")
    if on is None or "off_policy_correction" not in config.settings:
        return
    if on:
        says = "generator and trainer never agree to the last digit, and this corrects for it"
        yield finding(config, "off_policy_correction", "off_policy_correction", "agrees", says)
    elif switch(config, "asynchronous") is not True:
        says = (
            "even on-policy, engines differ by .003 in probability (secondhand), and small differences alone can end a "
            "run"
        )
        source = "arXiv 2605.14220 (abstract)"
        yield finding(config, "off_policy_correction", "off_policy_correction", "note", says, source, ("fp32_head",))


def _regularisers(config: Config, difficulty: str | None) -> Iterator[Finding]:
    kl, entropy = number(config, "kl_coefficient"), number(config, "entropy_coefficient")
    for setting, value in (("kl_coefficient", kl), ("entropy_coefficient", entropy)):
        if value is None or (setting not in config.settings and not (setting == "kl_coefficient" and value > 0)):
            continue
        what = "KL term" if setting == "kl_coefficient" else "entropy bonus"
        on = value > 0.0
        with_ = ("curriculum", "entropy_coefficient" if setting == "kl_coefficient" else "kl_coefficient")
        if difficulty is None:
            right, wrong = ("easy", "hard and mixed") if on else ("hard and mixed", "easy")
            says = (
                f"{'a' if on else 'no'} {what}: right on {right} prompts, wrong on {wrong} ones; say which they are "
                "with "
                "--difficulty"
            ).replace("a entropy", "an entropy")
            yield finding(config, setting, setting, "note", says, _ISO, with_)
        elif on == (difficulty == "easy"):
            says = f"as studied on {difficulty} prompts{' (mixed follows hard)' if difficulty == 'mixed' else ''}"
            yield finding(config, setting, setting, "agrees", says, _ISO, with_)
        else:
            follows = "; mixed prompts follow hard ones" if difficulty == "mixed" else ""
            says = (
                f"on {difficulty} prompts training was healthy with {'neither' if on else 'both'} KL term "
                f"{'nor' if on else 'and'} entropy bonus{follows}"
            )
            yield finding(config, setting, setting, "warning", says, _ISO, with_)
    if kl is not None and entropy is not None and (kl > 0.0) != (entropy > 0.0):
        setting = "kl_coefficient" if kl > 0.0 else "entropy_coefficient"
        if setting in config.settings:
            says = "one of the KL term and the entropy bonus without the other: they were only studied together"
            yield finding(config, setting, setting, "note", says, _ISO, ("kl_coefficient", "entropy_coefficient"))


def _rest(config: Config, _: str | None) -> Iterator[Finding]:
    if "temperature" in config.settings:
        says = "no study compares temperatures at a ceiling; evaluate at the same one, or know that it differs"
        yield finding(config, "temperature", "temperature", "agrees", says)
    if "mask_truncated" in config.settings:
        says = "masks, penalties and interruptions: none was better; few truncated completions are what matters"
        yield finding(config, "length_control", "mask_truncated", "agrees", says)
    epsilon = number(config, "adam_epsilon")
    if epsilon is not None and "adam_epsilon" in config.settings:
        if epsilon <= 1e-12:
            yield finding(config, "adam_epsilon", "adam_epsilon", "agrees", "as published; no study compares it")
        else:
            says = "the published recipe has 1e-15; no study compares it"
            yield finding(config, "adam_epsilon", "adam_epsilon", "note", says)


LOSS_RULES: tuple[Rule, ...] = (
    _loss, _clip, _head, _filter, _average, _stale, _correction, _regularisers, _rest,
)  # fmt: skip
