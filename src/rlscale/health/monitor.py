"""The contract of a monitor: what it needs, its rule, where its threshold comes from, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.health.channel import Channel
from rlscale.health.detect import Span, spans
from rlscale.health.limits import Limits
from rlscale.health.logged_as import how_to_log
from rlscale.health.vitals import Vitals

__all__ = ["ROWS", "Finding", "Judgement", "Monitor", "lacks", "needed", "stretches"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Fewer rows than this say nothing of a trend or a level.
ROWS = 8


@dataclass(frozen=True)
class Finding:
    """One stretch of rows that breaks a rule.

    Parameters
    ----------
    severity : str
    channel : Channel
        The series whose rows the span counts.
    span : Span
    value, threshold : float
        At the row where it was sure; NaN for a value that is not finite.
    message : str
    lost : bool
        The rows are those that are not finite.
    unit : str
        Of value and threshold, where it is not that of the series.
    """

    severity: str
    channel: Channel
    span: Span
    value: float
    threshold: float
    message: str
    lost: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a monitor finds in one run; ``lacking`` says why it cannot judge, and is empty where it can."""

    findings: tuple[Finding, ...] = ()
    lacking: str = ""


@dataclass(frozen=True)
class Monitor:
    """One kind of sickness.

    Parameters
    ----------
    name : str
        As in JSON.
    title : str
        A heading of the table.
    needs : tuple of str
        Series of which it needs one or more, with their units.
    rule : str
        The formula, in words and symbols.
    source : str
        Where the threshold comes from.
    advice : str
        The next step.
    judge : callable
        Takes the vitals and the limits.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    rule: str
    source: str
    advice: str
    judge: Callable[[Vitals, Limits], Judgement]


def lacks(why: str) -> Judgement:
    """Return that a monitor cannot judge."""
    return Judgement(lacking=why)


def needed(vitals: Vitals, name: str, *, rows: int = ROWS, constant: bool = False) -> tuple[Channel | None, str]:
    """Return a series with enough rows, or why there is none and what to log.

    A constant is what trainers log for 'not measured'; where ``constant``, only a constant 0 is.
    """
    channel = vitals.channels.get(name)
    if channel is None:
        return None, vitals.lacking.get(name, f"no {name.replace('_', ' ')} is logged: {how_to_log(vitals.run, name)}")
    if not channel.size:
        lost = channel.lost_step.size
        rows_ = f"on any of its {lost} rows" if lost else "on any row"
        return None, f"{channel.key} is not finite {rows_}, so it is not measured: {how_to_log(vitals.run, name)}"
    if channel.size < rows:
        what = f"{channel.key} has {channel.size} finite value{'' if channel.size == 1 else 's'}"
        return None, f"{what}, and {rows} are needed: it is judged from its row {rows} on"
    if channel.constant and (not constant or channel.value[0] == 0.0):
        value = f"{channel.value[0]:g}"
        what = f"{channel.key} is {value} throughout, as trainers log what they do not measure"
        return None, f"{what}: {how_to_log(vitals.run, name)}"
    return channel, ""


def stretches(
    severity: str,
    channel: Channel,
    condition: Flags,
    value: Floats,
    threshold: float | Floats,
    say: Callable[[float, float], str],
    *,
    persist: int,
    clear: int | None = None,
    calm: Flags | None = None,
    unit: str = "",
) -> tuple[Finding, ...]:
    """Return a finding for each stretch of a condition.

    Parameters
    ----------
    severity, channel
        As in :class:`Finding`.
    condition : array of bool, shape (n,)
        Of each row of the channel.
    value, threshold : array, shape (n,), or float
        What is compared.
    say : callable
        Takes value and threshold, returns the message.
    unit : str
        As in :class:`Finding`.
    persist, clear, calm
        As for :func:`rlscale.health.detect.spans`.
    """
    limits = np.broadcast_to(np.asarray(threshold, dtype=np.float64), condition.shape)
    return tuple(
        Finding(
            severity,
            channel,
            span,
            value=float(value[span.raised]),
            threshold=float(limits[span.raised]),
            message=say(float(value[span.raised]), float(limits[span.raised])),
            unit=unit,
        )
        for span in spans(condition, persist=persist, clear=clear, calm=calm)
    )
