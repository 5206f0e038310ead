"""What a fit says of alarms: what was left out for them, which moved first, and that a ``stop`` lasts."""

from __future__ import annotations

from rlscale.health import Alarm, Checkup, monitor
from rlscale.inference.regimes import Break, BreakKind

__all__ = ["disagreement", "first_mover", "lasts", "left_out", "not_to_act", "sick_since"]


def first_mover(found: Break, checkup: Checkup | None, unit: str) -> str:
    """Return how alarms stand to a break, as a sentence with a space before it; empty where there are none.

    Which moved first is said of one that was there when the reward still stood; of one that came later, that it was
    seen after the peak; of one that was over by then, that it was.
    """
    if checkup is None:
        return ""
    place = "the peak" if found.kind in (BreakKind.FALL, BreakKind.RECOVERY) else "it"
    alarm = checkup.first_to_move(found.until)
    if alarm is not None and alarm.since is not None:
        apart = found.until - alarm.since
        where = f"at {place}" if apart == 0.0 else f"{apart:.4g} before {place}"
        return f" First to move was {_name(alarm)}: {alarm.message}, since {alarm.since:.4g} {unit}, {where}."
    if found.kind is BreakKind.EVALUATION:
        return ""
    alarm = checkup.first_after(found.until)
    if alarm is not None and alarm.since is not None:
        where = "at the peak" if place == "the peak" else "before it"
        later = f"{alarm.since - found.until:.4g} {unit} after it"
        return f" No alarm stood {where}; {_name(alarm)} was seen {later}: {alarm.message}."
    alarm = checkup.latest_over(found.until)
    if alarm is None or alarm.until is None:
        return ""
    return f" No alarm stood at {place}; {_name(alarm)} was over by {alarm.until:.4g} {unit}: {alarm.message}."


def lasts(alarm: Alarm | None, mover: str = "") -> str:
    """Say that a monitor says ``stop`` to the end, as a sentence with a space after it; empty where ``mover`` does."""
    if alarm is None or alarm.message in mover:
        return ""
    return f"{_capital(_name(alarm))} says stop{_since(alarm)} to the end: {alarm.message}. "


def not_to_act(alarm: Alarm) -> str:
    """Return the advice on an answer under a ``stop`` that lasts, as sentences with a space after them."""
    return f"Do not act on it: {_name(alarm)} lasts{_since(alarm)}. {_capital(alarm.advice).rstrip('.')}. "


def disagreement(episodes: tuple[Alarm, ...], found: Break, unit: str) -> str:
    """Say that the parts before and after an episode do not agree, with a space before; empty where none lies there."""
    between = [
        alarm
        for alarm in episodes
        if alarm.since is not None
        and alarm.until is not None
        and found.until < alarm.until
        and alarm.since < found.since
    ]
    if not between:
        return ""
    names = " and ".join(dict.fromkeys(_name(alarm) for alarm in between))
    start = min(alarm.since or 0.0 for alarm in between)
    end = max(alarm.until or 0.0 for alarm in between)
    return (
        f" The evaluations before and after {names} said stop ({start:.4g} to {end:.4g} {unit}) are not on one curve."
    )


def sick_since(checkup: Checkup, before: int, under: int, until: float, unit: str) -> tuple[str, ...]:
    """Say that a fall is believed since a monitor says ``stop``, and what is left out under it and before it.

    Parameters
    ----------
    checkup : Checkup
    before, under : int
        Evaluations after the fall began and before the alarm; and under the alarm.
    until : float
        Where the fall begins.
    unit : str
    """
    alarm = checkup.stop
    assert alarm is not None
    said = []
    if before:
        said.append(
            f"{_several(before)} between {until:.4g} {unit} and the alarm left out of the fit: the reward had begun to "
            "fall; --no-health keeps them in"
        )
    if under:
        said.append(
            f"{_several(under)} left out of the fit: {_name(alarm)} says stop{_since(alarm)} ({alarm.message}) and the "
            "reward has fallen; --no-health keeps them in"
        )
    return tuple(said)


def left_out(alarm: Alarm, count: int, until: float, unit: str) -> str:
    """Say that evaluations of an episode up to ``until`` are left out."""
    return (
        f"{_several(count)} between {alarm.since:.4g} and {until:.4g} {unit} left out of the fit: {_name(alarm)} said "
        f"stop then ({alarm.message}); --no-health keeps them in"
    )


def _several(count: int) -> str:
    return f"{count} evaluations" if count > 1 else "1 evaluation"


def _since(alarm: Alarm) -> str:
    return "" if alarm.since is None else f" since {alarm.since:.4g} {alarm.compute_unit}"


def _name(alarm: Alarm) -> str:
    return monitor(alarm.monitor).title


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
