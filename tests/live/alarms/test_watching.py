"""Alarms of a watch: a run that is made to collapse, restarts, two watchers, a ledger that fails, jobs that stall."""

from contextlib import closing

import numpy as np
import pytest

from rlscale.curves import Metric, Series
from rlscale.errors import LedgerError
from rlscale.ledger import ALARM, DRY_ALARM, Heading, Ledger, Logged, points_of
from rlscale.live import Courier, View, Watch, WatchSettings
from rlscale.live.alarms import AlarmCommand, LedgerAlarms, webhook_address
from rlscale.live.alarms.webhook import Webhook
from rlscale.sources import ReadOptions
from tests.live.alarms.hook import Hook, answer, hang, ok
from tests.live.alarms.test_command import order, received
from tests.live.alarms.test_webhook import QUICK
from tests.waiting import LIMIT, Clock, wait_until

BUDGET = 400.0
#: Evaluations: watching begins, the run collapses, and it comes back, after so many.
BEGINS, FALLS, RISES, LAST = 14, 20, 30, 52


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def begun(where):
    """Return a ledger with the evaluations that are there before it is watched."""
    ledger = Ledger(str(where), create=True, patience=LIMIT)
    for k in range(BEGINS):
        put(ledger, k)
    return ledger


@pytest.fixture
def ledger(tmp_path):
    with begun(tmp_path / "runs.db") as held:
        yield held


@pytest.fixture
def anywhere(where):
    """A ledger of each kind."""
    with begun(where) as held:
        yield held


def reward(name, k):
    noise = 0.008 * np.random.default_rng([7, k, len(name)]).standard_normal()
    if name == "falls" and FALLS <= k < RISES:
        return 0.12 + noise
    return 0.2 + 0.5 * k / (k + 12) + noise


def put(ledger, k, names=("falls", "well")):
    for name in names:
        row = ledger.book.enlist(Heading(name=name, recipe=name))
        ledger.book.append({row.id: {"reward": points_of([5.0 * k], [reward(name, k)])}})


def watching(ledger, *sinks, acting=True, level="warn", clock=None, **more):
    more |= {} if clock is None else {"clock": clock}
    alarms = LedgerAlarms(
        ledger, acting=acting, sinks=sinks, level=level, **({} if clock is None else {"clock": clock})
    )
    return Watch(ledger, WatchSettings(budget=BUDGET), acting=acting, alarms=alarms, **more)


def hook_of(hook, **more):
    return Webhook(webhook_address(hook.url), **{"delays": QUICK, **more})


def collapsed(watch):
    """Say whether the latest look calls the run collapsed."""
    fits = watch._looker.fits(watch._sight) if watch._sight is not None else ()
    return any(fit.run.name == "falls" and fit.verdict.name.value == "collapsed" for fit in fits)


def test_a_run_that_collapses_raises_its_alarm_within_one_evaluation_and_its_recovery_once(anywhere):
    with Hook(answer(500), ok) as hook, closing(watching(anywhere, hook_of(hook))) as watch:
        first = None
        for k in range(BEGINS, LAST):
            put(anywhere, k)
            scene = watch.step()
            if first is None and collapsed(watch):
                first = k
                assert ("falls", "collapse") in {event.signal.key for event in scene.alarms}
                wait_until(lambda: hook.events("collapse"))  # before the next evaluation
        assert FALLS < first <= FALLS + 3
        assert not collapsed(watch)
        wait_until(lambda: len(hook.events("collapse")) == 2 and not watch._alarms.busy)
        assert hook.events("collapse") == [("onset", "falls", "collapse"), ("recovery", "falls", "collapse")]
        kinds = {kind for _, run, kind in hook.events() if run == "falls"}
        assert {"collapse", "decision"} <= kinds
        assert watch.step().troubles == {}
    events = [one for one in anywhere.events.last(100) if one.kind == ALARM and one.document["kind"] == "collapse"]
    assert [one.document["event"] for one in events] == ["onset", "recovery"]
    assert [one for one in anywhere.events.open() if one.kind == ALARM] == []  # alarms are no trouble of the watching


