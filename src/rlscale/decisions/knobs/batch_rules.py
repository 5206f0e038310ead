"""Findings on the batch: its size, its split, the learning rate that goes with it, generation length, data reuse."""

from __future__ import annotations

from collections.abc import Iterator

from rlscale.curves import Config
from rlscale.decisions.knobs.finding import Finding
from rlscale.decisions.knobs.judge import Rule, count, finding, number
from rlscale.decisions.plan import lr_for

__all__ = ["BATCH_RULES"]

_SCALERL, _ISO = "ScaleRL, arXiv 2510.13786", "IsoCompute Playbook, arXiv 2603.12151"
_TABLE = f"{_SCALERL}, Table 1"
#: Batches that were compared, and the published one.
_SMALLEST, _LARGEST, _PUBLISHED = 512.0, 2048.0, 768.0
#: Rates that are known to work, with their batch: ScaleRL's and IsoCompute's.
_ANCHORS = ((5e-7, 768.0), (1e-6, 1024.0))
#: A rate further from what both anchors give than this factor is remarked on.
_FAR = 3.0
#: Prompts of a step that hard prompts need, and passes over the prompts up to which nothing was lost.
_PROMPTS, _PASSES, _OVERFIT = 32.0, 25.0, 100.0
_LENGTH = 14336.0


def _total_batch(config: Config, _: str | None) -> Iterator[Finding]:
    batch = count(config, "total_batch")
    if batch is None:
        return
    rises = "a larger batch ended higher (512, 768, 2,048: A .605, .610, .645) and started slower"
    if batch < _SMALLEST:
        says = f"{batch:g} completions a step, fewer than ScaleRL compared: there {rises}"
        yield finding(config, "total_batch", "total_batch", "note", says, _TABLE)
    elif batch > _LARGEST:
        says = f"{batch:g} completions a step, more than ScaleRL compared: there {rises}"
        yield finding(config, "total_batch", "total_batch", "note", says, _TABLE)
    elif batch == _PUBLISHED:
        yield finding(config, "total_batch", "total_batch", "agrees", f"as published; {rises}", _TABLE)
    else:
        says = f"the published recipe has {_PUBLISHED:g}; {rises}. Judge it only far past the bend"
        yield finding(config, "total_batch", "total_batch", "note", says, _TABLE)


def _generations(config: Config, difficulty: str | None) -> Iterator[Finding]:
    n = count(config, "generations")
    if n is None or "generations" not in config.settings:
        return
    ends = {"easy": "on easy prompts the best number ends near 512", "hard": "on hard prompts the best ends near 128"}
    best = ends.get(difficulty or "", "the best number ends near 512 on easy prompts and 128 on hard ones")
    grow = f"if the batch grows with it, more pays as compute grows: {best}, and differs by model"
    fixed = "at a fixed batch the number is second-order (8, 16, 24, 32: A .585, .610, .590, .595)"
    source = f"{_TABLE}; {_ISO}"
    if n == 16:
        yield finding(config, "generations", "generations", "agrees", f"as published; {fixed}; {grow}", source)
    elif n < 8:
        fewer = (
            "than any that were compared"
            if n < 4
            else "than ScaleRL compared; of 4 to 32 on 7B, 32 was best per sample"
        )
        says = f"fewer {fewer}; {fixed}; {grow}"
        tan = f"{source}; Tan et al., arXiv 2509.25300, B.2"
        yield finding(config, "generations", "generations", "note", says, tan, ("batch_split",))
    else:
        says = f"the published recipe has 16; {fixed}; {grow}"
        yield finding(config, "generations", "generations", "note", says, source, ("batch_split",))


def _batch_split(config: Config, difficulty: str | None) -> Iterator[Finding]:
    prompts, updates = count(config, "prompts_per_step"), count(config, "updates_per_batch")
    if prompts is not None and "prompts_per_step" in config.settings:
        if prompts < _PROMPTS:
            says = f"{prompts:g} prompts a step: on hard prompts about {_PROMPTS:g} were needed"
            worse = "warning" if difficulty in ("hard", "mixed") else "note"
            yield finding(config, "batch_split", "prompts_per_step", worse, says, _ISO, ("generations",))  # type: ignore[arg-type]
        else:
            says = "within the range in which the split is second-order (32 to 1,024 prompts a step)"
            yield finding(config, "batch_split", "prompts_per_step", "agrees", says, _ISO)
    if updates is not None and updates > 1 and "updates_per_batch" in config.settings:
        says = (
            f"{updates:g} updates a batch: all but the first are off-policy. 1, 2, 4 and 16 updates ended at 63.3, "
            "60.8, "
            "59.6 and 59.7 % on easy prompts, and at 10.0 to 11.4 % on hard ones (a draft)"
        )
        yield finding(
            config, "batch_split", "updates_per_batch", "note", says, f"{_ISO}, draft", ("off_policy_correction",)
        )


