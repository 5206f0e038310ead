"""The watch loop in one process: looks, decisions, what people say, what goes wrong."""

from dataclasses import replace

import numpy as np
import pytest

from rlscale.curves import Curve, Run
from rlscale.decisions.gate import KILL
from rlscale.errors import InputError, LedgerError
from rlscale.inference import FitOptions
from rlscale.ledger import Heading, Ledger, heading_bounds, points_of
from rlscale.live import Courier, Intake, Table, Watch, WatchSettings, carried, command_of, explain
from rlscale.live.sight import Looker
from rlscale.sources import Reading

CEILINGS = {"best": 0.8, "low": 0.5, "lower": 0.45, "good": 0.62}
STEPS = range(0, 101, 4)


def reward(name, step, seed=1):
    noise = np.random.default_rng([seed, list(CEILINGS).index(name), step]).standard_normal()
    return float(0.1 + (CEILINGS[name] - 0.1) * step / (step + 20) + 0.01 * noise)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        yield held


def grow(ledger, steps, names=tuple(CEILINGS)):
    for name in names:
        row = ledger.book.enlist(Heading(name=name, recipe=name))
        ledger.book.append({row.id: {"reward": points_of(list(steps), [reward(name, k) for k in steps])}})


def watch(ledger, **more):
    return Watch(ledger, WatchSettings(budget=100.0), **{"acting": True, **more})


def test_settings_come_back_from_their_document():
    settings = WatchSettings(budget=5.0, horizon=4.0, policy=KILL, options=FitOptions(model_error=0.0), seed_sd=0.03)
    assert WatchSettings.of(settings.document()).document() == settings.document()
    assert WatchSettings.of(settings.document()).hash == settings.hash
    assert replace(settings, budget=6.0).hash != settings.hash


def test_settings_kept_before_a_guard_was_there_leave_it_off():
    kept = WatchSettings(budget=5.0).document()
    newer = ("late_factor", "probe_share", "probe_after")
    older = {**kept, "policy": {name: value for name, value in kept["policy"].items() if name not in newer}}
    policy = WatchSettings.of(older).policy
    assert (policy.late_factor, policy.probe_share) == (0.0, 0.0)
    assert policy.alpha == WatchSettings.of(kept).policy.alpha
    assert WatchSettings.of(kept).policy.probe_share > 0.0
    with pytest.raises(LedgerError, match="not those of a gate"):
        WatchSettings.of({"budget": 1.0})
    with pytest.raises(InputError, match="not a compute above 0"):
        WatchSettings(budget=0.0)


def test_a_tournament_ends_with_the_best_committed(tmp_path):
    table = Table(str(tmp_path / "t.db"), WatchSettings(budget=100.0))
    running, spent = set(CEILINGS), dict.fromkeys(CEILINGS, -4)
    while any(spent[name] < 100 for name in running):
        for name in sorted(running):
            if spent[name] < 100:
                spent[name] += 4
                assert table.report(name, spent[name], reward(name, spent[name]))
                decided = table.decide()
        running = {name for name in CEILINGS if decided[name].action in ("continue", "commit")}
    assert decided["best"].action == "commit"
    assert {decided[name].action for name in CEILINGS if name != "best"} == {"stop"}
    assert sum(spent.values()) < 0.65 * 400
    assert not table.report("best", 200.0, float("nan"))
    for decision in table.ledger.rulings.decisions():
        found = explain(table.ledger, decision.id)
        assert (found.same, found.same_inputs) == (True, True)
    chains = {name: table.ledger.rulings.decisions(run=name) for name in CEILINGS}
    for chain in chains.values():
        assert [one.before for one in chain] == [None, *(one.action for one in chain[:-1])]
    table.close()


def test_nothing_new_is_looked_at_once(ledger):
    grow(ledger, STEPS[:12])
    watcher = watch(ledger)
    first, second = watcher.step(), watcher.step()
    assert first.decisions
    assert first.role == "acting"
    third = watcher.step()
    assert third.decisions == ()
    assert ledger.rulings.last_look(acting=True).number <= 1
    assert second.sight is third.sight
    watcher.close()