@pytest.mark.parametrize("fault", [hang, answer(500), answer(302, Location="http://127.0.0.1:9/")])
def test_the_loop_goes_on_whatever_the_webhook_does(ledger, fault):
    with Hook(fault) as hook:
        watch = watching(ledger, hook_of(hook, timeout=LIMIT, delays=(LIMIT,), room=2))
        for k in range(BEGINS, LAST):
            put(ledger, k)
            scene = watch.step()
            assert scene.sight is not None
        assert [one.n_points for one in (seen.run.curve for seen in scene.sight.field)] == [LAST, LAST]
        if fault is not hang:
            wait_until(lambda: "webhook" in watch.step().troubles)
        assert len(ledger.events.alarms()) >= 3  # what cannot be sent is kept all the same
        messages = [one.message for one in ledger.events.last(500) if one.kind == "webhook"]
        assert not any("s3cret" in message for message in messages)
        watch._alarms._announcer.close(0.0)
        watch.close()


@pytest.mark.parametrize(("behaviour", "said"), [("fail", "(exit code 3): no such job"), ("hang", "")])
def test_the_loop_goes_on_whatever_the_command_does(ledger, tmp_path, behaviour, said):
    command = AlarmCommand(Courier(order(tmp_path / "got", behaviour), LIMIT))
    watch = watching(ledger, command)
    for k in range(BEGINS, FALLS + 6):
        put(ledger, k)
        scene = watch.step()
    assert scene.sight.field[0].run.curve.n_points == FALLS + 6
    wait_until(lambda: received(tmp_path / "got"))
    if said:
        wait_until(lambda: said in watch.step().troubles.get("on-alarm", ""))
    command.close(0.0)
    watch.close()


def test_a_restart_sends_nothing_twice(anywhere):
    with Hook() as hook:
        for k in range(BEGINS, LAST):
            put(anywhere, k)
            with closing(watching(anywhere, hook_of(hook))) as watch:  # a watcher for each evaluation
                watch.step()
                wait_until(lambda watch=watch: not watch._alarms.busy)
        assert hook.events("collapse") == [("onset", "falls", "collapse"), ("recovery", "falls", "collapse")]
        by_key = {}
        for event, run, kind in hook.events():
            by_key.setdefault((run, kind), []).append(event)
        kept = [one.document for one in anywhere.events.last(500) if one.document is not None]
        told = [(one["run"], one["kind"], one["event"]) for one in kept]
        assert sorted(told) == sorted((run, kind, event) for (run, kind), many in by_key.items() for event in many)


def test_of_two_watchers_one_sends(anywhere, tmp_path):
    with Ledger(str(anywhere.where), patience=LIMIT) as other, Hook() as hook:
        first, second = watching(anywhere, hook_of(hook)), watching(other, hook_of(hook))
        view = View(other)
        told = []
        for k in range(BEGINS, FALLS + 6):
            put(anywhere, k)
            first.step()
            assert second.step().role == "standby"
            told += [event.signal.key for event in view.step().alarms]
        wait_until(lambda: not first._alarms.busy)
        assert hook.events("collapse") == [("onset", "falls", "collapse")]
        assert told.count(("falls", "collapse")) == 1  # who only looks on sees it, too
        before = len(hook.events())
        first.close()
        scene = second.step()
        assert scene.role == "acting"
        assert scene.alarms == ()
        assert ("falls", "collapse") in {one.key for one in scene.open_alarms}
        second.close()
        assert len(hook.events()) == before


def test_a_dry_run_has_alarms_of_its_own(ledger):
    with Hook() as dry, Hook() as real:
        one, other = watching(ledger, hook_of(dry), acting=False), watching(ledger, hook_of(real))
        for k in range(BEGINS, FALLS + 6):
            put(ledger, k)
            one.step()
            other.step()
        one.close()
        other.close()
        for hook in (dry, real):
            assert hook.events("collapse") == [("onset", "falls", "collapse")]
        held = [one["message"] for one in dry.accepted if one["kind"] == "decision"]
        assert all(message.endswith("This is a dry run: nothing is carried out.") for message in held)
        assert {one.kind for one in ledger.events.alarms(DRY_ALARM)} == {DRY_ALARM}


def test_what_the_ledger_could_not_keep_is_not_sent_but_with_the_next_pass(ledger, monkeypatch):
    with Hook() as hook, closing(watching(ledger, hook_of(hook))) as watch:
        for k in range(BEGINS, FALLS):
            put(ledger, k)
            watch.step()
        keep, calls = ledger.events.alarm, []

        def once(*args):
            calls.append(args)
            if len(calls) == 1:
                raise LedgerError("the ledger is locked")
            keep(*args)

        monkeypatch.setattr(ledger.events, "alarm", once)
        k = FALLS
        while not calls:
            put(ledger, k)
            scene = watch.step()
            k += 1
        assert (scene.alarms, scene.troubles["alarms"]) == ((), "the ledger is locked")
        scene = watch.step()
        assert scene.alarms
        assert scene.troubles == {}