def _learning_rate(config: Config, _: str | None) -> Iterator[Finding]:
    rate, batch = count(config, "learning_rate"), count(config, "total_batch")
    if rate is None:
        return
    if batch is None:
        if "learning_rate" in config.settings:
            says = (
                "the batch is not known from these keys, and the two belong together: lr = 5e-7 x sqrt(batch / "
                "768), or "
                "1e-6 x sqrt(batch / 1,024)"
            )
            yield finding(
                config, "learning_rate", "learning_rate", "note", says, f"{_SCALERL}, A.3; {_ISO}", ("total_batch",)
            )
        return
    rules = [lr_for(batch, anchor_lr=lr, anchor_batch=size) for lr, size in _ANCHORS]
    low, high = min(rule.value for rule in rules), max(rule.value for rule in rules)
    told_by = (
        f"the root rule gives {low:.2g} (ScaleRL: 5e-7 at 768) to {high:.2g} (IsoCompute: 1e-6 at 1,024) for a batch "
        "of "
        f"{batch:g}"
    )
    far = next((rule.limits[0] for rule in rules if len(rule.limits) > 3), "")
    told_by += f". But {far}" if far else ", a rule of thumb from one comparison"
    source = f"{_SCALERL}, A.3; {_ISO}"
    if rate > _FAR * high:
        says = f"{rate / high:.2g} times what {told_by}. Too high a rate ends a run"
        yield finding(config, "learning_rate", "learning_rate", "warning", says, source, ("total_batch",))
    elif rate < low / _FAR:
        says = f"{low / rate:.2g} times lower than what {told_by}. A low rate is slower"
        yield finding(config, "learning_rate", "learning_rate", "warning", says, source, ("total_batch",))
    else:
        yield finding(config, "learning_rate", "learning_rate", "agrees", told_by, source, ("total_batch",))


def _schedule(config: Config, _: str | None) -> Iterator[Finding]:
    schedule = config.value_of("lr_schedule")
    if schedule is None:
        return
    if str(schedule).startswith("constant"):
        yield finding(config, "learning_rate", "lr_schedule", "agrees", "as published", f"{_SCALERL}, A.3")
    else:
        says = (
            "the published runs keep the rate constant after a warm-up; with one that falls the curve depends on the "
            "length that was planned, and a run that is cut short is no prefix of a longer one"
        )
        yield finding(config, "learning_rate", "lr_schedule", "note", says, f"{_SCALERL}, A.3")


def _response_length(config: Config, _: str | None) -> Iterator[Finding]:
    length = count(config, "max_response_length")
    if length is None:
        return
    rises = "14k to 32k tokens: A .610 to .645, and 4.4 times the compute to the midpoint"
    if 0.8 * _LENGTH <= length <= 1.25 * _LENGTH:
        yield finding(config, "max_response_length", "max_response_length", "agrees", f"as published; {rises}", _TABLE)
    elif length > _LENGTH:
        says = f"longer than published (14k). {rises}: it ends higher and starts slower"
        yield finding(config, "max_response_length", "max_response_length", "note", says, _TABLE)
    else:
        says = (
            f"shorter than any that was compared (14k, 32k). {rises}. Watch how many completions are truncated: 10 to "
            "15 % destabilised runs"
        )
        yield finding(config, "max_response_length", "max_response_length", "note", says, f"{_TABLE}, A.15")


def _data_reuse(config: Config, _: str | None) -> Iterator[Finding]:
    passes = number(config, "data_passes")
    if passes is None or "data_passes" not in config.settings:
        return
    reuse = "up to 25 passes cost nothing that was significant, 50 a little, 100 overfitted (7B, about 100 steps)"
    source = "Tan et al., arXiv 2509.25300, Fig. 7"
    if passes >= _OVERFIT:
        yield finding(config, "data_reuse", "data_passes", "warning", f"{passes:g} passes at most: {reuse}", source)
    elif passes > _PASSES:
        yield finding(config, "data_reuse", "data_passes", "note", f"{passes:g} passes at most: {reuse}", source)
    else:
        yield finding(config, "data_reuse", "data_passes", "agrees", reuse, source)


BATCH_RULES: tuple[Rule, ...] = (
    _total_batch, _generations, _batch_split, _learning_rate, _schedule, _response_length, _data_reuse,
)  # fmt: skip
