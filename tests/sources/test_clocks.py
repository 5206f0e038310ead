"""Which seconds of a run count."""

import numpy as np

from rlscale.curves import Series
from rlscale.sources.clocks import Clock, clocks_of, timers
from rlscale.sources.repair import Replaced
from rlscale.sources.stopwatch import Wall


def series(**columns):
    return {key.replace("__", "/"): Series(list(points), list(points.values())) for key, points in columns.items()}


def at(clock):
    return dict(zip(clock.seconds.step.tolist(), clock.seconds.value.tolist(), strict=True))


def test_steps_and_validation():
    known = series(t={1: 10.0, 2: 20.0, 3: 30.0}, v={0: 99.0, 2: 5.0})
    clocks = timers(known, ("none", "t"), ("v",))
    assert at(clocks["train"]) == {1: 10, 2: 30, 3: 60}
    assert at(clocks["train+eval"]) == {1: 10, 2: 35, 3: 65}  # the validation before training lies outside
    assert (clocks["train"].says, clocks["train+eval"].says) == ("gpu-hours count t", "gpu-hours count t and v")


def test_validation_inside_the_timer_of_the_step():
    clocks = timers(series(t={1: 10.0, 2: 25.0, 3: 10.0}, v={2: 15.0}), ("t",), ("v",), inside=True)
    assert at(clocks["train"]) == {1: 10, 2: 20, 3: 30}
    assert at(clocks["train+eval"]) == {1: 10, 2: 35, 3: 45}


def test_a_validation_longer_than_its_step_takes_nothing_from_others():
    clocks = timers(series(t={1: 10.0, 2: 10.0, 3: 10.0}, v={1: 15.0, 2: 12.0}), ("t",), ("v",), inside=True)
    assert at(clocks["train"]) == {1: 0, 2: 0, 3: 3}


def test_rows_are_means_over_the_steps_before_them():
    clocks = timers(series(t={5: 2.0, 10: 3.0}), ("t",))
    assert at(clocks["train"]) == at(clocks["train+eval"]) == {5: 10, 10: 25}


def test_a_timer_that_is_missing_in_a_row():
    assert at(timers(series(t={1: 10.0, 2: np.nan, 3: 30.0}), ("t",))["train"]) == {1: 10, 3: 70}
    assert timers(series(t={1: np.nan, 2: np.nan}), ("t",)) == {}
    assert timers(series(t={0: 5.0}), ("t",)) == {}


def test_a_log_that_starts_late_says_so():
    clock = timers(series(t={1001: 2.0, 1002: 2.0, 1003: 2.0}), ("t",))["train"]
    assert at(clock)[1003] == 2006
    assert clock.says.endswith("(the log starts at step 1001: the time before it is taken from its first row)")


def timed(train, total=None):
    one = Clock(Series(list(train), list(train.values())), "counted")
    other = one if total is None else Clock(Series(list(total), list(total.values())), "counted too")
    return {"train": one, "train+eval": other}


def test_elapsed_by_the_times_of_the_rows():
    wall = Wall(Series([1, 2], [50, 100]), "by times")
    clocks = clocks_of(timed({1: 30.0, 2: 60.0}), wall, ())
    assert (at(clocks["elapsed"]), clocks["elapsed"].by_times) == ({1: 50, 2: 100}, True)
    assert list(clocks_of({}, wall, ())) == ["elapsed"]
    assert clocks_of({}, None, ()) == {}


def test_rows_written_faster_than_their_steps_took_do_not_tell_the_time():
    wall = Wall(Series([1, 2], [1, 2]), "by times")
    clocks = clocks_of(timed({1: 30.0, 2: 60.0}), wall, ())
    assert (at(clocks["elapsed"]), clocks["elapsed"].by_times) == ({1: 30, 2: 60}, False)


def test_elapsed_by_timers_counts_what_restarts_threw_away():
    total = {1: 36.0, 2: 72.0, 3: 108.0, 4: 144.0}
    lost = [(Replaced(3, {}), 3600.0), (Replaced(2, {}), 1800.0)]
    clock = clocks_of(timed(total), None, lost)["elapsed"]
    assert at(clock) == {1: 36, 2: 72 + 1800, 3: 108 + 5400, 4: 144 + 5400}
    assert clock.says == ("counted, and 1.5 h that restarts threw away; start-up and idle time are not in the log")


def test_a_clock_without_a_number_is_none():
    empty = {"train": Clock(Series([], []), "none"), "train+eval": Clock(Series([1], [np.nan]), "none")}
    assert clocks_of(empty, None, ()) == {}