def test_a_dry_run_is_kept_and_obeyed_by_nobody(ledger, tmp_path):
    grow(ledger, STEPS[:14])
    mark = tmp_path / "mark"
    watcher = watch(ledger, acting=False, courier=Courier(("touch", str(mark))))
    scene = watcher.step()
    assert scene.role == "dry-run"
    assert {one.action for one in scene.decisions} >= {"commit", "hold"}
    assert not any(map(carried, scene.decisions))
    assert ledger.rulings.in_force(ledger.book.run("lower"))[0] == "continue"
    watcher.step()
    assert not mark.exists()
    watcher.close()


def test_a_look_that_failed_leaves_nothing_out_of_the_next(ledger, monkeypatch):
    grow(ledger, STEPS[:14])
    watcher = watch(ledger)
    look, calls = Looker.look, []

    def once(self, *args):
        calls.append(args)
        if len(calls) == 1:
            raise InputError("not now")
        return look(self, *args)

    monkeypatch.setattr(Looker, "look", once)
    assert watcher.step().troubles == {"gate": "not now"}
    assert watcher.step().decisions == ()  # the same again is not looked at again
    grow(ledger, STEPS[14:15], names=["best"])
    made = watcher.step().decisions
    assert explain(ledger, made[-1].id).same
    watcher.close()


def test_a_run_with_bad_points_stands_where_it_was_a_curve(ledger):
    grow(ledger, STEPS[:5])
    watcher = watch(ledger)
    watcher.step()
    row = ledger.book.run("low")
    ledger.book.append({row.id: {"reward": points_of([20], [7.5])}})
    grow(ledger, STEPS[5:14], names=["best", "good", "lower"])
    scene = watcher.step()
    assert "reward 7.5 is outside the bounds" in scene.troubles["curve low"]
    assert scene.decisions
    for decision in ledger.rulings.decisions():
        assert explain(ledger, decision.id).same
    ledger.book.append({row.id: {"reward": points_of([20], [0.3])}})
    assert watcher.step().troubles == {}
    watcher.close()


def test_a_dry_run_keeps_nobody_from_acting(ledger):
    grow(ledger, STEPS[:14])
    dry, acting = watch(ledger, acting=False), watch(ledger)
    for _ in range(2):
        assert (dry.step().role, acting.step().role) == ("dry-run", "acting")
    assert watch(ledger).step().role == "standby"
    for decision in ledger.rulings.decisions():
        assert explain(ledger, decision.id).same
    for one in (dry, acting):
        one.close()


def test_a_watcher_that_starts_again_goes_on_where_it_was(ledger):
    grow(ledger, STEPS[:14])
    first = watch(ledger)
    first.step()
    held = {one.run for one in ledger.rulings.latest(acting=True).values() if one.action == "hold"}
    assert held
    first.close()
    again = watch(ledger)
    scene = again.step()
    assert scene.decisions == ()  # all as it was
    assert {one.row.name for one in scene.sight.field if one.state == "held"} == held
    again.close()


def test_people_go_before_the_gate(ledger):
    grow(ledger, STEPS[:14])
    ledger.overrides.add(ledger.book.run("lower"), "pin", "the paper needs it", "ana@host")
    ledger.overrides.add(ledger.book.run("best"), "hold", "", "ana@host")
    watcher = watch(ledger)
    watcher.step()
    found = {one.run: one for one in ledger.rulings.decisions()}
    assert (found["lower"].action, found["best"].action, found["best"].code) == ("continue", "hold", "held_by_hand")
    assert found["best"].reason.startswith("ana@host said hold; by itself the gate would say continue: ")
    ledger.overrides.add(ledger.book.run("best"), "resume", "", "ana@host")
    watcher.step()
    last = ledger.rulings.decisions(run="best")[-1]
    assert last.action in ("continue", "commit")
    for decision in ledger.rulings.decisions():
        assert explain(ledger, decision.id).same
    watcher.close()