def test_a_trouble_of_a_webhook_that_is_not_used_any_more_is_ended(ledger):
    with Hook(answer(404)) as hook:
        watch = watching(ledger, hook_of(hook))
        for k in range(BEGINS, FALLS + 4):
            put(ledger, k)
            watch.step()
        wait_until(lambda: "HTTP 404" in watch.step().troubles.get("webhook", ""))
        watch.close()
    assert [one.kind for one in ledger.events.open()] == ["webhook"]
    with closing(watching(ledger)) as again:
        again.step()
    assert ledger.events.open() == ()


def test_what_is_milder_than_the_level_is_not_sent(ledger):
    with closing(watching(ledger, level="stop")) as watch:
        sent = []
        for k in range(BEGINS, FALLS + 6):
            put(ledger, k)
            sent += [event.signal for event in watch.step().alarms]
        assert {signal.severity for signal in sent} == {"stop"}
        assert ("falls", "collapse") in {signal.key for signal in sent}


def test_a_run_that_records_itself_is_judged_by_its_series(ledger):
    with closing(watching(ledger)) as watch:
        row, sent = ledger.book.enlist(Heading(name="own", recipe="own")), []
        for k in range(1, 60):
            entropy = 3.5 if k >= 40 else 0.5 + 0.01 * (k % 3)
            new = Series(np.array([float(k)]), np.array([entropy]))
            log = Logged(series={"entropy": new}, metrics={"entropy": Metric("entropy", "nats per token", new)})
            points = (
                {"reward": points_of([float(k)], [0.2 + 0.3 * k / (k + 20) + 0.005 * (k % 4)])} if k % 4 == 0 else {}
            )
            ledger.book.extend(row.id, points, log, about=k == 1)
            sent += [(k, event.signal.kind) for event in watch.step().alarms]
        raised = [k for k, kind in sent if kind == "entropy_explosion"]
        assert len(raised) == 1
        assert 40 < raised[0] <= 43  # at the row, not at the next evaluation


def test_a_job_that_stalls_is_told_and_that_it_goes_on_again(ledger):
    clock = Clock()
    with closing(watching(ledger, clock=clock, lasts=1e9)) as watch:

        def passed(seconds, k=None):
            clock.advance(seconds)
            if k is not None:
                put(ledger, k, ["well"])
            return [(event.event, event.signal.kind) for event in watch.step().alarms]

        for k in range(BEGINS, BEGINS + 8):
            assert passed(60.0 if k != BEGINS + 5 else 400.0, k) == []  # a long pause, as a checkpoint is
        assert passed(590.0) == []
        assert passed(150.0) == []
        assert passed(70.0) == [("onset", "stalled")]  # more than 10 times a minute, and twice the longest pause
        assert passed(10_000.0) == []
        assert passed(1.0, BEGINS + 8) == [("recovery", "stalled")]
        ledger.overrides.add(ledger.book.run("well"), "end", "", "ana@host")
        watch.step()
        assert passed(10_000.0) == []  # what is over has not stalled


def test_logs_that_are_followed_are_judged_as_they_were_read(tmp_path):
    from rlscale.live import Following
    from tests.live.alarms.written import line

    path = tmp_path / "base" / "log.jsonl"
    path.parent.mkdir()
    with Ledger(str(tmp_path / "runs.db"), create=True) as held:
        watch, sent = None, []
        for k in range(1, 50):
            with path.open("a", encoding="utf-8") as out:
                out.write(line(k, sick=k >= 30))
            watch = watch or watching(held, source=Following([tmp_path / "base"], ReadOptions()))
            sent += [(k, event.signal.kind) for event in watch.step().alarms]
        first = {kind: k for k, kind in reversed(sent)}
        assert {"collapse", "entropy_explosion", "truncation"} <= first.keys()
        assert 30 < min(first["entropy_explosion"], first["truncation"])
        assert max(first["collapse"], first["entropy_explosion"], first["truncation"]) <= 35
        watch.close()
