"""verl: what its keys mean, whichever logger wrote them: metrics, the clock, and the GPUs behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlscale.curves import Series
from rlscale.errors import SourceError
from rlscale.sources.log import Log
from rlscale.sources.metrics import train_keys, validation_keys
from rlscale.sources.repair import Row, Segment, segments, series_of
from rlscale.sources.text import plural
from rlscale.sources.totals import lost_steps, total_of_steps

__all__ = ["logs_of"]

Floats = NDArray[np.float64]

_TOKENS = "perf/total_num_tokens"

#: Timers that run one after the other inside a step, in every version.
_PARTS = ("gen", "gen_max", "reward", "old_log_prob", "ref", "values", "adv", "update_critic", "update_actor")


def logs_of(
    rows: Iterable[Row],
    path: str,
    form: str,
    repairs: Sequence[str] = (),
    gpus: float | None = None,
    graded: Mapping[float, float] | None = None,
) -> list[Log]:
    """Return the runs of verl rows ``(step, values)``.

    Compute at step ``s``, 0 at step 0: ``tokens = sum perf/total_num_tokens`` (prompt and response of the trained
    batch), ``seconds = sum (timing_s/step + validation + checkpoint)`` where the last two are added only if they run
    outside ``timing_s/step`` (see :class:`_Clock`).

    Parameters
    ----------
    rows : iterable of (step, values)
        In the order of the file.
    path, form : str
        The file and the reader.
    repairs : sequence of str
        What the reader repaired.
    gpus : float, optional
        GPUs by the printed configuration, used where throughput does not tell.
    graded : mapping of float to float, optional
        Graded samples of the validation at a step.

    Raises
    ------
    SourceError
        No rows.
    """
    parts = segments(rows)
    if not parts[0].rows:
        raise SourceError(path, "holds no step; verl has not logged one yet")
    return [
        _log("" if k == 0 else f"#{k + 1}", part, path, form, tuple(repairs), gpus, graded or {})
        for k, part in enumerate(parts)
    ]


def _log(
    name: str,
    part: Segment,
    path: str,
    form: str,
    repairs: tuple[str, ...],
    configured: float | None,
    graded: Mapping[float, float],
) -> Log:
    series = series_of(part.rows)
    steps = np.asarray(list(part.rows))
    axes = {"steps": Series(steps, steps)}
    validation = validation_keys("verl", series)
    trained = steps[steps > 0]
    lost = lost_steps(trained)
    absent: dict[str, str] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    tokens = None if lost else _sum(series, _TOKENS, trained)
    clock = None if lost else _Clock.of(series, trained)
    if lost:
        absent = {"tokens": lost, "gpu-hours": lost}
        if trained.size:
            warnings = {"steps": (f"tokens and gpu-hours are unknown: {lost}",)}
    else:
        missing = int(trained[-1] - trained.size) if trained.size else 0
        if missing > 0:
            told = f"{plural(missing, 'step')} not in the log; the compute of each is taken from the next logged step"
            warnings = {"tokens": (told,), "gpu-hours": (told,)}
        absent |= {} if tokens is not None else {"tokens": f"the log holds no {_TOKENS}"}
        absent |= {} if clock is not None else {"gpu-hours": "the log holds no timing_s/step"}
    if tokens is not None:
        axes["tokens"] = tokens
    gpus, counted = _gpus(series, configured)
    samples = {key: _graded(series[key], graded) for key in validation} if graded else {}
    return Log(
        name=name,
        path=path,
        format=form,
        rows=part.count,
        series=series,
        validation=validation,
        train=train_keys("verl", series),
        axes=axes,
        axis_keys={_TOKENS: tokens} if tokens is not None else {},
        axis_units={_TOKENS: "tokens"},
        seconds=clock.seconds if clock else None,
        clock=f"{clock.sentence}{counted}" if clock else "",
        gpus=gpus,
        absent=absent,
        n_eval=samples,
        repairs=(*repairs, *part.repairs),
        axis_warnings=warnings,
    )


def _values(series: Mapping[str, Series], key: str, steps: Floats) -> Floats:
    """Return a logged quantity at ``steps``, shape (n,); NaN where it is not logged."""
    result = np.full(steps.size, np.nan)
    if key in series and steps.size:
        place = np.minimum(np.searchsorted(steps, series[key].step), steps.size - 1)
        here = steps[place] == series[key].step
        result[place[here]] = series[key].value[here]
    return result


def _sum(series: Mapping[str, Series], key: str, steps: Floats) -> Series | None:
    values = _values(series, key, steps)
    logged = np.isfinite(values)
    return total_of_steps(steps[logged], values[logged])[0] if logged.any() else None


@dataclass(frozen=True, eq=False)
class _Clock:
    """Cumulative seconds and what they count.

    Validation and checkpoints ran inside ``timing_s/step`` up to verl 0.5, outside from 0.6 on (checkpoints inside
    again later), and the log does not name its version. So the data decide: of the four ways to take them out of
    ``timing_s/step``, the one that leaves the steps with a validation or a checkpoint most like the others (or, with
    the other timers known, nearest to nothing).
    """

    seconds: Series
    sentence: str

    @classmethod
    def of(cls, series: Mapping[str, Series], trained: Floats) -> _Clock | None:
        """Return the clock of a run; None where no step is timed. ``trained``, shape (n,), are its steps above 0."""
        whole = _values(series, "timing_s/step", trained)
        whole = np.where(np.isfinite(whole), whole, _values(series, "perf/time_per_step", trained))
        timed = np.isfinite(whole)
        if not timed.any():
            return None
        steps, whole = trained[timed], whole[timed]
        extras = [np.nan_to_num(_values(series, f"timing_s/{k}", steps)) for k in ("testing", "save_checkpoint")]
        inside = _inside(whole, _rest(series, steps, whole), extras)
        added = sum((x for x, is_in in zip(extras, inside, strict=True) if not is_in), np.zeros(steps.size))
        said = ["gpu-hours count timing_s/step"]
        for what, extra, is_in in zip(("validation", "checkpoints"), extras, inside, strict=True):
            if extra.any():
                said.append(f"{what} {'(inside it)' if is_in else '(added to it)'}")
        sentence = said[0] if len(said) == 1 else f"{said[0]} with {' and '.join(said[1:])}"
        return cls(total_of_steps(steps, whole, added)[0], sentence)


def _rest(series: Mapping[str, Series], steps: Floats, whole: Floats) -> Floats | None:
    """Return the part of each step that no other timer accounts for, shape (n,); None where they do not add up."""
    parts = [_values(series, f"timing_s/{part}", steps) for part in _PARTS]
    if not np.isfinite(_values(series, "timing_s/update_actor", steps)).all():
        return None
    if not np.isfinite(_values(series, "timing_s/gen", steps)).all():
        return None
    rest: Floats = whole - np.sum([np.nan_to_num(part) for part in parts], axis=0)
    overlaps = bool(np.median(rest) < -0.05 * np.median(whole))  # asynchronous trainers time things in parallel
    return None if overlaps else rest


def _inside(whole: Floats, rest: Floats | None, extras: Sequence[Floats]) -> tuple[bool, ...]:
    """Return for each extra whether it is part of ``whole``; outside where nothing tells."""
    visible = np.logical_or.reduce([extra > 0 for extra in extras])
    level = whole if rest is None else rest
    if not visible.any() or (visible.all() and rest is None):
        return tuple(False for _ in extras)
    usual = 0.0 if visible.all() else float(np.median(level[~visible]))
    possible = [(False, True) if np.all(extra <= whole) and extra.any() else (False,) for extra in extras]

    def misfit(choice: tuple[bool, ...]) -> float:
        taken = sum((extra for extra, is_in in zip(extras, choice, strict=True) if is_in), np.zeros(whole.size))
        return float(np.mean(np.abs((level - taken - usual)[visible])))

    return min(itertools.product(*possible), key=misfit)


def _gpus(series: Mapping[str, Series], configured: float | None) -> tuple[float | None, str]:
    """Return the GPU count and how it is known: ``total_num_tokens / (throughput x time_per_step)``."""
    tokens = series.get(_TOKENS)
    if tokens is not None:
        rate = _values(series, "perf/throughput", tokens.step)
        time = _values(series, "perf/time_per_step", tokens.step)
        time = np.where(np.isfinite(time), time, _values(series, "timing_s/step", tokens.step))
        usable = np.isfinite(tokens.value) & (rate > 0) & (time > 0)
        if usable.any():
            count = float(np.median(tokens.value[usable] / (rate[usable] * time[usable])))
            if round(count) >= 1 and abs(count - round(count)) <= 0.02 * round(count):
                return float(round(count)), f", on {round(count)} GPUs (recovered from throughput)"
    if configured:
        return configured, f", on {configured:g} GPUs (from the printed configuration)"
    return None, ""


def _graded(metric: Series, graded: Mapping[float, float]) -> Series:
    return Series(metric.step, np.asarray([graded.get(step, np.nan) for step in metric.step.tolist()]))
