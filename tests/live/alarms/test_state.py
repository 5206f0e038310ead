"""When an alarm is sent: pure, from what was sent and what is there."""

import numpy as np
import pytest

from rlscale.health import FalseAlarms
from rlscale.live.alarms import ONSET, RECOVERY, AlarmEvent, Progress, Signal, advanced, restored


def signal(kind="truncation", run="a", severity="warn", **more):
    return Signal(
        **{"kind": kind, "run": run, "recipe": run, "severity": severity, "since": 60.0, "value": 0.4, "threshold": 0.1,
           "message": "40 % are cut.", "source": "a paper", "unit": "steps", **more}
    )  # fmt: skip


def played(there, kind="truncation", **more):
    """Return the events of a run that shows an alarm at some of its rows, a look a row."""
    state, found = {}, []
    for row, present in enumerate(there):
        shown = [signal(kind, **more)] if present else []
        state, events = advanced(state, shown, {"a": Progress(row, row)}, 1e9 + row)
        found += [(row, event.event) for event in events]
    return found


def test_an_alarm_is_sent_when_it_begins_and_when_it_is_over():
    assert played([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0]) == [(2, ONSET), (8, RECOVERY)]
    assert played([1, 1, 1]) == [(0, ONSET)]
    assert played([0, 0, 0]) == []


def test_what_is_away_for_a_row_or_two_is_not_over():
    assert played([1, 0, 0, 1, 0, 0, 1, 0, 0, 1]) == [(0, ONSET)]


@pytest.mark.parametrize("seed", range(5))
def test_a_value_that_dances_around_its_threshold_sends_little(seed):
    dance = np.random.default_rng(seed).random(1000) < 0.2  # away for four rows and more, every now and then
    sent = len(played(dance))
    crossings = int(np.abs(np.diff(dance.astype(int))).sum())
    assert crossings > 250  # what sending each change would send
    assert 1 <= sent <= 2 * np.log2(1000)


def test_a_dance_of_a_long_period_grows_with_the_logarithm():
    counts = [len(played(([1] + [0] * 6) * periods)) for periods in (10, 100, 1000)]
    assert counts[1] == counts[2] <= 6


def test_a_look_that_brings_nothing_new_counts_for_nothing():
    state, _ = advanced({}, [signal()], {"a": Progress(10, 2)}, 0.0)
    for _ in range(50):
        state, events = advanced(state, [], {"a": Progress(10, 2)}, 1.0)
        assert events == ()


def test_an_alarm_that_becomes_graver_is_sent_again_and_one_that_becomes_milder_is_not():
    progress = {"a": Progress(1, 1)}
    state, _ = advanced({}, [signal()], progress, 0.0)
    state, (event,) = advanced(state, [signal(severity="stop")], progress, 1.0)
    assert (event.event, event.signal.severity, event.before, event.onsets) == (ONSET, "stop", "warn", 1)
    assert "stop (was warn): a: truncation" in event.text
    for severity in ("warn", "stop", "note"):
        state, events = advanced(state, [signal(severity=severity)], progress, 2.0)
        assert events == ()


def test_another_decision_is_another_onset():
    progress = {"a": Progress(9, 9)}
    state, (first,) = advanced({}, [signal("decision", state="hold")], progress, 0.0)
    state, (second,) = advanced(state, [signal("decision", state="stop")], progress, 0.0)
    assert (first.before, second.before) == (None, "hold")
    _, (third,) = advanced(state, [], progress, 0.0)  # the gate has a hysteresis of its own
    assert third.event == RECOVERY


def test_what_cannot_be_judged_or_was_not_looked_at_is_not_over():
    state, _ = advanced({}, [signal()], {"a": Progress(1, 1)}, 0.0)
    for row in range(2, 50):
        state, events = advanced(state, [], {"a": Progress(row, row)}, 0.0, unjudged={("a", "truncation")})
        assert events == ()
        state, events = advanced(state, [], {}, 0.0)
        assert events == ()


def test_a_run_that_is_over_waits_for_no_more_rows():
    state, _ = advanced({}, [signal("stalled")], {"a": Progress(5, 5)}, 0.0)
    _, (event,) = advanced(state, [], {"a": Progress(5, 5)}, 0.0, over={"a"})
    assert event.event == RECOVERY


def test_a_log_that_begins_anew_does_not_keep_an_alarm_for_ever():
    state, _ = advanced({}, [signal()], {"a": Progress(500, 50)}, 0.0)
    rows = [row for row in range(10) if advanced_to(state, row)]
    assert rows


def advanced_to(state, row):
    events = ()
    for reached in range(row + 1):
        state, events = advanced(state, [], {"a": Progress(reached, reached)}, 0.0)
        if events:
            return events
    return events


def test_a_restart_knows_what_was_sent():
    _, sent = advanced({}, [signal(), signal(run="b")], {"a": Progress(5, 5), "b": Progress(5, 5)}, 0.0)
    again = restored([AlarmEvent.of(event.document(), event.at) for event in sent])
    after, events = advanced(again, [signal(), signal(run="b")], {"a": Progress(5, 5), "b": Progress(5, 5)}, 1.0)
    assert events == ()
    for row in (6, 7, 8):
        after, events = advanced(after, [signal(run="b")], {"a": Progress(row, row), "b": Progress(row, row)}, 1.0)
    assert [(event.event, event.signal.run) for event in events] == [(RECOVERY, "a")]


def test_a_watcher_that_starts_anew_for_each_look_sends_as_little():
    """As from cron: of when an alarm was last there nothing is known but that it began."""
    dance = np.random.default_rng(2).random(1000) < 0.3
    kept, sent = {}, []
    for row, there in enumerate(dance):
        state = restored([AlarmEvent.of(*kept[key]) for key in kept])
        _, events = advanced(state, [signal()] if there else [], {"a": Progress(row, row)}, 1.0)
        for event in events:
            kept[event.signal.key] = (event.document(), event.at)
            sent.append(event.event)
    assert sent[:2] == [ONSET, RECOVERY]
    assert len(sent) <= 2 * np.log2(1000)


def test_the_document_holds_all_and_comes_back():
    rates = FalseAlarms(0.026, 4, 12)
    event = AlarmEvent(
        event=ONSET, signal=signal(false_alarms=rates, since=None), at=1796048717.6, reached=Progress(70, 14)
    )
    document = event.document()
    keys = {"schema", "event", "kind", "run", "recipe", "severity", "since", "value", "threshold", "message", "source",
            "false_alarms", "at"}  # fmt: skip
    assert keys <= document.keys()
    assert (document["schema"], document["at"]) == (1, "2026-11-30T14:25:17Z")
    assert document["false_alarms"] == {"simulated": 0.026, "real": 4, "of": 12}
    assert AlarmEvent.of(document, event.at) == event
    assert event.title == "a: truncation"