def test_what_a_person_holds_is_not_released_and_what_is_lost_is_no_rival(ledger):
    grow(ledger, STEPS[:14])
    grow(ledger, STEPS, names=["good"])
    ledger.overrides.add(ledger.book.run("lower"), "hold", "", "ana@host")
    ledger.overrides.add(ledger.book.run("best"), "lost", "its node died", "ana@host")
    watcher = watch(ledger)
    for _ in range(3):
        scene = watcher.step()
    found = {one.run: one for one in ledger.rulings.latest(acting=True).values()}
    assert found["best"].action == "stop"
    assert found["lower"].action == "hold"
    assert found["low"].action == "stop"  # released: the others have finished
    assert found["good"].action == "commit"
    assert scene.done
    for decision in ledger.rulings.decisions():
        assert explain(ledger, decision.id).same
    watcher.close()


def test_a_run_that_is_over_is_no_rival_any_more(ledger):
    grow(ledger, STEPS)
    grow(ledger, STEPS[:8], names=["low"])
    watcher = watch(ledger)
    scene = watcher.step()
    assert scene.done
    assert not [one for one in scene.decisions if one.code == "finished" and carried(replace(one, before="hold"))]
    watcher.close()


def test_what_cannot_be_decided_is_an_event_once(ledger):
    grow(ledger, STEPS[:8])
    ledger.book.append(
        {ledger.book.enlist(Heading(name="t", recipe="t", unit="tokens")).id: {"reward": points_of([1], [0.5])}}
    )
    watcher = watch(ledger)
    for _ in range(3):
        scene = watcher.step()
    assert "several units" in scene.troubles["gate"]
    assert [one.kind for one in ledger.events.last()] == ["gate"]
    watcher.close()
    narrowed = watch(ledger, unit="steps")
    assert narrowed.step().troubles == {}
    narrowed.close()


class Script:
    """A source that gives one reading after the other."""

    def __init__(self, *readings):
        self._readings = list(readings)

    def poll(self):
        found = self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]
        if isinstance(found, Exception):
            raise found
        return found


def run(name, count, shift=0.0):
    steps = list(STEPS[:count])
    return Run(name=name, recipe=name, curve=Curve(compute=steps, reward=[reward(name, k) + shift for k in steps]))


def test_sources_are_taken_in_and_their_troubles_told(ledger):
    from rlscale.errors import SourceError

    bad = SourceError("x/log", "is gone")
    source = Script(
        Reading((run("best", 6), run("low", 6)), (bad,)), Reading((run("best", 7), run("low", 6)), ()),
        RuntimeError("a tracker's library broke"), Reading((run("best", 8), run("low", 6)), ()),
    )  # fmt: skip
    watcher = watch(ledger, source=source)
    first, second, third, fourth = (watcher.step() for _ in range(4))
    assert (first.points, second.points, third.points, fourth.points) == (12, 1, 0, 1)
    assert first.troubles == {"source x/log": "is gone"}
    assert second.troubles == {}
    assert "RuntimeError: a tracker's library broke" in third.troubles["sources"]
    assert fourth.troubles == {}
    assert [one.message for one in ledger.events.last()][1] == "is well again"
    watcher.close()


def test_a_run_that_contradicts_the_ledger_is_left_out(ledger):
    intake = Intake(ledger)
    first = replace(run("best", 5), source=None)
    assert intake.take([first]).points == 5
    assert intake.take([first]).points == 0
    assert intake.take([run("best", 6)]).points == 1
    other = replace(run("best", 5), curve=replace(first.curve, unit="tokens"))
    taken = Intake(ledger).take([other, run("low", 3)])
    assert (taken.points, list(taken.refused)) == (3, ["best"])


def test_a_log_that_was_begun_anew_while_nobody_looked_is_refused(ledger):
    Intake(ledger).take([run("best", 10)])
    resumed = run("best", 12)
    changed = resumed.curve.reward.copy()
    changed[8:10] += 0.01  # made again after a checkpoint
    assert Intake(ledger).take([replace(resumed, curve=replace(resumed.curve, reward=changed))]).points == 4
    anew = Intake(ledger).take([run("best", 6, shift=0.05)])
    assert "another run, or its log lost its beginning" in anew.refused["best"]
    later = replace(resumed, curve=resumed.curve.since(44.0).select(resumed.curve.since(44.0).compute > 0))
    assert Intake(ledger).take([later]).refused == {}


