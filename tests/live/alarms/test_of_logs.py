"""Logs that are followed without a ledger: what fails is told, and the next look goes on."""

from dataclasses import replace

from rlscale.curves import Curve, Run, simulated_runs
from rlscale.curves.prefix import first
from rlscale.errors import LedgerError, SourceError
from rlscale.live.alarms import LogAlarms
from rlscale.sources import Reading
from tests.live.test_watch import Script
from tests.waiting import Clock


class Source(Script):
    def close(self):
        pass


def test_what_fails_is_told_and_the_next_look_goes_on():
    runs = tuple(run for run, _ in simulated_runs(1, 1, 20, 0))
    bad = SourceError("x/log", "is torn")
    source = Source(Reading(runs, (bad,)), LedgerError("is locked"), RuntimeError("broke"), Reading(runs, ()))
    alarms = LogAlarms(source)
    assert alarms.look().troubles == {"source x/log": "is torn"}
    looks = [alarms.step() for _ in range(3)]
    assert looks[0].troubles == {"look": "is locked"}
    assert looks[0].reading.runs == runs  # as it stood
    assert looks[1].troubles["look"].startswith("RuntimeError: broke; this is a defect of rlscale")
    assert looks[2].troubles == {}
    assert alarms.close(0.0) == {}


def test_early_leaders_that_lose_are_told_once():
    runs = tuple(run for run, _ in simulated_runs(3, 1, 40, 0))
    source = Source(*(Reading(tuple(first(run, count) for run in runs), ()) for count in range(20, 41)))
    alarms = LogAlarms(source)
    sent = [event for _ in range(21) for event in alarms.step().alarms if event.signal.kind == "trap"]
    assert [event.event for event in sent][:1] == ["onset"]
    assert len(sent) <= 2


def test_runs_that_cannot_be_ranked_are_no_trouble():
    (run,) = (run for run, _ in simulated_runs(1, 1, 20, 0))
    curve = run.curve
    other = Run(name="b", recipe="b", curve=Curve(compute=curve.compute, reward=curve.reward, unit="tokens"))
    look = LogAlarms(Source(Reading((run, other), ()))).look()
    assert look.troubles == {}
    assert len(look.health.runs) == 2


def test_a_log_that_is_not_written_any_more_has_stalled_only_if_it_was_seen_to_be_written():
    (run,) = (run for run, _ in simulated_runs(1, 1, 40, 0))
    clock, kinds = Clock(), []
    old = replace(run, name="old")
    source = Source(*(Reading((replace(first(run, count), name="a"), old), ()) for count in range(10, 16)))
    alarms = LogAlarms(source, clock=clock)
    for _ in range(6):
        kinds += [event.signal.key for event in alarms.look().alarms if event.signal.kind == "stalled"]
        clock.advance(60.0)
    clock.advance(600.0)
    assert kinds == []
    assert [event.signal.key for event in alarms.look().alarms] == [("a", "stalled")]
