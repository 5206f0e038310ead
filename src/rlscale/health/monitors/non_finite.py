"""Numbers that are none: NaN and infinity where the trainer logs its loss, gradient, entropy, KL or reward."""

from __future__ import annotations

import numpy as np

from rlscale.health.channel import Channel
from rlscale.health.detect import Span
from rlscale.health.limits import Limits
from rlscale.health.monitor import Finding, Judgement, Monitor, lacks
from rlscale.health.vitals import Vitals

__all__ = ["NON_FINITE_VALUES"]

#: Rows in a row that are no accident.
_LASTING = 3
#: Quantities whose loss is the loss of the weights, ...
_GRAVE = ("loss", "grad_norm", "entropy")
#: ... those that every trainer has, ...
_BROKEN = ("loss", "grad_norm")
#: ... and others that are watched.
_WATCHED = (*_GRAVE, "kl", "kl_new_old", "mismatch")


def _judge(vitals: Vitals, limits: Limits) -> Judgement:
    watched = {name: vitals.channels[name] for name in _WATCHED if name in vitals.channels}
    if vitals.reward is not None:
        watched["reward"] = vitals.reward
    if vitals.reward is None or vitals.reward.key != vitals.curve.key:
        watched["curve"] = vitals.curve
    if not any(name in watched for name in (*_GRAVE, "reward")) and not vitals.curve.lost_step.size:
        return lacks("neither loss, gradient norm nor entropy is logged: log them as loss, grad_norm and entropy")
    findings: tuple[Finding, ...] = ()
    for name, channel in watched.items():
        findings += _lost(channel, grave=name in _GRAVE)
    return Judgement(findings)


def _lost(channel: Channel, *, grave: bool) -> tuple[Finding, ...]:
    """Return the stretches of rows that are not finite, where the quantity was finite before or ever is."""
    if not channel.lost_step.size:
        return ()
    if not channel.size:
        last = channel.lost_step.size - 1
        if channel.name not in _BROKEN or last + 1 < _LASTING:
            return ()
        message = f"{channel.key} is not finite on any of its {last + 1} rows: never measured, or broken from the start"
        return (Finding("note", channel, Span(0, _LASTING - 1, None), np.nan, 0.0, message, lost=True),)
    steps = np.union1d(channel.step, channel.lost_step)
    lost = np.isin(steps, channel.lost_step)
    usual = float(np.mean(lost[: max(8, lost.size // 4)]))
    if usual > 0.5:  # logged on some rows only
        return ()
    findings = []
    edges = np.flatnonzero(np.diff(np.r_[False, lost, False].astype(int)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        rows, last = end - first, end == lost.size
        lasting = rows >= _LASTING or (last and rows >= 2)
        severity = (
            ("stop" if lasting else "warn" if last and grave else "note") if grave else "warn" if lasting else "note"
        )
        place = np.searchsorted(
            channel.lost_step, steps[[first, min(first + (_LASTING - 1 if rows >= _LASTING else rows - 1), end - 1)]]
        )
        back = None if last else int(np.searchsorted(channel.step, steps[end]))
        how = (
            "for good"
            if last and rows > 1
            else f"on {rows} row{'' if rows == 1 else 's'} in a row"
            if rows > 1
            else "on one row"
        )
        findings.append(
            Finding(severity, channel, Span(int(place[0]), int(place[1]), back), np.nan, 0.0,
                    f"{channel.key} is not finite {how}", lost=True)
        )  # fmt: skip
    return tuple(findings)


NON_FINITE_VALUES = Monitor(
    name="non_finite",
    title="NaN or inf",
    needs=("loss, grad_norm, entropy, kl, reward (as logged)",),
    rule="a value that is not finite: a note; on 3 rows in a row, or on the last 2, a warning; stop where it "
    "is the loss, the gradient norm or the entropy; a note where no row of the loss or the gradient norm is finite: "
    "never measured, or broken from the start",
    source="chosen on real and simulated runs; isolated NaN of a KL were harmless in both runs that had them",
    advice="go back to the last checkpoint before the onset; lower the learning rate, clip the gradient, check "
    "the loss's logs and ratios",
    judge=_judge,
)