def test_a_run_that_was_begun_anew_is_no_rival_to_itself(ledger):
    from rlscale.curves import Source

    told = Source("log", "jsonl", 9)
    Intake(ledger).take([replace(run("best", 6), source=told)])
    again = replace(run("best", 3), name="best#2", source=told)
    Intake(ledger).take([replace(run("best", 6), source=told), again])
    Intake(ledger).take([again])
    assert [(word.run, word.kind, word.note) for word in ledger.overrides.all()] == [
        ("best", "lost", "begun anew as best#2")
    ]
    Intake(ledger).take([replace(run("low", 3), name="low#2", source=replace(told, format="table"))])
    assert len(ledger.overrides.all()) == 1


def test_commands_are_words_and_no_shell():
    assert command_of("python 'a b.py' $HOME;x") == ("python", "a b.py", "$HOME;x")
    for text in ("", "  ", "python 'a"):
        with pytest.raises(InputError, match="--on-decision"):
            command_of(text)


def test_a_look_does_not_depend_on_what_was_looked_at_before(ledger):
    grow(ledger, STEPS[:14])
    watcher = watch(ledger)
    field = watcher.step().sight.field
    fresh = Looker(WatchSettings(budget=100.0)).look(field)
    assert [one.document() for one in fresh.answer.decisions] == [
        one.document() for one in watcher.step().sight.answer.decisions
    ] or {one.state for one in watcher.step().sight.field} != {one.state for one in field}
    again = Looker(WatchSettings(budget=100.0)).look(tuple(reversed(field)))
    assert again.inputs == fresh.inputs
    assert [one.document() for one in again.answer.decisions] == [one.document() for one in fresh.answer.decisions]
    watcher.close()


def grown(ledger, steps, scale=1.0):
    for name in CEILINGS:
        row = ledger.book.enlist(Heading(name=name, recipe=name, **heading_bounds(None)))
        values = [scale * reward(name, k) for k in steps]
        ledger.book.append({row.id: {"reward": points_of(list(steps), values)}})


def test_bounds_are_assumed_said_once_and_widened_where_a_value_leaves_them(ledger, caplog):
    grown(ledger, STEPS[:8])
    watcher = watch(ledger)
    watcher.step()
    assert {row.bounds_from for row in ledger.book.runs()} == {"values"}
    grown(ledger, STEPS[8:12], scale=3.0)
    watcher.step()
    rows = ledger.book.runs()
    assert {row.bounds_from for row in rows} == {"open"}
    assert len({row.open.frame for row in rows}) == 1
    kept = [row.open for row in rows]
    grown(ledger, STEPS[12:16], scale=3.0)
    watcher.step()
    assert [row.open for row in ledger.book.runs()] == kept
    events = [event for event in ledger.events.last() if event.kind == "bounds"]
    assert len(events) == 1
    assert "bounds open: nothing says what is possible" in events[0].message
    said = [record.getMessage() for record in caplog.records if "bounds" in record.getMessage()]
    assert len(said) == len(set(said)) == 2
    for decision in ledger.rulings.decisions():  # made of what was assumed then
        found = explain(ledger, decision.id)
        assert (found.same, found.same_inputs) == (True, True)


def test_a_reward_beyond_one_is_decided_on_in_a_table(tmp_path):
    table = Table(str(tmp_path / "t.db"), WatchSettings(budget=100.0))
    for step in STEPS:
        for name in CEILINGS:
            table.report(name, step, 40.0 * reward(name, step) - 7.0)
        decided = table.decide()
    assert {name: one.action for name, one in decided.items()} != {}
    assert table.scene.troubles == {}
    assert decided["best"].action in ("continue", "commit")
    table.close()
